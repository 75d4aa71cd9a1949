package model

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/directive"
	"github.com/cachegen/cachegen/generator/load"
	"github.com/cachegen/cachegen/generator/names"
	"github.com/cachegen/cachegen/generator/reads"
)

// Drawing functions take something to draw on, or a request, or return a component, or have
// widgets.

// Draw is the part of a plan that only drawing functions have.
type Draw struct {
	Surface *Param // what it draws on; nil if it draws nowhere, or when it is rendered
	Bind    Bind   // the adapter of Surface, or of inputs where nothing is drawn on

	Request *Param        // the *http.Request, or nil
	Reads   []reads.Input // what is read of it, sorted; counts in full
	Handler bool          // it answers a request: only GET and HEAD are cached

	Holes     []*Hole
	Component *Component // of the result, which is drawn when it is rendered; or nil
	Result    types.Type // that result's type

	Widgets  bool
	Variants int
	Spinner  string
}

// Package returns the name of the package that has the function.
func (b Bind) Package() string { return b.Import[strings.LastIndexByte(b.Import, '/')+1:] }

// Bind is an adapter's function:
// func(context.Context, T, surface.Inputs) (context.Context, T, surface.Surface).
type Bind struct {
	Import string // "" for the package itself
	Name   string
}

// Hole is a parameter that the caller draws with.
type Hole struct {
	Param *Param
	Err   bool // it returns an error
}

// Component is a kind of result that draws when it is rendered.
type Component struct {
	Type   string // full name of the interface
	Import string // package of Func
	Func   string // the function type whose values are such components
	Ctx    bool   // rendering takes a context
	Bind   Bind
}

// Package returns the name of the package that has the component type.
func (c *Component) Package() string { return Bind{Import: c.Import}.Package() }

// Where adapters are.
const (
	WebPath      = load.CachePath + "/web"
	htmlPath     = load.CachePath + "/html"
	TemplPath    = load.CachePath + "/templ"
	datastarPath = load.CachePath + "/datastar"
)

// hidden binds the inputs of functions that draw nowhere.
var hidden = Bind{WebPath, "Bind"}

// builtin are the types that can be drawn on without further ado.
var builtin = map[string]Bind{
	"io.Writer":               {htmlPath, "Bind"},
	"net/http.ResponseWriter": {htmlPath, "BindResponse"},
	"*github.com/starfederation/datastar-go/datastar.ServerSentEventGenerator": {datastarPath, "Bind"},
}

// components are the interfaces whose values draw when they are rendered.
var components = []*Component{
	{"github.com/a-h/templ.Component", "github.com/a-h/templ", "ComponentFunc", true, Bind{TemplPath, "Bind"}},
	{"maragu.dev/gomponents.Node", "maragu.dev/gomponents", "NodeFunc", false, Bind{htmlPath, "Bind"}},
	{"github.com/maragudk/gomponents.Node", "github.com/maragudk/gomponents", "NodeFunc", false, Bind{htmlPath, "Bind"}},
}

// isRequest reports whether t is *http.Request.
func isRequest(t types.Type) bool { return reads.IsRequest(t) }

// fullType writes a type with full import paths.
func fullType(t types.Type) string { return types.TypeString(types.Unalias(t), nil) }

// surfaceTypes returns how values of each type are bound: the built-in ones and those
// that the package names.
func (p *planner) surfaceTypes() map[string]Bind {
	all := maps.Clone(builtin)
	for _, s := range p.f.Pkg.Surfaces {
		if t, b, ok := p.declaredSurface(s); ok {
			all[t] = b
		}
	}
	return all
}

// declaredSurface resolves one //cache:surface line.
func (p *planner) declaredSurface(s *directive.Surface) (string, Bind, bool) {
	var scope *types.Scope
	for _, f := range p.f.Pkg.Syntax {
		if f.Name == s.Pos.Filename || filepath.Base(f.Name) == filepath.Base(s.Pos.Filename) {
			scope = p.f.Pkg.Info.Scopes[f.Syntax]
		}
	}
	if scope == nil {
		return "", Bind{}, false // of a file that this build excludes
	}
	typ, ok := p.lookUp(scope, strings.TrimPrefix(s.Type, "*")).(*types.TypeName)
	if !ok {
		p.errorf(s.Pos, diag.Bind, "//cache:surface names the type %s, and there is none", s.Type).
			hint("import its package in this file")
		return "", Bind{}, false
	}
	t := typ.Type()
	if strings.HasPrefix(s.Type, "*") {
		t = types.NewPointer(t)
	}
	fn, ok := p.lookUp(scope, string(s.Bind)).(*types.Func)
	if !ok {
		p.errorf(s.Pos, diag.Bind, "//cache:surface names the function %s, and there is none", s.Bind).
			hint("declare it in this package, or import its package in this file (var _ = pkg.Bind keeps an import that nothing else uses)")
		return "", Bind{}, false
	}
	if !bindsType(fn.Signature(), t) {
		p.errorf(s.Pos, diag.Bind, "%s is a %s", s.Bind, typeText(fn.Signature(), p.pkg)).
			hint("it must be a func(context.Context, %[1]s, surface.Inputs) (context.Context, %[1]s, surface.Surface)", typeText(t, p.pkg))
		return "", Bind{}, false
	}
	b := Bind{Name: fn.Name()}
	if fn.Pkg() != p.pkg {
		b.Import = fn.Pkg().Path()
	}
	return fullType(t), b, true
}

// lookUp resolves "Name" or "pkg.Name" where scope is that of a file.
func (p *planner) lookUp(scope *types.Scope, name string) types.Object {
	if qual, sel, ok := strings.Cut(name, "."); ok {
		pn, ok := scope.Lookup(qual).(*types.PkgName)
		if !ok {
			return nil
		}
		if o := pn.Imported().Scope().Lookup(sel); o != nil && o.Exported() {
			return o
		}
		return nil
	}
	return p.pkg.Scope().Lookup(name)
}

func bindsType(sig *types.Signature, t types.Type) bool {
	in, out := sig.Params(), sig.Results()
	return sig.TypeParams().Len() == 0 && !sig.Variadic() && in.Len() == 3 && out.Len() == 3 &&
		isContext(in.At(0).Type()) && isContext(out.At(0).Type()) &&
		types.Identical(in.At(1).Type(), t) && types.AssignableTo(out.At(1).Type(), t) &&
		fullType(in.At(2).Type()) == load.SurfacePath+".Inputs" && fullType(out.At(2).Type()) == load.SurfacePath+".Surface"
}

// drawing settles what the function draws on and with, and reports whether there is
// anything to keep of it.
func (p *planner) drawing() bool {
	f, o := p.f, &p.f.Directive.Options
	bad := len(p.ds)
	binds := p.surfaceTypes()
	d := &Draw{Bind: hidden, Widgets: o.Widgets, Variants: o.Variants, Spinner: o.Spinner}
	if f.Resource && o.Widgets && o.Variants == 0 {
		d.Variants = 100 // resources have no max, and a client can send any number of values
	}
	if d.Spinner == "off" {
		d.Spinner = ""
	}
	for i, q := range f.Params {
		if f.Variadic && i == len(f.Params)-1 {
			if s, ok := q.Type.(*types.Slice); ok && (isRequest(s.Elem()) || binds[fullType(s.Elem())] != Bind{}) {
				p.errorf(p.at(q.Var.Pos()), diag.TwoSurfaces, "%s takes any number of %s", f.title(), typeText(s.Elem(), p.pkg))
			}
			continue
		}
		b, isSurface := binds[fullType(q.Type)]
		switch {
		case isSurface && d.Surface != nil:
			p.errorf(p.at(q.Var.Pos()), diag.TwoSurfaces, "%s draws on %s and on %s", f.title(), orBlank(d.Surface.Name), orBlank(q.Name)).
				related(p.at(d.Surface.Var.Pos()), "this is the first")
		case isSurface:
			d.Surface, d.Bind = q, b
		case isRequest(q.Type) && d.Request != nil:
			p.errorf(p.at(q.Var.Pos()), diag.TwoSurfaces, "%s takes two requests, %s and %s", f.title(), orBlank(d.Request.Name), orBlank(q.Name)).
				related(p.at(d.Request.Var.Pos()), "this is the first")
		case isRequest(q.Type):
			d.Request = q
		}
	}
	p.component(d)
	p.surfaceResults(d, binds)
	p.holes(d)
	d.Handler = d.Request != nil && d.Surface != nil && fullType(d.Surface.Type) == "net/http.ResponseWriter"

	if d.Surface == nil && d.Request == nil && d.Component == nil && (!o.Widgets || f.Ctx == nil) {
		p.undrawn(binds)
		return p.kept() && len(p.ds) == bad
	}
	f.Draw = d
	p.context(d)
	if d.Handler && !f.Directive.Has("scope") {
		p.errorf(f.Directive.Pos, diag.HandlerScope, "%s answers requests, and the directive does not say whether everybody may get the same answer", f.title())
	}
	if o.Stale > 0 {
		p.errorf(p.opt("stale"), diag.DrawStale, "%s %s, and a refresh of stale= has no caller to draw for or to ask", f.title(), d.what(p.pkg))
	}
	p.inputs(d, binds)
	if d.Surface == nil && d.Component == nil {
		return p.kept() && len(p.ds) == bad
	}
	return len(p.ds) == bad
}

// Index of a context that is no parameter of the function.
const (
	RequestContext = -2 // that of the request
	RenderContext  = -3 // the one that the component is rendered with
	SurfaceContext = -4 // the one that what is drawn on carries
)

// context settles which context counts.
func (p *planner) context(d *Draw) {
	f := p.f
	switch {
	case d.Component != nil && d.Component.Ctx && f.Ctx == nil:
		f.Ctx = &Param{Type: p.contextType(), Index: RenderContext, Var: f.Obj.Signature().Results().At(0)}
	case f.Ctx == nil && d.Request != nil:
		f.Ctx = &Param{Type: p.contextType(), Index: RequestContext, Var: d.Request.Var}
	case f.Ctx == nil && d.Surface != nil && carriesContext(d.Surface.Type):
		f.Ctx = &Param{Type: p.contextType(), Index: SurfaceContext, Var: d.Surface.Var}
	}
}

// contextType returns context.Context.
func (p *planner) contextType() types.Type {
	if pkg, err := p.f.Pkg.Import("context"); err == nil {
		if o := pkg.Scope().Lookup("Context"); o != nil {
			return o.Type()
		}
	}
	return types.NewInterfaceType(nil, nil)
}

// carriesContext reports whether values of t have a method Context() context.Context.
func carriesContext(t types.Type) bool {
	obj, _, _ := types.LookupFieldOrMethod(t, false, nil, "Context")
	m, ok := obj.(*types.Func)
	if !ok {
		return false
	}
	sig := m.Signature()
	return sig.Params().Len() == 0 && sig.Results().Len() == 1 && isContext(sig.Results().At(0).Type())
}

// what says what makes a function a drawing one.
func (d *Draw) what(pkg *types.Package) string {
	switch {
	case d.Surface != nil:
		return "draws on " + typeText(d.Surface.Type, pkg)
	case d.Component != nil:
		return "returns what is to be drawn"
	case d.Request != nil:
		return "takes a request"
	}
	return "has widgets"
}

// component settles whether the result draws when it is rendered.
func (p *planner) component(d *Draw) {
	f := p.f
	for i, r := range f.Results {
		c := componentIn(r.Type)
		if c == nil {
			continue
		}
		pos := p.at(f.Sig.Results().At(i).Pos())
		if !pos.IsValid() || pos.Line == 0 {
			pos = p.at(f.Decl.Name.Pos())
		}
		switch {
		case fullType(r.Type) != c.Type:
			p.errorf(pos, diag.Component, "%s returns %s, in which values are drawn when they are rendered", f.title(), typeText(r.Type, p.pkg)).
				hint("return one %s, and cache what it renders", shortType(c.Type))
		case f.HasErr:
			p.errorf(pos, diag.Component, "%s returns %s and an error: it is drawn long after the error is known", f.title(), typeText(r.Type, p.pkg)).
				hint("compute in one cached function, which returns data and an error, and draw that in another one")
		case len(f.Results) > 1:
			p.errorf(pos, diag.Component, "%s returns %s and something else", f.title(), typeText(r.Type, p.pkg)).
				hint("return one %s and nothing else", shortType(c.Type))
		case d.Surface != nil:
			p.errorf(pos, diag.Component, "%s draws on %s, and returns %s", f.title(), orBlank(d.Surface.Name), typeText(r.Type, p.pkg)).
				hint("do one of the two")
		default:
			d.Component, d.Result = c, r.Type
			f.Results = nil // what it renders is kept, never the value
		}
	}
}

// componentIn returns the component type that values of t are or hold, or nil.
func componentIn(t types.Type) *Component {
	seen := map[types.Type]bool{}
	var walk func(t types.Type) *Component
	walk = func(t types.Type) *Component {
		t = types.Unalias(t)
		if seen[t] {
			return nil
		}
		seen[t] = true
		if n, ok := t.(*types.Named); ok {
			for _, c := range components {
				if fullName(n) == c.Type {
					return c
				}
			}
		}
		switch u := t.Underlying().(type) {
		case *types.Pointer:
			return walk(u.Elem())
		case *types.Slice:
			return walk(u.Elem())
		case *types.Array:
			return walk(u.Elem())
		case *types.Map:
			return walk(u.Elem())
		case *types.Struct:
			for f := range u.Fields() {
				if c := walk(f.Type()); c != nil {
					return c
				}
			}
		}
		return nil
	}
	return walk(t)
}

// surfaceResults refuses results that are, or hold, something to draw on: what is drawn on
// them later, when the function has returned, would be on no tape.
func (p *planner) surfaceResults(d *Draw, binds map[string]Bind) {
	if d.Surface == nil {
		return
	}
	for i, r := range p.f.Results {
		if t := p.surfaceIn(r.Type, binds); t != nil {
			pos, what := p.at(p.f.Sig.Results().At(i).Pos()), typeText(r.Type, p.pkg)
			if !types.Identical(t, r.Type) {
				what += ", which has a place for " + typeText(t, p.pkg)
			}
			p.errorf(pos, diag.SurfaceResult, "%s draws on %s, and returns %s, on which its caller can draw", p.f.title(), orBlank(d.Surface.Name), what)
		}
	}
}

// surfaceIn returns the type that can be drawn on that values of t are or hold, nil if there
// is none. Types of other packages are not looked into.
func (p *planner) surfaceIn(t types.Type, binds map[string]Bind) types.Type {
	seen := map[types.Type]bool{}
	var walk func(t types.Type) types.Type
	walk = func(t types.Type) types.Type {
		t = types.Unalias(t)
		if binds[fullType(t)] != (Bind{}) {
			return t
		}
		if n, ok := t.(*types.Named); seen[t] || ok && n.Obj().Pkg() != p.pkg {
			return nil
		}
		seen[t] = true
		switch u := t.Underlying().(type) {
		case interface{ Elem() types.Type }: // pointers, slices, arrays and maps
			return walk(u.Elem())
		case *types.Struct:
			for f := range u.Fields() {
				if t := walk(f.Type()); t != nil {
					return t
				}
			}
		}
		return nil
	}
	return walk(t)
}

func shortType(full string) string { return full[strings.LastIndexByte(full, '/')+1:] }

// holes finds the parameters that the caller draws with.
func (p *planner) holes(d *Draw) {
	f := p.f
	if d.Surface == nil {
		return
	}
	for i, q := range f.Params {
		sig, ok := q.Type.Underlying().(*types.Signature)
		if !ok || f.Variadic && i == len(f.Params)-1 || slices.Contains(f.Directive.Options.Ignore, q.Name) {
			continue
		}
		if sig.Variadic() || sig.Params().Len() != 1 || !types.Identical(sig.Params().At(0).Type(), d.Surface.Type) {
			continue
		}
		switch out := sig.Results(); {
		case out.Len() == 0:
			d.Holes = append(d.Holes, &Hole{Param: q})
		case out.Len() == 1 && isError(out.At(0).Type()):
			d.Holes = append(d.Holes, &Hole{Param: q, Err: true})
		}
	}
	if len(d.Holes) > maxHoles {
		p.errorf(p.at(d.Holes[maxHoles].Param.Var.Pos()), diag.Holes, "%s has %d parameters that its caller draws with, and %d are possible", f.title(), len(d.Holes), maxHoles)
	}
}

// maxHoles bounds the holes of a function: which of them are nil is a part of the key.
const maxHoles = 6

// outOfKey are the parameters that are never in the key: what is drawn on, the request, and
// holes.
func (d *Draw) outOfKey(q *Param) bool {
	if d == nil {
		return false
	}
	return q == d.Surface || q == d.Request || slices.ContainsFunc(d.Holes, func(h *Hole) bool { return h.Param == q })
}

// undrawn refuses the options of drawing functions on others.
func (p *planner) undrawn(binds map[string]Bind) {
	for _, opt := range []string{"widgets", "variants", "spinner"} {
		if p.f.Directive.Has(opt) {
			p.errorf(p.opt(opt), diag.DrawOption, "%s is for functions that draw, take a request or ask a context for inputs, and %s can do none of that", opt, p.f.title())
		}
	}
	p.capturedSurfaces(binds)
	if at := asksInput(p.f.File.Syntax, p.f.Decl); at.IsValid() && !p.f.Directive.Has("widgets") {
		p.errorf(p.at(at), diag.Widgets, "%s asks for an input while it runs, and the directive does not say widgets", p.f.title()).
			hint("say widgets, or pass the value as an argument")
	}
}

// capturedSurfaces refuses a function that draws on what it was not given. Writers of
// bytes are left alone here: most are logs.
func (p *planner) capturedSurfaces(binds map[string]Bind) {
	drawnOn := func(t types.Type) bool { name := fullType(t); return name != "io.Writer" && binds[name] != Bind{} }
	near := slices.Clone(p.f.Pkg.Names().Vars)
	for _, q := range p.f.All() {
		near = append(near, q.Type)
	}
	// Bodies are typed only where there is something that they could draw on.
	if !slices.ContainsFunc(near, func(t types.Type) bool { return holds(t, drawnOn, 3) }) {
		return
	}
	_, ds := p.source().Find(p.f.Decl, drawnOn)
	for _, d := range ds {
		if d.Code == diag.SurfaceElsewhere {
			p.ds = append(p.ds, d)
		}
	}
}

// holds reports whether t, or a field of it within depth, is such a type.
func holds(t types.Type, is func(types.Type) bool, depth int) bool {
	if is(t) {
		return true
	}
	if ptr, ok := t.Underlying().(*types.Pointer); ok {
		t = ptr.Elem()
	}
	st, ok := t.Underlying().(*types.Struct)
	if !ok || depth == 0 {
		return false
	}
	for f := range st.Fields() {
		if holds(f.Type(), is, depth-1) {
			return true
		}
	}
	return false
}

// kept reports whether the function returns anything that can be kept. An error alone is
// something only where the directive says that errors are kept: most functions of that
// kind are called for what they do.
func (p *planner) kept() bool {
	f := p.f
	pos := p.at(f.Decl.Name.Pos())
	switch {
	case len(f.Results) > 0 || f.HasErr && !f.Resource && f.Directive.Options.Errors > 0:
		return true
	case f.HasErr && f.Resource:
		p.errorf(pos, diag.OnlyError, "%s returns nothing but an error, which is no resource", f.title()).
			hint("if all that it does is to find the error, write //cache:data errors=30s; else a function that only has effects must not be cached")
	case f.HasErr:
		p.errorf(pos, diag.OnlyError, "%s returns nothing but an error, and errors are not kept", f.title())
	default:
		p.errorf(pos, diag.NoResults, "%s returns nothing, so there is nothing to keep", f.title())
	}
	return false
}

// inputs finds what is read of the request, and what cannot be drawn again.
func (p *planner) inputs(d *Draw, binds map[string]Bind) {
	found, ds := p.source().Find(p.f.Decl, func(t types.Type) bool { return binds[fullType(t)] != Bind{} })
	said := slices.ContainsFunc(p.ds, func(d diag.Diagnostic) bool { return d.Code == diag.SurfaceResult })
	for _, d := range ds {
		if d.Code != diag.SurfaceResult || !said { // of its type first
			p.ds = append(p.ds, d)
		}
	}
	d.Reads = found.Inputs
	// Beside a context, the request is handed to the body with that one. So there is one context
	// unless the body expects another in the request.
	if d.Request != nil && p.f.Ctx != nil && p.f.Ctx.Index >= 0 {
		for _, at := range found.Contexts {
			p.errorf(at, diag.TwoContexts, "the context of the request %s is read, and %s takes another one, %s", orBlank(d.Request.Name), p.f.title(), orBlank(p.f.Ctx.Name)).
				related(p.at(p.f.Ctx.Var.Pos()), "the context that counts")
		}
	}
	if !d.Widgets {
		for _, at := range found.Traced {
			p.errorf(at, diag.Widgets, "%s asks for an input while it runs, and the directive does not say widgets", p.f.title())
		}
	}
}

// source is the package with its bodies, for analysis.
func (p *planner) source() *reads.Source {
	f := p.f
	b := f.Pkg.Bodies()
	src := &reads.Source{Fset: f.Pkg.Fset, Types: b.Types, Info: b.Info, Wrappers: map[string]*ast.FuncDecl{}}
	for _, file := range f.Pkg.Syntax {
		src.Files = append(src.Files, file.Syntax)
		if file.Annotated == nil {
			continue
		}
		for _, a := range file.Annotated.Funcs {
			if name := names.Wrapper(a.Decl.Name.Name, a.Directive.Options.Name); name != "" {
				if a.Decl.Recv != nil {
					name = names.Receiver(a.Decl) + "." + name
				}
				src.Wrappers[name] = a.Decl
			}
		}
	}
	for _, file := range f.Pkg.Other {
		src.Other = append(src.Other, file.Syntax)
	}
	return src
}

// asksInput returns where a function without types asks the cache for an input, in
// its own text.
func asksInput(file *ast.File, decl *ast.FuncDecl) token.Pos {
	names := map[string]bool{}
	for _, s := range file.Imports {
		path, err := strconv.Unquote(s.Path.Value)
		switch {
		case err != nil || path != load.CachePath && path != load.RuntimePath:
		case s.Name != nil:
			names[s.Name.Name] = true
		case path == load.CachePath:
			names["cache"] = true
		default:
			names["cachert"] = true
		}
	}
	if len(names) == 0 || decl.Body == nil {
		return token.NoPos
	}
	at := token.NoPos
	ast.Inspect(decl.Body, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && !at.IsValid() {
			if id, ok := sel.X.(*ast.Ident); ok && names[id.Name] && slices.Contains([]string{"Input", "InputValues", "InputFiles"}, sel.Sel.Name) {
				at = sel.Pos()
			}
		}
		return true
	})
	return at
}

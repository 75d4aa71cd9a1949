package model

import (
	"fmt"
	"go/token"
	"go/types"
	"strings"
	"time"

	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/directive"
	"github.com/cachegen/cachegen/generator/names"
)

// DefaultMax is how many entries of a data function are kept unless max= says otherwise.
const DefaultMax = 10000

// DefaultMaxBytes bounds the memory of data that draws unless max-bytes= says otherwise:
// what is on a page, and how many pages there are, is often for clients to say.
const DefaultMaxBytes = 64 << 20

// DefaultGrace is how long a resource that left the cache is kept from release.
const DefaultGrace = 30 * time.Second

// options turns the directive's options into the form that generated code needs.
func (p *planner) options() {
	f, o := p.f, &p.f.Directive.Options
	f.Opts = Options{
		TTL: o.TTL, Stale: o.Stale, ErrorTTL: o.Errors, Timeout: o.Timeout, Wait: o.Wait, Grace: o.Grace,
		Jitter: o.Jitter, Max: o.Max, MaxBytes: o.MaxBytes,
	}
	if !f.Resource && o.Max == 0 {
		f.Opts.Max = DefaultMax
	}
	if !f.Resource && o.MaxBytes == 0 && f.Draw != nil {
		f.Opts.MaxBytes = DefaultMaxBytes
	}
	if o.Release != "" && o.Grace == 0 {
		f.Opts.Grace = DefaultGrace
	}
	results := f.resultTypes()
	if len(results) == 0 {
		for _, opt := range []string{"copy", "max-bytes"} {
			if f.Directive.Has(opt) && (opt == "copy" || f.Draw == nil) { // what is drawn has a size
				p.errorf(p.opt(opt), diag.NoValue, "%s= is about the value that %s returns, and it returns none", opt, f.title())
			}
		}
	}
	duration := p.standard("time", "Duration")

	if o.TTLFunc != "" {
		f.Opts.TTLFunc = p.use("ttl", string(o.TTLFunc), results, "time.Duration", func(r *types.Tuple) bool {
			return r.Len() == 1 && duration(r.At(0).Type())
		})
	}
	if o.Keep != "" {
		f.Opts.Keep = p.use("keep", string(o.Keep), results, "bool", isBoolResult)
	}
	if o.Errors != 0 && !f.HasErr {
		p.errorf(p.opt("errors"), diag.NeedsError, "%s returns no error that errors= could keep", f.title())
	} else if o.ErrorsFunc != "" {
		f.Opts.KeepError = p.use("errors", string(o.ErrorsFunc), []types.Type{types.Universe.Lookup("error").Type()}, "bool", isBoolResult)
	}
	if o.Timeout != 0 && f.Ctx == nil {
		p.errorf(p.opt("timeout"), diag.NeedsContext, "timeout= ends a computation through its context, and %s takes none", f.title())
	}
	if o.Validate != "" {
		f.Opts.Validate = p.validate(string(o.Validate))
		if v := f.Opts.Validate; v != nil && v.Args && f.Draw != nil {
			p.errorf(p.opt("validate"), diag.DrawValidate, "%s takes the arguments of %s, which %s", o.Validate, f.title(), f.Draw.what(p.pkg))
		}
	}
	if o.Release != "" {
		f.Opts.Release = p.release(o.Release)
	}
	if o.Copy != "" && o.Copy != "auto" && o.Copy != "share" && len(results) > 0 {
		f.Opts.CopyFunc = p.use("copy", o.Copy, results, typesText(results, p.pkg), func(r *types.Tuple) bool {
			if r.Len() != len(results) {
				return false
			}
			for i, t := range results {
				if !types.AssignableTo(r.At(i).Type(), t) {
					return false
				}
			}
			return true
		})
	}
	for _, ref := range o.CtxKeys {
		p.ctxKey(string(ref))
	}
	p.tags(o)
}

// ctxKey resolves a key of ctx=ignore:.
func (p *planner) ctxKey(ref string) {
	f := p.f
	if f.Ctx == nil {
		p.errorf(p.opt("ctx"), diag.NeedsContext, "ctx=ignore:%s is about a context, and %s takes none", ref, f.title())
		return
	}
	obj := p.named(ref)
	wrong := func(format string, args ...any) {
		d := p.errorf(p.opt("ctx"), diag.NoContextKey, "ctx=ignore names %s, "+format, append([]any{ref}, args...)...)
		if obj != nil && obj.Pkg() == p.pkg {
			d.related(p.at(obj.Pos()), "%s is declared here", ref)
		}
	}
	key := &CtxKey{}
	if _, name, qualified := strings.Cut(ref, "."); qualified && !token.IsExported(name) {
		wrong("which its package does not export")
		return
	}
	switch o := obj.(type) {
	case nil:
		wrong("and there is no such type, variable or constant here")
		return
	case *types.TypeName:
		key.Type = types.Unalias(o.Type())
		if n, ok := key.Type.(*types.Named); ok && n.TypeParams().Len() > n.TypeArgs().Len() {
			wrong("which is a generic type")
			return
		}
		if types.IsInterface(key.Type) {
			wrong("which is an interface, and keys of many types may be such")
			return
		}
	case *types.Var, *types.Const:
		key.Value = obj
	default:
		wrong("which is neither a type nor a variable nor a constant")
		return
	}
	if obj.Pkg() != nil && obj.Pkg() != p.pkg {
		key.Import = obj.Pkg().Path()
	}
	if !types.Comparable(obj.Type()) {
		wrong("and a %s cannot be a context key: it cannot be compared", typeText(obj.Type(), p.pkg))
		return
	}
	for _, have := range f.Opts.CtxKeys {
		if key.Type != nil && have.Type != nil && types.Identical(key.Type, have.Type) || key.Value != nil && have.Value == key.Value {
			wrong("which it has named already")
			return
		}
	}
	f.Opts.CtxKeys = append(f.Opts.CtxKeys, key)
}

// tags splits the tags into constant ones and those made from arguments.
func (p *planner) tags(o *directive.Options) {
	for _, tag := range o.Tags {
		var pieces ArgTag
		ok := true
		for rest := tag; rest != ""; {
			before, after, found := strings.Cut(rest, "{")
			if before != "" {
				pieces = append(pieces, TagPiece{Text: before})
			}
			if !found {
				break
			}
			name, more, _ := strings.Cut(after, "}")
			rest = more
			param := p.param(name)
			switch {
			case param == nil:
				p.unknownParam("tags", name)
				ok = false
			case !param.InKey:
				p.errorf(p.opt("tags"), diag.BadTagParam, "tag %q takes the value of %s, which is not in the key", tag, name)
				ok = false
			case !isTagType(param.Type):
				p.errorf(p.opt("tags"), diag.BadTagParam, "tag %q takes the value of %s, which is %s", tag, name, typeText(param.Type, p.pkg))
				ok = false
			}
			pieces = append(pieces, TagPiece{Param: param})
		}
		switch {
		case !ok:
		case len(pieces) == 1 && pieces[0].Param == nil:
			p.f.Opts.Tags = append(p.f.Opts.Tags, tag)
		default:
			p.f.Opts.ArgTags = append(p.f.Opts.ArgTags, pieces)
		}
	}
}

func isTagType(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&(types.IsString|types.IsInteger|types.IsBoolean) != 0
}

func isBoolResult(r *types.Tuple) bool {
	return r.Len() == 1 && isBool(r.At(0).Type())
}

func isBool(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsBoolean != 0
}

// standard returns a test for a named type of the standard library.
func (p *planner) standard(path, name string) func(types.Type) bool {
	return func(t types.Type) bool {
		n, ok := types.Unalias(t).(*types.Named)
		return ok && fullName(n) == path+"."+name
	}
}

// named returns what an option names: "Name" of this package or of a dot import, or
// "pkg.Name" of an import of the file; nil if there is no such thing.
func (p *planner) named(ref string) types.Object {
	scope := p.f.Pkg.Info.Scopes[p.f.File.Syntax]
	qual, name, qualified := strings.Cut(ref, ".")
	if !qualified {
		name = qual
	}
	var obj types.Object
	if qualified {
		var in types.Object
		if scope != nil {
			in = scope.Lookup(qual)
		}
		pn, ok := in.(*types.PkgName)
		if !ok {
			return nil
		}
		return pn.Imported().Scope().Lookup(name)
	}
	obj = p.pkg.Scope().Lookup(name)
	if obj == nil && scope != nil {
		obj = scope.Lookup(name)
	}
	return obj
}

// find returns the function that an option names, and its import path if that is not this
// package's; or what else it names.
func (p *planner) find(ref string) (fn *types.Func, path string, other types.Object) {
	obj := p.named(ref)
	f, ok := obj.(*types.Func)
	if !ok || strings.Contains(ref, ".") && !f.Exported() {
		return nil, "", obj
	}
	if f.Pkg() != nil && f.Pkg() != p.pkg {
		path = f.Pkg().Path()
	}
	return f, path, nil
}

// use resolves a function that is called with args and checks it. A name that is no
// function but a method of the first argument is called as that method.
func (p *planner) use(opt, ref string, args []types.Type, want string, ok func(*types.Tuple) bool) *Use {
	form := "func(" + typesText(args, p.pkg) + ") " + want
	fn, path, other := p.find(ref)
	if fn == nil {
		if u := p.method(ref, args, ok); u != nil {
			return u
		}
		p.noFunc(opt, ref, form, other)
		return nil
	}
	sig := fn.Signature()
	if sig.TypeParams().Len() > 0 {
		sig = infer(sig, args)
	}
	if sig == nil || !takes(sig, args) || !ok(sig.Results()) {
		p.wrongFunc(opt, ref, form, fn)
		return nil
	}
	return &Use{Func: fn, Import: path}
}

// method finds ref among the methods of the first argument, called with the others.
func (p *planner) method(ref string, args []types.Type, ok func(*types.Tuple) bool) *Use {
	if len(args) == 0 || strings.Contains(ref, ".") {
		return nil
	}
	obj, _, _ := types.LookupFieldOrMethod(args[0], true, p.pkg, ref)
	m, isFunc := obj.(*types.Func)
	if !isFunc || !takes(m.Signature(), args[1:]) || !ok(m.Signature().Results()) {
		return nil
	}
	_, ptr := m.Signature().Recv().Type().Underlying().(*types.Pointer)
	_, isPtr := args[0].Underlying().(*types.Pointer)
	return &Use{Func: m, Method: true, Ptr: ptr && !isPtr}
}

func (p *planner) noFunc(opt, ref, form string, other types.Object) {
	if other != nil {
		d := p.errorf(p.opt(opt), diag.UnknownFunc, "%s names %s, which is no function", opt, ref).hint("name a %s", form)
		if other.Pkg() == p.pkg {
			d.related(p.at(other.Pos()), "%s is declared here", ref)
		}
		return
	}
	if q, _, ok := strings.Cut(ref, "."); ok {
		p.errorf(p.opt(opt), diag.UnknownFunc, "%s names %s, and this file imports no %s with such a function", opt, ref, q).
			hint("import its package in this file, or name a %s of this package", form)
		return
	}
	d := p.errorf(p.opt(opt), diag.UnknownFunc, "%s names %s, and package %s has no such function", opt, ref, p.pkg.Name()).hint("declare it as a %s", form)
	if near, _ := names.Nearest(ref, p.funcNames()); near != "" {
		d.hint("did you mean %s? It must be a %s", near, form)
	}
}

func (p *planner) wrongFunc(opt, ref, form string, fn *types.Func) {
	d := p.errorf(p.opt(opt), diag.WrongFunc, "%s needs a %s, and %s is a %s", opt, form, ref, typeText(fn.Signature(), p.pkg))
	if fn.Pkg() == p.pkg {
		d.related(p.at(fn.Pos()), "%s is declared here", ref)
	}
}

func (p *planner) funcNames() []string {
	var names []string
	for _, n := range p.pkg.Scope().Names() {
		if _, ok := p.pkg.Scope().Lookup(n).(*types.Func); ok && n != p.f.Name {
			names = append(names, n)
		}
	}
	return names
}

// takes reports whether a function can be called with values of these types.
func takes(sig *types.Signature, args []types.Type) bool {
	n := sig.Params().Len()
	if sig.Variadic() {
		if len(args) == n {
			// The last one may be the slice itself or one element; a slice would need
			// dots, so only elements count.
			e := sig.Params().At(n - 1).Type().(*types.Slice).Elem()
			if !types.AssignableTo(args[n-1], e) {
				return false
			}
			n--
		} else if len(args) != n-1 {
			return false
		} else {
			n--
		}
	} else if n != len(args) {
		return false
	}
	for i := range n {
		if !types.AssignableTo(args[i], sig.Params().At(i).Type()) {
			return false
		}
	}
	return true
}

// infer instantiates a generic function for arguments of these types, or returns nil.
func infer(sig *types.Signature, args []types.Type) *types.Signature {
	if sig.Params().Len() != len(args) {
		return nil
	}
	found := map[*types.TypeParam]types.Type{}
	for i, a := range args {
		unify(sig.Params().At(i).Type(), a, found)
	}
	// What a constraint such as ~[]E says of the type parameters in it.
	for tp := range sig.TypeParams().TypeParams() {
		c, ok := tp.Constraint().Underlying().(*types.Interface)
		if !ok || found[tp] == nil || c.NumEmbeddeds() != 1 {
			continue
		}
		if u, ok := c.EmbeddedType(0).(*types.Union); ok && u.Len() == 1 {
			unify(u.Term(0).Type(), found[tp].Underlying(), found)
		}
	}
	var targs []types.Type
	for tp := range sig.TypeParams().TypeParams() {
		t := found[tp]
		if t == nil {
			return nil
		}
		targs = append(targs, t)
	}
	inst, err := types.Instantiate(nil, sig, targs, false)
	if err != nil {
		return nil
	}
	s, _ := inst.(*types.Signature)
	return s
}

// unify binds the type parameters in pattern to what stands in their place in t.
func unify(pattern, t types.Type, found map[*types.TypeParam]types.Type) {
	t = types.Unalias(t)
	switch p := types.Unalias(pattern).(type) {
	case *types.TypeParam:
		if found[p] == nil {
			found[p] = t
		}
	case *types.Pointer:
		if u, ok := t.Underlying().(*types.Pointer); ok {
			unify(p.Elem(), u.Elem(), found)
		}
	case *types.Slice:
		if u, ok := t.Underlying().(*types.Slice); ok {
			unify(p.Elem(), u.Elem(), found)
		}
	case *types.Array:
		if u, ok := t.Underlying().(*types.Array); ok {
			unify(p.Elem(), u.Elem(), found)
		}
	case *types.Map:
		if u, ok := t.Underlying().(*types.Map); ok {
			unify(p.Key(), u.Key(), found)
			unify(p.Elem(), u.Elem(), found)
		}
	case *types.Named:
		if u, ok := t.(*types.Named); ok && u.Origin() == p.Origin() {
			for i := range p.TypeArgs().Len() {
				unify(p.TypeArgs().At(i), u.TypeArgs().At(i), found)
			}
		}
	}
}

// validate resolves validate=Func: the context, if it takes one, the results, then the
// arguments, if it takes them; it returns a bool, an error, or both.
func (p *planner) validate(ref string) *Validate {
	f := p.f
	results := f.resultTypes()
	var args []types.Type
	for _, q := range f.Params {
		if q != f.Ctx {
			args = append(args, q.Type)
		}
	}
	good := func(r *types.Tuple) bool {
		switch r.Len() {
		case 1:
			return isBool(r.At(0).Type()) || isError(r.At(0).Type())
		case 2:
			return isBool(r.At(0).Type()) && isError(r.At(1).Type())
		}
		return false
	}
	shape := func(u Use, sig *types.Signature, ctx, withArgs bool) *Validate {
		last := sig.Results().At(sig.Results().Len() - 1).Type()
		u.Err = isError(last)
		return &Validate{Use: u, Ctx: ctx, Args: withArgs, Bool: isBool(sig.Results().At(0).Type())}
	}
	form := "func(" + typesText(results, p.pkg) + ") bool"
	fn, path, other := p.find(ref)
	if fn == nil {
		for _, ctx := range []bool{false, true} {
			if ctx && f.Ctx == nil {
				break
			}
			in := results[:min(1, len(results)):min(1, len(results))]
			if ctx {
				in = append(in, f.Ctx.Type)
			}
			if u := p.method(ref, in, good); u != nil && len(results) == 1 {
				return shape(*u, u.Func.Signature(), ctx, false)
			}
		}
		p.noFunc("validate", ref, form, other)
		return nil
	}
	for _, ctx := range []bool{false, true} {
		for _, withArgs := range []bool{false, true} {
			if ctx && f.Ctx == nil || withArgs && len(args) == 0 {
				continue
			}
			var in []types.Type
			if ctx {
				in = append(in, f.Ctx.Type)
			}
			in = append(in, results...)
			if withArgs {
				in = append(in, args...)
			}
			sig := fn.Signature()
			if sig.TypeParams().Len() > 0 {
				sig = infer(sig, in)
			}
			if sig != nil && takes(sig, in) && good(sig.Results()) {
				return shape(Use{Func: fn, Import: path}, sig, ctx, withArgs)
			}
		}
	}
	p.errorf(p.opt("validate"), diag.WrongFunc, "validate needs a %s, and %s is a %s", form, ref, typeText(fn.Signature(), p.pkg)).
		hint("it takes the result, may take the context before it and all arguments after it, and returns a bool, an error, or both")
	return nil
}

// release resolves release=Close and release=Func.
func (p *planner) release(ref string) *Use {
	f := p.f
	results := f.resultTypes()
	if len(results) != 1 {
		p.errorf(p.opt("release"), diag.OneResult, "release= gives back one value, and %s returns %d", f.title(), len(results))
		return nil
	}
	good := func(r *types.Tuple) bool { return r.Len() == 0 || r.Len() == 1 && isError(r.At(0).Type()) }
	if ref == "Close" {
		if u := p.method(ref, results, good); u != nil {
			u.Err = u.Func.Signature().Results().Len() == 1
			return u
		}
		if fn, _, _ := p.find(ref); fn == nil {
			p.errorf(p.opt("release"), diag.NoSuchMethod, "release=Close, and %s has no method Close() or Close() error", typeText(results[0], p.pkg)).
				hint("name a func(%s) that gives the value back", typeText(results[0], p.pkg))
			return nil
		}
	}
	u := p.use("release", ref, results, "", good)
	if u != nil {
		u.Err = u.Func.Signature().Results().Len() == 1
	}
	return u
}

// resultTypes returns the types of the results, the trailing error not counted.
func (f *Func) resultTypes() []types.Type {
	var ts []types.Type
	for _, r := range f.Results {
		ts = append(ts, r.Type)
	}
	return ts
}

func typesText(ts []types.Type, pkg *types.Package) string {
	var s []string
	for _, t := range ts {
		s = append(s, typeText(t, pkg))
	}
	return strings.Join(s, ", ")
}

// draft is a diagnostic that is still being worded.
type draft struct {
	p *planner
	i int
}

func (p *planner) errorf(pos token.Position, c diag.Code, format string, args ...any) draft {
	p.ds = append(p.ds, diag.Errorf(pos, c, format, args...))
	return draft{p, len(p.ds) - 1}
}

func (d draft) hint(format string, args ...any) draft {
	d.p.ds[d.i].Hint = fmt.Sprintf(format, args...)
	return d
}

func (d draft) related(pos token.Position, format string, args ...any) draft {
	d.p.ds[d.i] = d.p.ds[d.i].WithRelated(pos, format, args...)
	return d
}

package model

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/directive"
	"github.com/cachegen/cachegen/generator/load"
	"github.com/cachegen/cachegen/generator/names"
	"github.com/cachegen/cachegen/generator/reads"
)

// Plan plans one annotated function. The plan can be used only if no diagnostic is an
// error. All faults are reported at once.
func Plan(pkg *load.Package, file *load.File, decl *ast.FuncDecl, d *directive.Directive) (*Func, []diag.Diagnostic) {
	constraint := load.Constraint(pkg.Fset, filepath.Base(file.Name), file.Syntax)
	p := &planner{
		pkg: pkg.Types,
		decls: &declarations{
			pkg:     pkg.Types,
			settled: func(o *types.TypeName) bool { return pkg.Settled(o, constraint) },
			std:     pkg.OfStandardLibrary,
		},
		f: &Func{
			Pkg: pkg, File: file, Decl: decl, Directive: d,
			Name:     decl.Name.Name,
			Resource: d.Kind == directive.Resource,
			Session:  d.Options.Scope == "session",
		},
	}
	p.run()
	return p.f, diag.Sort(p.ds)
}

// planner plans one function.
type planner struct {
	pkg   *types.Package
	f     *Func
	ds    []diag.Diagnostic
	decls *declarations

	// The planners of results, and of arguments for a computation apart from the caller.
	sizes             *sizePlanner
	copies, argCopies *copyPlanner
}

func (p *planner) at(pos token.Pos) token.Position { return p.f.Pkg.Position(pos) }

// opt returns where an option stands, or where the directive does.
func (p *planner) opt(name string) token.Position {
	if pos, ok := p.f.Directive.At[name]; ok {
		return pos
	}
	return p.f.Directive.Pos
}

func (p *planner) run() {
	f := p.f
	obj, ok := f.Pkg.Info.Defs[f.Decl.Name].(*types.Func)
	if !ok {
		p.errorf(p.at(f.Decl.Name.Pos()), diag.Unresolved, "the type of %s is not known", f.Name)
		return
	}
	f.Obj, f.Sig = obj, obj.Signature()
	p.signature()
	if !p.special() {
		return
	}
	p.identity()
	p.wrapperNames()
	if f.Recv != nil && f.Directive.Options.Recv == "" {
		p.errorf(p.at(f.Decl.Name.Pos()), diag.RecvMissing, "%s is a method, and the directive does not say what its receiver means to the cache", f.title()).
			hint("recv=key: its content is a part of the key; recv=identity: each instance has a cache of its own; recv=ignore: it does not matter to the result")
	}
	if f.Recv == nil && f.Directive.Options.Recv != "" {
		p.errorf(p.opt("recv"), diag.RecvOnFunc, "%s has no receiver", f.Name)
	}
	if !p.drawing() {
		return
	}
	p.chooseKey()
	p.key()
	p.excluded()
	p.contexts()
	p.options()
	p.results()
	p.detach()
	p.lent()
	p.layout()
	f.Doc = docOf(f)
}

// signature reads parameters and results.
func (p *planner) signature() {
	f, sig := p.f, p.f.Sig
	f.Variadic = sig.Variadic()
	if r := sig.Recv(); r != nil {
		f.Recv = &Param{Name: paramName(r), Type: r.Type(), Index: -1, Var: r}
		t := types.Unalias(r.Type())
		if ptr, ok := t.(*types.Pointer); ok {
			t = types.Unalias(ptr.Elem())
		}
		if n, ok := t.(*types.Named); ok {
			f.RecvBase = n.Obj()
		}
		for tp := range sig.RecvTypeParams().TypeParams() {
			f.TypeParams = append(f.TypeParams, tp)
		}
	}
	for tp := range sig.TypeParams().TypeParams() {
		f.TypeParams = append(f.TypeParams, tp)
	}
	for i := range sig.Params().Len() {
		v := sig.Params().At(i)
		q := &Param{Name: paramName(v), Type: v.Type(), Index: i, Var: v}
		f.Params = append(f.Params, q)
		if f.Ctx == nil && isContext(v.Type()) {
			f.Ctx = q
		}
	}
	n := sig.Results().Len()
	if n > 0 && isError(sig.Results().At(n-1).Type()) {
		f.HasErr = true
		n--
	}
	for i := range n {
		v := sig.Results().At(i)
		f.Results = append(f.Results, &Result{Name: paramName(v), Type: v.Type()})
	}
}

func paramName(v *types.Var) string {
	if v.Name() == "_" {
		return ""
	}
	return v.Name()
}

// special reports functions that cannot be wrapped whatever their types, and returns
// whether planning can go on.
func (p *planner) special() bool {
	f := p.f
	pos := p.at(f.Decl.Name.Pos())
	switch {
	case f.Name == "_":
		p.errorf(pos, diag.BadName, "a function called _ cannot be called").hint("give it a name")
		return false
	case f.Decl.Body == nil:
		p.errorf(pos, diag.NoBody, "%s has no body here: it is written in assembly or linked from elsewhere", f.title())
	case f.Recv == nil && f.Name == "init":
		p.errorf(pos, diag.SpecialFunc, "init runs once by itself")
		return false
	case f.Recv == nil && f.Name == "main" && p.pkg.Name() == "main":
		p.errorf(pos, diag.SpecialFunc, "main is the program")
		return false
	}
	if f.Decl.Doc != nil {
		for _, c := range f.Decl.Doc.List {
			for _, word := range []string{"//go:linkname ", "//export "} {
				if rest, ok := strings.CutPrefix(c.Text, word); ok && strings.HasPrefix(strings.TrimSpace(rest), f.Name) {
					p.errorf(p.at(c.Pos()), diag.SpecialFunc, "%s is called by what is outside of Go's sight: %s", f.Name, strings.TrimSpace(word))
				}
			}
		}
	}
	if f.Recv != nil && f.RecvBase == nil {
		p.errorf(pos, diag.Unresolved, "the type of the receiver of %s is not known", f.Name)
		return false
	}
	for v := range allVars(f.Sig) {
		if nested(v.Type()) > maxNested {
			p.errorf(p.at(v.Pos()), diag.TooDeep, "the type of %s in the signature of %s is nested more than %d deep, which is more than the compiler can infer types through", orBlank(v.Name()), f.title(), maxNested)
			return false
		}
		if !Nameable(v.Type(), p.pkg) {
			p.errorf(p.at(v.Pos()), diag.LocalType, "generated code cannot name the type %s", typeText(v.Type(), p.pkg))
			return false
		}
	}
	return true
}

// maxNested is how deep types without names may be nested. The type checker gives up at
// 100 where it infers type arguments, and generated code leaves it that to do.
const maxNested = 64

// nested returns how many types are nested in t that have no name.
func nested(t types.Type) (deepest int) {
	for part := range parts(t) {
		deepest = max(deepest, nested(part))
	}
	return deepest + 1
}

// parts yields the types that are written in a type without a name.
func parts(t types.Type) func(func(types.Type) bool) {
	return func(yield func(types.Type) bool) {
		switch t := types.Unalias(t).(type) {
		case *types.Pointer:
			yield(t.Elem())
		case *types.Slice:
			yield(t.Elem())
		case *types.Array:
			yield(t.Elem())
		case *types.Chan:
			yield(t.Elem())
		case *types.Map:
			if yield(t.Key()) {
				yield(t.Elem())
			}
		case *types.Struct:
			for f := range t.Fields() {
				if !yield(f.Type()) {
					return
				}
			}
		}
	}
}

func orBlank(s string) string {
	if s == "" {
		return "a value"
	}
	return s
}

func allVars(sig *types.Signature) func(func(*types.Var) bool) {
	return func(yield func(*types.Var) bool) {
		for _, t := range []*types.Tuple{sig.Params(), sig.Results()} {
			for v := range t.Variables() {
				if !yield(v) {
					return
				}
			}
		}
	}
}

// identity settles what the runtime knows the function by.
func (p *planner) identity() {
	f := p.f
	f.ID = f.Pkg.ImportPath + "." + f.title()
	pos := f.Pkg.Position(f.Decl.Name.Pos())
	rel := filepath.Base(pos.Filename)
	if f.Pkg.ModuleDir != "" {
		if r, err := filepath.Rel(f.Pkg.ModuleDir, pos.Filename); err == nil && !strings.HasPrefix(r, "..") {
			rel = filepath.ToSlash(r)
		}
	}
	f.Site = rel // without the line: an edit above the function must not make the wrapper stale
}

func (p *planner) param(name string) *Param {
	for _, q := range p.f.Params {
		if q.Name == name {
			return q
		}
	}
	return nil
}

func (p *planner) unknownParam(opt, name string) {
	var params []string
	for _, q := range p.f.Params {
		if q.Name != "" {
			params = append(params, q.Name)
		}
	}
	d := p.errorf(p.opt(opt), diag.UnknownParam, "%s names %s, and %s has no such parameter", opt, name, p.f.title())
	switch near, _ := names.Nearest(name, params); {
	case near != "":
		d.hint("did you mean %s?", near)
	case len(params) == 0:
		d.hint("it has no parameters with a name; name them, or remove %s", opt)
	default:
		d.hint("its parameters are %s", strings.Join(params, ", "))
	}
}

// chooseKey settles which parameters are in the key.
func (p *planner) chooseKey() {
	f, o := p.f, &p.f.Directive.Options
	for _, q := range f.Params {
		q.InKey = q.Name != "" && !strings.HasPrefix(q.Name, "_") && q != f.Ctx
	}
	if f.Directive.Has("key") {
		for _, q := range f.Params {
			q.InKey = false
		}
		for _, n := range o.Key {
			switch q := p.param(n); {
			case q == nil:
				p.unknownParam("key", n)
			case isContext(q.Type):
				p.errorf(p.opt("key"), diag.IgnoresKeyArg, "key names %s, and a context is never in the key as a whole", n).
					hint("make a part of it a key with hash=%s:Func", n)
			default:
				q.InKey = true
			}
		}
	}
	for _, n := range o.Ignore {
		switch q := p.param(n); {
		case q == nil:
			p.unknownParam("ignore", n)
		case q == f.Ctx:
			p.errorf(p.opt("ignore"), diag.IgnoresKeyArg, "ignore names %s, and a context is never in the key as a whole", n).
				hint("remove it; to say that context values do not matter, write ctx=ignore")
		default:
			q.InKey = false
		}
	}
	for _, q := range f.Params {
		if f.Draw.outOfKey(q) {
			if q.InKey && f.Directive.Has("key") {
				p.errorf(p.opt("key"), diag.IgnoresKeyArg, "key names %s, which is never in the key: what is drawn on, and a request, are no values", q.Name)
			}
			q.InKey = false
		}
	}
	if f.Recv != nil {
		f.Recv.InKey = o.Recv == "key" || o.Recv == "identity"
		f.Identity = o.Recv == "identity"
	}
	if f.Session && f.Ctx == nil {
		p.errorf(p.opt("scope"), diag.NeedsContext, "scope=session finds the session in the context, and %s takes none", f.title())
	}
}

// hashes resolves the hash= options, by parameter.
func (p *planner) hashes() map[*Param]*Use {
	f := p.f
	uses := map[*Param]*Use{}
	for _, h := range f.Directive.Options.Hash {
		var q *Param
		switch {
		case h.Param == "ctx" && f.Ctx != nil:
			q = f.Ctx
		case h.Param == "ctx" && p.param("ctx") == nil:
			p.errorf(p.opt("hash"), diag.NeedsContext, "hash=ctx makes a part of the context a key, and %s takes none", f.title())
			continue
		case f.Recv != nil && f.Recv.Name == h.Param:
			q = f.Recv
			if f.Directive.Options.Recv != "key" {
				p.errorf(p.opt("hash"), diag.IgnoresKeyArg, "hash names the receiver %s, which is in the key only with recv=key", h.Param).hint("say recv=key")
				continue
			}
		default:
			q = p.param(h.Param)
		}
		if q == nil {
			p.unknownParam("hash", h.Param)
			continue
		}
		if uses[q] != nil {
			p.errorf(h.Pos, diag.HashedTwice, "hash names %s, and another hash= does already", h.Param)
			continue
		}
		if q != f.Ctx && !q.InKey {
			// hash= of a parameter says that it matters.
			q.InKey = true
		}
		want := "K, where K can be in a key"
		uses[q] = p.use("hash", string(h.Func), []types.Type{q.Type}, want, func(r *types.Tuple) bool { return r.Len() == 1 })
		if uses[q] == nil {
			uses[q] = &Use{} // reported
		}
	}
	return uses
}

// key plans the key.
func (p *planner) key() {
	f := p.f
	uses := p.hashes()
	keys := &keyPlanner{pkg: p.pkg, decls: p.decls}
	if f.Session {
		f.Key.Parts = append(f.Key.Parts, &KeyPart{Plan: &Key{Kind: KeySession, Type: types.Typ[types.String]}})
	}
	add := func(q *Param, what string) {
		part := &KeyPart{Param: q, Hash: uses[q]}
		t, path := q.Type, q.Name
		if path == "" {
			path = what
		}
		if part.Hash != nil {
			if part.Hash.Func == nil {
				return
			}
			sig := part.Hash.Func.Signature()
			if sig.TypeParams().Len() > 0 {
				sig = infer(sig, []types.Type{q.Type})
			}
			t, path = sig.Results().At(0).Type(), part.Hash.Func.Name()+"("+path+")"
			plan, r := keys.plan(t, path)
			if r != nil {
				p.errorf(p.opt("hash"), diag.KeyNotOwn, "%s returns a %s, which cannot be in a key: %s", part.Hash.Func.Name(), typeText(t, p.pkg), r.clause(p.pkg))
				return
			}
			part.Plan = plan
		} else {
			plan, r := keys.plan(t, path)
			if r != nil {
				p.unkeyable(q, what, r)
				return
			}
			part.Plan = plan
		}
		if !Nameable(t, p.pkg) && part.Plan.Kind != KeyAny {
			part.Plan = &Key{Kind: KeyAny, Type: t}
		}
		f.Key.Parts = append(f.Key.Parts, part)
	}
	if f.Recv != nil && f.Recv.InKey {
		if f.Identity {
			p.recvIdentity()
			f.Key.Parts = append(f.Key.Parts, &KeyPart{Param: f.Recv, Plan: &Key{Kind: KeyIdentity, Type: f.Recv.Type}})
		} else {
			add(f.Recv, "the receiver")
		}
	}
	for _, q := range f.Params {
		switch {
		case q == f.Ctx:
			if uses[q] != nil {
				q.InKey = true
				add(q, "the context")
			}
		case q.InKey:
			add(q, "parameter")
		}
	}
	if f.Ctx != nil && f.Ctx.Index < -1 && uses[f.Ctx] != nil {
		f.Ctx.InKey = true
		add(f.Ctx, "the context")
	}
}

// excluded settles, once the key is made, why each parameter is not in it.
func (p *planner) excluded() {
	f := p.f
	for _, part := range f.Key.Parts {
		if part.How = part.Plan.Kind.String(); part.Hash != nil {
			part.How = "function"
		}
	}
	for _, q := range f.All() {
		switch {
		case q.InKey:
		case q == f.Recv:
			q.Why = "recv=" + f.Directive.Options.Recv
		case q == f.Ctx:
			q.Why = "a context never is"
		case q.Name == "":
			q.Why = "it has no name"
		case f.Draw != nil && q == f.Draw.Surface:
			q.Why = "it is drawn on"
		case f.Draw != nil && q == f.Draw.Request:
			q.Why = "the inputs that are read of it are"
		case slices.Contains(f.Directive.Options.Ignore, q.Name):
			q.Why = "ignore="
		case f.Directive.Has("key"):
			q.Why = "key= leaves it out"
		case strings.HasPrefix(q.Name, "_"):
			q.Why = "its name starts with _"
		default:
			q.Why = "a hole"
		}
	}
}

// unkeyable words the refusal of a parameter.
func (p *planner) unkeyable(q *Param, what string, r *Reason) {
	name := q.Name
	if name == "" {
		name = "_"
	}
	if q.Index >= 0 {
		what = "parameter " + name
	} else if q.Name != "" {
		what = "the receiver " + name
	}
	pos := p.at(q.Var.Pos())
	var d draft
	if r.Path == q.Name && types.Identical(r.Type, q.Type) {
		d = p.errorf(pos, diag.Unkeyable, "%s (%s) cannot be in the key: it is %s", what, typeText(q.Type, p.pkg), r.Why)
	} else {
		d = p.errorf(pos, diag.Unkeyable, "%s (%s) cannot be in the key: %s", what, typeText(q.Type, p.pkg), r.clause(p.pkg))
	}
	if r.Why == handles["database/sql.Tx"] { // what it reads is nobody's but its own until it is committed
		d.hint("call a cached function outside of the transaction only: what is read in one may be rolled back, and everybody would go on getting it")
		return
	}
	var ways []string
	if !strings.Contains(r.Path, ".") { // the parameter itself, or its elements
		if way := firstWay(r.Type); way != "" {
			ways = append(ways, way)
		}
	}
	switch {
	case q.Index < 0:
		ways = append(ways, "if it does not matter to the result, say recv=ignore")
		if _, ok := types.Unalias(q.Type).(*types.Pointer); ok {
			ways = append(ways, "for a cache of its own for each instance, recv=identity")
		}
	default:
		ways = append(ways, fmt.Sprintf("if it does not matter to the result, call it _%s or say ignore=%s", name, name))
	}
	ways = append(ways, fmt.Sprintf("or make a key of it with hash=%s:Func", name))
	if n := ownType(q.Type, p.pkg); n != nil && !types.IsInterface(n) {
		ways = append(ways, fmt.Sprintf("or give %s a method CacheKey()", n.Obj().Name()))
	}
	d.hint("%s", strings.Join(ways, "; "))
}

// firstWay says what to do about a type that matters to the result more often than not.
func firstWay(t types.Type) string {
	switch u := t.Underlying().(type) {
	case *types.Signature:
		if isIterator(u) {
			return "take a slice instead, and let the caller collect it"
		}
		return "if it shapes the result, as it does more often than not, annotate a function that does not take it and passes one that it knows"
	case *types.Chan:
		return "take a slice instead, and let the caller receive the values"
	}
	if !isContext(t) && types.IsInterface(t) && reads.IsContext(t) {
		return "take a context.Context instead, which the cache knows what to do with: it is never in the key, and the values that are read of it count"
	}
	if _, param := t.(*types.TypeParam); !param && isReader(t) {
		return "take the bytes instead, and let the caller read them"
	}
	return ""
}

// ownType returns the named type of package pkg that t is or points to, or nil.
func ownType(t types.Type, pkg *types.Package) *types.Named {
	t = types.Unalias(t)
	if ptr, ok := t.(*types.Pointer); ok {
		t = types.Unalias(ptr.Elem())
	}
	n, ok := t.(*types.Named)
	if !ok || n.Obj().Pkg() != pkg {
		return nil
	}
	return n
}

// recvIdentity checks what recv=identity needs.
func (p *planner) recvIdentity() {
	f := p.f
	pos := p.opt("recv")
	ptr, ok := types.Unalias(f.Recv.Type).(*types.Pointer)
	if !ok {
		p.errorf(pos, diag.RecvIdentity, "recv=identity tells instances apart by their address, and the receiver of %s is no pointer", f.title())
		return
	}
	if s, ok := ptr.Elem().Underlying().(*types.Struct); ok && s.NumFields() == 0 {
		p.errorf(pos, diag.RecvIdentity, "%s has no fields, so all its instances may have one address", f.RecvBase.Name()).
			hint("use recv=ignore: such a receiver cannot matter to the result")
		return
	}
	if a, ok := ptr.Elem().Underlying().(*types.Array); ok && a.Len() == 0 {
		p.errorf(pos, diag.RecvIdentity, "%s has size zero, so all its instances may have one address", f.RecvBase.Name()).hint("use recv=ignore: such a receiver cannot matter to the result")
		return
	}
	shared := f.Resource || f.Directive.Options.Copy == "share"
	for _, r := range f.Results {
		path, iface := reaches(r.Type, ptr.Elem(), "result", shared)
		switch {
		case iface:
			p.errorf(pos, diag.IdentityPin, "recv=identity frees the results with the instance, and %s is an interface that *%s has the methods of: it could keep the instance alive", path, f.RecvBase.Name())
			return
		case path != "":
			p.errorf(pos, diag.IdentityPin, "recv=identity frees the results with the instance, and %s is the receiver's type %s: it would keep the instance alive", path, f.RecvBase.Name())
			return
		}
	}
}

// reaches returns the path by which a value of type t can refer to a target, or "". With
// ifaces, interfaces count that a pointer to the target can be in.
func reaches(t, target types.Type, path string, ifaces bool) (at string, iface bool) {
	seen := map[types.Type]bool{}
	var walk func(types.Type, string) string
	walk = func(t types.Type, path string) string {
		t = types.Unalias(t)
		if types.Identical(t, target) {
			return path
		}
		if seen[t] {
			return ""
		}
		seen[t] = true
		switch u := t.Underlying().(type) {
		case *types.Interface:
			if ifaces && types.Implements(types.NewPointer(target), u) {
				iface = true
				return path
			}
		case *types.Pointer:
			return walk(u.Elem(), path)
		case *types.Slice:
			return walk(u.Elem(), path+"[i]")
		case *types.Array:
			return walk(u.Elem(), path+"[i]")
		case *types.Map:
			if s := walk(u.Key(), path+"[key]"); s != "" {
				return s
			}
			return walk(u.Elem(), path+"[key]")
		case *types.Struct:
			for f := range u.Fields() {
				if s := walk(f.Type(), path+"."+f.Name()); s != "" {
					return s
				}
			}
		}
		return ""
	}
	at = walk(t, path)
	return at, iface
}

// results plans how results are copied and weighed.
func (p *planner) results() {
	f, o := p.f, &p.f.Directive.Options
	copies := &copyPlanner{pkg: p.pkg, decls: p.decls}
	sizes := &sizePlanner{pkg: p.pkg, decls: p.decls}
	p.sizes, p.copies = sizes, copies
	var plans []*Copy
	for i, r := range f.Results {
		v := f.Sig.Results().At(i)
		pos := p.at(v.Pos())
		name, path := r.Name, r.Name
		if name == "" {
			name, path = "the result", "result"
			if len(f.Results) > 1 {
				name, path = fmt.Sprintf("result %d", i+1), fmt.Sprintf("result%d", i+1)
			}
		}
		chosen := f.Resource || o.Copy != "" && o.Copy != "auto" // what callers get is said
		if why, always := stream(r.Type); why != "" && (always || !chosen) {
			d := p.errorf(pos, diag.StreamResult, "%s (%s) of %s cannot be kept: it is %s", name, typeText(r.Type, p.pkg), f.title(), why)
			if !always {
				d.hint("return what is read from it, as bytes or a string; or, if callers do not use it up, say copy=share or make it a //cache:resource")
			}
			continue
		}
		if part := immovable(r.Type, path); part != nil {
			p.byValue(pos, name, path, r, part)
			continue
		}
		if f.Opts.MaxBytes > 0 {
			r.Size = sizes.plan(r.Type)
		}
		if chosen {
			continue
		}
		c, reason := copies.plan(r.Type, path)
		if reason != nil {
			p.uncopyable(pos, name, path, r, reason)
			continue
		}
		r.Copy, r.Copied = c, true
		plans = append(plans, c)
	}
	// Settle all results together: they may share parts.
	root := &Copy{Kind: CopyStruct, Type: types.NewStruct(nil, nil)}
	for _, c := range plans {
		root.Fields = append(root.Fields, CopyField{"", c})
	}
	finish(root)
	for _, r := range f.Results {
		if r.Copy != nil && r.Copy.Kind == CopyNone {
			r.Copy = nil
		}
		switch {
		case f.Resource:
			r.How = SharedResource
		case f.Opts.CopyFunc != nil:
			r.How = CopiedByFunc
		case o.Copy == "share":
			r.How = SharedByOption
		case r.Copy == nil:
			r.How = Immutable
		}
	}
}

// uncopyable words the refusal of a result.
func (p *planner) uncopyable(pos token.Position, name, path string, r *Result, reason *Reason) {
	var d draft
	if reason.Path == path {
		d = p.errorf(pos, diag.Uncopyable, "%s (%s) cannot be copied for each caller: it is %s", name, typeText(r.Type, p.pkg), reason.Why)
	} else {
		d = p.errorf(pos, diag.Uncopyable, "%s (%s) cannot be copied for each caller: %s", name, typeText(r.Type, p.pkg), reason.clause(p.pkg))
	}
	var ways []string
	switch u := reason.Type.Underlying().(type) {
	case *types.Chan:
		d.hint("return what is received from it, as a slice")
		return
	case *types.Signature:
		if isIterator(u) {
			d.hint("return what it yields, as a slice")
			return
		}
		ways = append(ways, "if what the function refers to never changes, say copy=share")
	default:
		if isReader(reason.Type) && handles[namedText(reason.Type)] == "" {
			d.hint("return what is read from it, as bytes or a string")
			return
		}
		ways = append(ways, "if no caller changes it, say copy=share")
	}
	resource := "if all callers are to share one value, make it a //cache:resource"
	if handles[namedText(reason.Type)] != "" && reason.Path == path && len(p.f.Results) == 1 {
		d.hint("make it a //cache:resource: all callers share one value, and release= says how it is given back")
		return
	}
	if len(p.f.Results) == 1 {
		ways = append(ways, fmt.Sprintf("or copy=Func with a func(%[1]s) %[1]s", typeText(r.Type, p.pkg)))
	}
	if reason.Hidden != nil {
		if n := ownType(reason.Hidden, p.pkg); n != nil {
			ways = append(ways, fmt.Sprintf("or give %s a method Clone", n.Obj().Name()))
		}
	} else if n := ownType(r.Type, p.pkg); n != nil && !types.IsInterface(n) {
		ways = append(ways, fmt.Sprintf("or give %s a method Clone() %s", n.Obj().Name(), typeText(r.Type, p.pkg)))
	}
	if len(p.f.Results) == 1 {
		ways = append(ways, resource)
	}
	d.hint("%s", strings.Join(ways, "; "))
}

// namedText returns the full name of the named type that t is or points to, or "".
func namedText(t types.Type) string {
	t = types.Unalias(t)
	if ptr, ok := t.(*types.Pointer); ok {
		t = types.Unalias(ptr.Elem())
	}
	if n, ok := t.(*types.Named); ok {
		return fullName(n)
	}
	return ""
}

// byValue words the refusal of a result that each caller would get a bitwise copy of.
func (p *planner) byValue(pos token.Position, name, path string, r *Result, part *Reason) {
	what := "it is " + part.Why
	if part.Path != path {
		what = part.clause(p.pkg)
	}
	d := p.errorf(pos, diag.LockResult, "%s (%s) would be copied for each caller: %s", name, typeText(r.Type, p.pkg), what)
	if ptr := "*" + typeText(r.Type, p.pkg); p.f.Resource || p.f.Directive.Options.Copy == "share" {
		d.hint("return a pointer: %s", ptr)
	} else if len(p.f.Results) == 1 {
		d.hint("make it a //cache:resource that returns a pointer: %s", ptr)
	} else {
		d.hint("return a pointer, %s, and say copy=share", ptr)
	}
}

// stream says why a result is used up by whoever reads it first, "" when it is not, and
// whether that is so whatever callers agree on. What is a reader only by one of its methods,
// as connections and the nodes of some syntax trees are, all callers may share.
func stream(t types.Type) (why string, always bool) {
	const reader = "a reader, whose content is gone once it is read"
	t = types.Unalias(t)
	switch u := t.Underlying().(type) {
	case *types.Chan:
		return "a channel, which hands each value to one receiver only", true
	case *types.Signature:
		if isIterator(u) {
			return "an iterator, which yields its values to whoever runs it", true
		}
	case *types.Interface:
		if _, ok := t.(*types.TypeParam); !ok && hasStreamMethod(t, "Read") {
			return reader, false
		}
	case *types.Pointer:
		if n, ok := types.Unalias(u.Elem()).(*types.Named); ok {
			switch full := fullName(n); full {
			case "net/http.Response", "database/sql.Rows", "database/sql.Row":
				return handles[full], true
			case "bytes.Buffer", "bytes.Reader", "strings.Reader":
				return reader, false
			}
		}
	}
	return "", false
}

// detach settles whether a computation may run apart from its caller, and what the
// miss path copies for it.
func (p *planner) detach() {
	f, o := p.f, &p.f.Directive.Options
	f.Opts.TrackContext = f.Ctx != nil && !o.CtxIgnore
	if f.Draw != nil {
		return // what is drawn on is the caller's
	}
	apart := f.Ctx != nil && !o.DetachOff
	if !apart && o.Stale == 0 {
		return
	}
	copies := &copyPlanner{pkg: p.pkg, decls: p.decls}
	p.argCopies = copies
	all := f.All()
	root := &Copy{Kind: CopyStruct, Type: types.NewStruct(nil, nil)}
	for _, q := range all {
		if q == f.Ctx || isContext(q.Type) || q.Index < 0 && !(q.InKey && !f.Identity) {
			continue
		}
		if !q.InKey {
			// What is ignored is shared on purpose, a handle for the most part.
			continue
		}
		c, r := copies.plan(q.Type, q.Name)
		if r != nil {
			apart = false
			if o.Stale > 0 {
				p.errorf(p.opt("stale"), diag.StaleBorrows, "stale= runs %s after its caller has gone, and %s cannot be copied for it: %s", f.title(), orBlank(q.Name), r.clause(p.pkg))
			}
			continue
		}
		q.Args, q.Apart = c, true
		root.Fields = append(root.Fields, CopyField{"", c})
	}
	finish(root)
	for _, q := range all {
		q.Apart = q.Apart && (apart || o.Stale > 0)
		if !q.Apart || q.Args.Kind == CopyNone {
			q.Args = nil
		}
	}
	f.Opts.Detach = apart
}

// lent finds the parts of the key that the body could change for its caller. What hash= makes
// of a parameter is not compared: it may be something that changes by itself.
func (p *planner) lent() {
	copies := &copyPlanner{pkg: p.pkg, decls: p.decls}
	for _, part := range p.f.Key.Parts {
		q := part.Param
		if q == nil || part.Hash != nil || q.Args != nil || part.Plan.Kind == KeyIdentity {
			continue
		}
		c, r := copies.plan(q.Type, q.Name)
		part.Lent = r != nil || finish(c) != nil
	}
}

// layout settles how the generated code is kept from walking values of types that have
// changed.
func (p *planner) layout() {
	f := p.f
	l := &layouts{declarations: p.decls, sizes: p.sizes}
	for _, part := range f.Key.Parts {
		if part.Param == nil || part.Plan.Kind == KeyIdentity {
			continue
		}
		t := part.Param.Type
		if part.Hash != nil {
			sig := part.Hash.Func.Signature()
			if sig.TypeParams().Len() > 0 {
				sig = infer(sig, []types.Type{t})
			}
			t = sig.Results().At(0).Type()
		}
		plan := part.Plan
		for plan.Kind == KeyOwn {
			plan = plan.Elem
		}
		if Nameable(t, p.pkg) {
			part.Root = l.root(t, forKey, plan.Kind.Exact())
			part.Lent = part.Lent || part.Root != nil && part.Hash == nil && !part.Param.Apart
		}
	}
	for _, r := range f.Results {
		switch {
		case r.Copied:
			l.copies = p.copies
			r.Root = l.root(r.Type, forCopy, false)
		case r.Size != nil:
			l.root(r.Type, forSize, false)
		}
	}
	for _, q := range f.All() {
		if q.Apart {
			l.copies = p.argCopies
			q.Root = l.root(q.Type, forCopy, false)
		}
	}
	f.Layout = l.l
}

// docOf rewrites the function's doc comment for the wrapper.
func docOf(f *Func) []string {
	var lines []string
	if f.Decl.Doc != nil {
		text := f.Decl.Doc.Text() // without directives
		for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
			lines = append(lines, line)
		}
	}
	if len(lines) == 1 && lines[0] == "" {
		lines = nil
	}
	if len(lines) > 0 {
		if rest, ok := strings.CutPrefix(lines[0], f.Name); ok && (rest == "" || !isIdentByte(rest[0])) {
			lines[0] = f.Wrapper + rest
		}
	} else {
		return []string{fmt.Sprintf("%s is %s, cached; see [%s].", f.Wrapper, f.Name, f.Handle)}
	}
	note := fmt.Sprintf("Its results are cached; see [%s].", f.Handle)
	// The note goes before a deprecation, which must stay the last paragraph to be seen
	// as one by tools that read paragraphs from the end.
	for i, l := range lines {
		if strings.HasPrefix(l, "Deprecated:") && (i == 0 || lines[i-1] == "") {
			return append(append(append([]string{}, lines[:i]...), note, ""), lines[i:]...)
		}
	}
	return append(lines, "", note)
}

func isIdentByte(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
}

package reads

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/cachegen/cachegen/generator/diag"
)

// Contexts that a body has beside the one that the cache gives it, and what it asks of that
// one that only the caller's has.

// HiddenContexts looks for contexts and requests that fn gets out of the parameters, or the
// receiver, whose names are declared at the given places, none of which is in the key. It
// says where fn, or a function of its package that it hands them to, reads one (an error),
// and where it hands one to code that may read it (a warning). It says nothing of a context
// that nobody reads.
func (s *Source) HiddenContexts(fn *ast.FuncDecl, ignored []token.Pos) []diag.Diagnostic {
	h := &hidden{trail: s.trail(fn, ignored, true), seen: map[types.Type]bool{}}
	for _, d := range h.order {
		h.look(d, h.use)
	}
	return diag.Sort(h.diags)
}

// AssertedContexts warns of the places where fn, or a function of its package that it hands
// its context to, asks for the dynamic type of the context. The names of the parameters that
// are the context, or the request that has it, are declared at the given places.
func (s *Source) AssertedContexts(fn *ast.FuncDecl, contexts []token.Pos) []diag.Diagnostic {
	t := s.trail(fn, contexts, false)
	for _, d := range t.order {
		t.look(d, t.asserted)
	}
	return diag.Sort(t.diags)
}

// trail follows values from parameters of one function through its variables, and through
// the functions of the package that it hands them to.
type trail struct {
	*Source
	root    *ast.FuncDecl
	parts   bool                     // what is inside of a value is followed too, and what its methods give
	held    map[types.Object]*origin // variables that may hold what is followed
	gives   map[ast.Node]*origin     // functions, by declaration or literal, that return it
	lits    map[types.Object]*ast.FuncLit
	order   []*ast.FuncDecl // in the order in which they were reached
	calls   map[*ast.FuncDecl]reachedBy
	parents map[ast.Node]ast.Node
	grown   bool
	diags   []diag.Diagnostic
}

// origin is a parameter of the root.
type origin struct{ name string }

// reachedBy is the call by which a function was reached first.
type reachedBy struct {
	caller *ast.FuncDecl
	call   *ast.CallExpr
}

func (s *Source) trail(fn *ast.FuncDecl, from []token.Pos, parts bool) *trail {
	s.index()
	t := &trail{
		Source: s, root: fn, parts: parts,
		held: map[types.Object]*origin{}, gives: map[ast.Node]*origin{}, lits: map[types.Object]*ast.FuncLit{},
		calls: map[*ast.FuncDecl]reachedBy{}, parents: map[ast.Node]ast.Node{},
	}
	for _, l := range []*ast.FieldList{fn.Recv, fn.Type.Params} {
		for id := range paramNames(l) {
			if slices.Contains(from, id.Pos()) {
				if v := s.Info.Defs[id]; v != nil {
					t.held[v] = &origin{id.Name}
				}
			}
		}
	}
	if len(t.held) == 0 || fn.Body == nil {
		return t
	}
	t.reach(fn)
	for t.grown = true; t.grown; {
		t.grown = false
		for i := 0; i < len(t.order); i++ { // grows while it is read
			d := t.order[i]
			ast.Inspect(d.Body, func(n ast.Node) bool { t.step(d, n); return true })
		}
	}
	return t
}

// paramNames yields the names of a parameter list.
func paramNames(l *ast.FieldList) func(func(*ast.Ident) bool) {
	return func(yield func(*ast.Ident) bool) {
		if l == nil {
			return
		}
		for _, f := range l.List {
			for _, id := range f.Names {
				if !yield(id) {
					return
				}
			}
		}
	}
}

func (t *trail) reach(d *ast.FuncDecl) {
	if slices.Contains(t.order, d) {
		return
	}
	t.order, t.grown = append(t.order, d), true
	parentsOf(d, t.parents)
}

// parentsOf adds the parent of every node below root.
func parentsOf(root ast.Node, parents map[ast.Node]ast.Node) {
	var stack []ast.Node
	ast.Inspect(root, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		if len(stack) > 0 {
			parents[n] = stack[len(stack)-1]
		}
		stack = append(stack, n)
		return true
	})
}

// step follows what one node does with the values.
func (t *trail) step(d *ast.FuncDecl, n ast.Node) {
	switch n := n.(type) {
	case *ast.AssignStmt:
		t.assign(n.Lhs, n.Rhs)
	case *ast.ValueSpec:
		var names []ast.Expr
		for _, id := range n.Names {
			names = append(names, id)
		}
		t.assign(names, n.Values)
	case *ast.RangeStmt:
		if o := t.eval(n.X); o != nil && t.parts {
			t.hold(n.Key, o)
			t.hold(n.Value, o)
		}
	case *ast.TypeSwitchStmt:
		if a, ok := n.Assign.(*ast.AssignStmt); ok {
			if o := t.eval(a.Rhs[0]); o != nil {
				for _, c := range n.Body.List {
					t.mark(t.Info.Implicits[c], o)
				}
			}
		}
	case *ast.ReturnStmt:
		fn := t.enclosing(n)
		for _, e := range n.Results {
			t.give(fn, t.eval(e))
		}
		if len(n.Results) == 0 {
			for id := range paramNames(resultsOf(fn)) {
				t.give(fn, t.held[t.Info.Defs[id]])
			}
		}
	case *ast.CallExpr:
		t.bind(d, n)
	}
}

func (t *trail) assign(to, from []ast.Expr) {
	for i, e := range from {
		if lit, ok := ast.Unparen(e).(*ast.FuncLit); ok && len(to) == len(from) {
			if id, ok := to[i].(*ast.Ident); ok {
				if v := t.Info.ObjectOf(id); v != nil && t.lits[v] == nil {
					t.lits[v], t.grown = lit, true
				}
			}
		}
		o := t.eval(e)
		switch {
		case o == nil:
		case len(to) == len(from):
			t.hold(to[i], o)
		default: // several results, or a value and whether there is one
			for _, x := range to {
				t.hold(x, o)
			}
		}
	}
}

// hold notes that the variable that an expression is, or is a part of, may hold a value.
func (t *trail) hold(e ast.Expr, o *origin) {
	for e != nil {
		switch x := e.(type) {
		case *ast.Ident:
			if v, ok := t.Info.ObjectOf(x).(*types.Var); ok && v.Parent() != t.Types.Scope() {
				t.mark(v, o)
			}
			return
		case *ast.ParenExpr:
			e = x.X
			continue
		}
		if !t.parts {
			return
		}
		switch x := e.(type) {
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		default:
			return
		}
	}
}

func (t *trail) mark(v types.Object, o *origin) {
	if v != nil && o != nil && t.held[v] == nil {
		t.held[v], t.grown = o, true
	}
}

func (t *trail) give(fn ast.Node, o *origin) {
	if fn != nil && o != nil && t.gives[fn] == nil {
		t.gives[fn], t.grown = o, true
	}
}

// enclosing returns the function, by declaration or literal, that a statement is of.
func (t *trail) enclosing(n ast.Node) ast.Node {
	for n = t.parents[n]; n != nil; n = t.parents[n] {
		switch n.(type) {
		case *ast.FuncLit, *ast.FuncDecl:
			return n
		}
	}
	return nil
}

func resultsOf(fn ast.Node) *ast.FieldList {
	switch fn := fn.(type) {
	case *ast.FuncLit:
		return fn.Type.Results
	case *ast.FuncDecl:
		return fn.Type.Results
	}
	return nil
}

// runs returns the function of this package that a call runs, nil if that is not known.
func (t *trail) runs(call *ast.CallExpr) (fn ast.Node, params *ast.FieldList) {
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.FuncLit:
		return fun, fun.Type.Params
	case *ast.Ident:
		if lit := t.lits[t.Info.ObjectOf(fun)]; lit != nil {
			return lit, lit.Type.Params
		}
	}
	if d := t.callee(call); d != nil && d.Body != nil {
		return d, d.Type.Params
	}
	return nil, nil
}

// bind follows arguments and the receiver into the function that a call runs.
func (t *trail) bind(caller *ast.FuncDecl, call *ast.CallExpr) {
	fn, params := t.runs(call)
	if fn == nil {
		return
	}
	var names []*ast.Ident
	for _, f := range params.List {
		if len(f.Names) == 0 {
			names = append(names, nil)
		}
		names = append(names, f.Names...)
	}
	found := false
	into := func(id *ast.Ident, o *origin) {
		if o == nil {
			return
		}
		found = true
		if id != nil {
			t.mark(t.Info.Defs[id], o)
		}
	}
	for i, a := range call.Args {
		if len(names) > 0 {
			into(names[min(i, len(names)-1)], t.eval(a))
		}
	}
	d, ok := fn.(*ast.FuncDecl)
	if !ok {
		return
	}
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && d.Recv != nil && t.parts {
		o := t.eval(sel.X)
		found = found || o != nil
		for id := range paramNames(d.Recv) {
			into(id, o)
		}
	}
	if found {
		if _, known := t.calls[d]; !known && d != t.root {
			t.calls[d] = reachedBy{caller, call}
		}
		t.reach(d)
	}
}

// eval returns the origin of what an expression may hold, nil if it holds nothing of what is
// followed.
func (t *trail) eval(e ast.Expr) *origin {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return t.eval(e.X)
	case *ast.Ident:
		return t.held[t.Info.ObjectOf(e)]
	case *ast.TypeAssertExpr:
		return t.eval(e.X)
	case *ast.CallExpr:
		return t.result(e)
	}
	if !t.parts {
		return nil
	}
	switch e := e.(type) {
	case *ast.SelectorExpr:
		if sel := t.Info.Selections[e]; sel != nil && sel.Kind() == types.FieldVal {
			return t.eval(e.X)
		}
	case *ast.IndexExpr:
		return t.eval(e.X)
	case *ast.SliceExpr:
		return t.eval(e.X)
	case *ast.StarExpr:
		return t.eval(e.X)
	case *ast.UnaryExpr:
		if e.Op == token.AND || e.Op == token.ARROW {
			return t.eval(e.X)
		}
	case *ast.KeyValueExpr:
		return t.eval(e.Value)
	case *ast.CompositeLit:
		return t.first(e.Elts)
	}
	return nil
}

func (t *trail) first(es []ast.Expr) *origin {
	for _, e := range es {
		if o := t.eval(e); o != nil {
			return o
		}
	}
	return nil
}

// result is eval for a call.
func (t *trail) result(call *ast.CallExpr) *origin {
	if tv, ok := t.Info.Types[call.Fun]; ok {
		switch {
		case tv.IsType() && len(call.Args) == 1:
			return t.eval(call.Args[0])
		case tv.IsBuiltin():
			if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok && id.Name == "append" && t.parts {
				return t.first(call.Args)
			}
			return nil
		}
	}
	if fn, _ := t.runs(call); fn != nil {
		return t.gives[fn]
	}
	if t.parts && t.ofContext(call) {
		return t.first(call.Args)
	}
	// What says, without being told anything, what it has: r.Context(), c.Request().
	if len(call.Args) > 0 || !contextual(t.typeOf(call)) {
		return nil
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	switch {
	case ok && (t.parts || IsRequest(t.typeOf(sel.X))):
		return t.eval(sel.X)
	case !ok && t.parts:
		return t.eval(call.Fun)
	}
	return nil
}

// ofContext reports whether a call is of a function of package context, whose results hold
// the context that it is given.
func (t *trail) ofContext(call *ast.CallExpr) bool {
	fn := t.called(call)
	return fn != nil && fn.Pkg() != nil && fn.Pkg().Path() == "context" && fn.Signature().Recv() == nil
}

// look calls do for every expression of a function that may hold what is followed.
func (t *trail) look(d *ast.FuncDecl, do func(e ast.Expr, o *origin)) {
	ast.Inspect(d.Body, func(n ast.Node) bool {
		if e, ok := n.(ast.Expr); ok {
			if _, paren := e.(*ast.ParenExpr); !paren && t.isValue(e) {
				if o := t.eval(e); o != nil {
					do(e, o)
				}
			}
		}
		return true
	})
}

// isValue reports whether e is no name that declares a variable, or is set.
func (t *trail) isValue(e ast.Expr) bool {
	if id, ok := e.(*ast.Ident); ok && t.Info.Uses[id] == nil {
		return false
	}
	p, child := aboveIn(t.parents, e)
	a, ok := p.(*ast.AssignStmt)
	return !ok || !slices.Contains(a.Lhs, child)
}

// report adds a diagnostic, and the calls that lead to its place.
func (t *trail) report(d diag.Diagnostic, at ast.Node) {
	t.diags = append(t.diags, pathTo(d, t.Source, t.root, functionOf(t.parents, at), t.calls))
}

// functionOf returns the declared function that a node is in.
func functionOf(parents map[ast.Node]ast.Node, n ast.Node) *ast.FuncDecl {
	for ; n != nil; n = parents[n] {
		if d, ok := n.(*ast.FuncDecl); ok {
			return d
		}
	}
	return nil
}

// pathTo adds to a diagnostic about a place in function d the calls that lead there from
// root, the first one first.
func pathTo(found diag.Diagnostic, s *Source, root, d *ast.FuncDecl, calls map[*ast.FuncDecl]reachedBy) diag.Diagnostic {
	var path []reachedBy
	var names []string
	for d != root && d != nil {
		by, ok := calls[d]
		if !ok || len(path) > len(calls) {
			break
		}
		path, names = append(path, by), append(names, d.Name.Name)
		d = by.caller
	}
	for i := len(path) - 1; i >= 0; i-- {
		who := path[i].caller.Name.Name
		if path[i].caller == root {
			who += ", which is to be cached,"
		}
		found = found.WithRelated(s.Fset.PositionFor(path[i].call.Pos(), false), "%s calls %s here", who, names[i])
	}
	return found
}

// asserted looks at one use of the context that the cache gives.
func (t *trail) asserted(e ast.Expr, _ *origin) {
	a, ok := e.(*ast.TypeAssertExpr)
	if !ok || !contextual(t.typeOf(a.X)) && !types.IsInterface(t.typeOf(a.X)) {
		return
	}
	ask := func(to ast.Expr) {
		typ := t.typeOf(to)
		if typ == types.Typ[types.Invalid] || typ == types.Typ[types.UntypedNil] || plainContext(typ) {
			return
		}
		t.report(diag.Warnf(t.Fset.PositionFor(to.Pos(), false), diag.AssertedContext,
			"%s is asserted to be %s and never is: a cached function is given a context of the cache's own",
			types.ExprString(a.X), types.ExprString(to)), a)
	}
	if a.Type != nil {
		ask(a.Type)
		return
	}
	for n := t.parents[a]; n != nil; n = t.parents[n] {
		if s, ok := n.(*ast.TypeSwitchStmt); ok {
			for _, c := range s.Body.List {
				for _, to := range c.(*ast.CaseClause).List {
					ask(to)
				}
			}
			return
		}
	}
}

// plainContext reports whether t is an interface that every context has the methods of.
func plainContext(t types.Type) bool {
	i, ok := t.Underlying().(*types.Interface)
	if !ok {
		return false
	}
	for m := range i.Methods() {
		if !slices.Contains([]string{"Deadline", "Done", "Err", "Value"}, m.Name()) {
			return false
		}
	}
	return true
}

// hidden finds the uses of contexts that are not in the key.
type hidden struct {
	*trail
	seen map[types.Type]bool
}

// use looks at one use of what came with an ignored parameter.
func (h *hidden) use(e ast.Expr, o *origin) {
	t := h.typeOf(e)
	isContext := contextual(t)
	if !isContext && !ReachesContext(t, h.Types) {
		return
	}
	p, child := aboveIn(h.parents, e)
	switch p := p.(type) {
	case *ast.SelectorExpr:
		if p.X == child {
			h.selected(p, t, o)
		}
	case *ast.CallExpr:
		if slices.Contains(p.Args, child) {
			h.handed(p, e, o)
		}
	case *ast.AssignStmt:
		if i := slices.Index(p.Rhs, child); i >= 0 && len(p.Lhs) == len(p.Rhs) && h.outlives(p.Lhs[i]) {
			h.warn(e, o, "is stored in %s, where others may read it", types.ExprString(p.Lhs[i]))
		}
	case *ast.SendStmt:
		if p.Value == child {
			h.warn(e, o, "is sent on a channel, and its receiver may read it")
		}
	}
}

// selected looks at a field or method of a value that is a context or a request, or holds one.
func (h *hidden) selected(sel *ast.SelectorExpr, t types.Type, o *origin) {
	s := h.Info.Selections[sel]
	if s == nil || h.eval(sel) != nil && (h.own(t) || contextual(h.typeOf(sel))) {
		return // a field that is followed
	}
	p, child := aboveIn(h.parents, sel)
	call, called := p.(*ast.CallExpr)
	called = called && call.Fun == child
	if called && h.eval(call) != nil && contextual(h.typeOf(call)) {
		return // what has the context gives it
	}
	if called {
		if fn, _ := h.runs(call); fn != nil {
			return // its receiver is followed
		}
	}
	if !contextual(t) {
		if s.Kind() == types.MethodVal && !types.IsInterface(t) {
			h.warn(sel.X, o, "has the method %s called, which may read it", sel.Sel.Name)
		}
		return
	}
	if !IsRequest(t) && slices.Contains([]string{"Deadline", "Done", "Err"}, sel.Sel.Name) {
		return // how long it lasts is no value
	}
	h.reads(sel, sel, t, o)
}

// handed looks at a value that a call is handed.
func (h *hidden) handed(call *ast.CallExpr, e ast.Expr, o *origin) {
	if tv, ok := h.Info.Types[call.Fun]; ok && (tv.IsType() || tv.IsBuiltin()) || h.ofContext(call) {
		return
	}
	if fn, _ := h.runs(call); fn != nil {
		return // its parameter is followed
	}
	if fn := h.called(call); fn != nil && contextReaders[fn.FullName()] {
		h.reads(call, call.Fun, h.typeOf(e), o)
		return
	}
	h.warn(e, o, "is handed to %s, which may read it", types.ExprString(call.Fun))
}

// contextReaders are functions of the cache that tell who asks.
var contextReaders = map[string]bool{
	cachePath + ".SessionOf": true, cachePath + ".Input": true, cachePath + ".InputValues": true, cachePath + ".InputFiles": true,
}

// reads reports that what is called, or selected, at a place reads a context or a request.
func (h *hidden) reads(at ast.Node, what ast.Expr, of types.Type, o *origin) {
	h.report(h.wayOut(diag.Errorf(h.Fset.PositionFor(at.Pos(), false), diag.HiddenContext,
		"%s reads %s that the key does not know: it comes with %s, which is ignored",
		types.ExprString(what), noun(of), o.name), of), at)
}

// wayOut gives a diagnostic about a request its own hint.
func (h *hidden) wayOut(d diag.Diagnostic, t types.Type) diag.Diagnostic {
	if noun(t) == aRequest {
		return d.WithHint("take the *http.Request as a parameter of its own, so that what is read of it counts; or pass what is read of it as an argument; or, if it does not matter to the result, say ctx=ignore")
	}
	return d
}

func (h *hidden) warn(e ast.Expr, o *origin, format string, args ...any) {
	var what string
	if contextual(h.typeOf(e)) {
		what = types.ExprString(e) + ", " + noun(h.typeOf(e)) + " that the key does not know, "
	} else {
		what = types.ExprString(e) + ", which holds a context that the key does not know, "
	}
	d := diag.Warnf(h.Fset.PositionFor(e.Pos(), false), diag.HiddenContext, what+format, args...)
	d.Message += ": it comes with " + o.name + ", which is ignored"
	h.report(h.wayOut(d, h.typeOf(e)), e)
}

// outlives reports whether an expression that is assigned to is, or is a part of, a variable
// of a package.
func (h *hidden) outlives(e ast.Expr) bool {
	for {
		switch x := e.(type) {
		case *ast.ParenExpr:
			e = x.X
		case *ast.SelectorExpr:
			if v, ok := h.Info.Uses[x.Sel].(*types.Var); ok && !v.IsField() {
				return true
			}
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.Ident:
			v, ok := h.Info.ObjectOf(x).(*types.Var)
			return ok && v.Parent() == h.Types.Scope()
		default:
			return false
		}
	}
}

// own reports whether t is declared in this package, or has no name.
func (h *hidden) own(t types.Type) bool {
	t = types.Unalias(t)
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	n, ok := t.(*types.Named)
	return !ok || n.Obj().Pkg() == h.Types
}

// noun is what a value of a contextual type is.
func noun(t types.Type) string {
	if IsRequest(t) || isNamed(t, "net/http", "Request") {
		return aRequest
	}
	return "a context"
}

const aRequest = "a request"

// contextual reports whether values of t are contexts or requests.
func contextual(t types.Type) bool {
	return IsContext(t) || IsRequest(t) || isNamed(t, "net/http", "Request")
}

// IsContext reports whether values of t, or what a variable of type t has the address of, have
// the methods of a context.
func IsContext(t types.Type) bool {
	for _, m := range []string{"Deadline", "Done", "Err", "Value"} {
		obj, _, _ := types.LookupFieldOrMethod(t, true, nil, m)
		f, ok := obj.(*types.Func)
		if !ok {
			return false
		}
		in, out := f.Signature().Params(), f.Signature().Results()
		switch m {
		case "Deadline":
			ok = in.Len() == 0 && out.Len() == 2 && isNamed(out.At(0).Type(), "time", "Time")
		case "Value":
			ok = in.Len() == 1 && out.Len() == 1 && types.IsInterface(in.At(0).Type()) && types.IsInterface(out.At(0).Type())
		case "Done":
			_, channel := types.Unalias(firstOf(out)).(*types.Chan)
			ok = in.Len() == 0 && channel
		default:
			ok = in.Len() == 0 && out.Len() == 1
		}
		if !ok {
			return false
		}
	}
	return true
}

// firstOf returns the type of the only variable of a tuple.
func firstOf(vars *types.Tuple) types.Type {
	if vars.Len() != 1 {
		return types.Typ[types.Invalid]
	}
	return vars.At(0).Type()
}

// ReachesContext reports whether code of package from can get at a context or a request
// through a value of type t: by its fields and elements, or by a method or function that
// takes nothing and returns one.
func ReachesContext(t types.Type, from *types.Package) bool {
	return reachesContext(t, from, map[types.Type]bool{})
}

func reachesContext(t types.Type, from *types.Package, seen map[types.Type]bool) bool {
	t = types.Unalias(t)
	if seen[t] {
		return false
	}
	seen[t] = true
	if contextual(t) || givesContext(t, from) {
		return true
	}
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		return reachesContext(u.Elem(), from, seen)
	case *types.Slice:
		return reachesContext(u.Elem(), from, seen)
	case *types.Array:
		return reachesContext(u.Elem(), from, seen)
	case *types.Chan:
		return reachesContext(u.Elem(), from, seen)
	case *types.Map:
		return reachesContext(u.Key(), from, seen) || reachesContext(u.Elem(), from, seen)
	case *types.Signature:
		return u.Params().Len() == 0 && u.Results().Len() == 1 && contextual(u.Results().At(0).Type())
	case *types.Struct:
		for f := range u.Fields() {
			if (f.Exported() || f.Pkg() == from) && reachesContext(f.Type(), from, seen) {
				return true
			}
		}
	}
	return false
}

// givesContext reports whether a named type or interface has a method that takes nothing and
// returns a context or a request.
func givesContext(t types.Type, from *types.Package) bool {
	if _, ok := t.(*types.Named); !ok && !types.IsInterface(t) {
		return false
	}
	of := t
	if !types.IsInterface(t) {
		of = types.NewPointer(t)
	}
	for sel := range types.NewMethodSet(of).Methods() {
		f, ok := sel.Obj().(*types.Func)
		if !ok || !f.Exported() && f.Pkg() != from || f.Pkg() == from && !types.IsInterface(t) {
			continue // what a method of this package gives is read in its body
		}
		sig := f.Signature()
		if sig.Params().Len() == 0 && sig.Results().Len() == 1 && contextual(sig.Results().At(0).Type()) {
			return true
		}
	}
	return false
}

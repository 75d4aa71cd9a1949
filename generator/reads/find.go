package reads

import (
	"go/ast"
	"go/token"
	"go/types"
	"iter"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/generator/diag"
)

func fieldsSeq(s string) iter.Seq[string] { return strings.FieldsSeq(s) }

// Find returns what fn reads of its *http.Request parameters, and a diagnostic for every use
// that keeps it from knowing. surface says of a type whether values of it are drawn to; nil
// means none is. Diagnostics are sorted; with any of them, Found is not to be used.
func (s *Source) Find(fn *ast.FuncDecl, surface func(types.Type) bool) (*Found, []diag.Diagnostic) {
	s.index()
	if surface == nil {
		surface = func(types.Type) bool { return false }
	}
	f := &finder{
		Source:  s,
		root:    fn,
		surface: surface,
		reached: map[*ast.FuncDecl]bool{},
		parents: map[ast.Node]ast.Node{},
		kindOf:  map[*types.Var]kinds{},
		sources: map[*types.Var][]source{},
		uses:    map[*types.Var][]*ast.Ident{},
		guards:  map[token.Pos]ast.Expr{},
		asserts: map[*types.Var]ast.Expr{},
		parts:   map[*types.Var][]ast.Expr{},
		bound:   map[*ast.CallExpr]bool{},
		closed:  map[*ast.FuncLit]bool{},
		results: map[*types.Var]bool{},
		isParam: map[*types.Var]bool{},
		told:    map[ast.Node]bool{},

		calledBy: map[*ast.FuncDecl]reachedBy{},
		found:    &Found{At: map[Input]token.Position{}},
	}
	f.reach(fn)
	for _, p := range f.params(fn.Recv, fn.Type.Params) {
		f.add(p, source{flow: opaque})
		switch {
		case IsRequest(p.Type()):
			f.kindOf[p] |= kRequest
		case surface(p.Type()):
			f.kindOf[p] |= kSurface
			if f.drawn == nil {
				f.drawn = p.Type()
			}
		}
	}
	f.flow()
	for _, d := range f.order {
		f.check(d)
	}
	f.found.Inputs = sortedInputs(f.found.At)
	slices.SortFunc(f.found.Traced, comparePositions)
	slices.SortFunc(f.found.Contexts, comparePositions)
	for i, d := range f.diags {
		f.diags[i] = pathTo(d, s, f.root, f.declaredAround(d.Pos), f.calledBy)
	}
	return f.found, diag.Sort(f.diags)
}

// declaredAround returns the followed function that a position is in, or nil.
func (f *finder) declaredAround(pos token.Position) *ast.FuncDecl {
	for _, d := range f.order {
		from, to := f.pos(d), f.Fset.PositionFor(d.End(), false)
		if pos.Filename == from.Filename && from.Offset <= pos.Offset && pos.Offset < to.Offset {
			return d
		}
	}
	return nil
}

// source is one place that a variable gets a value from.
type source struct {
	flow flowKind
	expr ast.Expr // nil for opaque
}

type flowKind int

const (
	direct flowKind = iota // the value of expr
	elem                   // one of the elements of expr
	zero                   // the zero value
	opaque                 // not known
)

// finder is the work of one Find.
type finder struct {
	*Source
	root    *ast.FuncDecl
	surface func(types.Type) bool

	reached map[*ast.FuncDecl]bool
	order   []*ast.FuncDecl // reached functions, in the order they were reached
	calls   []*ast.CallExpr // of the bodies of order
	// The call by which a function was reached first.
	calledBy map[*ast.FuncDecl]reachedBy
	parents  map[ast.Node]ast.Node
	kindOf   map[*types.Var]kinds
	sources  map[*types.Var][]source // of local variables, parameters included
	uses     map[*types.Var][]*ast.Ident
	vars     []*types.Var              // keys of sources, in order of appearance
	drawn    types.Type                // what the annotated function draws to; nil: nothing
	guards   map[token.Pos]ast.Expr    // of type switches: what the variable that is declared there holds
	asserts  map[*types.Var]ast.Expr   // of a variable that holds what another value was asserted to be: that value
	parts    map[*types.Var][]ast.Expr // values assigned to fields of a variable, and calls of which it is one result of several
	bound    map[*ast.CallExpr]bool
	closed   map[*ast.FuncLit]bool // all calls of it are known
	results  map[*types.Var]bool   // result variables
	isParam  map[*types.Var]bool
	parsed   bool // something that is followed fills the form

	found *Found
	diags []diag.Diagnostic
	told  map[ast.Node]bool
}

// params returns the named variables of the lists.
func (f *finder) params(lists ...*ast.FieldList) []*types.Var {
	var vs []*types.Var
	for _, l := range lists {
		if l == nil {
			continue
		}
		for _, field := range l.List {
			for _, n := range field.Names {
				if v, ok := f.Info.Defs[n].(*types.Var); ok {
					vs = append(vs, v)
				}
			}
		}
	}
	return vs
}

// reach takes the body of d into what is followed.
func (f *finder) reach(d *ast.FuncDecl) {
	if f.reached[d] {
		return
	}
	f.reached[d] = true
	f.order = append(f.order, d)
	if d.Body == nil {
		return
	}
	f.signature(d.Type)
	parentsOf(d, f.parents)
	ast.Inspect(d, func(n ast.Node) bool { f.collect(n); return true })
}

// signature notes the variables that a function type declares.
func (f *finder) signature(t *ast.FuncType) {
	for _, v := range f.params(t.Params) {
		f.isParam[v] = true
	}
	for _, v := range f.params(t.Results) {
		f.results[v] = true
		f.add(v, source{flow: zero})
	}
}

// collect notes what one node says about variables and calls.
func (f *finder) collect(n ast.Node) {
	switch n := n.(type) {
	case *ast.Ident:
		if v, ok := f.Info.Uses[n].(*types.Var); ok {
			f.uses[v] = append(f.uses[v], n)
			if x := f.guards[v.Pos()]; x != nil {
				f.asserts[v] = x
			}
		}
	case *ast.TypeSwitchStmt:
		if a, ok := n.Assign.(*ast.AssignStmt); ok && len(a.Lhs) == 1 && len(a.Rhs) == 1 {
			if x, ok := ast.Unparen(a.Rhs[0]).(*ast.TypeAssertExpr); ok {
				f.guards[a.Lhs[0].Pos()] = x.X
			}
		}
	case *ast.CallExpr:
		f.calls = append(f.calls, n)
		if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok && parses[sel.Sel.Name] {
			f.parsed = true
		}
	case *ast.FuncLit:
		f.signature(n.Type)
	case *ast.AssignStmt:
		for i, l := range n.Lhs {
			switch {
			case n.Tok != token.ASSIGN && n.Tok != token.DEFINE || len(n.Lhs) != len(n.Rhs):
				f.source(l, source{flow: opaque})
				if len(n.Rhs) == 1 {
					f.part(l, n.Rhs[0])
				}
				if x, ok := ast.Unparen(n.Rhs[0]).(*ast.TypeAssertExpr); ok && i == 0 {
					if v := f.localOf(l); v != nil {
						f.asserts[v] = x.X
					}
				}
			default:
				f.source(l, source{direct, n.Rhs[i]})
				if sel, ok := ast.Unparen(l).(*ast.SelectorExpr); ok {
					f.part(sel.X, n.Rhs[i])
				}
			}
		}
	case *ast.ValueSpec:
		for i, l := range n.Names {
			switch {
			case len(n.Values) == len(n.Names):
				f.source(l, source{direct, n.Values[i]})
			case len(n.Values) > 0:
				f.source(l, source{flow: opaque})
			default:
				f.source(l, source{flow: zero})
			}
		}
	case *ast.RangeStmt:
		f.source(n.Key, source{flow: opaque})
		f.source(n.Value, source{elem, n.X})
	case *ast.IncDecStmt:
		f.source(n.X, source{flow: opaque})
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			f.source(n.X, source{flow: opaque})
		}
	}
}

// part notes that e has become a part of the variable that x names, if it names one.
func (f *finder) part(x, e ast.Expr) {
	if v := f.localOf(x); v != nil {
		f.parts[v] = append(f.parts[v], ast.Unparen(e))
	}
}

// localOf returns the local variable that e names, or nil.
func (f *finder) localOf(e ast.Expr) *types.Var {
	if id, ok := ast.Unparen(e).(*ast.Ident); ok {
		return f.local(id)
	}
	return nil
}

// parses are the methods that fill r.Form.
var parses = map[string]bool{"ParseForm": true, "ParseMultipartForm": true, "FormValue": true, "PostFormValue": true, "FormFile": true}

// source adds a source of the variable that e names, if it names one.
func (f *finder) source(e ast.Expr, s source) {
	if e == nil {
		return
	}
	if v := f.localOf(e); v != nil {
		f.add(v, s)
	}
}

func (f *finder) add(v *types.Var, s source) {
	if f.sources[v] == nil {
		f.vars = append(f.vars, v)
	}
	f.sources[v] = append(f.sources[v], s)
}

// local returns the local variable that id defines or uses, or nil.
func (f *finder) local(id *ast.Ident) *types.Var {
	v, ok := f.Info.ObjectOf(id).(*types.Var)
	if !ok || v.IsField() || v.Parent() == f.Types.Scope() || v.Pkg() != f.Types {
		return nil
	}
	return v
}

// flow follows tracked values through variables and calls until nothing new is found.
func (f *finder) flow() {
	for changed := true; changed; {
		changed = false
		for i := 0; i < len(f.calls); i++ { // grows while it is read
			changed = f.bind(f.calls[i]) || changed
		}
		for i := 0; i < len(f.vars); i++ {
			v := f.vars[i]
			k := f.kindOf[v]
			for _, s := range f.sources[v] {
				if s.flow == direct {
					k |= f.eval(s.expr)
				}
			}
			if k != f.kindOf[v] {
				f.kindOf[v] = k
				changed = true
			}
		}
		for v, x := range f.asserts {
			if k := f.eval(x) & kSurface; k&^f.kindOf[v] != 0 {
				f.kindOf[v] |= k
				changed = true
			}
		}
	}
	// Parameters of function literals whose calls are not all known can be anything.
	for _, d := range f.order {
		ast.Inspect(d, func(n ast.Node) bool {
			if lit, ok := n.(*ast.FuncLit); ok && !f.closed[lit] {
				for _, v := range f.params(lit.Type.Params) {
					f.add(v, source{flow: opaque})
				}
			}
			return true
		})
	}
}

// eval returns what e may be of what is tracked.
func (f *finder) eval(e ast.Expr) kinds {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return f.eval(e.X)
	case *ast.Ident:
		if v := f.local(e); v != nil {
			return f.kindOf[v]
		}
	case *ast.SelectorExpr:
		return f.derived(e, false)
	case *ast.TypeAssertExpr:
		return f.eval(e.X) & kSurface
	case *ast.CallExpr:
		if f.converts(e) {
			return f.eval(e.Args[0]) & (kSurface | kResponseHeader)
		}
		if sel, ok := ast.Unparen(e.Fun).(*ast.SelectorExpr); ok {
			return f.derived(sel, true)
		}
	}
	return 0
}

func (f *finder) derived(sel *ast.SelectorExpr, call bool) (d kinds) {
	f.eval(sel.X).each(func(k kinds) {
		if u, ok := table[k][sel.Sel.Name]; ok && u.call == call {
			d |= u.derive
		}
	})
	return d
}

// target is a function whose body is followed.
type target struct {
	decl *ast.FuncDecl // or
	lit  *ast.FuncLit
	typ  *ast.FuncType
}

// target returns the function that a call is certain to run, if it is one of this
// package with a body.
func (f *finder) target(call *ast.CallExpr) *target {
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.FuncLit:
		f.closed[fun] = true
		return &target{lit: fun, typ: fun.Type}
	case *ast.Ident:
		if v := f.local(fun); v != nil {
			if lit := f.heldBy(v); lit != nil {
				return &target{lit: lit, typ: lit.Type}
			}
			return nil
		}
	}
	if d := f.callee(call); d != nil && d.Body != nil {
		return &target{decl: d, typ: d.Type}
	}
	return nil
}

// heldBy returns the function literal that v holds whenever it is called, or nil. All
// sources of a variable that is no parameter stand in the function that declares it.
func (f *finder) heldBy(v *types.Var) *ast.FuncLit {
	ss := slices.DeleteFunc(slices.Clone(f.sources[v]), func(s source) bool { return s.flow == zero })
	if len(ss) != 1 || ss[0].flow != direct || f.isParam[v] {
		return nil
	}
	lit, ok := ast.Unparen(ss[0].expr).(*ast.FuncLit)
	if !ok {
		return nil
	}
	onlyCalled := !slices.ContainsFunc(f.uses[v], func(id *ast.Ident) bool {
		p, child := f.above(id)
		switch p := p.(type) {
		case *ast.CallExpr:
			return p.Fun != child
		case *ast.AssignStmt:
			return !slices.Contains(p.Lhs, child)
		}
		return true
	})
	if onlyCalled {
		f.closed[lit] = true
	}
	return lit
}

// above returns the nearest ancestor of n that is no parenthesis, and its child on the way.
func (f *finder) above(n ast.Expr) (parent ast.Node, child ast.Expr) { return aboveIn(f.parents, n) }

func aboveIn(parents map[ast.Node]ast.Node, n ast.Expr) (parent ast.Node, child ast.Expr) {
	for {
		p := parents[n]
		if paren, ok := p.(*ast.ParenExpr); ok {
			n = paren
			continue
		}
		return p, n
	}
}

// bind makes the arguments of a call the sources of the parameters, once, if the call
// runs a function literal or hands something tracked to a function of the package.
func (f *finder) bind(call *ast.CallExpr) bool {
	if f.bound[call] {
		return false
	}
	t := f.target(call)
	if t == nil {
		return false
	}
	if t.decl != nil && !f.reached[t.decl] {
		if !slices.ContainsFunc(call.Args, func(a ast.Expr) bool { return f.eval(a) != 0 }) {
			return false
		}
		f.calledBy[t.decl] = reachedBy{functionOf(f.parents, call), call}
		f.reach(t.decl)
	}
	f.bound[call] = true
	i := 0
	for _, field := range t.typ.Params.List {
		_, variadic := field.Type.(*ast.Ellipsis)
		for _, n := range field.Names {
			if v, ok := f.Info.Defs[n].(*types.Var); ok {
				f.add(v, argument(call, t.typ, i, variadic))
			}
			i++
		}
		if len(field.Names) == 0 {
			i++
		}
	}
	return true
}

// argument is what parameter i of a function gets from a call.
func argument(call *ast.CallExpr, typ *ast.FuncType, i int, variadic bool) source {
	n := typ.Params.NumFields()
	switch {
	case len(call.Args) == 1 && n > 1 && !(isVariadic(typ) && n == 2):
		return source{flow: opaque} // f(g())
	case variadic && !call.Ellipsis.IsValid():
		return source{direct, &ast.CompositeLit{Elts: call.Args[min(i, len(call.Args)):]}}
	case i < len(call.Args):
		return source{direct, call.Args[i]}
	}
	return source{flow: opaque}
}

func isVariadic(t *ast.FuncType) bool {
	if l := t.Params.List; len(l) > 0 {
		_, ok := l[len(l)-1].Type.(*ast.Ellipsis)
		return ok
	}
	return false
}

func comparePositions(a, b token.Position) int {
	if c := strings.Compare(a.Filename, b.Filename); c != 0 {
		return c
	}
	return a.Offset - b.Offset
}

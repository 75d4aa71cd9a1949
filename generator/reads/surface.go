package reads

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/cachegen/cachegen/generator/diag"
)

// What a body does with the place that it draws to besides drawing: asking what else it is,
// handing its header on, and giving it away in a result.

// standIn are the methods of what the body has in place of an io.Writer, and of an
// http.ResponseWriter.
var standIn = map[string][]string{
	"io.Writer":               {"Write", "WriteString", "Flush", "FlushError"},
	"net/http.ResponseWriter": {"Write", "WriteString", "Flush", "FlushError", "Header", "WriteHeader", "SetReadDeadline", "SetWriteDeadline", "EnableFullDuplex", "Hijack"},
}

// shortcuts are methods by which the same is written in fewer steps: whoever asks whether
// there is one does without it.
var shortcuts = []string{"ReadFrom", "WriteByte", "WriteRune"}

// asserted refuses to ask of what is drawn to whether it is something that only the caller's
// own is: while the result is recorded, another one stands in for it.
func (f *finder) asserted(e *ast.TypeAssertExpr, child ast.Expr) {
	methods, known := standIn[types.TypeString(f.drawn, nil)]
	if !known {
		return
	}
	text := types.ExprString(child)
	refuse := func(to ast.Expr) {
		f.errorf(to, diag.SurfaceAsserted, "%s is asserted to be %s, and the writer that a cached function is given is not", text, types.ExprString(to))
	}
	asks := func(to ast.Expr, asked bool) {
		t := f.typeOf(to)
		i, ok := t.Underlying().(*types.Interface)
		if !ok {
			if t != types.Typ[types.Invalid] && t != types.Typ[types.UntypedNil] {
				refuse(to)
			}
			return
		}
		for m := range i.Methods() {
			if !slices.Contains(methods, m.Name()) && !(asked && slices.Contains(shortcuts, m.Name())) {
				refuse(to)
				return
			}
		}
	}
	if e.Type != nil {
		asks(e.Type, f.asked(e))
		return
	}
	for n := f.parents[e]; n != nil; n = f.parents[n] {
		if s, ok := n.(*ast.TypeSwitchStmt); ok {
			for _, c := range s.Body.List {
				for _, to := range c.(*ast.CaseClause).List {
					asks(to, true)
				}
			}
			return
		}
	}
}

// asked reports whether an assertion has the form that says whether it holds.
func (f *finder) asked(e ast.Expr) bool {
	p, _ := f.above(e)
	switch p := p.(type) {
	case *ast.AssignStmt:
		return len(p.Lhs) == 2 && len(p.Rhs) == 1
	case *ast.ValueSpec:
		return len(p.Names) == 2 && len(p.Values) == 1
	}
	return false
}

// givesHeader reports whether sel is the method that gives the header of a response.
func (f *finder) givesHeader(sel *ast.SelectorExpr) bool {
	sig, ok := f.typeOf(sel).Underlying().(*types.Signature)
	return ok && sel.Sel.Name == "Header" && sig.Results().Len() == 1 && isNamed(sig.Results().At(0).Type(), "net/http", "Header")
}

// converts reports whether a call is a conversion.
func (f *finder) converts(call *ast.CallExpr) bool {
	tv, ok := f.Info.Types[call.Fun]
	return ok && tv.IsType() && len(call.Args) == 1
}

// responseHeader decides about a use of the response's header: writing it is drawing. What a
// middleware has put there is hidden from the body, so that reading it finds nothing: who
// reads it here expects something else.
func (f *finder) responseHeader(p ast.Node, child ast.Expr) {
	switch p := p.(type) {
	case *ast.IndexExpr:
		if p.X != child || f.written(p) {
			return
		}
	case *ast.RangeStmt:
		if p.X != child {
			return
		}
	case *ast.CallExpr:
		if f.writesHeader(p, child) {
			return
		}
	case *ast.CompositeLit, *ast.KeyValueExpr:
	default:
		return
	}
	f.errorf(child, diag.SurfaceHeader, "%s is read", types.ExprString(child))
}

// writesHeader reports whether a call is one that may be meant to write the header that it
// is handed: a function that takes one.
func (f *finder) writesHeader(call *ast.CallExpr, child ast.Expr) bool {
	i := slices.Index(call.Args, child)
	if i < 0 {
		return true
	}
	tv, ok := f.Info.Types[call.Fun]
	if !ok {
		return true
	}
	if tv.IsBuiltin() {
		fun, _ := ast.Unparen(call.Fun).(*ast.Ident)
		return fun != nil && (fun.Name == "delete" || fun.Name == "clear")
	}
	if tv.IsType() {
		return isHeader(tv.Type)
	}
	if fn := f.called(call); fn != nil && fn.Pkg() != nil && fn.Pkg().Path() == "maps" {
		return i == 0 && (fn.Name() == "Copy" || fn.Name() == "Insert" || fn.Name() == "DeleteFunc")
	}
	sig, ok := tv.Type.Underlying().(*types.Signature)
	if !ok {
		return true
	}
	if sig.Variadic() && i >= sig.Params().Len()-1 {
		return false
	}
	return i < sig.Params().Len() && isHeader(sig.Params().At(i).Type())
}

func isHeader(t types.Type) bool {
	return isNamed(t, "net/http", "Header") || isNamed(t, "net/textproto", "MIMEHeader")
}

// returns refuses results of the annotated function that keep what it draws to: what is drawn
// on them later would be on no tape.
func (f *finder) returns() {
	if f.drawn == nil || f.root.Type.Results == nil {
		return
	}
	results := f.params(f.root.Type.Results)
	ownReturns(f.root.Body, func(r *ast.ReturnStmt) {
		values := r.Results
		if len(values) == 0 {
			for _, v := range results {
				if f.variableHolds(v, map[any]bool{}) && !harmless(v.Type()) {
					f.errorf(r, diag.SurfaceResult, "%s is returned, and holds what is drawn on", v.Name())
				}
			}
		}
		for _, e := range values {
			if !harmless(f.typeOf(e)) && f.holds(e, map[any]bool{}) {
				f.errorf(e, diag.SurfaceResult, "%s is returned, and holds what is drawn on", types.ExprString(e))
			}
		}
	})
}

// ownReturns calls do for the return statements of a body that are not those of a function
// literal in it.
func ownReturns(body *ast.BlockStmt, do func(*ast.ReturnStmt)) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			do(n)
		}
		return true
	})
}

// harmless reports whether values of t can hold no writer that is of interest: numbers,
// texts, errors.
func harmless(t types.Type) bool {
	if types.Identical(t, types.Universe.Lookup("error").Type()) {
		return true
	}
	_, basic := t.Underlying().(*types.Basic)
	return basic
}

// holds reports whether the value of e is known to hold what is drawn to.
func (f *finder) holds(e ast.Expr, seen map[any]bool) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		if v := f.local(e); v != nil {
			return f.variableHolds(v, seen)
		}
	case *ast.UnaryExpr:
		return f.holds(e.X, seen)
	case *ast.TypeAssertExpr:
		return f.holds(e.X, seen)
	case *ast.SelectorExpr:
		return keepsWriter(f.typeOf(e), 0) && f.holds(e.X, seen)
	case *ast.CompositeLit:
		return slices.ContainsFunc(e.Elts, func(x ast.Expr) bool {
			if kv, ok := x.(*ast.KeyValueExpr); ok {
				x = kv.Value
			}
			return f.holds(x, seen)
		})
	case *ast.FuncLit:
		found := false
		ast.Inspect(e, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && !found {
				v := f.local(id)
				found = v != nil && f.kindOf[v]&kSurface != 0 && (v.Pos() < e.Pos() || v.Pos() >= e.End())
			}
			return !found
		})
		return found
	case *ast.CallExpr:
		return f.callHolds(e, f.typeOf(e), seen)
	}
	return false
}

func (f *finder) variableHolds(v *types.Var, seen map[any]bool) bool {
	if f.kindOf[v]&kSurface != 0 {
		return true
	}
	if seen[v] {
		return false
	}
	seen[v] = true
	for _, s := range f.sources[v] {
		if s.flow == direct && f.holds(s.expr, seen) {
			return true
		}
	}
	return slices.ContainsFunc(f.parts[v], func(e ast.Expr) bool {
		if call, ok := e.(*ast.CallExpr); ok {
			return f.callHolds(call, v.Type(), seen)
		}
		return f.holds(e, seen)
	})
}

// callHolds reports whether a result of type t of a call holds what is drawn to: it is handed
// to a function of the package that puts it there, or to another one whose results have a
// place for a writer.
func (f *finder) callHolds(call *ast.CallExpr, t types.Type, seen map[any]bool) bool {
	if harmless(t) || !slices.ContainsFunc(call.Args, func(a ast.Expr) bool { return f.holds(a, seen) }) {
		return false
	}
	if f.converts(call) {
		return true
	}
	d := f.callee(call)
	if d == nil || d.Body == nil || !f.reached[d] {
		return d == nil && keepsWriter(t, 0)
	}
	if seen[d] {
		return false
	}
	seen[d] = true
	found := false
	named := f.params(d.Type.Results)
	ownReturns(d.Body, func(r *ast.ReturnStmt) {
		found = found || slices.ContainsFunc(r.Results, func(e ast.Expr) bool { return !harmless(f.typeOf(e)) && f.holds(e, seen) }) ||
			len(r.Results) == 0 && slices.ContainsFunc(named, func(v *types.Var) bool { return f.variableHolds(v, seen) })
	})
	return found
}

// keepsWriter reports whether values of t have a place for a writer: they are, or have a
// field of, an interface type with methods.
func keepsWriter(t types.Type, depth int) bool {
	if depth > 4 {
		return false
	}
	switch u := t.Underlying().(type) {
	case *types.Interface:
		if depth == 0 {
			return u.NumMethods() > 0 && !harmless(t)
		}
		m, _, _ := types.LookupFieldOrMethod(t, false, nil, "Write")
		_, ok := m.(*types.Func)
		return ok
	case *types.Pointer:
		return keepsWriter(u.Elem(), depth+1)
	case *types.Struct:
		for v := range u.Fields() {
			if keepsWriter(v.Type(), depth+1) {
				return true
			}
		}
	}
	return false
}

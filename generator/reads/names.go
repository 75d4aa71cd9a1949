package reads

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
)

// maxNames bounds how many names one expression may stand for.
const maxNames = 64

// names returns every string that e can be. bad is the expression that is not known,
// nil if all are.
func (f *finder) names(e ast.Expr) (names []string, bad ast.Expr) {
	n := namer{finder: f, busy: map[*types.Var]bool{}}
	n.text(e)
	slices.Sort(n.out)
	return slices.Compact(n.out), n.bad
}

// namer collects the strings of one expression.
type namer struct {
	*finder
	busy map[*types.Var]bool // variables that are being resolved
	sums int                 // sums that are being resolved
	out  []string
	bad  ast.Expr
}

func (n *namer) fail(e ast.Expr) {
	if n.bad == nil {
		n.bad = e
	}
}

func (n *namer) give(s string, e ast.Expr) {
	if n.out = append(n.out, s); len(n.out) > maxNames {
		n.fail(e)
	}
}

// text gives what a string expression can be.
func (n *namer) text(e ast.Expr) {
	if n.bad != nil {
		return
	}
	if tv, ok := n.Info.Types[e]; ok && tv.Value != nil {
		if tv.Value.Kind() == constant.String {
			n.give(constant.StringVal(tv.Value), e)
		} else {
			n.fail(e)
		}
		return
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		n.text(e.X)
	case *ast.BinaryExpr:
		if e.Op != token.ADD {
			n.fail(e)
			return
		}
		left, right := n.apart(e.X), n.apart(e.Y)
		for _, l := range left {
			for _, r := range right {
				n.give(l+r, e)
			}
		}
	case *ast.CallExpr: // a conversion from one kind of string to another
		if tv, ok := n.Info.Types[e.Fun]; ok && tv.IsType() && len(e.Args) == 1 && isString(tv.Type) && isString(n.Info.TypeOf(e.Args[0])) {
			n.text(e.Args[0])
			return
		}
		n.fail(e)
	case *ast.Ident:
		n.variable(e, n.text, n.elements)
	case *ast.IndexExpr:
		n.elements(e.X)
	default:
		n.fail(e)
	}
}

// apart resolves e on its own; both sides of a sum vary freely.
func (n *namer) apart(e ast.Expr) []string {
	outer := n.out
	n.out = nil
	n.sums++
	n.text(e)
	n.sums--
	mine := n.out
	n.out = outer
	return mine
}

// elements gives what the elements of a slice or array can be.
func (n *namer) elements(e ast.Expr) {
	if n.bad != nil {
		return
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.CompositeLit:
		if t := n.Info.TypeOf(e); t != nil {
			switch t.Underlying().(type) {
			case *types.Slice, *types.Array:
			default:
				n.fail(e)
				return
			}
		}
		for _, x := range e.Elts {
			if kv, ok := x.(*ast.KeyValueExpr); ok {
				x = kv.Value
			}
			n.text(x)
		}
	case *ast.Ident:
		if v := n.local(e); v == nil || !n.onlyRead(v) {
			n.fail(e)
			return
		}
		n.variable(e, n.elements, nil)
	default:
		n.fail(e)
	}
}

// variable gives what the sources of a local variable give: as e itself through value,
// as an element of it through element.
func (n *namer) variable(e *ast.Ident, value, element func(ast.Expr)) {
	v := n.local(e)
	if v == nil {
		n.fail(e)
		return
	}
	if n.busy[v] { // a cycle adds nothing, unless it goes through a sum
		if n.sums > 0 {
			n.fail(e)
		}
		return
	}
	n.busy[v] = true
	defer delete(n.busy, v)
	ss := n.sources[v]
	if len(ss) == 0 {
		n.fail(e)
	}
	for _, s := range ss {
		switch {
		case s.flow == direct:
			value(s.expr)
		case s.flow == zero:
			if isString(v.Type()) {
				n.give("", e)
			}
		case s.flow == elem && element != nil:
			element(s.expr)
		default:
			n.fail(e)
		}
	}
}

// onlyRead reports whether every use of a slice reads it: it is ranged over, indexed, or
// measured.
func (f *finder) onlyRead(v *types.Var) bool {
	return !slices.ContainsFunc(f.uses[v], func(id *ast.Ident) bool {
		p, child := f.above(id)
		switch p := p.(type) {
		case *ast.RangeStmt:
			return p.X != child
		case *ast.IndexExpr:
			return p.X != child || f.written(p)
		case *ast.CallExpr:
			fun, ok := p.Fun.(*ast.Ident)
			return !ok || fun.Name != "len"
		}
		return true
	})
}

// written reports whether e is assigned to, or its address taken.
func (f *finder) written(e ast.Expr) bool {
	p, child := f.above(e)
	switch p := p.(type) {
	case *ast.AssignStmt:
		return slices.Contains(p.Lhs, child)
	case *ast.IncDecStmt:
		return true
	case *ast.UnaryExpr:
		return p.Op == token.AND
	case *ast.RangeStmt:
		return p.Key == child || p.Value == child
	}
	return false
}

func isString(t types.Type) bool {
	if t == nil {
		return false
	}
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}

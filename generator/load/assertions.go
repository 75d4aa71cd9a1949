package load

import (
	"go/ast"
	"go/types"
	"strings"

	"github.com/cachegen/cachegen/generator/names"
)

// Assertions tells, from the text of a package alone, whether it is worth typing its bodies
// to look for type assertions and type switches that have to do with contexts. It may say so
// where there are none, and never denies one.
type Assertions struct {
	OnContext bool // the dynamic type of a variable that may hold a context is asked for
	ToContext bool // a value is asked whether it is a context or a request
}

// Assertions returns what the text of the package says. It is safe for concurrent use.
func (p *Package) Assertions() Assertions {
	p.asserted.once.Do(func() {
		a := &asserting{handed: map[string]bool{}}
		for more := true; more; { // functions that are handed a context may hand it on
			before := len(a.handed)
			for _, f := range p.Syntax {
				for fn := range names.Functions(f.Syntax) {
					if fn.Body != nil {
						a.function(fn)
					}
				}
			}
			more = len(a.handed) > before
		}
		p.asserted.Assertions = a.Assertions
	})
	return p.asserted.Assertions
}

// asserting gathers the assertions of a package.
type asserting struct {
	Assertions
	handed map[string]bool // names of functions that are called with a context
}

func (a *asserting) function(fn *ast.FuncDecl) {
	contexts := map[string]bool{} // variables that may hold one
	params := func(t *ast.FuncType, any bool) {
		for _, f := range t.Params.List {
			text := types.ExprString(f.Type)
			if any || strings.HasSuffix(text, "Context") || strings.HasSuffix(text, "Request") {
				for _, id := range f.Names {
					contexts[id.Name] = true
				}
			}
		}
	}
	params(fn.Type, a.handed[fn.Name.Name])
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			params(n.Type, false)
		case *ast.AssignStmt:
			for i, from := range n.Rhs {
				if mentions(from, contexts) && len(n.Lhs) == len(n.Rhs) {
					if id, ok := n.Lhs[i].(*ast.Ident); ok {
						contexts[id.Name] = true
					}
				}
			}
		case *ast.ValueSpec:
			for i, from := range n.Values {
				if mentions(from, contexts) && len(n.Names) == len(n.Values) {
					contexts[n.Names[i].Name] = true
				}
			}
		case *ast.CallExpr:
			for _, arg := range n.Args {
				if !mentions(arg, contexts) {
					continue
				}
				switch fun := ast.Unparen(n.Fun).(type) {
				case *ast.Ident:
					a.handed[fun.Name] = true
				case *ast.SelectorExpr:
					a.handed[fun.Sel.Name] = true
				}
			}
		case *ast.TypeAssertExpr:
			a.OnContext = a.OnContext || mentions(n.X, contexts)
			a.ToContext = a.ToContext || namesContext(n.Type)
		case *ast.CaseClause:
			for _, e := range n.List {
				a.ToContext = a.ToContext || namesContext(e)
			}
		}
		return true
	})
}

// mentions reports whether an expression may be one of the variables: what a call of a
// method returns, other than Context, is not.
func mentions(e ast.Expr, vars map[string]bool) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return vars[e.Name]
	case *ast.CallExpr:
		if sel, ok := ast.Unparen(e.Fun).(*ast.SelectorExpr); ok {
			return sel.Sel.Name == "Context" && len(e.Args) == 0
		}
		return len(e.Args) == 1 && mentions(e.Args[0], vars) // any(ctx)
	case *ast.TypeAssertExpr:
		return mentions(e.X, vars)
	}
	return false
}

// namesContext reports whether an expression names, or may name, a type of contexts or of
// requests.
func namesContext(e ast.Expr) bool {
	switch e := e.(type) {
	case nil:
		return false
	case *ast.InterfaceType:
		return true
	default:
		text := types.ExprString(e)
		return strings.Contains(text, "Context") || strings.Contains(text, "Request") || strings.Contains(text, "Ctx")
	}
}

package load

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/generator/names"
)

// Assertions tells, from the text of a package alone, whether it is worth typing its bodies
// to look for type assertions and type switches that have to do with contexts. It may say so
// where there are none. It denies one only where a context is declared under another name,
// which the text does not show: an alias, say.
type Assertions struct {
	OnContext bool // the dynamic type of a variable that may hold a context is asked for
	ToContext bool // a value is asked whether it is a context or a request
}

// Assertions returns what the text of the package says. It is safe for concurrent use.
func (p *Package) Assertions() Assertions {
	p.asserted.once.Do(func() {
		a := &asserting{handed: map[string]bool{}, declared: map[string]bool{}, holders: map[string]bool{}}
		for more := true; more; { // a type may be declared with one that is declared further on
			before := len(a.holders)
			for _, f := range p.Syntax {
				a.types(f.Syntax)
			}
			more = len(a.holders) > before
		}
		for _, f := range p.Syntax {
			for fn := range names.Functions(f.Syntax) {
				a.declared[fn.Name.Name] = true
			}
		}
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
	handed   map[string]bool // names of functions that are called with a context
	declared map[string]bool // names of the functions and methods of the package
	holders  map[string]bool // names of its types that are, or may hold, contexts or requests
}

// types notes which declared types of a file may hold contexts.
func (a *asserting) types(f *ast.File) {
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok {
			for _, spec := range g.Specs {
				if t, ok := spec.(*ast.TypeSpec); ok && !a.holders[t.Name.Name] && a.namesContext(t.Type) {
					a.holders[t.Name.Name] = true
				}
			}
		}
	}
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
				if a.mentions(from, contexts) {
					for j, to := range n.Lhs {
						if id, ok := to.(*ast.Ident); ok && (i == j || len(n.Lhs) != len(n.Rhs)) {
							contexts[id.Name] = true
						}
					}
				}
			}
		case *ast.ValueSpec:
			for i, from := range n.Values {
				if a.mentions(from, contexts) {
					for j, id := range n.Names {
						if i == j || len(n.Names) != len(n.Values) {
							contexts[id.Name] = true
						}
					}
				}
			}
		case *ast.CallExpr:
			for _, arg := range n.Args {
				if a.mentions(arg, contexts) {
					a.handed[calledName(n)] = true
				}
			}
		case *ast.TypeAssertExpr:
			a.OnContext = a.OnContext || a.mentions(n.X, contexts)
			a.ToContext = a.ToContext || a.namesContext(n.Type)
		case *ast.CaseClause:
			for _, e := range n.List {
				a.ToContext = a.ToContext || a.namesContext(e)
			}
		}
		return true
	})
}

// mentions reports whether an expression may be one of the variables: what a call returns is
// one if the function is of this package, or a conversion, or a method Context.
func (a *asserting) mentions(e ast.Expr, vars map[string]bool) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return vars[e.Name]
	case *ast.CallExpr:
		sel, ok := ast.Unparen(e.Fun).(*ast.SelectorExpr)
		if ok && sel.Sel.Name == "Context" && len(e.Args) == 0 {
			return true
		}
		if !a.declared[calledName(e)] && (ok || len(e.Args) != 1) { // not any(ctx)
			return false
		}
		return slices.ContainsFunc(e.Args, func(arg ast.Expr) bool { return a.mentions(arg, vars) })
	case *ast.TypeAssertExpr:
		return a.mentions(e.X, vars)
	}
	return false
}

// calledName returns the name of the function or method that is called, without what it is
// a member of; "" if it has none.
func calledName(call *ast.CallExpr) string {
	fun := ast.Unparen(call.Fun)
	switch f := fun.(type) {
	case *ast.IndexExpr:
		fun = f.X
	case *ast.IndexListExpr:
		fun = f.X
	}
	switch f := fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// namesContext reports whether an expression names, or may name, a type of contexts or of
// requests, or one that may hold them.
func (a *asserting) namesContext(e ast.Expr) bool {
	if e == nil {
		return false
	}
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.InterfaceType:
			found = true
		case *ast.Ident:
			found = found || a.holders[n.Name] || strings.Contains(n.Name, "Context") || strings.Contains(n.Name, "Request") || strings.Contains(n.Name, "Ctx")
		}
		return !found
	})
	return found
}

package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// purity guesses which functions have neither effects nor hidden inputs, so that the
// module's own tests can be expected to pass when they are cached. It looks no further
// than the package; calls that it does not know make a function impure.
type purity struct {
	pkg      *packages.Package
	bodies   map[*types.Func]*ast.FuncDecl
	assigned map[types.Object]bool // package-level variables that some function changes
	known    map[*types.Func]bool
	busy     map[*types.Func]bool
}

// harmless are the packages whose functions only compute, as far as they are not named
// in effects.
var harmless = map[string]bool{
	"strings": true, "strconv": true, "unicode": true, "unicode/utf8": true, "unicode/utf16": true,
	"math": true, "math/bits": true, "math/cmplx": true, "bytes": true, "errors": true, "cmp": true, "path": true,
	"path/filepath": true, "regexp/syntax": true, "html": true, "encoding/hex": true, "encoding/base64": true, "hash/crc32": true,
}

var effects = map[string]bool{
	"path/filepath.Glob": true, "path/filepath.Walk": true, "path/filepath.WalkDir": true, "path/filepath.Abs": true, "path/filepath.EvalSymlinks": true,
	"encoding/hex.Decode": true, "encoding/hex.Encode": true, "fmt.Sprintf": false, "fmt.Sprint": false, "fmt.Errorf": false, "fmt.Sprintln": false,
}

func newPurity(p *packages.Package) *purity {
	u := &purity{p, map[*types.Func]*ast.FuncDecl{}, map[types.Object]bool{}, map[*types.Func]bool{}, map[*types.Func]bool{}}
	for _, f := range p.Syntax {
		for _, d := range f.Decls {
			fd, ok := d.(*ast.FuncDecl)
			if !ok || fd.Body == nil {
				continue
			}
			if o, ok := p.TypesInfo.Defs[fd.Name].(*types.Func); ok {
				u.bodies[o] = fd
			}
			ast.Inspect(fd, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.AssignStmt:
					for _, x := range n.Lhs {
						u.note(x)
					}
				case *ast.IncDecStmt:
					u.note(n.X)
				case *ast.UnaryExpr:
					if n.Op == token.AND {
						u.note(n.X)
					}
				case *ast.CallExpr:
					if s, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok {
						u.note(s.X) // a method may change it
					}
				}
				return true
			})
		}
	}
	return u
}

// root is the variable that an expression starts at, and whether reaching what it means
// goes through memory that others may see.
func (u *purity) root(x ast.Expr) (o types.Object, shared bool) {
	for {
		switch e := x.(type) {
		case *ast.ParenExpr:
			x = e.X
		case *ast.StarExpr:
			x, shared = e.X, true
		case *ast.IndexExpr:
			if t := u.pkg.TypesInfo.TypeOf(e.X); t != nil {
				if _, ok := t.Underlying().(*types.Array); !ok {
					shared = true
				}
			}
			x = e.X
		case *ast.SliceExpr:
			x = e.X
		case *ast.SelectorExpr:
			if t := u.pkg.TypesInfo.TypeOf(e.X); t != nil {
				if _, ok := t.Underlying().(*types.Pointer); ok {
					shared = true
				}
			}
			if id, ok := e.X.(*ast.Ident); ok {
				if _, ok := u.pkg.TypesInfo.Uses[id].(*types.PkgName); ok {
					return u.pkg.TypesInfo.Uses[e.Sel], true
				}
			}
			x = e.X
		case *ast.Ident:
			if o := u.pkg.TypesInfo.Defs[e]; o != nil {
				return o, shared
			}
			return u.pkg.TypesInfo.Uses[e], shared
		default:
			return nil, true
		}
	}
}

func (u *purity) note(x ast.Expr) {
	if o, _ := u.root(x); o != nil && o.Parent() == u.pkg.Types.Scope() {
		u.assigned[o] = true
	}
}

// pure says whether the function looks pure. A function that is being looked at counts as
// pure, so that recursion ends.
func (u *purity) pure(f *types.Func) bool {
	f = f.Origin()
	if p, ok := u.known[f]; ok {
		return p
	}
	if u.busy[f] {
		return true
	}
	d := u.bodies[f]
	if d == nil {
		return false
	}
	u.busy[f] = true
	p := u.look(f, d)
	delete(u.busy, f)
	u.known[f] = p
	return p
}

func (u *purity) look(f *types.Func, d *ast.FuncDecl) bool {
	info := u.pkg.TypesInfo
	sig := f.Signature()
	if sig.Results().Len() == 0 || strings.HasPrefix(f.Name(), "Append") || strings.HasPrefix(f.Name(), "Must") {
		return false
	}
	local := func(o types.Object) bool {
		return o != nil && o.Pos() > d.Body.Pos() && o.Pos() < d.Body.End()
	}
	ok := true
	fail := func() { ok = false }
	store := func(x ast.Expr) {
		if id, isID := x.(*ast.Ident); isID && id.Name == "_" {
			return
		}
		o, shared := u.root(x)
		if _, isVar := o.(*types.Var); !isVar || o.Parent() == u.pkg.Types.Scope() || shared && !local(o) {
			fail()
		}
	}
	ast.Inspect(d.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt, *ast.SendStmt, *ast.SelectStmt, *ast.DeferStmt:
			fail()
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				fail()
			}
		case *ast.AssignStmt:
			for _, x := range n.Lhs {
				store(x)
			}
		case *ast.IncDecStmt:
			store(n.X)
		case *ast.ReturnStmt:
			// What is handed on from a parameter or a variable is meant to be the same
			// memory, and the cached function returns a copy. Errors are not copied.
			for _, x := range n.Results {
				if u.handsOn(x, local) {
					fail()
				}
			}
		case *ast.Ident:
			if o, isVar := info.Uses[n].(*types.Var); isVar && o.Parent() != nil {
				if o.Pkg() != nil && o.Parent() == o.Pkg().Scope() && (o.Pkg() != u.pkg.Types || u.assigned[o]) {
					if !strings.HasPrefix(o.Name(), "Err") && !strings.HasPrefix(o.Name(), "err") {
						fail()
					}
				}
			}
		case *ast.CallExpr:
			if !u.call(n, local) {
				fail()
			}
		}
		return ok
	})
	return ok
}

// handsOn reports whether what x gives leads to memory that the function was given, by way of
// the fields and elements of composite literals too.
func (u *purity) handsOn(x ast.Expr, local func(types.Object) bool) bool {
	x = ast.Unparen(x)
	if a, ok := x.(*ast.UnaryExpr); ok && a.Op == token.AND {
		x = ast.Unparen(a.X)
	} else if _, ok := x.(*ast.CompositeLit); !ok && !refers(u.pkg.TypesInfo.TypeOf(x)) {
		return false
	}
	if l, ok := x.(*ast.CompositeLit); ok {
		return slices.ContainsFunc(l.Elts, func(e ast.Expr) bool {
			if kv, ok := e.(*ast.KeyValueExpr); ok {
				_, ofMap := u.pkg.TypesInfo.TypeOf(l).Underlying().(*types.Map)
				return u.handsOn(kv.Value, local) || ofMap && u.handsOn(kv.Key, local)
			}
			return u.handsOn(e, local)
		})
	}
	o, _ := u.root(x)
	v, isVar := o.(*types.Var)
	return isVar && !local(o) && !isError(v.Type())
}

// refers reports whether values of t lead to memory that others may hold too.
func refers(t types.Type) bool {
	if t == nil {
		return false
	}
	switch t.Underlying().(type) {
	case *types.Pointer, *types.Slice, *types.Map, *types.Interface, *types.Chan, *types.Signature:
		return true
	}
	return false
}

func (u *purity) call(c *ast.CallExpr, local func(types.Object) bool) bool {
	info := u.pkg.TypesInfo
	if tv, ok := info.Types[c.Fun]; ok && tv.IsType() {
		return true // a conversion
	}
	var id *ast.Ident
	fun := ast.Unparen(c.Fun)
	if x, ok := fun.(*ast.IndexExpr); ok {
		fun = x.X
	}
	if x, ok := fun.(*ast.IndexListExpr); ok {
		fun = x.X
	}
	switch x := fun.(type) {
	case *ast.Ident:
		id = x
	case *ast.SelectorExpr:
		id = x.Sel
	case *ast.FuncLit:
		return true // its body is looked at
	default:
		return false
	}
	switch o := info.Uses[id].(type) {
	case *types.Builtin:
		switch o.Name() {
		case "copy", "clear", "delete":
			r, _ := u.root(c.Args[0])
			return local(r)
		case "print", "println", "recover", "close":
			return false
		}
		return true
	case *types.Var: // a function value
		return local(o)
	case *types.Func:
		if o.Pkg() == nil {
			return o.Name() == "Error"
		}
		if o.Pkg() == u.pkg.Types {
			if o.Signature().Recv() != nil && types.IsInterface(o.Signature().Recv().Type()) {
				return false
			}
			return u.pure(o)
		}
		path := o.Pkg().Path()
		if bad, ok := effects[path+"."+o.Name()]; ok {
			return !bad
		}
		if recv := o.Signature().Recv(); recv != nil {
			if s, ok := fun.(*ast.SelectorExpr); ok && harmless[path] {
				r, _ := u.root(s.X)
				_, ptr := recv.Type().(*types.Pointer)
				return !ptr || local(r) // a builder of its own
			}
			return false
		}
		return harmless[path]
	}
	return false
}

package reads

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"

	"github.com/cachegen/cachegen/generator/names"
)

// Kind says what of a request is read. Its text is what the runtime calls it.
type Kind string

const (
	Form     Kind = "form"   // a field of query or body, as r.FormValue sees it: Name
	PostForm Kind = "post"   // a field of the body: Name
	Query    Kind = "query"  // a field of the URL's query: Name
	PathPart Kind = "path"   // a wildcard of the route, as r.PathValue sees it: Name
	Header   Kind = "header" // Name, in canonical form
	Cookie   Kind = "cookie" // Name
	File     Kind = "file"   // an uploaded file, content and all: Name
	Signal   Kind = "signal" // a Datastar signal: Name, "" for all of them

	// The rest have no name.

	FormError Kind = "form.error"  // whether, and how, parsing the form fails
	Method    Kind = "method"      // r.Method
	Path      Kind = "url.path"    // r.URL.Path
	Escaped   Kind = "url.escaped" // r.URL.EscapedPath
	RawQuery  Kind = "url.query"   // r.URL.RawQuery
	URL       Kind = "url"         // every part of r.URL
	URI       Kind = "uri"         // r.RequestURI
	Host      Kind = "host"        // r.Host
	Remote    Kind = "remote"      // r.RemoteAddr
	Proto     Kind = "proto"       // r.Proto
	Length    Kind = "length"      // r.ContentLength
	TLS       Kind = "tls"         // whether r.TLS is nil
	Pattern   Kind = "pattern"     // r.Pattern
)

// hasName are the kinds that have a name.
var hasName = map[Kind]bool{Form: true, PostForm: true, Query: true, PathPart: true, Header: true, Cookie: true, File: true, Signal: true}

// Input is one input of a request.
type Input struct {
	Kind Kind
	Name string // "" for kinds that have no name
}

// String returns what the runtime calls the input: "method", "query:page".
func (r Input) String() string {
	if hasName[r.Kind] {
		return string(r.Kind) + ":" + r.Name
	}
	return string(r.Kind)
}

// Compare orders inputs by kind, then name.
func (r Input) Compare(s Input) int {
	return cmp.Or(cmp.Compare(r.Kind, s.Kind), cmp.Compare(r.Name, s.Name))
}

// Found is what a function reads.
type Found struct {
	Inputs   []Input                  // sorted, without repetitions; counts in full
	At       map[Input]token.Position // where each is read first
	Contexts []token.Position         // where the context of the request is read, sorted
	Traced   []token.Position         // calls of cache.Input that were seen, sorted: traced while the body runs
}

// Source is a package with its function bodies type-checked, tolerant of errors.
type Source struct {
	Fset  *token.FileSet
	Types *types.Package
	Info  *types.Info // Types, Defs, Uses and Selections, of bodies too
	Files []*ast.File
	Other []*ast.File // files that the present build configuration excludes

	// Wrappers maps the names of functions that cachegen generates, "Name" or
	// "Type.Name", to the functions they wrap, where Files do not declare them.
	Wrappers map[string]*ast.FuncDecl

	decls map[*types.Func]*ast.FuncDecl
}

// index prepares what the methods of s look up.
func (s *Source) index() {
	if s.decls != nil {
		return
	}
	s.decls = map[*types.Func]*ast.FuncDecl{}
	for d := range names.Functions(s.Files...) {
		if fn, ok := s.Info.Defs[d.Name].(*types.Func); ok {
			s.decls[fn] = d
		}
	}
}

// IsRequest reports whether t is *http.Request.
func IsRequest(t types.Type) bool {
	p, ok := types.Unalias(t).(*types.Pointer)
	return ok && isNamed(p.Elem(), "net/http", "Request")
}

// isNamed reports whether t is the named type, pointers not removed.
func isNamed(t types.Type, path, name string) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Name() == name && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == path
}

// sortedInputs returns the keys of m in order.
func sortedInputs(m map[Input]token.Position) []Input {
	return slices.SortedFunc(maps.Keys(m), Input.Compare)
}

// called returns the function object that a call names, nil for function values.
func (s *Source) called(call *ast.CallExpr) *types.Func {
	fun := ast.Unparen(call.Fun)
	switch x := fun.(type) {
	case *ast.IndexExpr:
		fun = x.X
	case *ast.IndexListExpr:
		fun = x.X
	}
	switch fun := fun.(type) {
	case *ast.Ident:
		fn, _ := s.Info.Uses[fun].(*types.Func)
		return fn
	case *ast.SelectorExpr:
		if sel := s.Info.Selections[fun]; sel != nil && sel.Kind() != types.MethodVal {
			return nil
		}
		fn, _ := s.Info.Uses[fun.Sel].(*types.Func)
		return fn
	}
	return nil
}

// callee returns the declaration, in this package, of the function that a call is
// certain to run: interface methods are not.
func (s *Source) callee(call *ast.CallExpr) *ast.FuncDecl {
	if fn := s.called(call); fn != nil {
		fn = fn.Origin()
		if recv := fn.Signature().Recv(); recv != nil && types.IsInterface(recv.Type()) {
			return nil
		}
		return s.decls[fn]
	}
	// The wrappers that cachegen makes may not be there yet.
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		if s.Info.Uses[fun] == nil {
			return s.Wrappers[fun.Name]
		}
	case *ast.SelectorExpr:
		if s.Info.Uses[fun.Sel] == nil {
			if t := s.Info.TypeOf(fun.X); t != nil {
				if p, ok := types.Unalias(t).(*types.Pointer); ok {
					t = p.Elem()
				}
				if n, ok := types.Unalias(t).(*types.Named); ok && n.Obj().Pkg() == s.Types {
					return s.Wrappers[n.Obj().Name()+"."+fun.Sel.Name]
				}
			}
		}
	}
	return nil
}

// typeOf returns the type of an expression, an invalid one where it is not known.
func (s *Source) typeOf(e ast.Expr) types.Type {
	if t := s.Info.TypeOf(e); t != nil {
		return t
	}
	return types.Typ[types.Invalid]
}

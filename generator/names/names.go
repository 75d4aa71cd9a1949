// Package names answers questions about names in source that need no types: what a file
// declares, whose method a declaration is, and which name a misspelt one was meant to be.
package names

import (
	"go/ast"
	"go/parser"
	"go/token"
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Member is a package-level name, or a method with the name of its receiver type.
type Member struct{ Recv, Name string }

// String writes the member as in Store.Score.
func (m Member) String() string {
	if m.Recv != "" {
		return m.Recv + "." + m.Name
	}
	return m.Name
}

// Decl is one name that a file declares at its top level.
type Decl struct {
	Member
	Ident *ast.Ident
	Func  *ast.FuncDecl // nil for types, variables and constants
	Spec  ast.Spec      // nil for functions
}

// Declarations yields what a file declares at its top level, imports left out, in order.
func Declarations(f *ast.File) iter.Seq[Decl] {
	return func(yield func(Decl) bool) {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if !yield(Decl{Member{Receiver(d), d.Name.Name}, d.Name, d, nil}) {
					return
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					var ids []*ast.Ident
					switch s := s.(type) {
					case *ast.ValueSpec:
						ids = s.Names
					case *ast.TypeSpec:
						ids = []*ast.Ident{s.Name}
					}
					for _, id := range ids {
						if !yield(Decl{Member{"", id.Name}, id, nil, s}) {
							return
						}
					}
				}
			}
		}
	}
}

// Functions yields the functions and methods of files.
func Functions(files ...*ast.File) iter.Seq[*ast.FuncDecl] {
	return func(yield func(*ast.FuncDecl) bool) {
		for _, f := range files {
			for d := range Declarations(f) {
				if d.Func != nil && !yield(d.Func) {
					return
				}
			}
		}
	}
}

// Declared lists what a file declares, imports left out. A file that does not parse counts
// for what could be read of it.
func Declared(src []byte) []Member {
	f, _ := parser.ParseFile(token.NewFileSet(), "", src, parser.SkipObjectResolution)
	if f == nil {
		return nil
	}
	var ms []Member
	for d := range Declarations(f) {
		ms = append(ms, d.Member)
	}
	return ms
}

// UncachedSuffix is what the name of an annotated function ends in where its wrapper has the
// name without it.
const UncachedSuffix = "Uncached"

// Wrapper returns the name of the wrapper of an annotated function. option is what name= says,
// "" if it says nothing. The result is "" where that leaves it open: the name is exported and
// without the suffix, or has no exported form.
func Wrapper(name, option string) string {
	switch {
	case option != "":
		return option
	case strings.HasSuffix(name, UncachedSuffix) && name != UncachedSuffix:
		return strings.TrimSuffix(name, UncachedSuffix)
	case ast.IsExported(name):
		return ""
	}
	r, n := utf8.DecodeRuneInString(name)
	if w := string(unicode.ToUpper(r)) + name[n:]; ast.IsExported(w) {
		return w
	}
	return ""
}

// Receiver returns the name of a method's receiver type, without pointers, parentheses
// and type parameters. It is "" for a function, and "?" where the type has no name.
func Receiver(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return ""
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.ParenExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return "?"
		}
	}
}

// Nearest returns the candidate that s was most likely meant to be, whatever its case, and
// how many letters differ. It is "" when none is near; of several, it is the first.
func Nearest(s string, candidates []string) (name string, distance int) {
	s = strings.ToLower(s)
	distance = 1 + len(s)/3
	for _, c := range candidates {
		d := edits(s, strings.ToLower(c))
		if d < len(s) && (d < distance || d == distance && name == "") {
			name, distance = c, d
		}
	}
	return name, distance
}

// edits counts the insertions, deletions, replacements and swaps of neighbours between two
// short names (the optimal string alignment distance).
func edits(a, b string) int {
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}

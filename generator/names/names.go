// Package names answers questions about names in source that need no types: what a file
// declares, whose method a declaration is, and which name a misspelt one was meant to be.
package names

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
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

// Declared lists what a file declares, imports left out. A file that does not parse counts
// for what could be read of it.
func Declared(src []byte) []Member {
	f, _ := parser.ParseFile(token.NewFileSet(), "", src, parser.SkipObjectResolution)
	if f == nil {
		return nil
	}
	var ms []Member
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			ms = append(ms, Member{Receiver(d), d.Name.Name})
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.ValueSpec:
					for _, id := range s.Names {
						ms = append(ms, Member{"", id.Name})
					}
				case *ast.TypeSpec:
					ms = append(ms, Member{"", s.Name.Name})
				}
			}
		}
	}
	return ms
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

package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestExportedNamesAreDocumented fails for an exported identifier whose comment is missing or does
// not start with its name. A group in parentheses may have one comment for all.
func TestExportedNamesAreDocumented(t *testing.T) {
	for _, p := range allPackages(t) {
		if strings.HasPrefix(p.path, "internal/") {
			continue
		}
		dir := filepath.Join(root(t), filepath.FromSlash(p.path))
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
				continue
			}
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, filepath.Join(dir, e.Name()), nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			if f.Name.Name == "main" {
				continue
			}
			complain := func(pos token.Pos, name, what string) {
				at := fset.Position(pos)
				t.Errorf("%s/%s:%d: %s %s", p.path, e.Name(), at.Line, name, what)
			}
			check := func(pos token.Pos, name string, docs ...*ast.CommentGroup) {
				i := slices.IndexFunc(docs, func(d *ast.CommentGroup) bool { return strings.TrimSpace(d.Text()) != "" })
				if i < 0 {
					complain(pos, name, "has no comment")
				} else if first := strings.Fields(docs[i].Text()); !slices.ContainsFunc(first[:min(2, len(first))], func(w string) bool { return strings.Trim(w, ".,:;'") == name || strings.TrimSuffix(w, "'s") == name }) {
					complain(pos, name, "has a comment that does not start with its name")
				}
			}
			for _, d := range f.Decls {
				switch d := d.(type) {
				case *ast.FuncDecl:
					if d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d))) {
						check(d.Pos(), d.Name.Name, d.Doc)
					}
				case *ast.GenDecl:
					for _, s := range d.Specs {
						switch s := s.(type) {
						case *ast.TypeSpec:
							if s.Name.IsExported() && (!d.Lparen.IsValid() || d.Doc == nil) {
								check(s.Pos(), s.Name.Name, s.Doc, d.Doc)
							}
						case *ast.ValueSpec:
							for _, n := range s.Names {
								switch {
								case !n.IsExported():
								case d.Lparen.IsValid() && (d.Doc != nil || s.Doc != nil || s.Comment != nil):
								default:
									check(n.Pos(), n.Name, s.Doc, d.Doc)
								}
							}
						}
					}
				}
			}
		}
	}
}

// receiver is the name of a method's type.
func receiver(d *ast.FuncDecl) string {
	typ := d.Recv.List[0].Type
	for {
		switch t := typ.(type) {
		case *ast.StarExpr:
			typ = t.X
		case *ast.ParenExpr:
			typ = t.X
		case *ast.IndexExpr:
			typ = t.X
		case *ast.IndexListExpr:
			typ = t.X
		case *ast.Ident:
			return t.Name
		default:
			return ""
		}
	}
}

// TestPackagesForPeopleHaveExamples asks of each package that people import for an example of
// the package as a whole.
func TestPackagesForPeopleHaveExamples(t *testing.T) {
	for _, p := range allPackages(t) {
		if p.path != "cache" && !strings.HasPrefix(p.path, "cache/") {
			continue
		}
		files, err := filepath.Glob(filepath.Join(root(t), filepath.FromSlash(p.path), "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		found := slices.ContainsFunc(files, func(file string) bool {
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			return slices.ContainsFunc(f.Decls, func(d ast.Decl) bool {
				fn, ok := d.(*ast.FuncDecl)
				return ok && fn.Recv == nil && fn.Name.Name == "Example"
			})
		})
		if !found {
			t.Errorf("package %s has no func Example in its tests", p.path)
		}
	}
}

package reads

import (
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cachegen/cachegen/generator/diag"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write what was found into the cases")

// imports gives types of the standard library from export data, and those of modules
// from the stubs in testdata.
type imports struct {
	fset  *token.FileSet
	std   types.Importer
	stubs map[string]*types.Package
}

var exports = sync.OnceValues(func() (map[string]string, error) {
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}", "net/http", "html/template", "time").Output()
	if err != nil {
		return nil, err
	}
	m := map[string]string{}
	for line := range strings.Lines(string(out)) {
		p, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		m[p] = file
	}
	return m, nil
})

func newImports(t *testing.T, fset *token.FileSet) *imports {
	m, err := exports()
	if err != nil {
		t.Fatal(err)
	}
	std := importer.ForCompiler(fset, "gc", func(p string) (io.ReadCloser, error) {
		if m[p] == "" {
			return nil, errors.New("no export data for " + p)
		}
		return os.Open(m[p])
	})
	return &imports{fset, std, map[string]*types.Package{}}
}

func (im *imports) Import(p string) (*types.Package, error) {
	if pkg := im.stubs[p]; pkg != nil {
		return pkg, nil
	}
	file := filepath.Join("testdata", "stubs", path.Base(p)+".go")
	if !strings.Contains(p, ".") {
		return im.std.Import(p)
	}
	f, err := parser.ParseFile(im.fset, file, nil, 0)
	if err != nil {
		return nil, err
	}
	cfg := types.Config{Importer: im}
	pkg, err := cfg.Check(p, im.fset, []*ast.File{f}, nil)
	im.stubs[p] = pkg
	return pkg, err
}

// sourceOf type-checks the files of a case. Names of files in other/ are those of
// excluded ones. Wrappers are named by comments "//wrapper Name of name".
func sourceOf(t *testing.T, ar *txtar.Archive) *Source {
	s := &Source{Fset: token.NewFileSet(), Wrappers: map[string]*ast.FuncDecl{}}
	for _, file := range ar.Files {
		if !strings.HasSuffix(file.Name, ".go") {
			continue
		}
		f, err := parser.ParseFile(s.Fset, file.Name, file.Data, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(file.Name, "other/") {
			s.Other = append(s.Other, f)
		} else {
			s.Files = append(s.Files, f)
		}
	}
	s.Info = &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{},
		Uses: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{},
		Implicits: map[ast.Node]types.Object{},
	}
	undefined := strings.Contains(string(ar.Comment), "undefined names")
	cfg := types.Config{Importer: newImports(t, s.Fset), Error: func(err error) {
		if !undefined {
			t.Errorf("the case does not compile: %v", err)
		}
	}}
	s.Types, _ = cfg.Check("example.com/p", s.Fset, s.Files, s.Info)
	for _, f := range s.Files {
		for _, d := range f.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && d.Doc != nil {
				for _, c := range d.Doc.List {
					if name, ok := strings.CutPrefix(c.Text, "//wrapper "); ok {
						s.Wrappers[name] = d
					}
				}
			}
		}
	}
	return s
}

var drawnTo = map[string]bool{"io.Writer": true, "net/http.ResponseWriter": true}

func isDrawnTo(t types.Type) bool { return drawnTo[types.TypeString(t, nil)] }

// describe says what Find finds for every annotated function of a case.
func describe(s *Source) string {
	var b strings.Builder
	for _, f := range s.Files {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Doc == nil || !strings.Contains(fn.Doc.List[len(fn.Doc.List)-1].Text, "//cache:") {
				continue
			}
			found, ds := s.Find(fn, isDrawnTo)
			fmt.Fprintf(&b, "%s:", fn.Name.Name)
			if !diag.HasErrors(ds) {
				for _, r := range found.Inputs {
					fmt.Fprintf(&b, " %s", r)
				}
				for _, p := range found.Traced {
					fmt.Fprintf(&b, " input@%d", p.Line)
				}
			}
			b.WriteByte('\n')
			for _, d := range ds {
				fmt.Fprintf(&b, "  %s: %s: %s\n", d.Pos, d.Code, d.Message)
				for _, r := range d.Related {
					fmt.Fprintf(&b, "    %s: %s\n", r.Pos, r.Message)
				}
			}
		}
	}
	return b.String()
}

// Every case holds annotated functions, and what is to be found of each, either inputs
// or diagnostics. The name of a case is the hazard that it is about.
func TestReadsAreFound(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := describe(sourceOf(t, ar))
			last := &ar.Files[len(ar.Files)-1]
			if last.Name != "want" {
				t.Fatal("the last file of a case is want")
			}
			if *update {
				last.Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(ar), 0o666); err != nil {
					t.Fatal(err)
				}
			} else if want := string(last.Data); got != want {
				t.Errorf("found\n%s\nwant\n%s", got, want)
			}
		})
	}
}

package load_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/load"
	"github.com/cachegen/cachegen/generator/scan"
	"golang.org/x/tools/txtar"
)

// lay writes an archive into a new directory, with a go.mod that requires this module
// unless the archive has one.
func lay(t *testing.T, archive string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	repository, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	gomod := fmt.Sprintf("module example.com/m\n\ngo 1.26.0\n\nrequire github.com/cachegen/cachegen v0.0.0\n\nreplace github.com/cachegen/cachegen => %s\n", filepath.ToSlash(repository))
	for _, f := range append([]txtar.File{{Name: "go.mod", Data: []byte(gomod)}}, txtar.Parse([]byte(archive)).Files...) {
		path := filepath.Join(root, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// loaded scans and loads a directory.
func loaded(t *testing.T, root string) (map[string]*load.Package, []diag.Diagnostic) {
	t.Helper()
	return loadedWith(t, load.Config{Dir: root, Env: append(os.Environ(), "GOWORK=off", "GOFLAGS=", "GOPROXY=off")})
}

func loadedWith(t *testing.T, cfg load.Config) (map[string]*load.Package, []diag.Diagnostic) {
	t.Helper()
	root := cfg.Dir
	res, err := scan.Tree(context.Background(), []scan.Root{{Dir: root, Below: true}})
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*scan.Annotated
	for _, f := range res.Files {
		if f.Candidate {
			a := scan.Annotate(fset, f)
			if len(a.Diagnostics) > 0 {
				t.Fatal(a.Diagnostics)
			}
			files = append(files, a)
		}
	}
	cfg.Fset = fset
	pkgs, ds := load.Load(context.Background(), cfg, files)
	byPath := map[string]*load.Package{}
	for _, p := range pkgs {
		byPath[strings.TrimPrefix(p.ImportPath, "example.com/m/")] = p
	}
	return byPath, ds
}

// A type is one object wherever it is met: through a package that is typed from source
// because it stands between annotated ones, through export data, and directly.
func TestTypesAreOneThroughAllPaths(t *testing.T) {
	pkgs, ds := loaded(t, lay(t, `
-- b/b.go --
package b

import "net/url"

type T struct{ URL *url.URL }

//cache:data
func load(n int) T { return T{} }

// Without its wrapper the package does not compile.
var First = Load(1)
-- c/c.go --
package c

import (
	"net/http"

	"example.com/m/b"
)

type Pair struct {
	T b.T
	R *http.Request
}

func Make() b.T { return b.Load(2) }
-- a/a.go --
package a

import (
	"net/http"
	"net/url"

	"example.com/m/b"
	"example.com/m/c"
)

//cache:data
func top(p c.Pair, r *http.Request) *url.URL { return nil }

var (
	_ b.T           = c.Make()
	_ b.T           = c.Pair{}.T
	_ *url.URL      = c.Pair{}.T.URL
	_ *url.URL      = (&http.Request{}).URL
	_ *http.Request = c.Pair{}.R
)
`))
	if len(ds) > 0 {
		t.Errorf("diagnostics: %v", ds)
	}
	a, b := pkgs["a"], pkgs["b"]
	if a == nil || b == nil || len(pkgs) != 2 {
		t.Fatalf("loaded %v", pkgs)
	}
	for _, e := range a.Errors {
		t.Errorf("type error: %v", e)
	}
	if len(b.Errors) != 1 || b.Errors[0].Msg != "undefined: Load" {
		t.Errorf("errors of b: %v", b.Errors)
	}
	top := a.Types.Scope().Lookup("top").Type().(*types.Signature)
	field := top.Params().At(0).Type().Underlying().(*types.Struct).Field(0)
	if want := b.Types.Scope().Lookup("T").Type(); field.Type() != want {
		t.Errorf("c.Pair.T is another type than b.T")
	}
}

// When the go command is still compiling, types come from source: those of the standard
// library, of what is vendored in it, and of this package's own dependencies. What uses cgo
// is waited for.
func TestTypesFromSourceWhileTheGoCommandCompiles(t *testing.T) {
	root := lay(t, `
-- a/a.go --
package a

import (
	"net/http"
	"os"
	"text/template"

	"example.com/m/c"
	"example.com/m/deep"
)

//cache:data
func f(r *http.Request, d deep.D, s c.Size, m os.FileMode) *template.Template { return nil }

var _ error = &http.ProtocolError{}
-- deep/deep.go --
package deep

import "io/fs"

type D struct{ Mode fs.FileMode }

var broken string = 1
-- c/c.go --
package c

// typedef unsigned short size;
import "C"

type Size struct{ N C.size }
`)
	env := append(os.Environ(), "GOWORK=off", "GOFLAGS=", "GOPROXY=off")
	pkgs, ds := loadedWith(t, load.Config{Dir: root, Patience: 1, Env: env})
	if len(ds) > 0 {
		t.Errorf("diagnostics: %v", ds)
	}
	a := pkgs["a"]
	if a == nil {
		t.Fatal("not loaded")
	}
	for _, e := range a.Errors {
		t.Errorf("type error: %v", e)
	}
	params := a.Types.Scope().Lookup("f").Type().(*types.Signature).Params()
	field := func(i, j int) types.Type { return params.At(i).Type().Underlying().(*types.Struct).Field(j).Type() }
	if types.Unalias(field(1, 0)) != types.Unalias(params.At(3).Type()) {
		t.Error("fs.FileMode is another type than os.FileMode")
	}
	if got := field(2, 0).Underlying().String(); got != "uint16" {
		t.Errorf("C.size is %s", got)
	}
}

// A dependency that does not compile, annotated or not, is typed from source.
func TestBrokenDependenciesAreTypedFromSource(t *testing.T) {
	pkgs, ds := loaded(t, lay(t, `
-- dep/dep.go --
package dep

import "example.com/m/dep/deeper"

type T struct{ D deeper.D }

func broken() int { return "no" }
-- dep/deeper/deeper.go --
package deeper

type D struct{ N int }

var x int = "no"
-- a/a.go --
package a

import "example.com/m/dep"

//cache:data
func f(t dep.T) int { return t.D.N }
`))
	if len(ds) > 0 || len(pkgs["a"].Errors) > 0 {
		t.Errorf("%v, %v", ds, pkgs["a"].Errors)
	}
	p := pkgs["a"].Types.Scope().Lookup("f").Type().(*types.Signature).Params().At(0).Type()
	if s, ok := p.Underlying().(*types.Struct); !ok || s.NumFields() != 1 || types.TypeString(s.Field(0).Type().Underlying(), nil) != "struct{N int}" {
		t.Errorf("T is %v", p.Underlying())
	}
}

const simple = `
-- a/a.go --
package a

import "strings"

//cache:data
func f(n int) string { return strings.Repeat("x", n) }

// caller does not compile without its wrapper.
func caller() string { return F(1) }

// broken never does.
func broken() int { return "no" }

func g(n int) int {
	local := n + 1
	return local
}
-- a/a_test.go --
package a

func helper() {}
-- a/ext_test.go --
package a_test

func external() {}
-- a/a_never.go --
//go:build never

package a

func hidden() {}
-- a/gen.go --
//go:build ignore

package main
-- a/a_cachegen.go --
// Code generated by cachegen from a.go; DO NOT EDIT.

package a

type FromGenerated int
`

func TestFilesOfAPackageAreThoseOfItsBuild(t *testing.T) {
	root := lay(t, simple)
	pkgs, ds := loaded(t, root)
	p := pkgs["a"]
	if len(ds) > 0 {
		t.Errorf("diagnostics: %v", ds)
	}
	names := func(files []*load.File) string {
		var all []string
		for _, f := range files {
			all = append(all, filepath.Base(f.Name))
		}
		return strings.Join(all, " ")
	}
	if got := names(p.Syntax); got != "a.go" {
		t.Errorf("Syntax: %s", got)
	}
	if got := names(p.Other); got != "a_never.go a_test.go" {
		t.Errorf("Other: %s", got)
	}
	if len(p.Generated) != 1 || p.Types.Scope().Lookup("FromGenerated") != nil {
		t.Errorf("Generated: %v", p.Generated)
	}
	if p.Module != "example.com/m" || p.ModuleDir != root || p.GoVersion != "1.26.0" || p.Name != "a" || p.Dir != filepath.Join(root, "a") {
		t.Errorf("%+v", p)
	}
	if len(p.Errors) != 0 {
		t.Errorf("errors without bodies: %v", p.Errors)
	}
	if _, err := p.Import("time"); err != nil {
		t.Error(err)
	}
	if _, err := p.Import("archive/zip"); err != nil { // not asked for with the others
		t.Error(err)
	}
	if _, err := p.Import("example.com/nowhere"); err == nil {
		t.Error("a package that does not exist was imported")
	}
}

func TestBodiesAreTypedOnDemand(t *testing.T) {
	pkgs, _ := loaded(t, lay(t, simple))
	p := pkgs["a"]
	body := p.Bodies()
	if body != p.Bodies() {
		t.Error("typed twice")
	}
	var local types.Object
	ast.Inspect(p.Syntax[0].Syntax, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == "local" && local == nil {
			local = body.Info.Defs[id]
		}
		return true
	})
	if local == nil || local.Type().String() != "int" {
		t.Errorf("local is %v", local)
	}
	g, _ := body.Types.Scope().Lookup("g").(*types.Func)
	if d := p.Decl(g); d == nil || d.Name.Name != "g" {
		t.Errorf("declaration of g is %v", d)
	}
}

// What generated code adds is an error; what was wrong before is not.
func TestOutputIsTypeChecked(t *testing.T) {
	const head = "// Code generated by cachegen from a.go; DO NOT EDIT.\n\npackage a\n\n"
	for name, c := range map[string]struct{ src, want string }{
		"good":          {"func F(n int) string { return f(n) }\n", ""},
		"syntax":        {"func F( {\n", "expected"},
		"undefined":     {"func F(n int) string { return nothing(n) }\n", "undefined: nothing"},
		"unused import": {"import \"time\"\n\nfunc F(n int) string { return f(n) }\n", "\"time\" imported and not used"},
		"unused":        {"func F(n int) string { x := 1; return f(n) }\n", "declared and not used: x"},
		"redeclared":    {"func F(n int) string { return f(n) }\nfunc g() {}\n", "g redeclared"},
		"wrong type":    {"func F(n int) int { return f(n) }\n", "cannot use f(n)"},
		"other package": {"import \"archive/zip\"\n\nvar Z zip.Reader\n\nfunc F(n int) string { return f(n) }\n", ""},
		"no package":    {"import \"example.com/nowhere\"\n\nvar Z nowhere.T\n\nfunc F(n int) string { return f(n) }\n", "could not import example.com/nowhere"},
		"cycle":         {"var x = y()\n\nfunc y() int { return x }\n\nfunc F(n int) string { return f(n) }\n", "initialization cycle"},
	} {
		t.Run(name, func(t *testing.T) {
			pkgs, _ := loaded(t, lay(t, simple))
			p := pkgs["a"]
			errs := p.Check([]load.Output{{Name: filepath.Join(p.Dir, "a_cachegen.go"), Src: []byte(head + c.src)}}).Errors
			switch {
			case c.want == "" && len(errs) > 0:
				t.Errorf("errors: %+v", errs)
			case c.want != "" && (len(errs) == 0 || !strings.Contains(errs[0].Msg, c.want)):
				t.Errorf("errors: %+v", errs)
			}
		})
	}
}

// A caller that did not compile for want of the wrapper, and does not fit it, is wrong itself.
func TestCheckTellsCallersFromOutput(t *testing.T) {
	pkgs, _ := loaded(t, lay(t, simple))
	p := pkgs["a"]
	c := p.Check([]load.Output{{Name: filepath.Join(p.Dir, "a_cachegen.go"), Src: []byte("package a\n\nfunc F(n string) string { return n }\n")}})
	if len(c.Errors) > 0 || len(c.Uses) != 1 || !strings.Contains(c.Uses[0].Msg, "cannot use 1") {
		t.Errorf("%+v", c)
	}
}

func TestCgoIsParsedAndNotRun(t *testing.T) {
	pkgs, ds := loaded(t, lay(t, `
-- a/a.go --
package a

// this is no C at all
import "C"

//cache:data
func f(n int) int { return int(C.whatever(C.int(n))) }
`))
	if cgo := os.Getenv("CGO_ENABLED"); cgo == "0" {
		if len(pkgs) != 0 || len(ds) != 1 || ds[0].Code != diag.Excluded {
			t.Errorf("%v, %v", pkgs, ds)
		}
		return
	}
	if p := pkgs["a"]; len(ds) > 0 || p == nil || len(p.Errors) > 0 {
		t.Errorf("%v, %v", pkgs, ds)
	}
}

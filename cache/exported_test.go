package cache_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/cache"
)

// packageDoc reads the documentation of the package, and the names of its examples.
func packageDoc(t *testing.T) (p *doc.Package, examples []string) {
	t.Helper()
	set := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		f, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "_test.go") {
			files = append(files, f)
		}
		for _, e := range doc.Examples(f) {
			if e.Output == "" {
				t.Errorf("Example%s says no output, so it is not run", e.Name)
			}
			examples = append(examples, e.Name)
		}
	}
	p, err = doc.NewFromFiles(set, files, "github.com/cachegen/cachegen/cache")
	if err != nil {
		t.Fatal(err)
	}
	return p, examples
}

// Everything that the package exports has a comment and an example that is run.
func TestEveryIdentifierHasACommentAndAnExample(t *testing.T) {
	p, examples := packageDoc(t)
	check := func(name, comment string) {
		if !ast.IsExported(name) {
			return
		}
		if comment == "" {
			t.Errorf("%s has no comment", name)
		}
		if !slices.Contains(examples, name) {
			t.Errorf("%s has no example", name)
		}
	}
	n := 0
	for _, vs := range [][]*doc.Value{p.Consts, p.Vars} {
		for _, v := range vs {
			for _, name := range v.Names {
				check(name, v.Doc)
				n++
			}
		}
	}
	for _, f := range p.Funcs {
		check(f.Name, f.Doc)
		n++
	}
	for _, typ := range p.Types {
		check(typ.Name, typ.Doc)
		n++
		for _, fs := range [][]*doc.Func{typ.Funcs, typ.Methods} {
			for _, f := range fs {
				check(f.Name, f.Doc)
				n++
			}
		}
		for _, v := range append(typ.Consts, typ.Vars...) {
			for _, name := range v.Names {
				check(name, v.Doc)
				n++
			}
		}
	}
	if n < 15 {
		t.Errorf("the package has %d identifiers", n)
	}
}

// The documentation of a type shows what is in it: no type is the alias of one elsewhere, but
// that of the error, whose comment has the fields and methods.
func TestTypesAreSpelledOut(t *testing.T) {
	p, _ := packageDoc(t)
	for _, typ := range p.Types {
		if !typ.Decl.Specs[0].(*ast.TypeSpec).Assign.IsValid() {
			continue
		}
		if typ.Name != "CycleError" {
			t.Errorf("%s is an alias", typ.Name)
			continue
		}
		e := reflect.TypeFor[cache.CycleError]()
		for i := range e.NumField() {
			if f := e.Field(i); f.IsExported() && !strings.Contains(typ.Doc, f.Name+" "+f.Type.String()) {
				t.Errorf("the comment of CycleError does not show its field %s", f.Name)
			}
		}
		for i := range reflect.PointerTo(e).NumMethod() {
			if m := reflect.PointerTo(e).Method(i); !strings.Contains(typ.Doc, "func (e *CycleError) "+m.Name+"(") {
				t.Errorf("the comment of CycleError does not show its method %s", m.Name)
			}
		}
	}
}

package emit

import (
	"bytes"
	"cmp"
	"fmt"
	"go/format"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/generator/load"
	"github.com/cachegen/cachegen/generator/model"
)

// FileName returns the name of the file that is generated from a source file.
func FileName(source string) string { return strings.TrimSuffix(source, ".go") + "_cachegen.go" }

// Package writes the generated files of a package, one for each source file that has
// planned functions, sorted by name. The functions may come in any order.
func Package(pkg *load.Package, funcs []*model.Func) ([]load.Output, error) {
	funcs = slices.SortedFunc(slices.Values(funcs), func(a, b *model.Func) int {
		return cmp.Or(cmp.Compare(a.File.Name, b.File.Name), cmp.Compare(a.Decl.Pos(), b.Decl.Pos()))
	})
	// Methods of T and of t are called alike, and so are a function and a method, by chance.
	bases := map[string]bool{}
	for _, f := range funcs {
		for bases[f.Base] {
			f.Base += "_"
		}
		bases[f.Base] = true
	}
	var outputs []load.Output
	for i := 0; i < len(funcs); {
		j := i
		for j < len(funcs) && funcs[j].File == funcs[i].File {
			j++
		}
		src, err := file(pkg, funcs[i].File, funcs[i:j], funcs)
		if err != nil {
			return nil, err
		}
		outputs = append(outputs, load.Output{Name: FileName(funcs[i].File.Name), Src: src})
		i = j
	}
	return outputs, nil
}

// file writes one generated file. all are the functions of the whole package.
func file(pkg *load.Package, f *load.File, funcs, all []*model.Func) ([]byte, error) {
	// Which names the text refers to is known once it has been written; parameters of
	// these names are called otherwise the second time.
	refs := map[string]bool{"nil": true, "true": true, "false": true, "panic": true}
	var text []byte
	for range 2 {
		n := newNames(pkg, f, funcs, all)
		n.refs = refs
		text = compose(n, pkg, f, funcs)
		refs = n.refs
	}
	src, err := format.Source(text)
	if err != nil {
		return nil, fmt.Errorf("the text generated for %s is not Go: %w\n%s", filepath.Base(f.Name), err, text)
	}
	return src, nil
}

func compose(n *names, pkg *load.Package, f *load.File, funcs []*model.Func) []byte {
	h := newHelpers(n, f.Name)
	var v struct {
		From, Constraint, Package, Imports, Cache string
		Funcs, Helpers                            []string
	}
	for _, fn := range funcs {
		v.Funcs = append(v.Funcs, h.function(fn))
	}
	h.pinFuncs()
	taken := scope{}
	for r := range n.refs {
		taken[r] = true
	}
	for _, text := range h.funcs {
		v.Helpers = append(v.Helpers, settle(text, taken))
	}
	v.From, v.Package = filepath.Base(f.Name), pkg.Name
	v.Constraint = load.Constraint(pkg.Fset, filepath.Base(f.Name), f.Syntax)
	v.Cache = strings.TrimSuffix(n.cache("X"), "X")
	v.Imports = n.importBlock(strings.Join(slices.Concat(v.Funcs, v.Helpers), ""))
	var b bytes.Buffer
	if err := texts.ExecuteTemplate(&b, "file.tmpl", &v); err != nil {
		panic(err) // the templates are constant
	}
	return b.Bytes()
}

package emit

import (
	"bytes"
	"cmp"
	"fmt"
	"go/build/constraint"
	"go/format"
	"go/token"
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
	taken := scope{}
	for r := range n.refs {
		taken[r] = true
	}
	for _, text := range h.funcs {
		v.Helpers = append(v.Helpers, settle(text, taken))
	}
	v.From, v.Package = filepath.Base(f.Name), pkg.Name
	v.Constraint = Constraint(pkg.Fset, f)
	v.Cache = strings.TrimSuffix(n.cache("X"), "X")
	v.Imports = n.importBlock(strings.Join(slices.Concat(v.Funcs, v.Helpers), ""))
	var b bytes.Buffer
	if err := texts.ExecuteTemplate(&b, "file.tmpl", &v); err != nil {
		panic(err) // the templates are constant
	}
	return b.Bytes()
}

// Constraint returns the build constraint of a generated file: that of its source, with
// what the source's name says and the generated file's name does not.
func Constraint(fset *token.FileSet, f *load.File) string {
	var exprs []constraint.Expr
	for _, tag := range nameTags(filepath.Base(f.Name)) {
		exprs = append(exprs, &constraint.TagExpr{Tag: tag})
	}
	for _, s := range f.Syntax.Imports {
		if s.Path.Value == `"C"` {
			// The source vanishes where there is no cgo.
			exprs = append(exprs, &constraint.TagExpr{Tag: "cgo"})
			break
		}
	}
	exprs = append(exprs, written(fset, f)...)
	if len(exprs) == 0 {
		return ""
	}
	x := exprs[0]
	for _, y := range exprs[1:] {
		x = &constraint.AndExpr{X: x, Y: y}
	}
	return x.String()
}

// written returns the constraints that a file's comments hold: its //go:build line or, as
// the go command has it, in a file without one its // +build lines, all of which must hold.
func written(fset *token.FileSet, f *load.File) []constraint.Expr {
	var build, plus []constraint.Expr
	for i, g := range f.Syntax.Comments {
		if g.Pos() > f.Syntax.Package {
			break
		}
		// A +build line counts only if there is a blank line between it and what follows.
		next := f.Syntax.Package
		if i+1 < len(f.Syntax.Comments) {
			next = min(next, f.Syntax.Comments[i+1].Pos())
		}
		apart := fset.PositionFor(next, false).Line > fset.PositionFor(g.End(), false).Line+1
		for _, c := range g.List {
			x, err := constraint.Parse(c.Text)
			switch {
			case err != nil:
			case constraint.IsGoBuild(c.Text):
				build = append(build, x)
			case apart:
				plus = append(plus, x)
			}
		}
	}
	if len(build) > 0 {
		return build
	}
	return plus
}

// nameTags returns the tags that a file's name stands for: _GOOS, _GOARCH or both
// before .go.
func nameTags(name string) []string {
	name = strings.TrimSuffix(name, ".go")
	name, _ = strings.CutSuffix(name, "_test")
	// As the go command has it, what stands before the first underscore is never a tag.
	_, rest, ok := strings.Cut(name, "_")
	if !ok {
		return nil
	}
	parts := strings.Split(rest, "_")
	last := parts[len(parts)-1]
	if len(parts) >= 2 && goos[parts[len(parts)-2]] && goarch[last] {
		return []string{parts[len(parts)-2], last}
	}
	if goos[last] || goarch[last] {
		return []string{last}
	}
	return nil
}

// Operating systems and architectures that a file's name can stand for, as go/build has
// them: all that ever were, for they keep their meaning.
var (
	goos = set("aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasip1 windows zos")

	goarch = set("386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le " +
		"ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm")
)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/generator/names"
	"golang.org/x/tools/go/packages"
)

// fn is one function of the module.
type fn struct {
	file       string // absolute
	rel        string // directory of its package, relative to the module, "./x"
	recv, name string
	pointer    bool   // the receiver is a pointer
	exported   bool   // all of its name
	skip       string // why it is not annotated, "" if it is
	must       bool   // the judge says that it has to be cached
	mustKey    bool   // and that its receiver can be part of the key
	pure       bool   // it looks as if it had neither effects nor hidden inputs
	verdict    verdict
	turn       int      // which further options it gets
	plain      bool     // it is tried without them
	refusal    *finding // why it was refused with them, nil if it was not, or not for them alone
	decl       *ast.FuncDecl
	insert     int // offset of the line of func
	first      int // lines of the declaration with its doc comment, in the original file
	last       int
	options    []string // of the directive, recv= and scope= of retries
	other      bool     // take another name for the wrapper: the first clashes
	refused    *finding // why not, in this pass
	keyRefused *finding // why not with recv=key
}

// ref names the function for adopt.
func (f *fn) ref() string {
	if f.recv != "" {
		return f.rel + "." + f.recv + "." + f.name
	}
	return f.rel + "." + f.name
}

// load types the module's packages and lists their functions. Packages that do not build
// are left out and named.
func (m *module) load() error {
	cfg := &packages.Config{
		Dir: m.dir, Env: m.env(),
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedTypes |
			packages.NeedTypesSizes | packages.NeedSyntax | packages.NeedTypesInfo | packages.NeedModule,
	}
	pkgs, err := packages.Load(cfg, m.only...)
	if err != nil {
		return err
	}
	for _, p := range pkgs {
		if len(p.Errors) > 0 {
			m.broken = append(m.broken, fmt.Sprintf("%s: %v", p.PkgPath, p.Errors[0]))
			continue
		}
		if len(p.GoFiles) == 0 || p.TypesInfo == nil {
			continue
		}
		rel, err := filepath.Rel(m.dir, filepath.Dir(p.GoFiles[0]))
		if err != nil {
			return err
		}
		rel = "./" + filepath.ToSlash(rel)
		if rel == "./." {
			rel = "."
		}
		if m.beside[rel] {
			continue
		}
		m.pkgs = append(m.pkgs, rel)
		pu := newPurity(p)
		for _, f := range p.Syntax {
			m.collect(p, f, rel, pu)
		}
	}
	slices.Sort(m.pkgs)
	slices.SortFunc(m.fns, func(a, b *fn) int {
		return cmp.Or(strings.Compare(a.file, b.file), cmp.Compare(a.insert, b.insert))
	})
	return nil
}

func (m *module) collect(p *packages.Package, f *ast.File, rel string, pu *purity) {
	fset := p.Fset
	raw := fset.PositionFor(f.Pos(), false).Filename
	cgo := filepath.Dir(raw) != filepath.Dir(p.GoFiles[0])
	name := raw
	if cgo {
		name = fset.Position(f.Pos()).Filename
	}
	if !slices.Contains(p.GoFiles, name) {
		return // made by cgo
	}
	src, ok := m.files[name]
	if !ok {
		b, err := os.ReadFile(name)
		if err != nil {
			return
		}
		src = b
		m.files[name] = b
	}
	lines := bytes.SplitAfter(src, []byte("\n"))
	offset := func(line int) int {
		n := 0
		for _, l := range lines[:line-1] {
			n += len(l)
		}
		return n
	}
	for _, d := range f.Decls {
		d, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		m.seen++
		pos, end := fset.PositionFor(d.Pos(), cgo), fset.PositionFor(d.End(), cgo)
		if filepath.Clean(pos.Filename) != name {
			continue // a //line comment, or code that cgo made
		}
		x := &fn{file: name, rel: rel, name: d.Name.Name, decl: d, first: pos.Line, last: end.Line, insert: offset(pos.Line)}
		if d.Doc != nil {
			x.first = fset.PositionFor(d.Doc.Pos(), cgo).Line
		}
		x.recv, x.pointer = receiver(d)
		x.exported = d.Name.IsExported() && (x.recv == "" || token.IsExported(x.recv))
		obj, _ := p.TypesInfo.Defs[d.Name].(*types.Func)
		switch {
		case d.Body == nil:
			x.skip = "no body"
		case x.name == "_" || x.recv == "_":
			x.skip = "blank"
		case x.recv == "" && (x.name == "init" || x.name == "main" && p.Name == "main"):
			x.skip = "main, init"
		case pos.Column != 1:
			x.skip = "not at the start of a line"
		case obj == nil:
			x.skip = "not typed"
		default:
			j := judge{p.Types}
			x.verdict = j.verdict(obj.Signature())
			if x.verdict.draws {
				x.verdict.must = x.verdict.must && j.drawing(p.TypesInfo, d)
			}
			x.verdict.must = x.verdict.must && !elsewhere(p.TypesInfo, d)
			x.must = x.verdict.must
			x.mustKey = x.must && x.recv != "" && j.keyable(obj.Signature().Recv().Type(), nil)
			x.pure = pu.pure(obj)
		}
		m.fns = append(m.fns, x)
	}
}

func receiver(d *ast.FuncDecl) (name string, pointer bool) {
	if name = names.Receiver(d); name != "" {
		_, pointer = ast.Unparen(d.Recv.List[0].Type).(*ast.StarExpr)
	}
	return name, pointer
}

// annotate writes the files with a directive on every function in fns.
func (m *module) annotate(kind string, fns []*fn) error {
	byFile := map[string][]*fn{}
	for _, f := range fns {
		byFile[f.file] = append(byFile[f.file], f)
	}
	m.lines = map[string][]*fn{}
	for name, src := range m.files {
		fs := byFile[name]
		if len(fs) == 0 {
			if err := writeIfChanged(name, src); err != nil {
				return err
			}
			continue
		}
		var out []byte
		at := 0
		for _, f := range fs {
			out = append(out, src[at:f.insert]...)
			out = append(out, fmt.Sprintf("//cache:%s name=%s %s\n", kind, f.wrapper(), strings.Join(append(f.further(kind), f.options...), " "))...)
			at = f.insert
		}
		out = append(out, src[at:]...)
		m.lines[name] = fs
		if err := writeIfChanged(name, out); err != nil {
			return err
		}
	}
	return nil
}

// further returns the options that the judge would have of a data function.
func (f *fn) further(kind string) []string {
	if kind != "data" {
		return nil
	}
	if f.plain {
		return f.verdict.options(plainTurn)
	}
	return f.verdict.options(f.turn)
}

// wrapper is a name that nothing else has, unless T.f and t.f are both there.
func (f *fn) wrapper() string {
	if f.other {
		return "Torture_" + f.name + "Other"
	}
	return "Torture_" + f.name
}

// at finds the function that a line of an annotated file belongs to.
func (m *module) at(file string, line int) *fn {
	for i, f := range m.lines[file] {
		if f.first+i <= line && line <= f.last+i+1 {
			return f
		}
	}
	return nil
}

func writeIfChanged(name string, src []byte) error {
	old, err := os.ReadFile(name)
	if err == nil && bytes.Equal(old, src) {
		return nil
	}
	return os.WriteFile(name, src, 0o644)
}

// declaredAt names the function that a line of a file belongs to, as the file is now.
func declaredAt(file string, line int) (recv, name string) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return "", ""
	}
	for _, d := range f.Decls {
		d, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		start := d.Pos()
		if d.Doc != nil {
			start = d.Doc.Pos()
		}
		if fset.PositionFor(start, false).Line <= line && line <= fset.PositionFor(d.End(), false).Line {
			recv, _ = receiver(d)
			return recv, d.Name.Name
		}
	}
	return "", ""
}

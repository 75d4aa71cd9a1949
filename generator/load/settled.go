package load

import (
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/cachegen/cachegen/generator/names"
	"github.com/cachegen/cachegen/generator/scan"
)

// Settled reports whether the declaration of a type is the same wherever a file of this
// package with the given build constraint is compiled: it is in this module, so that no other
// version of it comes with another version of a dependency; no build constraint that the file
// does not have chooses it; and nothing in it is computed from what differs by machine.
//
// Generated code that depends on such a declaration can be mended where it is changed: by
// running the tool. It is safe for concurrent use.
func (p *Package) Settled(o *types.TypeName, constraint string) bool {
	p.declsMu.Lock()
	defer p.declsMu.Unlock()
	return p.settled(o, constraint, map[types.Object]bool{})
}

// OfStandardLibrary reports whether an object is declared in the standard library.
func (p *Package) OfStandardLibrary(o types.Object) bool {
	if o.Pkg() == nil {
		return true
	}
	path := o.Pkg().Path()
	first, _, _ := strings.Cut(path, "/")
	if strings.Contains(first, ".") {
		return false
	}
	name := filepath.ToSlash(p.Position(o.Pos()).Filename)
	return strings.Contains(name, "/src/"+path+"/")
}

func (p *Package) settled(o *types.TypeName, constraint string, seen map[types.Object]bool) bool {
	if o.Pkg() == nil || seen[o] {
		return true
	}
	seen[o] = true
	file := p.fileOf(o, constraint)
	if file == nil {
		return false
	}
	spec := typeSpec(file, o.Name())
	return spec != nil && p.settledExpr(spec.Type, o.Pkg(), file, constraint, seen, true)
}

// settledExpr reports the same of a type as it is written. What top-level names stand for is
// looked into: type T U has the fields of U. Other names are types of their own.
func (p *Package) settledExpr(x ast.Expr, pkg *types.Package, file *ast.File, constraint string, seen map[types.Object]bool, top bool) bool {
	ok := true
	switch x := x.(type) {
	case *ast.ParenExpr:
		return p.settledExpr(x.X, pkg, file, constraint, seen, top)
	case *ast.IndexExpr:
		return p.settledExpr(x.X, pkg, file, constraint, seen, top)
	case *ast.IndexListExpr:
		return p.settledExpr(x.X, pkg, file, constraint, seen, top)
	case *ast.Ident:
		if !top {
			return true
		}
		if o, isType := pkg.Scope().Lookup(x.Name).(*types.TypeName); isType {
			return p.settled(o, constraint, seen)
		}
		return types.Universe.Lookup(x.Name) != nil
	case *ast.SelectorExpr:
		if !top {
			return true
		}
		o, isType := p.selected(x, pkg, file).(*types.TypeName)
		switch {
		case !isType:
			return false
		case p.OfStandardLibrary(o):
			_, fields := o.Type().Underlying().(*types.Struct)
			return !fields && o.Pkg().Path() != "syscall"
		}
		return p.settled(o, constraint, seen)
	case *ast.StructType:
		for _, f := range x.Fields.List {
			ok = ok && p.settledExpr(f.Type, pkg, file, constraint, seen, false)
		}
	case *ast.ArrayType:
		return (x.Len == nil || p.settledConst(x.Len, pkg, file, constraint, seen)) && p.settledExpr(x.Elt, pkg, file, constraint, seen, false)
	case *ast.StarExpr:
		return p.settledExpr(x.X, pkg, file, constraint, seen, false)
	case *ast.MapType:
		return p.settledExpr(x.Key, pkg, file, constraint, seen, false) && p.settledExpr(x.Value, pkg, file, constraint, seen, false)
	}
	return ok
}

// settledConst reports whether a constant expression has the same value everywhere.
func (p *Package) settledConst(x ast.Expr, pkg *types.Package, file *ast.File, constraint string, seen map[types.Object]bool) bool {
	switch x := x.(type) {
	case *ast.BasicLit:
		return true
	case *ast.ParenExpr:
		return p.settledConst(x.X, pkg, file, constraint, seen)
	case *ast.BinaryExpr:
		return p.settledConst(x.X, pkg, file, constraint, seen) && p.settledConst(x.Y, pkg, file, constraint, seen)
	case *ast.SelectorExpr:
		o := p.selected(x, pkg, file)
		if o == nil || !p.OfStandardLibrary(o) {
			return false
		}
		switch o.Pkg().Path() {
		case "math", "math/bits", "runtime", "strconv", "syscall", "unsafe":
			return false
		}
		return true
	case *ast.Ident:
		o, ok := pkg.Scope().Lookup(x.Name).(*types.Const)
		if !ok || seen[o] {
			return false
		}
		seen[o] = true
		f := p.fileOf(o, constraint)
		if f == nil {
			return false
		}
		for d := range names.Declarations(f) {
			if v, ok := d.Spec.(*ast.ValueSpec); ok && d.Name == x.Name {
				i := slices.Index(v.Names, d.Ident)
				return i < len(v.Values) && p.settledConst(v.Values[i], pkg, f, constraint, seen)
			}
		}
	}
	return false
}

// selected returns what pkg.Name stands for in a file.
func (p *Package) selected(x *ast.SelectorExpr, pkg *types.Package, file *ast.File) types.Object {
	id, ok := x.X.(*ast.Ident)
	if !ok {
		return nil
	}
	var found types.Object
	for _, s := range file.Imports {
		path := strings.Trim(s.Path.Value, "`\"")
		for _, q := range pkg.Imports() {
			if q.Path() == path && (s.Name != nil && s.Name.Name == id.Name || s.Name == nil && q.Name() == id.Name) {
				found = q.Scope().Lookup(x.Sel.Name)
			}
		}
	}
	return found
}

// fileOf returns the file that declares an object, nil if that is no file of this module or
// one that other build configurations do not have.
func (p *Package) fileOf(o types.Object, constraint string) *ast.File {
	dir := p.dirOf(o.Pkg().Path())
	if dir == "" {
		return nil
	}
	base := filepath.Base(p.Position(o.Pos()).Filename)
	if strings.HasSuffix(base, "_test.go") {
		return nil
	}
	name := filepath.Join(dir, base)
	d, ok := p.decls[name]
	if i := slices.IndexFunc(p.Syntax, func(f *File) bool { return f.Name == name }); !ok && i >= 0 {
		f := p.Syntax[i].Syntax // as it is to be, which may not be on disk yet
		d, ok = declaring{f, Constraint(p.Fset, base, f)}, true
	}
	if !ok {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err == nil {
			d = declaring{f, Constraint(fset, base, f)}
		}
	}
	if p.decls == nil {
		p.decls = map[string]declaring{}
	}
	p.decls[name] = d
	if d.constraint != "" && d.constraint != constraint {
		return nil
	}
	return d.file
}

// declaring is a file of declarations.
type declaring struct {
	file       *ast.File
	constraint string
}

// decls are the files in which Settled has looked, by name.
type declCache struct {
	declsMu sync.Mutex
	decls   map[string]declaring
}

// dirOf returns the directory of a package of this module, "" for others.
func (p *Package) dirOf(path string) string {
	if path == p.ImportPath {
		return p.Dir
	}
	rest, ok := strings.CutPrefix(path, p.Module)
	if p.Module == "" || p.ModuleDir == "" || !ok || rest != "" && rest[0] != '/' {
		return ""
	}
	dir := filepath.Join(p.ModuleDir, filepath.FromSlash(rest))
	if scan.FindUp(dir, "go.mod") != p.ModuleDir {
		return "" // of a module within this one
	}
	return dir
}

// typeSpec returns the declaration of a type, nil if the file has none.
func typeSpec(f *ast.File, name string) *ast.TypeSpec {
	for d := range names.Declarations(f) {
		if s, ok := d.Spec.(*ast.TypeSpec); ok && d.Name == name {
			return s
		}
	}
	return nil
}

// Constraint returns the build constraint of a file that has this name, without folder:
// what it says, and what its name stands for. It is "" where there is none.
func Constraint(fset *token.FileSet, base string, f *ast.File) string {
	var exprs []constraint.Expr
	for _, tag := range nameTags(base) {
		exprs = append(exprs, &constraint.TagExpr{Tag: tag})
	}
	for _, s := range f.Imports {
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
func written(fset *token.FileSet, f *ast.File) []constraint.Expr {
	var build, plus []constraint.Expr
	for i, g := range f.Comments {
		if g.Pos() > f.Package {
			break
		}
		// A +build line counts only if there is a blank line between it and what follows.
		next := f.Package
		if i+1 < len(f.Comments) {
			next = min(next, f.Comments[i+1].Pos())
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

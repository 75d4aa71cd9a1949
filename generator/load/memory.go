package load

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"

	"github.com/cachegen/cachegen/generator/scan"
)

// Memory returns the package of files that are on no disk, by base name, for tests of what is
// decided about a package. It runs no go command: importer has the types of what is imported.
func Memory(importPath string, files map[string]string, importer types.Importer) (*Package, error) {
	fset := token.NewFileSet()
	l := &loader{cfg: Config{Fset: fset}}
	g := &moduleSet{l: l, sources: map[string]*sourcePackage{}, importer: importer,
		types: map[string]*types.Package{}, exports: map[string]string{}, broken: map[string]error{}}
	dir := filepath.FromSlash("/" + importPath)
	p := &Package{ImportPath: importPath, Dir: dir, Fset: fset, Sizes: l.sizes(), Module: importPath, ModuleDir: dir, GoVersion: "1.26",
		unsound: map[*ast.FuncDecl]bool{}}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		a := scan.Annotate(fset, &scan.File{Path: filepath.Join(dir, name), Src: []byte(files[name]), Candidate: true})
		if a.Syntax == nil {
			_, err := parser.ParseFile(fset, name, a.Src, 0)
			return nil, err
		}
		if len(a.Diagnostics) > 0 {
			return nil, fmt.Errorf("%s: %s", a.Diagnostics[0].Pos, a.Diagnostics[0].Message)
		}
		p.Name = a.Syntax.Name.Name
		p.Syntax = append(p.Syntax, &File{a.Path, a.Src, a.Syntax, a})
		p.Surfaces = append(p.Surfaces, a.Surfaces...)
	}
	p.source = g.addSource(importPath, dir, p.GoVersion, p.Syntax, p)
	g.typecheck()
	if len(p.Errors) > 0 {
		return p, fmt.Errorf("%s: %s", p.Position(p.Errors[0].Pos), p.Errors[0].Msg)
	}
	return p, nil
}

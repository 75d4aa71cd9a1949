package load

import (
	"go/ast"
	"go/types"

	"github.com/cachegen/cachegen/generator/names"
)

// Names are the names that a package declares and imports, collected once, because walking all
// declarations for every annotated function takes too long in a package of thousands.
type Names struct {
	// What the files of every build configuration declare in the package's scope, and
	// what they import under a name of its own. Files that no build has together may
	// declare the same name, each its own way.
	declared map[string][]declared
	imported map[string][]imported
	// The types of package-level variables, in the order of their names.
	Vars []types.Type
}

type declared struct {
	file *File
	id   *ast.Ident
}

type imported struct {
	file *File
	spec *ast.ImportSpec
}

// DeclaredWith returns the declaration of a name in the package's scope, by a file that some
// build compiles together with the given one; nil if there is none. Of several, the first.
func (p *Package) DeclaredWith(file *File, name string) *ast.Ident {
	for _, d := range p.Names().declared[name] {
		if p.Together(d.file, file) {
			return d.id
		}
	}
	return nil
}

// ImportedWith returns the import under a name of its own, as DeclaredWith does declarations.
func (p *Package) ImportedWith(file *File, name string) *ast.ImportSpec {
	for _, i := range p.Names().imported[name] {
		if p.Together(i.file, file) {
			return i.spec
		}
	}
	return nil
}

// Names returns the names of the package. Nobody may change them.
func (p *Package) Names() *Names {
	p.named.Do(func() {
		n := &p.names
		n.declared, n.imported = map[string][]declared{}, map[string][]imported{}
		for _, files := range [][]*File{p.Syntax, p.Other} {
			for _, f := range files {
				n.add(f)
			}
		}
		scope := p.Types.Scope()
		for _, name := range scope.Names() {
			if v, ok := scope.Lookup(name).(*types.Var); ok {
				n.Vars = append(n.Vars, v.Type())
			}
		}
	})
	return &p.names
}

func (n *Names) add(f *File) {
	for d := range names.Declarations(f.Syntax) {
		if d.Recv == "" && (d.Func == nil || d.Name != "init" && d.Name != "_") {
			n.declared[d.Name] = append(n.declared[d.Name], declared{f, d.Ident})
		}
	}
	for _, s := range f.Syntax.Imports {
		if s.Name != nil {
			n.imported[s.Name.Name] = append(n.imported[s.Name.Name], imported{f, s})
		}
	}
}

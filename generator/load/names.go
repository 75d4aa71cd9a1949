package load

import (
	"go/ast"
	"go/types"
)

// Names are the names that a package has, collected once: to go through all declarations
// for every annotated function takes too long in a package of thousands.
type Names struct {
	// What the files of every build configuration declare in the package's scope, and
	// what they import under a name of its own. Of several, the first.
	Declared map[string]*ast.Ident
	Imported map[string]*ast.ImportSpec
	// The types of package-level variables, in the order of their names.
	Vars []types.Type
}

// Names returns the names of the package. Nobody may change them.
func (p *Package) Names() *Names {
	p.named.Do(func() {
		n := &p.names
		n.Declared, n.Imported = map[string]*ast.Ident{}, map[string]*ast.ImportSpec{}
		for _, files := range [][]*File{p.Syntax, p.Other} {
			for _, f := range files {
				n.add(f.Syntax)
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

func (n *Names) add(f *ast.File) {
	declare := func(id *ast.Ident) {
		if n.Declared[id.Name] == nil {
			n.Declared[id.Name] = id
		}
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name != "init" && d.Name.Name != "_" {
				declare(d.Name)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					declare(s.Name)
				case *ast.ValueSpec:
					for _, id := range s.Names {
						declare(id)
					}
				}
			}
		}
	}
	for _, s := range f.Imports {
		if s.Name != nil && n.Imported[s.Name.Name] == nil {
			n.Imported[s.Name.Name] = s
		}
	}
}

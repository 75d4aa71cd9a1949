package load

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/generator/names"
)

// Output is a generated file that has not been written.
type Output struct {
	Name string // absolute path
	Src  []byte
}

// OutputError is an error that generated files would bring into a package.
type OutputError struct {
	Pos  token.Position // in a generated file, or in the file that it disagrees with
	Line string         // the line of the generated file, "" if the error is elsewhere
	Msg  string
}

// check types the package with function bodies and, if there are any, generated files.
func (p *Package) check(info *types.Info, generated []*File) (*types.Package, []types.Error) {
	return p.source.check(slices.Concat(p.Syntax, generated), info, false)
}

// Checked is the outcome of typing a package together with generated files.
type Checked struct {
	Errors []OutputError // that the generated files bring
	Uses   []types.Error // in hand-written declarations that did not compile before either, for want of what is generated
	Stay   []types.Error // those of Errors of the package that are still there
}

// Check types the package together with generated files, bodies and all. It is safe for
// concurrent use.
func (p *Package) Check(outputs []Output) (c Checked) {
	var generated []*File
	lines := map[string][]string{}
	for _, o := range outputs {
		lines[o.Name] = strings.Split(string(o.Src), "\n")
		f, err := parser.ParseFile(p.Fset, o.Name, o.Src, parser.SkipObjectResolution)
		if err != nil {
			c.Errors = append(c.Errors, OutputError{Pos: token.Position{Filename: o.Name}, Msg: err.Error()})
			continue
		}
		generated = append(generated, &File{Name: o.Name, Syntax: f})
	}
	if len(c.Errors) > 0 {
		return c
	}
	_, found := p.check(nil, generated)
	elsewhere := false
	for _, e := range found {
		pos := p.Position(e.Pos)
		if ls, ours := lines[pos.Filename]; ours {
			oe := OutputError{Pos: pos, Msg: e.Msg}
			if pos.Line >= 1 && pos.Line <= len(ls) {
				oe.Line = ls[pos.Line-1]
			}
			c.Errors = append(c.Errors, oe)
		} else {
			elsewhere = true
		}
	}
	if !elsewhere {
		return c
	}
	// What is wrong in hand-written files counts only if it was not wrong before. Where it was,
	// for a name that is generated, another error may have been behind that one.
	before, after := map[string]bool{}, map[string]bool{}
	lacking := map[ast.Decl]bool{}
	for _, e := range p.Bodies().Errs {
		before[fmt.Sprint(e.Pos, e.Msg)] = true
		if d := p.declAround(e.Pos); d != nil && absent(e) {
			lacking[d] = true
		}
	}
	for _, e := range found {
		pos := p.Position(e.Pos)
		after[fmt.Sprint(e.Pos, e.Msg)] = true
		if _, ours := lines[pos.Filename]; ours || before[fmt.Sprint(e.Pos, e.Msg)] || absent(e) {
			continue
		}
		if lacking[p.declAround(e.Pos)] {
			c.Uses = append(c.Uses, e)
		} else {
			c.Errors = append(c.Errors, OutputError{Pos: pos, Msg: e.Msg})
		}
	}
	for _, e := range p.Errors {
		if after[fmt.Sprint(e.Pos, e.Msg)] {
			c.Stay = append(c.Stay, e)
		}
	}
	return c
}

// declAround returns the top-level declaration of a hand-written file that a position is in,
// or nil.
func (p *Package) declAround(pos token.Pos) ast.Decl {
	for _, f := range p.Syntax {
		if f.Syntax.FileStart <= pos && pos < f.Syntax.FileEnd {
			for _, d := range f.Syntax.Decls {
				if d.Pos() <= pos && pos <= d.End() {
					return d
				}
			}
		}
	}
	return nil
}

// absent reports whether an error is that something is not there. Generated files add
// declarations, so they cannot be the reason: it is missing from another package, which may
// be generated in the same run, and shows now because what it belongs to has a type.
func absent(e types.Error) bool {
	return strings.HasPrefix(e.Msg, "undefined: ") || strings.Contains(e.Msg, " undefined (type ") || strings.Contains(e.Msg, "(missing method ")
}

// Decl returns the declaration of a function of the package, by the position of its
// name, or nil. It helps to follow calls in [Package.Bodies].
func (p *Package) Decl(obj *types.Func) *ast.FuncDecl {
	for _, f := range p.Syntax {
		if f.Syntax.FileStart <= obj.Pos() && obj.Pos() < f.Syntax.FileEnd {
			for fn := range names.Functions(f.Syntax) {
				if fn.Name.Pos() == obj.Pos() {
					return fn
				}
			}
		}
	}
	return nil
}

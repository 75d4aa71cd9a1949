package model

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/names"
)

// wrapperNames settles what the wrapper and the handle are called, and reports clashes.
func (p *planner) wrapperNames() {
	f, name := p.f, p.f.Name
	pos := p.at(p.f.Decl.Name.Pos())
	switch {
	case f.Directive.Options.Name != "":
		f.Wrapper = f.Directive.Options.Name
		pos = p.opt("name")
		switch {
		case !token.IsIdentifier(f.Wrapper) || f.Wrapper == "_":
			p.errorf(pos, diag.BadName, "name=%s is no identifier", f.Wrapper)
			return
		case f.Wrapper == name:
			p.errorf(pos, diag.BadName, "name=%s is the annotated function's own name", f.Wrapper)
			return
		case f.Recv == nil && (f.Wrapper == "init" || f.Wrapper == "main"):
			p.errorf(pos, diag.BadName, "a function called %s has a meaning of its own", f.Wrapper)
			return
		}
	default:
		if f.Wrapper = names.Wrapper(name, ""); f.Wrapper != "" {
			break
		}
		if ast.IsExported(name) {
			p.errorf(pos, diag.ExportedImpl, "%s is exported, so its callers would not call the cached function", f.title()).
				hint("run go tool cachegen adopt %s, or adopt ./... for all that are annotated: it renames the function to %s%s and gives its name to the cached one; or choose the cached function's name with name=", f.ID, name, names.UncachedSuffix)
		} else {
			p.errorf(pos, diag.NoExportedName, "%s has no exported form that the cached function could be called", name)
		}
		return
	}

	if f.Recv == nil {
		f.Handle = f.Wrapper + "Cache"
		f.Base = lowerFirst(name) // of an adopted function, too, nothing but the wrapper is for others
		p.clash(f.Wrapper, "the cached function", pos)
	} else {
		base := f.RecvBase.Name()
		f.Handle = likeCase(base, f.Wrapper) + upperFirst(f.Wrapper) + "Cache"
		f.Base = lowerFirst(base) + upperFirst(name)
		p.memberClash(pos)
	}
	for f.Base != name && p.taken(f.Base) {
		f.Base += "_"
	}
	f.HandleType = strings.TrimSuffix(f.Handle, "Cache") + "Handle"
	p.clash(f.Handle, "the handle of its cache", pos)
	p.clash(f.HandleType, "the type of its handle", pos)
}

// title is the function's name as people say it: with the receiver's type.
func (f *Func) title() string {
	if f.RecvBase != nil {
		return f.RecvBase.Name() + "." + f.Name
	}
	return f.Name
}

// clash reports a package-level declaration called name, in whatever file that some build
// compiles together with the function's.
func (p *planner) clash(name, what string, pos token.Position) {
	if id := p.f.Pkg.DeclaredWith(p.f.File, name); id != nil {
		p.errorf(pos, diag.NameClash, "%s would be called %s, and package %s declares that name already", what, name, p.pkg.Name()).
			related(p.at(id.Pos()), "%s is declared here", name)
	} else if spec := p.f.Pkg.ImportedWith(p.f.File, name); spec != nil {
		p.errorf(pos, diag.NameClash, "%s would be called %s, and package %s has an import of that name", what, name, p.pkg.Name()).
			related(p.at(spec.Pos()), "%s is imported here", name)
	}
}

// taken reports whether name is declared where the function is, in some build.
func (p *planner) taken(name string) bool { return p.f.Pkg.DeclaredWith(p.f.File, name) != nil }

// memberClash reports a field or method of the receiver that is called like the wrapper. A
// method of an embedded field is none where the wrapper has its signature: it takes that
// method's place, as the methods of decorators do.
func (p *planner) memberClash(pos token.Position) {
	f := p.f
	report := func(at token.Position, what string) {
		d := p.errorf(pos, diag.MemberClash, "the cached method would be called %s, and %s has a %s of that name", f.Wrapper, f.RecvBase.Name(), what)
		if at.IsValid() {
			d.related(at, "the %s is declared here", what)
		}
	}
	// By the receiver's own type parameters, in which the signature is written.
	obj, index, _ := types.LookupFieldOrMethod(f.Recv.Type, true, p.pkg, f.Wrapper)
	m, method := obj.(*types.Func)
	switch promoted := len(index) > 1; {
	case obj == nil:
	case method && promoted && types.Identical(m.Signature(), f.Sig):
	case method && promoted:
		p.errorf(pos, diag.MemberClash, "the cached method would be called %s, and hide a promoted method of %s with another signature: %s", f.Wrapper, f.RecvBase.Name(), typeText(m.Signature(), p.pkg)).
			related(p.at(obj.Pos()), "the promoted method is declared here").
			hint("give it that signature, for the cached method to take its place; or choose another name with name=")
		return
	case method:
		report(p.at(obj.Pos()), "method")
		return
	case promoted:
		report(p.at(obj.Pos()), "promoted field")
		return
	default:
		report(p.at(obj.Pos()), "field")
		return
	}
	// Methods in files that the present build configuration leaves out, and another has
	// together with this one.
	for _, file := range f.Pkg.Other {
		if !f.Pkg.Together(file, f.File) {
			continue
		}
		for d := range names.Declarations(file.Syntax) {
			if d.Member == (names.Member{Recv: f.RecvBase.Name(), Name: f.Wrapper}) {
				report(p.at(d.Ident.Pos()), "method")
				return
			}
		}
	}
}

func upperFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[n:]
}

// likeCase returns s with its first letter in the case of the first letter of model.
func likeCase(s, model string) string {
	if ast.IsExported(model) {
		return upperFirst(s)
	}
	return lowerFirst(s)
}

// CheckPackage reports generated names that two functions of a package, planned one by
// one, both claim.
func CheckPackage(funcs []*Func) []diag.Diagnostic {
	var ds []diag.Diagnostic
	type claimed struct {
		f    *Func
		what [2]string
	}
	first := map[string]claimed{}
	// what is what is called so, of several functions and of one.
	claim := func(f *Func, what [2]string, name, key string) bool {
		g, taken := first[key]
		if !taken {
			first[key] = claimed{f, what}
			return true
		}
		both := fmt.Sprintf("%s of %s and of %s", what[0], g.f.title(), f.title())
		if g.what != what {
			both = fmt.Sprintf("%s of %s and %s of %s", g.what[1], g.f.title(), what[1], f.title())
		}
		ds = append(ds, diag.Errorf(f.Pkg.Position(f.Decl.Name.Pos()), diag.NameClash, "%s would both be called %s", both, name).
			WithRelated(f.Pkg.Position(g.f.Decl.Name.Pos()), "%s is declared here", g.f.title()))
		return false
	}
	for _, f := range funcs {
		wrapper := f.Wrapper
		if f.Recv != nil {
			wrapper = f.RecvBase.Name() + "." + f.Wrapper
		}
		if claim(f, [2]string{"the cached forms", "the cached form"}, wrapper, wrapper) {
			_ = claim(f, [2]string{"the handles", "the handle"}, f.Handle, f.Handle) &&
				claim(f, [2]string{"the handle types", "the handle type"}, f.HandleType, f.HandleType)
		}
	}
	return ds
}

package emit

import (
	"fmt"
	"go/ast"
	"go/scanner"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/cachegen/cachegen/generator/load"
	"github.com/cachegen/cachegen/generator/model"
)

// predeclaredPath is the package that has the predeclared types and functions under
// other names.
const predeclaredPath = load.RuntimePath + "/predeclared"

// valuePath is the package that hashes, encodes, copies and sizes.
const valuePath = load.RuntimePath + "/value"

// names is the allocator of one generated file. No name that it gives can capture or
// be captured.
type names struct {
	pkg     *types.Package
	top     map[string]bool   // what the files of the package declare, in any build configuration
	locals  map[string]bool   // parameters, results and type parameters of the file's functions
	imports map[string]string // path → name
	given   map[string]bool   // names given to imports
	prefer  map[string]string // path → name in the source file
	made    map[string]bool   // what the declarations of the package's functions are called
	refs    map[string]bool   // package-level and predeclared names that the file refers to
	tparams map[*types.TypeParam]string
}

// suffixes are what the declarations made for a function are called after its Base. None is
// the end of another.
var suffixes = []string{"Key", "KeyOf", "Result", "Site", "Sites", "Call", "Reads", "Layout"}

func newNames(pkg *load.Package, file *load.File, funcs, all []*model.Func) *names {
	n := &names{
		pkg:     pkg.Types,
		top:     map[string]bool{},
		locals:  map[string]bool{},
		imports: map[string]string{},
		given:   map[string]bool{},
		made:    map[string]bool{},
		prefer:  map[string]string{},
		refs:    map[string]bool{},
		tparams: map[*types.TypeParam]string{},
	}
	for _, f := range slices.Concat(pkg.Syntax, pkg.Other) {
		for name := range declared(f.Syntax) {
			n.top[name] = true
		}
	}
	for _, f := range all {
		n.top[f.Wrapper], n.top[f.Handle], n.top[f.HandleType] = true, true, true
		for _, suffix := range suffixes {
			n.made[f.Base+suffix] = true
		}
	}
	for _, f := range funcs {
		for _, p := range params(f) {
			n.locals[p.Name] = true
		}
		for _, r := range f.Results {
			n.locals[r.Name] = true
		}
		for _, tp := range f.TypeParams {
			n.locals[tp.Obj().Name()] = true
		}
	}
	for _, s := range file.Syntax.Imports {
		if s.Name != nil && s.Name.Name != "_" && s.Name.Name != "." {
			if p, err := strconv.Unquote(s.Path.Value); err == nil {
				if _, twice := n.prefer[p]; !twice {
					n.prefer[p] = s.Name.Name
				}
			}
		}
	}
	return n
}

// params returns the receiver, if there is one, and the parameters.
func params(f *model.Func) []*model.Param {
	if f.Recv == nil {
		return f.Params
	}
	return append([]*model.Param{f.Recv}, f.Params...)
}

// declared yields the names that a file puts into the package's scope.
func declared(f *ast.File) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && !yield(d.Name.Name) {
					return
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						if !yield(s.Name.Name) {
							return
						}
					case *ast.ValueSpec:
						for _, id := range s.Names {
							if !yield(id.Name) {
								return
							}
						}
					}
				}
			}
		}
	}
}

// locals of the templates, which no import may be called.
var reserved = map[string]bool{
	"k": true, "h": true, "v": true, "w": true, "c": true, "e": true, "z": true, "d": true, "n": true,
	"r": true, "err": true, "keyErr": true, "ok": true, "done": true, "good": true,
}

// imported returns the name under which the file imports a package.
func (n *names) imported(p, name string) string {
	if given, ok := n.imports[p]; ok {
		return given
	}
	if own, ok := n.prefer[p]; ok {
		name = own
	}
	switch p {
	case load.RuntimePath:
		name = "cachert"
	case valuePath: // value is what many a parameter is called, and results without a name
		name = "cachevalue"
	}
	for n.top[name] || n.locals[name] || n.given[name] || reserved[name] || types.Universe.Lookup(name) != nil || token.IsKeyword(name) {
		name += "_"
	}
	n.imports[p] = name
	n.given[name], n.refs[name] = true, true
	return name
}

// cache returns a name of the runtime package.
func (n *names) cache(name string) string {
	return n.imported(load.RuntimePath, "cachert") + "." + name
}

// public returns a name of the package that people import.
func (n *names) public(name string) string { return n.imported(load.CachePath, "cache") + "." + name }

// value returns a name of the package that hashes, encodes, copies and sizes.
func (n *names) value(name string) string { return n.imported(valuePath, "value") + "." + name }

// std returns a name of a package of the standard library.
func (n *names) std(p, name string) string { return n.imported(p, path.Base(p)) + "." + name }

// own returns a package-level name of the package.
func (n *names) own(name string) string {
	n.refs[name] = true
	return name
}

// predeclared returns a predeclared type or function, whatever the package declares.
func (n *names) predeclared(name string) string {
	if n.top[name] {
		return n.imported(predeclaredPath, "predeclared") + "." + string(unicode.ToUpper(rune(name[0]))) + name[1:]
	}
	n.refs[name] = true
	return name
}

// fresh returns a package-level name for generated code that starts with base and is
// neither declared in the package nor the name of a parameter.
func (n *names) fresh(base string, avoid map[string]bool) string {
	for n.top[base] || avoid[base] {
		base += "_"
	}
	return base
}

// scope gives names to the locals of one generated function.
type scope map[string]bool

// local returns name, or a name like it that is not taken, and takes it.
func (s scope) local(name string) string {
	for s[name] {
		name += "_"
	}
	s[name] = true
	return name
}

// clone returns a scope inside of s.
func (s scope) clone() scope {
	t := scope{}
	for k := range s {
		t[k] = true
	}
	return t
}

// qualifiers returns the identifiers of text, a sequence of declarations, that a selector
// follows. Comments and strings do not count.
func qualifiers(text string) map[string]bool {
	src := []byte(text)
	file := token.NewFileSet().AddFile("", -1, len(src))
	var s scanner.Scanner
	s.Init(file, src, nil, 0)
	found := map[string]bool{}
	ident := ""
	for {
		_, tok, lit := s.Scan()
		switch tok {
		case token.EOF:
			return found
		case token.IDENT:
			ident = lit
			continue
		case token.PERIOD:
			if ident != "" {
				found[ident] = true
			}
		}
		ident = ""
	}
}

// importBlock writes the imports that text uses, standard library first.
func (n *names) importBlock(text string) string {
	var std, other []string
	selected := qualifiers(text)
	for p, name := range n.imports {
		if p != load.RuntimePath && !selected[name] {
			continue // for a name that turned out not to be needed
		}
		line := strconv.Quote(p)
		if name != path.Base(p) || strings.Contains(path.Base(p), ".") {
			line = name + " " + line
		}
		if first, _, _ := strings.Cut(p, "/"); strings.Contains(first, ".") {
			other = append(other, line)
		} else {
			std = append(std, line)
		}
	}
	byPath := func(a, b string) int {
		return strings.Compare(a[strings.IndexByte(a, '"'):], b[strings.IndexByte(b, '"'):])
	}
	slices.SortFunc(std, byPath)
	slices.SortFunc(other, byPath)
	var b strings.Builder
	b.WriteString("import (\n")
	for _, l := range std {
		fmt.Fprintf(&b, "\t%s\n", l)
	}
	if len(std) > 0 && len(other) > 0 {
		b.WriteString("\n")
	}
	for _, l := range other {
		fmt.Fprintf(&b, "\t%s\n", l)
	}
	b.WriteString(")\n")
	return b.String()
}

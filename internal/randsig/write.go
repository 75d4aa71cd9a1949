package main

import (
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const probePath = "github.com/cachegen/cachegen/internal/randsig/probe"

// file is one source file being written.
type file struct {
	p       *pkg
	body    strings.Builder
	imports map[string]string // path to name
	rename  func(name string) bool
	dot     func() bool
	hasDot  bool
}

func newFile(p *pkg) *file {
	no := func() bool { return false }
	return &file{p: p, imports: map[string]string{}, rename: func(string) bool { return false }, dot: no}
}

func (f *file) printf(format string, a ...any) { fmt.Fprintf(&f.body, format, a...) }

// qual returns the qualifier of a package in this file, and imports it.
func (f *file) qual(path, name string) string {
	if path == f.p.path {
		return ""
	}
	if have, ok := f.imports[path]; ok {
		if have == "." {
			return ""
		}
		return have + "."
	}
	if strings.Contains(path, "/lib/types") && !f.hasDot && f.dot() {
		f.hasDot = true
		f.imports[path] = "."
		return ""
	}
	as := name
	for i := 1; f.rename(name) && i == 1 || f.taken(as); i++ {
		as = fmt.Sprintf("%sx%d", name, i)
	}
	f.imports[path] = as
	return as + "."
}

func (f *file) taken(name string) bool {
	for _, have := range f.imports {
		if have == name {
			return true
		}
	}
	return slices.Contains(f.p.shadow, name)
}

func (f *file) t(t *typ) string { return t.in(f.qual) }

func (f *file) probe() string { return strings.TrimSuffix(f.qual(probePath, "probe"), ".") }

// write formats the file and writes it.
func (f *file) write(dir, name string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "package %s\n\n", f.p.name)
	var paths []string
	for path := range f.imports {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	if len(paths) > 0 {
		b.WriteString("import (\n")
		for _, path := range paths {
			as := f.imports[path]
			if path[strings.LastIndex(path, "/")+1:] == as {
				as = ""
			}
			fmt.Fprintf(&b, "%s %q\n", as, path)
		}
		b.WriteString(")\n\n")
	}
	b.WriteString(f.body.String())
	src, err := format.Source([]byte(b.String()))
	if err != nil {
		return fmt.Errorf("%s/%s: %v\n%s", dir, name, err, b.String())
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), src, 0o644)
}

func (d *decl) write(f *file) {
	if d.source != "" {
		for _, std := range []string{"slices", "maps"} {
			if strings.Contains(d.source, std+".") {
				f.imports[std] = std
			}
		}
		f.printf("%s\n", d.source)
		return
	}
	name := d.name + tparams(d.params, true, f)
	if d.alias {
		name += " ="
	}
	if d.under.kind == record {
		f.printf("type %s struct {\n", name)
		for _, x := range d.under.fields {
			f.printf("\t%s %s", x.name, f.t(x.t))
			if x.tag != "" {
				f.printf(" `%s`", x.tag)
			}
			f.printf("\n")
		}
		f.printf("}\n\n")
	} else {
		f.printf("type %s %s\n\n", name, f.t(d.under))
	}
	for _, m := range d.methods {
		f.printf("%s\n", m)
	}
}

// tparams spells type parameters, with their constraints or without.
func tparams(ps []tpar, constraints bool, f *file) string {
	if len(ps) == 0 {
		return ""
	}
	var s []string
	for _, p := range ps {
		if !constraints {
			s = append(s, p.name)
			continue
		}
		c := p.constraint
		if strings.HasPrefix(c, "cmp.") {
			c = f.qual("cmp", "cmp") + c[4:]
		}
		s = append(s, p.name+" "+c)
	}
	return "[" + strings.Join(s, ", ") + "]"
}

// signature writes the parameters and results. Parameters of one type may share its
// mention.
func (f *fn) signature(w *file, group bool) string {
	var parts []string
	for i, p := range f.params {
		t := w.t(p.t)
		if p.variadic {
			t = "..." + w.t(p.t.elem)
		}
		if group && i+1 < len(f.params) && p.name != "" && f.params[i+1].name != "" && !f.params[i+1].variadic &&
			w.t(f.params[i+1].t) == t {
			parts = append(parts, p.name)
			continue
		}
		parts = append(parts, strings.TrimSpace(p.name+" "+t))
	}
	var results []string
	for _, r := range f.results {
		results = append(results, strings.TrimSpace(r.name+" "+w.t(r.t)))
	}
	if f.err {
		results = append(results, strings.TrimSpace(f.errName+" error"))
	}
	s := "(" + strings.Join(parts, ", ") + ") "
	switch {
	case len(results) == 0:
		return s
	case len(results) == 1 && !strings.Contains(results[0], " ") && (len(f.results) == 0 || f.results[0].name == "" && f.errName == ""):
		return s + results[0]
	}
	return s + "(" + strings.Join(results, ", ") + ")"
}

// write writes the annotated function.
func (f *fn) write(w *file, group bool) {
	directive := "//cache:data"
	if f.resource {
		directive = "//cache:resource"
	}
	if f.options != "" {
		directive += " " + f.options
	}
	w.printf("// %s is a function under test.\n//\n%s\nfunc ", f.name, directive)
	if f.recv != nil {
		w.printf("(%s %s) ", f.recv.name, w.t(f.recv.t))
		w.printf("%s%s {\n", f.name, f.signature(w, group))
	} else {
		w.printf("%s%s%s {\n", f.name, tparams(f.tparams, true, w), f.signature(w, group))
	}
	var args []string
	if f.recv != nil && f.recv.role == inKey {
		args = append(args, f.recv.name)
	}
	for _, p := range f.params {
		if p.role == inKey {
			args = append(args, p.name)
		}
	}
	call := fmt.Sprintf("body%d%s(%s)", f.id, tparams(f.tparams, false, w), strings.Join(args, ", "))
	var names []string
	for _, r := range f.results {
		names = append(names, r.name)
	}
	if f.err {
		names = append(names, f.errName)
	}
	if f.id%2 == 0 && !slices.Contains(names, "_") && !slices.Contains(names, "") {
		w.printf("\t%s = %s\n\treturn\n}\n\n", strings.Join(names, ", "), call)
		return
	}
	w.printf("\treturn %s\n}\n\n", call)
}

// writeCase writes what the judge needs of a function: its body, the structs of its
// arguments and results, and its case.
func (f *fn) writeCase(w *file, fake bool) {
	pr := w.probe()
	tp, ta := tparams(f.tparams, true, w), tparams(f.tparams, false, w)

	// The body.
	w.printf("var runs%d %s.Counter\n\nfunc body%d%s(", f.id, pr, f.id, tp)
	var begin []string
	if f.recv != nil && f.recv.role == inKey {
		w.printf("recv %s, ", w.t(f.recv.t))
		begin = append(begin, "recv")
	}
	for _, i := range f.of(inKey) {
		w.printf("a%d %s, ", i, w.t(f.params[i].t))
		begin = append(begin, fmt.Sprintf("a%d", i))
	}
	w.printf(") (")
	for i, r := range f.results {
		w.printf("r%d %s, ", i, w.t(r.t))
	}
	if f.err {
		w.printf("err error")
	}
	w.printf(") {\n\tg := %s.Begin(probePool, &runs%d", pr, f.id)
	for _, b := range begin {
		w.printf(", %s", b)
	}
	w.printf(")\n")
	if f.changes >= 0 && !fake {
		w.printf("\t%s.Change(probePool, &a%d)\n", pr, f.changes)
	}
	if f.err {
		w.printf("\terr = g.Err()\n")
		if !f.partial {
			w.printf("\tif err != nil {\n\t\treturn\n\t}\n")
		}
	}
	for i, r := range f.results {
		if r.from >= 0 {
			part := ""
			if f.id%3 == 0 && r.t.underlying() == slice {
				part = fmt.Sprintf("[len(a%d)/2:]", r.from)
			}
			w.printf("\tr%d = a%d%s\n", i, r.from, part)
		} else {
			w.printf("\tr%d = %s.Out[%s](g)\n", i, pr, w.t(r.t))
		}
	}
	w.printf("\t_ = g\n\treturn\n}\n\n")

	// Arguments and results.
	w.printf("type args%d%s struct {\n", f.id, tp)
	var keys, ignores, frees []string
	if f.recv != nil {
		w.printf("\trecv %s\n", w.t(f.recv.t))
		switch f.recv.role {
		case inKey:
			keys = append(keys, `"recv"`)
		case ignored:
			ignores = append(ignores, `"recv"`)
		case free:
			frees = append(frees, `"recv"`)
		}
	}
	for i, p := range f.params {
		w.printf("\ta%d %s\n", i, w.t(p.t))
		switch {
		case p.opaque:
		case p.role == inKey:
			keys = append(keys, fmt.Sprintf(`"a%d"`, i))
		case p.role == free:
			frees = append(frees, fmt.Sprintf(`"a%d"`, i))
		case p.role == ignored:
			ignores = append(ignores, fmt.Sprintf(`"a%d"`, i))
		}
	}
	w.printf("}\n\ntype res%d%s struct {\n", f.id, tp)
	aliasing := false
	for i, r := range f.results {
		w.printf("\tr%d %s\n", i, w.t(r.t))
		aliasing = aliasing || r.from >= 0
	}
	if f.err {
		w.printf("\terr error\n")
	}
	w.printf("}\n\n")

	// The case.
	call := func(name string) string {
		var b strings.Builder
		b.WriteString("func(x any) any {\n\ta, r := x.(*args" + fmt.Sprint(f.id) + ta + "), &res" + fmt.Sprint(f.id) + ta + "{}\n\t")
		var lhs, args []string
		for i := range f.results {
			lhs = append(lhs, fmt.Sprintf("r.r%d", i))
		}
		if f.err {
			lhs = append(lhs, "r.err")
		}
		for i, p := range f.params {
			arg := fmt.Sprintf("a.a%d", i)
			if p.variadic {
				arg += "..."
			}
			args = append(args, arg)
		}
		if len(lhs) > 0 {
			b.WriteString(strings.Join(lhs, ", ") + " = ")
		}
		if f.recv != nil {
			fmt.Fprintf(&b, "a.recv.%s(%s)", name, strings.Join(args, ", "))
		} else {
			fmt.Fprintf(&b, "%s%s(%s)", name, ta, strings.Join(args, ", "))
		}
		b.WriteString("\n\t_ = a\n\treturn r\n}")
		return b.String()
	}
	w.printf("func case%d%s() *%s.Case {\n\treturn &%s.Case{\n", f.id, tp, pr, pr)
	w.printf("Name: %s,\nPool: probePool,\nResource: %v,\nAliasing: %v,\nErrKept: %v,\nRounds: %d,\n",
		f.caseName(w), f.resource, aliasing, f.errKept, f.rounds)
	w.printf("Key: []string{%s},\nIgnored: []string{%s},\nFree: []string{%s},\n", strings.Join(keys, ", "),
		strings.Join(ignores, ", "), strings.Join(frees, ", "))
	if f.changes >= 0 && !fake {
		w.printf("Changes: %q,\n", f.params[f.changes].name)
	}
	w.printf("New: func() any { return &args%d%s{} },\n", f.id, ta)
	w.printf("Call: %s,\nRaw: %s,\nRuns: &runs%d,\n}\n}\n\n", call(f.wrapper), call(f.name), f.id)

	if fake {
		f.writeFake(w)
	}
}

// caseName is the expression of the case's name.
func (f *fn) caseName(w *file) string {
	name := fmt.Sprintf("%s.fn%d", f.p.name, f.id)
	if len(f.tparams) == 0 {
		return fmt.Sprintf("%q", name)
	}
	return fmt.Sprintf("%s.Name[args%d%s](%q)", w.probe(), f.id, tparams(f.tparams, false, w), name)
}

// writeFake writes a wrapper that calls the judge's own cache.
func (f *fn) writeFake(w *file) {
	g := *f
	g.params = slices.Clone(f.params)
	for i := range g.params {
		g.params[i].name = fmt.Sprintf("a%d", i)
	}
	g.results = slices.Clone(f.results)
	for i := range g.results {
		g.results[i].name = ""
	}
	g.errName = ""
	tp, ta := tparams(f.tparams, true, w), tparams(f.tparams, false, w)
	var set []string
	if f.recv != nil {
		w.printf("func (recv %s) %s%s {\n", w.t(f.recv.t), f.wrapper, g.signature(w, false))
		set = append(set, "recv: recv")
	} else {
		w.printf("func %s%s%s {\n", f.wrapper, tp, g.signature(w, false))
	}
	for i := range g.params {
		set = append(set, fmt.Sprintf("a%d: a%d", i, i))
	}
	w.printf("\tr := %s.TheFake.Do(%s, &args%d%s{%s}).(*res%d%s)\n\t_ = r\n\treturn ", w.probe(), f.caseName(w), f.id, ta, strings.Join(set, ", "), f.id, ta)
	var out []string
	for i := range f.results {
		out = append(out, fmt.Sprintf("r.r%d", i))
	}
	if f.err {
		out = append(out, "r.err")
	}
	w.printf("%s\n}\n\n", strings.Join(out, ", "))
}

// writeProgram writes the packages and the command that tries them below dir. Functions for which skip holds
// are left out, and so are types that nothing needs.
func writeProgram(m *maker, dir, module string, pkgs []*pkg, fake bool, skip func(*fn) bool) error {
	main := newFile(&pkg{path: module, name: "main"})
	main.imports["os"] = "os"
	main.printf("func main() {\n\tvar cases []*%s.Case\n", main.probe())
	all := map[*decl]bool{} // what any package needs
	used := map[*pkg]bool{}
	for _, p := range pkgs {
		needed := map[*decl]bool{}
		var funcs []*fn
		for _, f := range p.funcs {
			if !skip(f) {
				funcs = append(funcs, f)
				f.needs(needed)
			}
		}
		if len(funcs) == 0 {
			continue
		}
		used[p] = true
		at := filepath.Join(dir, strings.TrimPrefix(p.path, module+"/"))

		// Files of one to three functions. Their look depends on their functions alone, so that
		// it is the same when others are left out.
		for i := 0; i < len(funcs); {
			w := newFile(p)
			id := funcs[i].id
			w.rename = func(name string) bool { return name != "probe" && (id+len(name))%5 == 0 }
			w.dot = func() bool { return id%20 == 3 }
			first := id
			for ; i < len(funcs) && funcs[i].id/3 == first/3; i++ {
				funcs[i].write(w, funcs[i].id%3 > 0)
			}
			if err := w.write(at, fmt.Sprintf("f%d.go", first)); err != nil {
				return err
			}
		}

		w := newFile(p)
		w.imports["reflect"] = "reflect"
		for _, f := range funcs {
			f.writeCase(w, fake)
		}
		w.printf("// Cases are the functions of this package.\nfunc Cases() []*%s.Case {\n\treturn []*%s.Case{\n", w.probe(), w.probe())
		for _, f := range funcs {
			if len(f.tparams) == 0 {
				w.printf("case%d(),\n", f.id)
			}
			for _, args := range f.insts {
				var s []string
				for _, a := range args {
					s = append(s, w.t(a))
				}
				w.printf("case%d[%s](),\n", f.id, strings.Join(s, ", "))
			}
		}
		w.printf("}\n}\n\n")
		main.printf("cases = append(cases, %sCases()...)\n", main.qual(p.path, p.name))

		// What the judge must know of the types.
		types := func(ts []*typ) (s []string) {
			for _, t := range ts {
				s = append(s, fmt.Sprintf("reflect.TypeFor[%s]()", w.t(t)))
			}
			return s
		}
		for _, t := range p.pool {
			need(t, p, needed)
		}
		w.printf("var probePool = %s.NewPool(%s)", w.probe(), strings.Join(types(p.pool), ",\n"))
		for _, q := range append([]*pkg{p}, m.libs...) {
			for _, d := range q.decls {
				if holders := p.dynamic[d]; needed[d] && len(holders) > 0 {
					w.printf(".\nDynamic(%s)", strings.Join(types(append([]*typ{{kind: named, decl: d}}, holders...)), ", "))
				}
				if d.keyed && needed[d] {
					w.printf(".\nKeyed(%s)", types([]*typ{{kind: named, decl: d}})[0])
				}
			}
		}
		if needed[m.graph] {
			w.printf(".\nKeyed(%s)", types([]*typ{{kind: pointer, elem: &typ{kind: named, decl: m.graph}}})[0])
		}
		w.printf("\n")
		if err := w.write(at, "cases.go"); err != nil {
			return err
		}
		for d := range needed {
			all[d] = true
		}
	}
	for _, p := range append(slices.Clone(m.libs), pkgs...) {
		w := newFile(p)
		for _, d := range p.decls {
			if all[d] {
				d.write(w)
			}
		}
		if all[m.graph] && p == m.graph.p {
			m.graph.write(w)
		}
		if w.body.Len() == 0 {
			continue
		}
		if used[p] {
			for i, s := range p.shadow {
				w.printf("%s\n", []string{"var " + s + " = 1", "func " + s + "() {}", "type " + s + " struct{}", "const " + s + " = 1.5"}[i%4])
			}
		}
		if err := w.write(filepath.Join(dir, strings.TrimPrefix(p.path, module+"/")), "types.go"); err != nil {
			return err
		}
	}
	main.printf("\tif !%s.Main(cases) {\n\t\tos.Exit(1)\n\t}\n}\n", main.probe())
	return main.write(dir, "main.go")
}

// needs marks the declarations that a function needs.
func (f *fn) needs(into map[*decl]bool) {
	if f.recv != nil {
		need(f.recv.t, f.p, into)
	}
	for _, p := range f.params {
		need(p.t, f.p, into)
	}
	for _, r := range f.results {
		need(r.t, f.p, into)
	}
	for _, args := range f.insts {
		for _, a := range args {
			need(a, f.p, into)
		}
	}
	for _, t := range f.p.pool {
		need(t, f.p, into)
	}
}

// need marks what the spelling of t needs, down to the last declaration. Of an interface, those that it
// may hold in the package p are needed, too.
func need(t *typ, p *pkg, into map[*decl]bool) {
	t.walk(func(t *typ) {
		d := t.decl
		if d == nil || into[d] {
			return
		}
		into[d] = true
		need(d.under, p, into)
		for _, h := range p.dynamic[d] {
			need(h, p, into)
		}
	})
}

package main

import (
	"fmt"
	"slices"
	"strings"
)

// fn is one annotated function, and what it must do.
type fn struct {
	id       int
	p        *pkg
	name     string
	wrapper  string
	recv     *param // nil: no method
	tparams  []tpar // of the function, or of its receiver's type
	insts    [][]*typ
	params   []param
	results  []result
	err      bool   // a trailing error result
	errName  string // "" if results have no names
	partial  bool   // an error comes with results
	resource bool
	errKept  bool
	options  string
	rounds   int
	changes  int // the parameter that the body changes for its caller, or -1
}

// role is what a parameter has to do with the key.
type role int

const (
	inKey   role = iota
	ignored      // calls that differ in it must not be told apart
	free         // either will do: the body cannot read it
	context
)

type param struct {
	name     string
	t        *typ
	role     role
	variadic bool
	opaque   bool // not filled: a value that only has to be carried through
}

type result struct {
	name string
	t    *typ
	from int // the parameter that it is, or a part of it, or -1: made
}

// pn are names that parameters and results may have; those of the second line stand in the
// way of what generated code is likely to say.
var (
	plain = []string{"region", "id", "user", "list", "opts", "q", "x", "y", "table", "from", "to", "limit", "args", "in", "out"}
	nasty = []string{"ctx", "key", "cache", "hash", "err", "string", "len", "k", "v", "h", "r0", "r1", "ok", "nil", "true",
		"false", "append", "copy", "make", "new", "any", "error", "context", "strings", "time", "runtime", "site", "e", "enc",
		"c", "i", "n", "d", "p", "b", "iota", "panic", "recover", "int", "uint64", "byte", "bool", "unsafe", "math", "sort",
		"slices", "maps", "T0", "init", "main", "struct_", "self", "this", "rt", "res", "val", "out", "get", "do", "uintptr", "cap", "min"}
)

// namer gives distinct names.
type namer struct {
	m     *maker
	taken map[string]bool
}

func (a namer) name() string {
	for i := 0; ; i++ {
		s := pick(a.m, plain)
		if a.m.one(2) {
			s = pick(a.m, nasty)
		}
		if i > 20 {
			s += fmt.Sprint(i)
		}
		if !a.taken[s] {
			a.taken[s] = true
			return s
		}
	}
}

// function adds a function to the package.
func (m *maker) function(p *pkg) {
	f := &fn{id: m.next, p: p, rounds: 2, changes: -1}
	m.next++
	names := namer{m, map[string]bool{}}
	s := scope{depth: 1}
	var options []string

	switch {
	case m.one(5):
		m.receiver(f, names, &options)
	case m.one(4):
		for i := range 1 + m.n(2) {
			c := pick(m, []string{"any", "any", "comparable", "cmp.Ordered", "~int | ~float64"})
			name := string(rune('T' + i))
			f.tparams = append(f.tparams, tpar{name, c, &typ{kind: tparam, name: name, cmp: c != "any"}})
		}
	}
	s.params, s.flat = f.tparams, f.recv != nil

	n := pick(m, []int{0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 6})
	unnamed := m.one(25) && f.recv == nil
	for i := range n {
		q := param{t: m.typ(s)}
		switch {
		case unnamed:
			q.role = free
		case i > 0 && m.one(4) && f.params[i-1].role == inKey:
			q.t = f.params[i-1].t
			q.name = names.name()
		case m.one(10):
			q.role, q.name = ignored, "_"+names.name()
			if m.one(2) {
				q.t, q.opaque = m.unkeyable(), true
			}
		case m.one(15):
			q.role, q.name = free, "_"
		default:
			q.name = names.name()
		}
		f.params = append(f.params, q)
	}
	for i := range f.params {
		if q := &f.params[i]; q.role == inKey && len(f.params) > 1 && m.one(12) {
			q.role = ignored
			options = append(options, "ignore="+q.name)
			break
		}
	}
	if !unnamed && m.one(3) {
		c := param{name: "ctx", t: stdType("context.Context", true), role: context}
		if names.taken["ctx"] || m.one(3) {
			c.name = names.name()
		} else {
			names.taken["ctx"] = true
		}
		at := 0
		if m.one(8) {
			at = m.n(len(f.params) + 1)
		}
		f.params = append(f.params[:at:at], append([]param{c}, f.params[at:]...)...)
	}
	if last := len(f.params) - 1; last >= 0 && m.one(3) && (f.params[last].role == inKey || f.params[last].role == free) {
		f.params[last].variadic = true
		f.params[last].t = &typ{kind: slice, elem: f.params[last].t}
	}

	f.err = m.one(2)
	n = pick(m, []int{1, 1, 1, 1, 2, 2, 3, 4})
	namedResults := m.one(3) && !unnamed
	for range n {
		r := result{t: m.typ(s), from: -1}
		if keys := f.of(inKey); len(keys) > 0 && m.one(4) {
			r.from = pick(m, keys)
			r.t = f.params[r.from].t
		}
		if namedResults {
			if r.name = names.name(); m.one(10) {
				r.name = "_"
			}
		}
		f.results = append(f.results, r)
	}
	if f.err && namedResults {
		if f.errName = "err"; names.taken["err"] {
			f.errName = names.name()
		}
	}
	f.partial = f.err && m.one(4)
	f.resource = m.one(4)
	if f.err && m.one(4) {
		f.errKept = true
		options = append(options, "errors=30s")
	}
	if f.id%13 == 7 { // nothing but an error
		if !f.errKept {
			options = append(options, "errors=30s")
		}
		f.err, f.errKept, f.partial, f.resource, f.results = true, true, false, false, nil
	}
	for _, o := range []string{"ttl=10m", "max=1000000", "ttl=2d jitter=10%", "wait=30s", "timeout=1m", "detach=off", "tags=sales,user", "max-bytes=64MiB"} {
		if m.one(12) && (o != "timeout=1m" || len(f.of(context)) > 0) && !((f.resource || len(f.results) == 0) && strings.HasPrefix(o, "max-bytes")) && !strings.Contains(strings.Join(options, " "), o[:3]) {
			options = append(options, o)
		}
	}

	if f.id%4 == 1 {
		f.changer(&options)
	}

	base := fmt.Sprintf("fn%d", f.id)
	switch m.n(6) {
	case 0:
		f.name, f.wrapper = "F"+base[1:]+"Uncached", "F"+base[1:]
	case 1:
		f.name, f.wrapper = base+"Uncached", base
	case 2:
		f.name, f.wrapper = base, "Cached"+base
		options = append(options, "name="+f.wrapper)
	default:
		f.name, f.wrapper = base, "F"+base[1:]
	}
	f.options = strings.Join(options, " ")
	m.instances(f)
	p.funcs = append(p.funcs, f)
}

// changer makes the body one that changes an argument, if it has one that leads to memory of
// its caller's. Apart from its caller it would work on a copy.
func (f *fn) changer(options *[]string) {
	for _, i := range f.of(inKey) {
		if k := f.params[i].t.underlying(); k == slice || k == table || k == pointer {
			f.changes, f.rounds = i, 8
			if !slices.Contains(*options, "detach=off") {
				*options = append(*options, "detach=off")
			}
			return
		}
	}
}

// underlying returns the kind of the type that t stands for.
func (t *typ) underlying() kind {
	for t.kind == named && t.decl.under != nil {
		t = t.decl.under
	}
	return t.kind
}

// value adds a function from a type to itself.
func (m *maker) value(p *pkg) {
	f := &fn{id: m.next, p: p, rounds: 12, changes: -1}
	m.next++
	t := m.typ(scope{})
	if m.one(2) {
		for range 10 {
			if d := m.named(scope{}); d != nil {
				t = d
				break
			}
		}
	}
	f.name = fmt.Sprintf("fn%d", f.id)
	f.wrapper = fmt.Sprintf("Fn%d", f.id)
	f.params = []param{{name: "x", t: t}}
	f.results = []result{{t: t, from: 0}}
	p.funcs = append(p.funcs, f)
}

// of returns the indexes of the parameters of a role.
func (f *fn) of(r role) (at []int) {
	for i, p := range f.params {
		if p.role == r {
			at = append(at, i)
		}
	}
	return at
}

// unkeyable makes a type that only a parameter can have that is not in the key.
func (m *maker) unkeyable() *typ {
	return pick(m, []*typ{
		basicType("chan int"), basicType("func(int) string"), {kind: pointer, elem: stdType("sync.Mutex", false)},
		{kind: pointer, elem: stdType("database/sql.DB", false)}, stdType("io.Reader", true),
		{kind: table, key: basicType("string"), elem: basicType("func()")},
	})
}

// receiver makes a method of f.
func (m *maker) receiver(f *fn, names namer, options *[]string) {
	var holders []*decl
	for _, d := range f.p.decls {
		if !d.alias && d.known != iface && d.source == "" {
			holders = append(holders, d)
		}
	}
	if len(holders) == 0 {
		return
	}
	d := pick(m, holders)
	t := &typ{kind: named, decl: d}
	for _, p := range d.params {
		f.tparams = append(f.tparams, p)
		t.args = append(t.args, p.t)
	}
	f.recv = &param{name: names.name(), t: t}
	if m.one(2) {
		f.recv.t = &typ{kind: pointer, elem: t}
	}
	switch m.n(3) {
	case 0:
		f.recv.role = ignored
		*options = append(*options, "recv=ignore")
		if m.one(3) {
			f.recv.name = pick(m, []string{"", "_"})
		}
	default:
		*options = append(*options, "recv=key")
		if m.one(15) {
			f.recv.name, f.recv.role = "_", free
		}
	}
}

// instances picks type arguments to try a generic function with.
func (m *maker) instances(f *fn) {
	if len(f.tparams) == 0 {
		return
	}
	for range 2 {
		var args []*typ
		for _, p := range f.tparams {
			args = append(args, m.arg(scope{depth: 1}, p))
		}
		f.insts = append(f.insts, args)
	}
	if f.insts[0][0].String() == f.insts[1][0].String() {
		f.insts = f.insts[:1]
	}
}

var shadows = []string{"cache", "runtime", "rt", "hash", "key", "strings", "time", "context", "site", "len", "copy", "append",
	"make", "new", "panic", "min", "cap", "clear", "k", "v", "h", "ctx", "err", "ok", "unsafe", "slices", "maps", "math", "sql", "json", "big", "clone"}

// program makes a whole program.
func (m *maker) program(module string, n int, mode string) []*pkg {
	m.libraries(module)
	var pkgs []*pkg
	for m.next < n {
		p := &pkg{path: fmt.Sprintf("%s/p%d", module, len(pkgs)), name: fmt.Sprintf("p%d", len(pkgs))}
		if m.one(3) {
			for _, i := range m.rng.Perm(len(shadows))[:1+m.n(4)] {
				p.shadow = append(p.shadow, shadows[i])
			}
		}
		m.declare(p, 8+m.n(8))
		for range min(15, n-m.next) {
			if mode == "values" || mode == "both" && m.one(4) {
				m.value(p)
			} else {
				m.function(p)
			}
		}
		pkgs = append(pkgs, p)
	}
	return pkgs
}

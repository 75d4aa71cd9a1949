package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// maker makes types and functions at random.
type maker struct {
	rng   *rand.Rand
	libs  []*pkg
	p     *pkg // being made
	graph *decl
	next  int // number of the next function
}

func (m *maker) n(n int) int           { return m.rng.IntN(n) }
func (m *maker) one(in int) bool       { return m.rng.IntN(in) == 0 }
func pick[T any](m *maker, of []T) T   { return of[m.n(len(of))] }
func basicType(name string) *typ       { return &typ{kind: basic, name: name, cmp: true} }
func stdType(name string, c bool) *typ { return &typ{kind: std, name: name, cmp: c} }

var basics = []string{"int", "string", "string", "bool", "float64", "float32", "int8", "uint64", "int64", "uint8", "rune",
	"complex128", "complex64", "uintptr", "uint16", "byte", "int32", "uint", "int16"}

// scope is what a type may be made of.
type scope struct {
	depth   int
	params  []tpar // type parameters that are in scope
	cmp     bool   // must be comparable
	foreign bool   // must not use unexported names: it stands in a library
	later   bool   // behind a pointer: declarations to come may be used
	noIface bool
	flat    bool // no type parameters inside of type arguments: methods would instantiate one another without end
}

func (s scope) in() scope { s.depth++; return s }

// typ makes a type.
func (m *maker) typ(s scope) *typ {
	for range 100 {
		t := m.try(s)
		if !s.cmp || t.comparable() {
			return t
		}
	}
	return basicType("string")
}

func (m *maker) try(s scope) *typ {
	leaf := s.depth > 3
	switch r := m.n(100); {
	case len(s.params) > 0 && r < 25:
		return pick(m, s.params).t
	case r < 25 || leaf && r < 60:
		return basicType(pick(m, basics))
	case r < 33:
		return m.std(s)
	case r < 58:
		if t := m.named(s); t != nil {
			return t
		}
		return basicType("string")
	case leaf:
		return basicType("int")
	case r < 70:
		if s.cmp && !m.one(8) {
			return m.try(s)
		}
		in := s.in()
		in.cmp, in.later = false, true
		return &typ{kind: pointer, elem: m.typ(in)}
	case r < 82:
		in := s.in()
		in.later = true
		return &typ{kind: slice, elem: m.typ(in)}
	case r < 90:
		key, in := s.in(), s.in()
		key.cmp, key.later, in.cmp, in.later = true, false, false, true
		return &typ{kind: table, key: m.typ(key), elem: m.typ(in)}
	case r < 94:
		return &typ{kind: array, n: pick(m, []int{0, 1, 2, 2, 3, 3, 5}), elem: m.typ(s.in())}
	case r < 97 && !s.noIface:
		if m.one(2) {
			return &typ{kind: basic, name: "any", cmp: true}
		}
		return &typ{kind: iface}
	default:
		return m.record(s.in(), 1+m.n(3), false)
	}
}

// std makes a type of the standard library.
func (m *maker) std(s scope) *typ {
	switch m.n(12) {
	case 0:
		return stdType("time.Duration", true)
	case 1:
		return &typ{kind: pointer, elem: stdType("math/big.Int", false)}
	case 2:
		return stdType("net/netip.Addr", true)
	case 3:
		return stdType("encoding/json.RawMessage", false)
	case 4:
		return stdType("database/sql.NullString", true)
	case 5:
		if s.depth > 3 {
			return stdType("time.Month", true)
		}
		a := m.typ(s.in())
		return &typ{kind: std, name: "database/sql.Null", args: []*typ{a}, cmp: a.comparable()}
	case 6:
		return stdType("net/url.Values", false)
	case 7:
		return &typ{kind: pointer, elem: stdType("math/big.Rat", false)}
	case 8:
		if m.graph != nil {
			return &typ{kind: pointer, elem: &typ{kind: named, decl: m.graph}}
		}
	}
	return stdType("time.Time", true)
}

// named picks a declared type, of this package or of a library, and instantiates it.
func (m *maker) named(s scope) *typ {
	var d *decl
	p := m.p
	if len(m.libs) > 0 && m.one(3) {
		p = pick(m, m.libs)
	}
	if len(p.decls) == 0 {
		return nil
	}
	for range 10 {
		d = pick(m, p.decls)
		done := d.under != nil || d.source != ""
		if !done && (!s.later || d.alias || len(d.params) > 0 || d.known == iface && s.noIface) {
			continue
		}
		if s.noIface && d.known == iface {
			continue
		}
		t := &typ{kind: named, decl: d}
		if len(d.params) > 0 && s.depth > 4 {
			continue
		}
		for _, p := range d.params {
			t.args = append(t.args, m.arg(s, p))
		}
		return t
	}
	return nil
}

// arg makes a type argument.
func (m *maker) arg(s scope, p tpar) *typ {
	in := s.in()
	in.later = false
	if s.flat {
		var fit []tpar
		for _, q := range s.params {
			if p.constraint == "any" || q.constraint == p.constraint {
				fit = append(fit, q)
			}
		}
		if len(fit) > 0 && m.one(2) {
			return pick(m, fit).t
		}
		in.params = nil
	}
	in.cmp = p.constraint == "comparable"
	if p.constraint != "any" && p.constraint != "comparable" {
		for _, q := range s.params {
			if q.constraint == p.constraint && m.one(2) {
				return q.t
			}
		}
		if strings.HasSuffix(p.constraint, "Ordered") {
			return basicType(pick(m, []string{"int", "string", "float64", "uint8"}))
		}
		return basicType(pick(m, []string{"int", "float64"}))
	}
	return m.typ(in)
}

var fieldNames = []string{"a", "B", "c", "Name", "id", "Next", "list", "M", "len", "string", "copy", "err", "v", "k", "h",
	"key", "cache", "nil", "make", "X", "hash", "_", "append", "data", "r0", "Value", "n"}

// record makes a struct type.
func (m *maker) record(s scope, n int, decl bool) *typ {
	t := &typ{kind: record}
	taken := map[string]bool{}
	for i := range n {
		f := field{}
		if decl && m.one(5) {
			// Embedded: a name, or a pointer to one, that stands for neither pointer nor parameter.
			if e := m.named(s); e != nil && m.embeddable(e) && !taken[e.decl.name] && (!s.cmp || e.comparable()) {
				taken[e.decl.name] = true
				if u := e.under(); m.one(3) && u != nil && u.kind != iface {
					e = &typ{kind: pointer, elem: e}
				}
				t.fields = append(t.fields, field{t: e, embed: true})
				continue
			}
			if m.one(3) && !taken["Time"] && !s.cmp {
				taken["Time"] = true
				t.fields = append(t.fields, field{t: stdType("time.Time", true), embed: true})
				continue
			}
		}
		f.name = pick(m, fieldNames)
		if taken[f.name] && f.name != "_" || f.name == "_" && (s.foreign || !m.one(3)) {
			f.name = fmt.Sprintf("f%d", i)
		}
		if s.foreign {
			f.name = "F" + strings.TrimLeft(f.name, "_")
		}
		if taken[f.name] {
			f.name += fmt.Sprint(i)
		}
		taken[f.name] = f.name != "_"
		f.t = m.typ(s)
		if m.one(12) {
			f.tag = `db:"x"`
		}
		t.fields = append(t.fields, f)
	}
	return t
}

func (m *maker) embeddable(t *typ) bool {
	if t.decl.alias {
		return false
	}
	if t.decl.source != "" {
		return true
	}
	u := t.under()
	return u != nil && u.kind != pointer
}

// declare fills the package with types.
func (m *maker) declare(p *pkg, n int) {
	m.p = p
	for i := range n {
		d := &decl{p: p, known: -1}
		prefix := "t"
		switch {
		case p.lib:
			prefix = "T"
		case m.one(3):
			prefix = "L" // not T: libraries may be imported with a dot
		}
		d.name = fmt.Sprintf("%s%d", prefix, i)
		switch r := m.n(100); {
		case r < 50:
			d.known = record
		case r < 58:
			d.known = basic
		case r < 66:
			d.known = slice
		case r < 72:
			d.known = table
		case r < 75:
			d.known = array
		case r < 85:
			d.known = iface
		default:
			d.alias = true
		}
		if d.known != iface && d.known != basic && m.one(4) {
			for j := range 1 + m.n(2) {
				c := pick(m, []string{"any", "any", "comparable"})
				name := string(rune('T' + j))
				d.params = append(d.params, tpar{name, c, &typ{kind: tparam, name: name, cmp: c == "comparable"}})
			}
		}
		p.decls = append(p.decls, d)
	}
	for _, d := range p.decls {
		m.define(d)
	}
	if !p.lib {
		d := *own
		d.p = p
		p.decls = append(p.decls, &d)
		m.implement(p)
	}
}

// define makes the underlying type of d. It may use types defined before anywhere, and
// itself and later types only behind pointers, slices and maps.
func (m *maker) define(d *decl) {
	s := scope{params: d.params, foreign: d.p.lib}
	self := &typ{kind: named, decl: d}
	for _, p := range d.params {
		self.args = append(self.args, p.t)
	}
	var u *typ
	switch d.known {
	case record:
		s.cmp = m.one(3)
		u = m.record(s.in(), m.n(6), true)
		if !s.cmp && m.one(3) {
			back := pick(m, []*typ{{kind: pointer, elem: self}, {kind: slice, elem: self},
				{kind: table, key: basicType("string"), elem: &typ{kind: pointer, elem: self}},
				{kind: slice, elem: &typ{kind: pointer, elem: self}}})
			name := "self"
			if d.p.lib {
				name = "Self"
			}
			u.fields = append(u.fields, field{name: name, t: back})
		}
	case basic:
		u = basicType(pick(m, basics))
	case slice:
		s.later = true
		u = &typ{kind: slice, elem: m.typ(s.in())}
		if m.one(8) {
			u.elem = self
		}
	case table:
		key, elem := s.in(), s.in()
		key.cmp, elem.later = true, true
		u = &typ{kind: table, key: m.typ(key), elem: m.typ(elem)}
		if m.one(8) {
			u.elem = self
		}
	case array:
		u = &typ{kind: array, n: 1 + m.n(3), elem: m.typ(s.in())}
	case iface:
		u = &typ{kind: iface, iface: fmt.Sprintf("is%s()", strings.ToUpper(d.name))}
		if d.p.lib {
			u.iface = fmt.Sprintf("Is%d%s()", len(m.libs), d.name)
		}
	default: // an alias
		s.noIface = true
		u = m.typ(s.in())
		if u.kind == tparam { // the language has no such alias
			u = &typ{kind: slice, elem: u}
		}
	}
	d.under = u
}

// implement gives methods to some types, so that interfaces have something to hold, and
// lists what they may hold.
func (m *maker) implement(p *pkg) {
	p.dynamic = map[*decl][]*typ{}
	var holders []*decl
	for _, d := range p.decls {
		if !d.alias && d.known != iface && len(d.params) == 0 && d.source == "" {
			holders = append(holders, d)
		}
	}
	seen := map[*decl]bool{}
	var ifaces []*decl
	for _, q := range append([]*pkg{p}, m.libs...) {
		for _, d := range q.decls {
			if d.known == iface && !seen[d] {
				seen[d] = true
				ifaces = append(ifaces, d)
			}
		}
	}
	for _, d := range ifaces {
		if len(holders) == 0 {
			break
		}
		for _, i := range m.rng.Perm(len(holders))[:min(len(holders), 1+m.n(3))] {
			h := holders[i]
			t := &typ{kind: named, decl: h}
			recv := h.name
			if m.one(2) {
				recv = "*" + recv
				t = &typ{kind: pointer, elem: t}
			}
			h.methods = append(h.methods, fmt.Sprintf("func (%s) %s {}\n", recv, d.under.iface))
			p.dynamic[d] = append(p.dynamic[d], t)
		}
	}
	p.pool = []*typ{basicType("int"), basicType("int64"), basicType("string"), basicType("float64"), stdType("time.Time", true),
		{kind: slice, elem: basicType("int")}, {kind: table, key: basicType("string"), elem: basicType("any")},
		{kind: slice, elem: basicType("any")}}
	for range 6 {
		t := m.typ(scope{noIface: true, depth: 1})
		if u := t.under(); u != nil && u.kind != iface {
			p.pool = append(p.pool, t)
		}
	}
}

// libraries makes the packages that the others take types from. Their names clash.
func (m *maker) libraries(module string) {
	for i, l := range []struct{ path, name string }{
		{"lib/types", "types"}, {"other/types/v2", "types"}, {"lib/cache", "cache"}, {"lib/go-time", "time"},
	} {
		p := &pkg{path: module + "/" + l.path, name: l.name, lib: true}
		m.declare(p, 6)
		if i == 0 {
			for _, d := range append(slices.Clone(opaque), graph) {
				c := *d
				c.p = p
				if d != graph {
					p.decls = append(p.decls, &c)
				} else {
					m.graph = &c
				}
			}
		}
		m.libs = append(m.libs, p)
	}
}

// opaque are types whose fields other packages cannot see, and which say themselves how they
// are keyed and copied, or need not.
var opaque = []*decl{
	{name: "ID", cmp: true, known: record, source: `
// ID is compared as it is.
type ID struct { hi, lo uint64; name string }
`},
	{name: "Point", cmp: true, known: record, source: `
// Point has content only, too, but of the kind that is not equal to itself.
type Point struct { x, y float64; on [2]bool }
`},
	{name: "Row", cmp: true, known: record, source: `
// Row embeds a type without a name outside.
type Row struct { cells; Z string }

type cells struct { A, b int32 }
`},
	{name: "Doc", keyed: true, known: record, source: `
// Doc is keyed by its lines. Its record of reads does not matter.
type Doc struct { lines []string; note string; reads []int }

func (d Doc) CacheKey() []string { return d.lines }

func (d Doc) Clone() Doc {
	return Doc{slices.Clone(d.lines), d.note, slices.Clone(d.reads)}
}
`},
}

// graph is used through pointers only.
var graph = &decl{name: "Graph", keyed: true, known: record, source: `
// Graph has its methods on the pointer. What it hides is not shared between two of them:
// a method that copies one could not keep that.
type Graph struct { names []string; next [][]string; version int }

func (g *Graph) CacheKey() (k struct{ Names []string; Next [][]string }) {
	k.Names, k.Next = g.names, g.next
	return k
}

func (g *Graph) DeepCopy() *Graph {
	if g == nil {
		return nil
	}
	c := *g
	c.names, c.next = slices.Clone(g.names), slices.Clone(g.next)
	for i, s := range c.next {
		c.next[i] = slices.Clone(s)
	}
	return &c
}
`}

// own is a type of the package under test with a key of its own.
var own = &decl{name: "own", keyed: true, known: record, source: `
// own is keyed by a part of what it holds.
type own struct { id string; n int; scratch []byte; log *own }

func (o own) CacheKey() (k struct{ id string; n int }) {
	k.id, k.n = o.id, o.n
	return k
}
`}

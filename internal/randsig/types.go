package main

import (
	"fmt"
	"strings"
)

// typ is a type expression.
type typ struct {
	kind   kind
	name   string // of a basic type, a standard type (with its package) or a type parameter
	decl   *decl  // of a named type
	args   []*typ
	elem   *typ // of pointers, slices, arrays, maps
	key    *typ // of maps
	n      int  // length of arrays
	fields []field
	iface  string // the methods of an interface literal, or ""
	cmp    bool   // basic, standard, type parameter: comparable
}

type kind int

const (
	basic kind = iota
	std        // of the standard library; name is "pkg.Name"
	named
	pointer
	slice
	array
	table
	record
	iface
	tparam
)

type field struct {
	name  string // "" for embedded
	t     *typ
	embed bool
	tag   string
}

// tpar is a type parameter.
type tpar struct {
	name       string
	constraint string
	t          *typ
}

// decl is a type declaration.
type decl struct {
	p       *pkg
	name    string
	params  []tpar
	under   *typ // nil while it is being made
	alias   bool
	methods []string // whole declarations
	source  string   // written by hand: instead of all else
	known   kind     // what kind the underlying type will be
	keyed   bool     // has a CacheKey of its own
	cmp     bool     // of those written by hand
}

// pkg is a package of the program.
type pkg struct {
	path, name string
	lib        bool // holds only types for others
	decls      []*decl
	funcs      []*fn
	shadow     []string // what it declares beside: names that stand in the way
	dynamic    map[*decl][]*typ
	pool       []*typ // for any
}

func (t *typ) String() string { return t.in(func(path, name string) string { return name + "." }) }

// in spells t; qual gives the qualifier of a package, with its dot.
func (t *typ) in(qual func(path, name string) string) string {
	list := func(ts []*typ) string {
		var s []string
		for _, a := range ts {
			s = append(s, a.in(qual))
		}
		return strings.Join(s, ", ")
	}
	switch t.kind {
	case basic, tparam:
		return t.name
	case std:
		dot := strings.LastIndex(t.name, ".")
		path := t.name[:dot]
		s := qual(path, path[strings.LastIndex(path, "/")+1:]) + t.name[dot+1:]
		if len(t.args) > 0 {
			s += "[" + list(t.args) + "]"
		}
		return s
	case named:
		s := qual(t.decl.p.path, t.decl.p.name) + t.decl.name
		if len(t.args) > 0 {
			s += "[" + list(t.args) + "]"
		}
		return s
	case pointer:
		return "*" + t.elem.in(qual)
	case slice:
		return "[]" + t.elem.in(qual)
	case array:
		return fmt.Sprintf("[%d]%s", t.n, t.elem.in(qual))
	case table:
		return "map[" + t.key.in(qual) + "]" + t.elem.in(qual)
	case iface:
		if t.iface == "" {
			return "interface{}"
		}
		return "interface{ " + t.iface + " }"
	case record:
		var b strings.Builder
		b.WriteString("struct {")
		for i, f := range t.fields {
			if i > 0 {
				b.WriteString("; ")
			}
			b.WriteString(f.name + " " + f.t.in(qual))
			if f.tag != "" {
				b.WriteString(" `" + f.tag + "`")
			}
		}
		b.WriteString("}")
		return b.String()
	}
	panic("unknown kind")
}

// subst replaces type parameters.
func (t *typ) subst(params []tpar, args []*typ) *typ {
	if t == nil || len(params) == 0 {
		return t
	}
	if t.kind == tparam {
		for i, p := range params {
			if p.name == t.name {
				return args[i]
			}
		}
		return t
	}
	c := *t
	c.elem, c.key = t.elem.subst(params, args), t.key.subst(params, args)
	c.args, c.fields = nil, nil
	for _, a := range t.args {
		c.args = append(c.args, a.subst(params, args))
	}
	for _, f := range t.fields {
		f.t = f.t.subst(params, args)
		c.fields = append(c.fields, f)
	}
	return &c
}

// under is the type literal below names; nil if it is not known yet.
func (t *typ) under() *typ {
	for t != nil && t.kind == named {
		if t.decl.source != "" {
			return t
		}
		t = t.decl.under.subst(t.decl.params, t.args)
	}
	return t
}

// comparable reports whether t may be the key of a map.
func (t *typ) comparable() bool {
	u := t.under()
	if u == nil {
		return false
	}
	switch u.kind {
	case basic, std, tparam:
		return u.cmp
	case named:
		return u.decl.cmp
	case pointer, iface:
		return true
	case array:
		return u.elem.comparable()
	case record:
		for _, f := range u.fields {
			if !f.t.comparable() {
				return false
			}
		}
		return true
	}
	return false
}

// walk calls f for t and all that is part of its spelling.
func (t *typ) walk(f func(*typ)) {
	if t == nil {
		return
	}
	f(t)
	t.elem.walk(f)
	t.key.walk(f)
	for _, a := range t.args {
		a.walk(f)
	}
	for _, x := range t.fields {
		x.t.walk(f)
	}
}

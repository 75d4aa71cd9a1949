package model

import (
	"go/types"

	"golang.org/x/tools/go/types/typeutil"
)

// CopyKind says how values of a type are copied for a caller.
type CopyKind int

// The kinds of copy. A copy starts from a shallow one (an assignment), in which what is
// shared is then replaced.
const (
	CopyNone    CopyKind = iota // immutable: the shallow copy is enough
	CopySlice                   // a new backing array, then each element
	CopyArray                   // each element
	CopyMap                     // a new map, then each key and value
	CopyPointer                 // a new pointee, then what is in it
	CopyStruct                  // the fields that need it
	CopyAny                     // interfaces and type parameters: the runtime, from the dynamic type
	CopyMethod                  // by the type's method Clone or DeepCopy
)

// Copy is a node of a copy plan. Plans of recursive types are cyclic.
type Copy struct {
	Kind   CopyKind
	Type   types.Type
	Elem   *Copy
	MapKey *Copy
	Fields []CopyField // those of structs that need it
	Method string      // of CopyMethod

	// Memo is set on pointers, maps and slices whose copies are remembered, so that
	// what is shared stays shared and what is cyclic ends.
	Memo bool
	// Inferred is set of a CopyAny whose type generated code must not spell.
	Inferred bool
	// Copier is set where a memo is needed here or further down.
	Copier bool
	std    bool // a struct of the standard library
}

// CopyField is one field of a struct.
type CopyField struct {
	Name string
	Copy *Copy
}

// immutable are types that nobody changes once they exist, whatever their fields.
var immutable = map[string]bool{
	"crypto/ecdh.PrivateKey":         true,
	"crypto/ecdh.PublicKey":          true,
	"net/netip.Addr":                 true,
	"net/netip.AddrPort":             true,
	"net/netip.Prefix":               true,
	"net/url.Userinfo":               true,
	"reflect.Method":                 true,
	"reflect.StructField":            true,
	"reflect.Type":                   true,
	"regexp.Regexp":                  true,
	"time.Location":                  true,
	"time.Time":                      true,
	"unique.Handle":                  true,
	"html/template.HTML":             true,
	"go/token.Pos":                   true,
	"golang.org/x/text/language.Tag": true,
}

// sharedPointees are those of immutable that are used by pointer: nobody assigns to what the
// pointer leads to, and it is shared. A pointer to any other immutable value is a variable,
// which its holder may assign to.
var sharedPointees = map[string]bool{
	"crypto/ecdh.PrivateKey": true,
	"crypto/ecdh.PublicKey":  true,
	"net/url.Userinfo":       true,
	"regexp.Regexp":          true,
	"time.Location":          true,
}

// dynamicCopy are types with hidden fields that the runtime knows how to copy.
var dynamicCopy = map[string]bool{
	"math/big.Float": true,
	"math/big.Int":   true,
	"math/big.Rat":   true,
}

// copyPlanner makes the copy plans of one function.
type copyPlanner struct {
	pkg   *types.Package
	decls *declarations
	done  typeutil.Map // types.Type → *Copy
	open  typeutil.Map // being planned
	depth int          // how many slices, arrays and maps are around
	owner *types.Named // the type whose parts are being planned, nil for those of a signature
}

// plan returns how values of t are copied, or why they cannot be.
func (p *copyPlanner) plan(t types.Type, path string) (*Copy, *Reason) {
	if p.decls.dynamic(t, p.owner) {
		return &Copy{Kind: CopyAny, Type: t, Inferred: true}, nil
	}
	t = types.Unalias(t)
	if c, ok := p.done.At(t).(*Copy); ok && c != nil {
		if p.open.At(t) != nil {
			p.open.Iterate(func(u types.Type, _ any) {
				o := p.done.At(u).(*Copy)
				switch u.Underlying().(type) {
				case *types.Pointer, *types.Slice, *types.Map:
					o.Memo = true
				}
			})
		} else {
			// It occurs twice, and so may every pointer in it.
			for _, n := range reach(c) {
				if n.Kind == CopyPointer || n.Kind == CopyMap || n.Kind == CopyMethod {
					n.Memo = true
				}
			}
		}
		return c, nil
	}
	c := &Copy{Type: t}
	p.done.Set(t, c)
	p.open.Set(t, true)
	r := p.fill(c, t, path)
	p.open.Delete(t)
	if r != nil {
		// What was planned meanwhile may refer to this one.
		for _, u := range p.done.Keys() {
			if p.open.At(u) == nil {
				p.done.Delete(u)
			}
		}
		return nil, r
	}
	return c, nil
}

func (p *copyPlanner) fill(c *Copy, t types.Type, path string) *Reason {
	outer := p.owner
	defer func() { p.owner = outer }()
	named, _ := t.(*types.Named)
	if named != nil {
		p.owner = named
		full := fullName(named)
		switch {
		case immutable[full]:
			return nil
		case dynamicCopy[full]:
			c.Kind = CopyAny
			return nil
		case full == "error":
			// Errors are values by convention, and compared by identity.
			return nil
		}
	}
	if why := uncopyable(t); why != "" {
		if c.method(t, p.pkg) {
			return nil
		}
		return &Reason{Path: path, Type: t, Why: why}
	}
	if _, ok := t.(*types.TypeParam); ok {
		c.Kind = CopyAny
		return nil
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch u.Kind() {
		case types.UnsafePointer:
			return &Reason{Path: path, Type: t, Why: "a pointer without a type, and what it points to cannot be copied"}
		case types.Invalid: // others are refused when they are loaded
			return &Reason{Path: path, Type: t, Why: "a type of C, whose content is not known here"}
		}
		return nil
	case *types.Interface:
		c.Kind = CopyAny
		return nil
	case *types.Pointer:
		e := types.Unalias(u.Elem())
		if n, ok := e.(*types.Named); ok && sharedPointees[fullName(n)] {
			return nil
		} else if ok && dynamicCopy[fullName(n)] {
			c.Kind = CopyAny
			return nil
		}
		c.Kind = CopyPointer
		c.Memo = c.Memo || p.depth > 0
		sub, r := p.plan(u.Elem(), path)
		if r != nil && r.Path == path && r.Type == types.Unalias(u.Elem()) {
			r.Type = t
		}
		c.Elem = sub
		if r != nil && c.method(t, p.pkg) {
			return nil
		}
		return r
	case *types.Slice:
		p.depth++
		sub, r := p.plan(u.Elem(), path+"[i]")
		p.depth--
		c.Kind, c.Elem = CopySlice, sub
		return r
	case *types.Array:
		p.depth++
		sub, r := p.plan(u.Elem(), path+"[i]")
		p.depth--
		if r != nil || sub.Kind == CopyNone || u.Len() == 0 {
			return r
		}
		c.Kind, c.Elem = CopyArray, sub
		return nil
	case *types.Map:
		p.depth++
		defer func() { p.depth-- }()
		c.Kind = CopyMap
		c.Memo = c.Memo || p.depth > 1
		var r *Reason
		if c.MapKey, r = p.plan(u.Key(), path+"[key]"); r != nil {
			return r
		}
		c.Elem, r = p.plan(u.Elem(), path+"[key]")
		return r
	case *types.Struct:
		return p.structure(c, u, t, path)
	}
	return &Reason{Path: path, Type: t, Why: "values of this type cannot be copied"}
}

func (p *copyPlanner) structure(c *Copy, u *types.Struct, t types.Type, path string) *Reason {
	for f := range u.Fields() {
		if f.Name() == "_" {
			if holdsLock(f.Type()) {
				return &Reason{Path: path + "._", Type: f.Type(), Why: "a lock, which must not be copied"}
			}
			continue
		}
		at := path + "." + f.Name()
		sub, r := p.plan(f.Type(), at)
		if r == nil && !accessible(f, p.pkg) && !plain(f.Type(), nil) {
			r = &Reason{Path: at, Type: f.Type(), Hidden: t, Why: "a field that package " + p.pkg.Name() + " cannot reach"}
		}
		if r != nil {
			if c.method(t, p.pkg) {
				c.Fields = nil
				return nil
			}
			if !accessible(f, p.pkg) {
				r.Hidden = t
			}
			return r
		}
		if accessible(f, p.pkg) {
			c.Fields = append(c.Fields, CopyField{f.Name(), sub})
		}
	}
	c.Kind, c.std = CopyStruct, p.decls.stdStruct(t)
	return nil
}

// method makes c a copy by the type's own method, if it has one of the right shape.
func (c *Copy) method(t types.Type, pkg *types.Package) bool {
	for _, name := range []string{"DeepCopy", "Clone"} {
		obj, _, _ := types.LookupFieldOrMethod(t, false, pkg, name)
		f, ok := obj.(*types.Func)
		if !ok || !f.Exported() && f.Pkg() != pkg {
			continue
		}
		sig := f.Signature()
		if sig.Params().Len() == 0 && sig.Results().Len() == 1 && types.Identical(sig.Results().At(0).Type(), t) {
			c.Kind, c.Method, c.Elem, c.Fields = CopyMethod, name, nil, nil
			return true
		}
	}
	return false
}

// uncopyable says why values of t must not be copied, "" when they may be looked into.
func uncopyable(t types.Type) string {
	switch u := t.Underlying().(type) {
	case *types.Signature:
		if isIterator(u) {
			return "an iterator, which yields its values to whoever runs it"
		}
		return "a function, and what it refers to cannot be copied"
	case *types.Chan:
		return "a channel, which hands each value to one receiver only"
	}
	named, ok := t.(*types.Named)
	if ok {
		if why, ok := handles[fullName(named)]; ok {
			return why
		}
		if p := named.Obj().Pkg(); p != nil {
			switch p.Path() {
			case "sync", "sync/atomic":
				return "a value of package " + p.Path() + ", which must not be copied"
			case "bufio":
				return "a buffered stream"
			}
		}
		if !types.IsInterface(t) && isLock(t) {
			return "a lock, which must not be copied"
		}
	}
	if i, ok := t.Underlying().(*types.Interface); ok {
		if _, param := t.(*types.TypeParam); !param {
			return opaqueInterface(i, t)
		}
	}
	return ""
}

// plain reports whether no pointer, slice, map, channel, function or interface can be
// reached from values of t, types that nobody changes aside.
func plain(t types.Type, open map[types.Type]bool) bool {
	t = types.Unalias(t)
	if n, ok := t.(*types.Named); ok && immutable[fullName(n)] {
		return true
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Kind() != types.UnsafePointer
	case *types.Array:
		return plain(u.Elem(), open)
	case *types.Struct:
		for f := range u.Fields() {
			if !plain(f.Type(), open) {
				return false
			}
		}
		return true
	case *types.Pointer:
		n, ok := types.Unalias(u.Elem()).(*types.Named)
		return ok && sharedPointees[fullName(n)]
	}
	return false
}

// finish settles, over the whole graph, which nodes need no copy after all and which
// need a memo passed down. It returns c, or nil when nothing needs a copy.
func finish(c *Copy) *Copy {
	if c == nil {
		return nil
	}
	all := reach(c)
	// A struct or array is immutable when all its parts are. Start from "none needs a
	// copy" and add until nothing changes: the least answer is right for cycles too,
	// which always run through a pointer, slice or map.
	needs := map[*Copy]bool{}
	copier := map[*Copy]bool{}
	for changed := true; changed; {
		changed = false
		for _, n := range all {
			need, memo := needs[n], copier[n]
			switch n.Kind {
			case CopySlice, CopyMap, CopyPointer, CopyMethod:
				need = true
			case CopyAny:
				need, memo = true, true
			case CopyStruct, CopyArray:
				for _, s := range n.parts() {
					need = need || needs[s]
				}
				memo = memo || n.std && need
			}
			memo = memo || n.Memo && need
			for _, s := range n.parts() {
				memo = memo || copier[s]
			}
			if need != needs[n] || memo != copier[n] {
				needs[n], copier[n] = need, memo
				changed = true
			}
		}
	}
	for _, n := range all {
		n.Copier = copier[n]
		if n.std && needs[n] && n.Kind == CopyStruct {
			n.Kind, n.Fields = CopyAny, nil // the runtime finds its fields
		}
		if !needs[n] {
			n.Kind, n.Fields, n.Elem, n.MapKey = CopyNone, nil, nil, nil
		}
		var keep []CopyField
		for _, f := range n.Fields {
			if needs[f.Copy] {
				keep = append(keep, f)
			}
		}
		n.Fields = keep
	}
	if !needs[c] {
		return nil
	}
	return c
}

func (c *Copy) parts() []*Copy {
	var all []*Copy
	if c.MapKey != nil {
		all = append(all, c.MapKey)
	}
	if c.Elem != nil {
		all = append(all, c.Elem)
	}
	for _, f := range c.Fields {
		all = append(all, f.Copy)
	}
	return all
}

// reach returns every node of the plan, each once, in a fixed order.
func reach(c *Copy) []*Copy {
	var all []*Copy
	seen := map[*Copy]bool{}
	var walk func(*Copy)
	walk = func(c *Copy) {
		if seen[c] {
			return
		}
		seen[c] = true
		all = append(all, c)
		for _, s := range c.parts() {
			walk(s)
		}
	}
	walk(c)
	return all
}

package model

import (
	"fmt"
	"go/types"
	"strings"

	"golang.org/x/tools/go/types/typeutil"
)

// Layout is what the generated code of a function takes for granted of the types whose
// values it walks field by field, and how it is kept from being wrong when they change.
type Layout struct {
	Pins  []Pin         // types that the compiler can compare with what they were
	Roots []*LayoutRoot // types of values that the runtime compares before it walks the first
}

// Pin is a named type, or an alias, that changes in the module only.
type Pin struct {
	Type types.Type
	// Keyed asks whether the type has a method CacheKey of its own, which Own says.
	Keyed, Own bool
}

// LayoutRoot is the type of a value that is walked, in which there is a type that can change
// where nobody generates the code anew.
type LayoutRoot struct {
	Type  types.Type
	Text  string // what the runtime expects, as its type Layout has it
	Exact bool   // the value stands in the key as it is
}

// mode is what a value is walked for.
type mode int

const (
	forKey mode = iota
	forCopy
	forSize
)

// layouts makes the layout of one function.
type layouts struct {
	*declarations
	l      Layout
	pinned map[types.Object]bool // aliases
	pinAt  typeutil.Map          // types.Type → index of its pin, for others
	copies *copyPlanner
	sizes  *sizePlanner
}

// declarations knows which types cannot change without the module.
type declarations struct {
	pkg      *types.Package
	settled  func(*types.TypeName) bool
	std      func(types.Object) bool
	known    map[*types.TypeName]bool
	pinnable typeutil.Map // *types.Named → bool
}

func (d *declarations) isSettled(o *types.TypeName) bool {
	ok, seen := d.known[o]
	if !seen {
		ok = d.settled(o)
		if d.known == nil {
			d.known = map[*types.TypeName]bool{}
		}
		d.known[o] = ok
	}
	return ok
}

// pins reports whether generated code can hold a comparison of the named type with what it
// is made of now, which cannot fail but by a change in the module.
func (d *declarations) pins(n *types.Named) bool {
	if ok, seen := d.pinnable.At(n).(bool); seen {
		return ok
	}
	ok := n.Obj().Pkg() != nil && !types.IsInterface(n) && d.isSettled(n.Obj()) &&
		Nameable(n, d.pkg) && Nameable(n.Underlying(), d.pkg)
	if s, isStruct := n.Underlying().(*types.Struct); ok && isStruct && n.Obj().Pkg() != d.pkg {
		for f := range s.Fields() { // blank fields too: they are another package's
			ok = ok && f.Exported()
		}
	}
	d.pinnable.Set(n, ok)
	return ok
}

// plainStd reports whether a named type of the standard library is made of no struct: it
// stays what it is.
func (d *declarations) plainStd(n *types.Named) bool {
	_, fields := n.Underlying().(*types.Struct)
	return !fields && d.std(n.Obj()) && (n.Obj().Pkg() == nil || n.Obj().Pkg().Path() != "syscall")
}

// stdStruct reports whether t is a struct of the standard library. Its fields are not the
// same in each release of Go and on each system, and generated code never lists them: it
// would be another text for each, and would not compile everywhere.
func (d *declarations) stdStruct(t types.Type) bool {
	n, named := t.(*types.Named)
	if !named || n.Obj().Pkg() == nil {
		return false
	}
	_, fields := n.Underlying().(*types.Struct)
	return fields && d.std(n.Obj())
}

// fixedStruct reports whether a struct may stand in a key: what it is made of is checked by
// the compiler.
func (d *declarations) fixedStruct(t types.Type) bool {
	n, ok := t.(*types.Named)
	return !ok || d.pins(n)
}

// fixedAlias reports whether an alias stands for what it does unless the module changes.
func (d *declarations) fixedAlias(a *types.Alias) bool {
	o := a.Obj()
	if o.Pkg() == nil {
		return true
	}
	if d.std(o) {
		_, anonymous := types.Unalias(a).(*types.Struct)
		return !anonymous && o.Pkg().Path() != "syscall"
	}
	return a.TypeArgs().Len() == 0 && d.isSettled(o) && Nameable(types.Unalias(a), d.pkg)
}

// dynamic reports whether values of type t are left to the runtime because generated code
// could not spell the type any more when it has changed: it is a struct without a name, or
// made of one, and an alias for it, or the type called owner that it is a part of, can change
// without the module.
func (d *declarations) dynamic(t types.Type, owner *types.Named) bool {
	for {
		if a, ok := t.(*types.Alias); ok {
			if !d.fixedAlias(a) && anonymousStruct(types.Unalias(a)) {
				return true
			}
			t = a.Rhs()
			continue
		}
		return owner != nil && !d.pins(owner) && anonymousStruct(t)
	}
}

// anonymousStruct reports whether a struct without a name is written in t.
func anonymousStruct(t types.Type) bool {
	switch t := types.Unalias(t).(type) {
	case *types.Struct:
		return true
	case *types.Pointer:
		return anonymousStruct(t.Elem())
	case *types.Slice:
		return anonymousStruct(t.Elem())
	case *types.Array:
		return anonymousStruct(t.Elem())
	case *types.Map:
		return anonymousStruct(t.Key()) || anonymousStruct(t.Elem())
	}
	return false
}

// root adds a value of type t that is walked in the given mode.
func (l *layouts) root(t types.Type, m mode, exact bool) *LayoutRoot {
	if !l.loose(t, m, new(typeutil.Map)) {
		return nil
	}
	w := &layoutWriter{layouts: l, mode: m, named: new(typeutil.Map)}
	w.write(t)
	r := &LayoutRoot{Type: t, Text: w.String(), Exact: exact}
	l.l.Roots = append(l.l.Roots, r)
	return r
}

// loose reports whether a type that can change without the module is walked in values of
// type t, and notes the pins of those that cannot.
func (l *layouts) loose(t types.Type, m mode, seen *typeutil.Map) bool {
	found := false
	if l.dynamic(t, nil) {
		return false
	}
	for {
		a, ok := t.(*types.Alias)
		if !ok {
			break
		}
		if !l.fixedAlias(a) {
			found = true
		} else if o := a.Obj(); o.Pkg() != nil && !l.std(o) {
			l.pin(Pin{Type: a})
		}
		t = a.Rhs()
	}
	if seen.At(t) != nil {
		return found
	}
	seen.Set(t, true)
	n, named := t.(*types.Named)
	if text, stops := l.stop(t, m); stops {
		return found || text == frozen || text == flat
	}
	var own *types.Func
	if named {
		switch {
		case l.pins(n):
			p := Pin{Type: n}
			if m == forKey {
				p.Keyed = true
				own = ownKey(n, l.pkg)
				p.Own = own != nil
			}
			l.pin(p)
		case !l.plainStd(n):
			found = true
			if m == forKey {
				own = ownKey(n, l.pkg)
			}
		}
	}
	if own != nil {
		return l.loose(own.Signature().Results().At(0).Type(), m, seen) || found
	}
	for _, part := range walked(t) {
		if l.loose(part, m, seen) {
			found = true
		}
	}
	return found
}

func (l *layouts) pin(p Pin) {
	if a, ok := p.Type.(*types.Alias); ok {
		if l.pinned[a.Obj()] {
			return
		}
		if l.pinned == nil {
			l.pinned = map[types.Object]bool{}
		}
		l.pinned[a.Obj()] = true
	} else if i, ok := l.pinAt.At(p.Type).(int); ok {
		if p.Keyed {
			l.l.Pins[i] = p
		}
		return
	} else {
		l.pinAt.Set(p.Type, len(l.l.Pins))
	}
	l.l.Pins = append(l.l.Pins, p)
}

// ownKey returns the method CacheKey that makes the keys of values of type n, or nil.
func ownKey(n *types.Named, pkg *types.Package) *types.Func {
	f, _ := methodOf(n, "CacheKey", pkg)
	if f == nil || f.Signature().Params().Len() != 0 || f.Signature().Results().Len() != 1 {
		return nil
	}
	return f
}

// walked returns the types of the parts of a value.
func walked(t types.Type) (parts []types.Type) {
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		return []types.Type{u.Elem()}
	case *types.Slice:
		return []types.Type{u.Elem()}
	case *types.Array:
		if u.Len() > 0 {
			return []types.Type{u.Elem()}
		}
	case *types.Map:
		return []types.Type{u.Key(), u.Elem()}
	case *types.Struct:
		for f := range u.Fields() {
			if f.Name() != "_" {
				parts = append(parts, f.Type())
			}
		}
	}
	return parts
}

// stop returns what describes values of type t that generated code does not look into.
func (l *layouts) stop(t types.Type, m mode) (text string, stops bool) {
	if _, ok := t.(*types.TypeParam); ok {
		return "?", true
	}
	n, named := t.(*types.Named)
	switch m {
	case forKey:
		switch {
		case named && ownKey(n, l.pkg) != nil:
			return "", false
		case named && knownKeys[fullName(n)], named && isTime(t) && fullName(n) == "time.Time":
			return byName(n), true
		case isTime(t):
			return "t;", true
		case named && !Nameable(t, l.pkg):
			return "?", true
		}
		if s, ok := t.Underlying().(*types.Struct); ok && hiddenField(s, l.pkg) != nil || l.stdStruct(t) {
			return "?", true
		}
	case forCopy:
		if named && (immutable[fullName(n)] || dynamicCopy[fullName(n)]) {
			return byName(n), true
		}
		if c, ok := l.copies.done.At(t).(*Copy); ok {
			switch {
			case c.Kind == CopyMethod && named:
				return byName(n), true
			case c.Kind == CopyMethod:
				if p, ok := t.Underlying().(*types.Pointer); ok {
					if n, ok := types.Unalias(p.Elem()).(*types.Named); ok {
						return "*" + byName(n), true
					}
				}
			case c.Kind != CopyNone && named && !types.IsInterface(t) && !Nameable(t, l.pkg):
				return "?", true
			case c.Kind == CopyAny && l.stdStruct(t):
				return "?", true
			case c.Kind == CopyNone && l.stdStruct(t) && plain(t, nil):
				return frozen, true
			}
		}
	case forSize:
		if s, ok := l.sizes.done.At(t).(*Size); ok && !types.IsInterface(t) && (s.Kind == SizeAny || s.Kind != SizeNone && !Nameable(t, l.pkg)) {
			return "?", true
		} else if ok && s.Kind == SizeNone && l.stdStruct(t) && plain(t, nil) {
			return flat, true
		}
	}
	if types.IsInterface(t) {
		return "any;", true
	}
	return "", false
}

// What describes structs whose fields are not listed.
const (
	frozen = "i;" // nothing in them can be changed
	flat   = "s;" // they refer to no memory
)

func byName(n *types.Named) string { return "=" + fullName(n) + ";" }

// layoutWriter describes types.
type layoutWriter struct {
	*layouts
	strings.Builder
	mode  mode
	named *typeutil.Map // types.Type → number
	owner *types.Named  // the type whose parts are being described, nil for those of a signature
}

func (w *layoutWriter) write(t types.Type) {
	if w.dynamic(t, w.owner) {
		w.WriteByte('?')
		return
	}
	t = types.Unalias(t)
	if text, stops := w.stop(t, w.mode); stops {
		w.WriteString(text)
		return
	}
	n, named := t.(*types.Named)
	if !named {
		w.content(t)
		return
	}
	if i, ok := w.named.At(t).(int); ok {
		fmt.Fprintf(w, "@%d;", i)
		return
	}
	if w.pins(n) && !w.loose(t, w.mode, new(typeutil.Map)) {
		w.WriteString(byName(n)) // the compiler checks what it is
		return
	}
	outer := w.owner
	defer func() { w.owner = outer }()
	w.owner = n
	w.named.Set(t, w.named.Len())
	if w.mode != forKey {
		w.WriteByte('~')
		w.content(t)
		return
	}
	if own := ownKey(n, w.pkg); own != nil {
		w.WriteByte('+')
		w.owner = nil
		w.write(own.Signature().Results().At(0).Type())
		return
	}
	w.WriteByte('-')
	w.content(t)
}

func (w *layoutWriter) content(t types.Type) {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Kind() == types.UnsafePointer {
			w.WriteString("unsafe.Pointer;")
			return
		}
		w.WriteString(types.Typ[u.Kind()].Name() + ";")
	case *types.Pointer:
		w.WriteByte('*')
		w.write(u.Elem())
	case *types.Slice:
		w.WriteString("[]")
		w.write(u.Elem())
	case *types.Array:
		if u.Len() == 0 {
			w.WriteString("[0]")
			return
		}
		w.WriteString("[n]")
		w.write(u.Elem())
	case *types.Map:
		w.WriteString("map[")
		w.write(u.Key())
		w.WriteByte(']')
		w.write(u.Elem())
	case *types.Struct:
		w.WriteByte('{')
		first := true
		for f := range u.Fields() {
			if f.Name() == "_" {
				continue
			}
			if !first {
				w.WriteByte(' ')
			}
			first = false
			w.WriteString(f.Name() + ":")
			w.write(f.Type())
		}
		w.WriteByte('}')
	case *types.Chan:
		w.WriteString("chan;")
	case *types.Signature:
		w.WriteString("func;")
	default:
		w.WriteByte('?')
	}
}

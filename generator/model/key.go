package model

import (
	"go/types"

	"golang.org/x/tools/go/types/typeutil"
)

// KeyKind says how a value goes into a key.
type KeyKind int

// The kinds of key. Those up to KeyAny can stand in a key by themselves: == on them, or
// on the small comparable value that the runtime makes of them, means "same content".
// Those after it are encoded, and all that are encoded share one digest.
const (
	KeyBool KeyKind = iota
	KeyInt
	KeyUint
	KeyString
	KeyExactArray
	KeyExactStruct
	KeyFloat32
	KeyFloat64
	KeySession  // the session id
	KeyIdentity // the address of the receiver
	KeyTime     // instant and zone
	KeyAny      // decided by the runtime from the dynamic type

	KeyComplex
	KeyBytes
	KeySlice
	KeyArray
	KeyMap
	KeyPointer
	KeyStruct
	KeyOwn // by its method CacheKey
)

// Exact reports whether a part of this kind stands in the key struct as it is.
func (k KeyKind) Exact() bool { return k <= KeyAny }

// String returns how a part of this kind goes into the key, in a word or two.
func (k KeyKind) String() string {
	switch k {
	case KeySession:
		return "session"
	case KeyIdentity:
		return "identity"
	case KeyFloat32, KeyFloat64:
		return "float bits"
	case KeyTime:
		return "time"
	case KeyAny:
		return "dynamic"
	}
	if k.Exact() {
		return "exact"
	}
	return "digest"
}

// Key is a node of a key plan: how values of one type are encoded. Plans of recursive
// types are cyclic.
type Key struct {
	Kind   KeyKind
	Type   types.Type
	Elem   *Key // of arrays, slices, maps, pointers; of KeyOwn, the plan of what the method returns
	MapKey *Key
	Fields []KeyField // of structs; blank fields are left out
	Ptr    bool       // of KeyOwn: the method needs the address of the value

	// Inferred is set of a KeyAny whose type generated code must not spell.
	Inferred bool
}

// KeyField is one field of a struct.
type KeyField struct {
	Name string
	Key  *Key
}

// Types of the standard library with hidden fields that the runtime knows how to
// encode whole.
var knownKeys = map[string]bool{
	"math/big.Float":     true,
	"math/big.Int":       true,
	"math/big.Rat":       true,
	"net/netip.Addr":     true,
	"net/netip.AddrPort": true,
	"net/netip.Prefix":   true,
	"net/url.URL":        true,
	"net/url.Userinfo":   true,
	"reflect.Type":       true,
	"regexp.Regexp":      true,
	"time.Location":      true,
	"unique.Handle":      true,
}

// keyPlanner makes the plans of one function's key, so that a type that occurs twice
// has one plan.
type keyPlanner struct {
	pkg   *types.Package
	decls *declarations
	done  typeutil.Map // types.Type → *Key
	via   typeutil.Map // types whose CacheKey is being planned
	owner *types.Named // the type whose parts are being planned, nil for those of a signature
}

// plan returns how values of t are encoded, or why they cannot be. path is what the
// user would write to get at the value.
func (p *keyPlanner) plan(t types.Type, path string) (*Key, *Reason) {
	if p.decls.dynamic(t, p.owner) {
		return &Key{Kind: KeyAny, Type: t, Inferred: true}, nil
	}
	if a, ok := t.(*types.Alias); ok && !p.decls.fixedAlias(a) {
		if u, ok := types.Unalias(a).(*types.Basic); ok {
			// It can be another type elsewhere: the text names the alias and converts.
			k := &Key{Type: a}
			if r := p.basic(k, u, a, path); r != nil {
				return nil, r
			}
			return k, nil
		}
	}
	t = types.Unalias(t)
	if p.via.At(t) != nil {
		return nil, &Reason{Path: path, Type: t, Why: "whose method CacheKey is being called: its key contains itself"}
	}
	if k, ok := p.done.At(t).(*Key); ok && k != nil {
		return k, nil
	}
	k := &Key{Type: t}
	p.done.Set(t, k)
	if r := p.fill(k, t, path); r != nil {
		p.done.Delete(t)
		return nil, r
	}
	return k, nil
}

func (p *keyPlanner) fill(k *Key, t types.Type, path string) *Reason {
	outer := p.owner
	defer func() { p.owner = outer }()
	if n, ok := t.(*types.Named); ok {
		p.owner = n
	}
	if own, ptr := methodOf(t, "CacheKey", p.pkg); own != nil {
		if sig := own.Signature(); sig.Params().Len() == 0 && sig.Results().Len() == 1 {
			p.owner = nil
			p.via.Set(t, true)
			defer p.via.Delete(t)
			sub, r := p.plan(sig.Results().At(0).Type(), path+".CacheKey()")
			if r != nil {
				return r
			}
			k.Kind, k.Elem, k.Ptr = KeyOwn, sub, ptr
			return nil
		}
	}
	if named, ok := t.(*types.Named); ok {
		full := fullName(named)
		if knownKeys[full] {
			k.Kind = KeyAny
			return nil
		}
	}
	if isTime(t) {
		k.Kind = KeyTime
		return nil
	}
	if why := opaque(t); why != "" {
		return &Reason{Path: path, Type: t, Why: why}
	}
	if _, ok := t.(*types.TypeParam); ok {
		k.Kind = KeyAny
		return nil
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return p.basic(k, u, t, path)
	case *types.Pointer:
		k.Kind = KeyPointer
		if n, ok := types.Unalias(u.Elem()).(*types.Named); ok && knownKeys[fullName(n)] {
			k.Kind = KeyAny
			return nil
		}
		sub, r := p.plan(u.Elem(), path)
		if r != nil && r.Path == path && r.Type == types.Unalias(u.Elem()) {
			r.Type = t
		}
		k.Elem = sub
		return r
	case *types.Slice:
		k.Kind = KeySlice
		if b, ok := types.Unalias(u.Elem()).(*types.Basic); ok && b.Kind() == types.Uint8 {
			k.Kind = KeyBytes
			return nil
		}
		sub, r := p.plan(u.Elem(), path+"[i]")
		k.Elem = sub
		return r
	case *types.Array:
		sub, r := p.plan(u.Elem(), path+"[i]")
		k.Kind, k.Elem = KeyArray, sub
		if r == nil && exactInside(sub.Kind) {
			k.Kind = KeyExactArray
		}
		return r
	case *types.Map:
		k.Kind = KeyMap
		var r *Reason
		if k.MapKey, r = p.plan(u.Key(), path+"[key]"); r != nil {
			return r
		}
		k.Elem, r = p.plan(u.Elem(), path+"[key]")
		return r
	case *types.Struct:
		return p.structure(k, u, t, path)
	case *types.Interface:
		k.Kind = KeyAny
		return nil
	}
	return &Reason{Path: path, Type: t, Why: "values of this type have no content that could be compared"}
}

func (p *keyPlanner) basic(k *Key, u *types.Basic, t types.Type, path string) *Reason {
	info := u.Info()
	switch {
	case u.Kind() == types.UnsafePointer:
		return &Reason{Path: path, Type: t, Why: "a pointer without a type, whose content cannot be compared"}
	case u.Kind() == types.Invalid: // others are refused when they are loaded
		return &Reason{Path: path, Type: t, Why: "a type of C, whose content is not known here"}
	case info&types.IsBoolean != 0:
		k.Kind = KeyBool
	case info&types.IsString != 0:
		k.Kind = KeyString
	case info&types.IsUnsigned != 0:
		k.Kind = KeyUint
	case info&types.IsInteger != 0:
		k.Kind = KeyInt
	case u.Kind() == types.Float32:
		k.Kind = KeyFloat32
	case info&types.IsFloat != 0:
		k.Kind = KeyFloat64
	case info&types.IsComplex != 0:
		k.Kind = KeyComplex
	default:
		return &Reason{Path: path, Type: t, Why: "its type is not known"}
	}
	return nil
}

func (p *keyPlanner) structure(k *Key, u *types.Struct, t types.Type, path string) *Reason {
	hidden := hiddenField(u, p.pkg) != nil
	exact := !hidden && p.decls.fixedStruct(t)
	k.Kind = KeyStruct
	for f := range u.Fields() {
		if f.Name() == "_" {
			if holdsLock(f.Type()) {
				return &Reason{Path: path + "._", Type: f.Type(), Why: "a lock, which must not be copied"}
			}
			// It has no content, but may forbid to compare: _ [0]func().
			exact = exact && types.Comparable(f.Type())
			continue
		}
		sub, r := p.plan(f.Type(), path+"."+f.Name())
		if r != nil {
			if hidden {
				r.Hidden = t
			}
			return r
		}
		exact = exact && exactInside(sub.Kind)
		k.Fields = append(k.Fields, KeyField{f.Name(), sub})
	}
	switch {
	case hidden, p.decls.stdStruct(t):
		// What cannot be named from here is data all the way down: the runtime reads it,
		// and what other releases of Go may have other fields of.
		k.Kind, k.Fields = KeyAny, nil
	case exact:
		k.Kind = KeyExactStruct
	}
	return nil
}

// exactInside reports whether a part of a larger exact value may be of kind k: floats
// are exact only as their bits.
func exactInside(k KeyKind) bool { return k <= KeyExactStruct }

// isTime reports whether t is time.Time or a type declared from it.
func isTime(t types.Type) bool {
	s, ok := t.Underlying().(*types.Struct)
	return ok && s.NumFields() == 3 && s.Field(0).Pkg() != nil && s.Field(0).Pkg().Path() == "time" &&
		s.Field(0).Name() == "wall" && s.Field(2).Name() == "loc"
}

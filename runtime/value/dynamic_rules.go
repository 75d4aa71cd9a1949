package value

// Rules for types whose structure does not say how they are keyed or copied.

import (
	"encoding"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"time"
	"unsafe"
)

// sharedPointees are types whose values do not change once others can see them: a
// pointer to one is as good as a copy. time.Time and netip.Addr follow, since
// pointers to these are all that they hold.
var sharedPointees = map[string]bool{
	"regexp.Regexp":        true,
	"regexp/syntax.Prog":   true,
	"time.Location":        true,
	"reflect.rtype":        true,
	"net/url.Userinfo":     true,
	"unicode.RangeTable":   true,
	"net/netip.addrDetail": true,

	// Curves are compared by address, and keys of package ecdh cannot be changed.
	"crypto/elliptic.nistCurve": true,
	"crypto/elliptic.p256Curve": true,
	"crypto/ecdh.nistCurve":     true,
	"crypto/ecdh.x25519Curve":   true,
	"crypto/ecdh.PrivateKey":    true,
	"crypto/ecdh.PublicKey":     true,
}

// copyable are types of the standard library whose hidden fields hold nothing but
// their content.
var copyable = map[string]bool{
	"math/big.Int":        true,
	"math/big.Rat":        true,
	"math/big.Float":      true,
	"bytes.Buffer":        true,
	"bytes.Reader":        true,
	"strings.Reader":      true,
	"container/ring.Ring": true,
}

// databaseHandles are the types of database/sql that stand for something outside of the
// process. Their fields would be the reason otherwise, and tell nobody what to do.
var databaseHandles = map[string]string{
	"Conn": "it is a database connection",
	"DB":   "it is an open database",
	"Row":  "it is an open query",
	"Rows": "it is an open query",
	"Stmt": "it is a prepared statement",
	"Tx":   "it is an open transaction",
}

const (
	cacheKeyName   = "CacheKey"
	maxNestedRules = 100 // calls of CacheKey in the key of a CacheKey
)

var (
	readerType  = reflect.TypeFor[interface{ Read([]byte) (int, error) }]()
	contextDone = reflect.TypeFor[interface{ Done() <-chan struct{} }]()
	textType    = reflect.TypeFor[encoding.TextMarshaler]()
	binaryType  = reflect.TypeFor[encoding.BinaryMarshaler]()
)

// rules changes what structure has built where d has a rule of its own.
func (b builder) rules(d *dynType) {
	t := d.t
	if t.Kind() == reflect.Interface || t.Kind() == reflect.Pointer && t.Name() == "" {
		return // what they lead to has the rule
	}
	ptr := reflect.PointerTo(t)
	name := typeName(t)
	pkg := t.PkgPath()
	structural := d.encode

	switch {
	case pkg == "sync" || pkg == "sync/atomic":
		b.seal(d, "it is for sharing memory between goroutines and has no value of its own")
	case pkg == "database/sql" && databaseHandles[t.Name()] != "":
		b.seal(d, databaseHandles[t.Name()]) // and not one of its hidden fields
	case name == "time.Time":
		d.encode = func(e *Encoder, p unsafe.Pointer) { e.Time(*(*time.Time)(p)) }
		d.custom = true
	case name == "time.Location":
		b.location(d)
	case name == "reflect.rtype":
		d.custom = true
		d.encode = func(e *Encoder, p unsafe.Pointer) {
			e.Uint(dynOf(reflect.NewAt(t, p).Interface().(reflect.Type)).id)
		}
	case pkg == "unique":
		d.frozen, d.fix = true, nil // what it points to is interned
	case name == "regexp.Regexp":
		b.expression(d)
	case name == "math/big.nat":
		// The number zero has several forms.
		d.custom = true
		d.encode = func(e *Encoder, p unsafe.Pointer) {
			if s := (*sliceHeader)(p); s.len == 0 {
				e.Len(0)
			} else {
				EncodeInts(e, unsafe.Slice((*uint)(s.data), s.len))
			}
		}
	case name == "errors.errorString":
		// Two errors of one text are two: errors.Is compares addresses.
		d.custom = true
		d.encode = func(e *Encoder, p unsafe.Pointer) {
			e.word(tagIdentity, uint64(uintptr(p)))
			structural(e, p)
		}
	case t.Implements(readerType) || ptr.Implements(readerType):
		d.custom = true
		d.encode = func(e *Encoder, _ unsafe.Pointer) {
			e.fail(t, "it is a reader, and what it will yield is not known before it is read")
		}
	case t.Implements(contextDone) || ptr.Implements(contextDone):
		d.custom = true
		d.encode = func(e *Encoder, _ unsafe.Pointer) { e.fail(t, "a context is never part of a key") }
	}
	if m, ok := ownMethod(t, cacheKeyName); ok && m.Type.NumIn() == 1 && m.Type.NumOut() == 1 && m.Type.Out(0) != t {
		b.cacheKey(d, m)
	} else if d.sealed && !d.custom {
		b.marshaler(d, ptr)
	}
	b.cloner(d, ptr)
}

// ownMethod returns the method of *t that t declares. One that t has by embedding
// another type speaks for that part of t only.
func ownMethod(t reflect.Type, name string) (m reflect.Method, ok bool) {
	if m, ok = reflect.PointerTo(t).MethodByName(name); !ok || t.Kind() != reflect.Struct {
		return m, ok
	}
	embeds := false
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			_, has := f.Type.MethodByName(name)
			_, ptrHas := reflect.PointerTo(f.Type).MethodByName(name)
			embeds = embeds || has || ptrHas
		}
	}
	if !embeds {
		return m, true
	}
	// Both promotion and the pointer form of a method declared on a value are
	// functions that the compiler made up.
	for _, t := range []reflect.Type{t, reflect.PointerTo(t)} {
		if x, has := t.MethodByName(name); has {
			if f := runtime.FuncForPC(x.Func.Pointer()); f != nil {
				if file, _ := f.FileLine(f.Entry()); file != "<autogenerated>" {
					return m, true
				}
			}
		}
	}
	return m, false
}

// seal makes d a type that is neither keyed nor copied.
func (b builder) seal(d *dynType, reason string) {
	d.sealed, d.frozen = true, false
	d.encode = func(e *Encoder, _ unsafe.Pointer) { e.fail(d.t, reason) }
	d.fix = func(c *Copier, _, _ unsafe.Pointer) { c.fail(d.t, reason) }
}

// callMethod calls a method of a user's type, whose panic is an error of the key.
func callMethod(e *Encoder, t reflect.Type, method string, f func()) {
	defer func() {
		if r := recover(); r != nil {
			e.fail(t, "its method "+method+" panicked: "+fmt.Sprint(r))
		}
	}()
	f()
}

// cacheKey makes the result of a method CacheKey the key of d.
func (b builder) cacheKey(d *dynType, m reflect.Method) {
	key := b.behind(m.Type.Out(0))
	d.custom = true
	d.encode = func(e *Encoder, p unsafe.Pointer) {
		if e.nested++; e.nested > maxNestedRules {
			e.fail(d.t, "its method CacheKey leads back to itself")
			e.nested--
			return
		}
		k := reflect.New(key.t)
		callMethod(e, d.t, cacheKeyName, func() { k.Elem().Set(m.Func.Call([]reflect.Value{reflect.NewAt(d.t, p)})[0]) })
		if e.err == nil {
			key.encode(e, k.UnsafePointer())
		}
		if e.err != nil {
			e.err.Path = prepend(".CacheKey()", e.err.Path)
		}
		e.nested--
	}
}

// marshaler makes a text or binary form the key of d, which holds a mutex or the like.
func (b builder) marshaler(d *dynType, ptr reflect.Type) {
	_, binary := ownMethod(d.t, "MarshalBinary")
	_, text := ownMethod(d.t, "MarshalText")
	switch {
	case binary && ptr.Implements(binaryType):
		d.custom = true
		d.encode = func(e *Encoder, p unsafe.Pointer) {
			callMethod(e, d.t, "MarshalBinary", func() {
				e.Binary(reflect.NewAt(d.t, p).Interface().(encoding.BinaryMarshaler))
			})
		}
	case text && ptr.Implements(textType):
		d.custom = true
		d.encode = func(e *Encoder, p unsafe.Pointer) {
			callMethod(e, d.t, "MarshalText", func() {
				e.Text(reflect.NewAt(d.t, p).Interface().(encoding.TextMarshaler))
			})
		}
	}
}

// location keys a time zone by its name and rules; it also holds a cache of what was
// looked up last.
func (b builder) location(d *dynType) {
	var rules []dynField
	for i := range d.t.NumField() {
		f := d.t.Field(i)
		if !strings.HasPrefix(f.Name, "cache") {
			rules = append(rules, dynField{off: f.Offset, d: b.of(f.Type)})
		}
	}
	d.custom = true
	d.encode = func(e *Encoder, p unsafe.Pointer) {
		e.String(reflect.NewAt(d.t, p).Interface().(fmt.Stringer).String()) // loads time.Local
		for _, f := range rules {
			f.d.encode(e, unsafe.Add(p, f.off))
		}
	}
}

// expression keys a regular expression by its text and whether it prefers the longest
// match, which the text does not tell.
func (b builder) expression(d *dynType) {
	longest, ok := d.t.FieldByName("longest")
	d.custom = true
	d.encode = func(e *Encoder, p unsafe.Pointer) {
		e.String(reflect.NewAt(d.t, p).Interface().(fmt.Stringer).String())
		if ok && longest.Type.Kind() == reflect.Bool {
			e.Bool(*(*bool)(unsafe.Add(p, longest.Offset)))
		}
	}
}

// cloner makes a method Clone or DeepCopy the way to copy d, where the structure is
// not enough: there are hidden fields that can be changed.
func (b builder) cloner(d *dynType, ptr reflect.Type) {
	if d.frozen || d.t.Kind() != reflect.Struct || !hidesMutable(b, d) {
		return
	}
	var m reflect.Method
	for _, name := range []string{"Clone", "DeepCopy"} {
		x, ok := ownMethod(d.t, name)
		if ok && x.Type.NumIn() == 1 && x.Type.NumOut() == 1 && (x.Type.Out(0) == d.t || x.Type.Out(0) == ptr) {
			m = x
			break
		}
	}
	if m.Name == "" {
		return
	}
	structural := d.fix
	pkg := d.t.PkgPath()
	call := func(c *Copier, src unsafe.Pointer) (to unsafe.Pointer) {
		defer func() {
			if r := recover(); r != nil {
				c.fail(d.t, "its method "+m.Name+" panicked: "+fmt.Sprint(r))
				to = nil
			}
		}()
		out := m.Func.Call([]reflect.Value{reflect.NewAt(d.t, src)})[0]
		if out.Kind() == reflect.Pointer && out.Type() == ptr {
			if out.IsNil() {
				c.fail(d.t, "its method "+m.Name+" returned nil")
			}
			return out.UnsafePointer()
		}
		w := reflect.New(d.t)
		w.Elem().Set(out)
		return w.UnsafePointer()
	}
	d.clone = func(c *Copier, src unsafe.Pointer) unsafe.Pointer {
		if c.owns(pkg) && !d.sealed {
			to := copyAt(d.t, src)
			c.remember(ancestor{src, d.ptr, 0}, to)
			if c.deeper() {
				structural(c, to, src)
				c.depth--
			}
			return to
		}
		return call(c, src)
	}
	d.fix = func(c *Copier, dst, src unsafe.Pointer) {
		if c.owns(pkg) && !d.sealed {
			structural(c, dst, src)
			return
		}
		if to := call(c, src); to != nil {
			reflect.NewAt(d.t, dst).Elem().Set(reflect.NewAt(d.t, to).Elem())
		}
	}
}

func hidesMutable(b builder, d *dynType) bool {
	return d.sealed || slices.ContainsFunc(reflect.VisibleFields(d.t), func(f reflect.StructField) bool {
		return len(f.Index) == 1 && !f.IsExported() && !b.of(f.Type).frozen
	})
}

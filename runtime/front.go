package cachert

import (
	"context"
	"math"
	"reflect"
	"strings"
	"time"
	"unsafe"

	"github.com/cachegen/cachegen/runtime/value"
)

// entry is what a Site keeps. Once it is in the store it does not change. The node comes
// first: a pointer to it is one to the entry.
type entry[K comparable, V any] struct {
	node node      // not embedded, as in Site
	_    [0]func() // not compared: spares each instance the code for it
	key  K
	val  V
}

// keyIn returns where the key of the entry n is: right behind the node, which ends where
// every type may begin. What follows does not matter, so functions with keys of one
// shape share code.
func keyIn(n *node) unsafe.Pointer { return unsafe.Add(unsafe.Pointer(n), unsafe.Sizeof(node{})) }

// equalKeys compares the keys of two entries.
func equalKeys[K comparable](a, b *node) bool { return *(*K)(keyIn(a)) == *(*K)(keyIn(b)) }

// front is what an engine knows of its function's types: the seam at which they are
// forgotten. Keys and values are pointers in an any, *K and *V.
//
// All but equality goes through reflection and the methods of ops, whose signatures name
// no type: code that is made anew for each K and V is what a further function costs.
type front struct {
	ops
	st    *store
	entry reflect.Type // entry[K, V]
	k, v  reflect.Type
	valAt uintptr
	equal func(a, b *node) bool
	texts []keyText // the strings in a key
	reach *reach    // of the function's results, which drawn entries hold in others
	// onLeft, where it is set, is called without locks for each entry that has left.
	onLeft func(*node)
	// atRoot, where it is set, says of an entry that it is found by its key when its group is
	// dropped, and that no computation comes to its key late.
	atRoot func(*node) bool
}

// ops are the methods that New found, nil where there is none.
type ops struct {
	copy      func(to, from any) error
	bytes     func(v any) int64
	ttl       func(v any) time.Duration
	keepValue func(v any) bool
	keepErr   func(error) bool
	let       func(v any)
	identity  func(v any) any
	tagsOf    func(k any) []string
	sessionOf func(k any) string
	keyed     func(ctx context.Context) // the functions of hash=ctx:
	unread    func(key any) bool        // ctx=ignore:Key
}

// opsOf finds the methods of o that New lists.
func opsOf(o any) (found ops) {
	if o, ok := o.(interface{ Copy(to, from any) error }); ok {
		found.copy = o.Copy
	}
	if o, ok := o.(interface {
		Size(v any, z *value.Sizer) int64
	}); ok {
		found.bytes = func(v any) int64 {
			return int64(reflect.TypeOf(v).Elem().Size()) + o.Size(v, new(value.Sizer))
		}
	}
	if o, ok := o.(interface{ Size(v any) int64 }); ok { // of version 2
		found.bytes = o.Size
	}
	if o, ok := o.(interface{ TTL(v any) time.Duration }); ok {
		found.ttl = o.TTL
	}
	if o, ok := o.(interface{ Keep(v any) bool }); ok {
		found.keepValue = o.Keep
	}
	if o, ok := o.(interface{ KeepError(error) bool }); ok {
		found.keepErr = o.KeepError
	}
	if o, ok := o.(interface{ Release(v any) }); ok {
		found.let = o.Release
	}
	if o, ok := o.(interface{ Ident(v any) any }); ok {
		found.identity = o.Ident
	}
	if o, ok := o.(interface{ Tags(k any) []string }); ok {
		found.tagsOf = o.Tags
	}
	if o, ok := o.(interface{ Session(k any) string }); ok {
		found.sessionOf = o.Session
	}
	if o, ok := o.(interface{ Keyed(context.Context) }); ok {
		found.keyed = o.Keyed
	}
	if o, ok := o.(interface{ Ignores(any) bool }); ok {
		found.unread = o.Ignores
	}
	return found
}

func frontOf(entry reflect.Type, equal func(a, b *node) bool, o ops) front {
	k, _ := entry.FieldByName("key")
	v, _ := entry.FieldByName("val")
	r := &reach{result: v.Type, shared: o.copy == nil}
	return front{ops: o, entry: entry, k: k.Type, v: v.Type, valAt: v.Offset, equal: equal, texts: textsIn(k.Type), reach: r}
}

// key returns n's key, a *K.
func (f *front) key(n *node) any {
	return reflect.NewAt(f.k, keyIn(n)).Interface()
}

// value returns n's value, a *V.
func (f *front) value(n *node) any {
	return reflect.NewAt(f.v, unsafe.Add(unsafe.Pointer(n), f.valAt)).Interface()
}

// owned returns n, whose key was its caller's, with a key that holds none of the caller's
// memory: a string can be a small part of a large one.
func (f *front) owned(n *node) *node {
	own(f.texts, keyIn(n))
	return n
}

// A keyText is where a key has a string, or an array whose elements have some.
type keyText struct {
	at   uintptr
	n    int       // elements; 1 for what is no array
	size uintptr   // of an element
	in   []keyText // of an element; nil: it is a string
}

// textsIn returns where values of t have strings. Generated code makes keys of what can be
// compared by content, in which no other memory counts.
func textsIn(t reflect.Type) (found []keyText) {
	switch t.Kind() {
	case reflect.String:
		return []keyText{{n: 1}}
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			for _, x := range textsIn(f.Type) {
				x.at += f.Offset
				found = append(found, x)
			}
		}
	case reflect.Array:
		if in := textsIn(t.Elem()); in != nil && t.Len() > 0 {
			return []keyText{{n: t.Len(), size: t.Elem().Size(), in: in}}
		}
	}
	return found
}

// own replaces the strings in what p points to by copies.
func own(texts []keyText, p unsafe.Pointer) {
	for _, x := range texts {
		for i := range x.n {
			q := unsafe.Add(p, x.at+uintptr(i)*x.size)
			if x.in != nil {
				own(x.in, q)
			} else {
				s := (*string)(q)
				*s = strings.Clone(*s)
			}
		}
	}
}

// textBytes returns how long the strings in what p points to are.
func textBytes(texts []keyText, p unsafe.Pointer) (bytes int64) {
	for _, x := range texts {
		for i := range x.n {
			q := unsafe.Add(p, x.at+uintptr(i)*x.size)
			if x.in != nil {
				bytes += textBytes(x.in, q)
			} else {
				bytes += int64(len(*(*string)(q)))
			}
		}
	}
	return bytes
}

// set gives to the value of from, uncopied.
func (f *front) set(to, from *node) {
	reflect.ValueOf(f.value(to)).Elem().Set(reflect.ValueOf(f.value(from)).Elem())
}

// blank returns a new entry.
func (f *front) blank() *node { return (*node)(reflect.New(f.entry).UnsafePointer()) }

// again returns a new entry of n's key.
func (f *front) again(n *node) *node {
	m := f.blank()
	m.hash = n.hash
	reflect.ValueOf(f.key(m)).Elem().Set(reflect.ValueOf(f.key(n)).Elem())
	return m
}

// apart gives n a copy of its value, and the value itself to a new entry, nil where values
// are shared. With an error n has no value that may be handed out.
func (f *front) apart(n *node) (original *node, err error) {
	if f.copy == nil {
		return nil, nil
	}
	original = f.again(n)
	f.set(original, n)
	return original, f.copy(f.value(n), f.value(original))
}

// own returns an entry with the caller's own value of what was found: of nothing, one
// with no value. Every caller gets a copy, the first included, so that no call can be told
// from a hit by its value; a value that cannot be copied is never kept, and is its caller's.
func (f *front) own(r found) *node {
	switch {
	case r.n == nil:
		return f.blank()
	case f.copy == nil:
		return r.n
	}
	n := f.blank()
	if f.copy(f.value(n), f.value(r.n)) != nil {
		return r.n
	}
	return n
}

// size returns the bytes of the entry.
func (f *front) size(n *node) int64 {
	size := int64(f.entry.Size())
	if f.bytes != nil {
		size += min(max(f.bytes(f.value(n)), 0), math.MaxInt64-size)
	}
	return size
}

// lifetime returns how long the value is fresh; 0: for ever; negative: not at all.
func (f *front) lifetime(n *node) time.Duration {
	if f.ttl == nil {
		return time.Duration(f.st.ttl.Load())
	}
	if ttl := f.ttl(f.value(n)); ttl > 0 {
		return ttl
	}
	return -1
}

// keep reports whether the value may be kept.
func (f *front) keep(n *node) bool { return f.keepValue == nil || f.keepValue(f.value(n)) }

// keepError reports whether the error may be kept.
func (f *front) keepError(err error) bool { return f.keepErr == nil || f.keepErr(err) }

// releases reports whether values have a release.
func (f *front) releases() bool { return f.let != nil }

// release is the release of the value.
func (f *front) release(n *node) { f.let(f.value(n)) }

// ident returns the identity of the value, if it has one.
func (f *front) ident(n *node) (any, bool) {
	if f.identity == nil {
		return nil, false
	}
	id := f.identity(f.value(n))
	return id, reflect.ValueOf(id).Comparable()
}

// tags returns the tags that follow from the key.
func (f *front) tags(n *node) []string {
	if f.tagsOf == nil {
		return nil
	}
	return f.tagsOf(f.key(n))
}

// session returns the session in the key, if it is known from there.
func (f *front) session(n *node) (string, bool) {
	if f.sessionOf == nil {
		return "", false
	}
	return f.sessionOf(f.key(n)), true
}

// leaves reports whether left wants to be called.
func (f *front) leaves() bool { return f.onLeft != nil }

func (f *front) left(n *node) { f.onLeft(n) }

package value

// # What generated code calls to copy a result
//
// A result is copied where something in it can be changed by whoever holds it. A
// copying function has the form func(c *value.Copier, v T) T and returns
//
//	immutable T                  v (no function at all)
//	[]E, E immutable             value.CloneSlice(v)
//	[]E                          value.CopySlice(c, v, copyE)
//	map[K]V, V immutable         value.CopyMap(c, v, nil, nil)
//	map[K]V                      value.CopyMap(c, v, nil, copyV)
//	*T, T immutable              value.CopyPtr(c, v, nil)
//	*T with a method for it      value.CopyBy(c, v, (*T).Clone)
//	*T                           value.CopyPtr(c, v, copyT)
//	struct, array                v with each mutable field replaced: v.F = copyF(c, v.F); return v
//	interfaces, any              value.CopyAny(c, v), with a type assertion: use value.CopyIface
//	type parameters, foreign     value.CopyOf(c, v)
//	structs with hidden fields
//
// A Copier remembers what it has copied, so that pointers, maps and slices that were
// one stay one, and cycles end. Pass a nil *Copier where the type has no pointers,
// maps or interfaces: then nothing is remembered. For slices of structs with inner
// slices, a [Chunk] takes the place of most allocations:
//
//	func copyRows(v []Row) []Row {
//		w := value.CloneSlice(v)
//		var tags value.Chunk[string]
//		for i := range w {
//			w[i].Tags = tags.Clone(w[i].Tags)
//		}
//		return w
//	}
//
// What a Copier is needed for can fail (a dynamic type that cannot be copied, depth):
//
//	func (*treeKey) Copy(to, from any) error {
//		c := value.NewCopier("example.com/module") // whose hidden fields are known
//		*to.(**Node) = value.CopyPtr(c, *from.(**Node), copyNode)
//		return c.Done()
//	}
//
// A value for which that fails is its owner's, and is not kept; a copy of a kept value
// does not fail, since it has been copied once and does not change.

import (
	"maps"
	"reflect"
	"strings"
	"sync"
	"unsafe"
)

// A Copier makes one copy of one result. It belongs to one goroutine.
type Copier struct {
	home   string
	hidden string // the hidden field of another module's type that is being copied
	memo   []memo // open addressing, a power of two
	used   int
	depth  int
	err    *CopyError
}

type memo struct {
	from ancestor
	to   unsafe.Pointer
}

var copiers = sync.Pool{New: func() any { return new(Copier) }}

// NewCopier returns a copier for results of a function in the module home. Types of
// that module are copied field by field where they come in an interface, whether or
// not the fields are exported; hidden fields of other modules' types are not, unless
// nothing in them can be changed.
func NewCopier(home string) *Copier {
	c := copiers.Get().(*Copier)
	c.home = home
	return c
}

// Done gives the copier back and reports what could not be copied, as a
// [*CopyError].
func (c *Copier) Done() error {
	err := c.err
	if len(c.memo) > 1024 {
		c.memo = nil
	}
	clear(c.memo)
	c.used, c.depth, c.err, c.home, c.hidden = 0, 0, nil, "", ""
	copiers.Put(c)
	if err != nil {
		return err
	}
	return nil
}

// Apart is [Copier.Done] for arguments, which are copied for a computation that may go on
// when its caller has left.
func (c *Copier) Apart() error {
	if c.err != nil {
		c.err.argument = true
	}
	return c.Done()
}

// owns reports whether hidden fields of types of package pkg may be copied one by one.
func (c *Copier) owns(pkg string) bool {
	if pkg == "main" || pkg == c.home {
		return true
	}
	return c.home != "" && strings.HasPrefix(pkg, c.home) && pkg[len(c.home)] == '/'
}

func (a ancestor) slot(mask int) int {
	return int(HashUint64(uint64(uintptr(a.p)), uint64(uintptr(a.typ))+uint64(a.n))) & mask
}

// seen returns the copy of a that was made before.
func (c *Copier) seen(a ancestor) unsafe.Pointer {
	if len(c.memo) == 0 {
		return nil
	}
	mask := len(c.memo) - 1
	for i := a.slot(mask); c.memo[i].to != nil; i = (i + 1) & mask {
		if c.memo[i].from == a {
			return c.memo[i].to
		}
	}
	return nil
}

// remember makes to the copy of a.
func (c *Copier) remember(a ancestor, to unsafe.Pointer) {
	if 2*c.used >= len(c.memo) {
		old := c.memo
		c.memo = make([]memo, max(16, 2*len(old)))
		for _, m := range old {
			if m.to != nil {
				c.place(m)
			}
		}
	}
	c.used++
	c.place(memo{a, to})
}

func (c *Copier) place(m memo) {
	mask := len(c.memo) - 1
	i := m.from.slot(mask)
	for c.memo[i].to != nil {
		i = (i + 1) & mask
	}
	c.memo[i] = m
}

// deeper reports whether there is room for one more level, and takes it.
func (c *Copier) deeper() bool {
	if c.depth >= maxDepth {
		if c.err == nil {
			c.err = &CopyError{Reason: "pointers, slices or maps lie more than 100000 deep in one another"}
		}
		return false
	}
	c.depth++
	return true
}

// CopyPtr returns a pointer to a copy of *p, made by elem (nil: *p itself will do).
func CopyPtr[T any](c *Copier, p *T, elem func(*Copier, T) T) *T {
	if p == nil {
		return nil
	}
	if c == nil {
		w := new(T)
		*w = *p
		if elem != nil {
			*w = elem(nil, *w)
		}
		return w
	}
	a := ancestor{p: unsafe.Pointer(p), typ: typeWord[T]()}
	if to := c.seen(a); to != nil {
		return (*T)(to)
	}
	w := new(T)
	c.remember(a, unsafe.Pointer(w))
	if elem == nil {
		*w = *p
	} else if c.deeper() {
		*w = elem(c, *p)
		c.depth--
	}
	return w
}

// CopyBy returns what clone makes of p; of nil, nil.
func CopyBy[T any](c *Copier, p *T, clone func(*T) *T) *T {
	if p == nil || c == nil {
		if p != nil {
			p = clone(p)
		}
		return p
	}
	a := ancestor{p: unsafe.Pointer(p), typ: typeWord[T]()}
	if to := c.seen(a); to != nil {
		return (*T)(to)
	}
	w := clone(p)
	if w != nil {
		c.remember(a, unsafe.Pointer(w))
	}
	return w
}

// CloneSlice returns a copy of s whose elements are those of s. Nil stays nil and
// empty empty; the capacity is the length, or nearly so.
func CloneSlice[S ~[]E, E any](s S) S {
	if s == nil {
		return nil
	}
	if len(s) == 0 {
		return S{}
	}
	// Appending to nil does not zero what is overwritten at once.
	w := append(S(nil), s...)
	return w[:len(w):len(w)]
}

// CopySlice returns a copy of s with each element copied by elem.
func CopySlice[S ~[]E, E any](c *Copier, s S, elem func(*Copier, E) E) S {
	if len(s) == 0 || elem == nil {
		return CloneSlice(s)
	}
	if c == nil {
		w := CloneSlice(s)
		for i := range w {
			w[i] = elem(nil, w[i])
		}
		return w
	}
	a := ancestor{p: unsafe.Pointer(unsafe.SliceData(s)), typ: typeWord[S](), n: len(s)}
	if to := c.seen(a); to != nil {
		return S(unsafe.Slice((*E)(to), len(s)))
	}
	w := CloneSlice(s)
	c.remember(a, unsafe.Pointer(unsafe.SliceData(w)))
	if c.deeper() {
		for i := range w {
			w[i] = elem(c, w[i])
		}
		c.depth--
	}
	return w
}

// CopyMap returns a copy of m with keys and values copied by key and val (nil: they
// are taken as they are).
func CopyMap[M ~map[K]V, K comparable, V any](c *Copier, m M, key func(*Copier, K) K, val func(*Copier, V) V) M {
	if m == nil {
		return nil
	}
	var a ancestor
	if c != nil {
		a = ancestor{p: *(*unsafe.Pointer)(unsafe.Pointer(&m)), typ: typeWord[M]()}
		if to := c.seen(a); to != nil {
			return *(*M)(unsafe.Pointer(&to))
		}
	}
	var w M
	clone := key == nil && (val == nil || exactKind(reflect.TypeFor[K]().Kind()))
	if clone {
		w = maps.Clone(m)
	} else {
		w = make(M, len(m))
	}
	if c != nil {
		c.remember(a, *(*unsafe.Pointer)(unsafe.Pointer(&w)))
		if key == nil && val == nil || !c.deeper() {
			return w
		}
	}
	if clone {
		if val != nil {
			for k, v := range w {
				w[k] = val(c, v)
			}
		}
	} else {
		for k, v := range m {
			if key != nil {
				k = key(c, k)
			}
			if val != nil {
				v = val(c, v)
			}
			w[k] = v
		}
	}
	if c != nil {
		c.depth--
	}
	return w
}

// exactKind reports whether values of kind k equal themselves. A key that does not,
// a NaN, can be added to a map and never found, so its value cannot be replaced.
func exactKind(k reflect.Kind) bool {
	return wordKind(k) || k == reflect.String || k == reflect.Pointer
}

// A Chunk hands out copies of slices from larger arrays, so that many small slices
// take few allocations. A copy has no spare capacity, so appending to one never
// reaches the next; it keeps at most 16 KiB of its neighbours from being collected.
// The zero value is ready.
type Chunk[E any] struct {
	free []E
	size int // bytes of the last array
}

const maxChunk = 16 << 10

// Clone returns a copy of s. Nil stays nil and empty empty.
func (a *Chunk[E]) Clone(s []E) []E {
	n := len(s)
	if n == 0 {
		if s == nil {
			return nil
		}
		return []E{}
	}
	if n > len(a.free) {
		if !a.grow(n) {
			return CloneSlice(s)
		}
	}
	w := a.free[:n:n]
	a.free = a.free[n:]
	copy(w, s)
	return w
}

// grow makes room for n elements; false where they had better have an array of their
// own.
func (a *Chunk[E]) grow(n int) bool {
	var zero E
	width := max(1, int(unsafe.Sizeof(zero)))
	a.size = min(max(4*a.size, 256), maxChunk)
	if n*width > a.size/4 {
		return false
	}
	a.free = make([]E, a.size/width)
	return true
}

// A CopyError says why a result cannot be copied. It is handed out all the same, and
// not kept.
type CopyError struct {
	Path   string // the way to what is wrong, such as .Rows[3].(*T).mu; may be empty
	Type   string // of what is wrong
	Reason string

	argument bool // it is an argument, not a result
}

// Error says where in the result, or in an argument, the value is that cannot be copied, and why.
func (e *CopyError) Error() string {
	what := e.Type
	if what != "" {
		what += ": "
	}
	if e.argument {
		return "an argument" + e.Path + " cannot be copied for a computation that may outlive its caller: " + what + e.Reason +
			"; give the type a method Clone, or use detach=off"
	}
	return "result" + e.Path + " cannot be copied: " + what + e.Reason +
		"; give the type a method Clone, or use copy=Func or copy=share"
}

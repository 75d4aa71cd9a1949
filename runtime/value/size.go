package value

// # What generated code calls to size a result
//
// The size of a result is unsafe.Sizeof of it and, added to that, what a sizing
// function returns: the bytes reachable from a value but not in it. A sizing function
// has the form func(z *value.Sizer, v T) int64 and returns
//
//	no pointer, slice or map     0 (no function at all)
//	string                       value.SizeString(z, v)
//	[]E                          value.SizeSlice(z, v, sizeE)
//	map[K]V                      value.SizeMap(z, v, sizeK, sizeV)
//	*T                           value.SizePtr(z, v, sizeT)
//	struct, array                the sum over its parts
//	interfaces, type parameters, value.SizeOf(z, v)
//	foreign structs
//
// with nil for a sizing function that would return 0. A value that is reached twice
// counts once:
//
//	func (*treeKey) Size(v any, z *value.Sizer) int64 { return value.SizePtr(z, *v.(**Node), sizeNode) }

import "unsafe"

// A Sizer remembers what it has counted. The zero value is ready; it belongs to one
// goroutine.
type Sizer struct {
	seen  map[ancestor]struct{}
	depth int
}

// first reports whether a is met for the first time. Beyond maxDepth nothing is
// followed any further.
func (z *Sizer) first(a ancestor) bool {
	if _, ok := z.seen[a]; ok || z.depth > maxDepth {
		return false
	}
	if z.seen == nil {
		z.seen = make(map[ancestor]struct{})
	}
	z.seen[a] = struct{}{}
	return true
}

// SizeString returns the bytes of s.
func SizeString[T ~string](_ *Sizer, s T) int64 { return int64(len(s)) }

// SizeSlice returns the bytes of the array behind s, spare capacity included, and what
// elem finds in its elements.
func SizeSlice[S ~[]E, E any](z *Sizer, s S, elem func(*Sizer, E) int64) int64 {
	var zero E
	n := int64(cap(s)) * int64(unsafe.Sizeof(zero))
	if elem == nil || len(s) == 0 {
		return n
	}
	if !z.first(ancestor{p: unsafe.Pointer(unsafe.SliceData(s)), typ: typeWord[S](), n: len(s)}) {
		return 0
	}
	z.depth++
	for i := range s {
		n += elem(z, s[i])
	}
	z.depth--
	return n
}

// SizeMap returns an estimate of the bytes of m, and what key and val find.
func SizeMap[M ~map[K]V, K comparable, V any](z *Sizer, m M, key func(*Sizer, K) int64, val func(*Sizer, V) int64) int64 {
	if m == nil || !z.first(ancestor{p: *(*unsafe.Pointer)(unsafe.Pointer(&m)), typ: typeWord[M]()}) {
		return 0
	}
	var k K
	var v V
	n := mapBytes(len(m), int64(unsafe.Sizeof(k)+unsafe.Sizeof(v)))
	if key == nil && val == nil {
		return n
	}
	z.depth++
	for k, v := range m {
		if key != nil {
			n += key(z, k)
		}
		if val != nil {
			n += val(z, v)
		}
	}
	z.depth--
	return n
}

// mapBytes estimates a map of n entries: a header, and groups of eight slots with one
// control byte each, filled to seven eighths at most and half of that after growing.
func mapBytes(n int, entry int64) int64 {
	slots := int64(8)
	for slots*7/8 < int64(n) {
		slots *= 2
	}
	return 48 + slots*(entry+1)
}

// SizePtr returns the bytes of *p and what elem finds in it.
func SizePtr[T any](z *Sizer, p *T, elem func(*Sizer, T) int64) int64 {
	if p == nil || !z.first(ancestor{p: unsafe.Pointer(p), typ: typeWord[T]()}) {
		return 0
	}
	n := int64(unsafe.Sizeof(*p))
	if elem != nil {
		z.depth++
		n += elem(z, *p)
		z.depth--
	}
	return n
}

package value

// # What generated code calls to make a digest
//
// The parts of a key that == cannot compare are written to an [Encoder], each by a
// function of its type, and what comes out is a [Digest]:
//
//	e := value.NewEncoder()
//	e.Part("filter")                   // names what follows, for errors
//	encFilter(e, filter)
//	e.Part("groups")
//	encMapOfNodes(e, groups)
//	k.d, err = e.Digest()              // e is gone; err: Call.Uncached = err
//
// An encoding function has the form func(*value.Encoder, T). It writes, for
//
//	bool, integers, floats       e.Bool(v), e.Int(int64(v)), e.Uint(uint64(v)), e.Float32(v), e.Float64(v)
//	complex                      e.Complex64(v), e.Complex128(v)
//	string                       e.String(string(v))
//	[]byte and the like          e.Bytes([]byte(v)); json.RawMessage is one
//	[]E of integers              value.EncodeInts(e, v); also big.Int.Bits() and uuid[:]
//	[]E of floats, of strings    value.EncodeFloats(e, v), value.EncodeStrings(e, v)
//	[]E of anything else         value.EncodeSlice(e, v, encE)
//	[N]E                         the same of v[:]; a loop over encE does as well
//	map[K]V                      value.EncodeMap(e, v, encK, encV), whatever K is
//	*T                           value.EncodePtr(e, v, encT)
//	struct                       encFn of each field, in order, blank fields left out
//	time.Time                    e.Time(v); alone as a part of a key: TimeKeyOf(v)
//	interfaces, any, error       e.Any(v)
//	type parameters              value.EncodeOf(e, v); alone as a part of a key: AtomOf(v)
//	foreign structs with hidden  value.EncodeOf(e, v): it sees unexported fields
//	fields, *regexp.Regexp,
//	*url.URL, *big.Int, netip
//	types with CacheKey() K      encK(e, v.CacheKey()), if the type declares it itself: one
//	                             that it has by embedding speaks for a part of it only
//	types chosen by their text   e.Text(v), e.Binary(v)
//
// EncodeSlice, EncodeMap and EncodePtr tell nil from empty or zero, find cycles and
// write back references for them, so generated functions may call one another freely.
// EncodeBool, EncodeInt, EncodeUint, EncodeFloat, EncodeString and EncodeTime have the
// form above for types that need no function of their own. For
//
//	type Node struct { Name string; Weight float64; Kids []*Node }
//
// and a parameter map[string][]*Node, whose nodes may form cycles, this is all of it:
//
//	func encNode(e *value.Encoder, v Node) {
//		e.String(v.Name)
//		e.Float64(v.Weight)
//		encNodes(e, v.Kids)
//	}
//	func encNodePtr(e *value.Encoder, v *Node)              { value.EncodePtr(e, v, encNode) }
//	func encNodes(e *value.Encoder, v []*Node)              { value.EncodeSlice(e, v, encNodePtr) }
//	func encMapOfNodes(e *value.Encoder, v map[string][]*Node) {
//		value.EncodeMap(e, v, value.EncodeString[string], encNodes)
//	}
//
// # What is written
//
// Every value is a tag and then, where the length is not fixed by the tag, a length,
// so that an encoding can be read back given the static type it was made from: two
// different values never have the same bytes. These count as different: the dynamic
// type in an interface; nil and empty; +0 and -0; the length; the order, except in
// maps; for time.Time the instant and the zone. These do not: which of the many NaNs;
// the capacity of a slice; the monotonic part of a time; which of two pointers to
// equal values, so that a value hits by its content. Pointers that lead back to
// something that contains them are written as the distance from the root; beyond a
// mebibyte also pointers that were met before, lest a value that shares its parts many
// times over be written out many times over. (Beyond it, therefore, two values equal in
// content of which only one shares parts have different encodings.)

import (
	"bytes"
	"encoding"
	"encoding/binary"
	"math"
	"reflect"
	"slices"
	"sync"
	"time"
	"unsafe"
)

// Tags. The order is part of nothing that leaves the process.
const (
	tagNil byte = iota + 1
	tagNotNil
	tagFalse
	tagTrue
	tagInt
	tagUint
	tagFloat32
	tagFloat64
	tagComplex64
	tagComplex128
	tagString
	tagBytes
	tagLen     // elements follow
	tagMap     // pairs follow, sorted
	tagInts    // width in bytes, count, little-endian words
	tagFloats  // width in bytes, count, little-endian bits
	tagStrings // count, then length and bytes of each
	tagTime
	tagUp      // the ancestor at this depth
	tagSame    // the value met as number n after the first mebibyte
	tagDynamic // number of a dynamic type; its value follows
	tagText
	tagBinary
	tagIdentity // an address: values whose identity is what counts
)

const (
	chunkSize  = 16 << 10 // bytes that are digested at once
	shareAfter = 1 << 20  // bytes after which shared pointers are written once
	maxHeld    = 64 << 20 // bytes of one map that must be sorted entry by entry
	maxDepth   = 100_000  // pointers, slices and maps inside one another: bounds the stack
	scanDepth  = 16       // ancestors that are searched without a table
)

// An Encoder makes the encoding of one argument list. It belongs to one goroutine.
// The encoding is injective for given static types, and uses no reflection for
// types that are known statically. Memory is bounded for all but maps whose keys are neither
// strings, integers nor booleans: a complete part is digested every 16 KiB.
type Encoder struct {
	buf  []byte // chaining value (16 bytes) and what is pending
	held int    // entries being sorted, one within another: nothing may be digested
	done int    // bytes that were digested
	work scratch

	path  []ancestor       // pointers, slices and maps that contain what is written now
	index map[ancestor]int // of path, where it is long
	met   map[ancestor]int // after shareAfter

	strs  []string         // scratch: keys of maps, a stack
	words []uint64         // the same
	slots []unsafe.Pointer // scratch: what interfaces held directly, a stack
	spans []span           // scratch: entries that are being sorted, a stack
	spare []byte           // scratch: the same, in order

	nested int // methods CacheKey within one another
	part   string
	err    *KeyError
}

// ancestor identifies a pointer, slice or map: two of different types may start at
// the same address, and two slices of different length may too.
type ancestor struct {
	p   unsafe.Pointer
	typ unsafe.Pointer
	n   int
}

var encoders = sync.Pool{New: func() any {
	return &Encoder{buf: make([]byte, 16, chunkSize+64)}
}}

// NewEncoder returns an empty encoder, which [Encoder.Digest] takes back.
func NewEncoder() *Encoder { return encoders.Get().(*Encoder) }

// Digest returns the digest of what was written, or a [*KeyError] about the first
// thing that could not be. The encoder must not be used after it.
func (e *Encoder) Digest() (Digest, error) {
	if e.err != nil {
		err := e.err
		if err.Part == "" {
			err.Part = e.part
		}
		e.release()
		return Digest{}, err
	}
	e.buf = binary.LittleEndian.AppendUint64(e.buf, uint64(e.done))
	e.buf = append(e.buf, 1)
	compress.sum16(&e.work, e.buf)
	d := Digest(e.work.tag)
	e.release()
	return d, nil
}

// Sum is Digest for types of which every value can be written.
func (e *Encoder) Sum() Digest {
	d, err := e.Digest()
	if err != nil {
		panic(err)
	}
	return d
}

// release makes e empty and pools it. A large buffer goes to the garbage collector instead.
func (e *Encoder) release() {
	if cap(e.buf) > 4*chunkSize {
		e.buf = make([]byte, 16, chunkSize+64)
	}
	e.buf = e.buf[:16]
	clear(e.buf)
	e.held, e.done, e.nested, e.part, e.err = 0, 0, 0, "", nil
	e.path, e.strs, e.words = kept(e.path), kept(e.strs), kept(e.words)
	e.slots, e.spans, e.spare = kept(e.slots), kept(e.spans), kept(e.spare)
	e.index, e.met = nil, nil
	encoders.Put(e)
}

// kept is s for the next use. Its elements are zero already, or hold no pointers.
func kept[E any](s []E) []E {
	var zero E
	if uintptr(cap(s))*unsafe.Sizeof(zero) > 2*chunkSize {
		return nil
	}
	return s[:0]
}

// flush digests what is pending. The 16 bytes that come out stand before what
// follows, so that the last of them stands for everything: two different encodings
// can only meet where the compressor meets. Every chunk but the last ends in 0, the
// last in the length and 1.
func (e *Encoder) flush() {
	if e.held > 0 || len(e.buf) == 16 {
		return
	}
	e.done += len(e.buf) - 16
	e.buf = append(e.buf, 0)
	compress.sum16(&e.work, e.buf)
	e.buf = e.buf[:16]
	copy(e.buf, e.work.tag[:])
}

// room returns n more bytes, n being small, to be filled in. When a chunk ends
// depends on what is written only, never on the capacity a pooled buffer has.
func (e *Encoder) room(n int) []byte {
	l := len(e.buf)
	if l+n > chunkSize {
		e.flush()
		l = len(e.buf)
		e.buf = slices.Grow(e.buf, n)
	}
	e.buf = e.buf[:l+n]
	return e.buf[l : l+n : l+n]
}

// raw writes p without tag or length.
func (e *Encoder) raw(p []byte) {
	for len(p) > 0 {
		if e.held > 0 {
			e.buf = append(e.buf, p...)
			return
		}
		free := chunkSize - len(e.buf)
		if free <= 0 {
			e.flush()
			continue
		}
		n := min(free, len(p))
		e.buf = append(e.buf, p[:n]...)
		p = p[n:]
	}
}

func (e *Encoder) tag(t byte) { e.room(1)[0] = t }

func (e *Encoder) word(t byte, x uint64) {
	b := e.room(9)
	b[0] = t
	binary.LittleEndian.PutUint64(b[1:], x)
}

// count writes a tag and a length, in the shortest form of a varint.
func (e *Encoder) count(t byte, n uint64) {
	if n < 0x80 {
		b := e.room(2)
		b[0], b[1] = t, byte(n)
		return
	}
	e.tag(t)
	e.varint(n)
}

func (e *Encoder) varint(n uint64) {
	var b [binary.MaxVarintLen64]byte
	l := binary.PutUvarint(b[:], n)
	copy(e.room(l), b[:l])
}

// Part names the argument that follows, for errors. It writes nothing.
func (e *Encoder) Part(name string) {
	if e.err == nil {
		e.part = name
	}
}

// Nil writes a nil slice, map, pointer or interface.
func (e *Encoder) Nil() { e.tag(tagNil) }

// NotNil writes that a pointer is not nil; the value that it points to follows.
func (e *Encoder) NotNil() { e.tag(tagNotNil) }

// Len writes that n elements follow.
func (e *Encoder) Len(n int) { e.count(tagLen, uint64(n)) }

// Bool writes a boolean.
func (e *Encoder) Bool(v bool) {
	if v {
		e.tag(tagTrue)
	} else {
		e.tag(tagFalse)
	}
}

// Int writes a signed integer.
func (e *Encoder) Int(v int64) { e.word(tagInt, uint64(v)) }

// Uint writes an unsigned integer.
func (e *Encoder) Uint(v uint64) { e.word(tagUint, v) }

// Float32 writes a float. All NaNs are one, +0 and -0 are two.
func (e *Encoder) Float32(v float32) {
	b := e.room(5)
	b[0] = tagFloat32
	binary.LittleEndian.PutUint32(b[1:], FloatKey32(v))
}

// Float64 writes a float. All NaNs are one, +0 and -0 are two.
func (e *Encoder) Float64(v float64) { e.word(tagFloat64, FloatKey64(v)) }

// Complex64 writes a complex number.
func (e *Encoder) Complex64(v complex64) {
	e.tag(tagComplex64)
	e.Float32(real(v))
	e.Float32(imag(v))
}

// Complex128 writes a complex number.
func (e *Encoder) Complex128(v complex128) {
	e.tag(tagComplex128)
	e.Float64(real(v))
	e.Float64(imag(v))
}

// String writes a string.
func (e *Encoder) String(s string) {
	n := len(s)
	if n < 0x80 {
		b := e.room(2 + n)
		b[0], b[1] = tagString, byte(n)
		copy(b[2:], s)
		return
	}
	e.count(tagString, uint64(n))
	e.raw(unsafe.Slice(unsafe.StringData(s), n))
}

// Bytes writes a byte slice; nil is not empty.
func (e *Encoder) Bytes(b []byte) {
	if b == nil {
		e.Nil()
		return
	}
	e.count(tagBytes, uint64(len(b)))
	e.raw(b)
}

// Time writes an instant and a zone: the seconds and nanoseconds since year 1 in UTC,
// the name of the location, and the abbreviation and offset in force at that instant.
// The monotonic part does not count. Equal instants in different zones differ, because
// what a function prints of them differs; a *time.Location of the same name,
// abbreviation and offset counts as the same zone.
func (e *Encoder) Time(t time.Time) {
	zone, offset := t.Zone()
	b := e.room(21)
	b[0] = tagTime
	binary.LittleEndian.PutUint64(b[1:], uint64(t.Unix()))
	binary.LittleEndian.PutUint32(b[9:], uint32(t.Nanosecond()))
	binary.LittleEndian.PutUint64(b[13:], uint64(int64(offset)))
	e.String(zone)
	e.String(t.Location().String())
}

// Text writes the text form of v: for types whose text says all there is to say.
func (e *Encoder) Text(v encoding.TextMarshaler) {
	b, err := v.MarshalText()
	e.marshaled(tagText, b, err, v)
}

// Binary writes the binary form of v: for types whose binary form says all there is
// to say.
func (e *Encoder) Binary(v encoding.BinaryMarshaler) {
	b, err := v.MarshalBinary()
	e.marshaled(tagBinary, b, err, v)
}

func (e *Encoder) marshaled(tag byte, b []byte, err error, v any) {
	if err != nil {
		e.fail(reflect.TypeOf(v), "its own encoding failed: "+err.Error())
		return
	}
	e.count(tag, uint64(len(b)))
	e.raw(b)
}

// fail keeps the first reason why there can be no key.
func (e *Encoder) fail(t reflect.Type, reason string) {
	if e.err == nil {
		e.err = &KeyError{Part: e.part, Reason: reason}
		if t != nil {
			e.err.Type = t.String()
		}
	}
}

// enter reports whether the content of what a identifies has to be written; if so,
// leave must be called after it. It writes the back reference if not.
func (e *Encoder) enter(a ancestor, t byte, n int) bool {
	if e.err != nil {
		return false
	}
	if len(e.buf) > maxHeld {
		e.fail(nil, "a map whose keys are neither strings, integers nor booleans takes more than 64 MiB")
		return false
	}
	depth := len(e.path)
	if depth <= scanDepth {
		for i := range e.path {
			if e.path[i] == a {
				e.count(tagUp, uint64(i))
				return false
			}
		}
		if depth == scanDepth {
			if e.index == nil {
				e.index = make(map[ancestor]int)
			}
			clear(e.index) // it is of another path
			for i, p := range e.path {
				e.index[p] = i
			}
			e.index[a] = depth
		}
	} else {
		if i, ok := e.index[a]; ok {
			e.count(tagUp, uint64(i))
			return false
		}
		if depth >= maxDepth {
			e.fail(nil, "pointers, slices or maps lie more than 100000 deep in one another")
			return false
		}
		e.index[a] = depth
	}
	if e.held == 0 && e.done > shareAfter {
		if i, ok := e.met[a]; ok {
			if depth >= scanDepth {
				delete(e.index, a)
			}
			e.count(tagSame, uint64(i))
			return false
		}
		if e.met == nil {
			e.met = make(map[ancestor]int)
		}
		e.met[a] = len(e.met)
	}
	e.path = append(e.path, a)
	e.count(t, uint64(n))
	return true
}

func (e *Encoder) leave() {
	depth := len(e.path) - 1
	if depth >= scanDepth {
		delete(e.index, e.path[depth])
	}
	e.path[depth] = ancestor{}
	e.path = e.path[:depth]
}

// typeWord is the address of the description of *T: the identity of a type at the
// cost of a load.
func typeWord[T any]() unsafe.Pointer {
	var v any = (*T)(nil)
	return (*eface)(unsafe.Pointer(&v)).typ
}

// eface is how the runtime lays out an interface without methods.
type eface struct {
	typ  unsafe.Pointer
	data unsafe.Pointer
}

// EncodePtr writes what p points to, by content; nil differs from everything else.
func EncodePtr[T any](e *Encoder, p *T, elem func(*Encoder, T)) {
	if p == nil {
		e.Nil()
		return
	}
	if e.enter(ancestor{p: unsafe.Pointer(p), typ: typeWord[T]()}, tagNotNil, 0) {
		elem(e, *p)
		e.leave()
	}
}

// EncodeSlice writes the elements of s; nil differs from empty.
func EncodeSlice[S ~[]E, E any](e *Encoder, s S, elem func(*Encoder, E)) {
	if s == nil {
		e.Nil()
		return
	}
	if len(s) == 0 {
		e.Len(0)
		return
	}
	a := ancestor{p: unsafe.Pointer(unsafe.SliceData(s)), typ: typeWord[S](), n: len(s)}
	if e.enter(a, tagLen, len(s)) {
		if unsafe.Sizeof(s[0]) == 0 {
			s = s[:1] // as in encodeElems
		}
		for i := range s {
			elem(e, s[i])
		}
		e.leave()
	}
}

// EncodeMap writes the entries of m in an order that depends on their content only:
// sorted by key where the keys are strings, integers or booleans, else by the bytes of
// whole entries (keys that are pointers count by content, and several keys may be NaN).
// val may be nil for sets.
func EncodeMap[M ~map[K]V, K comparable, V any](e *Encoder, m M, key func(*Encoder, K), val func(*Encoder, V)) {
	if m == nil {
		e.Nil()
		return
	}
	a := ancestor{p: *(*unsafe.Pointer)(unsafe.Pointer(&m)), typ: typeWord[M]()}
	if !e.enter(a, tagMap, len(m)) {
		return
	}
	switch kind := reflect.TypeFor[K]().Kind(); {
	case kind == reflect.String:
		base := len(e.strs)
		for k := range m {
			e.strs = append(e.strs, *(*string)(unsafe.Pointer(&k)))
		}
		n := len(e.strs)
		slices.Sort(e.strs[base:n])
		for i := base; i < n; i++ {
			s := e.strs[i] // nested maps may move e.strs, not what is below n
			k := *(*K)(unsafe.Pointer(&s))
			key(e, k)
			if val != nil {
				val(e, m[k])
			}
		}
		clear(e.strs[base:])
		e.strs = e.strs[:base]
	case wordKind(kind):
		base := len(e.words)
		for k := range m {
			e.words = append(e.words, loadWord(unsafe.Pointer(&k), unsafe.Sizeof(k)))
		}
		n := len(e.words)
		slices.Sort(e.words[base:n])
		for i := base; i < n; i++ {
			var k K
			storeWord(unsafe.Pointer(&k), unsafe.Sizeof(k), e.words[i])
			key(e, k)
			if val != nil {
				val(e, m[k])
			}
		}
		e.words = e.words[:base]
	default:
		s := e.hold()
		for k, v := range m {
			if !s.next(e) {
				break
			}
			key(e, k)
			if val != nil {
				val(e, v)
			}
		}
		s.sorted(e)
	}
	e.leave()
}

// wordKind reports whether values of kind k are equal exactly where their bits are.
func wordKind(k reflect.Kind) bool { return reflect.Bool <= k && k <= reflect.Uintptr }

func loadWord(p unsafe.Pointer, size uintptr) uint64 {
	switch size {
	case 1:
		return uint64(*(*uint8)(p))
	case 2:
		return uint64(*(*uint16)(p))
	case 4:
		return uint64(*(*uint32)(p))
	}
	return *(*uint64)(p)
}

func storeWord(p unsafe.Pointer, size uintptr, x uint64) {
	switch size {
	case 1:
		*(*uint8)(p) = uint8(x)
	case 2:
		*(*uint16)(p) = uint16(x)
	case 4:
		*(*uint32)(p) = uint32(x)
	default:
		*(*uint64)(p) = x
	}
}

// sorter collects the encodings of entries and puts them in order.
type sorter struct {
	start int // in e.buf
	base  int // in e.spans
}

// span is where the encoding of an entry lies in e.buf.
type span struct{ from, to int }

// hold begins a run of entries whose encodings are to be sorted.
func (e *Encoder) hold() sorter {
	e.held++
	return sorter{start: len(e.buf), base: len(e.spans)}
}

// next begins an entry. It returns false where there is no sense in going on.
func (s sorter) next(e *Encoder) bool {
	s.end(e)
	e.spans = append(e.spans, span{from: len(e.buf)})
	return e.err == nil
}

func (s sorter) end(e *Encoder) {
	if n := len(e.spans); n > s.base {
		e.spans[n-1].to = len(e.buf)
	}
}

// sorted ends the run.
func (s sorter) sorted(e *Encoder) {
	s.end(e)
	e.held--
	buf, spans := e.buf, e.spans[s.base:]
	slices.SortFunc(spans, func(a, b span) int {
		return bytes.Compare(buf[a.from:a.to], buf[b.from:b.to])
	})
	e.spare = e.spare[:0]
	for _, x := range spans {
		e.spare = append(e.spare, buf[x.from:x.to]...)
	}
	copy(buf[s.start:], e.spare)
	e.spans = e.spans[:s.base]
	if len(e.buf) > chunkSize {
		e.flush()
	}
}

type integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}

var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// EncodeInts writes a slice of integers, at the speed of copying on most machines.
func EncodeInts[S ~[]E, E integer](e *Encoder, s S) {
	if s == nil {
		e.Nil()
		return
	}
	var zero E
	width := int(unsafe.Sizeof(zero))
	b := e.room(2)
	b[0], b[1] = tagInts, byte(width)
	e.varint(uint64(len(s)))
	if len(s) == 0 {
		return
	}
	if littleEndian || width == 1 {
		e.raw(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*width))
		return
	}
	for _, x := range s {
		var w [8]byte
		binary.LittleEndian.PutUint64(w[:], uint64(x))
		copy(e.room(width), w[:width])
	}
}

// EncodeFloats writes a slice of floats; NaN and zeros as in [Encoder.Float64].
func EncodeFloats[S ~[]E, E ~float32 | ~float64](e *Encoder, s S) {
	if s == nil {
		e.Nil()
		return
	}
	var zero E
	width := int(unsafe.Sizeof(zero))
	b := e.room(2)
	b[0], b[1] = tagFloats, byte(width)
	e.varint(uint64(len(s)))
	if len(s) == 0 {
		return
	}
	p := unsafe.Pointer(unsafe.SliceData(s))
	if width == 8 {
		rawFloats64(e, unsafe.Slice((*float64)(p), len(s)))
	} else {
		rawFloats32(e, unsafe.Slice((*float32)(p), len(s)))
	}
}

// rawFloats64 writes the bits of s. Where there is no NaN among them, which is looked
// for in blocks that stay in the cache, they are copied as they are.
func rawFloats64(e *Encoder, s []float64) {
	for len(s) > 0 {
		n := min(len(s), 512)
		nan := !littleEndian
		for _, f := range s[:n] {
			nan = nan || f != f
		}
		if nan {
			b := e.room(n * 8)
			for i, f := range s[:n] {
				binary.LittleEndian.PutUint64(b[i*8:i*8+8], FloatKey64(f))
			}
		} else {
			copy(e.room(n*8), unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), n*8))
		}
		s = s[n:]
	}
}

func rawFloats32(e *Encoder, s []float32) {
	for len(s) > 0 {
		n := min(len(s), 512)
		b := e.room(n * 4)
		for i, f := range s[:n] {
			binary.LittleEndian.PutUint32(b[i*4:i*4+4], FloatKey32(f))
		}
		s = s[n:]
	}
}

// EncodeStrings writes a slice of strings.
func EncodeStrings[S ~[]E, E ~string](e *Encoder, s S) {
	if s == nil {
		e.Nil()
		return
	}
	e.count(tagStrings, uint64(len(s)))
	for _, x := range s {
		n := len(x)
		if n < 0x80 {
			b := e.room(1 + n)
			b[0] = byte(n)
			copy(b[1:], x)
			continue
		}
		e.varint(uint64(n))
		e.raw(unsafe.Slice(unsafe.StringData(string(x)), n))
	}
}

// EncodeBool is the encoding function of booleans, as generated code passes it to a function
// that encodes what booleans are in.
func EncodeBool[T ~bool](e *Encoder, v T) { e.Bool(bool(v)) }

// EncodeInt is the encoding function of signed integers; see [EncodeBool].
func EncodeInt[T ~int | ~int8 | ~int16 | ~int32 | ~int64](e *Encoder, v T) { e.Int(int64(v)) }

// EncodeUint is the encoding function of unsigned integers; see [EncodeBool].
func EncodeUint[T ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr](e *Encoder, v T) {
	e.Uint(uint64(v))
}

// EncodeFloat is the encoding function of floats; see [EncodeBool].
func EncodeFloat[T ~float32 | ~float64](e *Encoder, v T) {
	if unsafe.Sizeof(v) == 4 {
		e.Float32(float32(v))
	} else {
		e.Float64(float64(v))
	}
}

// EncodeString is the encoding function of strings; see [EncodeBool].
func EncodeString[T ~string](e *Encoder, v T) { e.String(string(v)) }

// EncodeTime is the encoding function of time.Time; see [EncodeBool].
func EncodeTime(e *Encoder, v time.Time) { e.Time(v) }

const (
	nan64 = 0x7ff8000000000001 // what math.NaN returns
	nan32 = 0x7fc00000
)

// FloatKey64 is a float as it stands in a key: its bits, with one NaN for all, so that
// NaN equals itself; +0 and -0 stay different, since 1/f tells them apart.
func FloatKey64(f float64) uint64 {
	if f != f {
		return nan64
	}
	return math.Float64bits(f)
}

// FloatKey32 is [FloatKey64] for float32.
func FloatKey32(f float32) uint32 {
	if f != f {
		return nan32
	}
	return math.Float32bits(f)
}

// A TimeKey is a time.Time as it stands in a key, exact and comparable with ==:
// instant and zone as in [Encoder.Time].
type TimeKey struct {
	sec       int64
	nsec      uint32
	offset    int32
	zone, loc string
}

// TimeKeyOf returns the part of a key that stands for t.
func TimeKeyOf(t time.Time) TimeKey {
	zone, offset := t.Zone()
	return TimeKey{t.Unix(), uint32(t.Nanosecond()), int32(offset), zone, t.Location().String()}
}

// A KeyError says why arguments cannot be made into a key. A call that meets one is
// computed without the cache.
type KeyError struct {
	Part   string // the parameter
	Path   string // the way from it to what is wrong, such as .Where["x"].(*T).F; may be empty
	Type   string // of what is wrong
	Reason string
}

// InPart makes err, of what [AtomOf] returned for a parameter, name it.
func InPart(err error, part string) error {
	if e, ok := err.(*KeyError); ok && e.Part == "" {
		e.Part = part
	}
	return err
}

// Error says which argument has no key, where in it the reason is, and why.
func (e *KeyError) Error() string {
	what := e.Type
	if what != "" {
		what += ": "
	}
	return "argument " + e.Part + e.Path + " cannot be part of a cache key: " + what + e.Reason +
		"; leave it out with ignore=, choose what counts with hash=, or give the type a method CacheKey"
}

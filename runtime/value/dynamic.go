package value

// Interfaces, type parameters and structs of other packages with hidden fields have
// parts that generation cannot see. For these, and only these, an encoder, a copier
// and a sizer are made for each reflect.Type at its first use and kept: a tree of
// closures over the offsets of fields, which afterwards reads memory as generated
// code does. Reflection proper remains where maps are walked and methods called.
//
// The identity of a dynamic type is its reflect.Type: a number is given to each, so
// that two types of one name, from two packages or two functions, are two. The
// numbers mean nothing to another process.
//
// What a hidden field holds is read for keys, whoever it belongs to: two values that
// differ there are different arguments. It is copied only where nothing can go wrong
// by that: it cannot be changed, or it belongs to the module of the function, or to
// one of a few types of the standard library (see copyable). For others a copy made
// field by field could tear apart what belongs together.

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"
)

// dynType is what is known of a type. It does not change once it is in dynTypes.
type dynType struct {
	t      reflect.Type
	id     uint64
	ptr    unsafe.Pointer // identity of *T, see typeWord
	size   uintptr
	direct bool // an interface holds the value itself instead of its address

	encode func(e *Encoder, p unsafe.Pointer)
	custom bool // the key is made by a method or a rule of its own
	sealed bool // holds, in itself, what no rule can make a key of (a mutex)

	frozen bool // nothing that is reachable from a value can be changed
	// fix replaces, in the shallow copy at dst of the value at src, everything that
	// can be changed. dst may be src. Nil where frozen.
	fix     func(c *Copier, dst, src unsafe.Pointer)
	clone   func(c *Copier, src unsafe.Pointer) unsafe.Pointer // by a method; nil: none
	extent  func(z *Sizer, p unsafe.Pointer) int64             // reachable bytes; nil: 0
	boxes   sync.Pool                                          // of *T
	isIface bool
}

// dynTypes holds a *dynType for the address of each type's description.
var dynTypes struct {
	m    sync.Map // unsafe.Pointer → *dynType
	mu   sync.Mutex
	last uint64
}

// Numbers of the predeclared types, which [Encoder.Any] knows without looking.
const (
	idBool = iota
	idInt
	idInt8
	idInt16
	idInt32
	idInt64
	idUint
	idUint8
	idUint16
	idUint32
	idUint64
	idFloat32
	idFloat64
	idString
	idTime
	firstID = 32
)

var fixedIDs = map[reflect.Type]uint64{
	reflect.TypeFor[bool]():      idBool,
	reflect.TypeFor[int]():       idInt,
	reflect.TypeFor[int8]():      idInt8,
	reflect.TypeFor[int16]():     idInt16,
	reflect.TypeFor[int32]():     idInt32,
	reflect.TypeFor[int64]():     idInt64,
	reflect.TypeFor[uint]():      idUint,
	reflect.TypeFor[uint8]():     idUint8,
	reflect.TypeFor[uint16]():    idUint16,
	reflect.TypeFor[uint32]():    idUint32,
	reflect.TypeFor[uint64]():    idUint64,
	reflect.TypeFor[float32]():   idFloat32,
	reflect.TypeFor[float64]():   idFloat64,
	reflect.TypeFor[string]():    idString,
	reflect.TypeFor[time.Time](): idTime,
}

// wordOf is the address of the description of t.
func wordOf(t reflect.Type) unsafe.Pointer {
	var v any = t
	return (*eface)(unsafe.Pointer(&v)).data
}

func dynOf(t reflect.Type) *dynType {
	if d, ok := dynTypes.m.Load(wordOf(t)); ok {
		return d.(*dynType)
	}
	return buildDyn(t)
}

// dynOfValue is dynOf(reflect.TypeOf(v)), v not being nil.
func dynOfValue(v any) *dynType {
	if d, ok := dynTypes.m.Load((*eface)(unsafe.Pointer(&v)).typ); ok {
		return d.(*dynType)
	}
	return buildDyn(reflect.TypeOf(v))
}

func buildDyn(t reflect.Type) *dynType {
	dynTypes.mu.Lock()
	defer dynTypes.mu.Unlock()
	b := builder{}
	d := b.of(t)
	for n := 0; n < len(b); {
		n = len(b)
		for _, d := range b {
			b.build(d)
		}
	}
	// Published only now that the types it refers to, itself perhaps, are complete.
	for _, d := range b {
		dynTypes.m.Store(wordOf(d.t), d)
	}
	return d
}

// builder holds the types that are being built.
type builder map[reflect.Type]*dynType

// of returns what is known of t, which no value of the type that is being built can be
// part of without a pointer, slice or map between: it is complete.
func (b builder) of(t reflect.Type) *dynType {
	d := b.behind(t)
	b.build(d)
	return d
}

// build completes d. It comes to d again only through [builder.behind].
func (b builder) build(d *dynType) {
	if d.encode == nil {
		b.structure(d)
		b.rules(d)
	}
}

// behind returns what is known of a type that a pointer, slice or map leads to. That may
// contain what is being built, so it may be complete only by the time that it is used.
func (b builder) behind(t reflect.Type) *dynType {
	if d, ok := dynTypes.m.Load(wordOf(t)); ok {
		return d.(*dynType)
	}
	if d := b[t]; d != nil {
		return d
	}
	d := &dynType{t: t, ptr: wordOf(reflect.PointerTo(t)), size: t.Size(), isIface: t.Kind() == reflect.Interface}
	if id, ok := fixedIDs[t]; ok {
		d.id = id
	} else {
		dynTypes.last++
		d.id = firstID + dynTypes.last
	}
	if !d.isIface && d.size == unsafe.Sizeof(uintptr(0)) {
		// A value that is a pointer stands in an interface itself: nil, here.
		zero := reflect.New(t).Elem().Interface()
		d.direct = (*eface)(unsafe.Pointer(&zero)).data == nil
	}
	d.boxes.New = func() any { return reflect.New(t).Interface() }
	b[t] = d
	return d
}

// sliceHeader is how slices are laid out.
type sliceHeader struct {
	data unsafe.Pointer
	len  int
	cap  int
}

// structure builds what follows from the kind of d alone.
func (b builder) structure(d *dynType) {
	t := d.t
	switch k := t.Kind(); k {
	case reflect.Bool:
		d.frozen = true
		d.encode = func(e *Encoder, p unsafe.Pointer) { e.Bool(*(*bool)(p)) }
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		d.frozen = true
		n := d.size
		shift := 64 - 8*n
		d.encode = func(e *Encoder, p unsafe.Pointer) { e.Int(int64(loadWord(p, n)<<shift) >> shift) }
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		d.frozen = true
		n := d.size
		d.encode = func(e *Encoder, p unsafe.Pointer) { e.Uint(loadWord(p, n)) }
	case reflect.Float32:
		d.frozen = true
		d.encode = func(e *Encoder, p unsafe.Pointer) { e.Float32(*(*float32)(p)) }
	case reflect.Float64:
		d.frozen = true
		d.encode = func(e *Encoder, p unsafe.Pointer) { e.Float64(*(*float64)(p)) }
	case reflect.Complex64:
		d.frozen = true
		d.encode = func(e *Encoder, p unsafe.Pointer) { e.Complex64(*(*complex64)(p)) }
	case reflect.Complex128:
		d.frozen = true
		d.encode = func(e *Encoder, p unsafe.Pointer) { e.Complex128(*(*complex128)(p)) }
	case reflect.String:
		d.frozen = true
		d.encode = func(e *Encoder, p unsafe.Pointer) { e.String(*(*string)(p)) }
		d.extent = func(_ *Sizer, p unsafe.Pointer) int64 { return int64(len(*(*string)(p))) }
	case reflect.Struct:
		b.structType(d)
	case reflect.Array:
		b.arrayType(d)
	case reflect.Slice:
		b.sliceType(d)
	case reflect.Pointer:
		b.pointerType(d)
	case reflect.Map:
		b.mapType(d)
	case reflect.Interface:
		b.ifaceType(d)
	default: // Func, Chan, UnsafePointer
		what := map[reflect.Kind]string{
			reflect.Func:          "a function has no content that could be compared or copied",
			reflect.Chan:          "a channel has no content that could be compared or copied",
			reflect.UnsafePointer: "what it points to is unknown",
		}[k]
		d.encode = func(e *Encoder, p unsafe.Pointer) {
			if *(*unsafe.Pointer)(p) == nil {
				e.Nil()
			} else {
				e.fail(t, what)
			}
		}
		d.fix = func(c *Copier, _, src unsafe.Pointer) {
			if *(*unsafe.Pointer)(src) != nil {
				c.fail(t, what)
			}
		}
	}
}

type dynField struct {
	off  uintptr
	d    *dynType
	name string
	pkg  string // where it is hidden
}

func (b builder) structType(d *dynType) {
	var enc, mut, ext []dynField
	d.frozen = true
	known := copyable[typeName(d.t)]
	for i := range d.t.NumField() {
		f := d.t.Field(i)
		x := dynField{off: f.Offset, d: b.of(f.Type), name: f.Name}
		if !f.IsExported() && !known {
			x.pkg = f.PkgPath
		}
		if f.Name != "_" {
			enc = append(enc, x)
		}
		d.sealed = d.sealed || x.d.sealed
		if !x.d.frozen {
			d.frozen = false
			mut = append(mut, x)
		}
		if x.d.extent != nil || !x.d.frozen {
			ext = append(ext, x)
		}
	}
	d.encode = func(e *Encoder, p unsafe.Pointer) {
		for i := range enc {
			f := &enc[i]
			f.d.encode(e, unsafe.Add(p, f.off))
			if e.err != nil {
				e.err.Path = prepend("."+f.name, e.err.Path)
				return
			}
		}
	}
	if len(ext) > 0 {
		d.extent = func(z *Sizer, p unsafe.Pointer) (n int64) {
			for i := range ext {
				if f := &ext[i]; f.d.extent != nil {
					n += f.d.extent(z, unsafe.Add(p, f.off))
				}
			}
			return n
		}
	}
	if d.frozen {
		return
	}
	d.fix = func(c *Copier, dst, src unsafe.Pointer) {
		for i := range mut {
			f := &mut[i]
			s := unsafe.Add(src, f.off)
			hidden := f.pkg != "" && c.hidden == "" && !c.owns(f.pkg)
			if hidden {
				c.hidden = f.name
			}
			f.d.fix(c, unsafe.Add(dst, f.off), s)
			if hidden {
				c.hidden = ""
			}
			if c.err != nil {
				c.err.Path = prepend("."+f.name, c.err.Path)
				return
			}
		}
	}
}

func (b builder) arrayType(d *dynType) {
	elem, n := b.of(d.t.Elem()), d.t.Len()
	d.sealed, d.frozen = elem.sealed, elem.frozen || n == 0
	bulk := b.bulk(elem)
	d.encode = func(e *Encoder, p unsafe.Pointer) {
		if bulk != nil && n > 0 {
			bulk(e, p, n)
			return
		}
		encodeElems(e, elem, p, n)
	}
	if elem.extent != nil || !elem.frozen {
		d.extent = func(z *Sizer, p unsafe.Pointer) int64 { return extentElems(z, elem, p, n) }
	}
	if !d.frozen {
		d.fix = func(c *Copier, dst, src unsafe.Pointer) { fixElems(c, elem, dst, src, n) }
	}
}

func encodeElems(e *Encoder, elem *dynType, p unsafe.Pointer, n int) {
	if elem.size == 0 {
		n = min(n, 1) // all are equal, and there may be as many as an int can count
	}
	for i := range n {
		elem.encode(e, unsafe.Add(p, uintptr(i)*elem.size))
		if e.err != nil {
			e.err.Path = prepend("["+strconv.Itoa(i)+"]", e.err.Path)
			return
		}
	}
}

func fixElems(c *Copier, elem *dynType, dst, src unsafe.Pointer, n int) {
	for i := range n {
		off := uintptr(i) * elem.size
		elem.fix(c, unsafe.Add(dst, off), unsafe.Add(src, off))
		if c.err != nil {
			c.err.Path = prepend("["+strconv.Itoa(i)+"]", c.err.Path)
			return
		}
	}
}

func extentElems(z *Sizer, elem *dynType, p unsafe.Pointer, n int) (sum int64) {
	if elem.extent == nil {
		return 0
	}
	for i := range n {
		sum += elem.extent(z, unsafe.Add(p, uintptr(i)*elem.size))
	}
	return sum
}

// bulk returns a way to encode n elements at p at once, if there is one.
func (b builder) bulk(elem *dynType) func(e *Encoder, p unsafe.Pointer, n int) {
	if elem.custom {
		return nil
	}
	switch k := elem.t.Kind(); {
	case reflect.Int <= k && k <= reflect.Uintptr:
		switch elem.size {
		case 1:
			return func(e *Encoder, p unsafe.Pointer, n int) { EncodeInts(e, unsafe.Slice((*uint8)(p), n)) }
		case 2:
			return func(e *Encoder, p unsafe.Pointer, n int) { EncodeInts(e, unsafe.Slice((*uint16)(p), n)) }
		case 4:
			return func(e *Encoder, p unsafe.Pointer, n int) { EncodeInts(e, unsafe.Slice((*uint32)(p), n)) }
		}
		return func(e *Encoder, p unsafe.Pointer, n int) { EncodeInts(e, unsafe.Slice((*uint64)(p), n)) }
	case k == reflect.Float32:
		return func(e *Encoder, p unsafe.Pointer, n int) { EncodeFloats(e, unsafe.Slice((*float32)(p), n)) }
	case k == reflect.Float64:
		return func(e *Encoder, p unsafe.Pointer, n int) { EncodeFloats(e, unsafe.Slice((*float64)(p), n)) }
	case k == reflect.String:
		return func(e *Encoder, p unsafe.Pointer, n int) { EncodeStrings(e, unsafe.Slice((*string)(p), n)) }
	}
	return nil
}

func (b builder) sliceType(d *dynType) {
	elem := b.behind(d.t.Elem())
	var bulk func(e *Encoder, p unsafe.Pointer, n int)
	var once sync.Once
	d.encode = func(e *Encoder, p unsafe.Pointer) {
		s := (*sliceHeader)(p)
		switch {
		case s.data == nil:
			e.Nil()
			return
		case s.len == 0:
			e.Len(0)
			return
		}
		// elem may have been unfinished when d was made.
		once.Do(func() { bulk = b.bulk(elem) })
		if bulk != nil {
			bulk(e, s.data, s.len)
			return
		}
		if e.enter(ancestor{s.data, d.ptr, s.len}, tagLen, s.len) {
			encodeElems(e, elem, s.data, s.len)
			e.leave()
		}
	}
	d.extent = func(z *Sizer, p unsafe.Pointer) int64 {
		s := (*sliceHeader)(p)
		if s.cap == 0 || !z.first(ancestor{s.data, d.ptr, s.len}) {
			return 0
		}
		z.depth++
		n := int64(s.cap)*int64(elem.size) + extentElems(z, elem, s.data, s.len)
		z.depth--
		return n
	}
	d.fix = func(c *Copier, dst, src unsafe.Pointer) {
		s := *(*sliceHeader)(src)
		if s.data == nil || s.len > 0 && !c.visible(d) {
			return
		}
		a := ancestor{s.data, d.ptr, s.len}
		if s.len > 0 {
			if to := c.seen(a); to != nil {
				*(*sliceHeader)(dst) = sliceHeader{to, s.len, s.len}
				return
			}
		}
		// Empty ones too: whoever appends to a shared one writes into its array.
		w := reflect.MakeSlice(d.t, s.len, s.len)
		to := w.UnsafePointer()
		if s.len > 0 {
			reflect.Copy(w, reflect.NewAt(d.t, src).Elem())
			c.remember(a, to)
			if !elem.frozen && c.deeper() {
				fixElems(c, elem, to, s.data, s.len)
				c.depth--
			}
		}
		*(*sliceHeader)(dst) = sliceHeader{to, s.len, s.len}
	}
}

func (b builder) pointerType(d *dynType) {
	elem := b.behind(d.t.Elem())
	generic, _, _ := strings.Cut(typeName(elem.t), "[")
	d.frozen = sharedPointees[generic]
	d.encode = func(e *Encoder, p unsafe.Pointer) {
		to := *(*unsafe.Pointer)(p)
		if to == nil {
			e.Nil()
			return
		}
		if e.enter(ancestor{to, elem.ptr, 0}, tagNotNil, 0) {
			elem.encode(e, to)
			e.leave()
		}
	}
	if d.frozen {
		return
	}
	d.extent = func(z *Sizer, p unsafe.Pointer) int64 {
		to := *(*unsafe.Pointer)(p)
		if to == nil || !z.first(ancestor{to, elem.ptr, 0}) {
			return 0
		}
		n := int64(elem.size)
		if elem.extent != nil {
			z.depth++
			n += elem.extent(z, to)
			z.depth--
		}
		return n
	}
	d.fix = func(c *Copier, dst, src unsafe.Pointer) {
		from := *(*unsafe.Pointer)(src)
		if from == nil || !c.visible(d) {
			return
		}
		a := ancestor{from, elem.ptr, 0}
		to := c.seen(a)
		if to == nil {
			if elem.clone != nil {
				if to = elem.clone(c, from); to == nil {
					return
				}
				c.remember(a, to)
			} else {
				to = copyAt(elem.t, from)
				c.remember(a, to)
				if !elem.frozen && c.deeper() {
					elem.fix(c, to, from)
					c.depth--
				}
			}
		}
		*(*unsafe.Pointer)(dst) = to
	}
}

// copyAt returns the address of a new shallow copy of the value of type t at p.
func copyAt(t reflect.Type, p unsafe.Pointer) unsafe.Pointer {
	w := reflect.New(t)
	w.Elem().Set(reflect.NewAt(t, p).Elem())
	return w.UnsafePointer()
}

func (b builder) mapType(d *dynType) {
	key, val := b.behind(d.t.Key()), b.behind(d.t.Elem())
	kind := key.t.Kind()
	d.encode = func(e *Encoder, p unsafe.Pointer) {
		id := *(*unsafe.Pointer)(p)
		if id == nil {
			e.Nil()
			return
		}
		m := reflect.NewAt(d.t, p).Elem()
		if !e.enter(ancestor{id, d.ptr, 0}, tagMap, m.Len()) {
			return
		}
		k, v := reflect.New(key.t), reflect.New(val.t)
		kp, vp := k.UnsafePointer(), v.UnsafePointer()
		entry := func() bool {
			key.encode(e, kp)
			if e.err == nil {
				val.encode(e, vp)
			}
			if e.err != nil {
				e.err.Path = prepend(keyName(k.Elem()), e.err.Path)
			}
			return e.err == nil
		}
		switch {
		case kind == reflect.String:
			base := len(e.strs)
			for i := m.MapRange(); i.Next(); {
				k.Elem().SetIterKey(i)
				e.strs = append(e.strs, *(*string)(kp))
			}
			n := len(e.strs)
			slices.Sort(e.strs[base:n])
			for i := base; i < n; i++ {
				*(*string)(kp) = e.strs[i]
				v.Elem().Set(m.MapIndex(k.Elem()))
				if !entry() {
					break
				}
			}
			clear(e.strs[base:])
			e.strs = e.strs[:base]
		case wordKind(kind):
			base := len(e.words)
			for i := m.MapRange(); i.Next(); {
				k.Elem().SetIterKey(i)
				e.words = append(e.words, loadWord(kp, key.size))
			}
			n := len(e.words)
			slices.Sort(e.words[base:n])
			for i := base; i < n; i++ {
				storeWord(kp, key.size, e.words[i])
				v.Elem().Set(m.MapIndex(k.Elem()))
				if !entry() {
					break
				}
			}
			e.words = e.words[:base]
		default:
			s := e.hold()
			for i := m.MapRange(); i.Next() && s.next(e); {
				k.Elem().SetIterKey(i)
				v.Elem().SetIterValue(i)
				if !entry() {
					break
				}
			}
			s.sorted(e)
		}
		e.leave()
	}
	d.extent = func(z *Sizer, p unsafe.Pointer) int64 {
		id := *(*unsafe.Pointer)(p)
		if id == nil || !z.first(ancestor{id, d.ptr, 0}) {
			return 0
		}
		m := reflect.NewAt(d.t, p).Elem()
		n := mapBytes(m.Len(), int64(key.size+val.size))
		if key.extent == nil && val.extent == nil {
			return n
		}
		z.depth++
		k, v := reflect.New(key.t), reflect.New(val.t)
		for i := m.MapRange(); i.Next(); {
			k.Elem().SetIterKey(i)
			v.Elem().SetIterValue(i)
			n += extentElems(z, key, k.UnsafePointer(), 1) + extentElems(z, val, v.UnsafePointer(), 1)
		}
		z.depth--
		return n
	}
	d.fix = func(c *Copier, dst, src unsafe.Pointer) {
		id := *(*unsafe.Pointer)(src)
		if id == nil || !c.visible(d) {
			return
		}
		a := ancestor{id, d.ptr, 0}
		if to := c.seen(a); to != nil {
			*(*unsafe.Pointer)(dst) = to
			return
		}
		m := reflect.NewAt(d.t, src).Elem()
		w := reflect.MakeMapWithSize(d.t, m.Len())
		c.remember(a, w.UnsafePointer())
		if !c.deeper() {
			return
		}
		k, v := reflect.New(key.t), reflect.New(val.t)
		for i := m.MapRange(); i.Next(); {
			k.Elem().SetIterKey(i)
			v.Elem().SetIterValue(i)
			if !key.frozen {
				key.fix(c, k.UnsafePointer(), k.UnsafePointer())
			}
			if c.err == nil && !val.frozen {
				val.fix(c, v.UnsafePointer(), v.UnsafePointer())
			}
			if c.err != nil {
				c.err.Path = prepend(keyName(k.Elem()), c.err.Path)
				return
			}
			w.SetMapIndex(k.Elem(), v.Elem())
		}
		c.depth--
		*(*unsafe.Pointer)(dst) = w.UnsafePointer()
	}
}

// keyName is how a map key stands in a path.
func keyName(k reflect.Value) string {
	switch {
	case k.Kind() == reflect.String:
		s := k.String()
		if len(s) > 32 {
			s = s[:32] + "…"
		}
		return "[" + strconv.Quote(s) + "]"
	case k.CanInt():
		return "[" + strconv.FormatInt(k.Int(), 10) + "]"
	case k.CanUint():
		return "[" + strconv.FormatUint(k.Uint(), 10) + "]"
	}
	return "[" + k.Type().String() + "]"
}

// prepend puts one step before a path, unless that has grown beyond reading.
func prepend(step, path string) string {
	if len(path) > 300 {
		return path
	}
	return step + path
}

func (b builder) ifaceType(d *dynType) {
	get := func(p unsafe.Pointer) any { return *(*any)(p) }
	if t := d.t; t.NumMethod() > 0 {
		get = func(p unsafe.Pointer) any { return reflect.NewAt(t, p).Elem().Interface() }
	}
	d.encode = func(e *Encoder, p unsafe.Pointer) { e.any(get(p)) }
	d.extent = func(z *Sizer, p unsafe.Pointer) int64 { return sizeIface(z, get(p), p) }
	d.fix = func(c *Copier, dst, src unsafe.Pointer) { fixIface(c, get(src), dst, src) }
}

// ifaceData is where the second word of the interface at p is, with methods or
// without.
func ifaceData(p unsafe.Pointer) unsafe.Pointer { return unsafe.Add(p, unsafe.Sizeof(uintptr(0))) }

func fixIface(c *Copier, v any, dst, src unsafe.Pointer) {
	if v == nil {
		return
	}
	if _, ok := v.(error); ok {
		return // compared by identity (errors.Is), and by convention not changed
	}
	d := dynOfValue(v)
	if d.frozen || !c.visible(d) {
		return
	}
	if d.direct {
		d.fix(c, ifaceData(dst), ifaceData(src))
	} else {
		from := *(*unsafe.Pointer)(ifaceData(src))
		to := copyAt(d.t, from)
		d.fix(c, to, from)
		*(*unsafe.Pointer)(ifaceData(dst)) = to
	}
	if c.err != nil {
		c.err.Path = prepend(".("+d.t.String()+")", c.err.Path)
	}
}

func sizeIface(z *Sizer, v any, p unsafe.Pointer) int64 {
	if v == nil {
		return 0
	}
	d := dynOfValue(v)
	if d.direct {
		return extentElems(z, d, ifaceData(p), 1)
	}
	return int64(d.size) + extentElems(z, d, *(*unsafe.Pointer)(ifaceData(p)), 1)
}

// Any writes an interface: nil, or the dynamic type and the value. A value that
// cannot be keyed is an error of [Encoder.Digest].
func (e *Encoder) Any(v any) {
	if e.err == nil {
		e.any(v)
	}
}

func (e *Encoder) any(v any) {
	switch v := v.(type) {
	case nil:
		e.Nil()
	case string:
		e.count(tagDynamic, idString)
		e.String(v)
	case int:
		e.count(tagDynamic, idInt)
		e.Int(int64(v))
	case bool:
		e.count(tagDynamic, idBool)
		e.Bool(v)
	case float64:
		e.count(tagDynamic, idFloat64)
		e.Float64(v)
	case int64:
		e.count(tagDynamic, idInt64)
		e.Int(v)
	default:
		e.dynamic(v)
	}
}

func (e *Encoder) dynamic(v any) {
	d := dynOfValue(v)
	e.count(tagDynamic, d.id)
	p := (*eface)(unsafe.Pointer(&v)).data
	if d.direct {
		n := len(e.slots)
		e.slots = append(e.slots, p)
		d.encode(e, unsafe.Pointer(&e.slots[n]))
		e.slots[n] = nil
		e.slots = e.slots[:n]
	} else {
		d.encode(e, p)
	}
	if e.err != nil {
		e.err.Path = prepend(".("+d.t.String()+")", e.err.Path)
	}
}

// EncodeOf writes a value of a type that generation cannot see into: a type
// parameter, or a struct of another package with hidden fields.
func EncodeOf[T any](e *Encoder, v T) {
	if e.err != nil {
		return
	}
	d := dynOf(reflect.TypeFor[T]())
	if d.isIface {
		e.any(any(v))
		return
	}
	box := d.boxes.Get().(*T)
	*box = v
	d.encode(e, unsafe.Pointer(box))
	clear(unsafe.Slice(box, 1))
	d.boxes.Put(box)
}

// CopyAny returns a copy of v, of the same dynamic type. Values whose type implements
// error are shared, since they are compared by identity.
func CopyAny(c *Copier, v any) any { return CopyIface(c, v) }

// CopyIface is [CopyAny] for an interface type I.
func CopyIface[I any](c *Copier, v I) I {
	if c.err != nil || any(v) == nil {
		return v
	}
	w := v
	fixIface(c, any(v), unsafe.Pointer(&w), unsafe.Pointer(&w))
	return w
}

// CopyOf returns a copy of a value of a type that generation cannot see into; see
// [EncodeOf].
func CopyOf[T any](c *Copier, v T) T {
	d := dynOf(reflect.TypeFor[T]())
	if d.frozen || c.err != nil {
		return v
	}
	if d.isIface {
		return CopyIface(c, v)
	}
	w := new(T)
	*w = v
	d.fix(c, unsafe.Pointer(w), unsafe.Pointer(w))
	return *w
}

// SizeAny returns the bytes reachable from v.
func SizeAny(v any) int64 {
	var z Sizer
	return SizeOf(&z, v)
}

// SizeOf returns the bytes reachable from v but not in it.
func SizeOf[T any](z *Sizer, v T) int64 {
	d := dynOf(reflect.TypeFor[T]())
	if d.extent == nil {
		return 0
	}
	w := v
	return d.extent(z, unsafe.Pointer(&w))
}

// visible reports whether a value of type d, which refers to memory that can be
// changed, may be copied. Below a hidden field of another module it may not.
func (c *Copier) visible(d *dynType) bool {
	if c.hidden != "" {
		c.fail(d.t, "it is in the hidden field "+c.hidden+" of a type of another module, which alone knows how to copy it")
	}
	return c.err == nil
}

func (c *Copier) fail(t reflect.Type, reason string) {
	if c.err == nil {
		c.err = &CopyError{Type: t.String(), Reason: reason}
	}
}

// typeName is the full name of a type that has one, and how it is written otherwise.
func typeName(t reflect.Type) string {
	if t.PkgPath() != "" {
		return t.PkgPath() + "." + t.Name()
	}
	return t.String()
}

// An Atom is a value of a type parameter as it stands in a key: exact for integers,
// booleans, floats (NaN and zeros as in [FloatKey64]) and strings, a digest for
// everything else. Atoms of one type T are equal exactly where the values are, in the
// sense of [Encoder].
type Atom struct {
	bits uint64
	text string
	sum  Digest
}

// AtomOf returns the part of a key that stands for v, or a [*KeyError].
func AtomOf[T any](v T) (a Atom, err error) {
	t := reflect.TypeFor[T]()
	if t.PkgPath() == "" || !dynOf(t).custom {
		switch k := t.Kind(); {
		case wordKind(k):
			return Atom{bits: loadWord(unsafe.Pointer(&v), unsafe.Sizeof(v))}, nil
		case k == reflect.Float32:
			return Atom{bits: uint64(FloatKey32(*(*float32)(unsafe.Pointer(&v))))}, nil
		case k == reflect.Float64:
			return Atom{bits: FloatKey64(*(*float64)(unsafe.Pointer(&v)))}, nil
		case k == reflect.String:
			return Atom{text: *(*string)(unsafe.Pointer(&v))}, nil
		}
	}
	e := NewEncoder()
	EncodeOf(e, v)
	a.sum, err = e.Digest()
	return a, err
}

// Clone returns a that does not refer to memory of the caller's.
func (a Atom) Clone() Atom {
	a.text = strings.Clone(a.text)
	return a
}

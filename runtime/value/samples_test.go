package value

import (
	"encoding/binary"
	"math"
	"reflect"
	"time"
)

// sample has a field of every kind that can be keyed and copied.
type sample struct {
	B     bool
	I     int8
	U     uint16
	F     float64
	F32   float32
	C     complex128
	S     string
	Bs    []byte
	Is    []int32
	Fs    []float64
	Ss    []string
	Bools []bool
	A     [2]string
	Z     [3]float32
	M     map[string]int
	MI    map[int8][]string
	MK    map[structKey]*sample
	MF    map[float64]string
	MA    map[any]bool
	P     *sample
	PP    **int
	L     []sample
	R     rings
	Any   any
	T     time.Time
	_     int
	hid   hidden
	E     struct{}
}

type rings []rings

type hidden struct {
	n  int
	s  []string
	up *sample //lint:ignore U1000 filled and read by reflection
	a  any     //lint:ignore U1000 filled and read by reflection
}

type sampleName string

// sampleTypes are the dynamic types that a sample's interfaces hold.
var sampleTypes = []reflect.Type{
	reflect.TypeFor[int](),
	reflect.TypeFor[string](),
	reflect.TypeFor[sampleName](),
	reflect.TypeFor[float64](),
	reflect.TypeFor[structKey](),
	reflect.TypeFor[[]any](),
	reflect.TypeFor[map[string]any](),
	reflect.TypeFor[*sample](),
	reflect.TypeFor[sample](),
	reflect.TypeFor[*int](),
	reflect.TypeFor[[]string](),
	reflect.TypeFor[[1]*int](),
	reflect.TypeFor[hidden](),
	reflect.TypeFor[bool](),
	reflect.TypeFor[int64](),
	reflect.TypeFor[uint8](),
	reflect.TypeFor[map[int8]string](),
}

// filler makes values of the sample types from bytes: equal bytes make equal values.
type filler struct {
	b     []byte
	above map[reflect.Type][]reflect.Value // pointers, slices and maps under construction
	left  int                              // values that may still be made
}

func newFiller(b []byte) *filler {
	return &filler{b: b, above: map[reflect.Type][]reflect.Value{}, left: 300}
}

func (k *filler) byte() byte {
	if len(k.b) == 0 {
		return 0
	}
	c := k.b[0]
	k.b = k.b[1:]
	return c
}

func (k *filler) word() uint64 {
	var w [8]byte
	n := int(k.byte() % 9)
	n = copy(w[:n], k.b)
	k.b = k.b[n:]
	return binary.LittleEndian.Uint64(w[:])
}

func (k *filler) text() string {
	n := min(int(k.byte())%20, len(k.b))
	s := string(k.b[:n])
	k.b = k.b[n:]
	return s
}

func (k *filler) value(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	k.fill(v)
	return v
}

// fill sets v, which is addressable, unexported fields included.
func (k *filler) fill(v reflect.Value) {
	if len(k.b) == 0 || k.left <= 0 {
		return
	}
	k.left--
	t := v.Type()
	v = reflect.NewAt(t, v.Addr().UnsafePointer()).Elem()
	if t == reflect.TypeFor[time.Time]() {
		x := time.Unix(int64(k.word()>>20), int64(k.byte())).UTC()
		if k.byte()%2 == 1 {
			x = x.In(time.FixedZone(k.text(), int(k.byte())*60))
		}
		v.Set(reflect.ValueOf(x))
		return
	}
	switch t.Kind() {
	case reflect.Bool:
		v.SetBool(k.byte()%2 == 1)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(k.word()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(k.word())
	case reflect.Float32, reflect.Float64:
		f := math.Float64frombits(k.word())
		if f != f {
			f = math.Copysign(0, -1)
		}
		v.SetFloat(f)
	case reflect.Complex128:
		v.SetComplex(complex(float64(k.byte()), float64(k.byte())))
	case reflect.String:
		v.SetString(k.text())
	case reflect.Array:
		for i := range v.Len() {
			k.fill(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if t.Field(i).Name != "_" {
				k.fill(v.Field(i))
			}
		}
	case reflect.Pointer:
		if k.again(v) {
			return
		}
		if k.byte()%2 == 1 {
			p := reflect.New(t.Elem())
			k.push(p)
			k.fill(p.Elem())
			k.pop(t)
			v.Set(p)
		}
	case reflect.Slice:
		if k.again(v) {
			return
		}
		if n := int(k.byte()) % 5; n > 0 {
			s := reflect.MakeSlice(t, n-1, n-1)
			k.push(s)
			for i := range n - 1 {
				k.fill(s.Index(i))
			}
			k.pop(t)
			v.Set(s)
		}
	case reflect.Map:
		if k.again(v) {
			return
		}
		if n := int(k.byte()) % 4; n > 0 {
			m := reflect.MakeMap(t)
			k.push(m)
			for range n - 1 {
				key := k.value(t.Key())
				if key.Comparable() && (key.Kind() != reflect.Interface || key.Elem().Kind() != reflect.Pointer && key.Elem().Kind() != reflect.Array) {
					m.SetMapIndex(key, k.value(t.Elem()))
				}
			}
			k.pop(t)
			v.Set(m)
		}
	case reflect.Interface:
		if n := int(k.byte()) % (len(sampleTypes) + 1); n > 0 {
			v.Set(k.value(sampleTypes[n-1]))
		}
	default:
		panic(t)
	}
}

// again makes v one of the values that contain it, once in a while.
func (k *filler) again(v reflect.Value) bool {
	s := k.above[v.Type()]
	if len(s) == 0 || k.byte()%4 != 1 {
		return false
	}
	a := s[int(k.byte())%len(s)]
	if a.Kind() == reflect.Slice && a.Len() == 0 {
		return false
	}
	v.Set(a)
	return true
}

func (k *filler) push(v reflect.Value) { k.above[v.Type()] = append(k.above[v.Type()], v) }
func (k *filler) pop(t reflect.Type)   { k.above[t] = k.above[t][:len(k.above[t])-1] }

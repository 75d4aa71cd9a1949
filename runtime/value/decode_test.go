package value

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// A decoder reads an encoding back: what it needs beside the bytes is the static type.
// That it can do so shows that no two values have the same encoding.
type decoder struct {
	b    []byte
	path []reflect.Value
}

// encodingOf is the encoding itself.
func encodingOf(v any) ([]byte, error) {
	e := NewEncoder()
	e.held = 1 // digest nothing
	e.Any(v)
	if e.err != nil {
		return nil, e.err
	}
	return bytes.Clone(e.buf[16:]), nil
}

func decodeAny(b []byte) (v any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	d := &decoder{b: b}
	var x any
	d.value(reflect.ValueOf(&x).Elem())
	if len(d.b) > 0 {
		return x, fmt.Errorf("%d bytes left", len(d.b))
	}
	return x, nil
}

func (d *decoder) next() byte {
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

func (d *decoder) want(tag byte) {
	if got := d.next(); got != tag {
		panic(fmt.Sprintf("tag %d instead of %d", got, tag))
	}
}

func (d *decoder) word() uint64 {
	x := binary.LittleEndian.Uint64(d.b)
	d.b = d.b[8:]
	return x
}

func (d *decoder) word32() uint32 {
	x := binary.LittleEndian.Uint32(d.b)
	d.b = d.b[4:]
	return x
}

func (d *decoder) len() int {
	n, w := binary.Uvarint(d.b)
	if w <= 0 {
		panic("varint")
	}
	d.b = d.b[w:]
	return int(n)
}

func (d *decoder) bytes() []byte {
	n := d.len()
	b := d.b[:n:n]
	d.b = d.b[n:]
	return b
}

func (d *decoder) string() string {
	d.want(tagString)
	return string(d.bytes())
}

// value reads into v, which is addressable.
func (d *decoder) value(v reflect.Value) {
	t := v.Type()
	v = reflect.NewAt(t, v.Addr().UnsafePointer()).Elem()
	if t == reflect.TypeFor[time.Time]() {
		d.want(tagTime)
		x := time.Unix(int64(d.word()), int64(d.word32())).UTC()
		offset := int(int64(d.word()))
		zone, loc := d.string(), d.string()
		if loc != "UTC" {
			x = x.In(time.FixedZone(zone, offset))
		}
		v.Set(reflect.ValueOf(x))
		return
	}
	switch t.Kind() {
	case reflect.Bool:
		v.SetBool(d.next() == tagTrue)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		d.want(tagInt)
		v.SetInt(int64(d.word()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		d.want(tagUint)
		v.SetUint(d.word())
	case reflect.Float32:
		d.want(tagFloat32)
		v.SetFloat(float64(math.Float32frombits(d.word32())))
	case reflect.Float64:
		d.want(tagFloat64)
		v.SetFloat(math.Float64frombits(d.word()))
	case reflect.Complex128:
		d.want(tagComplex128)
		var re, im float64
		d.value(reflect.ValueOf(&re).Elem())
		d.value(reflect.ValueOf(&im).Elem())
		v.SetComplex(complex(re, im))
	case reflect.String:
		v.SetString(d.string())
	case reflect.Array:
		if !d.bulk(v) {
			for i := range v.Len() {
				d.value(v.Index(i))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if t.Field(i).Name != "_" {
				d.value(v.Field(i))
			}
		}
	case reflect.Pointer:
		if d.shared(v) {
			return
		}
		d.want(tagNotNil)
		d.len()
		p := reflect.New(t.Elem())
		v.Set(p)
		d.path = append(d.path, p)
		d.value(p.Elem())
		d.path = d.path[:len(d.path)-1]
	case reflect.Slice:
		if d.shared(v) || d.bulk(v) {
			return
		}
		d.want(tagLen)
		n := d.len()
		s := reflect.MakeSlice(t, n, n)
		v.Set(s)
		if n == 0 {
			return
		}
		d.path = append(d.path, s)
		for i := range n {
			d.value(s.Index(i))
		}
		d.path = d.path[:len(d.path)-1]
	case reflect.Map:
		if d.shared(v) {
			return
		}
		d.want(tagMap)
		m := reflect.MakeMap(t)
		v.Set(m)
		d.path = append(d.path, m)
		for range d.len() {
			key, val := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
			d.value(key)
			d.value(val)
			m.SetMapIndex(key, val)
		}
		d.path = d.path[:len(d.path)-1]
	case reflect.Interface:
		if d.b[0] == tagNil {
			d.next()
			return
		}
		d.want(tagDynamic)
		id := uint64(d.len())
		for _, t := range sampleTypes {
			if dynOf(t).id == id {
				x := reflect.New(t).Elem()
				d.value(x)
				v.Set(x)
				return
			}
		}
		panic(fmt.Sprintf("type number %d", id))
	default:
		panic(t)
	}
}

// shared reads nil and back references.
func (d *decoder) shared(v reflect.Value) bool {
	switch d.b[0] {
	case tagNil:
		d.next()
		return true
	case tagUp:
		d.next()
		v.Set(d.path[d.len()])
		return true
	}
	return false
}

// bulk reads slices and arrays of numbers and strings.
func (d *decoder) bulk(v reflect.Value) bool {
	elem := v.Type().Elem()
	grow := func(n int) {
		if v.Kind() == reflect.Slice {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
		} else if n != v.Len() {
			panic("length of an array")
		}
	}
	switch d.b[0] {
	case tagInts:
		d.next()
		if w := int(d.next()); w != int(elem.Size()) {
			panic("width")
		}
		n := d.len()
		grow(n)
		for i := range n {
			var w [8]byte
			copy(w[:], d.b[:elem.Size()])
			d.b = d.b[elem.Size():]
			storeWord(v.Index(i).Addr().UnsafePointer(), elem.Size(), binary.LittleEndian.Uint64(w[:]))
		}
	case tagFloats:
		d.next()
		if w := int(d.next()); w != int(elem.Size()) {
			panic("width")
		}
		n := d.len()
		grow(n)
		for i := range n {
			if elem.Size() == 8 {
				v.Index(i).SetFloat(math.Float64frombits(d.word()))
			} else {
				v.Index(i).SetFloat(float64(math.Float32frombits(d.word32())))
			}
		}
	case tagStrings:
		d.next()
		n := d.len()
		grow(n)
		for i := range n {
			v.Index(i).SetString(string(d.bytes()))
		}
	default:
		return false
	}
	return true
}

// checkReadBack shows for the value made of b that its encoding is that of an equal
// value made anew and can be read back to a third.
func checkReadBack(t *testing.T, b []byte) (any, Digest) {
	t.Helper()
	v := newFiller(b).value(reflect.TypeFor[sample]()).Interface()
	enc, err := encodingOf(v)
	if err != nil {
		t.Fatal(err)
	}
	again, err := encodingOf(newFiller(b).value(reflect.TypeFor[sample]()).Interface())
	if err != nil || !bytes.Equal(enc, again) {
		t.Fatalf("an equal value is encoded differently (%v):\n%x\n%x", err, enc, again)
	}
	w, err := decodeAny(enc)
	if err != nil {
		t.Fatalf("reading back %x: %v", enc, err)
	}
	if !reflect.DeepEqual(v, w) {
		t.Fatalf("read back another value")
	}
	return v, digestOf(t, v)
}

func sampleSeeds() [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	seeds := [][]byte{{}, {1}, bytes.Repeat([]byte{1}, 600), bytes.Repeat([]byte{1, 2, 3, 4, 5}, 200)}
	for range 300 {
		b := make([]byte, r.IntN(1500))
		for i := range b {
			b[i] = byte(r.Uint32())
			if r.IntN(3) == 0 {
				b[i] &= 3
			}
		}
		seeds = append(seeds, b)
	}
	return seeds
}

func FuzzEncode(f *testing.F) {
	for _, s := range sampleSeeds() {
		f.Add(s, s[:len(s)/2])
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		v, dv := checkReadBack(t, a)
		w, dw := checkReadBack(t, b)
		if equal := reflect.DeepEqual(v, w); equal != (dv == dw) {
			// -0 == 0 for DeepEqual; the encodings decide.
			ev, _ := encodingOf(v)
			ew, _ := encodingOf(w)
			if bytes.Equal(ev, ew) != (dv == dw) {
				t.Fatalf("equal: %v, digests %v and %v", equal, dv, dw)
			}
		}
	})
}

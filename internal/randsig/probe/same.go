package probe

import (
	"fmt"
	"math"
	"reflect"
	"time"
)

// Same reports how what a and b point to differ, or nil. Content must be equal as [Print]
// sees it, and wherever a shares a pointer or a map, b must share one too, and the reverse.
// That is not asked of slices, nor of pointers to types without size.
func Same(pool *Pool, a, b any) error { return compare(pool, a, b, false) }

// Twins is Same for what nobody may be able to tell apart: the bits of floats, the capacity of
// slices, which of them are one, and all of a time count as well.
func Twins(pool *Pool, a, b any) error { return compare(pool, a, b, true) }

func compare(pool *Pool, a, b any, strict bool) (err error) {
	defer func() {
		if d, ok := recover().(difference); ok {
			err = d
		}
	}()
	s := matcher{pool: pool, strict: strict, to: map[ref]uintptr{}, from: map[ref]uintptr{}, seen: map[[2]ref]bool{}}
	s.match("", reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem())
	return nil
}

type difference struct{ path, what string }

func (d difference) Error() string { return d.path + ": " + d.what }

type matcher struct {
	pool     *Pool
	strict   bool
	to, from map[ref]uintptr // pointers and maps, by type
	seen     map[[2]ref]bool // slices
}

// pair reports whether a and b have been matched before.
func (s *matcher) pair(path string, a, b reflect.Value) bool {
	ra, rb := ref{a.Pointer(), 0, a.Type()}, ref{b.Pointer(), 0, a.Type()}
	p, ok := s.to[ra]
	q, ko := s.from[rb]
	if ok != ko || ok && (p != rb.p || q != ra.p) {
		panic(difference{path, fmt.Sprintf("shared in one value and separate in the other (%s)", a.Type())})
	}
	s.to[ra], s.from[rb] = rb.p, ra.p
	return ok
}

func (s *matcher) match(path string, a, b reflect.Value) {
	t := a.Type()
	differ := func(x, y any) { panic(difference{path, fmt.Sprintf("%v and %v (%s)", x, y, t)}) }
	switch t {
	case timeType, bigIntType, bigRatType, addrType:
		if x, y := s.text(a), s.text(b); x != y {
			differ(x, y)
		}
		if s.strict && t == timeType {
			if x, y := loose(a).Interface().(time.Time), loose(b).Interface().(time.Time); x != y {
				differ(x, y)
			}
		}
		return
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Map, reflect.Pointer, reflect.Interface:
		if a.IsNil() != b.IsNil() {
			if a.IsNil() {
				differ("nil", "not nil")
			}
			differ("not nil", "nil")
		}
		if a.IsNil() {
			return
		}
	}
	switch t.Kind() {
	case reflect.Slice:
		if a.Len() != b.Len() {
			differ(fmt.Sprintf("length %d", a.Len()), b.Len())
		}
		if s.strict {
			if a.Cap() != b.Cap() {
				differ(fmt.Sprintf("capacity %d", a.Cap()), b.Cap())
			}
			if a.Len() > 0 && t.Elem().Size() > 0 && s.pair(path, a, b) {
				return
			}
		}
		k := [2]ref{{a.Pointer(), a.Len(), t}, {b.Pointer(), 0, t}}
		if s.seen[k] {
			return
		}
		s.seen[k] = true
		fallthrough
	case reflect.Array:
		for i := range a.Len() {
			s.match(fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i))
		}
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.Name != "_" {
				s.match(path+"."+f.Name, open(a.Field(i)), open(b.Field(i)))
			}
		}
	case reflect.Pointer:
		if t.Elem().Size() > 0 && s.pair(path, a, b) {
			return
		}
		if t.Elem().Size() > 0 {
			s.match("(*"+path+")", a.Elem(), b.Elem())
		}
	case reflect.Map:
		if s.pair(path, a, b) {
			return
		}
		x, y := sorted(s.pool, a), sorted(s.pool, b)
		if len(x) != len(y) {
			differ(fmt.Sprintf("%d entries", len(x)), len(y))
		}
		for i := range x {
			if x[i].text != y[i].text {
				differ(x[i].text, y[i].text)
			}
			// Entries of equal content cannot be told apart, and so not be paired.
			if i > 0 && x[i].text == x[i-1].text || i+1 < len(x) && x[i].text == x[i+1].text {
				continue
			}
			s.match(path+"[key]", x[i].key, y[i].key)
			s.match(path+"["+x[i].text+"]", x[i].value, y[i].value)
		}
	case reflect.Interface:
		if x, y := a.Elem().Type(), b.Elem().Type(); x != y {
			differ(TypeName(x), TypeName(y))
		}
		s.match(path+".("+a.Elem().Type().String()+")", loose(a.Elem()), loose(b.Elem()))
	default:
		if x, y := s.text(a), s.text(b); x != y {
			differ(x, y)
		}
		if s.strict {
			if x, y := bits(a), bits(b); x != y {
				differ(fmt.Sprintf("bits %x", x), fmt.Sprintf("%x", y))
			}
		}
	}
}

// bits returns those of a float or complex number.
func bits(v reflect.Value) (b [2]uint64) {
	switch {
	case v.CanFloat():
		b[0] = math.Float64bits(v.Float())
	case v.CanComplex():
		b[0], b[1] = math.Float64bits(real(v.Complex())), math.Float64bits(imag(v.Complex()))
	}
	return b
}

func (s *matcher) text(v reflect.Value) string {
	w := printer{pool: s.pool}
	w.print(v)
	return w.b.String()
}

package probe

import (
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"slices"
	"time"
)

// Scribble overwrites everything that can be reached from what p points to, *p included,
// as far as the language lets anyone write: elements up to the capacity, entries, pointees.
func Scribble(pool *Pool, p any) {
	s := scribbler{pool: pool, seen: map[ref]bool{}}
	s.write(reflect.ValueOf(p).Elem())
}

type scribbler struct {
	pool *Pool
	seen map[ref]bool
}

func (s *scribbler) first(v reflect.Value, n int) bool {
	r := ref{v.Pointer(), n, v.Type()}
	if s.seen[r] {
		return false
	}
	s.seen[r] = true
	return true
}

func (s *scribbler) write(v reflect.Value) {
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		*p = p.Add(time.Hour)
		return
	case *netip.Addr:
		*p = netip.AddrFrom4([4]byte{9, 9, 9, 9})
		return
	case *error:
		*p = nil // errors are not copied
		return
	}
	t := v.Type()
	switch t.Kind() {
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(v.Int() ^ 0x55)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		v.SetUint(v.Uint() ^ 0x55)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(77)
	case reflect.Complex64, reflect.Complex128:
		v.SetComplex(77)
	case reflect.String:
		v.SetString(v.String() + "~")
	case reflect.Array:
		for i := range v.Len() {
			s.write(v.Index(i))
		}
	case reflect.Struct:
		fields(v, func(_ string, f reflect.Value) { s.write(f) })
	case reflect.Slice:
		if v.Cap() > 0 && s.first(v, v.Cap()) {
			all := v.Slice(0, v.Cap())
			for i := range all.Len() {
				s.write(all.Index(i))
			}
		}
		v.SetZero()
	case reflect.Map:
		if !v.IsNil() && s.first(v, 0) {
			// The map under its variable is emptied and filled anew.
			m := loose(v)
			all := sortedOrNot(m)
			m.Clear()
			for _, e := range all {
				s.reach(e.key)
				s.write(e.value)
				m.SetMapIndex(e.key, e.value)
			}
			k := reflect.New(t.Key()).Elem()
			m.SetMapIndex(k, reflect.New(t.Elem()).Elem())
		}
		v.SetZero()
	case reflect.Pointer:
		if !v.IsNil() && s.first(v, 0) {
			s.write(v.Elem())
		}
		v.SetZero()
	case reflect.Interface:
		if !v.IsNil() {
			s.reach(loose(v.Elem()))
		}
		v.SetZero()
	case reflect.Chan, reflect.Func, reflect.UnsafePointer:
		v.SetZero()
	}
}

// reach writes to what v refers to, where v itself is a copy whose own value does not matter.
func (s *scribbler) reach(v reflect.Value) {
	switch v.Kind() {
	case reflect.Array, reflect.Struct, reflect.Slice, reflect.Map, reflect.Pointer, reflect.Interface:
		s.write(loose(v))
	}
}

// sortedOrNot returns the entries of a map, in no order.
func sortedOrNot(m reflect.Value) []entry {
	var all []entry
	for it := m.MapRange(); it.Next(); {
		all = append(all, entry{key: loose(it.Key()), value: loose(it.Value())})
	}
	return all
}

// Change changes something that the variable p points to has in common with its copies: an
// element, an entry or a pointee. Where there is none it changes nothing.
func Change(pool *Pool, p any) {
	switch v := reflect.ValueOf(p).Elem(); v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			if nudge(pool, v.Index(i), 0, nil) {
				return
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			nudge(pool, v.Elem(), 0, nil)
		}
	case reflect.Map:
		if v.IsNil() {
			return
		}
		k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		if v.MapIndex(k).IsValid() {
			e = reflect.Value{}
		}
		v.SetMapIndex(k, e)
	}
}

// Nudge changes what p points to in one place, the n-th of those that it knows, and reports
// whether there are so many. Some changes make no difference to the content of the value.
func Nudge(pool *Pool, p any, n int) bool {
	return nudge(pool, reflect.ValueOf(p).Elem(), n, nil)
}

func nudge(pool *Pool, v reflect.Value, n int, only []string) bool {
	e := nudger{pool: pool, n: n, seen: map[ref]bool{}}
	if only == nil {
		e.walk(v)
	} else {
		e.fields(v, only)
	}
	return e.done
}

type nudger struct {
	pool *Pool
	n    int
	done bool
	seen map[ref]bool
}

// here reports whether this place is the one to change.
func (e *nudger) here() bool {
	if e.done {
		return false
	}
	e.done = e.n == 0
	e.n--
	return e.done
}

func (e *nudger) first(v reflect.Value) bool {
	r := ref{p: v.Pointer(), t: v.Type()}
	if v.Kind() == reflect.Slice {
		r.len = v.Len()
	}
	if e.seen[r] {
		return false
	}
	e.seen[r] = true
	return true
}

func (e *nudger) walk(v reflect.Value) {
	if e.done {
		return
	}
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		switch {
		case e.here():
			*p = p.Add(1)
		case e.here():
			*p = p.In(time.FixedZone("Elsewhere", 7200))
		case e.here(): // the same offset under another name
			_, offset := p.Zone()
			*p = p.In(time.FixedZone("Other", offset))
		case e.here(): // another offset under the same name
			name, offset := p.Zone()
			*p = p.In(time.FixedZone(name, offset+60))
		}
		return
	case *big.Int:
		switch {
		case e.here():
			p.Add(p, big.NewInt(1))
		case e.here():
			p.Neg(p)
		case e.here():
			p.Add(p, new(big.Int).Lsh(big.NewInt(1), 64))
		}
		return
	case *big.Rat:
		if e.here() {
			p.Add(p, big.NewRat(1, 3))
		}
		return
	case *netip.Addr:
		switch {
		case e.here():
			*p = netip.AddrFrom4([4]byte{8, 8, 8, 8})
		case e.here():
			if p.Is4() {
				*p = netip.AddrFrom16(p.As16()) // the same address in six's clothes
			} else if p.Is6() {
				*p = p.WithZone("zone")
			}
		}
		return
	}
	t := v.Type()
	switch t.Kind() {
	case reflect.Bool:
		if e.here() {
			v.SetBool(!v.Bool())
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		switch {
		case e.here():
			v.SetInt(v.Int() ^ 1)
		case e.here():
			v.SetInt(v.Int() ^ (-1 << (t.Bits() - 1)))
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		switch {
		case e.here():
			v.SetUint(v.Uint() ^ 1)
		case e.here():
			v.SetUint(v.Uint() ^ (1 << (t.Bits() - 1)))
		}
	case reflect.Float32, reflect.Float64:
		if f, ok := e.float(v.Float(), t.Bits()); ok {
			v.SetFloat(f)
		}
	case reflect.Complex64, reflect.Complex128:
		c := v.Complex()
		if f, ok := e.float(real(c), t.Bits()/2); ok {
			v.SetComplex(complex(f, imag(c)))
		} else if f, ok := e.float(imag(c), t.Bits()/2); ok {
			v.SetComplex(complex(real(c), f))
		}
	case reflect.String:
		switch s := v.String(); {
		case e.here():
			v.SetString(s + "\x00")
		case e.here():
			v.SetString("a" + s)
		case e.here():
			v.SetString("")
		}
	case reflect.Array:
		for i := range v.Len() {
			e.walk(v.Index(i))
		}
	case reflect.Struct:
		e.fields(v, nil)
	case reflect.Slice:
		e.slice(v)
	case reflect.Map:
		e.table(v)
	case reflect.Pointer:
		if v.IsNil() {
			if e.here() {
				v.Set(reflect.New(t.Elem()).Convert(t))
			}
			return
		}
		if e.here() {
			v.SetZero()
		} else if e.first(v) {
			e.walk(v.Elem())
		}
	case reflect.Interface:
		e.iface(v)
	}
}

func (e *nudger) float(f float64, bits int) (float64, bool) {
	switch {
	case e.here():
		return math.Copysign(f, -math.Copysign(1, f)), true
	case e.here():
		if f != f {
			return 0, true
		}
		return math.NaN(), true
	case e.here():
		if bits == 32 {
			return float64(math.Float32frombits(math.Float32bits(float32(f)) ^ 1)), true
		}
		return math.Float64frombits(math.Float64bits(f) ^ 1), true
	}
	return 0, false
}

func (e *nudger) fields(v reflect.Value, only []string) {
	var last reflect.Value
	fields(v, func(name string, f reflect.Value) {
		if only != nil && !slices.Contains(only, name) {
			return
		}
		e.walk(f)
		// Between neighbours of one type, what ends the first moves to the head of the second.
		if last.IsValid() && last.Type() == f.Type() && (f.Kind() == reflect.String || f.Kind() == reflect.Slice) &&
			last.Len() > 0 && e.here() {
			n := last.Len() - 1
			if f.Kind() == reflect.String {
				s := last.String()
				last.SetString(s[:n])
				f.SetString(s[n:] + f.String())
			} else {
				moved := reflect.MakeSlice(f.Type(), 0, f.Len()+1)
				moved = reflect.Append(moved, last.Index(n))
				moved = reflect.AppendSlice(moved, f)
				last.Set(last.Slice(0, n))
				f.Set(moved)
			}
		}
		last = f
	})
}

func (e *nudger) slice(v reflect.Value) {
	t := v.Type()
	if v.Len() == 0 {
		if e.here() {
			if v.IsNil() {
				v.Set(reflect.MakeSlice(t, 0, 0))
			} else {
				v.SetZero()
			}
		} else if e.here() {
			v.Set(reflect.MakeSlice(t, 1, 1))
		}
		return
	}
	switch {
	case e.here():
		v.Set(v.Slice(0, v.Len()-1))
		return
	case e.here():
		longer := reflect.MakeSlice(t, v.Len()+1, v.Len()+1)
		reflect.Copy(longer, v)
		v.Set(longer)
		return
	case e.here():
		turned := reflect.MakeSlice(t, v.Len(), v.Len())
		reflect.Copy(turned, v.Slice(1, v.Len()))
		turned.Index(v.Len() - 1).Set(v.Index(0))
		v.Set(turned)
		return
	}
	if e.first(v) {
		for i := range v.Len() {
			e.walk(v.Index(i))
		}
	}
}

func (e *nudger) table(v reflect.Value) {
	t := v.Type()
	if v.Len() == 0 && e.here() {
		if v.IsNil() {
			v.Set(reflect.MakeMap(t))
		} else {
			v.SetZero()
		}
		return
	}
	if !v.IsNil() && !e.first(v) {
		return
	}
	all := sorted(e.pool, v)
	if e.here() {
		m := reflect.MakeMap(t)
		for _, x := range all {
			m.SetMapIndex(x.key, x.value)
		}
		k := reflect.New(t.Key()).Elem()
		m.SetMapIndex(k, reflect.New(t.Elem()).Elem())
		v.Set(m)
		return
	}
	for i := range all {
		before := e.done
		drop := e.here()
		if !drop {
			e.walk(all[i].value)
		}
		if e.done && !before {
			m := loose(v)
			m.Clear()
			for j, x := range all {
				if i != j || !drop {
					m.SetMapIndex(x.key, x.value)
				}
			}
			return
		}
	}
}

func (e *nudger) iface(v reflect.Value) {
	types := e.pool.dynamic[v.Type()]
	if v.IsNil() {
		if len(types) > 0 && types[0].Comparable() && e.here() {
			v.Set(reflect.New(types[0]).Elem())
		}
		return
	}
	if e.here() {
		v.SetZero()
		return
	}
	// The same content under another type.
	have := v.Elem()
	for _, t := range types {
		if t != have.Type() && t.Kind() == have.Kind() && have.CanConvert(t) && e.here() {
			v.Set(loose(have).Convert(t))
			return
		}
	}
	before := e.done
	c := loose(have)
	e.walk(c)
	if e.done && !before {
		v.Set(c)
	}
}

package probe

import (
	"reflect"
	"strings"
)

// Fault is what is wrong with a [Fake].
type Fault string

// The faults, each of which [Case.Check] must find.
const (
	None      Fault = ""
	NoHit     Fault = "nohit"     // nothing is kept
	NoCopy    Fault = "nocopy"    // everyone gets what the cache keeps
	NoFirst   Fault = "nofirst"   // the first caller gets what the cache keeps
	Given     Fault = "given"     // the first caller gets what the body gave
	Shallow   Fault = "shallow"   // what slices and maps hold is not copied in turn
	Unshare   Fault = "unshare"   // a shared pointer becomes two
	DropKey   Fault = "dropkey"   // the last parameter in the key is not
	DropDeep  Fault = "dropdeep"  // keys see only so deep
	Flat      Fault = "flat"      // keys do not tell ("a", "b") from ("ab", "")
	NilEmpty  Fault = "nilempty"  // keys do not tell nil from empty
	Loose     Fault = "loose"     // keys do not tell dynamic types apart
	Ignored   Fault = "ignored"   // ignored parameters are in the key
	Addresses Fault = "addresses" // pointers are keys by address
	SharedRes Fault = "sharedres" // resources are copied
)

// Faults lists all but None.
var Faults = []Fault{NoHit, NoCopy, NoFirst, Given, Shallow, Unshare, DropKey, DropDeep, Flat, NilEmpty, Loose, Ignored, Addresses, SharedRes}

// Fake is a cache by reflection, for functions of any signature.
type Fake struct {
	Fault Fault
	cases map[string]*Case
	kept  map[string]any
}

// NewFake returns an empty cache for the cases.
func NewFake(cases []*Case) *Fake {
	f := &Fake{cases: map[string]*Case{}, kept: map[string]any{}}
	for _, c := range cases {
		f.cases[c.Name] = c
	}
	return f
}

// TheFake is what the wrappers of a program with faked wrappers call.
var TheFake *Fake

// Do is the wrapper of the named case.
func (f *Fake) Do(name string, args any) (results any) {
	c := f.cases[name]
	k := checker{Case: c}
	names := append([]string(nil), c.Key...)
	switch f.Fault {
	case DropKey:
		if len(names) > 0 {
			names = names[:len(names)-1]
		}
	case Ignored:
		names = append(names, c.Ignored...)
	}
	key := name + " " + f.spoil(k.part(args, names, true), args, names)
	if v, ok := f.kept[key]; ok && f.Fault != NoHit {
		return f.copy(c, v)
	}
	v, keep := k.raw(args)
	if !keep {
		return f.copy(c, v)
	}
	if c.Resource || f.Fault == NoCopy || f.Fault == NoFirst {
		f.kept[key] = v
		return v
	}
	f.kept[key] = f.copy(c, v)
	if f.Fault == Given {
		return v
	}
	return f.copy(c, v)
}

// Peek does what that of a [Handle] does, as do Forget and Prime.
func (f *Fake) Peek(name string, args any) (any, bool) {
	c := f.cases[name]
	v, ok := f.kept[f.key(c, args)]
	if ok {
		v = f.copy(c, v)
	}
	return v, ok
}

// Forget removes an entry.
func (f *Fake) Forget(name string, args any) { delete(f.kept, f.key(f.cases[name], args)) }

// Prime adds an entry.
func (f *Fake) Prime(name string, args, results any) {
	c := f.cases[name]
	f.kept[f.key(c, args)] = f.copy(c, results)
}

func (f *Fake) key(c *Case, args any) string {
	k := checker{Case: c}
	return c.Name + " " + f.spoil(k.part(args, c.Key, true), args, c.Key)
}

func (f *Fake) spoil(key string, args any, names []string) string {
	switch f.Fault {
	case Codec:
		return codecKey(args, names)
	case DropDeep:
		depth := 0
		return strings.Map(func(r rune) rune {
			switch r {
			case '{', '[', '<':
				depth++
			case '}', ']', '>':
				depth--
			}
			if depth > 3 {
				return -1
			}
			return r
		}, key)
	case Flat:
		return strings.NewReplacer(`"`, "", ",", "", "a1=", "", ";", "", " ", "").Replace(key)
	case NilEmpty:
		return strings.NewReplacer("map[]", "nil", "[]", "nil").Replace(key)
	case Loose:
		var b strings.Builder
		depth := 0
		for _, r := range key {
			if r == '(' {
				depth++
			}
			if depth == 0 {
				b.WriteRune(r)
			}
			if r == ')' {
				depth--
			}
		}
		return b.String()
	case Addresses:
		fields(reflect.ValueOf(args).Elem(), func(name string, v reflect.Value) {
			if v.Kind() == reflect.Pointer && strings.Contains(strings.Join(names, " "), name) {
				key += TypeName(v.Type()) + string(rune(v.Pointer()&0xffff))
			}
		})
	}
	return key
}

func (f *Fake) copy(c *Case, v any) any {
	if f.Fault == NoCopy || c.Resource && f.Fault != SharedRes {
		return v
	}
	if f.Fault == Codec {
		return codecCopy(module, v)
	}
	d := copier{fault: f.Fault, made: map[ref]reflect.Value{}}
	return d.copy(reflect.ValueOf(v)).Interface()
}

type copier struct {
	fault Fault
	made  map[ref]reflect.Value
	depth int
}

func (d *copier) copy(v reflect.Value) reflect.Value {
	to := loose(v)
	switch v.Type() {
	case timeType, addrType, errorType:
		return to
	}
	d.depth++
	defer func() { d.depth-- }()
	switch v.Kind() {
	case reflect.Array:
		for i := range v.Len() {
			to.Index(i).Set(d.copy(to.Index(i)))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := open(to.Field(i))
			f.Set(d.copy(f))
		}
	case reflect.Interface:
		if !v.IsNil() {
			to.Set(d.copy(v.Elem()))
		}
	case reflect.Slice, reflect.Map, reflect.Pointer:
		if v.IsNil() || d.fault == Shallow && d.depth > 4 {
			return to
		}
		r := ref{p: v.Pointer(), t: v.Type()}
		if v.Kind() == reflect.Slice {
			r.len = v.Len()
		}
		if have, ok := d.made[r]; ok {
			return have
		}
		switch v.Kind() {
		case reflect.Slice:
			to.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			d.made[r] = to
			for i := range v.Len() {
				to.Index(i).Set(d.copy(loose(v.Index(i))))
			}
		case reflect.Map:
			to.Set(reflect.MakeMap(v.Type()))
			d.made[r] = to
			for it := v.MapRange(); it.Next(); {
				to.SetMapIndex(d.copy(loose(it.Key())), d.copy(loose(it.Value())))
			}
		case reflect.Pointer:
			p := reflect.New(v.Type().Elem())
			to.Set(p.Convert(v.Type()))
			d.made[r] = to
			p.Elem().Set(d.copy(v.Elem()))
		}
		if d.fault == Unshare && !d.cyclic(v) {
			delete(d.made, r)
		}
	}
	return to
}

// cyclic reports whether the walk may come back to v before it has left it; only then must
// what has been made of it be remembered at all costs. It errs on the safe side.
func (d *copier) cyclic(v reflect.Value) bool {
	return reaches(v, v.Pointer(), v.Type(), map[ref]bool{}, true)
}

func reaches(v reflect.Value, p uintptr, t reflect.Type, seen map[ref]bool, start bool) bool {
	switch v.Type() {
	case timeType, addrType, errorType:
		return false
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Pointer:
		if v.IsNil() {
			return false
		}
		r := ref{p: v.Pointer(), t: v.Type()}
		if !start && r.p == p && r.t == t {
			return true
		}
		if seen[r] {
			return false
		}
		seen[r] = true
	}
	switch v.Kind() {
	case reflect.Array, reflect.Slice:
		for i := range v.Len() {
			if reaches(v.Index(i), p, t, seen, false) {
				return true
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if reaches(v.Field(i), p, t, seen, false) {
				return true
			}
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			if reaches(it.Key(), p, t, seen, false) || reaches(it.Value(), p, t, seen, false) {
				return true
			}
		}
	case reflect.Pointer, reflect.Interface:
		return !v.IsNil() && reaches(v.Elem(), p, t, seen, false)
	}
	return false
}

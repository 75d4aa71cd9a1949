package probe

import (
	"fmt"
	"reflect"
	"sort"
)

// Region is memory that can be written through a value.
type Region struct {
	lo, hi uintptr
	spare  bool // between the length and the capacity of a slice
	path   string
}

// Memory returns what can be written through what p points to, without *p itself.
func Memory(p any) []Region {
	m := surveyor{seen: map[ref]bool{}}
	m.survey("", reflect.ValueOf(p).Elem())
	return m.regions
}

// Overlap reports memory that can be written through both values, or "".
func Overlap(a, b []Region) string {
	all := make([]struct {
		Region
		of int
	}, 0, len(a)+len(b))
	for i, rs := range [][]Region{a, b} {
		for _, r := range rs {
			all = append(all, struct {
				Region
				of int
			}{r, i})
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].lo < all[j].lo })
	for i := range all {
		for j := i + 1; j < len(all) && all[j].lo < all[i].hi; j++ {
			if all[i].of != all[j].of {
				return fmt.Sprintf("%s of one is %s of the other", all[i].path, all[j].path)
			}
		}
	}
	return ""
}

// Spill reports a slice of one value whose spare capacity is in use elsewhere in that value,
// so that appending to the slice would change something else, or "".
func Spill(a []Region) string {
	for _, s := range a {
		for _, r := range a {
			if s.spare && s.lo < r.hi && r.lo < s.hi && !(r.spare && r.lo == s.lo && r.hi == s.hi) {
				return fmt.Sprintf("the spare capacity of %s is %s", s.path, r.path)
			}
		}
	}
	return ""
}

type surveyor struct {
	regions []Region
	seen    map[ref]bool
}

func (m *surveyor) add(path string, r ref, lo, size uintptr, spare bool) bool {
	if m.seen[r] {
		return false
	}
	m.seen[r] = true
	if size > 0 {
		m.regions = append(m.regions, Region{lo, lo + size, spare, path})
	}
	return true
}

func (m *surveyor) survey(path string, v reflect.Value) {
	t := v.Type()
	switch t {
	case timeType, addrType, errorType:
		return // what they point to cannot be written
	}
	switch t.Kind() {
	case reflect.Slice:
		size := t.Elem().Size()
		lo := v.Pointer()
		if m.add(path, ref{lo, v.Len(), t}, lo, size*uintptr(v.Len()), false) {
			if n := v.Cap() - v.Len(); n > 0 {
				m.add(path+"[len:cap]", ref{lo, -v.Cap(), t}, lo+size*uintptr(v.Len()), size*uintptr(n), true)
			}
			for i := range v.Len() {
				m.survey(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			m.survey(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case reflect.Struct:
		for i := range t.NumField() {
			m.survey(path+"."+t.Field(i).Name, open(v.Field(i)))
		}
	case reflect.Map:
		if !v.IsNil() && m.add(path, ref{v.Pointer(), 0, t}, v.Pointer(), 1, false) {
			for it := v.MapRange(); it.Next(); {
				m.survey(path+"[key]", loose(it.Key()))
				m.survey(path+"[value]", loose(it.Value()))
			}
		}
	case reflect.Pointer:
		if !v.IsNil() && m.add("*"+path, ref{v.Pointer(), 0, t}, v.Pointer(), t.Elem().Size(), false) {
			m.survey("(*"+path+")", v.Elem())
		}
	case reflect.Interface:
		if !v.IsNil() {
			m.survey(path+".("+v.Elem().Type().String()+")", loose(v.Elem()))
		}
	}
}

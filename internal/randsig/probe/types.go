package probe

import (
	"fmt"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"time"
	"unsafe"
)

var (
	timeType   = reflect.TypeFor[time.Time]()
	bigIntType = reflect.TypeFor[big.Int]()
	bigRatType = reflect.TypeFor[big.Rat]()
	addrType   = reflect.TypeFor[netip.Addr]()
	errorType  = reflect.TypeFor[error]()
)

// open returns v without the mark that forbids access to unexported fields.
// v must be addressable.
func open(v reflect.Value) reflect.Value {
	return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
}

// loose returns an addressable copy of v, whose own memory (but not what it points to) is new.
func loose(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}

// fields calls f for every field of the struct v that has a name; blank fields take no part
// in the comparison of structs and cannot be read by the code under test.
func fields(v reflect.Value, f func(name string, v reflect.Value)) {
	t := v.Type()
	for i := range t.NumField() {
		if t.Field(i).Name != "_" {
			f(t.Field(i).Name, open(v.Field(i)))
		}
	}
}

// entry is one entry of a map, in addressable copies.
type entry struct {
	key, value reflect.Value
	text       string // of key and value
}

// TypeName spells t with full import paths, so that no two types have the same name.
func TypeName(t reflect.Type) string {
	if t.Name() != "" {
		if t.PkgPath() == "" {
			return t.Name()
		}
		return t.PkgPath() + "." + t.Name()
	}
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + TypeName(t.Elem())
	case reflect.Slice:
		return "[]" + TypeName(t.Elem())
	case reflect.Array:
		return fmt.Sprintf("[%d]%s", t.Len(), TypeName(t.Elem()))
	case reflect.Map:
		return "map[" + TypeName(t.Key()) + "]" + TypeName(t.Elem())
	case reflect.Struct:
		var b strings.Builder
		b.WriteString("struct{")
		for i := range t.NumField() {
			f := t.Field(i)
			fmt.Fprintf(&b, "%s.%s %s %q;", f.PkgPath, f.Name, TypeName(f.Type), f.Tag)
		}
		return b.String() + "}"
	}
	return t.String()
}

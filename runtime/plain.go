package cachert

import (
	"math"
	"reflect"

	"github.com/cachegen/cachegen/runtime/value"
)

// Outcomes of a drawing function share the memory of equal values only where nobody can tell
// equal values apart. That is so of text and numbers, compared by their bits. Pointers, slices,
// maps and interfaces have more to them than the content that they lead to: what else leads
// there, capacity, what a method Clone shares. Keys are no help either: a CacheKey leaves things
// out on purpose, and all NaNs are one there.

// plainType reports whether values of t are plain, made of nothing but text and numbers, and
// whether there is text among them.
func plainType(t reflect.Type) (text, plain bool) {
	switch k := t.Kind(); k {
	case reflect.String:
		return true, true
	case reflect.Array:
		return plainType(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			x, ok := plainType(t.Field(i).Type)
			if !ok {
				return false, false
			}
			text = text || x
		}
		return text, true
	default:
		return false, reflect.Bool <= k && k <= reflect.Complex128
	}
}

// plainDigest returns the digest of everything that can be observed of a plain value.
func plainDigest(v reflect.Value) value.Digest {
	e := value.NewEncoder()
	plainEncode(e, v)
	d, _ := e.Digest() // nothing in it can fail
	return d
}

func plainEncode(e *value.Encoder, v reflect.Value) {
	switch k := v.Kind(); {
	case k == reflect.String:
		e.String(v.String())
	case k == reflect.Array:
		for i := range v.Len() {
			plainEncode(e, v.Index(i))
		}
	case k == reflect.Struct:
		for i := range v.NumField() {
			plainEncode(e, v.Field(i))
		}
	case k == reflect.Bool:
		e.Bool(v.Bool())
	case v.CanInt():
		e.Int(v.Int())
	case v.CanUint():
		e.Uint(v.Uint())
	case k == reflect.Float32:
		// Not by v.Float, since a conversion changes some NaNs.
		e.Uint(uint64(math.Float32bits(*(*float32)(v.Addr().UnsafePointer()))))
	case k == reflect.Float64:
		e.Uint(math.Float64bits(v.Float()))
	case k == reflect.Complex64:
		c := *(*complex64)(v.Addr().UnsafePointer())
		e.Uint(uint64(math.Float32bits(real(c))))
		e.Uint(uint64(math.Float32bits(imag(c))))
	default:
		c := v.Complex()
		e.Uint(math.Float64bits(real(c)))
		e.Uint(math.Float64bits(imag(c)))
	}
}

// Package predeclared has the predeclared types and functions of Go under names that
// no declaration can hide. Generated code refers to it in packages that declare a type
// or function called like a predeclared one, such as
//
//	type string int
//	func len(x []byte) int { … }
package predeclared

// The predeclared types.
type (
	Any        = any
	Bool       = bool
	Byte       = byte
	Complex64  = complex64
	Complex128 = complex128
	Error      = error
	Float32    = float32
	Float64    = float64
	Int        = int
	Int8       = int8
	Int16      = int16
	Int32      = int32
	Int64      = int64
	Rune       = rune
	String     = string
	Uint       = uint
	Uint8      = uint8
	Uint16     = uint16
	Uint32     = uint32
	Uint64     = uint64
	Uintptr    = uintptr
)

// Comparable is the constraint comparable.
type Comparable interface{ comparable }

// Panic is panic.
func Panic(v any) { panic(v) }

// Nil returns the zero value of a type that has nil.
func Nil[T any]() (zero T) { return zero }

// IsNil reports whether p is nil.
func IsNil[T any](p *T) bool { return p == nil }

// Failed reports whether err is not nil.
func Failed(err error) bool { return err != nil }

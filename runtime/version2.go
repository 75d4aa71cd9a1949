package cachert

import (
	"context"
	"time"

	"github.com/cachegen/cachegen/cache/surface"
	"github.com/cachegen/cachegen/runtime/value"
)

// What wrappers of version 2 of the interface call here, and later ones call in package
// value; and what adapters that were written with them call here, and later ones in package
// surface. Everything in this file forwards to it, so that a library whose wrappers were
// generated for version 2 builds and works beside newer ones.

// Generated2 names version 2 of the interface between generated code and this package.
const Generated2 = true

// The types of package value by the names that version 2 knows.
type (
	Encoder      = value.Encoder
	Copier       = value.Copier
	Sizer        = value.Sizer
	Chunk[E any] = value.Chunk[E]
	Atom         = value.Atom
	Digest       = value.Digest
	TimeKey      = value.TimeKey
	KeyError     = value.KeyError
	CopyError    = value.CopyError
)

// HashStart is [value.HashStart].
func HashStart() uint64 { return value.HashStart() }

// HashUint64 is [value.HashUint64].
func HashUint64(h, x uint64) uint64 { return value.HashUint64(h, x) }

// HashBool is [value.HashBool].
func HashBool(h uint64, b bool) uint64 { return value.HashBool(h, b) }

// HashString is [value.HashString].
func HashString(h uint64, s string) uint64 { return value.HashString(h, s) }

// HashDigest is [value.HashDigest].
func HashDigest(h uint64, d *Digest) uint64 { return value.HashDigest(h, d) }

// HashTime is [value.HashTime].
func HashTime(h uint64, t *TimeKey) uint64 { return value.HashTime(h, t) }

// HashAtom is [value.HashAtom].
func HashAtom(h uint64, a *Atom) uint64 { return value.HashAtom(h, a) }

// HashComparable is [value.HashComparable].
func HashComparable[T comparable](h uint64, v T) uint64 { return value.HashComparable(h, v) }

// FloatKey32 is [value.FloatKey32].
func FloatKey32(f float32) uint32 { return value.FloatKey32(f) }

// FloatKey64 is [value.FloatKey64].
func FloatKey64(f float64) uint64 { return value.FloatKey64(f) }

// TimeKeyOf is [value.TimeKeyOf].
func TimeKeyOf(t time.Time) TimeKey { return value.TimeKeyOf(t) }

// AtomOf is [value.AtomOf].
func AtomOf[T any](v T) (Atom, error) { return value.AtomOf(v) }

// NewEncoder is [value.NewEncoder].
func NewEncoder() *Encoder { return value.NewEncoder() }

// EncodeBool is [value.EncodeBool].
func EncodeBool[T ~bool](e *Encoder, v T) { value.EncodeBool(e, v) }

// EncodeInt is [value.EncodeInt].
func EncodeInt[T ~int | ~int8 | ~int16 | ~int32 | ~int64](e *Encoder, v T) { value.EncodeInt(e, v) }

// EncodeUint is [value.EncodeUint].
func EncodeUint[T ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr](e *Encoder, v T) {
	value.EncodeUint(e, v)
}

// EncodeFloat is [value.EncodeFloat].
func EncodeFloat[T ~float32 | ~float64](e *Encoder, v T) { value.EncodeFloat(e, v) }

// EncodeString is [value.EncodeString].
func EncodeString[T ~string](e *Encoder, v T) { value.EncodeString(e, v) }

// EncodeTime is [value.EncodeTime].
func EncodeTime(e *Encoder, v time.Time) { value.EncodeTime(e, v) }

// EncodeInts is [value.EncodeInts].
func EncodeInts[S ~[]E, E ~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr](e *Encoder, s S) {
	value.EncodeInts(e, s)
}

// EncodeFloats is [value.EncodeFloats].
func EncodeFloats[S ~[]E, E ~float32 | ~float64](e *Encoder, s S) { value.EncodeFloats(e, s) }

// EncodeStrings is [value.EncodeStrings].
func EncodeStrings[S ~[]E, E ~string](e *Encoder, s S) { value.EncodeStrings(e, s) }

// EncodeSlice is [value.EncodeSlice].
func EncodeSlice[S ~[]E, E any](e *Encoder, s S, elem func(*Encoder, E)) {
	value.EncodeSlice(e, s, elem)
}

// EncodeMap is [value.EncodeMap].
func EncodeMap[M ~map[K]V, K comparable, V any](e *Encoder, m M, key func(*Encoder, K), val func(*Encoder, V)) {
	value.EncodeMap(e, m, key, val)
}

// EncodePtr is [value.EncodePtr].
func EncodePtr[T any](e *Encoder, p *T, elem func(*Encoder, T)) { value.EncodePtr(e, p, elem) }

// EncodeOf is [value.EncodeOf].
func EncodeOf[T any](e *Encoder, v T) { value.EncodeOf(e, v) }

// NewCopier is [value.NewCopier].
func NewCopier(home string) *Copier { return value.NewCopier(home) }

// CloneSlice is [value.CloneSlice].
func CloneSlice[S ~[]E, E any](s S) S { return value.CloneSlice(s) }

// CopyAny is [value.CopyAny].
func CopyAny(c *Copier, v any) any { return value.CopyAny(c, v) }

// CopyBy is [value.CopyBy].
func CopyBy[T any](c *Copier, p *T, clone func(*T) *T) *T { return value.CopyBy(c, p, clone) }

// CopyIface is [value.CopyIface].
func CopyIface[I any](c *Copier, v I) I { return value.CopyIface(c, v) }

// CopyMap is [value.CopyMap].
func CopyMap[M ~map[K]V, K comparable, V any](c *Copier, m M, key func(*Copier, K) K, val func(*Copier, V) V) M {
	return value.CopyMap(c, m, key, val)
}

// CopyOf is [value.CopyOf].
func CopyOf[T any](c *Copier, v T) T { return value.CopyOf(c, v) }

// CopyPtr is [value.CopyPtr].
func CopyPtr[T any](c *Copier, p *T, elem func(*Copier, T) T) *T { return value.CopyPtr(c, p, elem) }

// CopySlice is [value.CopySlice].
func CopySlice[S ~[]E, E any](c *Copier, s S, elem func(*Copier, E) E) S {
	return value.CopySlice(c, s, elem)
}

// SizeAny is [value.SizeAny].
func SizeAny(v any) int64 { return value.SizeAny(v) }

// SizeMap is [value.SizeMap].
func SizeMap[M ~map[K]V, K comparable, V any](z *Sizer, m M, key func(*Sizer, K) int64, val func(*Sizer, V) int64) int64 {
	return value.SizeMap(z, m, key, val)
}

// SizeOf is [value.SizeOf].
func SizeOf[T any](z *Sizer, v T) int64 { return value.SizeOf(z, v) }

// SizePtr is [value.SizePtr].
func SizePtr[T any](z *Sizer, p *T, elem func(*Sizer, T) int64) int64 {
	return value.SizePtr(z, p, elem)
}

// SizeSlice is [value.SizeSlice].
func SizeSlice[S ~[]E, E any](z *Sizer, s S, elem func(*Sizer, E) int64) int64 {
	return value.SizeSlice(z, s, elem)
}

// SizeString is [value.SizeString].
func SizeString[T ~string](z *Sizer, s T) int64 { return value.SizeString(z, s) }

// The types of package surface by the names that version 2 knows.
type (
	Recording = surface.Recording
	Recorder  = surface.Recorder
	Tape      = surface.Tape
	Element   = surface.Element
)

// Put is [surface.Put].
const Put = surface.Put

// Play is [surface.Play].
func Play[T any](t *Tape, decode func(*Element) (T, error), show func(T) error) error {
	return surface.Play(t, decode, show)
}

// WithInputs is [surface.WithInputs].
func WithInputs(ctx context.Context, in Inputs) context.Context { return surface.WithInputs(ctx, in) }

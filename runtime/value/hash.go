package value

// The hash of a key chooses its place in a table and nothing else: equality of the
// whole key decides. So it must be fast and, because whoever chooses arguments may
// want every key in one chain, start from a secret of the process. It is a chain of
// 64x64->128 bit multiplications folded by xor, as in wyhash (Wang Yi, 2019,
// public domain), with all constants secret instead of published.

import (
	"crypto/rand"
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"unsafe"
)

// secret is drawn once per process, before any package that uses a cache is
// initialised. Odd, so that no multiplication loses bits to a common factor of two.
var secret = func() (s [4]uint64) {
	var b [32]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic("cachegen: no random numbers for the hash secret: " + err.Error())
	}
	for i := range s {
		s[i] = binary.LittleEndian.Uint64(b[i*8:]) | 1
	}
	return s
}()

var longSeed = maphash.MakeSeed()

// HashStart is the value that the hash of a key starts from: a secret of the process.
func HashStart() uint64 { return secret[0] }

// HashUint64 adds x to the hash h. Generated code uses it for integers, for floats
// by way of [FloatKey64], and for booleans by way of [HashBool].
func HashUint64(h, x uint64) uint64 {
	hi, lo := bits.Mul64(x^secret[1], h^secret[2])
	return hi ^ lo
}

// HashBool adds b to the hash h.
func HashBool(h uint64, b bool) uint64 {
	var x uint64
	if b {
		x = 1
	}
	return HashUint64(h, x)
}

// HashString adds s to the hash h.
func HashString(h uint64, s string) uint64 {
	n := len(s)
	var a, b uint64
	switch {
	case n > 16:
		return hashLong(h, s)
	case n >= 8:
		p := unsafe.Pointer(unsafe.StringData(s))
		a = load64(p, 0)
		b = load64(p, n-8)
	case n >= 4:
		p := unsafe.Pointer(unsafe.StringData(s))
		a = load32(p, 0)
		b = load32(p, n-4)
	case n > 0:
		a = uint64(s[0]) | uint64(s[n>>1])<<8 | uint64(s[n-1])<<16
	}
	// The length takes part, or "a" and "aa" would meet.
	hi, lo := bits.Mul64(a^secret[1], b^h)
	hi, lo = bits.Mul64(hi^lo^uint64(n), secret[3])
	return hi ^ lo
}

func hashLong(h uint64, s string) uint64 {
	n := len(s)
	if n > 64 {
		return HashUint64(h, maphash.String(longSeed, s))
	}
	p := unsafe.Pointer(unsafe.StringData(s))
	for i := 0; i < n-16; i += 16 {
		hi, lo := bits.Mul64(load64(p, i)^secret[1], load64(p, i+8)^h)
		h = hi ^ lo
	}
	// The last 16 bytes may overlap what was read: that loses nothing.
	hi, lo := bits.Mul64(load64(p, n-16)^secret[2], load64(p, n-8)^h)
	hi, lo = bits.Mul64(hi^lo^uint64(n), secret[3])
	return hi ^ lo
}

// load64 and load32 read at any alignment; the byte order is the machine's, which
// is enough for a hash that does not leave the process.
func load64(p unsafe.Pointer, off int) uint64 {
	return binary.NativeEndian.Uint64((*[8]byte)(unsafe.Add(p, off))[:])
}

func load32(p unsafe.Pointer, off int) uint64 {
	return uint64(binary.NativeEndian.Uint32((*[4]byte)(unsafe.Add(p, off))[:]))
}

// HashDigest adds d to the hash h. A digest is already the output of a keyed
// function, so half of it is enough to choose a place.
func HashDigest(h uint64, d *Digest) uint64 {
	return HashUint64(h, binary.LittleEndian.Uint64(d[:8]))
}

// HashTime adds t to the hash h.
func HashTime(h uint64, t *TimeKey) uint64 {
	h = HashUint64(h, uint64(t.sec)<<30^uint64(t.nsec))
	h = HashUint64(h, uint64(uint32(t.offset)))
	return HashString(h, t.zone)
}

// HashAtom adds a to the hash h.
func HashAtom(h uint64, a *Atom) uint64 {
	h = HashUint64(h, a.bits^binary.LittleEndian.Uint64(a.sum[:8]))
	return HashString(h, a.text)
}

// HashComparable adds any comparable value to the hash h, for parts of a key that
// have no cheaper way: arrays of structs, netip.Addr, unique handles. It costs
// about 20 ns.
func HashComparable[T comparable](h uint64, v T) uint64 {
	return HashUint64(h, maphash.Comparable(longSeed, v))
}

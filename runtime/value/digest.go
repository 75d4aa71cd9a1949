package value

// A Digest stands in a key for an argument that cannot be compared with ==. Whoever
// chooses arguments must not be able to make two of them meet, so the function
// needs a proof or a long public history, and a secret. In a process it is
//
//	AES_k2( GMAC_k1( encoding ) )
//
// with two random keys of the process: GHASH is an almost-universal hash (two
// different encodings of at most n 16-byte blocks meet with probability (n+1)/2^128
// over the choice of the key, whoever chose them: McGrew and Viega, "The Security
// and Performance of the Galois/Counter Mode", 2004), and the block cipher over its
// output (hash-then-encrypt, Shoup 1996) hides it, so that even published digests
// tell nothing but equality. That is five to twenty times as fast as SHA-256 where
// the processor has no instructions for the latter, three to four times where it has.
// A pair of seeded maphashes would be faster still and is not safe: inputs that
// meet under every seed can be made for hashes of one AES round per block.
//
// Processors without AES instructions, and programs run with GODEBUG=fips140=only,
// get SHA-256 over a secret prefix instead, cut to the same 128 bits.

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"runtime"
)

// Digest identifies, within this process, the encoding of a value: 128 bits of a
// keyed function whose keys are drawn at start-up. Different values have different
// digests but for a chance of less than n²·m/2^128 among n values of m blocks of 16
// bytes, and nobody who does not hold the keys can do better than chance, whatever
// values he chooses and whatever digests he has seen. A digest means nothing to
// another process.
type Digest [16]byte

// String is the digest in hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// compressor turns a chunk of an encoding into 16 bytes. Safe for use by several
// goroutines; sha and tag are the caller's scratch space.
type compressor struct {
	mac    cipher.AEAD  // GMAC under k1
	whiten cipher.Block // AES under k2
	prefix [64]byte     // for SHA-256: one block of secret
}

var errNoGCM = errors.New("cachegen: no GCM")

var compress = newCompressor()

func newCompressor() *compressor {
	c := &compressor{}
	var k1, k2 [16]byte
	for _, b := range [][]byte{k1[:], k2[:], c.prefix[:]} {
		if _, err := rand.Read(b); err != nil {
			panic("cachegen: no random numbers for the digest keys: " + err.Error())
		}
	}
	switch runtime.GOARCH {
	case "amd64", "arm64", "ppc64le", "s390x":
		// The architectures on which the standard library has GHASH in assembly.
	default:
		return c
	}
	b1, err1 := aes.NewCipher(k1[:])
	b2, err2 := aes.NewCipher(k2[:])
	if err1 != nil || err2 != nil {
		return c
	}
	mac, err := newGCM(b1)
	if err != nil {
		return c
	}
	c.mac, c.whiten = mac, b2
	return c
}

// newGCM reports what fips140=only answers by an error or a panic as an error.
func newGCM(b cipher.Block) (a cipher.AEAD, err error) {
	defer func() {
		if r := recover(); r != nil {
			a, err = nil, errNoGCM
		}
	}()
	a, err = cipher.NewGCM(b)
	if err == nil {
		a.Seal(nil, make([]byte, 12), nil, nil)
	}
	return a, err
}

// scratch is what one use of a compressor needs beside it; it lives in the pooled
// Encoder, or it would be allocated for every digest.
type scratch struct {
	nonce [12]byte // always zero: the keys are used for nothing else
	tag   [16]byte
	sum   [sha256.Size]byte
	sha   hash.Hash
}

// sum16 puts the 16 bytes that stand for p into s.tag.
func (c *compressor) sum16(s *scratch, p []byte) {
	if c.mac != nil {
		c.mac.Seal(s.tag[:0], s.nonce[:], nil, p)
		c.whiten.Encrypt(s.tag[:], s.tag[:])
		return
	}
	if s.sha == nil {
		s.sha = sha256.New()
	}
	s.sha.Reset()
	s.sha.Write(c.prefix[:])
	s.sha.Write(p)
	s.sha.Sum(s.sum[:0])
	copy(s.tag[:], s.sum[:])
}

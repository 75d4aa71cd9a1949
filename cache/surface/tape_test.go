package surface

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"testing"
)

func randomTape(r *rand.Rand) *Tape {
	media := map[Content][]byte{}
	var shown []Content
	for range r.IntN(3) {
		b := make([]byte, r.IntN(300))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		media[ContentOf(b)] = b
		shown = append(shown, ContentOf(b))
	}
	read := func() Read {
		rd := Read{Widget: fmt.Sprint("w", r.IntN(5))}
		if r.IntN(2) == 0 {
			rd.Default = []byte(fmt.Sprint(r.IntN(3)))
		}
		if r.IntN(2) == 0 {
			rd.Value, rd.Set = []byte(fmt.Sprint(r.IntN(3))), true
		}
		return rd
	}
	var es []Element
	for range r.IntN(12) {
		e := Element{Op: Op(1 + r.IntN(4)), Kind: fmt.Sprint("k", r.IntN(2)), On: []string{"", "c1"}[r.IntN(2)], Data: bytes.Repeat([]byte{byte(r.Uint32())}, r.IntN(40))}
		switch {
		case e.Op == Hole:
			e.Index = r.IntN(4)
		case r.IntN(3) == 0:
			w := read()
			e.Widget = &w
		case len(shown) > 0 && r.IntN(3) == 0:
			e.Media = shown[:1]
		}
		es = append(es, e)
	}
	t, err := NewTape(es, media)
	if err != nil {
		panic(err)
	}
	return t
}

func TestTapeCodec(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		a := randomTape(r)
		b, err := a.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var c Tape
		if err := c.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		again, _ := c.MarshalBinary()
		if !a.Equal(&c) || !bytes.Equal(b, again) {
			t.Fatalf("%+v\n%+v", a, c)
		}
		for range 20 {
			bad := bytes.Clone(b)
			bad[r.IntN(len(bad))] ^= byte(1 + r.IntN(255))
			if err := c.UnmarshalBinary(bad); !errors.Is(err, ErrTape) {
				t.Fatalf("damage was not found: %v", err)
			}
		}
		if err := c.UnmarshalBinary(b[:r.IntN(len(b))]); !errors.Is(err, ErrTape) {
			t.Fatalf("a cut tape: %v", err)
		}
	}
}

// FuzzTape gives the decoder what a store could: it must refuse or understand, and what it
// understands it must write as it was.
func FuzzTape(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		b, _ := randomTape(r).MarshalBinary()
		f.Add(b[4 : len(b)-4])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		b := sealed(body)
		var a, c Tape
		if err := a.UnmarshalBinary(b); err != nil {
			if !errors.Is(err, ErrTape) {
				t.Fatal(err)
			}
			return
		}
		again, err := a.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.UnmarshalBinary(again); err != nil || !a.Equal(&c) {
			t.Fatal(err)
		}
	})
}

// sealed makes a stored tape of a body.
func sealed(body []byte) []byte {
	b := append(append([]byte(nil), tapeMagic[:]...), body...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

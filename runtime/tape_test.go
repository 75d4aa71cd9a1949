package cachert

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

// Parts of streams are cut by their content, so that what two streams have in common is
// found whatever stands before it.
func TestSplitFindsCommonParts(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	common := make([]byte, 1<<20)
	for i := range common {
		common[i] = byte(r.Uint32())
	}
	o := &outcomes{}
	var fresh []int64
	for i := range 4 {
		before := bytes.Repeat([]byte{byte(i)}, 100+i*37)
		tape, _ := NewTape([]Element{
			{Op: Stream, Kind: "b", Data: before},
			{Op: Stream, Kind: "b", Data: common[:1000]},
			{Op: Stream, Kind: "b", Data: common[1000:]},
		}, nil)
		whole := joinedData(tape)
		fresh = append(fresh, o.intern(tape))
		if !bytes.Equal(joinedData(tape), whole) {
			t.Fatal("splitting changed the stream")
		}
		t.Cleanup(func() { _ = tape.Size() })
	}
	if fresh[0] < 1<<20 || fresh[1] > 150_000 || fresh[3] > 150_000 {
		t.Fatal("new bytes:", fresh)
	}
}

func joinedData(t *Tape) (b []byte) {
	for _, e := range t.Elements() {
		b = append(b, e.Data...)
	}
	return b
}

func TestOutcomesCount(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	o := &outcomes{}
	live := map[Path]*leafMark{}
	root := rootPath("x")
	for range 20_000 {
		mid := root.after(&Read{Widget: "a", Value: []byte{byte(r.IntN(200))}, Set: true})
		leaf := mid.after(&Read{Widget: "b", Value: []byte{byte(r.IntN(4))}, Set: true})
		switch r.IntN(4) {
		case 0:
			for p, m := range live {
				for _, q := range o.remove(m) {
					delete(live, q)
				}
				delete(live, p)
				break
			}
		case 1:
			for _, m := range live {
				m.hit()
				break
			}
		default:
			m, evict := o.add(leaf, []Path{root, mid}, 50)
			for _, p := range evict {
				delete(live, p)
			}
			live[leaf] = m
		}
		if len(live) > 50 || len(live) != len(o.leaves) || o.probation.n+o.protected.n != len(live) {
			t.Fatal(len(live), len(o.leaves), o.probation.n, o.protected.n)
		}
	}
	for _, m := range live {
		o.remove(m)
	}
	if len(o.nodes) != 0 || len(o.leaves) != 0 {
		t.Fatal("left over:", len(o.nodes), len(o.leaves))
	}
}

// sealed makes a stored tape of a body.
func sealed(body []byte) []byte {
	b := append(append([]byte(nil), tapeMagic[:]...), body...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

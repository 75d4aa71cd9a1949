package cachert

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/cachegen/cachegen/cache/surface"
)

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
		tape, _ := surface.NewTape([]surface.Element{
			{Op: surface.Stream, Kind: "b", Data: before},
			{Op: surface.Stream, Kind: "b", Data: common[:1000]},
			{Op: surface.Stream, Kind: "b", Data: common[1000:]},
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

func joinedData(t *surface.Tape) (b []byte) {
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
		mid := root.after(&surface.Read{Widget: "a", Value: []byte{byte(r.IntN(200))}, Set: true})
		leaf := mid.after(&surface.Read{Widget: "b", Value: []byte{byte(r.IntN(4))}, Set: true})
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

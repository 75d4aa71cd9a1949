package cachert

import (
	"context"
	"fmt"
	"runtime"
	"testing"
)

// The memory of entries of benchKey and benchVal, of a key struct of 24 bytes, its text of 23
// and a value of 32, by what they have besides: a tag of their own, one that all have, a
// session, or both; and of what drawing functions keep.
func TestMemoryOfLabelledEntries(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("many entries")
	}
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	const n = 1 << 17
	key := func(i int) benchKey { return benchKey{i, fmt.Sprintf("customer-%012d!", i)} }
	fill := func(s *typedSite[benchKey, benchVal], session string, tags func(i int) []string) {
		ctx := WithSession(context.Background(), session)
		for i := range n {
			k := key(i)
			_, err := s.Do(k.hash(), k, typedCall[benchVal]{Ctx: ctx, Tags: tags(i), Run: func(context.Context) (benchVal, error) { return benchVal{n: int64(i)}, nil }})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	none := func(int) []string { return nil }
	own := func(i int) []string { return []string{fmt.Sprint("customer:", i)} }
	for _, x := range []struct {
		of   string
		most float64
		fill func() any
	}{
		{"plain", 145, func() any {
			s := newTyped[benchKey, benchVal](nil, Options{Func: "plain"})
			fill(s, "", none)
			return s
		}},
		{"a tag of its own", 331, func() any {
			s := newTyped[benchKey, benchVal](nil, Options{Func: "own"})
			fill(s, "", own)
			return s
		}},
		{"a tag that all have", 186, func() any {
			s := newTyped[benchKey, benchVal](nil, Options{Func: "all"})
			fill(s, "", func(int) []string { return []string{"all"} })
			return s
		}},
		{"a session", 186, func() any {
			s := newTyped[benchKey, benchVal](nil, Options{Func: "session", Session: true})
			fill(s, "s", none)
			return s
		}},
		{"a session and a tag of its own", 432, func() any {
			s := newTyped[benchKey, benchVal](nil, Options{Func: "both", Session: true})
			fill(s, "s", own)
			return s
		}},
		{"a drawing", 504, func() any {
			d := NewDrawn[benchKey, benchVal](nil, DrawOptions{Options: Options{Func: "drawn", Site: "x"}})
			for i := range n {
				k := key(i)
				s := &plainSurface{}
				if _, err := d.Do(k.hash(), k, &DrawCall{Ctx: context.Background(), Surface: s, Run: func(ctx context.Context, v any) error {
					v.(*benchVal).n = int64(i)
					return s.Draw(Element{Op: Put, Kind: "div", Data: fmt.Appendf(nil, "<div>%d</div>", i)})
				}}); err != nil {
					t.Fatal(err)
				}
			}
			return d
		}},
	} {
		before := heap()
		kept := x.fill()
		per := float64(heap()-before) / n
		if runtime.KeepAlive(kept); per > x.most {
			t.Errorf("an entry with %s takes %.0f bytes, more than %.0f", x.of, per, x.most)
		} else {
			t.Logf("an entry with %s takes %.0f bytes", x.of, per)
		}
	}
}

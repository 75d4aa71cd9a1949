package cachetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	cachert "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/runtime/value"
)

// However a call of a drawing function comes by its value, it gets one of its own, equal to
// what the body gave.
func TestEveryCallerOfADrawingGetsItsOwnValue(t *testing.T) {
	down := errors.New("down")
	noKey := errors.New("no key")
	for name, c := range map[string]struct {
		o        cachert.Options
		fails    error
		uncached error
		refused  bool // what it draws is not kept
		bypass   bool
		replays  bool
	}{
		"kept":                           {replays: true},
		"not kept":                       {refused: true},
		"with an error that is kept":     {o: cachert.Options{ErrorTTL: time.Hour}, fails: down, replays: true},
		"with an error that is not kept": {fails: down},
		"under Bypass":                   {bypass: true},
		"without a key":                  {uncached: noKey},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.o.Func, c.o.Site = "own", "x"
				variable, runs := []int{1, 2, 3}, 0
				site := cachert.NewDrawn[key, []int](listOps{func(v *[]int) []int { return cachert.CloneSlice(*v) }}, cachert.DrawOptions{Options: c.o})
				for range 3 {
					ctx := t.Context()
					if c.bypass {
						ctx = cachert.Bypass(ctx)
					}
					bctx, bp, s := Bind(ctx, NewScreen(&Session{}).Page(), nil)
					v, err := site.Do((&key{}).hash(), key{}, &cachert.DrawCall{Ctx: bctx, Surface: s, Uncached: c.uncached, Run: func(_ context.Context, v any) error {
						runs++
						if c.refused {
							bp.Slider("without widgets", 1)
						}
						*v.(*[]int) = variable[:2]
						return c.fails
					}})
					if err != c.fails || !slices.Equal(v, []int{1, 2}) || cap(v) != 2 {
						t.Errorf("%v with room for %d, %v; want [1 2] with room for 2, %v", v, cap(v), err, c.fails)
					}
					for i := range v {
						v[i] = -1
					}
					if !slices.Equal(variable, []int{1, 2, 3}) {
						t.Error("a caller has changed the variable of the body")
						variable = []int{1, 2, 3}
					}
				}
				if c.replays != (runs == 1) {
					t.Errorf("the body ran %d times", runs)
				}
			})
		})
	}
}

// byID is told from others by its ID where it is an argument, and by everything where it is
// a result.
type byID struct {
	ID   int
	Name string
}

func (b byID) CacheKey() int { return b.ID }

type couple struct{ A, B *int }

// holds is a function's result in the shape that generated code gives it.
type holds[V any] struct{ r0 V }

type holdsOps[V any] struct{}

func (*holdsOps[V]) Copy(to, from any) error {
	c := cachert.NewCopier("github.com/cachegen/cachegen")
	to.(*holds[V]).r0 = cachert.CopyOf(c, from.(*holds[V]).r0)
	return c.Done()
}

// outcomes has a function give a or b, as a widget says, and looks at what callers get.
func outcomes[V any](t *testing.T, name string, a, b V, is func(V) string) {
	t.Run(name, func(t *testing.T) {
		if is(a) == is(b) {
			t.Fatalf("both are %s", is(a))
		}
		for ops, o := range map[string]any{"copied": &holdsOps[V]{}, "shared": nil} {
			site := cachert.NewDrawn[key, holds[V]](o, cachert.DrawOptions{Options: cachert.Options{Func: "outcomes", Site: "x"}, Widgets: true})
			runs := 0
			for _, which := range []string{"a", "b", "a", "b"} {
				ss := &Session{}
				ss.Set("which", which)
				bctx, bp, s := Bind(t.Context(), NewScreen(ss).Page(), nil)
				got, err := site.Do((&key{}).hash(), key{}, &cachert.DrawCall{Ctx: bctx, Surface: s, Run: func(_ context.Context, v any) error {
					runs++
					if v.(*holds[V]).r0 = a; bp.Ask("input", "which", "") == "b" {
						v.(*holds[V]).r0 = b
					}
					return nil
				}})
				want := a
				if which == "b" {
					want = b
				}
				if err != nil || is(got.r0) != is(want) {
					t.Errorf("%s: which=%s gives %s, %v; want %s", ops, which, is(got.r0), err, is(want))
				}
			}
			if runs != 2 {
				t.Errorf("%s: the body ran %d times", ops, runs)
			}
		}
	})
}

// Two outcomes of one key that differ in one observable way come back as they were, however
// alike they are. (Outcomes that are the same share their memory: see TestBehaviour, TRAP-19.)
func TestOutcomesComeBackAsTheyWere(t *testing.T) {
	type float struct {
		S string
		F float64
	}
	type narrow struct {
		S string
		F complex64
	}
	one, shared := new(int), couple{new(int), new(int)}
	outcomes(t, "what CacheKey leaves out", byID{1, "chair"}, byID{1, "Stuhl"}, func(v byID) string { return v.Name })
	outcomes(t, "the same in an array", [1]byID{{1, "chair"}}, [1]byID{{1, "Stuhl"}}, func(v [1]byID) string { return v[0].Name })
	outcomes(t, "the same in a slice", []byID{{1, "chair"}}, []byID{{1, "Stuhl"}}, func(v []byID) string { return v[0].Name })
	outcomes(t, "the same in an interface", any(byID{1, "chair"}), any(byID{1, "Stuhl"}), func(v any) string { return v.(byID).Name })
	outcomes(t, "text", "chair", "Stuhl", strings.Clone)
	outcomes(t, "where text ends", [2]string{"ab", "c"}, [2]string{"a", "bc"}, func(v [2]string) string { return v[0] })
	outcomes(t, "the sign of zero", float{F: 0}, float{F: math.Copysign(0, -1)}, func(v float) string { return fmt.Sprint(v.F) })
	outcomes(t, "the bits of a NaN", float{F: math.Float64frombits(0x7ff8000000000001)}, float{F: math.Float64frombits(0x7ff8000000000002)},
		func(v float) string { return fmt.Sprintf("%#x", math.Float64bits(v.F)) })
	outcomes(t, "the bits of a narrow NaN", narrow{F: complex(0, math.Float32frombits(0x7f800001))}, narrow{F: complex(0, math.Float32frombits(0x7fc00001))},
		func(v narrow) string { return fmt.Sprintf("%#x", math.Float32bits(imag(v.F))) })
	outcomes(t, "shared pointers", shared, couple{one, one}, func(v couple) string { return fmt.Sprint(v.A == v.B) })
	outcomes(t, "dynamic types", any(int64(1)), any(uint64(1)), func(v any) string { return fmt.Sprintf("%T", v) })
	outcomes(t, "nil and empty", []string(nil), []string{}, func(v []string) string { return fmt.Sprint(v == nil) })
	outcomes(t, "nil and empty maps", map[string]string(nil), map[string]string{}, func(v map[string]string) string { return fmt.Sprint(v == nil) })
	now := time.Now()
	outcomes(t, "the monotonic part of a time", now, now.Round(0), time.Time.String)
	outcomes(t, "the zone of a time", now.Round(0).UTC(), now.Round(0).In(time.FixedZone("UTC", 0)), func(v time.Time) string { return fmt.Sprint(v.Location() == time.UTC) })
	outcomes(t, "a number's length", big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), 64), (*big.Int).String)
}

// A drawing function that changes an argument does so for each of its callers.
func TestChangedArgumentOfADrawingIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := cachert.NewDrawn[key, int](nil, cachert.DrawOptions{Options: cachert.Options{Func: "changes", Site: "x"}})
		call := func(scripts []string) {
			given := slices.Clone(scripts)
			bctx, bp, s := Bind(t.Context(), NewScreen(&Session{}).Page(), nil)
			_, err := site.Do((&key{}).hash(), key{}, &cachert.DrawCall{
				Ctx: bctx, Surface: s,
				Arguments: []cachert.Argument{{Name: "scripts", Encode: func(e *value.Encoder) { value.EncodeStrings(e, given) }}},
				Run: func(context.Context, any) error {
					time.Sleep(time.Second)
					slices.Sort(given)
					return bp.Text("drawn")
				},
			})
			if err != nil || !slices.IsSorted(given) {
				t.Errorf("%v, %v", given, err)
			}
		}
		call([]string{"b", "a"})
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { call([]string{"b", "a"}) })
		}
		wg.Wait()
		if s := site.Stats(); s.Changed == 0 || s.Hits != 0 {
			t.Errorf("%d changed, %d hits", s.Changed, s.Hits)
		}
		call([]string{"a", "b"})
		call([]string{"a", "b"})
		if s := site.Stats(); s.Hits != 1 {
			t.Errorf("nothing changed: %d hits", s.Hits)
		}
	})
}

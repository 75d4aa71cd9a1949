package cachert

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// lent is how generated code lists a slice that the body could change.
func lent(name string, xs []int) Argument {
	return Argument{Name: name, Encode: func(e *Encoder) { EncodeInts(e, xs) }}
}

// median sorts its argument, as careless functions do.
func median(xs []int) (int, error) {
	slices.Sort(xs)
	return xs[len(xs)/2], nil
}

// What changes an argument is computed for every caller, so that each call does to its caller's
// memory what the function does. Who waits is no exception. It is counted, and said once.
func TestChangedArgumentIsNotKept(t *testing.T) {
	for name, fails := range map[string]error{"": nil, "with an error that would be kept": errors.New("down")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				site := newTyped[int, int](nil, Options{Func: "median", Site: "x", ErrorTTL: time.Hour})
				call := func(xs, ys []int) {
					v, err := site.Do(1, 1, typedCall[int]{
						Lent: []Argument{lent("ys", ys), lent("xs", xs)},
						Run: func(context.Context) (int, error) {
							time.Sleep(time.Second)
							v, _ := median(xs)
							return v, fails
						},
					})
					if v != 2 || err != fails || !slices.Equal(xs, []int{1, 2, 3}) {
						t.Errorf("%d, %v with xs %v", v, err, xs)
					}
				}
				lines := logged(t)
				for range 2 {
					call([]int{3, 1, 2}, nil)
				}
				var wg sync.WaitGroup
				for range 3 {
					wg.Go(func() { call([]int{3, 1, 2}, []int{7}) })
				}
				wg.Wait()
				if s := site.Stats(); s.Loads != 5 || s.Changed != 5 || s.Entries != 0 {
					t.Errorf("%d loads, %d changed, %d entries", s.Loads, s.Changed, s.Entries)
				}
				if len(lines()) != 1 || !strings.Contains(lines()[0], "changed xs,") {
					t.Errorf("logged %q", lines())
				}
				call([]int{1, 2, 3}, nil) // nothing to sort
				k := 1
				if s := site.Stats(); s.Changed != 5 || s.Entries != 1 || fails == nil && site.Get(1, &k) == nil {
					t.Errorf("sorted already: %d changed, %d entries", s.Changed, s.Entries)
				}
			})
		})
	}
}

// An argument that cannot be encoded any more has been changed, and no call fails for it.
func TestArgumentThatLosesItsKeyIsChanged(t *testing.T) {
	for name, after := range map[string]any{"a func": func() {}, "a CacheKey that panics": (*touchy)(nil)} {
		site := newTyped[int, int](nil, Options{Func: "loses", Site: "x"})
		box := []any{1}
		lines := logged(t)
		v, err := site.Do(1, 1, typedCall[int]{
			Lent: []Argument{{"box", func(e *Encoder) { e.Any(box) }}},
			Run: func(context.Context) (int, error) {
				box[0] = after
				return 1, nil
			},
		})
		if v != 1 || err != nil {
			t.Errorf("%s: %v, %v", name, v, err)
		}
		if s := site.Stats(); s.Changed != 1 || s.Entries != 0 || len(lines()) != 1 {
			t.Errorf("%s: %d changed, %d entries, logged %q", name, s.Changed, s.Entries, lines())
		}
	}
}

type touchy struct{ n int }

func (p *touchy) CacheKey() int { return p.n }

// What a panicking body did to an argument matters to nobody: there is no result.
func TestArgumentChangedBeforeAPanic(t *testing.T) {
	site := newTyped[int, int](nil, Options{Func: "panics", Site: "x"})
	xs := []int{2, 1}
	defer func() {
		if p := recover(); p != "thrown" || site.Stats().Changed != 0 {
			t.Errorf("%v, %d changed", p, site.Stats().Changed)
		}
	}()
	_, _ = site.Do(1, 1, typedCall[int]{
		Lent: []Argument{lent("xs", xs)},
		Run:  func(context.Context) (int, error) { slices.Sort(xs); panic("thrown") },
	})
}

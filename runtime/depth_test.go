package cachert

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// sums is a memoised recursion: the sum of the numbers up to id, of which each is computed
// inside of the computation of the next.
func sums(t testing.TB, o Options) *testFunc[int] {
	var f *testFunc[int]
	f = newFunc(t, nil, o, func(ctx context.Context, id int) (int, error) {
		if id == 0 {
			return 0, nil
		}
		below, err := f.load(ctx, id-1)
		return id + below, err
	})
	return f
}

// A recursion that is deep costs each of its calls what a shallow one costs. With a cost that
// grows with the depth this test takes minutes.
func TestDeepRecursionCostsNoMorePerCall(t *testing.T) {
	for _, ctx := range []context.Context{nil, t.Context()} {
		n := 40_000
		if raceEnabled || testing.Short() {
			n = 4_000
		}
		f := sums(t, Options{Func: "deep"})
		if v, err := f.load(ctx, n); err != nil || v != n*(n+1)/2 {
			t.Errorf("%d, %v", v, err)
		}
		if f.store.flightless != nil {
			t.Error("a call that has its flight was counted among those without")
		}
	}
}

// Each level of a recursion allocates its entry, its flight and its caller, the string of its
// key, the list of computations around it, what the wrapper makes for the call (here three), and
// nothing that grows with the depth.
func TestAllocationsOfALevel(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	f := sums(t, Options{Func: "deep"})
	per := func(depth int) float64 {
		return testing.AllocsPerRun(3, func() {
			f.Clear()
			_, _ = f.load(noCtx, depth)
		}) / float64(depth)
	}
	shallow, deep := per(500), per(5000)
	if t.Logf("%.2f allocations for each of 500 levels, %.2f for each of 5000", shallow, deep); shallow > 8.1 || deep > 8.1 {
		t.Errorf("%.2f allocations for each of 500 levels, %.2f for each of 5000", shallow, deep)
	}
}

// A call for a key that nothing computes does not look at the calls around it, of which
// there may be many.
func TestNewKeyLooksAtNoCallAround(t *testing.T) {
	f := newFunc[int](t, nil, Options{}, nil)
	poison := &call{st: f.store} // without a key to compare
	if path, _ := poison.within(f.store, &node{hash: 1}); path != nil {
		t.Error(path)
	}
	defer func() {
		f.store.flightless = nil
		if recover() == nil {
			t.Error("the calls around were not looked at although a call of that hash runs")
		}
	}()
	f.store.countFlightless(&node{hash: 1}, 1)
	poison.within(f.store, &node{hash: 1})
}

// The cycle is found at the end of a deep recursion too, and also where its computations
// run on goroutines of their own.
func TestLongCycleIsFound(t *testing.T) {
	for _, detach := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			const n = 500
			var f *testFunc[int]
			f = newFunc(t, nil, Options{Func: "long", Detach: detach}, func(ctx context.Context, id int) (int, error) {
				return f.load(ctx, (id+1)%n)
			})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			_, err := f.load(ctx, 0)
			var c *CycleError
			if !errors.As(err, &c) || len(c.Funcs) != n+1 {
				t.Errorf("%.100v", err)
			}
		})
	}
}

// Many calls that one computation makes at once wait for the flights of others; what they
// wait for is taken out again without looking at what the others wait for.
func TestManyWaitsInOneComputationStayCheap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leaf := newFunc(t, nil, Options{Func: "leaf"}, func(_ context.Context, id int) (int, error) {
			time.Sleep(time.Second)
			return id, nil
		})
		fan := newFunc(t, nil, Options{Func: "fan"}, func(ctx context.Context, _ int) (int, error) {
			var wg sync.WaitGroup
			for i := range 500 {
				wg.Go(func() { _, _ = leaf.load(ctx, i) })
			}
			wg.Wait()
			return 0, nil
		})
		var wg sync.WaitGroup
		for who := range 4 {
			wg.Go(func() {
				if _, err := fan.load(t.Context(), who); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := leaf.Stats().Loads; n != 500 {
			t.Errorf("%d computations", n)
		}
	})
}

// BenchmarkRecursion is a recursion of depth 40,000 whose results are kept, here and in a
// map.
func BenchmarkRecursion(b *testing.B) {
	const depth = 40_000
	b.Run("cached", func(b *testing.B) {
		f := sums(b, Options{Func: "deep"})
		for b.Loop() {
			f.Clear()
			_, _ = f.load(noCtx, depth)
		}
	})
	b.Run("map", func(b *testing.B) {
		for b.Loop() {
			m := map[testKey]int{}
			var sum func(id int) int
			sum = func(id int) int {
				k := testKey{id: id, name: "k"}
				v, ok := m[k]
				if !ok && id > 0 {
					v = id + sum(id-1)
				}
				m[k] = v
				return v
			}
			sum(depth)
		}
	})
}

package cachert

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachegen/cachegen/runtime/value"
)

// sliceOps copy results that a caller could change.
type sliceOps struct{}

func (sliceOps) Copy(v *[]int) []int { return slices.Clone(*v) }

// handle is a resource. Its release counts.
type handle struct {
	id       int
	released atomic.Int32
}

// handleOps release handles and remember the order.
type handleOps struct {
	mu    *sync.Mutex
	order *[]int
}

func newHandleOps() handleOps { return handleOps{&sync.Mutex{}, &[]int{}} }

func (o handleOps) Release(v **handle) {
	(*v).released.Add(1)
	o.mu.Lock()
	defer o.mu.Unlock()
	*o.order = append(*o.order, (*v).id)
}

func (o handleOps) released() []int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(*o.order)
}

// making returns a body that makes handles numbered from 1, and all that it has made.
func making() (func(context.Context, int) (*handle, error), func() []*handle) {
	var mu sync.Mutex
	var all []*handle
	return func(context.Context, int) (*handle, error) {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, &handle{id: len(all) + 1})
			return all[len(all)-1], nil
		}, func() []*handle {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(all)
		}
}

// keepFunc and copyFunc are options of one method.
type keepFunc func(*int) bool

func (f keepFunc) Keep(v *int) bool { return f(v) }

type copyFunc func(*int) int

func (f copyFunc) Copy(v *int) int { return f(v) }

const day = 24 * time.Hour

// row runs the test of one row of docs/behaviour.md, with time of its own.
func row(t *testing.T, id string, test func(t *testing.T)) {
	t.Run(id, func(t *testing.T) { synctest.Test(t, test) })
}

func TestBehaviour(t *testing.T) {
	ctx := context.Background()

	row(t, "CORE-01", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{}, counting(&runs))
		want(t, f, 0, 1)
		want(t, f, 0, 1)
	})
	row(t, "CORE-02", func(t *testing.T) {
		s := newTyped[uint64, float64](nil, Options{Func: "core02"})
		for _, x := range []float64{1, 3, 1} {
			k := value.FloatKey64(x)
			v, err := s.Do(value.HashUint64(value.HashStart(), k), k, typedCall[float64]{Run: func(context.Context) (float64, error) { return x, nil }})
			if v != x || err != nil {
				t.Errorf("%v, %v", v, err)
			}
		}
	})
	row(t, "CORE-03", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{}, counting(&runs))
		want(t, f, 0, 1)
		want(t, f, 0, 1)
		want(t, f, 1, 2)
	})
	row(t, "CORE-05", func(t *testing.T) {
		f := newFunc(t, sliceOps{}, Options{}, func(context.Context, int) ([]int, error) { return []int{1, 2}, nil })
		for range 3 { // the first caller gets a copy too
			v, _ := f.load(noCtx, 1)
			if !slices.Equal(v, []int{1, 2}) {
				t.Fatalf("another caller's change is seen: %v", v)
			}
			v[0] = 9
		}
	})
	row(t, "TRAP-29", func(t *testing.T) {
		f := newFunc(t, sliceOps{}, Options{}, func(context.Context, int) ([]int, error) { return []int{1}, nil })
		a, _ := f.load(noCtx, 1)
		b, _ := f.load(noCtx, 1)
		k := testKey{id: 1, name: "k"}
		kept := *f.Get(k.hash(), &k)
		if &a[0] == &b[0] || &a[0] == &kept[0] || &b[0] == &kept[0] {
			t.Error("the computing caller shares its value")
		}
	})
	row(t, "CORE-06", func(t *testing.T) {
		f := newFunc(t, nil, Options{Resource: true}, func(context.Context, int) (*int, error) { return new(int), nil })
		a, _ := f.load(noCtx, 1)
		*a = 7
		b, _ := f.load(noCtx, 1)
		if *b != 7 {
			t.Error("a resource was copied")
		}
	})
	row(t, "KEY-10", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{}, counting(&runs))
		want(t, f, 1, 1)
		want(t, f, 2, 2)
		want(t, f, 1, 1)
	})
	row(t, "KEY-11", func(t *testing.T) {
		if id, ok := SessionOf(WithSession(ctx, "s1")); id != "s1" || !ok {
			t.Error(id, ok)
		}
		if id, ok := SessionOf(ctx); ok {
			t.Error(id)
		}
		runs := 0
		f := newFunc(t, nil, Options{Session: true}, counting(&runs))
		c := f.call(ctx, 1)
		c.Uncached = ErrNoSession
		lines := logged(t)
		for range 2 {
			if _, err := f.Do(1, testKey{id: 1}, c); err != nil {
				t.Error(err)
			}
		}
		if runs != 2 || f.Stats().Uncached != 2 || len(lines()) != 1 || !strings.Contains(lines()[0], "no session") {
			t.Error(runs, f.Stats(), lines())
		}
	})

	row(t, "TTL-01", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{TTL: day}, counting(&runs))
		want(t, f, 1, 1)
		time.Sleep(day / 2)
		want(t, f, 1, 1)
	})
	row(t, "TTL-02,TTL-05", func(t *testing.T) { // a ttl is a duration, in whatever way
		runs := 0
		f := newFunc(t, nil, Options{TTL: day}, counting(&runs))
		want(t, f, 1, 1)
		time.Sleep(day * 3 / 2)
		want(t, f, 1, 2)
	})
	row(t, "TTL-03", func(t *testing.T) {
		runs1, runs2 := 0, 0
		f := newFunc(t, nil, Options{TTL: day}, counting(&runs1))
		g := newFunc(t, nil, Options{TTL: 2 * day}, counting(&runs2))
		want(t, f, 1, 1)
		want(t, g, 1, 1)
		time.Sleep(day * 3 / 2)
		want(t, f, 1, 2)
		want(t, g, 1, 1)
	})
	row(t, "TTL-06", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{TTL: day}, counting(&runs))
		want(t, f, 1, 1)
		time.Sleep(day - 1)
		want(t, f, 1, 1)
		k := testKey{id: 1, name: "k"}
		if _, ok := f.peek(1); !ok || f.Get(k.hash(), &k) == nil {
			t.Error("expired before its ttl")
		}
		time.Sleep(time.Nanosecond)
		if _, ok := f.peek(1); ok || f.Get(k.hash(), &k) != nil || f.GetCtx(ctx, k.hash(), &k) != nil {
			t.Error("fresh at its ttl")
		}
		want(t, f, 1, 2)
	})
	row(t, "TTL-07", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{TTL: day}, counting(&runs))
		for i := range 1000 {
			f.load(noCtx, i)
		}
		time.Sleep(day + day/8 + time.Minute)
		synctest.Wait()
		if s := f.Stats(); s.Entries != 0 || s.Expired != 1000 || len(f.store.table.Load().slots) > 2*minSlots {
			t.Errorf("an idle function keeps expired entries: %+v", s)
		}
	})
	row(t, "TRAP-25", func(t *testing.T) {
		f := newFunc(t, newHandleOps(), Options{TTL: time.Minute, Grace: time.Second}, func(context.Context, int) (*handle, error) { return &handle{}, nil })
		v, _ := f.load(noCtx, 1)
		time.Sleep(time.Minute)
		synctest.Wait()
		if f.Stats().Entries != 0 {
			t.Error("a resource is kept past its ttl")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if v.released.Load() != 1 {
			t.Error("a resource is not released on time")
		}
	})
	row(t, "TTL-08", func(t *testing.T) {
		ops := newHandleOps()
		body, _ := making()
		f := newFunc(t, ops, Options{TTL: 10 * time.Second}, body)
		for i := range 3 {
			f.load(noCtx, i)
			time.Sleep(time.Second)
		}
		time.Sleep(8*time.Second + 500*time.Millisecond)
		synctest.Wait()
		if got := ops.released(); !slices.Equal(got, []int{1, 2}) || f.Stats().Entries != 1 {
			t.Errorf("released %v, %d entries left", got, f.Stats().Entries)
		}
	})
	row(t, "TTL-10", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{TTL: 10 * time.Second}, counting(&runs))
		want(t, f, 1, 1)
		time.Sleep(5 * time.Second)
		f.prime(1, 7)
		time.Sleep(7 * time.Second)
		want(t, f, 1, 7)
	})
	row(t, "TTL-11", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{}, counting(&runs))
		g := newFunc(t, nil, Options{TTL: math.MaxInt64}, counting(&runs))
		want(t, f, 1, 1)
		want(t, g, 1, 2)
		time.Sleep(80 * 365 * day)
		want(t, f, 1, 1)
		want(t, g, 1, 2)
	})

	row(t, "LRU-01", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{Max: 3}, counting(&runs))
		want(t, f, 'a', 1)
		want(t, f, 'b', 2)
		want(t, f, 'c', 3)
		want(t, f, 'a', 1)
		want(t, f, 'd', 4)
		_, a := f.peek('a')
		_, b := f.peek('b')
		_, c := f.peek('c')
		if !a || b == c || f.Stats().Entries != 3 {
			t.Errorf("a, which was read, is kept: %t; b: %t, c: %t", a, b, c)
		}
	})
	row(t, "LRU-03", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{Max: 2}, counting(&runs))
		for _, read := range []bool{false, true} {
			f.Clear()
			f.load(noCtx, 'a')
			f.load(noCtx, 'b')
			if f.peek('b'); read {
				f.load(noCtx, 'b')
			}
			f.load(noCtx, 'c')
			if _, ok := f.peek('b'); ok != read {
				t.Errorf("read: %t, and kept: %t", read, ok)
			}
		}
	})
	row(t, "LRU-04", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{}, counting(&runs))
		for i := range 1000 {
			want(t, f, i, i+1)
		}
		for i := range 1000 {
			want(t, f, i, i+1)
		}
	})
	row(t, "LRU-05", func(t *testing.T) {
		for _, o := range []Options{
			{Func: "f", Max: -1}, {Func: "f", MaxBytes: -1}, {Func: "f", TTL: -1}, {Func: "f", Stale: 1},
			{Func: "f", MaxBytes: 1}, {Func: "f", Jitter: 1}, {Func: "f", Jitter: math.NaN()}, {},
		} {
			func() {
				defer func() {
					if err, ok := recover().(error); !ok || !strings.HasPrefix(err.Error(), "cachegen: ") {
						t.Errorf("%+v: %v", o, err)
					}
				}()
				newTyped[int, int](nil, o)
				t.Errorf("%+v is taken", o)
			}()
		}
	})
	row(t, "LRU-06", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{Max: 1}, counting(&runs))
		want(t, f, 1, 1)
		want(t, f, 2, 2)
		want(t, f, 1, 3)
	})
	row(t, "LRU-07", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{TTL: time.Second}, counting(&runs))
		want(t, f, 1, 1)
		time.Sleep(time.Second)
		f.forget(1)
		if f.Stats().Entries != 0 {
			t.Error("a forgotten entry is there")
		}
	})

	row(t, "CLR-01", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{Tags: []string{"clr01"}}, counting(&runs))
		g := newFunc(t, nil, Options{Tags: []string{"clr01"}}, counting(&runs))
		for i := range 3 {
			want(t, f, i, 2*i+1)
			want(t, g, i, 2*i+2)
		}
		Invalidate(ctx, "clr01")
		for i := range 3 {
			want(t, f, i, 2*i+7)
			want(t, g, i, 2*i+8)
		}
	})
	row(t, "CLR-02", func(t *testing.T) {
		runs1, runs2 := 0, 0
		f := newFunc(t, nil, Options{}, counting(&runs1))
		g := newFunc(t, nil, Options{}, counting(&runs2))
		want(t, f, 1, 1)
		want(t, g, 1, 1)
		f.Clear()
		want(t, f, 1, 2)
		want(t, g, 1, 1)
	})
	row(t, "CLR-03", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{}, counting(&runs))
		want(t, f, 1, 1)
		want(t, f, 2, 2)
		f.forget(3)
		want(t, f, 1, 1)
		f.forget(1)
		want(t, f, 1, 3)
		want(t, f, 2, 2)
	})
	for id, drop := range map[string]func(f *testFunc[int]){
		"CLR-06": func(*testFunc[int]) { Invalidate(ctx, "clr06") },
		"CLR-07": func(f *testFunc[int]) { f.Clear() },
		"CLR-08": func(f *testFunc[int]) { f.forget(1) },
	} {
		row(t, id, func(t *testing.T) {
			runs := 0
			f := newFunc(t, nil, Options{Tags: []string{"clr06"}}, counting(&runs))
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					f.load(noCtx, 1)
					drop(f)
					f.load(noCtx, 1)
				})
			}
			wg.Wait()
			drop(f)
			n, _ := f.load(noCtx, 1)
			want(t, f, 1, n)
			if n != runs {
				t.Errorf("%d runs, and the last result is that of run %d", runs, n)
			}
		})
	}
	row(t, "CLR-09", func(t *testing.T) {
		runs := 0
		next := counting(&runs)
		f := newFunc(t, nil, Options{}, func(ctx context.Context, id int) (int, error) {
			n, err := next(ctx, id)
			time.Sleep(time.Second)
			return n, err
		})
		var wg sync.WaitGroup
		wg.Go(func() { want(t, f, 1, 1) })
		time.Sleep(time.Second / 2)
		f.Clear()
		wg.Wait()
		want(t, f, 1, 2)
		want(t, f, 1, 2)
	})
	row(t, "CLR-12", func(t *testing.T) { // when it has been decided to keep the result
		runs := 0
		var f *testFunc[int]
		f = newFunc(t, keepFunc(func(v *int) bool {
			if *v == 1 {
				f.Clear()
			}
			return true
		}), Options{}, counting(&runs))
		want(t, f, 1, 1)
		want(t, f, 1, 2)
		want(t, f, 1, 2)
	})
	row(t, "CLR-14", func(t *testing.T) { // a value that could not be kept anyway
		runs := 0
		f := newFunc(t, keepFunc(func(*int) bool { return false }), Options{}, func(context.Context, int) (int, error) {
			runs++
			time.Sleep(time.Second)
			return runs, nil
		})
		var wg sync.WaitGroup
		wg.Go(func() { want(t, f, 1, 1) })
		time.Sleep(time.Second / 2)
		f.Clear()
		wg.Wait()
		want(t, f, 1, 2)
	})
	row(t, "CLR-13", func(t *testing.T) {
		ops := newHandleOps()
		body, made := making()
		f := newFunc(t, ops, Options{Grace: time.Minute}, func(ctx context.Context, id int) (*handle, error) {
			time.Sleep(time.Second)
			return body(ctx, id)
		})
		var wg sync.WaitGroup
		wg.Go(func() { f.load(noCtx, 1) })
		time.Sleep(time.Second / 2)
		f.Clear()
		wg.Wait()
		if made()[0].released.Load() != 0 {
			t.Error("released under its owner's hands")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if made()[0].released.Load() != 1 {
			t.Error("not released after its grace")
		}
	})

	row(t, "CON-01,CON-02,CON-03,CON-04", func(t *testing.T) { // 50 callers or 3, on whatever threads
		runs := 0
		next := counting(&runs)
		f := newFunc(t, nil, Options{}, func(ctx context.Context, id int) (int, error) {
			time.Sleep(time.Second)
			return next(ctx, id)
		})
		var wg sync.WaitGroup
		start := time.Now()
		for range 50 {
			wg.Go(func() { want(t, f, 1, 1) })
		}
		wg.Wait()
		if d := time.Since(start); d != time.Second {
			t.Errorf("it took %v", d)
		}
		if s := f.Stats(); s.Loads != 1 || s.Misses != 50 || s.Hits != 0 {
			t.Errorf("%+v", s)
		}
	})
	row(t, "CON-07", func(t *testing.T) {
		for _, detach := range []bool{false, true} {
			runs := 0
			next := counting(&runs)
			f := newFunc(t, nil, Options{Detach: detach}, func(ctx context.Context, id int) (int, error) {
				time.Sleep(time.Second)
				return next(ctx, id)
			})
			owner, cancelOwner := context.WithCancel(ctx)
			defer cancelOwner()
			leaver, cancel := context.WithCancel(ctx)
			var wg sync.WaitGroup
			for _, c := range []context.Context{owner, ctx} {
				wg.Go(func() {
					if v, err := f.load(c, 1); v != 1 || err != nil {
						t.Error(v, err)
					}
				})
			}
			wg.Go(func() {
				time.Sleep(time.Second / 4)
				start := time.Now()
				if _, err := f.load(leaver, 1); !errors.Is(err, context.Canceled) || time.Since(start) != time.Second/4 {
					t.Error(err, time.Since(start))
				}
			})
			time.Sleep(time.Second / 2)
			cancel()
			wg.Wait()
			want(t, f, 1, 1)
		}
	})
	row(t, "CON-08", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{Detach: true}, counting(&runs))
		c, cancel := context.WithCancel(ctx)
		defer cancel()
		for range 5 {
			if v, _ := f.load(c, 1); v != 1 {
				t.Error(v)
			}
		}
	})
	row(t, "CON-09", func(t *testing.T) {
		f := newFunc(t, sliceOps{}, Options{}, func(context.Context, int) ([]int, error) { time.Sleep(time.Nanosecond); return []int{1}, nil })
		g := newFunc(t, nil, Options{}, func(context.Context, int) ([]int, error) { time.Sleep(time.Nanosecond); return []int{1}, nil })
		first := [2]map[*int]bool{{}, {}}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 3 {
			for i, f := range []*testFunc[[]int]{f, g} {
				wg.Go(func() {
					v, _ := f.load(noCtx, 1)
					mu.Lock()
					defer mu.Unlock()
					first[i][&v[0]] = true
				})
			}
		}
		wg.Wait()
		if len(first[0]) != 3 || len(first[1]) != 1 {
			t.Errorf("%d values for 3 callers of data, %d of a resource", len(first[0]), len(first[1]))
		}
	})

	row(t, "VAL-01", func(t *testing.T) {
		runs, asked := 0, []int{}
		f := newFunc(t, nil, Options{}, counting(&runs))
		load := func() int {
			c := f.call(ctx, 1)
			c.Validate = func(_ context.Context, v *int) (bool, error) {
				asked = append(asked, *v)
				return *v != 2 && *v != 3, map[bool]error{true: errors.New("bad")}[*v == 3]
			}
			v, _ := f.Do(1, testKey{id: 1}, c)
			return v
		}
		if load(); len(asked) != 0 {
			t.Error("validate was asked about a new value")
		}
		if v := load(); v != 1 || !slices.Equal(asked, []int{1}) {
			t.Error(v, asked)
		}
		f.Prime(1, testKey{id: 1}, 2)
		runs = 2
		if v := load(); v != 3 || !slices.Equal(asked, []int{1, 2}) { // VAL-02
			t.Error(v, asked)
		}
		if v := load(); v != 4 || !slices.Equal(asked, []int{1, 2, 3}) {
			t.Error(v, asked)
		}
	})
	row(t, "VAL-02", func(t *testing.T) {
		runs := 0
		var saw []int
		f := newFunc(t, nil, Options{}, counting(&runs))
		for range 4 {
			c := f.call(ctx, 1)
			c.Validate = func(_ context.Context, v *int) (bool, error) { saw = append(saw, *v); return false, nil }
			f.Do(1, testKey{id: 1}, c)
		}
		if runs != 4 || !slices.Equal(saw, []int{1, 2, 3}) || f.Stats().Invalid != 3 {
			t.Error(runs, saw, f.Stats())
		}
	})
	row(t, "REL-03", func(t *testing.T) {
		ops := newHandleOps()
		body, _ := making()
		f := newFunc(t, ops, Options{Grace: time.Second}, body)
		for i := range 5 {
			f.load(noCtx, i)
		}
		f.Clear()
		f.Clear()
		time.Sleep(time.Second)
		synctest.Wait()
		if got := ops.released(); !slices.Equal(got, []int{1, 2, 3, 4, 5}) {
			t.Errorf("released %v", got)
		}
	})
	row(t, "REL-02", func(t *testing.T) {
		ops := newHandleOps()
		body, _ := making()
		f := newFunc(t, ops, Options{TTL: time.Second}, body)
		for range 5 {
			f.load(noCtx, 1)
			time.Sleep(time.Second)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if got := ops.released(); !slices.Equal(got, []int{1, 2, 3, 4, 5}) {
			t.Errorf("released %v; the last one must not wait for a write", got)
		}
	})
	row(t, "REL-04,REL-05", func(t *testing.T) {
		ops := newHandleOps()
		body, _ := making()
		f := newFunc(t, ops, Options{}, body)
		for i := range 4 {
			f.load(noCtx, i)
		}
		f.forget(0)
		f.forget(2)
		f.forget(7)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if got := ops.released(); !slices.Equal(got, []int{1, 3}) {
			t.Errorf("released %v", got)
		}
	})
	row(t, "REL-06", func(t *testing.T) {
		ops := newHandleOps()
		body, _ := making()
		f := newFunc(t, ops, Options{}, body)
		f.load(noCtx, 1)
		c := f.call(noCtx, 1)
		c.Validate = func(context.Context, **handle) (bool, error) { return false, nil }
		k := testKey{id: 1, name: "k"}
		f.Do(k.hash(), k, c)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if got := ops.released(); !slices.Equal(got, []int{1}) {
			t.Errorf("released %v", got)
		}
	})
	row(t, "REL-07", func(t *testing.T) {
		ops := newHandleOps()
		body, made := making()
		f := newFunc(t, ops, Options{TTL: time.Minute, Stale: time.Hour, Grace: time.Second}, body)
		v, done, err := f.acquire(noCtx, 1)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		if w, _ := f.load(noCtx, 1); w != v {
			t.Error("the stale value was not served")
		}
		synctest.Wait()
		if w, _ := f.load(noCtx, 1); w != made()[1] {
			t.Error("it was not refreshed")
		}
		time.Sleep(time.Minute / 2)
		if v.released.Load() != 0 {
			t.Error("released while it is acquired")
		}
		done()
		done()
		time.Sleep(time.Second - 1)
		if v.released.Load() != 0 {
			t.Error("released before its grace ended")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if v.released.Load() != 1 || made()[1].released.Load() != 0 {
			t.Error("not released once")
		}
	})

	row(t, "BG-01", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{TTL: 100 * time.Second, Stale: 100 * time.Second}, counting(&runs))
		want(t, f, 1, 1)
		time.Sleep(50 * time.Second)
		want(t, f, 1, 1)
		time.Sleep(100 * time.Second)
		want(t, f, 1, 1)
		synctest.Wait()
		time.Sleep(10 * time.Second)
		want(t, f, 1, 2)
		if runs != 2 {
			t.Error(runs)
		}
	})
	row(t, "BG-03", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{TTL: 100 * time.Second, Stale: 50 * time.Second}, counting(&runs))
		want(t, f, 1, 1)
		time.Sleep(150 * time.Second)
		want(t, f, 1, 2) // past stale: nobody gets the old value
	})
	row(t, "BG-07", func(t *testing.T) {
		lines := logged(t)
		runs := 0
		bad := errors.New("down")
		f := newFunc(t, nil, Options{TTL: time.Minute, Stale: time.Hour, ErrorTTL: time.Hour}, func(context.Context, int) (int, error) {
			if runs++; runs > 1 {
				return 0, bad
			}
			return runs, nil
		})
		want(t, f, 1, 1)
		time.Sleep(time.Minute)
		for range 5 {
			want(t, f, 1, 1) // a stale value is better than an error
			synctest.Wait()
		}
		if runs != 2 || f.Stats().RefreshFailed != 1 || len(lines()) != 1 || !strings.Contains(lines()[0], "down") {
			t.Error(runs, f.Stats(), lines())
		}
		time.Sleep(time.Second)
		want(t, f, 1, 1)
		synctest.Wait()
		want(t, f, 1, 1)
		synctest.Wait()
		if runs != 3 {
			t.Errorf("%d runs: failed refreshes must back off, and go on", runs)
		}
		time.Sleep(time.Hour)
		if _, err := f.load(noCtx, 1); err != bad {
			t.Errorf("%v; past stale the error must be seen", err)
		}
	})
	row(t, "BG-08", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{TTL: time.Minute, Stale: time.Hour}, counting(&runs))
		valid := true
		load := func() int {
			c := f.call(ctx, 1)
			c.Validate = func(context.Context, *int) (bool, error) { return valid, nil }
			v, _ := f.Do(1, testKey{id: 1}, c)
			return v
		}
		load()
		if valid = false; load() != 2 {
			t.Error("a refused fresh value was served")
		}
		time.Sleep(time.Minute)
		if v := load(); v < 3 {
			t.Error("a refused stale value was served", v)
		}
		synctest.Wait()
	})
	row(t, "BG-09", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{TTL: time.Minute, Stale: time.Hour, Session: true}, counting(&runs))
		s1 := WithSession(ctx, "bg09")
		f.load(s1, 1)
		time.Sleep(time.Minute)
		f.load(s1, 1)
		synctest.Wait()
		if v, _ := f.load(s1, 1); v != 2 {
			t.Error(v)
		}
		EndSession(ctx, "bg09")
		if f.Stats().Entries != 0 {
			t.Error("a refreshed entry outlived its session")
		}
	})
	row(t, "BG-10,BG-11", func(t *testing.T) {
		defer func(old int64) { refreshLimit = old }(refreshLimit)
		refreshLimit = 1
		runs := map[int]int{}
		var mu sync.Mutex
		f := newFunc(t, nil, Options{TTL: time.Minute, Stale: time.Hour}, func(_ context.Context, id int) (int, error) {
			mu.Lock()
			runs[id]++
			n := runs[id]
			mu.Unlock()
			if n == 2 {
				time.Sleep(time.Second)
				panic("a refresh that fails")
			}
			return n, nil
		})
		logged(t)
		want(t, f, 1, 1)
		want(t, f, 2, 1)
		time.Sleep(time.Minute)
		want(t, f, 1, 1)
		want(t, f, 2, 1)
		synctest.Wait()
		if runs[1] != 2 || runs[2] != 1 || f.Stats().RefreshSkipped != 1 {
			t.Error(runs, f.Stats())
		}
		time.Sleep(time.Second)
		synctest.Wait()
		want(t, f, 2, 1)
		synctest.Wait()
		if runs[2] != 2 {
			t.Error("a refresh that failed keeps its place in the pool")
		}
		time.Sleep(time.Second)
		synctest.Wait()
	})

	row(t, "BG-13", func(t *testing.T) { // a pool without places
		defer func(old int64) { refreshLimit = old }(refreshLimit)
		refreshLimit = 0
		runs := 0
		f := newFunc(t, nil, Options{TTL: time.Minute, Stale: time.Minute}, counting(&runs))
		want(t, f, 1, 1)
		time.Sleep(time.Minute)
		want(t, f, 1, 1)
		synctest.Wait()
		if s := f.Stats(); runs != 1 || s.RefreshSkipped != 1 || refreshing.Load() != 0 {
			t.Errorf("%d runs, %+v", runs, s)
		}
		time.Sleep(time.Minute)
		want(t, f, 1, 2)
	})
	row(t, "BG-05", func(t *testing.T) { // what is written back is all that is copied
		runs, copied := 0, []int{}
		var mu sync.Mutex
		f := newFunc(t, copyFunc(func(v *int) int {
			mu.Lock()
			defer mu.Unlock()
			copied = append(copied, *v)
			return *v
		}), Options{TTL: time.Minute, Stale: time.Minute}, counting(&runs))
		want(t, f, 1, 1)
		time.Sleep(time.Minute)
		k := testKey{id: 1, name: "k"}
		copied = nil
		f.Do(k.hash(), k, f.call(noCtx, 1))
		synctest.Wait()
		slices.Sort(copied)
		if !slices.Equal(copied, []int{1, 2}) { // for the caller, and to be kept
			t.Errorf("copied: %v", copied)
		}
	})

	row(t, "STA-01", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{}, counting(&runs))
		if s := f.Stats(); s != (Stats{Func: f.store.o.Func, Site: f.store.o.Site}) {
			t.Errorf("%+v", s)
		}
	})
	row(t, "STA-03", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{Func: "sta03"}, counting(&runs))
		g := newFunc(t, nil, Options{Func: "sta03"}, counting(&runs))
		f.load(noCtx, 1)
		f.load(noCtx, 1)
		g.load(noCtx, 1)
		for _, s := range AllStats() {
			if s.Func == "sta03" {
				if s.Hits != 1 || s.Misses != 2 || s.Entries != 2 || s.Loads != 2 {
					t.Errorf("%+v", s)
				}
				return
			}
		}
		t.Error("a function is missing")
	})

	row(t, "TRAP-11", func(t *testing.T) {
		var source atomic.Int64
		f := newFunc(t, nil, Options{}, func(context.Context, int) (int64, error) {
			v := source.Load()
			time.Sleep(time.Second)
			return v, nil
		})
		var wg sync.WaitGroup
		wg.Go(func() { f.load(noCtx, 1) })
		time.Sleep(time.Second / 2)
		source.Store(1)
		f.Clear()
		wg.Go(func() { want(t, f, 1, 1) })
		wg.Wait()
		want(t, f, 1, 1)
		if f.Stats().Loads != 2 {
			t.Error(f.Stats())
		}
	})
	row(t, "TRAP-12", func(t *testing.T) {
		var now, most atomic.Int32
		f := newFunc(t, nil, Options{}, func(context.Context, int) (int, error) {
			n := now.Add(1)
			most.Store(max(most.Load(), n))
			time.Sleep(time.Second)
			now.Add(-1)
			return 1, nil
		})
		var wg sync.WaitGroup
		wg.Go(func() { f.load(noCtx, 1) })
		time.Sleep(time.Second / 2)
		f.forget(1)
		for range 5 {
			wg.Go(func() { f.load(noCtx, 1) })
		}
		wg.Wait()
		if most.Load() != 1 || f.Stats().Loads != 2 {
			t.Errorf("%d at once, %d in all", most.Load(), f.Stats().Loads)
		}
	})
	row(t, "TRAP-13", func(t *testing.T) {
		for _, ctx := range []context.Context{nil, ctx} {
			var f *testFunc[int]
			f = newFunc(t, nil, Options{}, func(ctx context.Context, id int) (int, error) { return f.load(ctx, id) })
			_, err := f.load(ctx, 1)
			var cycle *CycleError
			if !errors.As(err, &cycle) || !slices.Equal(cycle.Funcs, []string{f.store.o.Func, f.store.o.Func}) {
				t.Errorf("%v", err)
			}
		}
	})
	row(t, "TRAP-14", func(t *testing.T) {
		for _, ctx := range []context.Context{nil, ctx} {
			runs := 0
			f := newFunc(t, nil, Options{}, counting(&runs))
			var inner error
			k := testKey{id: 1}
			call := f.call(ctx, 1)
			call.Validate = func(ctx context.Context, _ *int) (bool, error) {
				c := call
				c.Ctx = ctx
				_, inner = f.Do(k.hash(), k, c)
				return inner == nil, inner
			}
			f.Do(k.hash(), k, call)
			if v, err := f.Do(k.hash(), k, call); v != 2 || err != nil || !errors.As(inner, new(*CycleError)) {
				t.Error(v, err, inner)
			}
		}
	})
	row(t, "TRAP-15", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{}, counting(&runs))
		f.load(noCtx, 1)
		f.load(noCtx, 2)
		start := time.Now()
		var wg sync.WaitGroup
		for _, id := range []int{1, 2, 1} {
			wg.Go(func() {
				c := f.call(noCtx, id)
				c.Validate = func(context.Context, *int) (bool, error) { time.Sleep(time.Second); return true, nil }
				k := testKey{id: id, name: "k"}
				f.Do(k.hash(), k, c)
			})
		}
		wg.Wait()
		if d := time.Since(start); d != time.Second || runs != 2 {
			t.Error(d, runs)
		}
	})
	row(t, "TRAP-24", func(t *testing.T) {
		for _, o := range []Options{{}, {ErrorTTL: time.Minute}} {
			runs := 0
			f := newFunc(t, nil, o, func(context.Context, int) (int, error) { runs++; return 0, fmt.Errorf("failure %d", runs) })
			var last error
			for range 3 {
				_, last = f.load(noCtx, 1)
			}
			if o.ErrorTTL == 0 && runs != 3 || o.ErrorTTL > 0 && (runs != 1 || last.Error() != "failure 1") {
				t.Errorf("%+v: %d runs, %v", o, runs, last)
			}
			time.Sleep(time.Minute)
			if _, err := f.load(noCtx, 1); err.Error() == "failure 1" {
				t.Error("an error is kept past its time")
			}
		}
	})
	row(t, "TRAP-26", func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{}, counting(&runs))
		for i, good := range []bool{true, true, false} {
			c := f.call(noCtx, 1)
			c.Validate = func(context.Context, *int) (bool, error) { return good, nil }
			if v, _ := f.Do(1, testKey{id: 1}, c); v != 1+i/2 {
				t.Error("the validate of an earlier call was asked", i, v)
			}
		}
	})
}

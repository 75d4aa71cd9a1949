package cachert

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// However a call comes by its value, it gets one of its own, equal to what the body gave: a
// body that hands out a package variable never meets what its callers do with it, and no
// caller meets what another did.
func TestEveryCallerGetsItsOwnValue(t *testing.T) {
	const ever = time.Hour
	down := errors.New("down")
	type load = func(f *testFunc[[]int], ctx context.Context) ([]int, error)
	once := func(f *testFunc[[]int], ctx context.Context) ([]int, error) { return f.load(ctx, 1) }
	direct := func(c typedCall[[]int], f *testFunc[[]int], ctx context.Context) ([]int, error) {
		k := testKey{id: 1, name: "k"}
		c.Ctx, c.Run = ctx, func(ctx context.Context) ([]int, error) { return f.body(ctx, 1) }
		return f.Do(k.hash(), k, c)
	}
	for name, c := range map[string]struct {
		o      Options
		fails  error
		refuse bool // Keep and KeepError refuse
		off    bool
		load   load
	}{
		"on the caller's goroutine":      {load: once},
		"detached":                       {o: Options{Detach: true}, load: once},
		"not kept":                       {refuse: true, load: once},
		"with an error that is kept":     {o: Options{ErrorTTL: ever}, fails: down, load: once},
		"with an error that is not kept": {fails: down, load: once},
		"with an error that errors= refuses": {
			o: Options{ErrorTTL: ever}, fails: down, refuse: true, load: once},
		"under Bypass": {load: func(f *testFunc[[]int], ctx context.Context) ([]int, error) { return f.load(Bypass(ctx), 1) }},
		"without a key": {load: func(f *testFunc[[]int], ctx context.Context) ([]int, error) {
			return direct(typedCall[[]int]{Uncached: errors.New("a func")}, f, ctx)
		}},
		"with CACHEGEN=off": {off: true, load: once},
		"Refresh":           {load: func(f *testFunc[[]int], ctx context.Context) ([]int, error) { return f.refresh(ctx, 1) }},
		"Acquire": {load: func(f *testFunc[[]int], ctx context.Context) ([]int, error) {
			v, done, err := f.acquire(ctx, 1)
			done()
			return v, err
		}},
		"Peek": {load: func(f *testFunc[[]int], ctx context.Context) ([]int, error) {
			_, err := f.load(ctx, 1)
			v, _ := f.peek(1)
			return v, err
		}},
		"past its ttl": {o: Options{TTL: time.Second, Stale: ever}, load: func(f *testFunc[[]int], ctx context.Context) ([]int, error) {
			_, _ = f.load(ctx, 1)
			time.Sleep(2 * time.Second)
			return f.load(ctx, 1)
		}},
		"validated": {load: func(f *testFunc[[]int], ctx context.Context) ([]int, error) {
			return direct(typedCall[[]int]{Validate: func(context.Context, *[]int) (bool, error) { return true, nil }}, f, ctx)
		}},
		"in a session": {o: Options{Session: true}, load: func(f *testFunc[[]int], ctx context.Context) ([]int, error) {
			return f.load(WithSession(ctx, "s"), 1)
		}},
		"given up and taken over": {load: func(f *testFunc[[]int], ctx context.Context) ([]int, error) {
			gone, cancel := context.WithCancel(ctx)
			cancel()
			return f.load(gone, 1)
		}, fails: context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				variable := []int{1, 2, 3}
				switchedOff = c.off
				defer func() { switchedOff = false }()
				f := newFunc[[]int](t, valuesOps{refuses: c.refuse}, c.o, func(context.Context, int) ([]int, error) { return variable[:2], c.fails })
				check := func(when string, v []int, err error) {
					t.Helper()
					if err != c.fails || !slices.Equal(v, []int{1, 2}) || cap(v) != 2 {
						t.Errorf("%s: %v with room for %d, %v; want [1 2] with room for 2, %v", when, v, cap(v), err, c.fails)
					}
					for i := range v {
						v[i] = -1
					}
					if !slices.Equal(variable, []int{1, 2, 3}) {
						t.Errorf("%s: a caller has changed the variable of the body", when)
						variable = []int{1, 2, 3}
					}
				}
				for _, when := range []string{"first", "second", "third"} {
					v, err := c.load(f, t.Context())
					check(when, v, err)
				}
				var wg sync.WaitGroup
				var mu sync.Mutex
				f.Clear()
				for range 3 {
					wg.Go(func() {
						v, err := c.load(f, t.Context())
						mu.Lock()
						defer mu.Unlock()
						if v == nil && err == context.Canceled && c.fails == err {
							return // it was waiting for another's computation when it gave up
						}
						check("several at once", v, err)
					})
				}
				wg.Wait()
				synctest.Wait() // a refresh may run behind what was served
			})
		})
	}
}

// A value that Prime was given is the cache's own from then on.
func TestPrimedValueIsTheCachesOwn(t *testing.T) {
	f := newFunc[[]int](t, valuesOps{}, Options{}, func(context.Context, int) ([]int, error) { return nil, errors.New("not primed") })
	given := []int{1, 2, 3}
	f.prime(1, given[:2])
	given[0] = -1
	for range 2 {
		v, err := f.load(noCtx, 1)
		if err != nil || !slices.Equal(v, []int{1, 2}) || cap(v) != 2 {
			t.Errorf("%v, %v", v, err)
		}
		v[0] = -1
	}
}

type valuesOps struct{ refuses bool }

func (valuesOps) Copy(v *[]int) []int       { return CloneSlice(*v) }
func (o valuesOps) Keep(*[]int) bool        { return !o.refuses }
func (o valuesOps) KeepError(error) bool    { return !o.refuses }
func (valuesOps) Session(k *testKey) string { return "s" }

// A body may return its argument, or a package variable. What is kept and what the first
// caller gets are apart from it, so what one changes is in nobody else's.
func TestKeptValueIsOutOfTheBodysReach(t *testing.T) {
	for _, fails := range []error{nil, errors.New("fails")} {
		s := newTyped[int, []int](sliceOps{}, Options{Func: "reach", ErrorTTL: 1e12})
		arg := []int{1, 2}
		call := typedCall[[]int]{Run: func(context.Context) ([]int, error) { return arg, fails }}
		first, err := s.Do(1, 1, call)
		if err != fails || !slices.Equal(first, arg) || &first[0] == &arg[0] {
			t.Errorf("the owner gets %v, %v; want a copy of %v, %v", first, err, arg, fails)
		}
		first[1], arg[0] = 200, 100
		k := 1
		if v := s.Get(1, &k); (v != nil) != (fails == nil) {
			t.Errorf("Get finds %v where the computation gave the error %v", v, fails)
		}
		if again, err := s.Do(1, 1, call); err != fails || !slices.Equal(again, []int{1, 2}) {
			t.Errorf("the next caller gets %v, %v", again, err)
		}
	}
}

// uncopiableOps are those of values of which no copy can be made: a *CopyError, in
// generated code.
type uncopiableOps struct{}

func (uncopiableOps) TryCopy(v *[]int) ([]int, error) { return nil, errors.New("cannot be copied") }

// What cannot be copied is its owner's alone: those who waited compute for themselves, and
// nothing of it is kept, computed or primed. Why is logged, once.
func TestUncopiableValueIsItsOwnersAlone(t *testing.T) {
	said := logged(t)
	defer func() {
		if lines := said(); len(lines) != 1 || !strings.Contains(lines[0], "a result is not kept: cannot be copied") {
			t.Errorf("logged: %q", lines)
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		f := newFunc[[]int](t, uncopiableOps{}, Options{}, func(ctx context.Context, id int) ([]int, error) {
			v := []int{int(runs.Add(1))}
			time.Sleep(time.Second)
			return v, nil
		})
		got := map[int]bool{}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				v, err := f.load(noCtx, 1)
				mu.Lock()
				defer mu.Unlock()
				if err != nil || len(v) != 1 || got[v[0]] {
					t.Errorf("%v, %v: not a value of its own", v, err)
					return
				}
				got[v[0]] = true
			})
		}
		wg.Wait()
		if s := f.Stats(); s.Entries != 0 || s.NotKept != 3 || runs.Load() != 3 {
			t.Errorf("%d entries, %d not kept, %d runs", s.Entries, s.NotKept, runs.Load())
		}
		f.prime(1, []int{7})
		if v, ok := f.peek(1); ok {
			t.Errorf("%v is primed, of which nobody could get a copy", v)
		}
	})
}

package cachert

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// prefetching makes two functions: a page, which takes so long and starts the computation of its
// detail without waiting for it, and the detail, which needs the page.
func prefetching(t *testing.T, o Options, takes time.Duration) (page, detail *testFunc[string]) {
	o.Func = "page"
	page = newFunc(t, nil, o, func(ctx context.Context, id int) (string, error) {
		go func() { _, _ = detail.load(ctx, id) }()
		time.Sleep(takes)
		return fmt.Sprint("page ", id), nil
	})
	o.Func = "detail"
	detail = newFunc(t, nil, o, func(ctx context.Context, id int) (string, error) {
		time.Sleep(takes / 3)
		p, err := page.load(ctx, id)
		return "detail of " + p, err
	})
	return page, detail
}

// A computation starts another and does not wait for it, and that one needs the first: with a
// context, that is no cycle, neither for the two nor for those who call from outside.
func TestPrefetchIsNoCycle(t *testing.T) {
	for _, takes := range []time.Duration{60 * time.Millisecond, 900 * time.Millisecond, 1200 * time.Millisecond} {
		t.Run(takes.String(), func(t *testing.T) {
			eachWay(t, func(t *testing.T, o Options) {
				page, detail := prefetching(t, o, takes)
				ctx := t.Context()
				var wg sync.WaitGroup
				wg.Go(func() {
					if v, err := page.load(ctx, 1); v != "page 1" || err != nil {
						t.Errorf("page: %q, %v", v, err)
					}
				})
				time.Sleep(takes / 6)
				wg.Go(func() {
					if v, err := detail.load(ctx, 1); v != "detail of page 1" || err != nil {
						t.Errorf("detail, from outside: %q, %v", v, err)
					}
				})
				wg.Wait()
				time.Sleep(time.Minute)
				for range 2 {
					if v, err := detail.load(ctx, 1); v != "detail of page 1" || err != nil {
						t.Errorf("detail, later: %q, %v", v, err)
					}
				}
				if n := page.Stats().Loads; n != 1 {
					t.Errorf("the page was computed %d times", n)
				}
			})
		})
	}
}

// What is started by a computation that takes longer than it waits for computes the result for
// itself, once, and an innocent caller who joined it gets a value all the same.
func TestPrefetchBySlowComputation(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		page, detail := prefetching(t, o, time.Minute)
		ctx := t.Context()
		var wg sync.WaitGroup
		wg.Go(func() {
			if v, err := page.load(ctx, 1); v != "page 1" || err != nil {
				t.Errorf("page: %q, %v", v, err)
			}
		})
		time.Sleep(time.Second)
		wg.Go(func() {
			if v, err := detail.load(ctx, 1); v != "detail of page 1" || err != nil {
				t.Errorf("detail, from outside: %q, %v", v, err)
			}
		})
		wg.Wait()
		if n := page.Stats().Loads; n > 2 {
			t.Errorf("the page was computed %d times", n)
		}
		time.Sleep(time.Hour)
	})
}

// A body that waits for its own goroutine gets its CycleError after a bounded time, whatever
// wait= says.
func TestCycleOverAGoroutineEndsInBoundedTime(t *testing.T) {
	for _, wait := range []time.Duration{0, time.Millisecond, 300 * time.Millisecond, time.Hour} {
		eachWay(t, func(t *testing.T, o Options) {
			logged(t)
			o.Wait = wait
			var f *testFunc[int]
			f = newFunc(t, nil, o, func(ctx context.Context, id int) (int, error) {
				c := make(chan error)
				go func() {
					_, err := f.load(ctx, id)
					c <- err
				}()
				return 0, <-c
			})
			ctx, _ := cancellable(t)
			began := time.Now()
			_, err := f.load(ctx, 1)
			if took := time.Since(began); !errors.As(err, new(*CycleError)) || took > 2*doubtFor || wait > 0 && took > 2*wait {
				t.Errorf("wait=%v: %v after %v", wait, err, took)
			}
			if n := f.Stats().Loads; n != 2 {
				t.Errorf("wait=%v: %d computations", wait, n)
			}
		})
	}
}

// The call that waits in doubt ends with its own context.
func TestWaitInDoubtHonoursTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f *testFunc[int]
		f = newFunc(t, nil, Options{}, func(ctx context.Context, id int) (int, error) {
			c := make(chan error)
			go func() {
				short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
				defer cancel()
				_, err := f.load(short, id)
				c <- err
			}()
			if err := <-c; !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
			return 7, nil
		})
		began := time.Now()
		if v, err := f.load(t.Context(), 1); v != 7 || err != nil || time.Since(began) != 100*time.Millisecond {
			t.Errorf("%d, %v after %v", v, err, time.Since(began))
		}
	})
}

// Each of n computations starts all the others and waits for none. What that costs is
// polynomial, and whoever calls gets a value.
func TestPrefetchGraphIsPolynomial(t *testing.T) {
	for _, n := range []int{2, 4, 8, 12} {
		for _, takes := range []time.Duration{100 * time.Millisecond, 5 * time.Second} {
			synctest.Test(t, func(t *testing.T) {
				var calls, bodies atomic.Int64
				var f *testFunc[int]
				f = newFunc(t, nil, Options{}, func(ctx context.Context, id int) (int, error) {
					bodies.Add(1)
					for other := range n {
						if other != id {
							calls.Add(1)
							go func() { _, _ = f.load(ctx, other) }()
						}
					}
					time.Sleep(takes)
					return id, nil
				})
				var wg sync.WaitGroup
				for id := range n {
					wg.Go(func() {
						if v, err := f.load(t.Context(), id); v != id || err != nil {
							t.Errorf("%d, %v", v, err)
						}
					})
				}
				wg.Wait()
				time.Sleep(time.Hour)
				if max := int64(n * n * n); bodies.Load() > max || calls.Load() > max*int64(n) {
					t.Errorf("%d keys: %d computations, %d calls", n, bodies.Load(), calls.Load())
				}
				t.Logf("%d keys, %v: %d computations, %d calls", n, takes, bodies.Load(), calls.Load())
			})
		}
	}
}

// A detached computation whose caller has left is none that the caller's computation waits
// for: a call of that one's key inside of it is no certain cycle.
func TestCycleThroughACallerThatLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var outer, inner *testFunc[int]
		outer = newFunc(t, nil, Options{Func: "outer"}, func(ctx context.Context, id int) (int, error) {
			short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
			defer cancel()
			_, err := inner.load(short, id)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
			time.Sleep(300 * time.Millisecond)
			return 1, nil
		})
		inner = newFunc(t, nil, Options{Func: "inner", Detach: true}, func(ctx context.Context, id int) (int, error) {
			time.Sleep(200 * time.Millisecond)
			v, err := outer.load(context.WithoutCancel(ctx), id)
			return v + 1, err
		})
		var wg sync.WaitGroup
		wg.Go(func() {
			time.Sleep(50 * time.Millisecond)
			if v, err := inner.load(t.Context(), 1); v != 2 || err != nil {
				t.Errorf("who joined the inner one: %d, %v", v, err)
			}
		})
		if v, err := outer.load(t.Context(), 1); v != 1 || err != nil {
			t.Errorf("%d, %v", v, err)
		}
		wg.Wait()
	})
}

// A validation that starts a call of what it validates, and does not wait for it, is no cycle;
// one that waits for it comes to an end.
func TestValidationThatStartsACall(t *testing.T) {
	for _, waits := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			runs, validations := 0, 0
			f := newFunc(t, nil, Options{}, counting(&runs))
			k := testKey{id: 1}
			var call func(ctx context.Context) (int, error)
			var cycles, values atomic.Int32
			call = func(ctx context.Context) (int, error) {
				c := f.call(ctx, 1)
				c.Validate = func(ctx context.Context, _ *int) (bool, error) {
					validations++
					done := make(chan bool)
					go func() {
						if _, err := call(ctx); errors.As(err, new(*CycleError)) {
							cycles.Add(1)
						} else if err == nil {
							values.Add(1)
						}
						close(done)
					}()
					if waits {
						<-done
					} else {
						time.Sleep(time.Second)
					}
					return true, nil
				}
				return f.Do(k.hash(), k, c)
			}
			for range 2 {
				if v, err := call(t.Context()); v != 1 || err != nil {
					t.Error(v, err)
				}
			}
			time.Sleep(time.Minute)
			if validations != 2 || cycles.Load() != 1 || values.Load() != 1 {
				t.Errorf("waits %v: %d validations, %d cycles, %d values", waits, validations, cycles.Load(), values.Load())
			}
		})
	}
}

// A goroutine that a body leaves behind uses its context: it is no part of the
// computation any more.
func TestContextOfAnEndedComputationMakesNoCycle(t *testing.T) {
	var kept context.Context
	runs := 0
	f := newFunc(t, nil, Options{}, func(ctx context.Context, _ int) (int, error) {
		kept = ctx
		runs++
		return runs, nil
	})
	f.load(t.Context(), 1)
	f.forget(1)
	if v, err := f.load(kept, 1); v != 2 || err != nil {
		t.Errorf("got %v, %v", v, err)
	}
}

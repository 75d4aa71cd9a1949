package cachert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// ways are the two ways in which a computation runs: on its owner's goroutine, and apart
// from it. Each test of a hazard is made for both.
var ways = []Options{{}, {Detach: true}}

func eachWay(t *testing.T, test func(t *testing.T, o Options)) {
	for _, o := range ways {
		name := "own"
		if o.Detach {
			name = "detached"
		}
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { test(t, o) }) })
	}
}

// cancellable returns a context that can end, so that computations may be detached.
func cancellable(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return ctx, cancel
}

// callers starts n calls of f(1) and returns what came of each, in the order of starts:
// "v", "error: x", "panic: x" or "exit". The first is the owner.
func callers(f *testFunc[int], ctxs ...context.Context) (results func() []string) {
	out := make([]string, len(ctxs))
	var wg sync.WaitGroup
	for i, ctx := range ctxs {
		out[i] = "exit"
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					out[i] = fmt.Sprintf("panic: %v", p)
				}
			}()
			v, err := f.load(ctx, 1)
			out[i] = fmt.Sprint(v)
			if err != nil {
				out[i] = "error: " + err.Error()
			}
		})
		synctest.Wait() // it waits, or computes
	}
	return func() []string {
		wg.Wait()
		return out
	}
}

func wantResults(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPanicGoesToEveryoneWhoWaits(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		type value struct{ x int }
		thrown := &value{7}
		runs := 0
		f := newFunc(t, nil, o, func(context.Context, int) (int, error) {
			if runs++; runs > 1 {
				return runs, nil
			}
			time.Sleep(time.Second)
			panic(thrown)
		})
		ctx, _ := cancellable(t)
		var got [3]any
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() {
				defer func() { got[i] = recover() }()
				f.load(ctx, 1)
			})
		}
		wg.Wait()
		for i := range got {
			if got[i] != any(thrown) {
				t.Errorf("caller %d got %v, not the value itself", i, got[i])
			}
		}
		if v, err := f.load(ctx, 1); v != 2 || err != nil {
			t.Error("the panic was kept", v, err)
		}
	})
}

// A panic on the owner's goroutine shows where it came from.
func TestPanicKeepsItsTrace(t *testing.T) {
	f := newFunc(t, nil, Options{}, func(context.Context, int) (int, error) { return originOfPanic() })
	defer func() {
		recover()
		buf := make([]byte, 1<<16)
		if buf = buf[:runtime.Stack(buf, false)]; !bytes.Contains(buf, []byte("originOfPanic")) {
			t.Errorf("the trace does not show the origin:\n%s", buf)
		}
	}()
	f.load(noCtx, 1)
}

//go:noinline
func originOfPanic() (int, error) { panic("x") }

func TestGoexitHandsOver(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		runs := 0
		f := newFunc(t, nil, o, func(context.Context, int) (int, error) {
			runs++
			time.Sleep(time.Second)
			if runs == 1 {
				runtime.Goexit()
			}
			return runs, nil
		})
		ctx, _ := cancellable(t)
		wantResults(t, callers(f, ctx, ctx, ctx)(), "exit", "2", "2")
	})
}

func TestOwnerCancelledWaiterGetsResult(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		runs := 0
		f := newFunc(t, nil, o, func(ctx context.Context, _ int) (int, error) {
			runs++
			n := runs
			select {
			case <-time.After(time.Second):
				return n, nil
			case <-ctx.Done():
				return 0, fmt.Errorf("query: %w", ctx.Err())
			}
		})
		owner, cancel := cancellable(t)
		waiter, _ := cancellable(t)
		results := callers(f, owner, waiter, waiter)
		time.Sleep(time.Second / 2)
		cancel()
		if o.Detach { // it goes on for the others
			wantResults(t, results(), "error: context canceled", "1", "1")
		} else { // one of the others takes over
			wantResults(t, results(), "error: query: context canceled", "2", "2")
		}
		want(t, f, 1, runs)
	})
}

func TestOwnerDeadlineIsNobodyElses(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		o.ErrorTTL = time.Hour // not even then is it kept
		runs := 0
		f := newFunc(t, nil, o, func(ctx context.Context, _ int) (int, error) {
			runs++
			n := runs
			select {
			case <-time.After(time.Second):
				return n, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		})
		owner, cancel := context.WithTimeout(context.Background(), time.Second/2)
		defer cancel()
		waiter, _ := cancellable(t)
		start := time.Now()
		got := callers(f, owner, waiter)()
		if o.Detach {
			wantResults(t, got, "error: context deadline exceeded", "1")
		} else {
			wantResults(t, got, "error: context deadline exceeded", "2")
		}
		if d := time.Since(start); d > 3*time.Second/2 {
			t.Errorf("it took %v", d)
		}
	})
}

func TestAllCancelledEndsTheComputation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cause error
		ended := false
		f := newFunc(t, nil, Options{Detach: true}, func(ctx context.Context, _ int) (int, error) {
			if ended {
				return 2, nil
			}
			<-ctx.Done()
			cause = context.Cause(ctx)
			time.Sleep(time.Second) // it is slow to stop
			ended = true
			return 0, ctx.Err()
		})
		a, cancelA := cancellable(t)
		b, cancelB := cancellable(t)
		results := callers(f, a, b)
		cancelA()
		synctest.Wait()
		if cause != nil {
			t.Fatal("cancelled while somebody waits")
		}
		cancelB()
		wantResults(t, results(), "error: context canceled", "error: context canceled")
		// A call that comes while it stops waits for its end and is not given its error.
		c, _ := cancellable(t)
		wantResults(t, callers(f, c)(), "2")
		if cause != errAbandoned {
			t.Error(cause)
		}
	})
}

func TestRealErrorGoesToEveryone(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		runs := 0
		f := newFunc(t, nil, o, func(context.Context, int) (int, error) {
			runs++
			time.Sleep(time.Second)
			return 0, fmt.Errorf("down %d", runs)
		})
		ctx, _ := cancellable(t)
		wantResults(t, callers(f, ctx, ctx, ctx)(), "error: down 1", "error: down 1", "error: down 1")
		wantResults(t, callers(f, ctx)(), "error: down 2")
	})
}

func TestTimeoutIsTheComputations(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		o.Timeout = time.Second
		f := newFunc(t, nil, o, func(ctx context.Context, _ int) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		ctx, _ := cancellable(t)
		start := time.Now()
		wantResults(t, callers(f, ctx, ctx)(), "error: context deadline exceeded", "error: context deadline exceeded")
		if d := time.Since(start); d != time.Second || f.Stats().Loads != 1 {
			t.Error(d, f.Stats())
		}
	})
}

func TestWaiterComputesForItselfAfterWait(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		lines := logged(t)
		o.Wait = time.Second
		var runs atomic.Int32
		f := newFunc(t, nil, o, func(context.Context, int) (int, error) {
			n := int(runs.Add(1))
			if n == 1 {
				time.Sleep(time.Hour)
			}
			return n, nil
		})
		ctx, _ := cancellable(t)
		results := callers(f, ctx, ctx)
		time.Sleep(time.Second)
		synctest.Wait()
		want(t, f, 1, 2) // what the waiter computed is there for others
		wantResults(t, results(), "1", "2")
		if got := lines(); len(got) != 1 || !strings.Contains(got[0], "waited 1s") || !strings.Contains(got[0], f.store.o.Func) {
			t.Errorf("%q", got)
		}
		if f.Stats().Waited != 1 {
			t.Error(f.Stats())
		}
	})
}

// drops are the events that make a running computation's result outdated.
var drops = map[string]func(f *testFunc[int]){
	"Clear":      func(f *testFunc[int]) { f.Clear() },
	"Forget":     func(f *testFunc[int]) { f.forget(1) },
	"Invalidate": func(f *testFunc[int]) { Invalidate(context.Background(), "user:1") },
	"tag":        func(f *testFunc[int]) { Invalidate(context.Background(), "all") },
	"inner tag":  func(f *testFunc[int]) { Invalidate(context.Background(), "inner") },
	"session":    func(f *testFunc[int]) { EndSession(context.Background(), "drops") },
}

func TestEventDuringComputationKeepsItsResultOut(t *testing.T) {
	for name, drop := range drops {
		t.Run(name, func(t *testing.T) {
			eachWay(t, func(t *testing.T, o Options) {
				o.Tags, o.Session = []string{"all"}, true
				var source atomic.Int64
				inner := newFunc(t, nil, Options{Func: "inner", Tags: []string{"inner"}}, func(context.Context, int) (int, error) {
					return int(source.Load()), nil
				})
				f := newFunc(t, nil, o, func(ctx context.Context, _ int) (int, error) {
					n, _ := inner.load(ctx, 1)
					time.Sleep(time.Second)
					return n, nil
				})
				f.tags = func(id int) []string { return []string{fmt.Sprint("user:", id)} }
				ctx := WithSession(context.Background(), "drops")
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				before := callers(f, ctx, ctx)
				time.Sleep(time.Second / 2)
				source.Store(1)
				inner.Clear()
				drop(f)
				after := callers(f, ctx, ctx)
				wantResults(t, before(), "0", "0")
				start := time.Now()
				wantResults(t, after(), "1", "1")
				if d := time.Since(start); d > time.Second {
					t.Errorf("they waited %v more", d)
				}
				if s := f.Stats(); s.Loads != 2 {
					t.Errorf("%+v", s)
				}
				if v, _ := f.load(ctx, 1); v != 1 {
					t.Error(v)
				}
			})
		})
	}
}

func TestRefreshTakesThePlaceOfARunningComputation(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		var runs atomic.Int32
		f := newFunc(t, nil, o, func(context.Context, int) (int, error) {
			n := int(runs.Add(1))
			time.Sleep(time.Second)
			return n, nil
		})
		ctx, _ := cancellable(t)
		before := callers(f, ctx)
		time.Sleep(time.Second / 2)
		if v, err := f.refresh(ctx, 1); v != 2 || err != nil {
			t.Errorf("Refresh returned %v, %v: a result that was begun before it", v, err)
		}
		wantResults(t, before(), "1")
		want(t, f, 1, 2)
	})
}

func TestRefreshServesTheOldMeanwhile(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		bad := errors.New("down")
		runs := 0
		f := newFunc(t, nil, o, func(context.Context, int) (int, error) {
			runs++
			time.Sleep(time.Second)
			if runs == 2 {
				return 0, bad
			}
			return runs, nil
		})
		ctx, _ := cancellable(t)
		want(t, f, 1, 1)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := f.refresh(ctx, 1); err != bad {
				t.Error(err)
			}
		})
		time.Sleep(time.Second / 2)
		want(t, f, 1, 1)
		wg.Wait()
		want(t, f, 1, 1)
		var got [3]int
		for i := range got { // the first one's was begun before the others called; one more does for both
			wg.Go(func() { got[i], _ = f.refresh(ctx, 1) })
			synctest.Wait()
		}
		wg.Wait()
		if got != [3]int{3, 4, 4} {
			t.Error(got)
		}
		want(t, f, 1, 4)
	})
}

func TestForgetDuringRefreshDropsItsResult(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		runs := 0
		f := newFunc(t, nil, o, func(context.Context, int) (int, error) {
			runs++
			n := runs
			time.Sleep(time.Second)
			return n, nil
		})
		ctx, _ := cancellable(t)
		var wg sync.WaitGroup
		wg.Go(func() { f.refresh(ctx, 1) })
		time.Sleep(time.Second / 2)
		f.forget(1)
		wg.Wait()
		if _, ok := f.peek(1); ok {
			t.Error("a refresh published over a Forget")
		}
	})
}

func TestPrimeWinsOverARunningComputation(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		f := newFunc(t, nil, o, func(context.Context, int) (int, error) { time.Sleep(time.Second); return 1, nil })
		ctx, _ := cancellable(t)
		before := callers(f, ctx)
		f.prime(1, 7)
		want(t, f, 1, 7)
		wantResults(t, before(), "1")
		want(t, f, 1, 7)
	})
}

func TestCycleGetsAnErrorThatNamesIt(t *testing.T) {
	// fns[i] calls what calls[i] lists, over links that pass the context on or do not, on
	// the same goroutine or another.
	type link func(ctx context.Context, f *testFunc[int]) error
	same := func(ctx context.Context, f *testFunc[int]) error { _, err := f.load(ctx, 1); return err }
	without := func(_ context.Context, f *testFunc[int]) error { _, err := f.load(noCtx, 1); return err }
	other := func(ctx context.Context, f *testFunc[int]) error {
		c := make(chan error)
		go func() { c <- same(ctx, f) }()
		return <-c
	}
	for name, l := range map[string]link{"by context": same, "by goroutine": without, "over a goroutine of its own": other} {
		for n := 1; n <= 3; n++ {
			t.Run(fmt.Sprintf("%s/%d", name, n), func(t *testing.T) {
				eachWay(t, func(t *testing.T, o Options) {
					fns := make([]*testFunc[int], n)
					for i := range fns {
						o := o
						o.Func = fmt.Sprint("f", i)
						fns[i] = newFunc(t, nil, o, func(ctx context.Context, _ int) (int, error) {
							return 1, l(ctx, fns[(i+1)%n])
						})
					}
					ctx, _ := cancellable(t)
					_, err := fns[0].load(ctx, 1)
					var cycle *CycleError
					if !errors.As(err, &cycle) || len(cycle.Funcs) != n+1 || cycle.Funcs[0] != cycle.Funcs[n] {
						t.Errorf("%v", err)
					}
				})
			})
		}
		// The functions are started at once, each on its own goroutine: none finds itself
		// above, and all would wait for one another.
		for n := 2; n <= 3; n++ {
			t.Run(fmt.Sprintf("%s/waiting/%d", name, n), func(t *testing.T) {
				eachWay(t, func(t *testing.T, o Options) {
					fns := make([]*testFunc[int], n)
					for i := range fns {
						o := o
						o.Func = fmt.Sprint("f", i)
						fns[i] = newFunc(t, nil, o, func(ctx context.Context, _ int) (int, error) {
							time.Sleep(time.Second)
							if err := l(ctx, fns[(i+1)%n]); err != nil {
								return 0, err
							}
							return 1, nil
						})
					}
					ctx, _ := cancellable(t)
					var wg sync.WaitGroup
					var found atomic.Int32
					for _, f := range fns {
						wg.Go(func() {
							_, err := f.load(ctx, 1)
							var cycle *CycleError
							if errors.As(err, &cycle) {
								found.Add(1)
								if len(cycle.Funcs) != n+1 || cycle.Funcs[0] != cycle.Funcs[n] {
									t.Error(err)
								}
							}
						})
					}
					wg.Wait() // the bubble would find the deadlock
					if found.Load() == 0 {
						t.Error("no cycle was found")
					}
				})
			})
		}
	}
}

// Two that wait for the same third are no cycle, and neither is a function that calls
// itself with other arguments.
func TestSharedDependencyIsNoCycle(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		var fib *testFunc[int]
		fib = newFunc(t, nil, o, func(ctx context.Context, n int) (int, error) {
			if n < 2 {
				return n, nil
			}
			time.Sleep(time.Millisecond)
			var a, b int
			var ea, eb error
			var wg sync.WaitGroup
			wg.Go(func() { a, ea = fib.load(ctx, n-1) })
			wg.Go(func() { b, eb = fib.load(ctx, n-2) })
			wg.Wait()
			return a + b, errors.Join(ea, eb)
		})
		ctx, _ := cancellable(t)
		if v, err := fib.load(ctx, 30); v != 832040 || err != nil {
			t.Error(v, err)
		}
		if s := fib.Stats(); s.Loads != 31 {
			t.Error(s)
		}
	})
}

// A body that waits for a goroutine of its own which does not pass the context on cannot be
// seen; Options.Wait ends it.
func TestUnseenCycleEndsAtWait(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		logged(t)
		o.Wait = time.Second
		var depth atomic.Int32
		var f *testFunc[int]
		f = newFunc(t, nil, o, func(context.Context, int) (int, error) {
			if depth.Add(1) == 3 {
				return 3, nil
			}
			c := make(chan int)
			go func() {
				v, _ := f.load(context.Background(), 1)
				c <- v
			}()
			return <-c, nil
		})
		ctx, _ := cancellable(t)
		wantResults(t, callers(f, ctx)(), "3")
	})
}

// The engine keeps no argument longer than the body does: a caller that left may use its
// memory again, once it knows that the body has ended.
func TestCallerReusesItsArgument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arg := []int{1}
		copied := slices.Clone(arg) // as generated code does for arguments that can change
		s := newTyped[testKey, int](nil, Options{Func: "reuse", Detach: true})
		ctx, cancel := cancellable(t)
		other, _ := cancellable(t)
		call := func(ctx context.Context, arg []int) (int, error) {
			return s.Do(1, testKey{id: arg[0]}, typedCall[int]{Ctx: ctx, Run: func(context.Context) (int, error) {
				time.Sleep(time.Second)
				return arg[0], nil
			}})
		}
		var wg sync.WaitGroup
		wg.Go(func() { call(ctx, copied) })
		synctest.Wait()
		wg.Go(func() {
			if v, err := call(other, []int{1}); v != 1 || err != nil {
				t.Error(v, err)
			}
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		arg[0] = 2
		wg.Wait()
	})
}

func TestShutdownWaitsForComputations(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		defer stopped.Store(false)
		ops := newHandleOps()
		body, made := making()
		o.Grace = time.Minute
		f := newFunc(t, ops, o, func(ctx context.Context, id int) (*handle, error) {
			time.Sleep(time.Second)
			return body(ctx, id)
		})
		ctx, _ := cancellable(t)
		kept, _ := f.load(ctx, 2)
		leased, done, _ := f.acquire(ctx, 3)
		var wg sync.WaitGroup
		wg.Go(func() {
			if v, err := f.load(ctx, 1); v == nil || err != nil {
				t.Error(v, err)
			}
		})
		time.Sleep(time.Second / 2)
		wg.Go(func() {
			time.Sleep(10 * time.Second)
			done()
		})
		if err := Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if kept.released.Load() != 1 || leased.released.Load() != 1 {
			t.Error("Shutdown left a resource", kept.released.Load(), leased.released.Load())
		}
		wg.Wait()
		own, _ := f.load(ctx, 1) // straight through now
		time.Sleep(time.Minute)
		synctest.Wait()
		if v := made()[2]; v.released.Load() != 1 {
			t.Errorf("the value of the computation that was running: %d releases", v.released.Load())
		}
		if own.released.Load() != 0 || f.Stats().Entries != 0 {
			t.Error("something is kept after Shutdown")
		}
	})
}

func TestShutdownSaysWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer stopped.Store(false)
		body, _ := making()
		f := newFunc(t, newHandleOps(), Options{Func: "shop.connect"}, body)
		_, done, _ := f.acquire(noCtx, 1)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "shop.connect") {
			t.Error(err)
		}
		done()
		time.Sleep(time.Second)
	})
}

func TestShutdownStopsRefreshes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer stopped.Store(false)
		logged(t)
		runs := 0
		var cause error
		f := newFunc(t, nil, Options{TTL: time.Minute, Stale: time.Hour}, func(ctx context.Context, _ int) (int, error) {
			if runs++; runs == 1 {
				return 1, nil
			}
			<-ctx.Done()
			cause = context.Cause(ctx)
			return 0, ctx.Err()
		})
		ctx, _ := cancellable(t)
		f.load(ctx, 1)
		time.Sleep(time.Minute)
		f.load(ctx, 1)
		synctest.Wait()
		if err := Shutdown(context.Background()); err != nil || cause != errShutdown {
			t.Error(err, cause)
		}
		synctest.Wait()
	})
}

// Everything at once, for the race detector and for what is left at the end.
func TestNothingIsLeftAfterStress(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		o.TTL, o.Stale, o.Max, o.Tags = 50*time.Millisecond, 50*time.Millisecond, 8, []string{"stress"}
		o.Grace, o.Wait = time.Millisecond, 20*time.Millisecond
		logged(t)
		ops := newHandleOps()
		body, made := making()
		var n atomic.Int64
		f := newFunc(t, ops, o, func(ctx context.Context, id int) (*handle, error) {
			k := n.Add(1)
			select {
			case <-time.After(time.Duration(k%7) * time.Millisecond):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			switch k % 31 {
			case 3:
				return nil, errors.New("down")
			case 5:
				panic("thrown")
			case 7:
				runtime.Goexit()
			}
			return body(ctx, id)
		})
		var wg sync.WaitGroup
		for g := range 16 {
			wg.Go(func() {
				for i := range 100 {
					c := make(chan struct{})
					go func() { // it may exit
						defer close(c)
						defer func() { recover() }()
						ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i%5+1)*2*time.Millisecond)
						defer cancel()
						id := (g + i) % 12
						switch (g*7 + i) % 23 {
						case 0:
							f.forget(id)
						case 1:
							f.Clear()
						case 2:
							Invalidate(ctx, "stress")
						case 3:
							f.refresh(ctx, id)
						case 4, 5, 6:
							v, done, err := f.acquire(ctx, id)
							if err == nil {
								time.Sleep(time.Duration(i%4) * time.Millisecond)
								if v.released.Load() != 0 {
									t.Error("an acquired value is released")
								}
							}
							done()
						default:
							f.load(ctx, id)
						}
					}()
					<-c
				}
			})
		}
		wg.Wait()
		synctest.Wait()
		f.store.check(t)
		f.Clear()
		time.Sleep(time.Second)
		synctest.Wait()
		for _, h := range made() {
			if n := h.released.Load(); n != 1 {
				t.Fatalf("value %d of %d was released %d times", h.id, len(made()), n)
			}
		}
		if refreshing.Load() != 0 {
			t.Error("places in the pool of refreshes are lost")
		}
	})
}

// A hit inside of a computation takes the facts of an entry without a lock, at the very
// moment when it is published.
func TestFactsAreThereWhenAnEntryIsPublished(t *testing.T) {
	f := newFunc(t, nil, Options{}, func(context.Context, int) (int, error) { return 0, nil })
	f.tags = func(int) []string { return []string{"t"} }
	const n = 2000
	var at atomic.Int64
	var wg sync.WaitGroup
	wg.Go(func() {
		for at.Load() < n {
			fr := &frame{}
			fr.open(0)
			ctx := newBodyCtx(context.Background(), fr, nil, false)
			k := testKey{id: int(at.Load()), name: "k"}
			if f.GetCtx(ctx, k.hash(), &k) != nil {
				if x, _, _ := fr.gathered(true); !x.kept || x.expires != never || len(x.tags) != 1 {
					t.Errorf("the facts of a kept entry are %+v", x)
					at.Store(n)
				}
			}
		}
	})
	for i := range n {
		at.Store(int64(i))
		f.load(noCtx, i)
		runtime.Gosched()
	}
	at.Store(n)
	wg.Wait()
}

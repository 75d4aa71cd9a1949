package cachert

import (
	"context"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachegen/cachegen/cache/surface"
)

// releaseOps are those of a resource.
type releaseOps[V any] struct {
	released *[]V
	keep     func(*V) bool
	ttl      func(*V) time.Duration
}

func (o releaseOps[V]) Release(v *V) { *o.released = append(*o.released, *v) }
func (o releaseOps[V]) Keep(v *V) bool {
	return o.keep == nil || o.keep(v)
}
func (o releaseOps[V]) TTL(v *V) time.Duration {
	if o.ttl == nil {
		return math.MaxInt64
	}
	return o.ttl(v)
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

type inputMap map[string]string

func (m inputMap) Value(widget string) ([]byte, bool) {
	v, ok := m[widget]
	return surface.EncodeInput([]string{v}, nil), ok
}

// What a plain function reads of a request, or of the absence of a session, is its
// caller's own.
func TestWaitersAreNotGivenWhatAnothersRequestSaid(t *testing.T) {
	for name, read := range map[string]func(context.Context) string{
		"input": func(ctx context.Context) string { return Input(ctx, "user") },
		"session": func(ctx context.Context) string {
			id, _ := SessionOf(ctx)
			return id
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFunc(t, nil, Options{TrackContext: true}, func(ctx context.Context, _ int) (string, error) {
					time.Sleep(time.Second)
					return read(ctx), nil
				})
				var wg sync.WaitGroup
				for _, u := range []string{"", "ann", "bob"} {
					ctx := WithInputs(t.Context(), inputMap{"input:user": u})
					if u != "" {
						ctx = WithSession(ctx, u)
					}
					wg.Go(func() {
						if got, err := f.load(ctx, 1); got != u || err != nil {
							t.Errorf("%q was given %q, %v", u, got, err)
						}
					})
					synctest.Wait()
				}
				wg.Wait()
				for _, u := range []string{"", "cid"} {
					ctx := WithInputs(t.Context(), inputMap{"input:user": u})
					if u != "" {
						ctx = WithSession(ctx, u)
					}
					if got, err := f.load(ctx, 1); got != u || err != nil {
						t.Errorf("%q was given %q, %v afterwards", u, got, err)
					}
				}
			})
		})
	}
}

type slowCopy struct{ owner *uintptr }

func (o slowCopy) Copy(v *[]int) []int {
	if goroutine() != *o.owner {
		time.Sleep(time.Second)
	}
	return slices.Clone(*v)
}
func (o slowCopy) Keep(*[]int) bool { return false }

// A body may return its argument, and the result not be kept: those who wait are out of
// the caller's reach all the same.
func TestUnkeptValueOfAWaiterIsOutOfTheOwnersReach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var owner uintptr
		arg := []int{1, 2}
		f := newFunc(t, slowCopy{&owner}, Options{}, func(context.Context, int) ([]int, error) {
			owner = goroutine()
			time.Sleep(time.Second)
			return arg, nil
		})
		var wg sync.WaitGroup
		wg.Go(func() {
			f.load(noCtx, 1)
			arg[0] = 100
		})
		synctest.Wait()
		wg.Go(func() {
			if v, err := f.load(noCtx, 1); err != nil || !slices.Equal(v, []int{1, 2}) {
				t.Errorf("who waited gets %v, %v", v, err)
			}
		})
		wg.Wait()
	})
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

// Who joins a refresh and gives up disturbs it as little as any other computation.
func TestLeavingARefreshDoesNotEndIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{TTL: time.Minute, Stale: time.Hour, Detach: true}, func(ctx context.Context, _ int) (int, error) {
			runs++
			run := runs
			select {
			case <-time.After(10 * time.Second):
				return run, nil
			case <-ctx.Done():
				return 0, context.Cause(ctx)
			}
		})
		f.load(t.Context(), 1)
		time.Sleep(2 * time.Minute)
		f.load(t.Context(), 1) // stale; begins the refresh
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		f.refresh(ctx, 1)
		time.Sleep(20 * time.Second)
		if v, ok := f.peek(1); v != 2 || !ok {
			t.Errorf("after the refresh there is %v, %v; %+v", v, ok, f.Stats())
		}
	})
}

type badIdent struct{ released *int }

func (o badIdent) Release(*any)     { *o.released++ }
func (o badIdent) Ident(v *any) any { return *v }

// A resource behind an interface may be of a type that cannot be compared.
func TestIdentityThatCannotBeCompared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		released := 0
		f := newFunc(t, badIdent{&released}, Options{Resource: true}, func(context.Context, int) (any, error) {
			return []int{1}, nil
		})
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() { recover() }()
			f.load(noCtx, 1)
		}()
		<-done
		if !f.store.mu.TryLock() {
			t.Fatal("the lock is held")
		}
		f.store.mu.Unlock()
		f.prime(2, []int{2})
		f.Clear()
		synctest.Wait()
		if released != 2 {
			t.Errorf("%d of 2 released", released)
		}
	})
}

// A value is released even if a function of the user's panicked over it.
func TestValueOfAPanickingKeepIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var released []int
		f := newFunc(t, releaseOps[int]{released: &released, keep: func(*int) bool { panic("keep") }}, Options{Resource: true}, func(context.Context, int) (int, error) {
			return 7, nil
		})
		func() {
			defer func() { recover() }()
			f.load(noCtx, 1)
		}()
		synctest.Wait()
		if !slices.Equal(released, []int{7}) {
			t.Errorf("released: %v", released)
		}
	})
}

// Prime hands a resource over, whether it can be kept or not.
func TestPrimedValueThatIsNotKeptIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var released []int
		f := newFunc[int](t, releaseOps[int]{released: &released, ttl: func(*int) time.Duration { return 0 }}, Options{Resource: true}, nil)
		f.prime(1, 5)
		synctest.Wait()
		if !slices.Equal(released, []int{5}) {
			t.Errorf("released: %v", released)
		}
	})
}

// After Shutdown calls go straight through, those that would have hit as well.
func TestNothingIsServedAfterShutdown(t *testing.T) {
	defer stopped.Store(false)
	runs := 0
	f := newFunc(t, nil, Options{}, counting(&runs))
	want(t, f, 1, 1)
	if err := Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, f, 1, 2)
	want(t, f, 1, 3)
}

// Shutdown ends a refresh, and not the call of somebody who waits for it by now.
func TestShutdownOfARefreshThatIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer stopped.Store(false)
		runs := 0
		f := newFunc(t, nil, Options{TTL: time.Minute, Stale: time.Minute}, func(ctx context.Context, _ int) (int, error) {
			if runs++; runs == 2 {
				<-ctx.Done()
				return 0, ctx.Err()
			}
			return runs, nil
		})
		f.load(t.Context(), 1)
		time.Sleep(time.Minute)
		f.load(t.Context(), 1) // begins the refresh
		time.Sleep(time.Minute)
		var wg sync.WaitGroup
		wg.Go(func() {
			if v, err := f.load(t.Context(), 1); v != 3 || err != nil {
				t.Errorf("who waits for the refresh gets %v, %v", v, err)
			}
		})
		synctest.Wait()
		if err := Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		wg.Wait()
	})
}

type hugeOps struct{}

func (hugeOps) Size(*int) int64 { return math.MaxInt64 }

// A size beyond all bounds is not one below them.
func TestHugeSizeIsNotKept(t *testing.T) {
	f := newFunc(t, hugeOps{}, Options{MaxBytes: 1000}, func(context.Context, int) (int, error) { return 1, nil })
	f.load(noCtx, 1)
	f.prime(2, 2)
	if s := f.Stats(); s.Entries != 0 {
		t.Errorf("%d entries are kept", s.Entries)
	}
}

// What is stored at the moment when the alarm goes off does not put it off.
func TestStoringDoesNotPutOffTheAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFunc(t, nil, Options{TTL: 10 * time.Second}, func(context.Context, int) (int, error) { return 1, nil })
		f.load(noCtx, 1)
		s := f.store
		s.mu.Lock()
		time.Sleep(10 * time.Second) // the alarm goes off, and waits for the lock
		s.alarm.set(s, after(clock(), 10*time.Second))
		s.mu.Unlock()
		synctest.Wait()
		if n := f.Stats().Entries; n != 0 {
			t.Errorf("%d entries are left", n)
		}
	})
}

// What Invalidate is told of reaches a result that was made under Bypass from a function
// with that tag.
func TestTagsCountUnderBypass(t *testing.T) {
	inner := newFunc(t, nil, Options{Func: "inner", Tags: []string{"review-static"}}, func(context.Context, int) (int, error) { return 1, nil })
	inner.tags = func(int) []string { return []string{"review-dynamic"} }
	runs := 0
	outer := newFunc(t, nil, Options{Func: "outer"}, func(ctx context.Context, id int) (int, error) {
		runs++
		inner.load(Bypass(ctx), id)
		return runs, nil
	})
	for i, tag := range []string{"", "review-static", "review-dynamic"} {
		if tag != "" {
			Invalidate(t.Context(), tag)
		}
		if v, _ := outer.load(t.Context(), 1); v != i+1 {
			t.Errorf("after Invalidate(%q) run %d is served", tag, v)
		}
	}
}

// What a session's function gave past the cache is that session's all the same: a
// computation that used it gives it to nobody else.
func TestSessionCountsUnderBypass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newFunc[string](t, nil, Options{Func: "inner", Session: true}, nil)
		outer := newFunc(t, nil, Options{Func: "outer"}, func(ctx context.Context, _ int) (string, error) {
			time.Sleep(time.Second)
			return inner.Do(1, testKey{id: 1}, typedCall[string]{Ctx: Bypass(ctx), Run: func(ctx context.Context) (string, error) {
				return callOf(ctx).session, nil
			}})
		})
		var wg sync.WaitGroup
		for _, id := range []string{"ann", "bob", "cid"} {
			if id == "cid" {
				wg.Wait()
			}
			wg.Go(func() {
				if v, err := outer.load(WithSession(t.Context(), id), 1); v != id || err != nil {
					t.Errorf("%s was given the result of %s, %v", id, v, err)
				}
			})
			synctest.Wait()
		}
		wg.Wait()
	})
}

// The computation in which a stale value was hit does not wait for its refresh.
func TestRefreshIsNotPartOfTheComputationThatBeganIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var outer *testFunc[int]
		var failed error
		runs := 0
		inner := newFunc(t, nil, Options{Func: "inner", TTL: time.Minute, Stale: time.Hour, Detach: true}, func(ctx context.Context, id int) (int, error) {
			if runs++; runs == 1 {
				return 1, nil
			}
			_, failed = outer.load(ctx, id)
			return runs, failed
		})
		outer = newFunc(t, nil, Options{Func: "outer"}, func(ctx context.Context, id int) (int, error) {
			v, err := inner.load(ctx, id)
			time.Sleep(time.Second)
			return v, err
		})
		inner.load(t.Context(), 1)
		time.Sleep(2 * time.Minute)
		if v, err := outer.load(t.Context(), 1); v != 1 || err != nil {
			t.Fatal(v, err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if failed != nil {
			t.Error(failed)
		}
	})
}

// A computation that began before a Refresh does not take the place of its result.
func TestOlderComputationDoesNotReplaceARefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{Wait: time.Second}, func(context.Context, int) (int, error) {
			runs++
			run := runs
			if run == 1 {
				time.Sleep(time.Minute)
			}
			return run, nil
		})
		logged(t)
		var wg sync.WaitGroup
		wg.Go(func() { f.load(noCtx, 1) })
		synctest.Wait()
		if v, err := f.refresh(noCtx, 1); v != 2 || err != nil {
			t.Error(v, err)
		}
		wg.Wait()
		want(t, f, 1, 2)
	})
}

// A refresh that gives what is not to be kept backs off as one that fails does.
func TestRefreshThatIsNotKeptBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		f := newFunc(t, releaseOps[int]{released: new([]int), keep: func(v *int) bool { return *v == 1 }, ttl: func(*int) time.Duration { return time.Minute }},
			Options{TTL: time.Minute, Stale: time.Hour, Resource: true}, counting(&runs))
		want(t, f, 1, 1)
		time.Sleep(2 * time.Minute)
		for range 10 {
			want(t, f, 1, 1)
			synctest.Wait()
		}
		if runs != 2 {
			t.Errorf("%d refreshes within no time", runs-1)
		}
	})
}

// A kept error has no value that a validation could be asked about.
func TestKeptErrorIsNotValidated(t *testing.T) {
	f := newFunc(t, nil, Options{ErrorTTL: time.Minute}, func(context.Context, int) (*int, error) { return nil, context.DeadlineExceeded })
	c := f.call(noCtx, 1)
	c.Validate = func(_ context.Context, v **int) (bool, error) { return **v > 0, nil }
	k := testKey{id: 1}
	for range 2 {
		if _, err := f.Do(k.hash(), k, c); err != context.DeadlineExceeded {
			t.Error(err)
		}
	}
	if s := f.Stats(); s.Loads != 1 {
		t.Errorf("computed %d times", s.Loads)
	}
}

// A call whose parent has ended counts for nobody beyond it while it waits, and the end of
// its wait ends no other call's.
func TestWaitInsideOfAnEndedCall(t *testing.T) {
	st := newFunc[int](t, nil, Options{}, nil).store
	root := &call{st: st}
	other := &call{st: st, parent: root}
	ended := &call{st: st, parent: root}
	left := &call{st: st, parent: ended}
	ended.ended.Store(true)
	f := &flight{st: st, call: &call{st: st}}
	wait := func(outer *call, f *flight) (*waiter, []*call) {
		w, ring, _ := (&caller{outer: outer}).waitFor(f)
		return w, ring
	}
	toRoot := &flight{st: st, call: root}
	fromOther, _ := wait(other, f)
	fromLeft, _ := wait(left, f)
	f.waited(fromLeft)
	if _, ring := wait(f.call, toRoot); len(ring) != 2 {
		t.Errorf("root waits for f, and the cycle is %v", ring)
	}
	fromLeft, _ = wait(left, f)
	f.waited(fromOther)
	if w, ring := wait(f.call, toRoot); w == nil || ring != nil {
		t.Errorf("root does not wait for f, and the cycle is %v", ring)
	}
	if f.waited(fromLeft); len(f.call.waiters) != 0 {
		t.Errorf("%d still wait for f", len(f.call.waiters))
	}
}

// Stale is for what is stored from then on: of what was stored before, nobody could tell
// how often its refresh has failed.
func TestStaleThatIsConfiguredLater(t *testing.T) {
	defer func(old []override) { overrides = old }(overrides)
	synctest.Test(t, func(t *testing.T) {
		logged(t)
		runs := 0
		f := newFunc(t, nil, Options{Func: "review.stale", TTL: time.Minute, Detach: true}, func(context.Context, int) (int, error) {
			if runs++; runs > 1 {
				return 0, context.DeadlineExceeded
			}
			return runs, nil
		})
		want(t, f, 1, 1)
		if err := Configure("review.stale", Override{Stale: time.Hour}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		for range 10 {
			f.load(noCtx, 1)
			synctest.Wait()
		}
		if n := f.Stats().RefreshFailed; n > 1 {
			t.Errorf("%d refreshes within no time", n)
		}
	})
}

// Caches that are set back know nothing of a Shutdown that did not come to its end: values
// have their grace again.
func TestResetUndoesAShutdownThatTimedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body, made := making()
		f := newFunc(t, newHandleOps(), Options{Grace: time.Minute}, body)
		_, done, _ := f.acquire(noCtx, 1)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := Shutdown(ctx); err == nil {
			t.Error("Shutdown did not wait for the lease")
		}
		reset()
		f.load(noCtx, 2)
		f.Clear()
		synctest.Wait()
		if made()[1].released.Load() != 0 {
			t.Error("a value is released without its grace")
		}
		done()
		time.Sleep(time.Minute)
		synctest.Wait()
	})
}

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

// parts is a body that takes five seconds and, when its context ends, returns what it has got
// so far, without an error.
func parts(runs *atomic.Int32) func(context.Context, int) (int, error) {
	return func(ctx context.Context, _ int) (int, error) {
		if runs != nil {
			runs.Add(1)
		}
		got := 0
		for range 5 {
			select {
			case <-ctx.Done():
				return got, nil
			case <-time.After(time.Second):
				got++
			}
		}
		return got, nil
	}
}

// What a body without an error result returns when its context has ended is for nobody but the
// caller that it was computed for.
func TestUnfinishedResultIsItsOwnersAlone(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		o.ErrorResult = NoError
		var runs atomic.Int32
		f := newFunc(t, nil, o, parts(&runs))
		owner, cancel := cancellable(t)
		waiter, _ := cancellable(t)
		results := callers(f, owner, waiter, waiter)
		time.Sleep(1500 * time.Millisecond)
		cancel()
		if o.Detach {
			// It goes on for the others; the body, run on for the one who left, has nothing yet.
			wantResults(t, results(), "0", "5", "5")
		} else {
			wantResults(t, results(), "1", "5", "5")
		}
		want(t, f, 1, 5)
		if n := runs.Load(); n != 2 {
			t.Errorf("%d computations", n)
		}
	})
}

// All have left: nothing is kept, and who comes while the body stops is not given what it got.
func TestUnfinishedResultOfAnAbandonedComputation(t *testing.T) {
	for _, says := range []ErrorResult{ErrorUnknown, NoError} {
		eachWay(t, func(t *testing.T, o Options) {
			o.ErrorResult = says
			var runs atomic.Int64
			f := newFunc(t, nil, o, func(ctx context.Context, id int) (int, error) {
				n, err := parts(nil)(ctx, id)
				if runs.Add(1)%2 == 1 {
					time.Sleep(time.Second)
				}
				return n, err
			})
			f.store.o.ErrorResult = says
			owner, cancel := cancellable(t)
			results := callers(f, owner)
			time.Sleep(1500 * time.Millisecond)
			cancel()
			synctest.Wait()
			late := callers(f, context.Background())
			results()
			wantResults(t, late(), "5")
			want(t, f, 1, 5)
		})
	}
}

// The deadline of the computation itself ends it for all; nobody is kept waiting for one
// after the other.
func TestUnfinishedResultAtTimeoutEndsForAll(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		o.ErrorResult, o.Timeout = NoError, 1500*time.Millisecond
		f := newFunc(t, nil, o, parts(nil))
		ctx, _ := cancellable(t)
		start := time.Now()
		wantResults(t, callers(f, ctx, ctx, ctx, ctx, ctx)(), "1", "1", "1", "1", "1")
		if d := time.Since(start); d > 3*o.Timeout {
			t.Errorf("it took %v", d)
		}
		if s := f.Stats(); s.Entries != 0 || s.NotKept != s.Loads {
			t.Errorf("%+v", s)
		}
	})
}

// A function with an error result that returns none says that its result is whole.
func TestResultOfABodyThatWentOnIsKept(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		var runs atomic.Int32
		f := newFunc(t, nil, o, func(context.Context, int) (int, error) {
			runs.Add(1)
			time.Sleep(time.Second)
			return 5, nil
		})
		ctx, cancel := context.WithTimeout(context.Background(), time.Second/2)
		defer cancel()
		callers(f, ctx)()
		time.Sleep(time.Second)
		want(t, f, 1, 5)
		if runs.Load() != 1 {
			t.Error("what it returned without an error was not kept")
		}
	})
}

// An unfinished result that went into another one makes that one unfinished: the deadline of
// the inner function alone does, and with the end of the outer one's context also an error that
// the outer function passed over.
func TestUnfinishedResultInsideOfAnother(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		limited := newFunc(t, nil, Options{ErrorResult: NoError, Timeout: 1500 * time.Millisecond}, parts(nil))
		f := newFunc(t, nil, o, func(ctx context.Context, _ int) (int, error) {
			n, err := limited.load(ctx, 1)
			return 10 + n, err
		})
		ctx, _ := cancellable(t)
		wantResults(t, callers(f, ctx, ctx)(), "11", "11")
		if s := f.Stats(); s.Loads != 2 || s.Entries != 0 {
			t.Errorf("a waiter was given it: %+v", s)
		}

		query := newFunc(t, nil, Options{Detach: o.Detach}, func(ctx context.Context, _ int) (int, error) {
			select {
			case <-ctx.Done():
				return 0, ctx.Err()
			case <-time.After(2 * time.Second):
				return 5, nil
			}
		})
		o.Detach = false
		g := newFunc(t, nil, o, func(ctx context.Context, _ int) (int, error) {
			n, err := query.load(ctx, 1)
			if err != nil {
				n = -1 // a page without its list
			}
			return n, nil
		})
		owner, cancel := cancellable(t)
		results := callers(g, owner, ctx, ctx)
		time.Sleep(time.Second)
		cancel()
		wantResults(t, results(), "-1", "5", "5")
		want(t, g, 1, 5)
	})
}

// A function that may give up an inner call for its own reason has a result.
func TestInnerCallThatIsGivenUpDoesNotSpoilTheOuter(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		inner := newFunc(t, nil, o, func(ctx context.Context, _ int) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		f := newFunc(t, nil, o, func(ctx context.Context, _ int) (int, error) {
			short, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			if _, err := inner.load(short, 1); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			return 7, nil
		})
		ctx, _ := cancellable(t)
		wantResults(t, callers(f, ctx, ctx)(), "7", "7")
		if s := f.Stats(); s.Loads != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// A caller that has left, of a function that cannot return its context's error, gets what the
// body makes of the context's end.
func TestCallerWithoutAnErrorResultLeaves(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		o.ErrorResult = NoError
		ops := newHandleOps()
		var made sync.Map
		f := newFunc(t, ops, o, func(ctx context.Context, id int) (*handle, error) {
			h := &handle{id: 100}
			if ctx.Err() != nil {
				h.id = 1
			} else {
				time.Sleep(time.Second)
			}
			made.Store(h, nil)
			return h, nil
		})
		ended, cancel := cancellable(t)
		cancel()
		ctx, _ := cancellable(t)
		if v, err := f.load(ended, 1); v.id != 1 || err != nil {
			t.Error(v, err)
		}
		go f.load(ctx, 1)
		synctest.Wait()
		leaves, cancel := context.WithTimeout(context.Background(), time.Second/2)
		defer cancel()
		if v, done, err := f.acquire(leaves, 1); v.id != 1 || err != nil {
			t.Error(v, err)
		} else {
			time.Sleep(time.Hour)
			if v.released.Load() != 0 {
				t.Error("released while it is acquired")
			}
			done()
		}
		if v, err := f.load(ctx, 1); v.id != 100 || err != nil {
			t.Error(v, err)
		}
		f.Clear()
		time.Sleep(time.Hour)
		made.Range(func(h, _ any) bool {
			if n := h.(*handle).released.Load(); n != 1 {
				t.Errorf("%d released %d times", h.(*handle).id, n)
			}
			return true
		})
	})
}

// A refresh that ends with its context leaves the old value in its place.
func TestUnfinishedRefreshLeavesTheOldValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logged(t)
		runs := 0
		f := newFunc(t, nil, Options{ErrorResult: NoError, Timeout: time.Second, TTL: time.Minute, Stale: time.Hour}, func(ctx context.Context, _ int) (int, error) {
			if runs++; runs == 1 {
				return 5, nil
			}
			<-ctx.Done()
			return 0, nil
		})
		ctx, _ := cancellable(t)
		want(t, f, 1, 5)
		time.Sleep(time.Minute)
		for range 3 {
			if v, err := f.load(ctx, 1); v != 5 || err != nil {
				t.Error(v, err)
			}
			time.Sleep(time.Minute)
		}
		if s := f.Stats(); s.Entries != 1 || runs != 4 {
			t.Error(fmt.Sprint(s, runs))
		}
	})
}

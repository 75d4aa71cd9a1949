package cachert

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

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

// Stale is for what is stored from then on: of what was stored before, nobody could tell
// how often its refresh has failed.
func TestStaleThatIsConfiguredLater(t *testing.T) {
	defer func(old []override) { overrides = old }(overrides)
	for name, tags := range map[string][]string{"stale.plain": nil, "stale.tagged": {"stale.tag"}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				logged(t)
				runs := 0
				f := newFunc(t, nil, Options{Func: name, TTL: time.Minute, Detach: true}, func(context.Context, int) (int, error) {
					if runs++; runs > 1 {
						return 0, context.DeadlineExceeded
					}
					return runs, nil
				})
				f.tags = func(int) []string { return tags }
				want(t, f, 1, 1)
				if err := Configure(name, Override{Stale: time.Hour}); err != nil {
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
		})
	}
}

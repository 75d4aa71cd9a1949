package cachert

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

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
				t.Errorf("the waiter for the refresh gets %v, %v", v, err)
			}
		})
		synctest.Wait()
		if err := Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		wg.Wait()
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

package cachert

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A computation that was given up at wait= does not replace what was computed meanwhile.
func TestOlderNeverReplacesNewer(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		logged(t)
		o.Wait = time.Second
		version := 1
		f := newFunc(t, nil, o, func(context.Context, int) (int, error) {
			v := version
			if v == 1 {
				time.Sleep(time.Minute)
			}
			return v, nil
		})
		ctx, _ := cancellable(t)
		first := callers(f, ctx)
		version = 2
		want(t, f, 1, 2)
		want(t, f, 1, 2)
		wantResults(t, first(), "1")
		want(t, f, 1, 2)
	})
}

// Events of tags and sessions that have nothing to do with a computation do not spoil it,
// however many they are.
func TestEventsOfOthersSpoilNothing(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		o.Tags, o.Session = []string{"mine"}, true
		inner := newFunc(t, nil, Options{Tags: []string{"inner"}}, func(context.Context, int) (int, error) {
			time.Sleep(time.Second)
			return 1, nil
		})
		f := newFunc(t, nil, o, func(ctx context.Context, _ int) (int, error) {
			return inner.load(ctx, 1)
		})
		ctx, cancel := context.WithCancel(WithSession(context.Background(), "mine"))
		defer cancel()
		results := callers(f, ctx, ctx)
		for i := range 10_000 {
			Invalidate(ctx, fmt.Sprint("user:", i))
			EndSession(ctx, fmt.Sprint("other:", i))
		}
		wantResults(t, results(), "1", "1")
		f.load(ctx, 1)
		if s := f.Stats(); s.Loads != 1 || s.NotKept != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// An event finds a computation by the tags of a result that it waits for from the moment on
// when that is there, also before the computation knows of it.
func TestTagsOfAResultThatIsWaitedFor(t *testing.T) {
	outdated := 0
	for range 300 {
		eachWay(t, func(t *testing.T, o Options) {
			var version atomic.Int64
			inner := newFunc(t, keepNothing{}, Options{Tags: []string{"late"}}, func(context.Context, int) (int, error) {
				v := version.Load()
				time.Sleep(time.Second)
				return int(v), nil
			})
			f := newFunc(t, nil, o, func(ctx context.Context, _ int) (int, error) {
				v, err := inner.load(ctx, 1)
				time.Sleep(2 * time.Second)
				return v, err
			})
			ctx, _ := cancellable(t)
			var event sync.WaitGroup
			event.Go(func() {
				inner.load(ctx, 1)
				version.Store(1)
				Invalidate(ctx, "late") // while the other is woken up
			})
			synctest.Wait()
			before := callers(f, ctx)
			event.Wait()
			after := callers(f, ctx)
			if got := before(); got[0] == "0" {
				outdated++
			}
			wantResults(t, after(), "1")
		})
	}
	if outdated == 0 {
		t.Error("no call was overtaken by its event")
	}
}

type keepNothing struct{}

func (keepNothing) Keep(*int) bool { return false }

// Ends that come earlier each time leave no timer behind each.
func TestOneTimerForEndsThatComeEarlier(t *testing.T) {
	ttl := time.Hour
	f := newFunc(t, earlierOps{&ttl}, Options{}, func(_ context.Context, id int) (int, error) { return id, nil })
	f.load(noCtx, -1)
	first := f.store.alarm.timer
	for i := range 10 {
		before := f.store.alarm.timer
		ttl -= time.Minute
		f.load(noCtx, i)
		if before == f.store.alarm.timer || before.Stop() {
			t.Fatalf("timer %d is still running", i)
		}
	}
	if first.Stop() {
		t.Error("the first timer is still running")
	}
	f.Clear()
}

type earlierOps struct{ ttl *time.Duration }

func (o earlierOps) TTL(*int) time.Duration { return *o.ttl }

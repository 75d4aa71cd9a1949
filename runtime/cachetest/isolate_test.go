package cachetest

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	cache "github.com/cachegen/cachegen/runtime"
)

var isolateRuns, isolateReleased atomic.Int32

type isolateOps struct{}

func (isolateOps) Release(any) { isolateReleased.Add(1) }

// isolateSite is a cache as every program has them: it belongs to the process.
var isolateSite = cache.New[string, int](isolateOps{}, cache.Options{Func: "isolate", TTL: time.Minute, Grace: time.Minute})

func isolateLoad() int {
	v, _ := isolateSite.Do(1, "k", &cache.Call{Run: func(_ context.Context, v any) error {
		*v.(*int) = int(isolateRuns.Add(1))
		return nil
	}})
	return v
}

func TestIsolate(t *testing.T) {
	for i := range 3 {
		synctest.Test(t, func(t *testing.T) {
			Isolate(t)
			first := isolateLoad()
			if first != 2*i+1 || isolateLoad() != first {
				t.Errorf("bubble %d got %d: what another one left", i, first)
			}
			if s := isolateSite.Stats(); s.Hits != 1 || s.Misses != 1 {
				t.Errorf("%+v", s)
			}
			time.Sleep(time.Minute) // its expiry is exact, and its timers are alive
			if isolateLoad() != first+1 {
				t.Error("not expired")
			}
		})
		if n := isolateReleased.Load(); int(n) != 2*i+2 {
			t.Errorf("%d values released after bubble %d", n, i)
		}
	}
}

func TestIsolateNested(t *testing.T) {
	Isolate(t)
	isolateLoad()
	t.Run("inner", func(t *testing.T) {
		Isolate(t) // its turn is the outer test's
		if isolateSite.Stats().Entries != 0 {
			t.Error("not empty")
		}
	})
}

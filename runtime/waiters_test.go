package cachert

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Those who wait for a computation that turns out to be somebody's own must not be
// given it.
func TestWaitersAreNotGivenAnothersResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var key any = struct{ user string }{}
		s := newTyped[string, string](nil, Options{Func: "leak", Site: "x", TrackContext: true})
		var wg sync.WaitGroup
		for i := range 5 {
			u := fmt.Sprint("user", i)
			wg.Go(func() {
				got, err := s.Do(1, "k", typedCall[string]{Ctx: context.WithValue(t.Context(), key, u), Run: func(ctx context.Context) (string, error) {
					time.Sleep(time.Second)
					return ctx.Value(key).(string), nil
				}})
				if got != u || err != nil {
					t.Errorf("%s was given the result of %s, %v", u, got, err)
				}
			})
		}
		wg.Wait()
	})
}

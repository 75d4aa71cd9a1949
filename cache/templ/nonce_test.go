package templ_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/a-h/templ"

	"github.com/cachegen/cachegen/cache/cachetest"
	cachert "github.com/cachegen/cachegen/runtime"
)

type nonceKey struct{}

// A validation that reads what package templ keeps in the context is in no computation.
func TestPageMemoryOutsideOfComputations(t *testing.T) {
	cachetest.Isolate(t)
	site := cachert.New[nonceKey, int](nil, cachert.Options{Func: "templ.validated", Site: "x"})
	ctx := templ.WithNonce(t.Context(), "n")
	for range 2 {
		v, err := site.Do(0, nonceKey{}, &cachert.Call{
			Ctx:      ctx,
			Run:      func(_ context.Context, v any) error { *v.(*int) = 1; return nil },
			Validate: func(ctx context.Context, _ any) (bool, error) { return templ.GetNonce(ctx) == "n", nil },
		})
		if v != 1 || err != nil {
			t.Error(v, err)
		}
	}
	if s := site.Stats(); s.Loads != 1 || s.Hits != 1 {
		t.Errorf("%+v", s)
	}
}

// The nonce of a page is for nobody who waits.
func TestWaitersAreNotGivenAnothersNonce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := cachert.New[nonceKey, string](nil, cachert.Options{Func: "templ.nonce", Site: "x", TrackContext: true})
		var wg sync.WaitGroup
		for _, n := range []string{"a", "b"} {
			wg.Go(func() {
				v, err := site.Do(0, nonceKey{}, &cachert.Call{
					Ctx: templ.WithNonce(t.Context(), n),
					Run: func(ctx context.Context, v any) error {
						time.Sleep(time.Second)
						*v.(*string) = templ.GetNonce(ctx)
						return nil
					},
				})
				if v != n || err != nil {
					t.Errorf("the page with nonce %s has %s, %v", n, v, err)
				}
			})
			synctest.Wait()
		}
		wg.Wait()
	})
}

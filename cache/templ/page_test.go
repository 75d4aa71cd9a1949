package templ_test

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/a-h/templ"

	"github.com/cachegen/cachegen/cache/cachetest"
	cachert "github.com/cachegen/cachegen/runtime"
)

// newSite caches body, and has a computation ask for a page's memory before: from then on it is
// known where that is to be found.
func newSite(t *testing.T, o cachert.Options, body func(ctx context.Context) string) (load func(ctx context.Context) string, stats func() cachert.Stats) {
	cachetest.Isolate(t)
	o.Func, o.Site = t.Name(), "x"
	site := cachert.New[nonceKey, string](nil, o)
	with := func(body func(ctx context.Context) string) func(ctx context.Context) string {
		return func(ctx context.Context) string {
			v, err := site.Do(0, nonceKey{}, &cachert.Call{Ctx: ctx, Run: func(ctx context.Context, v any) error {
				*v.(*string) = body(ctx)
				return nil
			}})
			if err != nil {
				t.Error(err)
			}
			return v
		}
	}
	with(func(ctx context.Context) string { return templ.GetNonce(templ.InitializeContext(ctx)) })(context.Background())
	site.Clear()
	return with(body), site.Stats
}

// A refresh does not touch the memory of the page that its caller goes on to draw, and finds
// out before it begins whether its result would be one for all pages.
func TestRefreshLeavesThePageOfItsCallerAlone(t *testing.T) {
	for _, page := range []struct {
		name string
		ctx  func() context.Context
		kept uint64 // of the refreshes
	}{
		{"plain", func() context.Context { return templ.InitializeContext(context.Background()) }, 1},
		{"nonce", func() context.Context { return templ.WithNonce(context.Background(), "n") }, 0},
	} {
		t.Run(page.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				refresh := false
				load, stats := newSite(t, cachert.Options{TTL: time.Second, Stale: time.Hour}, func(ctx context.Context) string {
					if refresh {
						templ.WithChildren(ctx, templ.Raw("of the refresh")) // in what it takes for its page
					}
					return "v"
				})
				load(context.Background())
				time.Sleep(2 * time.Second)
				before := stats()
				refresh = true
				ctx := page.ctx()
				load(ctx)
				for range 100 { // draws on
					ctx = templ.ClearChildren(ctx)
				}
				synctest.Wait()
				var b bytes.Buffer
				if err := templ.GetChildren(ctx).Render(ctx, io.Writer(&b)); err != nil || b.Len() > 0 {
					t.Errorf("the page shows what a refresh made of it: %q, %v", &b, err)
				}
				s := stats()
				if s.Loads != before.Loads+1 || s.NotKept != before.NotKept+1-page.kept {
					t.Errorf("%+v, before %+v", s, before)
				}
			})
		})
	}
}

// A computation for a page that is not to be shared runs on its caller's goroutine: elsewhere
// it would go on with the page where the caller leaves.
func TestComputationOfAPageOfItsOwnIsNotDetached(t *testing.T) {
	where := func() string {
		var b [32]byte
		id, _, _ := bytes.Cut(b[len("goroutine "):runtime.Stack(b[:], false)], []byte(" "))
		return string(id)
	}
	load, _ := newSite(t, cachert.Options{Detach: true}, func(ctx context.Context) string { return templ.GetNonce(ctx) + " on " + where() })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if v := load(templ.WithNonce(ctx, "n")); v != "n on "+where() {
		t.Errorf("%q in goroutine %s", v, where())
	}
	if v := load(templ.InitializeContext(ctx)); v == " on "+where() {
		t.Error("a page like any other kept its computation from running apart")
	}
}

// To look at the page of a computation is no read of those around it.
func TestLookAtAPageCountsForNobody(t *testing.T) {
	inner, _ := newSite(t, cachert.Options{Detach: true}, func(context.Context) string { return "v" })
	outer := cachert.New[nonceKey, string](nil, cachert.Options{Func: t.Name() + ".outer", Site: "x"})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, page := range []context.Context{templ.WithNonce(ctx, "n"), ctx} {
		_, _ = outer.Do(0, nonceKey{}, &cachert.Call{Ctx: page, Run: func(ctx context.Context, v any) error {
			*v.(*string) = inner(ctx)
			return nil
		}})
	}
	if n := outer.Stats().Loads; n != 1 {
		t.Error("a page's nonce that nobody asked for kept a result from being kept")
	}
}

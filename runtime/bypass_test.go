package cachert

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// What Invalidate is told of reaches a result that was made under Bypass from a function
// with that tag.
func TestTagsCountUnderBypass(t *testing.T) {
	inner := newFunc(t, nil, Options{Func: "inner", Tags: []string{"bypass-static"}}, func(context.Context, int) (int, error) { return 1, nil })
	inner.tags = func(int) []string { return []string{"bypass-dynamic"} }
	runs := 0
	outer := newFunc(t, nil, Options{Func: "outer"}, func(ctx context.Context, id int) (int, error) {
		runs++
		inner.load(Bypass(ctx), id)
		return runs, nil
	})
	for i, tag := range []string{"", "bypass-static", "bypass-dynamic"} {
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

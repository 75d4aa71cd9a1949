package cachert

import (
	"context"
	"fmt"
	"github.com/cachegen/cachegen/cache/surface"
	"slices"
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

package cachetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	cachert "github.com/cachegen/cachegen/runtime"
)

type drawnList struct {
	t    *testing.T
	site *cachert.Drawn[key, []int]
}

func (f drawnList) show(ctx context.Context, body func(context.Context, *Page) ([]int, error)) ([]int, error) {
	k := key{}
	bctx, bp, s := Bind(ctx, NewScreen(&Session{}).Page(), nil)
	return f.site.Do(k.hash(), k, &cachert.DrawCall{Ctx: bctx, Surface: s, Run: func(ctx context.Context, v any) (err error) {
		*v.(*[]int), err = body(ctx, bp)
		return err
	}})
}

type listOps struct{ copy func(*[]int) []int }

func (o listOps) Copy(to, from any) error {
	*to.(*[]int) = o.copy(from.(*[]int))
	return nil
}

// A body that draws may return its argument, or a package variable. What is kept and what the
// first caller gets are apart from it.
func TestKeptValueIsOutOfTheBodysReach(t *testing.T) {
	f := drawnList{t, cachert.NewDrawn[key, []int](listOps{func(v *[]int) []int { return slices.Clone(*v) }}, cachert.DrawOptions{Options: cachert.Options{Func: "apart", Site: "x"}})}
	arg := []int{1, 2}
	body := func(_ context.Context, p *Page) ([]int, error) { return arg, p.Text("x") }
	v, err := f.show(t.Context(), body)
	if err != nil || !slices.Equal(v, arg) || &v[0] == &arg[0] {
		t.Errorf("the owner gets %v, %v; want a copy of %v", v, err, arg)
	}
	v[1] = 200
	arg[0] = 100
	if v, err := f.show(t.Context(), body); err != nil || !slices.Equal(v, []int{1, 2}) {
		t.Errorf("the next caller gets %v, %v", v, err)
	}
}

// A panic of the copy reaches everyone as it is, once, and leaves nothing behind.
func TestPanicOfACopyEndsTheComputationOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := true
		f := drawnList{t, cachert.NewDrawn[key, []int](listOps{func(v *[]int) []int {
			if bad {
				panic("copy")
			}
			return *v
		}}, cachert.DrawOptions{Options: cachert.Options{Func: "panics", Site: "x"}})}
		body := func(_ context.Context, p *Page) ([]int, error) {
			time.Sleep(time.Second)
			return []int{1}, p.Text("x")
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				defer func() {
					if p := recover(); p != "copy" {
						t.Errorf("panic %v", p)
					}
				}()
				f.show(t.Context(), body)
			})
			synctest.Wait()
		}
		wg.Wait()
		if s := f.site.Stats(); s.InFlight != 0 || s.Entries != 0 {
			t.Errorf("%d computations run, %d entries are kept", s.InFlight, s.Entries)
		}
		bad = false
		if v, err := f.show(t.Context(), body); err != nil || !slices.Equal(v, []int{1}) {
			t.Errorf("afterwards: %v, %v", v, err)
		}
	})
}

type releasingList struct{ out chan []int }

func (r releasingList) Release(v any) { r.out <- *v.(*[]int) }

// A resource of a function that draws is released, also where what it drew is not kept:
// that of the owner, and those of the ones who waited and computed for themselves.
func TestResourceThatIsNotKeptIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ops := releasingList{make(chan []int, 10)}
		f := drawnList{t, cachert.NewDrawn[key, []int](ops, cachert.DrawOptions{Options: cachert.Options{Func: "unkept", Site: "x", Resource: true, TrackContext: true}})}
		userKey := struct{ user string }{}
		ctx := context.WithValue(t.Context(), userKey, "ada")
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				_, _ = f.show(ctx, func(ctx context.Context, p *Page) ([]int, error) {
					time.Sleep(time.Second)
					ctx.Value(userKey)
					return []int{1}, p.Text("x")
				})
			})
		}
		wg.Wait()
		synctest.Wait()
		if len(ops.out) != 3 {
			t.Errorf("%d of 3 released", len(ops.out))
		}
	})
}

// What is drawn cannot be refreshed behind the client that it is drawn for, so there
// is no stale hit that could show a spinner. Rows: SPN-04.
func TestStaleIsNotForWhatDraws(t *testing.T) {
	cachert.NewDrawn[key, []int](nil, cachert.DrawOptions{Options: cachert.Options{Func: "drawn.stale", Site: "x", TTL: time.Minute}})
	if err := cachert.Configure("drawn.stale", cachert.Override{Stale: time.Hour}); err == nil {
		t.Error("it is taken")
	}
}

// A validation that calls what it validates gets an error.
func TestValidationThatCallsItselfGetsAnError(t *testing.T) {
	site := cachert.NewDrawn[key, int](nil, cachert.DrawOptions{Options: cachert.Options{Func: "validated", Site: "x"}})
	depth := 0
	var inner error
	var call func(ctx context.Context) (int, error)
	call = func(ctx context.Context) (int, error) {
		k := key{}
		bctx, bp, s := Bind(ctx, NewScreen(&Session{}).Page(), nil)
		return site.Do(k.hash(), k, &cachert.DrawCall{
			Ctx: bctx, Surface: s,
			Run: func(_ context.Context, v any) error {
				*v.(*int) = 1
				return bp.Text("x")
			},
			Validate: func(ctx context.Context, _ any) (bool, error) {
				if depth++; depth < 10 {
					_, inner = call(ctx)
				}
				return true, nil
			},
		})
	}
	for range 2 {
		if v, err := call(t.Context()); v != 1 || err != nil {
			t.Fatal(v, err)
		}
	}
	if depth != 1 || !errors.As(inner, new(*cachert.CycleError)) {
		t.Errorf("%d validations, the inner call gets the error %v", depth, inner)
	}
}

// A body that ends early since its caller has left is not one that reads something else
// than before.
func TestCancelledBodyIsNotUnsteady(t *testing.T) {
	site := cachert.NewDrawn[key, []int](nil, cachert.DrawOptions{Options: cachert.Options{Func: "cancelled", Site: "x", TTL: time.Hour}, Widgets: true})
	session := &Session{}
	show := func(ctx context.Context, early bool) {
		k := key{}
		bctx, bp, s := Bind(ctx, NewScreen(session).Page(), nil)
		_, _ = site.Do(k.hash(), k, &cachert.DrawCall{Ctx: bctx, Surface: s, Run: func(ctx context.Context, _ any) error {
			if early {
				return ctx.Err()
			}
			bp.Ask("field", "a", "0")
			bp.Ask("field", "b", "0")
			return nil
		}})
	}
	show(t.Context(), false)
	session.Set("b", "1") // so that the leaf is a miss
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	show(gone, true)
	if s := site.Stats(); s.Unsteady != 0 || s.Entries != 3 {
		t.Errorf("%+v", s)
	}
}

package cachetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	cachert "github.com/cachegen/cachegen/runtime"
)

// What an inner data function owes to counts for the page that shows it, with the
// context and without.
func TestNestedFacts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		version := 0
		data := cachert.New[int, string](nil, cachert.Options{Func: "nested.data", Site: "x", TTL: time.Minute, Tags: []string{"nested-data"}})
		f := function(func(ctx context.Context, p *Page, _ string) (string, error) {
			v, err := data.Do(1, 1, &cachert.Call{Ctx: ctx, Run: func(_ context.Context, v any) error {
				version++
				*v.(*string) = fmt.Sprint("v", version)
				return nil
			}})
			p.Text(v)
			return v, err
		}, func(o *cachert.DrawOptions) { o.TTL = time.Hour })
		f.show(t, &Session{})
		cachert.Invalidate(t.Context(), "nested-data")
		if got := f.show(t, &Session{}); !strings.Contains(got, "v2") {
			t.Fatal("the page outlived its data's tag:", got)
		}
		time.Sleep(time.Minute)
		if got := f.show(t, &Session{}); !strings.Contains(got, "v3") {
			t.Fatal("the page outlived its data's ttl:", got)
		}
		f.ran(t, 3)
	})
}

// A drawing function inside of another one without the context counts all the same: the
// surface knows where it is drawn.
func TestNestedWithoutContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := drawing(func(p *Page) { p.Text(fmt.Sprint(time.Now().Unix())) }, func(o *cachert.DrawOptions) { o.TTL = time.Minute })
		outer := drawing(func(p *Page) { inner.call(context.Background(), p, "i") })
		a := outer.show(t, &Session{})
		time.Sleep(time.Minute)
		if b := outer.show(t, &Session{}); a == b {
			t.Fatal("the outer page outlived the inner one")
		}
		inner.show(t, &Session{}) // a hit of the inner one counts as well
		time.Sleep(30 * time.Second)
		outer.site.Clear()
		c := outer.show(t, &Session{})
		time.Sleep(30 * time.Second)
		if d := outer.show(t, &Session{}); c == d {
			t.Fatal("the outer page outlived the inner one that it hit")
		}
	})
}

func TestSessionScope(t *testing.T) {
	runs := 0
	site := cachert.NewDrawn[key, string](nil, cachert.DrawOptions{Options: cachert.Options{Func: "session.fn", Site: "x", Session: true, TrackContext: true}, Widgets: true})
	show := func(id string) string {
		ctx := cachert.WithSession(context.Background(), id)
		sc := NewScreen(&Session{})
		k := key{id}
		bctx, bp, s := Bind(ctx, sc.Page(), nil)
		if _, err := site.Do(k.hash(), k, &cachert.DrawCall{Ctx: bctx, Surface: s, Run: func(ctx context.Context, _ any) error {
			runs++
			id, _ := cachert.SessionOf(ctx)
			return bp.Text(fmt.Sprint("cart of ", id, bp.Slider("n", 1)))
		}}); err != nil {
			t.Fatal(err)
		}
		return sc.String()
	}
	for _, id := range []string{"a", "b", "a", "b"} {
		if got := show(id); !strings.Contains(got, "cart of "+id) {
			t.Fatal(id, got)
		}
	}
	if runs != 2 {
		t.Fatal(runs)
	}
	cachert.EndSession(context.Background(), "a")
	if n := site.Stats().Entries; n != 2 {
		t.Fatal("entries after the end of a session:", n)
	}
	show("a")
	show("b")
	if runs != 3 {
		t.Fatal(runs)
	}
}

type releasing struct {
	mu  sync.Mutex
	out []string
}

func (r *releasing) Release(v any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.out = append(r.out, *v.(*string))
}

// A resource that reports how it is opened: the messages are drawn again, the value is
// the same, and it is released once.
func TestResource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ops := &releasing{}
		runs := 0
		site := cachert.NewDrawn[key, string](ops, cachert.DrawOptions{Options: cachert.Options{Func: "resource.fn", Site: "x", Resource: true, Grace: time.Second}, Widgets: true})
		show := func(n string) (string, string) {
			se := &Session{}
			se.Set("n", n)
			sc := NewScreen(se)
			k := key{}
			bctx, bp, s := Bind(t.Context(), sc.Page(), nil)
			v, err := site.Do(k.hash(), k, &cachert.DrawCall{Ctx: bctx, Surface: s, Run: func(ctx context.Context, v any) error {
				runs++
				*v.(*string) = fmt.Sprint("db", runs)
				return bp.Text("opened " + bp.Ask("input", "n", ""))
			}})
			if err != nil {
				t.Fatal(err)
			}
			return v, sc.String()
		}
		for range 2 {
			if v, got := show("x"); v != "db1" || !strings.Contains(got, "opened x") {
				t.Fatal(v, got)
			}
		}
		if v, _ := show("y"); v != "db2" {
			t.Fatal(v)
		}
		site.Clear()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		ops.mu.Lock()
		defer ops.mu.Unlock()
		if len(ops.out) != 2 {
			t.Fatal("released", ops.out)
		}
	})
}

func TestTimeoutAndWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := function(func(ctx context.Context, p *Page, _ string) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}, func(o *cachert.DrawOptions) { o.Timeout = time.Second })
		if _, err := slow.call(t.Context(), NewScreen(&Session{}).Page(), "x"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}

		// The owner is cancelled: a waiter takes over, and gets a whole page.
		f := function(func(ctx context.Context, p *Page, _ string) (string, error) {
			p.Slider("n", 1)
			select {
			case <-ctx.Done():
				return "", ctx.Err()
			case <-time.After(time.Second):
				return "", p.Text("whole")
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := f.call(ctx, NewScreen(&Session{}).Page(), "x"); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		synctest.Wait()
		for range 3 {
			wg.Go(func() {
				if got := f.show(t, &Session{}); !strings.Contains(got, "whole") {
					t.Error(got)
				}
			})
		}
		synctest.Wait()
		cancel()
		wg.Wait()
		f.ran(t, 2)
		// An error goes to all who waited, with what was drawn before it.
		boom := errors.New("boom")
		g := function(func(_ context.Context, p *Page, _ string) (string, error) {
			p.Text("half")
			time.Sleep(time.Second)
			return "", boom
		})
		for range 3 {
			wg.Go(func() {
				sc := NewScreen(&Session{})
				if _, err := g.call(t.Context(), sc.Page(), "x"); err != boom || !strings.Contains(sc.String(), "half") {
					t.Error(err, sc)
				}
			})
		}
		wg.Wait()
		g.ran(t, 1)
	})
}

// Where a page keeps errors, it keeps one that came of a data function which keeps none;
// what it drew in spite of such an error is not kept.
func TestErrorsOfInnerErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("down")
		data := cachert.New[int, string](nil, cachert.Options{Func: "errors.data", Site: "x"})
		load := func(ctx context.Context) (string, error) {
			return data.Do(1, 1, &cachert.Call{Ctx: ctx, Run: func(context.Context, any) error { return down }})
		}
		keeps := func(o *cachert.DrawOptions) { o.ErrorTTL = time.Minute }
		page := function(func(ctx context.Context, p *Page, _ string) (string, error) {
			p.Text("loading " + p.Ask("input", "n", ""))
			return load(ctx)
		}, keeps)
		fallback := function(func(ctx context.Context, p *Page, _ string) (string, error) {
			_, err := load(ctx)
			p.Text(fmt.Sprint("instead: ", err, p.Ask("input", "n", "")))
			return "", nil
		}, keeps)
		for range 2 {
			sc := NewScreen(&Session{})
			if _, err := page.call(t.Context(), sc.Page(), "x"); err != down || !strings.Contains(sc.String(), "loading") {
				t.Errorf("%v, and on the screen %q", err, sc)
			}
			fallback.show(t, &Session{})
		}
		page.ran(t, 1)
		fallback.ran(t, 2)
	})
}

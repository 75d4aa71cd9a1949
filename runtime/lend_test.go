package cachert

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// conn is a resource that knows whether it has been released.
type conn struct {
	id       int
	released *bool
}

// connOps release conns.
type connOps struct {
	t   *testing.T
	log *[]string
}

func (o connOps) Release(v **conn) {
	if *(*v).released {
		o.t.Errorf("conn %d was released twice", (*v).id)
	}
	*(*v).released = true
	*o.log = append(*o.log, fmt.Sprint("conn ", (*v).id))
}

// holder is a value that holds a conn.
type holder struct{ c *conn }

type holderOps struct{ connOps }

func (o holderOps) Release(v **holder) {
	if *(*v).c.released {
		o.t.Error("a conn was released before what holds it")
	}
	*o.log = append(*o.log, fmt.Sprint("holder of ", (*v).c.id))
}

// lending is a chain of functions: open gives a conn with a grace of a second, hold a value
// that holds one, and over holds that.
type lending struct {
	open *testFunc[*conn]
	hold *testFunc[*holder]
	over *testFunc[*holder]
	log  []string
}

// newLending makes the chain; blind says that no context is passed on.
func newLending(t *testing.T, releases, blind bool, tags ...string) *lending {
	l := &lending{}
	ctxOf := func(ctx context.Context) context.Context {
		if blind {
			return nil
		}
		return ctx
	}
	l.open = newFunc(t, connOps{t, &l.log}, Options{Func: "open", Resource: true, Grace: time.Second, Tags: tags}, func(_ context.Context, id int) (*conn, error) {
		return &conn{id, new(bool)}, nil
	})
	var ops any
	if releases {
		ops = holderOps{connOps{t, &l.log}}
	}
	l.hold = newFunc(t, ops, Options{Func: "hold", Resource: true, Grace: time.Minute}, func(ctx context.Context, id int) (*holder, error) {
		c, err := l.open.load(ctxOf(ctx), id)
		return &holder{c}, err
	})
	l.over = newFunc(t, nil, Options{Func: "over", Resource: true}, func(ctx context.Context, id int) (*holder, error) {
		return l.hold.load(ctxOf(ctx), id)
	})
	return l
}

// What a kept value was made with is released after that value has gone, and once, however it
// left its own cache, and however many levels are between.
func TestResourceOutlivesTheValueMadeWithIt(t *testing.T) {
	drops := map[string]func(l *lending){
		"Forget": func(l *lending) { l.open.forget(1) },
		"Clear":  func(l *lending) { l.open.Clear() },
		"evicted": func(l *lending) {
			l.open.store.policy.max = 1
			_, _ = l.open.load(context.Background(), 2)
		},
		"refreshed": func(l *lending) { _, _ = l.open.refresh(context.Background(), 1) },
		"refused": func(l *lending) {
			k := testKey{id: 1, name: "k"}
			c := l.open.call(context.Background(), 1)
			c.Validate = func(context.Context, **conn) (bool, error) { return false, nil }
			_, _ = l.open.Do(k.hash(), k, c)
		},
		"primed": func(l *lending) { l.open.prime(1, &conn{100, new(bool)}) },
	}
	for how, drop := range drops {
		for _, releases := range []bool{false, true} {
			for _, blind := range []bool{false, true} {
				for _, before := range []bool{false, true} {
					name := fmt.Sprintf("%s/releases=%v/blind=%v/hit=%v", how, releases, blind, before)
					t.Run(name, func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							ctx := context.Background()
							l := newLending(t, releases, blind)
							if before { // what the computations get is a hit
								_, _ = l.open.load(ctx, 1)
							}
							v, err := l.over.load(ctx, 1)
							if err != nil {
								t.Fatal(err)
							}
							drop(l)
							later(time.Hour)
							if *v.c.released {
								t.Error("released under the values that hold it")
							}
							l.hold.Clear()
							later(time.Hour)
							if w, _ := l.over.load(ctx, 1); w != v || *v.c.released {
								t.Error("released under the outermost value")
							}
							l.over.Clear()
							later(time.Hour)
							if !*v.c.released {
								t.Error("not released")
							}
							if releases && !slices.Equal(l.log[len(l.log)-2:], []string{"holder of 1", "conn 1"}) {
								t.Error(l.log)
							}
						})
					})
				}
			}
		}
	}
}

// A function may return the very value that it was lent; it is released all the same.
func TestResourceThatIsPassedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log []string
		var f *testFunc[*conn]
		f = newFunc(t, identConnOps{connOps{t, &log}}, Options{Resource: true, Grace: time.Second}, func(ctx context.Context, id int) (*conn, error) {
			if id > 0 {
				return f.load(ctx, id-1)
			}
			return &conn{id, new(bool)}, nil
		})
		c, _ := f.load(t.Context(), 2)
		f.forget(0)
		f.forget(2)
		later(time.Hour)
		if *c.released {
			t.Error("released while it is kept under another key")
		}
		f.forget(1)
		later(time.Hour)
		if !*c.released {
			t.Error("not released")
		}
	})
}

// identConnOps are connOps of conns that are known by their identity.
type identConnOps struct{ connOps }

func (identConnOps) Ident(v **conn) any { return *v }

// later lets time pass, and what happens in it end.
func later(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// A tag passes on to what was made with the result: both go, and the inner one is released
// after the outer.
func TestTagReachesWhatWasMadeWithTheResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLending(t, true, false, "conns")
		v, _ := l.over.load(t.Context(), 1)
		Invalidate(t.Context(), "conns")
		later(time.Hour)
		if !*v.c.released || !slices.Equal(l.log, []string{"holder of 1", "conn 1"}) {
			t.Error(l.log)
		}
	})
}

// Shutdown releases what holds first, at once, whichever function is older.
func TestShutdownReleasesOuterValuesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer stopped.Store(false)
		l := newLending(t, true, false)
		_, _ = l.over.load(t.Context(), 1)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := Shutdown(ctx); err != nil || !slices.Equal(l.log, []string{"holder of 1", "conn 1"}) {
			t.Error(err, l.log)
		}
	})
}

// A computation has what it uses on loan for as long as it runs, also where its result is
// not kept or cannot hold it.
func TestResourceOutlivesTheComputationThatUsesIt(t *testing.T) {
	for _, blind := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			l := newLending(t, false, blind)
			slow := newFunc(t, nil, Options{Func: "slow"}, func(ctx context.Context, id int) (int, error) {
				if blind {
					ctx = nil
				}
				v, err := l.over.load(ctx, id)
				time.Sleep(time.Hour)
				if *v.c.released {
					t.Error("released while the computation ran")
				}
				return id, err
			})
			var wg sync.WaitGroup
			wg.Go(func() { _, _ = slow.load(t.Context(), 1) })
			time.Sleep(time.Minute)
			l.over.Clear()
			l.hold.Clear()
			l.open.Clear()
			wg.Wait()
			later(2 * time.Second)
			if !slices.Equal(l.log, []string{"conn 1"}) {
				t.Errorf("%v; the number that is kept cannot hold it", l.log)
			}
			if n := slow.Stats().Entries; n != 1 {
				t.Errorf("%d entries", n)
			}
		})
	}
}

func reachOf[V any](shared bool) *reach { return &reach{result: reflect.TypeFor[V](), shared: shared} }

// Results of which each caller gets a copy, and whose type cannot hold a resource, do not
// keep one from its release.
func TestOnlyTypesThatMayHoldAResourceKeepIt(t *testing.T) {
	type row struct {
		ID   int
		Name *string
		When time.Time
		Tags map[string][]string
	}
	type tree struct {
		Left, Right *tree
		Rows        []row
	}
	inner := front{reach: reachOf[*conn](false)}
	inner.st = &store{front: inner}
	uses := []*holding{{st: inner.st}}
	for _, c := range []struct {
		reach *reach
		want  bool
	}{
		{reachOf[int](true), false},
		{reachOf[string](true), false},
		{reachOf[[]row](false), false},
		{reachOf[*tree](false), false},
		{reachOf[time.Time](true), false},
		{reachOf[[]row](true), true},
		{reachOf[[]byte](true), true},
		{reachOf[any](false), true},
		{reachOf[func()](false), true},
		{reachOf[struct{ h *holder }](false), true},
		{reachOf[[]conn](false), true},
	} {
		f := front{reach: c.reach, st: &store{}}
		if got := f.mayHold(uses); got != c.want {
			t.Errorf("%v, shared %v: %v", c.reach.result, c.reach.shared, got)
		}
		f.st.o.Resource = true
		if !f.mayHold(uses) || f.mayHold(nil) {
			t.Errorf("%v as a resource", c.reach.result)
		}
	}
}

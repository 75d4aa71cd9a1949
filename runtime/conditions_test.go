package cachert

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// asker is a function that shows what its context has under some keys, and counts how often
// it is computed.
type asker struct {
	*testFunc[string]
	runs int
	mu   sync.Mutex
}

func newAsker(t *testing.T, ops any, o Options, keys ...any) *asker {
	o.TrackContext = true
	a := &asker{}
	a.testFunc = newFunc(t, ops, o, func(ctx context.Context, _ int) (string, error) {
		a.mu.Lock()
		a.runs++
		a.mu.Unlock()
		return showKeys(ctx, keys), nil
	})
	return a
}

func showKeys(ctx context.Context, keys []any) string {
	s := ""
	for _, k := range keys {
		s += fmt.Sprint(ctx.Value(k), " ")
	}
	return s
}

// computes reports that the call computes its result, or that it does not.
func (a *asker) computes(t *testing.T, ctx context.Context, yes bool) string {
	t.Helper()
	before := a.runs
	v, err := a.load(ctx, 1)
	if err != nil {
		t.Error(err)
	}
	if (a.runs > before) != yes {
		t.Errorf("computed: %v, and not %v: %q", !yes, yes, v)
	}
	return v
}

// A value that was not there does not keep a result from being kept: for callers who have
// none either. The others leave it where it is.
func TestAbsenceIsACondition(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		a := newAsker(t, nil, o, userKey("md"), userKey("baggage"))
		none := context.WithValue(context.Background(), userKey("other"), 1)
		some := context.WithValue(none, userKey("baggage"), (*int)(nil)) // a value, though it is nil
		nothing := context.WithValue(none, userKey("baggage"), nil)      // no value
		a.computes(t, none, true)
		a.computes(t, none, false)
		a.computes(t, nothing, false)
		for range 2 {
			a.computes(t, some, true)
		}
		a.computes(t, none, false)
		if s := a.Stats(); s.Entries != 1 || s.NotKept != 2 || s.ContextReads != 2 {
			t.Errorf("%+v", s)
		}
		if v, ok := a.Peek((&testKey{id: 1, name: "k"}).hash(), testKey{id: 1, name: "k"}); !ok || v != "<nil> <nil> " {
			t.Errorf("Peek: %q, %v", v, ok)
		}
		// A refresh by somebody who has a value is no refresh for the others.
		k := testKey{id: 1, name: "k"}
		if v, err := a.Refresh(k.hash(), k, typedCall[string]{Ctx: context.WithValue(none, userKey("md"), "m"), Run: func(ctx context.Context) (string, error) { return a.body(ctx, 1) }}); v != "m <nil> " || err != nil {
			t.Errorf("Refresh: %q, %v", v, err)
		}
		if v := a.computes(t, none, false); v != "<nil> <nil> " {
			t.Errorf("%q", v)
		}
		a.Prime(k.hash(), k, "primed")
		if v := a.computes(t, some, false); v != "primed" {
			t.Errorf("%q", v)
		}
	})
}

// What a result was made of is a condition of it as well, also when the inner one is a hit.
// A value that the body itself puts into the context of a call is no input of the body.
func TestConditionsOfInnerResults(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		inner := newAsker(t, nil, o, userKey("user"))
		call := func(ctx context.Context, _ int) (string, error) { return inner.load(ctx, 1) }
		o.TrackContext = true
		outer := newFunc(t, nil, o, call)
		setting := newFunc(t, nil, o, func(ctx context.Context, _ int) (string, error) {
			return call(context.WithValue(ctx, userKey("user"), "set"), 1)
		})
		none, ada := context.Background(), context.WithValue(context.Background(), userKey("user"), "ada")
		inner.computes(t, none, true)
		for range 2 {
			for ctx, want := range map[context.Context]string{none: "<nil> ", ada: "ada "} {
				if v, err := outer.load(ctx, 1); v != want || err != nil {
					t.Errorf("got %q, %v; want %q", v, err, want)
				}
				if v, err := setting.load(ctx, 1); v != "set " || err != nil {
					t.Errorf("got %q, %v", v, err)
				}
			}
		}
		if s := outer.Stats(); s.Hits != 1 || s.Entries != 1 {
			t.Errorf("outer: %+v", s)
		}
	})
}

// The text of a context shows its values, those around it too: it is for nobody else. A body
// that does not ask for text, of a context that has no more than a name, is not concerned.
func TestTextOfAContextIsItsCallersAlone(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		o.TrackContext = true
		show := newFunc(t, nil, o, func(ctx context.Context, _ int) (string, error) {
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			return fmt.Sprint(context.WithValue(ctx, userKey("own"), "own")), nil
		})
		outer := newFunc(t, nil, o, func(ctx context.Context, _ int) (string, error) { return show.load(ctx, 1) })
		for _, f := range []*testFunc[string]{show, outer} {
			for i := range 4 {
				user := fmt.Sprint("user", i%2)
				v, err := f.load(context.WithValue(context.Background(), userKey("user"), user), 1)
				if err != nil || !strings.Contains(v, user) {
					t.Errorf("%s got %q, %v", user, v, err)
				}
			}
			if s := f.Stats(); s.Entries != 0 || s.NotKept < 4 {
				t.Errorf("%+v", s)
			}
		}
	})
}

// Who waits for a computation takes its result only if its own context has no value where
// that of the computation had none.
func TestWaitersMeetConditions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFunc(t, nil, Options{TrackContext: true}, func(ctx context.Context, _ int) (string, error) {
			time.Sleep(time.Second)
			return showKeys(ctx, []any{userKey("user")}), nil
		})
		var wg sync.WaitGroup
		for i, want := range []string{"<nil> ", "<nil> ", "ada "} {
			ctx := t.Context()
			if i == 2 {
				ctx = context.WithValue(ctx, userKey("user"), "ada")
			}
			time.Sleep(time.Millisecond)
			wg.Go(func() {
				if v, err := f.load(ctx, 1); v != want || err != nil {
					t.Errorf("caller %d got %q, %v", i, v, err)
				}
			})
		}
		wg.Wait()
		if s := f.Stats(); s.Loads != 2 {
			t.Errorf("%d computations instead of 2", s.Loads)
		}
	})
}

// keyedOps are the operations of a function with hash=ctx:.
type keyedOps struct {
	ask     func(context.Context)
	ignored any
}

func (o keyedOps) Keyed(ctx context.Context) {
	if o.ask != nil {
		o.ask(ctx)
	}
}

func (o keyedOps) Ignores(key any) bool { return key == o.ignored }

// Only what the functions of hash=ctx: ask for is in the key.
func TestOnlyValuesThatTheHashAsksForAreKeyed(t *testing.T) {
	tenant, lang := userKey("tenant"), userKey("lang")
	with := func(tenant, lang any) context.Context {
		ctx := context.WithValue(context.Background(), userKey("tenant"), tenant)
		return context.WithValue(ctx, userKey("lang"), lang)
	}
	ops := keyedOps{ask: func(ctx context.Context) { ctx.Value(tenant) }}
	t.Run("asked for", func(t *testing.T) {
		a := newAsker(t, ops, Options{}, tenant)
		a.computes(t, with("acme", "de"), true)
		a.computes(t, with("acme", "fr"), false)
	})
	t.Run("not asked for", func(t *testing.T) {
		a := newAsker(t, ops, Options{}, tenant, lang)
		a.computes(t, with("acme", "de"), true)
		a.computes(t, with("acme", "fr"), true)
		a.computes(t, with("acme", nil), true)
		a.computes(t, with("acme", nil), false)
	})
	t.Run("pointers are not compared", func(t *testing.T) {
		a := newAsker(t, ops, Options{}, tenant)
		a.computes(t, with(new(int), "de"), true)
		a.computes(t, with(new(int), "fr"), false)
	})
	t.Run("asked for by some", func(t *testing.T) {
		// The same key of the cache, from other values.
		ops := keyedOps{ask: func(ctx context.Context) {
			if ctx.Value(tenant) == nil {
				ctx.Value(lang)
			}
		}}
		a := newAsker(t, ops, Options{}, lang)
		a.computes(t, with(nil, "de"), true)
		a.computes(t, with(nil, "de"), false)
		if v := a.computes(t, with("de", "fr"), true); v != "fr " {
			t.Errorf("%q", v)
		}
		a.computes(t, with(nil, "de"), false)
	})
	t.Run("a panic the second time", func(t *testing.T) {
		a := newAsker(t, keyedOps{ask: func(context.Context) { panic("no") }}, Options{}, tenant)
		a.computes(t, with("acme", nil), true)
		a.computes(t, with("acme", nil), true)
	})
	t.Run("inside of another", func(t *testing.T) {
		inner := newAsker(t, keyedOps{ask: func(ctx context.Context) { ctx.Value(lang) }}, Options{}, lang)
		outer := newFunc(t, ops, Options{Func: "outer", TrackContext: true}, func(ctx context.Context, _ int) (string, error) {
			lang, _ := ctx.Value(lang).(string) // as the wrapper's hash=ctx: does
			k := testKey{1, lang}
			if v := inner.GetCtx(ctx, k.hash(), &k); v != nil {
				return *v, nil
			}
			return inner.Do(k.hash(), k, typedCall[string]{Ctx: ctx, Run: func(ctx context.Context) (string, error) { return inner.body(ctx, 1) }})
		})
		for range 2 {
			for _, l := range []string{"de", "fr"} {
				if v, err := outer.load(with("acme", l), 1); v != l+" " || err != nil {
					t.Errorf("got %q, %v; want %q", v, err, l)
				}
			}
		}
	})
}

// oddContext is a context of somebody's own.
type oddContext struct {
	context.Context
	value func(key any) any
}

func (c oddContext) Value(key any) any {
	if key == any(ctxKey) || key == cancelKey {
		return c.Context.Value(key)
	}
	return c.value(key)
}

// A context that fails the one who asks it fails no call for the cache's sake.
func TestContextThatPanicsFailsNoCall(t *testing.T) {
	bad := false
	odd := oddContext{context.Background(), func(key any) any {
		if bad {
			panic("asked")
		}
		return nil
	}}
	a := newAsker(t, nil, Options{}, userKey("user"))
	a.computes(t, odd, true)
	a.computes(t, odd, false)
	bad = true
	quiet := newAsker(t, nil, Options{Func: "quiet"})
	quiet.computes(t, odd, true)
	quiet.computes(t, odd, false)
	func() {
		defer func() {
			if recover() != "asked" {
				t.Error("the body's own panic is lost")
			}
		}()
		_, _ = a.load(odd, 1)
	}()
	bad = false
	a.computes(t, odd, false)

	// Keys that cannot be compared are asked for by the body alone.
	b := newAsker(t, keyedOps{ask: func(ctx context.Context) { ctx.Value([]int{1}) }}, Options{Func: "uncomparable"}, []int{1}, [1]any{func() {}})
	b.computes(t, context.Background(), true)
	b.computes(t, context.Background(), true)
}

// The number of conditions is bounded.
func TestConditionsAreBounded(t *testing.T) {
	var keys []any
	for i := range maxConditions {
		keys = append(keys, userKey(fmt.Sprint(i)))
	}
	a := newAsker(t, nil, Options{}, append(keys, keys...)...)
	a.computes(t, context.Background(), true)
	a.computes(t, context.Background(), false)
	b := newAsker(t, nil, Options{Func: "more"}, append(keys, userKey("more"))...)
	b.computes(t, context.Background(), true)
	b.computes(t, context.Background(), true)
}

func TestIgnoredContextKeysAreNoInputs(t *testing.T) {
	ctx := context.WithValue(context.WithValue(context.Background(), userKey("request"), 1), userKey("user"), 2)
	lines := logged(t)
	a := newAsker(t, keyedOps{ignored: userKey("request")}, Options{}, userKey("request"))
	a.computes(t, ctx, true)
	a.computes(t, context.Background(), false)

	b := newAsker(t, nil, Options{Func: "all"}, userKey("request"))
	b.computes(t, ctx, true)
	b.computes(t, context.Background(), true)
	IgnoreContextKey(userKey("request"))
	defer ignoredKeys.Delete(userKey("request"))
	b.computes(t, ctx, true) // what was kept before is for those who have none
	b.computes(t, ctx, false)
	b.computes(t, context.Background(), false)

	for _, key := range []any{nil, []int{1}, [1]any{[]int{}}} {
		func() {
			defer func() {
				if p := recover(); p == nil || !strings.HasPrefix(fmt.Sprint(p), "cachegen: ") {
					t.Errorf("%v: %v", key, p)
				}
			}()
			IgnoreContextKey(key)
		}()
	}
	for _, way := range []string{"all (", "hash=ctx:Func", "ctx=ignore:Key", "ctx=ignore,", "cache.IgnoreContextKey"} {
		if !slices.ContainsFunc(lines(), func(l string) bool { return strings.Contains(l, way) }) {
			t.Errorf("the log does not name %q: %q", way, lines())
		}
	}
}

// An error that is kept is kept for those who have no value where there was none.
func TestKeptErrorsHaveConditions(t *testing.T) {
	runs := 0
	f := newFunc(t, nil, Options{TrackContext: true, ErrorTTL: time.Hour}, func(ctx context.Context, _ int) (string, error) {
		runs++
		if ctx.Value(userKey("user")) == nil {
			return "", errors.New("log in first")
		}
		return "welcome", nil
	})
	for range 2 {
		if _, err := f.load(context.Background(), 1); err == nil {
			t.Error("no error")
		}
		if v, err := f.load(context.WithValue(context.Background(), userKey("user"), 1), 1); v != "welcome" || err != nil {
			t.Error(v, err)
		}
	}
	if runs != 3 {
		t.Errorf("%d computations", runs)
	}
}

// Entries with conditions are hit without an allocation, if what is in the key is a string
// or a number.
func TestConditionsCostNoAllocation(t *testing.T) {
	for _, tenant := range []any{"acme", 7, 1.5, true, nil} {
		a := newAsker(t, keyedOps{ask: func(ctx context.Context) { ctx.Value(userKey("tenant")) }}, Options{}, userKey("md"), userKey("tenant"))
		ctx := context.WithValue(context.Background(), userKey("tenant"), tenant)
		a.computes(t, ctx, true)
		k := testKey{id: 1, name: "k"}
		h := k.hash()
		if n := testing.AllocsPerRun(100, func() {
			if a.GetCtx(ctx, h, &k) == nil {
				t.Error("a miss")
			}
		}); n != 0 && !raceEnabled {
			t.Errorf("%T: %v allocations", tenant, n)
		}
	}
}

// Callers of a function whose results are for one user each do not queue for one another,
// and those without a user do, as long as their results are shared.
func TestPersonalResultsDoNotQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := true
		var mu sync.Mutex
		running, most, runs := 0, 0, 0
		f := newFunc(t, nil, Options{TrackContext: true, Detach: true}, func(ctx context.Context, _ int) (string, error) {
			mu.Lock()
			runs++
			running++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			defer mu.Unlock()
			running--
			if !reads {
				return "for all", nil
			}
			return showKeys(ctx, []any{userKey("user")}), nil
		})
		round := func(users bool, id int) (computed, atOnce int) {
			runs, most = 0, 0
			var wg sync.WaitGroup
			for i := range 16 {
				ctx, want := t.Context(), "<nil> "
				if users {
					ctx, want = context.WithValue(ctx, userKey("user"), i), fmt.Sprint(i, " ")
				}
				if !reads {
					want = "for all"
				}
				wg.Go(func() {
					if v, err := f.load(ctx, id); v != want || err != nil {
						t.Errorf("got %q, %v; want %q", v, err, want)
					}
				})
			}
			wg.Wait()
			return runs, most
		}
		round(true, 1) // they queue once, since nobody knows
		for range 3 {
			if n, atOnce := round(true, 1); n != 16 || atOnce != 16 {
				t.Errorf("%d computations, at most %d at once; want 16 of 16 users", n, atOnce)
			}
		}
		if n, _ := round(false, 1); n != 1 {
			t.Errorf("%d computations for those who are nobody", n)
		}
		reads = false
		round(true, 2) // what is not personal any more ends it
		if n, _ := round(true, 3); n != 1 {
			t.Errorf("%d computations of a result for all", n)
		}
	})
}

// So it is where another reason than a key of the context makes results personal.
func TestPersonalForAnotherReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs, most := 0, 0
		var mu sync.Mutex
		f := newFunc(t, nil, Options{TrackContext: true}, func(ctx context.Context, _ int) (string, error) {
			mu.Lock()
			runs++
			most = max(most, runs)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			defer mu.Unlock()
			runs--
			id, _ := SessionOf(ctx)
			return id, nil
		})
		for i := range 3 {
			most = 0
			var wg sync.WaitGroup
			for i := range 16 {
				wg.Go(func() {
					id := fmt.Sprint("s", i)
					if v, err := f.load(WithSession(t.Context(), id), 1); v != id || err != nil {
						t.Errorf("%s got %q, %v", id, v, err)
					}
				})
			}
			wg.Wait()
			if i > 0 && most != 16 {
				t.Errorf("at most %d of 16 sessions at once", most)
			}
		}
	})
}

// requests are contexts as frameworks make them, which use one again for the next request
// when the caller of the last has gone. Each shows the user of its request.
var requests = []struct {
	name string
	make func(ctx context.Context, user string) (_ context.Context, next func(user string))
	show func(v any) string
	safe bool // what was shown to one who goes on is right
}{
	{"the context changes", func(ctx context.Context, user string) (context.Context, func(string)) {
		var now atomic.Pointer[string]
		now.Store(&user)
		return oddContext{ctx, func(key any) any {
			if key == userKey("user") {
				return *now.Load()
			}
			return ctx.Value(key)
		}}, func(u string) { now.Store(&u) }
	}, func(v any) string { return v.(string) }, false},
	{"what a pointer leads to changes", func(ctx context.Context, user string) (context.Context, func(string)) {
		now := new(atomic.Pointer[string])
		now.Store(&user)
		return context.WithValue(ctx, userKey("user"), now), func(u string) { now.Store(&u) }
	}, func(v any) string { return *v.(*atomic.Pointer[string]).Load() }, false},
	{"nothing changes", func(ctx context.Context, user string) (context.Context, func(string)) {
		return context.WithValue(ctx, userKey("user"), [1]string{user}), func(string) {}
	}, func(v any) string { return v.([1]string)[0] }, true},
}

// A computation that goes on without its caller does not put what it reads of a context that is
// used again by then under that caller's key, nor does it give it to those who wait.
func TestContextsThatAreUsedAgain(t *testing.T) {
	ops := keyedOps{ask: func(ctx context.Context) { ctx.Value(userKey("user")) }}
	for _, r := range requests {
		for _, nested := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, nested %v", r.name, nested), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					logged(t)
					runs := 0
					f := newFunc(t, ops, Options{TrackContext: true, Detach: true}, func(ctx context.Context, _ int) (string, error) {
						runs++
						time.Sleep(time.Minute)
						return r.show(ctx.Value(userKey("user"))), nil
					})
					load := f.load
					if nested {
						outer := newFunc(t, ops, Options{Func: "outer", TrackContext: true, Detach: true}, f.load)
						load = outer.load
					}
					ctx, cancel := cancellable(t)
					ctx, next := r.make(ctx, "ada")
					var wg sync.WaitGroup
					wg.Go(func() { _, _ = load(ctx, 1) })
					time.Sleep(time.Second)
					wg.Go(func() {
						ctx, _ := r.make(t.Context(), "ada")
						if v, err := load(ctx, 1); v != "ada" || err != nil {
							t.Errorf("ada, who waits, gets %q, %v", v, err)
						}
					})
					time.Sleep(time.Second)
					cancel()
					time.Sleep(time.Second)
					next("bob")
					wg.Wait()
					ctx, _ = r.make(t.Context(), "ada")
					if v, err := load(ctx, 1); v != "ada" || err != nil {
						t.Errorf("ada, later, gets %q, %v", v, err)
					}
					synctest.Wait()
					if want := map[bool]int{true: 1, false: 2}[r.safe]; runs != want {
						t.Errorf("%d computations instead of %d", runs, want)
					}
				})
			})
		}
		t.Run(r.name+", refresh", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lines := logged(t)
				f := newFunc(t, ops, Options{TrackContext: true, Detach: true, TTL: time.Hour, Stale: 24 * time.Hour}, func(ctx context.Context, _ int) (string, error) {
					time.Sleep(time.Minute)
					return r.show(ctx.Value(userKey("user"))), nil
				})
				ctx, next := r.make(t.Context(), "ada")
				for i := range 3 {
					if v, err := f.load(ctx, 1); v != "ada" || err != nil {
						t.Errorf("call %d gets %q, %v", i, v, err)
					}
					if i > 0 {
						next("bob")
					}
					time.Sleep(2 * time.Hour)
					next("ada")
				}
				synctest.Wait()
				if s := f.Stats(); (s.RefreshFailed == 0) != r.safe || (s.NotKept == 0) != r.safe {
					t.Errorf("%+v", s)
				}
				if l := lines(); (len(l) == 0) != r.safe || !r.safe && !strings.Contains(l[0], "detach=off") {
					t.Errorf("log: %q", l)
				}
			})
		})
	}
	t.Run("its caller is there", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFunc(t, ops, Options{TrackContext: true, Detach: true}, func(ctx context.Context, _ int) (string, error) {
				return *ctx.Value(userKey("user")).(*string), nil
			})
			ctx, _ := cancellable(t)
			user := "ada"
			for range 2 {
				if v, err := f.load(context.WithValue(ctx, userKey("user"), &user), 1); v != "ada" || err != nil {
					t.Errorf("%q, %v", v, err)
				}
			}
			if s := f.Stats(); s.Loads != 1 || s.Hits != 1 {
				t.Errorf("%+v", s)
			}
		})
	})
}

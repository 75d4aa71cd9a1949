package cachert

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachegen/cachegen/cache/surface"
)

// passings are the ways in which a body calls another function: all of them make the result
// count for that of the body.
var passings = []struct {
	name string
	of   func(ctx, foreign context.Context) context.Context
}{
	{"its context", func(ctx, _ context.Context) context.Context { return ctx }},
	{"no context", func(_, _ context.Context) context.Context { return nil }},
	{"Background", func(_, _ context.Context) context.Context { return context.Background() }},
	{"the context of another computation", func(_, foreign context.Context) context.Context { return foreign }},
}

// owing is a kind of function. make makes one whose result is what inner, which it calls, gives.
type owing struct {
	name string
	make func(t *testing.T, inner func(ctx context.Context) int) (call func(ctx context.Context) int)
}

// owings are functions of all kinds.
func owings() []owing {
	site := func(o Options, ops any) func(t *testing.T, inner func(ctx context.Context) int) func(ctx context.Context) int {
		return func(t *testing.T, inner func(ctx context.Context) int) func(ctx context.Context) int {
			f := newFunc(t, ops, o, func(ctx context.Context, _ int) (int, error) { return inner(ctx), nil })
			return func(ctx context.Context) int {
				v, err := f.load(ctx, 1)
				if err != nil {
					t.Error(err)
				}
				return v
			}
		}
	}
	return []owing{
		{"data", site(Options{Func: "data"}, nil)},
		{"detached", func(t *testing.T, inner func(ctx context.Context) int) func(ctx context.Context) int {
			call := site(Options{Func: "detached", Detach: true}, nil)(t, inner)
			return func(ctx context.Context) int {
				if ctx == nil {
					ctx = context.Background()
				}
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				return call(ctx)
			}
		}},
		{"resource", site(Options{Func: "resource", Resource: true}, nil)},
		{"error", func(t *testing.T, inner func(ctx context.Context) int) func(ctx context.Context) int {
			f := newFunc(t, nil, Options{Func: "error", ErrorTTL: time.Hour}, func(ctx context.Context, _ int) (int, error) {
				return 0, runError(inner(ctx))
			})
			return func(ctx context.Context) int {
				_, err := f.load(ctx, 1)
				var n runError
				if !errors.As(err, &n) {
					t.Error(err)
				}
				return int(n)
			}
		}},
		{"owned", func(t *testing.T, inner func(ctx context.Context) int) func(ctx context.Context) int {
			f := newFunc(t, nil, Options{Func: "owned"}, func(ctx context.Context, _ int) (int, error) { return inner(ctx), nil })
			owner := OwnerOf(new(int))
			return func(ctx context.Context) int {
				v, err := f.Do(1, testKey{}, typedCall[int]{Ctx: ctx, Owner: owner, Run: func(ctx context.Context) (int, error) { return f.body(ctx, 1) }})
				if err != nil {
					t.Error(err)
				}
				return v
			}
		}},
		{"generic", func(t *testing.T, inner func(ctx context.Context) int) func(ctx context.Context) int {
			var sites Sites
			s := Instance[testKey, int](&sites, nil, func() Options { return Options{Func: "generic", Site: "x"} })
			t.Cleanup(func() { retire(t, &s.store) })
			return func(ctx context.Context) int {
				k := testKey{}
				if v := s.Get(k.hash(), &k); v != nil && ctx == nil {
					return *v
				}
				v, err := s.Do(k.hash(), k, &Call{Ctx: ctx, Run: func(ctx context.Context, v any) error {
					*v.(*int) = inner(ctx)
					return nil
				}})
				if err != nil {
					t.Error(err)
				}
				return v
			}
		}},
		{"drawn", func(t *testing.T, inner func(ctx context.Context) int) func(ctx context.Context) int {
			d := NewDrawn[testKey, int](nil, DrawOptions{Options: Options{Func: "drawn", Site: "x"}, Widgets: true})
			t.Cleanup(func() { retire(t, d.drawn.store) })
			return func(ctx context.Context) int {
				var screen strings.Builder
				s := &modelScreen{to: &screen}
				v, err := d.Do(1, testKey{}, &DrawCall{Ctx: ctx, Surface: s, Run: func(ctx context.Context, v any) error {
					fmt.Fprint(s, "drawn ")
					if ctx != nil {
						InputValues(ctx, "w")
					}
					n := inner(ctx)
					_, err := io.WriteString(s, fmt.Sprint(n))
					*v.(*int) = n
					return err
				}})
				if err != nil || screen.String() != fmt.Sprint("drawn ", v) {
					t.Errorf("%q, %v", &screen, err)
				}
				return v
			}
		}},
	}
}

// runError is an error that says how often the inner function was computed.
type runError int

func (n runError) Error() string { return fmt.Sprint("run ", int(n)) }

// A result goes with what went into it, whatever context the body called that with.
func TestResultOwesWhatWasCalledWithAnyContext(t *testing.T) {
	type debt struct {
		name string
		o    Options
		ops  any
		tags []string
		end  func()
		kept bool // the result around is kept until the end
	}
	never := func() {}
	debts := []debt{
		{name: "tag of the function", o: Options{Tags: []string{"owes own"}}, kept: true, end: func() { Invalidate(noCtx, "owes own") }},
		{name: "tag of the call", tags: []string{"owes call"}, kept: true, end: func() { Invalidate(noCtx, "owes call") }},
		{name: "ttl", o: Options{TTL: time.Second}, kept: true, end: func() { time.Sleep(time.Second) }},
		{name: "keep", ops: refusesAll{}, end: never},
		{name: "session", o: Options{Session: true}, ops: inSessionA{}, end: never},
		{name: "no key", end: never},
		{name: "Bypass", tags: []string{"owes bypass"}, kept: true, end: func() { Invalidate(noCtx, "owes bypass") }},
	}
	for _, by := range owings() {
		for _, passing := range passings {
			for _, d := range debts {
				for _, hit := range []bool{false, true} {
					t.Run(strings.Join([]string{by.name, passing.name, d.name, fmt.Sprint(hit)}, "/"), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							foreign, release := foreignContext(t)
							defer release()
							bodies := 0
							d.o.Func = "inner"
							inner := newFunc(t, d.ops, d.o, func(context.Context, int) (int, error) { return 0, nil })
							load := func(ctx context.Context) {
								k := testKey{id: 1}
								h := k.hash()
								if d.name == "Bypass" && ctx != nil {
									ctx = Bypass(ctx)
								}
								if hit && d.kept {
									get := func() *int { return inner.Get(h, &k) }
									if ctx != nil {
										get = func() *int { return inner.GetCtx(ctx, h, &k) }
									}
									if get() != nil {
										return
									}
								}
								c := inner.call(ctx, 1)
								c.Tags = d.tags
								if d.name == "no key" {
									c.Uncached = errors.New("no key")
								}
								if _, err := inner.Do(h, k, c); err != nil {
									t.Error(err)
								}
							}
							outer := by.make(t, func(ctx context.Context) int {
								load(passing.of(ctx, foreign))
								bodies++
								return bodies
							})
							if hit {
								load(noCtx)
							}
							first := outer(t.Context())
							again := outer(t.Context())
							if d.kept && again != first {
								t.Errorf("%d, then %d: it was not kept", first, again)
							}
							if !d.kept && again == first {
								t.Error("it was kept")
							}
							d.end()
							if n := outer(t.Context()); n == first {
								t.Error("it outlives what it was made of")
							}
						})
					})
				}
			}
		}
	}
}

// foreignContext returns the context of a computation that runs, elsewhere, until release is
// called.
func foreignContext(t *testing.T) (ctx context.Context, release func()) {
	has, done := make(chan context.Context), make(chan struct{})
	f := newFunc(t, nil, Options{Func: "foreign"}, func(ctx context.Context, _ int) (int, error) {
		has <- ctx
		<-done
		return 0, nil
	})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = f.load(context.Background(), 1)
	}()
	return <-has, func() {
		close(done)
		<-ended
	}
}

// refusesAll keeps nothing.
type refusesAll struct{}

func (refusesAll) Keep(*int) bool { return false }

// inSessionA has the session in the key.
type inSessionA struct{}

func (inSessionA) Session(*testKey) string { return "a" }

// What a result owes goes from call to call, through bodies that know of no context.
func TestResultOwesWhatIsThreeCallsBelow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		below := newFunc(t, nil, Options{Func: "below", Tags: []string{"owes below"}, TTL: time.Minute}, func(context.Context, int) (int, error) {
			runs++
			return runs, nil
		})
		through := below
		for i := range 3 {
			next := through
			through = newFunc(t, nil, Options{Func: fmt.Sprint("through", i), Detach: i == 1}, func(context.Context, int) (int, error) {
				return next.load(noCtx, 1)
			})
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		load := func(what string, want int) {
			t.Helper()
			if v, err := through.load(ctx, 1); v != want || err != nil {
				t.Errorf("%s: %d, %v", what, v, err)
			}
		}
		load("at first", 1)
		load("again", 1)
		Invalidate(noCtx, "owes below")
		load("after its tag", 2)
		time.Sleep(time.Minute)
		load("after its ttl", 3)
	})
}

// What Peek has found counts as well.
func TestResultOwesWhatWasPeekedAt(t *testing.T) {
	inner := newFunc(t, nil, Options{Func: "inner", Tags: []string{"owes peeked"}}, func(_ context.Context, id int) (int, error) { return id, nil })
	runs := 0
	outer := newFunc(t, nil, Options{Func: "outer"}, func(context.Context, int) (int, error) {
		k := testKey{id: 1, name: "k"}
		inner.Peek(k.hash(), k)
		runs++
		return runs, nil
	})
	_, _ = inner.load(noCtx, 1)
	_, _ = outer.load(noCtx, 1)
	Invalidate(noCtx, "owes peeked")
	if v, _ := outer.load(noCtx, 1); v != 2 {
		t.Error("it outlives the tag of what it was made of")
	}
}

// A session that a body learns of from a context that is not its own makes the result that
// session's.
func TestResultOwesASessionThatItAskedFor(t *testing.T) {
	stored := WithSession(context.Background(), "s")
	f := newFunc(t, nil, Options{}, func(context.Context, int) (int, error) {
		SessionOf(stored)
		return 1, nil
	})
	for range 2 {
		_, _ = f.load(t.Context(), 1)
	}
	if n := f.Stats().Loads; n != 2 {
		t.Error("a result that is one session's was kept for all")
	}
}

// An input that a body reads of a request by a context that is not its own makes the result
// that request's.
func TestResultOwesAnInputThatItAskedFor(t *testing.T) {
	stored := surface.WithInputs(context.Background(), inputMap{"input:user": "ann"})
	f := newFunc(t, nil, Options{}, func(context.Context, int) (int, error) {
		InputValues(stored, "user")
		return 1, nil
	})
	for range 2 {
		_, _ = f.load(t.Context(), 1)
	}
	if n := f.Stats().Loads; n != 2 {
		t.Error("a result that is of one request was kept for all")
	}
}

// A goroutine that a body starts counts for the body's result with its context, and without
// it for nobody. What a hole draws counts for the computation around, and not for that of the
// function which draws the hole.
func TestResultOwesNothingOfElsewhere(t *testing.T) {
	inner := newFunc(t, nil, Options{Func: "inner", Tags: []string{"owes apart"}}, func(_ context.Context, id int) (int, error) { return id, nil })
	for _, with := range []bool{true, false} {
		runs := 0
		outer := newFunc(t, nil, Options{Func: "outer"}, func(ctx context.Context, _ int) (int, error) {
			if !with {
				ctx = nil
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, _ = inner.load(ctx, 1)
			}()
			<-done
			runs++
			return runs, nil
		})
		_, _ = outer.load(t.Context(), 1)
		Invalidate(noCtx, "owes apart")
		if v, _ := outer.load(t.Context(), 1); (v == 2) != with {
			t.Errorf("with its context %v: run %d", with, v)
		}
	}

	frame := NewDrawn[testKey, int](nil, DrawOptions{Options: Options{Func: "frame", Site: "x"}})
	t.Cleanup(func() { retire(t, frame.drawn.store) })
	frames := 0
	draw := func(w io.Writer, kid func(io.Writer) error) {
		s := &modelScreen{to: w}
		if outer, ok := w.(*modelScreen); ok {
			s.Within(outer)
		}
		var holes Holes
		bound := BindHoleErr(&holes, s, w, io.Writer(s), kid)
		_, err := frame.Do(1, testKey{}, &DrawCall{Surface: s, Holes: &holes, Run: func(_ context.Context, v any) error {
			frames++
			fmt.Fprint(s, "[")
			defer fmt.Fprint(s, "]")
			return bound(s)
		}})
		if err != nil {
			t.Error(err)
		}
	}
	pages := 0
	page := newFunc(t, nil, Options{Func: "page"}, func(context.Context, int) (string, error) {
		pages++
		var b strings.Builder
		draw(&b, func(w io.Writer) error {
			n, err := inner.load(noCtx, 1)
			fmt.Fprint(w, n)
			return err
		})
		return b.String(), nil
	})
	for range 2 {
		for range 2 {
			if s, err := page.load(noCtx, 1); s != "[1]" || err != nil {
				t.Errorf("%q, %v", s, err)
			}
		}
		Invalidate(noCtx, "owes apart")
	}
	if frames != 1 || pages != 2 {
		t.Errorf("the page was computed %d times, and the frame %d times", pages, frames)
	}
}

// Hits ask for the call around them only while one runs somewhere.
func TestHitsAskForACallAroundWhileOneRuns(t *testing.T) {
	f := newFunc(t, nil, Options{}, func(context.Context, int) (int, error) {
		if restComputing(); !computing.Load() {
			t.Error("a hit in here would find no call around it")
		}
		return 1, nil
	})
	_, _ = f.load(noCtx, 1)
	if restComputing(); computing.Load() {
		t.Error("nothing runs, and hits ask for it")
	}
}

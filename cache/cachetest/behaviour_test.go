package cachetest

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachegen/cachegen/cache/surface"
	cachert "github.com/cachegen/cachegen/runtime"
)

// fn is a drawing function under test with its wrapper.
type fn struct {
	site *cachert.Drawn[key, string]
	runs atomic.Int32
	body func(ctx context.Context, p *Page, arg string) (string, error)
}

func function(body func(context.Context, *Page, string) (string, error), change ...func(*cachert.DrawOptions)) *fn {
	o := cachert.DrawOptions{
		Options: cachert.Options{Func: "cachetest.fn", Site: "behaviour_test.go", Max: 10000, TrackContext: true},
		Widgets: true, Variants: 100,
	}
	for _, c := range change {
		c(&o)
	}
	return &fn{site: cachert.NewDrawn[key, string](nil, o), body: body}
}

// drawing is function for a body that draws and returns nothing.
func drawing(body func(p *Page), change ...func(*cachert.DrawOptions)) *fn {
	return function(func(_ context.Context, p *Page, _ string) (string, error) { body(p); return "", nil }, change...)
}

func (f *fn) call(ctx context.Context, p *Page, arg string) (string, error) {
	k := key{arg}
	bctx, bp, s := Bind(ctx, p, nil)
	return f.site.Do(k.hash(), k, &cachert.DrawCall{Ctx: bctx, Surface: s, Run: func(ctx context.Context, v any) (err error) {
		f.runs.Add(1)
		*v.(*string), err = f.body(ctx, bp, arg)
		return err
	}})
}

// show draws a page of its own for the session.
func (f *fn) show(t *testing.T, s *Session) string {
	t.Helper()
	sc := NewScreen(s)
	if _, err := f.call(context.Background(), sc.Page(), "x"); err != nil {
		t.Fatal(err)
	}
	return sc.String()
}

func (f *fn) ran(t *testing.T, n int32) {
	t.Helper()
	if got := f.runs.Load(); got != n {
		t.Fatalf("the body ran %d times, want %d", got, n)
	}
}

func lines(s ...string) string { return strings.Join(s, "\n") + "\n" }

func TestBehaviour(t *testing.T) {
	bg := context.Background()
	row := func(id string, f func(t *testing.T)) { t.Run(id, f) }

	row("REP-01", func(t *testing.T) {
		f := drawing(func(p *Page) { p.Text("cached") })
		sc := NewScreen(&Session{})
		p := sc.Page()
		f.call(bg, p, "x")
		p.Text("---")
		f.call(bg, p, "x")
		f.ran(t, 1)
		if want := lines(`main ""`, `  text "cached"`, `  text "---"`, `  text "cached"`); sc.String() != want {
			t.Fatal(sc)
		}
	})
	row("REP-03", func(t *testing.T) {
		f := drawing(func(p *Page) { p.Text("cached") })
		sc := NewScreen(&Session{})
		c := sc.Page().Container("c")
		f.call(bg, c, "x")
		c.Text("---")
		f.call(bg, c, "x")
		f.ran(t, 1)
		if want := lines(`main ""`, `  container "c"`, `    text "cached"`, `    text "---"`, `    text "cached"`); sc.String() != want {
			t.Fatal(sc)
		}
	})
	row("REP-04", func(t *testing.T) {
		f := drawing(func(p *Page) { p.Sidebar().Text("s0"); p.Text("m0"); p.Sidebar().Text("s1") })
		want := lines(`sidebar ""`, `  text "s0"`, `  text "s1"`, `main ""`, `  text "m0"`)
		for range 2 {
			if got := f.show(t, &Session{}); got != want {
				t.Fatal(got)
			}
		}
		f.ran(t, 1)
	})
	row("REP-06", func(t *testing.T) {
		f := drawing(func(p *Page) {
			c := p.Container("one")
			c.Text("a")
			p.Text("between")
			d := c.Container("two")
			c.Text("b")
			d.Text("c")
			p.Text("end")
		})
		a := f.show(t, &Session{})
		if b := f.show(t, &Session{}); a != b || !strings.Contains(a, `      text "c"`) {
			t.Fatal(a, b)
		}
		f.ran(t, 1)
	})
	row("REP-07,REP-08,REP-11", func(t *testing.T) {
		f := drawing(func(p *Page) {
			for i := range 3 {
				p.Image([]byte{byte(i), 2, 3})
			}
			p.Image([]byte{0, 2, 3})
		})
		a := f.show(t, &Session{})
		if b := f.show(t, &Session{}); a != b || strings.Count(a, "image") != 4 {
			t.Fatal(a, b)
		}
		f.ran(t, 1)
	})
	row("REP-09,REP-10,TRAP-10", func(t *testing.T) {
		kinds := []string{"header", "table", "code", "metric", "chart", "progress", "divider"}
		f := drawing(func(p *Page) {
			for _, k := range kinds {
				p.put(k, "width=7 height=9")
			}
			p.Toast("done")
		})
		a := f.show(t, &Session{})
		for range 2 {
			if b := f.show(t, &Session{}); a != b || !strings.Contains(b, `toast`) {
				t.Fatal(a, b)
			}
		}
		f.ran(t, 1)
	})
	row("REP-12,REP-13,REP-14", func(t *testing.T) {
		f := function(func(_ context.Context, p *Page, _ string) (string, error) { return "rows", p.put("table", "1,2") })
		for range 2 {
			sc := NewScreen(&Session{})
			if v, err := f.call(bg, sc.Page(), "x"); v != "rows" || err != nil {
				t.Fatal(v, err)
			}
		}
		f.ran(t, 1)
	})
	row("WID-01,WID-05,WID-06,WID-07,WID-08", func(t *testing.T) {
		f := drawing(func(p *Page) { p.Text("chose " + p.Ask("radio", "choice", "one")) })
		s := &Session{}
		for i, step := range []struct {
			set  []string
			runs int32
			want string
		}{{nil, 1, "one"}, {nil, 1, "one"}, {[]string{"unrelated", "1"}, 1, "one"}, {[]string{"choice", "two"}, 2, "two"}, {nil, 2, "two"}, {[]string{"choice", "one"}, 2, "one"}} {
			s.Set(step.set...)
			got := f.show(t, s)
			f.ran(t, step.runs)
			if want := lines(`main ""`, fmt.Sprintf("  radio %q", "choice="+step.want), fmt.Sprintf("  text %q", "chose "+step.want)); got != want {
				t.Fatal(i, got)
			}
		}
	})
	row("WID-02,WID-03", func(t *testing.T) {
		inner := drawing(func(p *Page) { p.Checkbox("inner", false) })
		outer := drawing(func(p *Page) {
			p.Checkbox("outer", false)
			inner.call(bg, p, "x")
		})
		s := &Session{}
		a := outer.show(t, s)
		if b := outer.show(t, s); a != b || strings.Count(a, "checkbox") != 2 {
			t.Fatal(a, b)
		}
		s.Set("inner", "true")
		outer.show(t, s)
		outer.ran(t, 2)
		inner.ran(t, 2)
	})
	row("WID-09", func(t *testing.T) {
		inner := function(func(_ context.Context, p *Page, _ string) (string, error) {
			return fmt.Sprint(p.Slider("n", 3) * 2), nil
		})
		outer := function(func(ctx context.Context, p *Page, _ string) (string, error) {
			v, err := inner.call(ctx, p, "x")
			return "f(" + v + ")", err
		})
		s := &Session{}
		ask := func() string { v, _ := outer.call(bg, NewScreen(s).Page(), "x"); return v }
		if a, b := ask(), ask(); a != "f(6)" || b != a {
			t.Fatal(a, b)
		}
		s.Set("n", "5")
		if a, b := ask(), ask(); a != "f(10)" || b != a {
			t.Fatal(a, b)
		}
		outer.ran(t, 2)
		inner.ran(t, 2)
	})
	row("SPN-01,SPN-02,SPN-03", func(t *testing.T) {
		spinner := func(text string) func(*cachert.DrawOptions) { return func(o *cachert.DrawOptions) { o.Spinner = text } }
		inner := drawing(func(p *Page) { p.Text("i") }, spinner("inner"))
		outer := drawing(func(p *Page) { inner.call(bg, p, "x") }, spinner("outer"))
		off := drawing(func(p *Page) {}, spinner(""))
		sc := NewScreen(&Session{})
		off.call(bg, sc.Page(), "x")
		outer.call(bg, sc.Page(), "x") // both miss: the outermost is shown
		outer.call(bg, sc.Page(), "x") // a hit: nothing
		if got := sc.Spins(); !slices.Equal(got, []string{"outer"}) {
			t.Fatal(got)
		}
	})
	row("TRAP-08", func(t *testing.T) { // the generator refuses what it sees: draw-refused-places
		sc := NewScreen(&Session{})
		elsewhere := sc.Page().Container("elsewhere")
		f := drawing(func(p *Page) { p.Text("here") })
		g := drawing(func(p *Page) { f.call(bg, elsewhere, "x"); p.Text("there") })
		g.call(bg, sc.Page(), "x") // what is drawn on the other container is on no tape of g's
		g.call(bg, sc.Page(), "x")
		if strings.Count(sc.String(), "there") != 2 {
			t.Fatal(sc)
		}
	})
	row("TRAP-19", bounded)
	row("TRAP-20", func(t *testing.T) {
		f := drawing(func(p *Page) {
			for i := range 5 {
				p.Slider(fmt.Sprint("s", i), i)
			}
		})
		f.show(t, &Session{})
		f.show(t, &Session{})
		f.ran(t, 1)
	})
	row("TRAP-21", func(t *testing.T) {
		f := drawing(func(p *Page) {
			if p.Checkbox("more", false) {
				p.Slider("detail", 1)
			}
		})
		s := &Session{}
		f.show(t, s)
		s.Set("more", "true")
		f.show(t, s)
		s.Set("more", "false")
		f.show(t, s)
		f.ran(t, 2)
		s.Set("detail", "7") // TRAP-22: off the path
		f.show(t, s)
		f.ran(t, 2)
	})
	row("TRAP-22", func(t *testing.T) {
		f := drawing(func(p *Page) { p.Checkbox("a", false) })
		s := &Session{}
		f.show(t, s)
		s.Set("b", "1")
		f.show(t, s)
		f.ran(t, 1)
	})
	row("TRAP-24", func(t *testing.T) {
		boom := errors.New("boom")
		f := function(func(_ context.Context, p *Page, _ string) (string, error) { p.Text("half"); return "", boom })
		for range 3 {
			sc := NewScreen(&Session{})
			if _, err := f.call(bg, sc.Page(), "x"); err != boom || !strings.Contains(sc.String(), "half") {
				t.Fatal(err, sc)
			}
		}
		f.ran(t, 3)
		g := function(f.body, func(o *cachert.DrawOptions) { o.ErrorTTL = time.Hour })
		for range 3 {
			sc := NewScreen(&Session{})
			if _, err := g.call(bg, sc.Page(), "x"); err != boom || !strings.Contains(sc.String(), "half") {
				t.Fatal(err, sc)
			}
		}
		g.ran(t, 1)
	})
	row("TRAP-27", func(t *testing.T) { // what another user would miss is not kept
		f := function(func(ctx context.Context, p *Page, _ string) (string, error) {
			return "", p.Text(fmt.Sprint("hello ", ctx.Value(userKey)))
		})
		for _, u := range []string{"a", "b"} {
			sc := NewScreen(&Session{})
			f.call(context.WithValue(bg, userKey, u), sc.Page(), "x")
			if !strings.Contains(sc.String(), "hello "+u) {
				t.Fatal(sc)
			}
		}
	})
	row("TRAP-28", func(t *testing.T) {
		f := drawing(func(p *Page) { p.Slider("n", 1) })
		a, b := &Session{}, &Session{}
		a.Set("n", "5")
		b.Set("n", "6")
		if x, y := f.show(t, a), f.show(t, b); x == y {
			t.Fatal(x)
		}
		b.Set("n", "5")
		if x, y := f.show(t, a), f.show(t, b); x != y {
			t.Fatal(x, y)
		}
		f.ran(t, 2)
	})
}

// bounded is point by point what widget replay could not be: 5 widgets of 10 values each
// over a result of a megabyte that they do not influence.
func bounded(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	f := function(func(_ context.Context, p *Page, _ string) (string, error) {
		for i := range 5 {
			p.Slider(fmt.Sprint("s", i), 0)
		}
		p.Image(big)
		return strings.Clone(string(big)), p.Text(string(big))
	}, func(o *cachert.DrawOptions) { o.Variants = 1000; o.Max = 0 })
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	draw := func(n int) {
		s := &Session{}
		for i := range 5 {
			s.Set(fmt.Sprint("s", i), fmt.Sprint(n%10))
			n /= 10
		}
		f.call(context.Background(), NewScreen(s).Page(), "x")
	}
	draw(0)
	one := heap()
	for n := range 100 {
		draw(n * 7)
	}
	if grown := heap() - one; grown > 3<<20 {
		t.Errorf("100 outcomes of 3 MB that share everything take %d bytes", grown)
	}
	ran := f.runs.Load()
	for n := range 100 {
		draw(n * 7)
	}
	f.ran(t, ran)
	runtime.KeepAlive(f)
}

var floodOf = flag.Int("values", 20_000, "how many values of a widget a client sends in the test of a flood")

// A client that sends very many values of one widget crowds out nobody: other keys keep
// their entries, and of its own key the outcomes that were hit again.
//
//	go test ./cache/cachetest -run Flood -values 1000000
func TestFloodOfValues(t *testing.T) {
	flood := *floodOf
	if testing.Short() {
		flood /= 10
	}
	f := function(func(_ context.Context, p *Page, _ string) (string, error) {
		p.Ask("input", "a", "")
		p.Ask("input", "b", "")
		return "", nil
	}, func(o *cachert.DrawOptions) { o.Max = 1000; o.Variants = 20 })
	show := func(arg, a string) {
		s := &Session{}
		s.Set("a", a)
		f.call(context.Background(), NewScreen(s).Page(), arg)
	}
	for k := range 100 {
		show(fmt.Sprint(k), "v")
	}
	for range 3 {
		for _, a := range []string{"p", "q", "r"} {
			show("victim", a)
		}
	}
	ran := f.runs.Load()
	for n := range flood {
		show("victim", fmt.Sprint("flood", n))
	}
	if n := f.site.Stats().Entries; n > 400 {
		t.Fatal("entries", n)
	}
	if f.runs.Load() != ran+int32(flood) {
		t.Fatal("runs", f.runs.Load())
	}
	ran = f.runs.Load()
	for k := range 100 {
		show(fmt.Sprint(k), "v")
	}
	for _, a := range []string{"p", "q", "r"} {
		show("victim", a)
	}
	f.ran(t, ran)
}

// Users with different values do not queue for one another: while one body runs, a user
// whose value differs starts a body of his own, and one whose value is the same waits.
func TestUsersDoNotQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := drawing(func(p *Page) {
			p.Ask("input", "q", "")
			time.Sleep(time.Second)
			p.Text("done")
		})
		start := time.Now()
		took := make([]time.Duration, 6)
		var wg sync.WaitGroup
		for i := range took {
			wg.Go(func() {
				s := &Session{}
				s.Set("q", fmt.Sprint(i%3))
				f.show(t, s)
				took[i] = time.Since(start)
			})
		}
		wg.Wait()
		f.ran(t, 3)
		for i, d := range took {
			if d != time.Second {
				t.Errorf("user %d waited %v", i, d)
			}
		}
	})
}

func TestBadBodiesSpoilNothing(t *testing.T) {
	bg := context.Background()
	t.Run("panic half way", func(t *testing.T) {
		f := drawing(func(p *Page) { p.Text("half"); panic("boom") })
		for range 2 {
			sc := NewScreen(&Session{})
			func() {
				defer func() {
					if r := recover(); r != "boom" {
						t.Fatal(r)
					}
				}()
				f.call(bg, sc.Page(), "x")
			}()
			if !strings.Contains(sc.String(), "half") {
				t.Fatal(sc)
			}
		}
		f.ran(t, 2)
	})
	t.Run("goexit", func(t *testing.T) {
		f := drawing(func(p *Page) { p.Slider("n", 1); runtime.Goexit() })
		for range 2 {
			done := make(chan int)
			go func() { defer close(done); f.call(bg, NewScreen(&Session{}).Page(), "x") }()
			<-done
		}
		f.ran(t, 2)
		if n := f.site.Stats().InFlight; n != 0 {
			t.Fatal(n)
		}
	})
	t.Run("widget read twice", func(t *testing.T) {
		f := drawing(func(p *Page) { p.Slider("n", 1); p.Slider("n", 1) })
		f.show(t, &Session{})
		f.show(t, &Session{})
		f.ran(t, 1)
	})
	t.Run("widget that changes while it is drawn", func(t *testing.T) {
		s := &Session{}
		n := 0
		f := drawing(func(p *Page) { p.Slider("n", 1); n++; s.Set("n", fmt.Sprint(n+5)); p.Slider("n", 1) })
		f.show(t, s)
		f.show(t, s)
		f.ran(t, 2)
	})
	t.Run("another default than last time", func(t *testing.T) {
		d := 0
		f := drawing(func(p *Page) { d++; p.Text(fmt.Sprint(p.Slider("n", d))) }, func(o *cachert.DrawOptions) { o.Variants = 3 })
		s := &Session{}
		s.Set("n", "9")
		f.show(t, s)
		f.show(t, s)
		f.ran(t, 1)
		f.show(t, &Session{}) // runs, with another default: the question is replaced
		f.ran(t, 2)
		if u := f.site.Stats().Unsteady; u == 0 {
			t.Fatal("not counted")
		}
	})
	t.Run("another widget than last time", func(t *testing.T) {
		n := 0
		f := drawing(func(p *Page) { n++; p.Slider(fmt.Sprint("n", n), 1) })
		s := &Session{}
		f.show(t, s)
		s.Set("n1", "7")
		f.show(t, s) // reads n2
		f.ran(t, 2)
		if u := f.site.Stats().Unsteady; u != 1 {
			t.Fatal("counted", u)
		}
		f.show(t, s)
		f.ran(t, 2)
	})
	t.Run("late drawing", func(t *testing.T) {
		var late *Page
		f := drawing(func(p *Page) { p.Text("page"); late = p })
		sc := NewScreen(&Session{})
		f.call(bg, sc.Page(), "x")
		if err := late.Text("late"); !errors.Is(err, surface.ErrClosed) || strings.Contains(sc.String(), "late") {
			t.Fatal(err, sc)
		}
		f.show(t, &Session{})
		f.ran(t, 2)
	})
	t.Run("several goroutines", func(t *testing.T) {
		f := drawing(func(p *Page) {
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() { p.Container("c").Text(fmt.Sprint(i, p.Slider(fmt.Sprint("n", i%2), 1))) })
			}
			wg.Wait()
		})
		a := f.show(t, &Session{})
		if b := f.show(t, &Session{}); a != b {
			t.Fatal(a, b)
		}
		f.ran(t, 1)
	})
	t.Run("inner functions on several goroutines", func(t *testing.T) {
		inner := function(func(_ context.Context, p *Page, arg string) (string, error) {
			p.Text(arg)
			runtime.Gosched()
			return arg, p.Text(arg)
		})
		outer := drawing(func(p *Page) {
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() { inner.call(bg, p.Container("c"), fmt.Sprint(i)) })
			}
			p.Text("own")
			wg.Wait()
		})
		outer.show(t, &Session{})
		for i := range 8 {
			sc := NewScreen(&Session{})
			inner.call(bg, sc.Page(), fmt.Sprint(i))
			if want := lines(`main ""`, fmt.Sprintf("  text %q", fmt.Sprint(i)), fmt.Sprintf("  text %q", fmt.Sprint(i))); sc.String() != want {
				t.Fatalf("inner %d kept what others drew: %s", i, sc)
			}
		}
		inner.ran(t, 8)
	})
	t.Run("cancelled half way", func(t *testing.T) {
		f := function(func(ctx context.Context, p *Page, _ string) (string, error) {
			p.Text("half")
			<-ctx.Done()
			return "", ctx.Err()
		})
		ctx, cancel := context.WithCancel(bg)
		cancel()
		if _, err := f.call(ctx, NewScreen(&Session{}).Page(), "x"); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		f.body = func(_ context.Context, p *Page, _ string) (string, error) { return "", p.Text("whole") }
		if got := f.show(t, &Session{}); !strings.Contains(got, "whole") {
			t.Fatal(got)
		}
	})
	t.Run("broken surface", func(t *testing.T) {
		gone := errors.New("gone")
		f := drawing(func(p *Page) { p.Text("page") })
		sc := NewScreen(&Session{})
		sc.Break(gone)
		if _, err := f.call(bg, sc.Page(), "x"); err != gone {
			t.Fatal(err)
		}
		f.show(t, &Session{})
		f.ran(t, 1)
	})
	t.Run("without the option widgets", func(t *testing.T) {
		f := drawing(func(p *Page) { p.Slider("n", 1) }, func(o *cachert.DrawOptions) { o.Widgets = false })
		f.show(t, &Session{})
		f.show(t, &Session{})
		f.ran(t, 2)
	})
	t.Run("calls itself", func(t *testing.T) {
		var f *fn
		f = function(func(ctx context.Context, p *Page, arg string) (string, error) {
			p.Slider("n", 1)
			return f.call(ctx, p, arg)
		})
		var cycle *cachert.CycleError
		if _, err := f.call(bg, NewScreen(&Session{}).Page(), "x"); !errors.As(err, &cycle) {
			t.Fatal(err)
		}
	})
}

// Clear and Forget while a body runs: its caller gets the page, nobody later does.
func TestClearWhileDrawingKeepsThePageOut(t *testing.T) {
	for name, drop := range map[string]func(f *fn){
		"clear":  func(f *fn) { f.site.Clear() },
		"forget": func(f *fn) { k := key{"x"}; f.site.Forget(k.hash(), k) },
	} {
		t.Run(name, func(t *testing.T) {
			var f *fn
			version := "old"
			f = drawing(func(p *Page) {
				p.Slider("a", 1)
				v := version
				if v == "old" {
					drop(f)
					version = "new"
				}
				p.Slider("b", 1)
				p.Text(v)
			})
			if got := f.show(t, &Session{}); !strings.Contains(got, "old") {
				t.Fatal(got)
			}
			for range 2 {
				if got := f.show(t, &Session{}); !strings.Contains(got, "new") {
					t.Fatal(got)
				}
			}
			f.ran(t, 2)
		})
	}
	f := drawing(func(p *Page) { p.Slider("a", 1) })
	s := &Session{}
	s.Set("a", "2")
	f.show(t, s)
	f.show(t, &Session{})
	k := key{"x"}
	f.site.Forget(k.hash(), k)
	if n := f.site.Stats().Entries; n != 0 {
		t.Fatal("entries after Forget:", n)
	}
	f.show(t, s)
	f.show(t, &Session{})
	f.ran(t, 4)
}

func TestDrawnResultEndsAtItsTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := drawing(func(p *Page) { p.Slider("a", 1); p.Text("x") }, func(o *cachert.DrawOptions) { o.TTL = time.Minute })
		f.show(t, &Session{})
		time.Sleep(time.Minute - 1)
		f.show(t, &Session{})
		f.ran(t, 1)
		time.Sleep(time.Nanosecond)
		f.show(t, &Session{})
		f.ran(t, 2)
	})
}

func TestStatsCountDrawingFunctions(t *testing.T) {
	f := drawing(func(p *Page) { p.Slider("a", 1); p.Slider("b", 1) }, func(o *cachert.DrawOptions) { o.Func = "cachetest.stats" })
	s := &Session{}
	for range 5 {
		f.show(t, s)
	}
	s.Set("b", "2")
	f.show(t, s)
	all := cachert.AllStats()
	i := slices.IndexFunc(all, func(x cachert.Stats) bool { return x.Func == "cachetest.stats" })
	x := f.site.Stats()
	if x.Hits != 4 || x.Misses != 2 || x.Loads != 2 || x.Errors != 0 || x.NotKept != 0 || x.Entries != 4 || i < 0 || all[i].Hits != 4 {
		t.Fatalf("%+v", x)
	}
}

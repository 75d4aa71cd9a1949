package interpreter

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/starfederation/datastar-go/datastar"

	"github.com/cachegen/cachegen/cache"
	"github.com/cachegen/cachegen/cache/cachetest"
)

// A canvas is what a program draws on.
type canvas interface {
	text(string) error
	box(title string, inside func(canvas) error) error
	// ask draws a control, and returns what it says.
	ask(ctx context.Context, name, deflt string) string
	// trick does the nth thing that only this kind of canvas can do, inside of it what it can.
	trick(n int, what string, inside func(canvas) error) error
	// call calls function fn of the program through the nth wrapper of the canvas's kind.
	call(ctx context.Context, n, fn int, kids func(canvas) error) (string, error)
}

// which is the index of the function to call, among the annotated one and its wrapper.
func which() int {
	if cached {
		return 1
	}
	return 0
}

// kidsOn makes children for a P of children for a canvas.
func kidsOn[P any](on func(P) canvas, kids func(canvas) error) func(P) error {
	if kids == nil {
		return nil
	}
	return func(p P) error { return kids(on(p)) }
}

// onPage draws on the test surface.
type onPage struct{ p *cachetest.Page }

func pageKids(children func(*cachetest.Page) error) func(canvas) error {
	if children == nil {
		return nil
	}
	return func(c canvas) error { return children(c.(onPage).p) }
}

func (c onPage) text(s string) error { return c.p.Text(s) }

func (c onPage) box(title string, inside func(canvas) error) error {
	return inside(onPage{c.p.Container(title)})
}

func (c onPage) ask(_ context.Context, name, deflt string) string {
	return c.p.Ask("input", name, deflt)
}

func (c onPage) trick(n int, what string, inside func(canvas) error) error {
	switch n % 5 {
	case 0:
		return inside(onPage{c.p.Sidebar()})
	case 1:
		return inside(onPage{c.p.Scoped("s" + what)})
	case 2:
		return c.p.Toast(what)
	case 3:
		return c.p.Image([]byte("image " + what))
	}
	q := c.p.Container("cleared")
	if err := inside(onPage{q}); err != nil {
		return err
	}
	return q.Clear()
}

func (c onPage) call(ctx context.Context, n, fn int, kids func(canvas) error) (string, error) {
	f := pageFuncs[n%len(pageFuncs)][which()]
	return f(ctx, c.p, fn, kidsOn(func(p *cachetest.Page) canvas { return onPage{p} }, kids))
}

// askInput draws a control of HTML, whose input may be absent, empty, or there.
func askInput(ctx context.Context, draw func(string) error, name, deflt string) string {
	v, ok := cache.InputValues(ctx, name)
	_ = draw(fmt.Sprint(name, v, ok))
	if !ok {
		return deflt
	}
	return v[0]
}

// onWriter draws on an io.Writer.
type onWriter struct{ w io.Writer }

func writerKids(children func(io.Writer) error) func(canvas) error {
	if children == nil {
		return nil
	}
	return func(c canvas) error { return children(c.(onWriter).w) }
}

func (c onWriter) text(s string) error {
	_, err := fmt.Fprintf(c.w, "<p>%s</p>", s)
	return err
}

func (c onWriter) box(title string, inside func(canvas) error) error {
	fmt.Fprintf(c.w, "<div>%s", title)
	if err := inside(c); err != nil {
		return err // of children, perhaps: a replay would end here, too
	}
	_, err := fmt.Fprint(c.w, "</div>")
	return err
}

func (c onWriter) ask(ctx context.Context, name, deflt string) string {
	return askInput(ctx, c.text, name, deflt)
}

func (c onWriter) trick(_ int, what string, inside func(canvas) error) error {
	if f, ok := c.w.(http.Flusher); ok {
		f.Flush()
	}
	return inside(c)
}

func (c onWriter) call(ctx context.Context, n, fn int, kids func(canvas) error) (string, error) {
	f := writerFuncs[n%len(writerFuncs)][which()]
	return f(ctx, c.w, fn, kidsOn(func(w io.Writer) canvas { return onWriter{w} }, kids))
}

// onResponse draws on a response, with headers.
type onResponse struct{ w http.ResponseWriter }

func responseKids(children func(http.ResponseWriter) error) func(canvas) error {
	if children == nil {
		return nil
	}
	return func(c canvas) error {
		if c, ok := c.(onResponse); ok {
			return children(c.w)
		}
		return c.text("children of a response")
	}
}

func (c onResponse) text(s string) error { return onWriter{c.w}.text(s) }

func (c onResponse) box(title string, inside func(canvas) error) error {
	fmt.Fprintf(c.w, "<div>%s", title)
	if err := inside(c); err != nil {
		return err // of children, perhaps: a replay would end here, too
	}
	_, err := fmt.Fprint(c.w, "</div>")
	return err
}

func (c onResponse) ask(ctx context.Context, name, deflt string) string {
	return askInput(ctx, c.text, name, deflt)
}

func (c onResponse) trick(n int, what string, inside func(canvas) error) error {
	h := c.w.Header()
	switch n % 7 {
	case 0:
		h.Set("X-Set", what)
	case 1:
		h.Add("X-Add", what)
	case 2:
		h.Del("X-Del")
	case 3:
		h.Set("X-User", "ann") // what the middleware says to one of the users
	case 4:
		c.w.WriteHeader(200 + len(what))
	case 5:
		// A cookie that is of this request, and that no context tells.
		http.SetCookie(c.w, &http.Cookie{Name: "visit", Value: visit.Load().(string)})
	case 6:
		c.w.(http.Flusher).Flush()
	}
	return inside(c)
}

func (c onResponse) call(ctx context.Context, n, fn int, kids func(canvas) error) (string, error) {
	if n%3 == 0 {
		f := writerFuncs[n%len(writerFuncs)][which()]
		return f(ctx, c.w, fn, kidsOn(func(w io.Writer) canvas { return onWriter{w} }, kids))
	}
	f := responseFuncs[n%len(responseFuncs)][which()]
	return f(ctx, c.w, fn, kidsOn(func(w http.ResponseWriter) canvas { return onResponse{w} }, kids))
}

// onEvents draws on an event generator.
type onEvents struct {
	sse *datastar.ServerSentEventGenerator
}

func eventKids(children func(*datastar.ServerSentEventGenerator) error) func(canvas) error {
	if children == nil {
		return nil
	}
	return func(c canvas) error { return children(c.(onEvents).sse) }
}

func (c onEvents) text(s string) error { return c.sse.PatchElements("<p>" + s + "</p>") }

func (c onEvents) box(title string, inside func(canvas) error) error {
	if err := c.sse.PatchElements("<div id="+title+">\n</div>", datastar.WithModeAppend()); err != nil {
		return err
	}
	return inside(c)
}

func (c onEvents) ask(ctx context.Context, name, deflt string) string {
	return askInput(ctx, c.text, name, deflt)
}

func (c onEvents) trick(n int, what string, inside func(canvas) error) error {
	if n%2 == 0 {
		if err := c.text("context of " + userOf(c.sse.Context())); err != nil {
			return err
		}
	}
	return inside(c)
}

func (c onEvents) call(ctx context.Context, n, fn int, kids func(canvas) error) (string, error) {
	f := eventsFuncs[n%len(eventsFuncs)][which()]
	return f(ctx, c.sse, fn, kidsOn(func(s *datastar.ServerSentEventGenerator) canvas { return onEvents{s} }, kids))
}

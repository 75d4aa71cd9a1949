package html_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/cache/cachetest"
	"github.com/cachegen/cachegen/cache/html"
	"github.com/cachegen/cachegen/cache/surface"
	"github.com/cachegen/cachegen/cache/web"
	cachert "github.com/cachegen/cachegen/runtime"
)

// A framework over net/http: its handlers take a Ctx.

// Ctx is what a handler answers with, and what it reads of its request.
type Ctx interface {
	Query(name string) string
	Request() *http.Request
	Response() http.ResponseWriter
}

type plainCtx struct {
	w http.ResponseWriter
	r *http.Request
}

// NewCtx returns the Ctx of a request.
func NewCtx(w http.ResponseWriter, r *http.Request) Ctx { return plainCtx{w, r} }

func (c plainCtx) Query(name string) string      { return c.r.URL.Query().Get(name) }
func (c plainCtx) Request() *http.Request        { return c.r }
func (c plainCtx) Response() http.ResponseWriter { return c.w }

// The adapter, as docs/bring-your-own-framework.md has it.

// begin adapter
type ctxSurface struct {
	*html.Response
	surface.ContextHolder
	given Ctx // what the caller gave
	up    Ctx // the same, where nobody watches what is read
}

// Bind binds a Ctx: the body gets another one, which draws on the surface.
func Bind(ctx context.Context, c Ctx, _ surface.Inputs) (context.Context, Ctx, surface.Surface) {
	s := &ctxSurface{given: c, up: c}
	if w, ok := c.(watched); ok {
		s.up = w.Ctx
	}
	r := s.up.Request()
	s.Response = html.NewResponse(s.up.Response(), web.New(r))
	return ctx, watched{NewCtx(s.Response, r.WithContext(s.Carry(r.Context()))), s}, s
}

// Outer is what the caller's children are drawn on while the body runs.
func (s *ctxSurface) Outer() Ctx {
	if w := s.Response.Outer(); w != s.up.Response() {
		return NewCtx(w, s.up.Request())
	}
	return s.given
}

// watched is a Ctx whose reads are reported before the body gets the value.
type watched struct {
	Ctx
	s *ctxSurface
}

func (w watched) Query(name string) string {
	v, set := w.s.Value("query:" + name)
	w.s.ReportRead(surface.Read{Widget: "query:" + name, Value: v, Set: set})
	return w.Ctx.Query(name)
}

func (w watched) Request() *http.Request {
	w.s.Refuse(surface.Personal(errors.New("it took the request, of which it can read anything")))
	return w.Ctx.Request()
}

// end adapter

func TestFrameworkOverHTTP(t *testing.T) {
	cachetest.Conform(t, cachetest.Adapter[Ctx]{
		Bind: Bind,
		Run: func(s *cachetest.Session, ctx context.Context, page func(context.Context, Ctx)) string {
			q := url.Values{}
			for k, v := range s.Values() {
				q.Set(k, v)
			}
			w := httptest.NewRecorder()
			page(ctx, NewCtx(w, httptest.NewRequest("GET", "/?"+q.Encode(), nil).WithContext(ctx)))
			return fmt.Sprint(w.Code, w.Result().Header, w.Body)
		},
		Text: func(c Ctx, s string) error {
			c.Response().Header().Add("X-Text", s)
			_, err := fmt.Fprintf(c.Response(), "<p>%s</p>", s)
			return err
		},
		Box: func(c Ctx, title string, body func(Ctx) error) error {
			fmt.Fprintf(c.Response(), "<div id=%s>", title)
			err := body(c)
			fmt.Fprint(c.Response(), "</div>")
			return err
		},
		Ask: func(_ context.Context, c Ctx, name, deflt string) string {
			v := c.Query(name)
			if v == "" {
				v = deflt
			}
			fmt.Fprintf(c.Response(), "<input name=%s value=%s>", name, v)
			return v
		},
		NoContext: true,
	}, 300)
}

// A body that takes the whole request, or reads a user from the context that it carries, is
// not kept.
func TestFrameworkOverHTTPKeepsNoUser(t *testing.T) {
	type key struct{}
	var userKey any = struct{ user string }{}
	for name, read := range map[string]func(Ctx) string{
		"request": func(c Ctx) string { return c.Request().Header.Get("User") },
		"context": func(c Ctx) string { return fmt.Sprint(c.(watched).Ctx.Request().Context().Value(userKey)) },
	} {
		d := cachert.NewDrawn[key, struct{}](nil, cachert.DrawOptions{Options: cachert.Options{Func: "framework", Site: "x", TrackContext: true}, Widgets: true})
		for _, user := range []string{"ann", "bob"} {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("User", user)
			w := httptest.NewRecorder()
			_, c, s := Bind(t.Context(), NewCtx(w, r.WithContext(context.WithValue(t.Context(), userKey, user))), nil)
			if _, err := d.Do(1, key{}, &cachert.DrawCall{Surface: s, Run: func(_ context.Context, _ any) (err error) {
				_, err = fmt.Fprint(c.Response(), "for ", read(c))
				return err
			}}); err != nil {
				t.Fatal(err)
			}
			if w.Body.String() != "for "+user {
				t.Errorf("%s: %s was shown %q", name, user, w.Body)
			}
		}
	}
}

// The page shows the adapter that is tested here.
func TestPageShowsTheAdapterOverHTTP(t *testing.T) {
	page, err := os.ReadFile("../../docs/bring-your-own-framework.md")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("framework_test.go")
	if err != nil {
		t.Fatal(err)
	}
	normal := strings.NewReplacer("\r\n", "\n")
	_, adapter, _ := strings.Cut(normal.Replace(string(code)), "// begin adapter\n")
	adapter, _, _ = strings.Cut(adapter, "\n// end adapter")
	if adapter == "" || !strings.Contains(normal.Replace(string(page)), adapter) {
		t.Error("docs/bring-your-own-framework.md does not show the adapter of this file")
	}
}

package datastar

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/starfederation/datastar-go/datastar"

	"github.com/cachegen/cachegen/cache/cachetest"
	"github.com/cachegen/cachegen/cache/web"
	cachert "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/runtime/value"
)

type key struct{ arg string }

func (k *key) hash() uint64 { return value.HashString(value.HashStart(), k.arg) }

func page(s *cachetest.Session, ctx context.Context, body func(context.Context, *datastar.ServerSentEventGenerator)) string {
	signals, _ := json.Marshal(s.Values())
	r := httptest.NewRequest("GET", "/?datastar="+url.QueryEscape(string(signals)), nil).WithContext(ctx)
	w := httptest.NewRecorder()
	web.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body(r.Context(), datastar.NewSSE(w, r))
	})).ServeHTTP(w, r)
	return w.Body.String()
}

func TestConform(t *testing.T) {
	type P = *datastar.ServerSentEventGenerator
	cachetest.Conform(t, cachetest.Adapter[P]{
		Bind: Bind,
		Run:  page,
		Text: func(g P, s string) error { return g.PatchElements("<p>" + s + "</p>") },
		Box: func(g P, s string, body func(P) error) error {
			if err := g.PatchElements("<div id="+s+">\n</div>", datastar.WithSelectorID("page"), datastar.WithModeAppend()); err != nil {
				return err
			}
			return body(g)
		},
		Ask: func(ctx context.Context, g P, name, deflt string) string {
			v := cachert.Input(ctx, name)
			if v == "" {
				v = `"` + deflt + `"`
			}
			g.MarshalAndPatchSignals(map[string]string{name: v})
			return strings.Trim(v, `"`)
		},
	}, 500)
}

// cached is the wrapper of body.
func cached(body func(context.Context, *datastar.ServerSentEventGenerator)) func(context.Context, *datastar.ServerSentEventGenerator) error {
	d := cachert.NewDrawn[key, struct{}](nil, cachert.DrawOptions{Options: cachert.Options{Func: "datastar.test", Site: "x", TrackContext: true}, Widgets: true})
	return func(ctx context.Context, g *datastar.ServerSentEventGenerator) error {
		k := key{}
		bctx, b, s := Bind(ctx, g, nil)
		_, err := d.Do(k.hash(), k, &cachert.DrawCall{Ctx: bctx, Surface: s, Run: func(ctx context.Context, _ any) (err error) {
			body(ctx, b)
			return
		}})
		return err
	}
}

// What is recorded lies above the compressor: a client that takes no compression gets
// what was recorded for one that does.
func TestCompression(t *testing.T) {
	runs := 0
	f := cached(func(ctx context.Context, g *datastar.ServerSentEventGenerator) {
		runs++
		g.PatchElements("<p>hello</p>")
		g.Send("custom", []string{"one", "two\nlines", ""}, datastar.WithSSEEventId("7"), datastar.WithSSERetryDuration(5*time.Second))
		g.ExecuteScript("alert(1)")
	})
	serve := func(encoding string, opts ...datastar.SSEOption) string {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Encoding", encoding)
		w := httptest.NewRecorder()
		if err := f(r.Context(), datastar.NewSSE(w, r, opts...)); err != nil {
			t.Fatal(err)
		}
		if w.Header().Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			b, _ := io.ReadAll(z) // the stream has no end: it was flushed, not closed
			return "gzip:" + string(b)
		}
		return w.Body.String()
	}
	a := serve("gzip", datastar.WithCompression(datastar.WithGzip()))
	b := serve("")
	if runs != 1 || a != "gzip:"+b || !strings.Contains(b, "data: two\nlines\n") || !strings.Contains(b, "retry: 5000\n") {
		t.Fatalf("%d runs\n%s\n%s", runs, a, b)
	}
}

// userKey is of no package, so that it does not pass for infrastructure.
var userKey any = struct{ user string }{}

// The generator carries a context of its own, by which another user's page could come in.
func TestUserInTheGenerator(t *testing.T) {
	f := cached(func(_ context.Context, g *datastar.ServerSentEventGenerator) {
		g.PatchElements(fmt.Sprintf("<p>%v</p>", g.Context().Value(userKey)))
	})
	for _, u := range []string{"a", "b", "a"} {
		r := httptest.NewRequest("GET", "/", nil)
		r = r.WithContext(context.WithValue(r.Context(), userKey, u))
		w := httptest.NewRecorder()
		f(context.Background(), datastar.NewSSE(w, r))
		if !strings.Contains(w.Body.String(), "<p>"+u+"</p>") {
			t.Fatalf("%s was shown %s", u, w.Body)
		}
	}
}

// An event that is read back and sent again has the same bytes, whatever its lines hold.
func TestEventsComeBack(t *testing.T) {
	pieces := []string{"", "x", "\n", "data: ", "id: 3", "event: y", "\n\n", "retry: 5", " ", "\r\n"}
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		var rows []string
		for range r.IntN(4) {
			var b strings.Builder
			for range r.IntN(5) {
				b.WriteString(pieces[r.IntN(len(pieces))])
			}
			rows = append(rows, b.String())
		}
		var opts []datastar.SSEEventOption
		if r.IntN(2) == 0 {
			opts = append(opts, datastar.WithSSEEventId("7"))
		}
		if r.IntN(2) == 0 {
			opts = append(opts, datastar.WithSSERetryDuration(3*time.Second))
		}
		var first, second []byte
		newSSE(t.Context(), func(b []byte) error { first = b; return nil }).Send("kind", rows, opts...)
		e, err := parse(first)
		if err != nil {
			t.Fatalf("%q: %v", first, err)
		}
		if e.send(newSSE(t.Context(), func(b []byte) error { second = b; return nil })); string(first) != string(second) {
			t.Fatalf("%q came back as %q", first, second)
		}
	}
}

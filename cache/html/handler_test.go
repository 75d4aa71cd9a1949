package html

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/cachegen/cachegen/cache/surface"
	"github.com/cachegen/cachegen/cache/web"
	cachert "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/runtime/value"
)

type key struct{ arg string }

func (k *key) hash() uint64 { return value.HashString(value.HashStart(), k.arg) }

type none = struct{}

func site(o cachert.DrawOptions) *cachert.Drawn[key, none] {
	o.Func, o.Site, o.Max, o.TrackContext = "html.handler", "handler_test.go", 10000, true
	return cachert.NewDrawn[key, none](nil, o)
}

// handler is the wrapper that the generator writes for a handler that reads names.
func handler(d *cachert.Drawn[key, none], names []string, body http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !web.Cacheable(r) {
			body(w, r)
			return
		}
		k := key{}
		bctx, bw, s := BindResponse(r.Context(), w, web.Static(r, names))
		_, err := d.Do(k.hash(), k, &cachert.DrawCall{
			Ctx: bctx, Surface: s, NoError: true,
			Run: func(ctx context.Context, _ any) (err error) {
				body(bw, r.WithContext(ctx))
				return
			},
		})
		if err != nil {
			panic(err)
		}
	}
}

func get(h http.Handler, url string, change ...func(*http.Request)) *http.Response {
	r := httptest.NewRequest("GET", url, nil)
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(r *http.Response) string {
	b, _ := io.ReadAll(r.Body)
	return string(b)
}

type user struct{}

// as puts a user into the context, as a middleware that knows who it is.
func as(name string) func(*http.Request) {
	return func(r *http.Request) { *r = *r.WithContext(context.WithValue(r.Context(), userKey, name)) }
}

// userKey is of no package, so that it does not pass for infrastructure.
var userKey any = struct{ user }{}

func TestHandlerIsDrawnAgain(t *testing.T) {
	runs := 0
	h := handler(site(cachert.DrawOptions{}), []string{"path:id", "query:q"}, func(w http.ResponseWriter, r *http.Request) {
		runs++
		w.Header().Set("X-Page", "yes")
		w.Header().Del("X-Before")
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "id %s q %s", r.PathValue("id"), r.URL.Query().Get("q"))
	})
	mux := http.NewServeMux()
	mux.HandleFunc("/item/{id}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Before", "1")
		w.Header().Set("X-Request-Id", r.Header.Get("N"))
		h(w, r)
	})
	for i, want := range []struct {
		url, text string
		runs      int
	}{
		{"/item/1", "id 1 q ", 1}, {"/item/1", "id 1 q ", 1}, {"/item/2", "id 2 q ", 2},
		{"/item/1?q=x", "id 1 q x", 3}, {"/item/1?q=x&other=y", "id 1 q x", 3}, {"/item/1?q=", "id 1 q ", 4}, {"/item/1", "id 1 q ", 4},
	} {
		r := get(mux, want.url, func(r *http.Request) { r.Header.Set("N", fmt.Sprint(i)) })
		if got := text(r); got != want.text || runs != want.runs || r.StatusCode != 418 || r.Header.Get("X-Page") != "yes" ||
			r.Header.Get("X-Before") != "" || r.Header.Get("X-Request-Id") != fmt.Sprint(i) {
			t.Fatalf("%d %s: %q after %d runs, %v", i, want.url, got, runs, r)
		}
	}
	head := httptest.NewRecorder()
	mux.ServeHTTP(head, httptest.NewRequest("HEAD", "/item/1", nil))
	if runs != 4 {
		t.Fatal("HEAD was not served from the GET's result")
	}
}

// Each case would show one user's page to another, or a page that was not to be kept, if its
// rule did not hold. The second request must run the body again.
func TestNothingIsKeptOf(t *testing.T) {
	flush := func(w http.ResponseWriter) { http.NewResponseController(w).Flush() }
	cases := map[string]struct {
		names  []string
		body   http.HandlerFunc
		change func(*http.Request)
	}{
		"a user in the context": {body: func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, r.Context().Value(userKey))
		}},
		"authorization": {change: func(r *http.Request) { r.SetBasicAuth("u", "p") }},
		"set-cookie": {body: func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		}},
		"no-store": {body: func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Cache-Control", "max-age=1, No-Store") }},
		"private": {body: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Cache-Control", "max-age=1")
			w.Header().Add("Cache-Control", "private=\"x\"")
		}},
		"vary by cookie":         {body: func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Vary", "Accept, Cookie") }},
		"vary by all":            {body: func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Vary", "*") }},
		"an error of the server": {body: func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusServiceUnavailable) }},
		"a part":                 {body: func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(206) }},
		"a trailer": {body: func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "x")
			w.Header().Set(http.TrailerPrefix+"Sum", "1")
		}},
		"a declared trailer": {body: func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Trailer", "Sum"); flush(w) }},
		"an input without the option": {body: func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, cachert.Input(r.Context(), "x"))
		}},
		"POST":    {change: func(r *http.Request) { r.Method = "POST" }},
		"a range": {change: func(r *http.Request) { r.Header.Set("Range", "bytes=0-1") }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			runs := 0
			h := handler(site(cachert.DrawOptions{}), c.names, func(w http.ResponseWriter, r *http.Request) {
				runs++
				if c.body != nil {
					c.body(w, r)
				}
				fmt.Fprintf(w, "run %d", runs)
			})
			for i := 1; i <= 3; i++ {
				change := []func(*http.Request){as(fmt.Sprint("user", i))}
				if c.change != nil {
					change = append(change, c.change)
				}
				if got := text(get(h, "/", change...)); !strings.HasSuffix(got, fmt.Sprint("run ", i)) || runs != i {
					t.Fatalf("request %d got %q after %d runs", i, got, runs)
				}
			}
		})
	}
	t.Run("kept otherwise", func(t *testing.T) {
		runs := 0
		h := handler(site(cachert.DrawOptions{}), nil, func(w http.ResponseWriter, r *http.Request) { runs++ })
		get(h, "/", as("a"))
		get(h, "/", as("b"))
		if runs != 1 {
			t.Fatal("the cases above prove nothing")
		}
	})
}

// A cookie, or a header that says private, of a middleware belongs to the request that is
// being answered: the page is kept, and the header is not on it.
func TestMiddlewareHeadersStayTheirs(t *testing.T) {
	runs := 0
	h := handler(site(cachert.DrawOptions{}), nil, func(w http.ResponseWriter, r *http.Request) {
		runs++
		io.WriteString(w, "page")
	})
	n := 0
	outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		http.SetCookie(w, &http.Cookie{Name: "session", Value: fmt.Sprint(n)})
		h(w, r)
	})
	for i := 1; i <= 3; i++ {
		r := get(outer, "/")
		if c := r.Header["Set-Cookie"]; len(c) != 1 || c[0] != fmt.Sprint("session=", i) || text(r) != "page" {
			t.Fatal(i, c)
		}
	}
	if runs != 1 {
		t.Fatal("runs", runs)
	}
}

// A box that is ticked by default and was unticked sends nothing, which differs from
// everything that it could send.
func TestUntickedBox(t *testing.T) {
	runs := 0
	h := handler(site(cachert.DrawOptions{Widgets: true}), nil, func(w http.ResponseWriter, r *http.Request) {
		runs++
		v, ok := cachert.InputValues(r.Context(), "box")
		fmt.Fprint(w, v, ok)
	})
	for i, c := range []struct {
		url, want string
		runs      int
	}{
		{"/", "[] false", 1}, {"/?box=on", "[on] true", 2}, {"/", "[] false", 2}, {"/?box=", "[] true", 3},
		{"/?box=on&box=on", "[on on] true", 4}, {"/?box=on", "[on] true", 4},
	} {
		if got := text(get(h, c.url)); got != c.want || runs != c.runs {
			t.Fatalf("%d: %s: %q after %d runs", i, c.url, got, runs)
		}
	}
}

// A session's part inside of a page for all keeps the page from being kept.
func TestSessionInsideGlobal(t *testing.T) {
	inner := cachert.New[key, string](nil, cachert.Options{Func: "html.session", Site: "x", Session: true, TrackContext: true})
	runs := 0
	h := handler(site(cachert.DrawOptions{}), nil, func(w http.ResponseWriter, r *http.Request) {
		runs++
		id, _ := cachert.SessionOf(r.Context())
		k := key{id}
		v, _ := inner.Do(k.hash(), k, &cachert.Call{Ctx: r.Context(), Run: func(ctx context.Context, v any) error {
			id, _ := cachert.SessionOf(ctx)
			*v.(*string) = "cart of " + id
			return nil
		}})
		io.WriteString(w, v)
	})
	for i := range 4 {
		id := fmt.Sprint("s", i%2)
		got := text(get(h, "/", func(r *http.Request) { *r = *r.WithContext(cachert.WithSession(r.Context(), id)) }))
		if got != "cart of "+id {
			t.Fatalf("%s was shown the %s", id, got)
		}
	}
	if runs != 4 {
		t.Fatal("runs", runs)
	}
}

// While the first user's page is being computed, a second one must not be given it.
func TestNoLeakToThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := true
		release := make(chan none)
		h := handler(site(cachert.DrawOptions{}), nil, func(w http.ResponseWriter, r *http.Request) {
			if first {
				first = false
				<-release
			}
			fmt.Fprint(w, r.Context().Value(userKey))
		})
		var wg sync.WaitGroup
		ask := func(u string) {
			wg.Go(func() {
				if got := text(get(h, "/", as(u))); got != u {
					t.Errorf("%s was shown the page of %s", u, got)
				}
			})
			synctest.Wait()
		}
		ask("first")
		for i := range 20 {
			ask(fmt.Sprint("user", i))
		}
		close(release)
		wg.Wait()
	})
}

func TestUploadCountsByContent(t *testing.T) {
	runs := 0
	d := site(cachert.DrawOptions{Widgets: true})
	fragment := func(ctx context.Context, w io.Writer) error {
		k := key{"upload"}
		bctx, bw, s := Bind(ctx, w, nil)
		_, err := d.Do(k.hash(), k, &cachert.DrawCall{Ctx: bctx, Surface: s, Run: func(ctx context.Context, _ any) (err error) {
			runs++
			fs, err := cachert.InputFiles(ctx, "file")
			if err != nil || len(fs) == 0 {
				fmt.Fprint(bw, "no file ", err)
				return err
			}
			f, err := fs[0].Open()
			if err != nil {
				return err
			}
			defer f.Close()
			b, err := io.ReadAll(f)
			fmt.Fprintf(bw, "%s: %d bytes", fs[0].Name, len(b))
			return err
		}})
		return err
	}
	h := web.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := fragment(r.Context(), w); err != nil {
			t.Error(err)
		}
	}))
	post := func(name, content string) string {
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		f, _ := m.CreateFormFile("file", name)
		io.WriteString(f, content)
		m.Close()
		r := httptest.NewRequest("POST", "/", &b)
		r.Header.Set("Content-Type", m.FormDataContentType())
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Body.String()
	}
	for i, c := range []struct {
		name, content, want string
		runs                int
	}{
		{"a.csv", "12345", "a.csv: 5 bytes", 1}, {"a.csv", "12345", "a.csv: 5 bytes", 1},
		{"a.csv", "54321", "a.csv: 5 bytes", 2}, {"b.csv", "12345", "b.csv: 5 bytes", 3}, {"a.csv", "12345", "a.csv: 5 bytes", 3},
	} {
		if got := post(c.name, c.content); got != c.want || runs != c.runs {
			t.Fatalf("%d: %q after %d runs", i, got, runs)
		}
	}
}

func TestHostileForms(t *testing.T) {
	d := site(cachert.DrawOptions{Widgets: true})
	h := handler(d, []string{"query:q", "form:f", "cookie:c", "header:X"}, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%q %q %q", r.URL.Query()["q"], cachert.Input(r.Context(), "i"), cachert.Input(r.Context(), strings.Repeat("n", 1<<16)))
	})
	for _, q := range []string{"q=%zz", "q=a;b", "q=1&q=2&q=\x00", "i=" + strings.Repeat("x", 1<<16), "%", "=&=&=", "q=1%002", "datastar={", "datastar=[1]", `datastar={"i":1,"I":2}`} {
		url := "/?" + strings.ReplaceAll(q, "\x00", "%00")
		a := func() string {
			r := httptest.NewRequest("GET", "/", nil)
			r.URL.RawQuery = url[2:]
			w := httptest.NewRecorder()
			h(w, r)
			return w.Body.String()
		}
		if x, y := a(), a(); x != y {
			t.Errorf("%s: %s, then %s", url, x, y)
		}
	}
}

// What differs in the request must differ in what is shown, even where two lists of
// values have the same concatenation.
func TestListsAreNotConfused(t *testing.T) {
	h := handler(site(cachert.DrawOptions{Widgets: true}), nil, func(w http.ResponseWriter, r *http.Request) {
		v, ok := cachert.InputValues(r.Context(), "a")
		u, uk := cachert.InputValues(r.Context(), "b")
		fmt.Fprintf(w, "%q %v %q %v", v, ok, u, uk)
	})
	seen := map[string]string{}
	for _, q := range []string{"", "a", "a=", "a=&a=", "a=x", "a=xy", "a=x&a=y", "b=x", "a=x&b=y", "b=y", "a=1%01x", "a=1&a=x", "b=&a="} {
		got := text(get(h, "/?"+q))
		if old, ok := seen[got]; ok && !(q == "a=" && old == "a" || q == "a" && old == "a=") {
			t.Errorf("%q and %q look the same: %s", old, q, got)
		}
		seen[got] = q
	}
}

type failing struct {
	http.ResponseWriter
	after int
}

var errGone = errors.New("client has gone")

func (f *failing) Write(p []byte) (int, error) {
	if f.after -= len(p); f.after < 0 {
		return 0, errGone
	}
	return len(p), nil
}

// A client that goes away half way is no fault of the function's: others get the page, and
// the body is not run again.
func TestBrokenClient(t *testing.T) {
	runs := 0
	d := site(cachert.DrawOptions{})
	f := func(w io.Writer) error {
		k := key{"x"}
		_, bw, s := Bind(context.Background(), w, nil)
		_, err := d.Do(k.hash(), k, &cachert.DrawCall{Surface: s, Run: func(_ context.Context, _ any) (err error) {
			runs++
			for range 100 {
				if _, err := io.WriteString(bw, strings.Repeat("x", 1000)); err != nil {
					return err
				}
				bw.(http.Flusher).Flush()
			}
			return nil
		}})
		return err
	}
	if err := f(&failing{httptest.NewRecorder(), 5000}); !errors.Is(err, errGone) {
		t.Fatalf("the caller was not told that its client has gone: %v", err)
	}
	var b bytes.Buffer
	if err := f(&b); err != nil || b.Len() != 100_000 || runs != 1 {
		t.Fatal(err, b.Len(), runs)
	}
	if err := f(&failing{httptest.NewRecorder(), 5000}); !errors.Is(err, errGone) || runs != 1 {
		t.Fatalf("a hit on a broken client: %v", err)
	}
}

// blocking is a client that takes nothing until it is let.
type blocking struct {
	bytes.Buffer
	let chan none
}

func (b *blocking) Write(p []byte) (int, error) { <-b.let; return b.Buffer.Write(p) }

// A slow client holds up neither the body nor those who wait for it.
func TestSlowClient(t *testing.T) {
	d := site(cachert.DrawOptions{})
	ran := make(chan none)
	f := func(w io.Writer) error {
		k := key{"x"}
		_, bw, s := Bind(context.Background(), w, nil)
		_, err := d.Do(k.hash(), k, &cachert.DrawCall{Surface: s, Run: func(_ context.Context, _ any) (err error) {
			for range 100 {
				io.WriteString(bw, "page")
			}
			close(ran)
			return nil
		}})
		return err
	}
	slow := &blocking{let: make(chan none)}
	done := make(chan error)
	go func() { done <- f(slow) }()
	<-ran
	var b bytes.Buffer
	if err := f(&b); err != nil || b.Len() != 400 {
		t.Fatal(err, b.Len())
	}
	close(slow.let)
	if err := <-done; err != nil || slow.Len() != 400 {
		t.Fatal(err, slow.Len())
	}
}

// A body that keeps its writer and writes after it returned shows that to nobody, and what
// was recorded is not used again.
func TestLateWriter(t *testing.T) {
	runs := 0
	var kept http.ResponseWriter
	h := handler(site(cachert.DrawOptions{}), nil, func(w http.ResponseWriter, r *http.Request) {
		runs++
		kept = w
		io.WriteString(w, "page")
	})
	a := get(h, "/")
	if _, err := io.WriteString(kept, "late"); !errors.Is(err, surface.ErrClosed) {
		t.Fatalf("the late write says %v", err)
	}
	if b := get(h, "/"); text(a) != "page" || text(b) != "page" || runs != 2 {
		t.Fatal("runs", runs)
	}
	get(h, "/")
	if runs != 2 {
		t.Fatal("a page that was kept by the book is not used")
	}
}

func TestHeadersAfterWriting(t *testing.T) {
	h := handler(site(cachert.DrawOptions{}), nil, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("A", "1")
		io.WriteString(w, "page")
		w.Header().Set("A", "2")
		w.Header().Set("B", "2")
		w.WriteHeader(500)
	})
	for range 2 {
		if r := get(h, "/"); r.StatusCode != 200 || r.Header.Get("A") != "1" || r.Header.Get("B") != "" {
			t.Fatal(r)
		}
	}
}

func TestHeadersAlone(t *testing.T) {
	runs := 0
	h := handler(site(cachert.DrawOptions{}), nil, func(w http.ResponseWriter, r *http.Request) {
		runs++
		w.Header().Set("Location", "/there")
		w.WriteHeader(302)
	})
	g := handler(site(cachert.DrawOptions{}), nil, func(w http.ResponseWriter, r *http.Request) {
		runs++
		w.Header().Set("X", "1")
	})
	for range 2 {
		if r := get(h, "/"); r.StatusCode != 302 || r.Header.Get("Location") != "/there" {
			t.Fatal(r)
		}
		if r := get(g, "/"); r.StatusCode != 200 || r.Header.Get("X") != "1" {
			t.Fatal(r)
		}
	}
	if runs != 2 {
		t.Fatal(runs)
	}
}

// A real server: streaming arrives as it is written, on a miss and on a hit, and a
// connection that is taken over works and is not kept.
func TestRealServer(t *testing.T) {
	runs := 0
	stream := handler(site(cachert.DrawOptions{}), nil, func(w http.ResponseWriter, r *http.Request) {
		runs++
		io.WriteString(w, "one ")
		w.(http.Flusher).Flush()
		io.WriteString(w, "two")
	})
	hijack := handler(site(cachert.DrawOptions{}), nil, func(w http.ResponseWriter, r *http.Request) {
		runs++
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nmy")
		c.Close()
	})
	mux := http.NewServeMux()
	mux.HandleFunc("/stream", stream)
	mux.HandleFunc("/hijack", hijack)
	srv := httptest.NewServer(mux)
	defer srv.Close()
	for range 2 {
		r, err := http.Get(srv.URL + "/stream")
		if err != nil {
			t.Fatal(err)
		}
		if len(r.TransferEncoding) != 1 || text(r) != "one two" {
			t.Fatal("not streamed", r)
		}
	}
	for range 2 {
		r, err := http.Get(srv.URL + "/hijack")
		if err != nil {
			t.Fatal(err)
		}
		if got := text(r); got != "my" {
			t.Fatal(got)
		}
	}
	if runs != 3 {
		t.Fatal("runs", runs)
	}
}

func TestTapeLargerThanBound(t *testing.T) {
	runs := 0
	h := handler(sizedSite(10_000), nil, func(w http.ResponseWriter, r *http.Request) {
		runs++
		io.WriteString(w, strings.Repeat("x", 100_000))
	})
	for i := 1; i <= 2; i++ {
		if got := text(get(h, "/")); len(got) != 100_000 || runs != i {
			t.Fatal(len(got), runs)
		}
	}
}

func sizedSite(bytes int64) *cachert.Drawn[key, none] {
	return site(cachert.DrawOptions{Options: cachert.Options{MaxBytes: bytes}})
}

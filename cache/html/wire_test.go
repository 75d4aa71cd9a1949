package html

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	cachert "github.com/cachegen/cachegen/runtime"
)

// wireCase is a handler as a user would write it, what stands around it, and what it is sent.
type wireCase struct {
	name   string
	names  []string // what is read of the request
	body   http.HandlerFunc
	around func(http.Handler) http.Handler // nil: nothing
	ask    []string                        // requests: method, path and headers, a line each; nil: GET and HEAD
	never  bool                            // nothing of it is kept
}

var conditions = []string{"header:If-Match", "header:If-Modified-Since", "header:If-None-Match", "header:If-Range", "header:If-Unmodified-Since", "header:Range", "method"}

func text2(n int) string { return strings.Repeat("0123456789abcde\n", n/16+1)[:n] }

func writes(parts ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, p := range parts {
			if p == "flush" {
				http.NewResponseController(w).Flush()
			} else {
				io.WriteString(w, p)
			}
		}
	}
}

func heads(status int, body string, pairs ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(pairs); i += 2 {
			w.Header().Add(pairs[i], pairs[i+1])
		}
		if status != 0 {
			w.WriteHeader(status)
		}
		if body != "" {
			io.WriteString(w, body)
		}
	}
}

func sets(pairs ...string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(pairs); i += 2 {
				w.Header().Add(pairs[i], pairs[i+1])
			}
			next.ServeHTTP(w, r)
		})
	}
}

// zipped is a middleware that compresses, and so has a writer of its own.
func zipped(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept-Encoding")
		if r.Header.Get("Accept-Encoding") != "gzip" {
			next.ServeHTTP(w, r)
			return
		}
		z := &zipWriter{ResponseWriter: w, z: gzip.NewWriter(w)}
		next.ServeHTTP(z, r)
		if z.begun {
			z.z.Close()
		}
	})
}

type zipWriter struct {
	http.ResponseWriter
	z     *gzip.Writer
	begun bool
}

func (z *zipWriter) WriteHeader(status int) {
	z.Header().Del("Content-Length")
	z.Header().Set("Content-Encoding", "gzip")
	z.ResponseWriter.WriteHeader(status)
}

func (z *zipWriter) Write(p []byte) (int, error) {
	if !z.begun {
		z.begun = true
		if z.Header().Get("Content-Type") == "" {
			z.Header().Set("Content-Type", "text/plain; charset=utf-8")
		}
		z.Header().Del("Content-Length")
		z.Header().Set("Content-Encoding", "gzip")
	}
	return z.z.Write(p)
}

var modified = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)

func content(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Etag", `"v1"`)
	http.ServeContent(w, r, "a.txt", modified, strings.NewReader(text2(5000)))
}

var wireCases = []wireCase{
	{name: "a page", body: writes("<html><p>page")},
	{name: "nothing", body: writes()},
	{name: "text", body: writes("text")},
	{name: "bytes", body: writes("\x00\x01\x02")},
	{name: "sniffed over two writes", body: writes("<ht", "ml><p>page")},
	{name: "2047 bytes", body: writes(text2(2047))},
	{name: "2048 bytes", body: writes(text2(2048))},
	{name: "2049 bytes", body: writes(text2(2049))},
	{name: "2049 bytes in two writes", body: writes(text2(1000), text2(1049))},
	{name: "100 KB in a write", body: writes(text2(100_000))},
	{name: "100 KB in many", body: func(w http.ResponseWriter, _ *http.Request) {
		for range 1000 {
			io.WriteString(w, text2(100))
		}
	}},
	{name: "a flush in between", body: writes("one", "flush", "two")},
	{name: "a flush first", body: writes("flush", "one")},
	{name: "a flush alone", body: writes("flush")},
	{name: "a flush last", body: writes("one", "flush")},
	{name: "flushes in a row", body: writes("one", "flush", "flush", "flush", "two")},
	{name: "an empty write", body: writes("", "one")},
	{name: "an empty write alone", body: writes("")},
	{name: "201", body: heads(201, "made", "Location", "/new")},
	{name: "204", body: heads(204, "")},
	{name: "204 with a body", body: heads(204, "none")},
	{name: "205", body: heads(205, "")},
	{name: "300", body: heads(300, "choose")},
	{name: "418", body: heads(418, "tea")},
	{name: "an error", body: func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no such thing", 404) }},
	{name: "an error after headers", body: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "7")
		w.Header().Set("Content-Type", "image/png")
		http.Error(w, "no such image", 404)
	}},
	{name: "an error under a length", body: func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no such thing", 404) }, around: sets("Content-Length", "3", "X-Kept", "1")},
	{name: "not found", body: http.NotFound},
	{name: "moved", names: []string{"method", "url.escaped"}, body: func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/there", http.StatusMovedPermanently)
	}},
	{name: "found, relative", names: []string{"method", "url.escaped"}, body: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "there?x=1", http.StatusFound) }},
	{name: "found, under a type", names: []string{"method", "url.escaped"}, body: func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/there", http.StatusTemporaryRedirect)
	}, around: sets("Content-Type", "text/css")},
	{name: "a type", body: heads(0, "{}", "Content-Type", "application/json")},
	{name: "no type", body: func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		io.WriteString(w, "page")
	}},
	{name: "a type of a middleware", body: writes("{}"), around: sets("Content-Type", "application/json")},
	{name: "no date", body: func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Date"] = nil
		io.WriteString(w, "page")
	}},
	{name: "a length", body: heads(0, "12345", "Content-Length", "5")},
	{name: "a length that is too long", body: heads(0, "12345", "Content-Length", "9")},
	{name: "a length that is too short", body: heads(0, "12345", "Content-Length", "3")},
	{name: "a length for HEAD", body: heads(0, "", "Content-Length", "12345"), ask: []string{"HEAD /"}},
	{name: "a length of nothing", body: heads(0, "", "Content-Length", "0")},
	{name: "no chunks", body: heads(0, text2(3000), "Transfer-Encoding", "identity")},
	{name: "close", body: heads(0, "page", "Connection", "close")},
	{name: "values in a row", body: heads(0, "page", "X-A", "1", "X-A", "2", "x-b", "3", "X-Empty", "")},
	{name: "a value with a line end", body: heads(0, "page", "X-A", "1\r\nX-B: 2")},
	{name: "another spelling", body: func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["x-lower"] = []string{"1"}
		w.Header()["X_Odd"] = []string{"2"}
		io.WriteString(w, "page")
	}},
	{name: "headers after the first byte", body: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-A", "1")
		io.WriteString(w, "page")
		w.Header().Set("X-A", "2")
		w.Header().Set("X-B", "2")
	}},
	{name: "headers after a status", body: func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(404)
		w.Header().Set("X-A", "2")
		io.WriteString(w, "page")
	}},
	{name: "two statuses", body: func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(404)
		w.WriteHeader(200)
	}},
	{name: "103", body: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</a.css>; rel=preload")
		w.WriteHeader(103)
		w.Header().Set("X-A", "1")
		io.WriteString(w, "page")
	}},
	{name: "103 twice, then 404", body: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("Link", "</a.css>; rel=preload")
		w.WriteHeader(103)
		w.Header().Add("Link", "</b.css>; rel=preload")
		w.WriteHeader(103)
		w.Header().Del("Link")
		w.WriteHeader(404)
	}, around: sets("Link", "</m.css>; rel=preload")},
	{name: "Vary and Link beside a middleware's", body: heads(0, "page", "Vary", "Accept-Language", "Link", "</a.css>"), around: sets("Vary", "Origin", "Link", "</m.css>", "X-Request-Id", "7", "Set-Cookie", "a=b")},
	{name: "set over a middleware's", body: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("X-Frame-Options", "SAMEORIGIN")
		io.WriteString(w, "page")
	}, around: sets("Cache-Control", "no-cache", "X-Frame-Options", "DENY")},
	{name: "added to a middleware's", body: heads(0, "page", "X-Trace", "b", "Server-Timing", "db;dur=1"), around: sets("X-Trace", "a", "Server-Timing", "mw;dur=1")},
	{name: "deleted of a middleware's", body: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Del("X-Powered-By")
		w.Header().Del("Vary")
		w.Header().Del("X-Never")
		io.WriteString(w, "page")
	}, around: sets("X-Powered-By", "go", "Vary", "Origin", "X-Kept", "1")},
	{name: "content", names: conditions, body: content},
	{name: "content that was modified", names: conditions, body: content, ask: []string{"GET /\nIf-Modified-Since: Wed, 01 Jan 2020 00:00:00 GMT", "HEAD /\nIf-None-Match: \"v0\""}},
	{name: "content that was not", names: conditions, body: content, never: true, ask: []string{"GET /\nIf-Modified-Since: Fri, 03 Jan 2020 00:00:00 GMT", "GET /\nIf-None-Match: \"v1\"", "HEAD /\nIf-None-Match: W/\"v1\""}},
	{name: "content that must match", names: conditions, body: content, never: true, ask: []string{"GET /\nIf-Match: \"v0\"", "GET /\nIf-Unmodified-Since: Wed, 01 Jan 2020 00:00:00 GMT"}},
	{name: "ranges", names: conditions, body: content, never: true, ask: []string{"GET /\nRange: bytes=0-9", "GET /\nRange: bytes=-5", "GET /\nRange: bytes=9000-", "GET /\nRange: bytes=0-1,4-5\nIf-Range: \"v0\""}},
	{name: "content with an encoding of a middleware's", names: conditions, body: content, around: sets("Content-Encoding", "br")},
	{name: "content with a tag of a middleware's", names: conditions, never: true, body: func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "a.txt", time.Time{}, strings.NewReader("content"))
	}, around: sets("Etag", `"m"`), ask: []string{"GET /\nIf-None-Match: \"m\""}},
	{name: "a file", names: append([]string{"url.path", "url.query"}, conditions...), body: func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, fstest.MapFS{"a.html": {Data: []byte("<p>a"), ModTime: modified}}, "a.html")
	}},
	{name: "no file", names: append([]string{"url.path", "url.query"}, conditions...), body: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Etag", "x")
		http.ServeFileFS(w, r, fstest.MapFS{}, "a.html")
	}},
	{name: "JSON", body: func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode([]int{1, 2}) }},
	{name: "a template", body: func(w http.ResponseWriter, _ *http.Request) {
		template.Must(template.New("").Parse(`<p>{{range .}}<b>{{.}}</b>{{end}}`)).Execute(w, []int{1, 2, 3})
	}},
	{name: "copied", body: func(w http.ResponseWriter, _ *http.Request) { io.Copy(w, strings.NewReader(text2(70_000))) }},
	{name: "deadlines", body: func(w http.ResponseWriter, _ *http.Request) {
		c := http.NewResponseController(w)
		fmt.Fprint(w, c.SetWriteDeadline(time.Now().Add(time.Hour)), c.SetReadDeadline(time.Time{}))
	}},
	{name: "500", body: heads(500, "broken"), never: true},
	{name: "503", body: heads(503, "later", "Retry-After", "7"), never: true},
	{name: "429", body: heads(429, "slower", "Retry-After", "7"), never: true},
	{name: "304 by hand", body: heads(304, "", "Etag", `"a"`, "Content-Type", "text/plain"), never: true},
	{name: "206 by hand", body: heads(206, "part", "Content-Range", "bytes 0-3/9"), never: true},
	{name: "a cookie", body: heads(0, "page", "Set-Cookie", "a=b"), never: true},
	{name: "no-store", body: heads(0, "page", "Cache-Control", "no-store"), never: true},
	{name: "private", body: heads(0, "page", "Cache-Control", "max-age=1, private"), never: true},
	{name: "Vary: *", body: heads(0, "page", "Vary", "*"), never: true},
	{name: "a declared trailer", body: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "Sum")
		io.WriteString(w, "page")
		w.Header().Set("Sum", "7")
	}, never: true},
	{name: "an undeclared trailer", body: func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "page")
		w.Header().Set(http.TrailerPrefix+"Sum", "7")
	}, never: true},
	{name: "a trailer that a middleware declared", body: func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "page")
		w.Header().Set("Sum", "7")
	}, around: sets("Trailer", "Sum"), never: true},
	{name: "a trailer of a middleware's", body: writes("page"), around: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Trailer", "Sum")
			next.ServeHTTP(w, r)
			w.Header().Set("Sum", "7")
		})
	}},
	{name: "an abort", body: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, never: true},
	{name: "an abort after a flush", body: func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}, never: true},
	{name: "credentials", body: writes("page"), never: true, ask: []string{"GET /\nAuthorization: Basic YTpi"}},
	{name: "other methods", names: []string{"method"}, never: true, body: func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Method) }, ask: []string{"POST /\nContent-Length: 0", "DELETE /", "OPTIONS /"}},
	{name: "a method that is an input", names: []string{"method"}, body: func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Method) }},
	{name: "no TLS", names: []string{"tls"}, body: func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.TLS != nil) }},
	{name: "gzip around", body: writes(text2(3000)), around: zipped, ask: []string{"GET /", "GET /\nAccept-Encoding: gzip"}},
	{name: "gzip around a status", body: heads(404, text2(3000), "Content-Type", "text/css", "Vary", "Cookie2"), around: zipped, ask: []string{"GET /\nAccept-Encoding: gzip", "GET /"}},
	{name: "a limit of time around", body: heads(203, "page", "X-A", "1"), around: func(h http.Handler) http.Handler { return http.TimeoutHandler(h, time.Hour, "late") }},
	{name: "a limit of bytes around", body: writes("page"), around: func(h http.Handler) http.Handler { return http.MaxBytesHandler(h, 10) }},
	{name: "a prefix stripped", names: []string{"url.path"}, body: func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) },
		around: func(h http.Handler) http.Handler { return http.StripPrefix("/p", h) }, ask: []string{"GET /p/a", "GET /p/b%20c", "GET /q"}},
	{name: "a pattern", names: []string{"path:id", "path:rest", "pattern"}, body: func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.PathValue("id"), " ", r.PathValue("rest"), " ", r.Pattern)
	}, around: func(h http.Handler) http.Handler {
		m := http.NewServeMux()
		m.Handle("GET /x/{id}/{rest...}", h)
		m.Handle("/y/{id}", h)
		return m
	}, ask: []string{"GET /x/1/a/b", "GET /x/1/", "HEAD /x/1/a/b", "GET /y/1", "GET /y/2%2F3", "GET /z", "GET /x/1"}},
}

// respond is what a client sees of one answer: for each response on the wire its status line,
// its headers as they stand there but Date and Age, its content, and how it was divided off.
func onWire(t *testing.T, addr, ask string) string {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	line, headers, _ := strings.Cut(ask, "\n")
	req := line + " HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n"
	if headers != "" {
		req += strings.ReplaceAll(headers, "\n", "\r\n") + "\r\n"
	}
	io.WriteString(c, req+"\r\n")
	rest, err := io.ReadAll(c)
	var out bytes.Buffer
	for len(rest) > 0 {
		head, body, ok := bytes.Cut(rest, []byte("\r\n\r\n"))
		chunked := false
		for i, l := range strings.Split(string(head), "\r\n") {
			name, _, _ := strings.Cut(l, ":")
			if i == 0 || name != "Date" && name != "Age" {
				fmt.Fprintf(&out, "%s\n", l)
			}
			chunked = chunked || l == "Transfer-Encoding: chunked"
		}
		if strings.HasPrefix(string(head), "HTTP/1.1 1") {
			rest = body
			continue
		}
		fmt.Fprintf(&out, "head ended %v\n", ok)
		for chunked { // how content is divided into chunks means nothing
			size, after, ok := bytes.Cut(body, []byte("\r\n"))
			n, err := strconv.ParseUint(string(size), 16, 32)
			if !ok || err != nil || n > uint64(len(after)) {
				fmt.Fprintf(&out, "cut off: %q", body)
				chunked = false
			} else if n == 0 {
				fmt.Fprintf(&out, "trailer %q", after)
				chunked = false
			} else {
				out.Write(after[:n])
				body = after[n+2:]
			}
			if !chunked {
				body = nil
			}
		}
		out.Write(body)
		rest = nil
	}
	if err != nil {
		fmt.Fprintf(&out, "\nfailed")
	}
	return out.String()
}

// overHTTP2 is onWire for HTTP/2, where it is the client that takes answers apart.
func overHTTP2(t *testing.T, c *http.Client, url, ask string) string {
	line, headers, _ := strings.Cut(ask, "\n")
	method, path, _ := strings.Cut(line, " ")
	var out strings.Builder
	show := func(h http.Header) {
		for _, k := range slices.Sorted(maps.Keys(h)) {
			if k != "Date" && k != "Age" {
				fmt.Fprintf(&out, "%s: %q\n", k, h[k])
			}
		}
	}
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		fmt.Fprintln(&out, code)
		show(http.Header(h))
		return nil
	}})
	r, err := http.NewRequestWithContext(ctx, method, url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "identity")
	for l := range strings.Lines(headers) {
		k, v, _ := strings.Cut(strings.TrimSpace(l), ": ")
		r.Header.Set(k, v)
	}
	resp, err := c.Do(r)
	if err != nil {
		return out.String() + "failed"
	}
	defer resp.Body.Close()
	if resp.ProtoMajor != 2 {
		t.Fatal(resp.Proto)
	}
	b, err := io.ReadAll(resp.Body)
	fmt.Fprintln(&out, resp.StatusCode, resp.ContentLength)
	show(resp.Header)
	fmt.Fprintf(&out, "%s\n", b)
	show(resp.Trailer)
	if err != nil {
		out.WriteString("failed")
	}
	return out.String()
}

// A client sees the same of a handler, of the same one cached when it runs, and when it is
// served from the cache: over HTTP/1.1 in bytes, over HTTP/2 as far as its client tells.
func TestHitIsMissOnTheWire(t *testing.T) {
	if len(wireCases) < 60 {
		t.Error(len(wireCases), "handlers")
	}
	type pair struct {
		plain, cached *httptest.Server
		runs          *atomic.Int64
		busy          *sync.WaitGroup // a client may have all of a HEAD before its handler ends
	}
	var logged syncBuffer
	start := func(c wireCase, h2 bool) (p pair) {
		p.runs, p.busy = new(atomic.Int64), new(sync.WaitGroup)
		d := site(cachert.DrawOptions{})
		counted := func(w http.ResponseWriter, r *http.Request) {
			p.runs.Add(1)
			c.body(w, r)
		}
		serve := func(h http.Handler) *httptest.Server {
			if c.around != nil {
				h = c.around(h)
			}
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				p.busy.Add(1)
				defer p.busy.Done()
				h.ServeHTTP(w, r)
			}))
			s.Config.ErrorLog = log.New(&logged, c.name+": ", 0)
			if s.EnableHTTP2 = h2; h2 {
				s.StartTLS()
			} else {
				s.Start()
			}
			return s
		}
		p.plain, p.cached = serve(c.body), serve(handler(d, c.names, counted))
		return p
	}
	for _, h2 := range []bool{false, true} {
		for _, c := range wireCases {
			t.Run(fmt.Sprintf("%s/h2=%v", c.name, h2), func(t *testing.T) {
				p := start(c, h2)
				defer p.plain.Close()
				defer p.cached.Close()
				get := func(s *httptest.Server, ask string) string {
					defer p.busy.Wait()
					if h2 {
						return overHTTP2(t, s.Client(), s.URL, ask)
					}
					return onWire(t, s.Listener.Addr().String(), ask)
				}
				asks := c.ask
				if asks == nil {
					asks = []string{"GET /", "HEAD /"}
				}
				for _, ask := range asks {
					want := get(p.plain, ask)
					miss := get(p.cached, ask)
					runs := p.runs.Load()
					hit := get(p.cached, ask)
					if miss != want {
						t.Errorf("%s: uncached\n%s\ncached, when it runs\n%s", ask, want, miss)
					}
					if hit != want {
						t.Errorf("%s: uncached\n%s\ncached, when it is replayed\n%s", ask, want, hit)
					}
					if again := p.runs.Load() - runs; again != 0 && !c.never || again == 0 && c.never {
						t.Errorf("%s: the second request ran the body %d times; it is never kept: %v", ask, again, c.never)
					}
				}
			})
		}
	}
	if l := logged.String(); strings.Contains(l, "panic serving") {
		t.Error(l)
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// Whether there is TLS is an input, so that one handler behind two servers answers both; and
// whoever has a certificate of its own is nobody that the body can see.
func TestTLSIsAnInput(t *testing.T) {
	h := handler(site(cachert.DrawOptions{}), []string{"tls"}, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.TLS != nil) })
	plain, secure := httptest.NewServer(h), httptest.NewUnstartedServer(h)
	secure.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	secure.StartTLS()
	defer plain.Close()
	defer secure.Close()
	for range 2 {
		for _, s := range []*httptest.Server{plain, secure} {
			r, err := s.Client().Get(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			if got := text(r); got != fmt.Sprint(s == secure) {
				t.Errorf("%s: %s", s.URL, got)
			}
		}
	}
}

// Clients of a real server that leave while they wait for another one's page: no panic is
// logged, and the page is computed once for those that stay.
func TestClientsThatLeave(t *testing.T) {
	var logged syncBuffer
	var runs atomic.Int64
	entered, release := make(chan none), make(chan none)
	s := httptest.NewUnstartedServer(handler(site(cachert.DrawOptions{}), nil, func(w http.ResponseWriter, r *http.Request) {
		if runs.Add(1) == 1 {
			close(entered)
		}
		<-release
		io.WriteString(w, "page")
	}))
	s.Config.ErrorLog = log.New(&logged, "", 0)
	s.Start()
	defer s.Close()
	stays := make(chan string)
	ask := func() {
		r, err := http.Get(s.URL)
		if err != nil {
			stays <- err.Error()
			return
		}
		stays <- text(r)
	}
	go ask()
	<-entered
	for range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		r, _ := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
		if _, err := s.Client().Do(r); err == nil {
			t.Error("a client that left has an answer")
		}
		cancel()
	}
	go ask()
	close(release)
	for range 2 {
		if got := <-stays; got != "page" {
			t.Error(got)
		}
	}
	if l := logged.String(); l != "" || runs.Load() != 1 {
		t.Errorf("%d runs, logged %q", runs.Load(), l)
	}
}

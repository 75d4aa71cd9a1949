package html

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachegen/cachegen/cache/surface"
	"github.com/cachegen/cachegen/cache/web"
	cachert "github.com/cachegen/cachegen/runtime"
)

// embeds is a writer of the body's own around the one that it is given.
type embeds struct{ http.ResponseWriter }

func (e embeds) nonce() string { return e.Header().Get("X-Nonce") }

// personal is a middleware's writer that knows the user.
type personal struct {
	http.ResponseWriter
	User string
}

func (p personal) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// Every way to the header of the response, or to the writer behind the one that the body has:
// what a middleware has put there for one request is on nobody's page.
var waysToOthers = map[string]http.HandlerFunc{
	"get":       func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, w.Header().Get("X-Nonce")) },
	"values":    func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, w.Header().Values("X-Nonce")) },
	"cookies":   func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, w.Header()["Set-Cookie"]) },
	"range":     func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, len(maps.Collect(maps.All(w.Header())))) },
	"embedding": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, embeds{w}.nonce()) },
	"conversion": func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, map[string][]string(w.Header())["X-Nonce"])
	},
	"copying": func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, maps.Clone(w.Header())["X-Nonce"], w.Header().Clone())
	},
	"printing":  func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, "%v %+v", w.Header(), w.Header()) },
	"wire form": func(w http.ResponseWriter, _ *http.Request) { w.Header().Write(w) },
	"template": func(w http.ResponseWriter, _ *http.Request) {
		template.Must(template.New("").Parse(`{{.Header.Get "X-Nonce"}} {{.Header}} {{.}}`)).Execute(w, w)
	},
	"assertion": func(w http.ResponseWriter, _ *http.Request) {
		switch x := any(w).(type) {
		case personal:
			fmt.Fprint(w, x.User)
		case interface{ Header() http.Header }:
			fmt.Fprint(w, x.Header().Get("X-Nonce"))
		}
	},
	"unwrapping": func(w http.ResponseWriter, _ *http.Request) {
		if u, ok := w.(interface{ Unwrap() http.ResponseWriter }); ok {
			fmt.Fprint(w, u.Unwrap().Header())
		}
	},
	"printing the writer": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, "%v %+v %#v %s %d", w, w, w, w, w) },
	"encoding the writer": func(w http.ResponseWriter, _ *http.Request) {
		b, err := json.Marshal(w)
		fmt.Fprintf(w, "%s %v", b, err)
	},
	"after a 103": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</a.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		fmt.Fprint(w, w.Header())
	},
	"after the first byte": func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "x")
		w.(http.Flusher).Flush()
		fmt.Fprint(w, w.Header())
	},
}

func TestNothingOfOthersOnAPage(t *testing.T) {
	for name, body := range waysToOthers {
		t.Run(name, func(t *testing.T) {
			runs := 0
			h := handler(site(cachert.DrawOptions{}), nil, func(w http.ResponseWriter, r *http.Request) {
				runs++
				body(w, r)
			})
			var first string
			for _, user := range []string{"ann", "bob"} {
				rec := httptest.NewRecorder()
				rec.Header().Set("X-Nonce", "nonce-of-"+user)
				http.SetCookie(rec, &http.Cookie{Name: "session", Value: "of-" + user})
				h(personal{rec, user}, httptest.NewRequest("GET", "/", nil))
				page := rec.Body.String()
				if strings.Contains(page, "ann") || strings.Contains(page, "bob") {
					t.Errorf("%s has the page %q", user, page)
				}
				if rec.Header().Get("X-Nonce") != "nonce-of-"+user || len(rec.Result().Cookies()) != 1 {
					t.Errorf("the header of %s is %v", user, rec.Header())
				}
				if first == "" {
					first = page
				} else if first != page {
					t.Errorf("one got %q, the other %q", first, page)
				}
			}
			if runs != 1 {
				t.Errorf("the body ran %d times: the test shows nothing", runs)
			}
		})
	}
}

// The same for a part of a page, which has no request: where nobody has put anything into the
// header, and where somebody has, it is one result.
func TestNothingOfOthersInAPart(t *testing.T) {
	for name, body := range waysToOthers {
		d := site(cachert.DrawOptions{})
		for _, user := range []string{"ann", "bob", ""} {
			rec := httptest.NewRecorder()
			if user != "" {
				rec.Header().Set("X-Nonce", "nonce-of-"+user)
				rec.Header().Set("Content-Type", "text/"+user)
			}
			k := key{"part"}
			_, bw, s := BindResponse(t.Context(), personal{rec, user}, nil)
			if _, err := d.Do(k.hash(), k, &cachert.DrawCall{Surface: s, NoError: true, Run: func(context.Context, any) error {
				body(bw, nil)
				return nil
			}}); err != nil {
				t.Fatal(err)
			}
			if page := rec.Body.String(); strings.Contains(page, "ann") || strings.Contains(page, "bob") {
				t.Errorf("%s: %s has the part %q", name, user, page)
			}
		}
		if s := d.Stats(); s.Hits != 2 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// Content of the caller's is its own: drawn in a hole, it sees the header as it is.
func TestContentInAHoleSeesTheHeader(t *testing.T) {
	d := site(cachert.DrawOptions{})
	for _, user := range []string{"ann", "bob"} {
		rec := httptest.NewRecorder()
		rec.Header().Set("X-Nonce", user)
		k := key{"hole"}
		_, bw, s := BindResponse(t.Context(), rec, nil)
		var holes surface.Holes
		child := surface.BindHole(&holes, s, http.ResponseWriter(rec), bw, func(w http.ResponseWriter) { fmt.Fprint(w, w.Header().Get("X-Nonce"), w.Header().Get("Page")) })
		if _, err := d.Do(k.hash(), k, &cachert.DrawCall{Surface: s, Holes: &holes, Run: func(context.Context, any) error {
			bw.Header().Set("Page", "1")
			child(bw)
			return nil
		}}); err != nil {
			t.Fatal(err)
		}
		if rec.Body.String() != user+"1" {
			t.Errorf("the content of %s: %q", user, rec.Body)
		}
	}
	if s := d.Stats(); s.Hits != 1 {
		t.Errorf("%+v", s)
	}
}

// What a handler decides by a header that a middleware has set is one input more.
func TestHeadersThatAreInputs(t *testing.T) {
	for name, c := range map[string]struct {
		body http.HandlerFunc
		set  map[string]string
	}{
		"redirect without a body": {
			func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/there", http.StatusFound) },
			map[string]string{"Content-Type": "application/json"},
		},
		"no length for encoded content": {
			func(w http.ResponseWriter, r *http.Request) {
				http.ServeContent(w, r, "a.txt", time.Time{}, strings.NewReader("content"))
			},
			map[string]string{"Content-Encoding": "identity"},
		},
		"presence": {
			func(w http.ResponseWriter, r *http.Request) {
				_, ok := w.Header()["X-Admin"]
				fmt.Fprint(w, ok)
			},
			map[string]string{"X-Admin": "ann"},
		},
	} {
		cached := handler(site(cachert.DrawOptions{}), []string{"method"}, c.body)
		for _, set := range []map[string]string{nil, c.set, nil, c.set} {
			answer := func(h http.HandlerFunc) string {
				rec := httptest.NewRecorder()
				for k, v := range set {
					rec.Header().Set(k, v)
				}
				h(rec, httptest.NewRequest("GET", "/", nil))
				return fmt.Sprint(rec.Code, rec.Result().Header, rec.Body)
			}
			if got, want := answer(cached), answer(c.body); got != want {
				t.Errorf("%s, with %v: %s, want %s", name, set, got, want)
			}
		}
	}
}

// A response that is sent again says how old it is, and when it was made.
func TestReplayedResponseSaysItsAge(t *testing.T) {
	for name, c := range map[string]struct {
		head    func(http.Header)
		wait    time.Duration
		age     string
		date    time.Duration // after the start
		expires time.Duration // likewise; -1: none
	}{
		"at once":                    {func(http.Header) {}, 0, "", 0, -1},
		"within a second":            {func(http.Header) {}, 999 * time.Millisecond, "", 0, -1},
		"three seconds":              {func(http.Header) {}, 3500 * time.Millisecond, "3", 0, -1},
		"of another server's":        {func(h http.Header) { h.Set("Age", "40") }, 3 * time.Second, "43", 0, -1},
		"an Age that is none":        {func(h http.Header) { h.Set("Age", "old") }, 3 * time.Second, "3", 0, -1},
		"its own Date":               {func(h http.Header) { h.Set("Date", at(-time.Hour)) }, 3 * time.Second, "3", -time.Hour, -1},
		"an Expires to come":         {func(h http.Header) { h.Set("Expires", at(time.Minute)) }, 3 * time.Second, "3", 0, time.Minute},
		"an Expires that has come":   {func(h http.Header) { h.Set("Expires", at(2*time.Second)) }, 3500 * time.Millisecond, "3", 0, 4 * time.Second},
		"an Expires that always was": {func(h http.Header) { h.Set("Expires", at(-time.Hour)) }, 3 * time.Second, "3", 0, -time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				h := handler(site(cachert.DrawOptions{}), nil, func(w http.ResponseWriter, r *http.Request) {
					c.head(w.Header())
					fmt.Fprint(w, "page")
				})
				get(h, "/")
				time.Sleep(c.wait)
				r := get(h, "/").Header
				if r.Get("Age") != c.age {
					t.Errorf("Age: %q, want %q", r["Age"], c.age)
				}
				if c.age != "" {
					if d, err := http.ParseTime(r.Get("Date")); err != nil || !d.Equal(start.Add(c.date)) {
						t.Errorf("Date: %q", r["Date"])
					}
				}
				if c.expires == -1 {
					if r["Expires"] != nil {
						t.Errorf("Expires: %q", r["Expires"])
					}
				} else if e, err := http.ParseTime(r.Get("Expires")); err != nil || !e.Equal(start.Add(c.expires)) {
					t.Errorf("Expires: %q, want %v", r["Expires"], start.Add(c.expires))
				}
			})
		})
	}
}

// at words a time on the clock of a synctest bubble.
func at(d time.Duration) string {
	return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(d).Format(http.TimeFormat)
}

// A part of a page has no age of its own, unless it says how long it is fresh; and a page
// that a cached one is part of is no younger.
func TestPageIsNoYoungerThanItsParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		part := func(d *cachert.Drawn[key, none], w http.ResponseWriter, cc string) {
			k := key{cc}
			_, bw, s := BindResponse(t.Context(), w, nil)
			if _, err := d.Do(k.hash(), k, &cachert.DrawCall{Surface: s, Run: func(context.Context, any) error {
				if cc != "" {
					bw.Header().Set("Cache-Control", cc)
				}
				fmt.Fprint(bw, "part")
				return nil
			}}); err != nil {
				t.Fatal(err)
			}
		}
		inner := site(cachert.DrawOptions{})
		var outer [2]http.HandlerFunc
		for i := range outer {
			outer[i] = handler(site(cachert.DrawOptions{}), nil, func(w http.ResponseWriter, _ *http.Request) { part(inner, w, []string{"", "max-age=60"}[i]) })
		}
		ages := func() (ages []string) {
			for i, h := range outer {
				alone := httptest.NewRecorder()
				part(inner, alone, []string{"", "max-age=60"}[i])
				ages = append(ages, alone.Header().Get("Age"), get(h, "/").Header.Get("Age"))
			}
			return ages
		}
		for _, cc := range []string{"", "max-age=60"} {
			part(inner, httptest.NewRecorder(), cc)
		}
		time.Sleep(5 * time.Second)
		if got := fmt.Sprintf("%q", ages()); got != `["" "" "5" ""]` {
			t.Error("outer ones are misses:", got)
		}
		time.Sleep(2 * time.Second)
		if got := fmt.Sprintf("%q", ages()); got != `["" "2" "7" "7"]` {
			t.Error("outer ones are hits:", got)
		}
	})
}

// What says nothing of the next request is not kept.
func TestStatusesThatAreNotKept(t *testing.T) {
	kept := map[int]bool{}
	for _, s := range []int{200, 201, 202, 203, 204, 205, 207, 208, 300, 301, 302, 303, 305, 307, 308, 400, 402, 403, 404, 405, 406, 410, 411, 414, 415, 418, 422, 451} {
		kept[s] = true
	}
	for status := 200; status < 600; status++ {
		if http.StatusText(status) == "" {
			continue
		}
		runs := 0
		h := handler(site(cachert.DrawOptions{}), nil, func(w http.ResponseWriter, r *http.Request) {
			runs++
			w.WriteHeader(status)
		})
		get(h, "/")
		if get(h, "/"); (runs == 1) != kept[status] {
			t.Errorf("%d %s: the body ran %d times in 2", status, http.StatusText(status), runs)
		}
	}
}

// A waiter whose client leaves, or whose time is up, is no reason for a panic: a handler
// cannot say that it failed.
func TestWaiterThatLeavesCausesNoPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs, release := 0, make(chan none)
		h := handler(site(cachert.DrawOptions{}), nil, func(w http.ResponseWriter, r *http.Request) {
			if runs++; runs == 1 {
				<-release
			}
			if err := r.Context().Err(); err != nil {
				http.Error(w, err.Error(), http.StatusGatewayTimeout)
				return
			}
			io.WriteString(w, "page")
		})
		go get(h, "/")
		synctest.Wait()
		wait := func(ctx context.Context) (*http.Response, any) {
			var panicked any
			var r *http.Response
			func() {
				defer func() { panicked = recover() }()
				r = get(h, "/", func(r *http.Request) { *r = *r.WithContext(ctx) })
			}()
			return r, panicked
		}
		left, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if r, p := wait(left); p != nil || text(r) != "" || runs != 1 {
			t.Errorf("a client that left: %v, panic %v, %d runs", r, p, runs)
		}
		late, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if r, p := wait(late); p != nil || r.StatusCode != http.StatusGatewayTimeout || runs != 2 {
			t.Errorf("a request past its deadline: %v, panic %v, %d runs", r, p, runs)
		}
		close(release)
		synctest.Wait()
		if r, p := wait(t.Context()); p != nil || text(r) != "page" || runs != 2 {
			t.Errorf("a later request: %v, panic %v, %d runs", r, p, runs)
		}
	})
}

// A body that is given nil to draw on has nil, and what it returns then is not what it
// returns with a writer.
func TestNilWriterStaysNil(t *testing.T) {
	var sites [2]*cachert.Drawn[key, int]
	for i := range sites {
		sites[i] = cachert.NewDrawn[key, int](nil, cachert.DrawOptions{Options: cachert.Options{Func: "html.nil", Site: "x"}})
	}
	runs := 0
	plain := func(w io.Writer) int {
		k := key{"plain"}
		_, bw, s := Bind(t.Context(), w, nil)
		n, err := sites[0].Do(k.hash(), k, &cachert.DrawCall{Surface: s, Run: func(_ context.Context, v any) error {
			runs++
			if *v.(*int) = 16; bw != nil {
				*v.(*int), _ = io.WriteString(bw, "report")
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	response := func(w http.ResponseWriter) int {
		k := key{"response"}
		_, bw, s := BindResponse(t.Context(), w, nil)
		n, err := sites[1].Do(k.hash(), k, &cachert.DrawCall{Surface: s, Run: func(_ context.Context, v any) error {
			runs++
			if *v.(*int) = 16; bw != nil {
				*v.(*int) = len(bw.Header())
				bw.WriteHeader(http.StatusTeapot)
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range 2 {
		var b bytes.Buffer
		rec := httptest.NewRecorder()
		if n := plain(nil); n != 16 {
			t.Errorf("without a writer: %d", n)
		}
		if n := plain(&b); n != 6 || b.String() != "report" {
			t.Errorf("with a writer: %d, %q", n, &b)
		}
		if n := response(nil); n != 16 {
			t.Errorf("without a response: %d", n)
		}
		if response(rec); rec.Code != http.StatusTeapot {
			t.Errorf("with a response: %d", rec.Code)
		}
	}
	if runs != 4 {
		t.Errorf("%d runs", runs)
	}
}

// A hole on nil is drawn by the caller on what the caller has: nil.
func TestHoleOnNilIsDrawnOnNil(t *testing.T) {
	d := site(cachert.DrawOptions{})
	for range 2 {
		drawn := 0
		k := key{"hole"}
		_, bw, s := Bind(t.Context(), nil, nil)
		var holes surface.Holes
		child := surface.BindHoleErr(&holes, s, nil, bw, func(w io.Writer) error {
			if drawn++; w != nil {
				return errors.New("the caller's content has a writer")
			}
			return nil
		})
		if _, err := d.Do(k.hash(), k, &cachert.DrawCall{Surface: s, Holes: &holes, Run: func(context.Context, any) error { return child(bw) }}); err != nil || drawn != 1 {
			t.Errorf("drawn %d times, %v", drawn, err)
		}
	}
	if s := d.Stats(); s.Hits != 1 {
		t.Errorf("%+v", s)
	}
}

// printer is what a constructor returns behind an interface, with the writer in it.
type printer struct{ to io.Writer }

func (p printer) Write(b []byte) (int, error) { return p.to.Write(b) }

// A result that keeps its writer, where the generator could not see it, is of no use to
// anybody: it says so, the log says of which function, and it is not kept once it was used.
func TestResultThatKeepsItsWriterIsNotKept(t *testing.T) {
	var logged syncBuffer
	log.SetOutput(&logged)
	defer log.SetOutput(os.Stderr)
	d := cachert.NewDrawn[key, io.Writer](nil, cachert.DrawOptions{Options: cachert.Options{Func: "html.newPrinter", Site: "x", Resource: true}})
	runs := 0
	for i := 1; i <= 3; i++ {
		k := key{"printer"}
		var b bytes.Buffer
		_, bw, s := Bind(t.Context(), &b, nil)
		p, err := d.Do(k.hash(), k, &cachert.DrawCall{Surface: s, Run: func(_ context.Context, v any) error {
			runs++
			*v.(*io.Writer) = printer{bw}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(p, "late"); !errors.Is(err, surface.ErrClosed) || b.Len() > 0 || runs != i {
			t.Errorf("call %d: %v, drawn %q, %d runs", i, err, &b, runs)
		}
	}
	if l := logged.String(); strings.Count(l, "html.newPrinter (x): something was drawn after it returned") != 1 {
		t.Errorf("logged %q", l)
	}
}

var _ io.StringWriter = (*Writer)(nil)
var _ web.Control = Response{}.Control

package html

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/cachegen/cachegen/cache/surface"
	cachert "github.com/cachegen/cachegen/runtime"
)

// A header that is put into the map as it is, in a spelling of its own, is on the wire
// what it is in any other.
func TestSpellingOfAHeaderDoesNotHideIt(t *testing.T) {
	for name, value := range map[string]string{
		"set-cookie": "session=ann", "cache-control": "private", "vary": "Cookie", "trailer": "X",
	} {
		runs := 0
		h := handler(site(cachert.DrawOptions{}), nil, func(w http.ResponseWriter, r *http.Request) {
			runs++
			w.Header()[name] = []string{value}
			fmt.Fprint(w, "page")
		})
		for i := range 2 {
			if get(h, "/"); runs != i+1 {
				t.Errorf("with %s: %s the response is kept", name, value)
			}
		}
	}
}

// What the body does to the header is what it did, not how the header ended up: a value
// that it sets to what a middleware had set, and one that it adds to the middleware's. Which
// uncommon names are there is an input.
func TestHeadersOfTheBodyAndOfTheMiddleware(t *testing.T) {
	runs := 0
	body := handler(site(cachert.DrawOptions{}), nil, func(w http.ResponseWriter, r *http.Request) {
		runs++
		w.Header().Set("Theme", "light")
		w.Header().Add("Link", "</page>")
		w.Header().Add("Link", "</more>")
		fmt.Fprint(w, "page")
	})
	for i, c := range []struct {
		theme, link string
		runs        int
	}{{"light", "</ann>", 1}, {"dark", "</bob>", 1}, {"light", "", 1}, {"", "</ann>", 2}, {"", "", 2}, {"dark", "</bob>", 2}} {
		h := get(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if c.theme != "" {
				w.Header().Set("Theme", c.theme)
			}
			if c.link != "" {
				w.Header().Set("Link", c.link)
			}
			body(w, r)
		}), "/").Header
		want := []string{"</page>", "</more>"}
		if c.link != "" {
			want = append([]string{c.link}, want...)
		}
		if h.Get("Theme") != "light" || !slices.Equal(h["Link"], want) || runs != c.runs {
			t.Errorf("request %d: theme %q, links %q after %d runs", i, h["Theme"], h["Link"], runs)
		}
	}
}

// A body that runs without being recorded has the caller's header itself.
func TestBodyUnderBypassHasTheCallersHeader(t *testing.T) {
	h := handler(site(cachert.DrawOptions{}), nil, func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X", "1") })
	r := get(h, "/", func(r *http.Request) { *r = *r.WithContext(cachert.Bypass(r.Context())) })
	if r.Header.Get("X") != "1" {
		t.Error("the header is lost")
	}
}

// A response whose middleware has declared a trailer is kept, unless the body sets it.
func TestDeclaredTrailerDoesNotKeepAResponseOut(t *testing.T) {
	for sets, want := range map[bool]int{false: 1, true: 2} {
		runs := 0
		body := handler(site(cachert.DrawOptions{}), nil, func(w http.ResponseWriter, r *http.Request) {
			runs++
			fmt.Fprint(w, "page")
			if sets {
				w.Header().Set("Sum", "7")
			}
		})
		for range 2 {
			r := get(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Trailer", "Sum")
				body(w, r)
			}), "/")
			if text(r); sets && r.Trailer.Get("Sum") != "7" {
				t.Errorf("the trailer is lost: %v", r.Trailer)
			}
		}
		if runs != want {
			t.Errorf("sets it: %v, and the body ran %d times", sets, runs)
		}
	}
}

// Content that is drawn in a hole has a header of its own until it writes: what it sets is
// there for its own request alone, and in no race with what the body sets.
func TestHeadersOfAHoleAreItsOwn(t *testing.T) {
	d := site(cachert.DrawOptions{})
	page := func(w http.ResponseWriter, user string) {
		k := key{"hole"}
		bctx, bw, s := BindResponse(t.Context(), w, nil)
		var holes surface.Holes
		child := surface.BindHole(&holes, s, w, bw, func(w http.ResponseWriter) {
			w.Header().Set("User", user)
			http.SetCookie(w, &http.Cookie{Name: "u", Value: user})
			fmt.Fprint(w, "for ", user)
		})
		if _, err := d.Do(k.hash(), k, &cachert.DrawCall{Ctx: bctx, Surface: s, Holes: &holes, NoError: true, Run: func(_ context.Context, _ any) (err error) {
			bw.Header().Set("Page", "1")
			child(bw)
			bw.Header().Set("Late", "1")
			fmt.Fprint(bw, ", page")
			return
		}}); err != nil {
			t.Error(err)
		}
	}
	for _, u := range []string{"ann", "bob"} {
		r := get(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { page(w, u) }), "/")
		if r.Header.Get("User") != u || r.Header.Get("Page") != "1" || len(r.Cookies()) != 1 || r.Cookies()[0].Value != u || text(r) != "for "+u+", page" {
			t.Errorf("%s: %v", u, r.Header)
		}
	}
	if s := d.Stats(); s.Hits != 1 {
		t.Errorf("%+v", s)
	}
}

// Two contents of the caller's have one header between them and the body.
func TestHeadersOfTwoHolesAreShared(t *testing.T) {
	d := site(cachert.DrawOptions{})
	for range 2 {
		r := get(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			k := key{"holes"}
			bctx, bw, s := BindResponse(t.Context(), w, nil)
			var holes surface.Holes
			first := surface.BindHole(&holes, s, w, bw, func(w http.ResponseWriter) { w.Header().Set("First", "1") })
			second := surface.BindHole(&holes, s, w, bw, func(w http.ResponseWriter) {
				w.Header().Set("Second", w.Header().Get("First"))
				fmt.Fprint(w, "second")
			})
			if _, err := d.Do(k.hash(), k, &cachert.DrawCall{Ctx: bctx, Surface: s, Holes: &holes, NoError: true, Run: func(_ context.Context, _ any) (err error) {
				bw.Header().Set("Body", "1")
				first(bw)
				second(bw)
				return
			}}); err != nil {
				t.Error(err)
			}
		}), "/")
		if h := r.Header; h.Get("Body") != "1" || h.Get("First") != "1" || h.Get("Second") != "1" || text(r) != "second" {
			t.Errorf("%v", r.Header)
		}
	}
}

// A header is bytes: what is no UTF-8 is replayed as it was.
func TestHeaderThatIsNoTextIsReplayedAsItWas(t *testing.T) {
	const name = "attachment; filename=\"caf\xe9.csv\""
	h := handler(site(cachert.DrawOptions{}), nil, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Disposition", name)
		w.WriteHeader(http.StatusTeapot)
	})
	for range 2 {
		if r := get(h, "/"); r.Header.Get("Content-Disposition") != name || r.StatusCode != http.StatusTeapot {
			t.Errorf("%d %q", r.StatusCode, r.Header)
		}
	}
}

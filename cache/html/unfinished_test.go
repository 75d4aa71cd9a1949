package html

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	cachert "github.com/cachegen/cachegen/runtime"
)

// Half of a page, which a handler has drawn when its client leaves, is on nobody else's: not
// on that of a client who waited, and not on a later one.
func TestHalfAPageIsNobodyElses(t *testing.T) {
	for _, c := range []struct {
		name    string
		within  func(http.Handler) http.Handler
		timeout time.Duration
		leave   bool
	}{
		{"the client disconnects", func(h http.Handler) http.Handler { return h }, 0, true},
		{"TimeoutHandler", func(h http.Handler) http.Handler { return http.TimeoutHandler(h, 20*time.Millisecond, "too slow") }, 0, false},
		{"timeout=", func(h http.Handler) http.Handler { return h }, 20 * time.Millisecond, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var runs atomic.Int32
			drawn, stopped := make(chan bool, 1), make(chan bool, 1)
			h := handler(site(cachert.DrawOptions{Options: cachert.Options{Timeout: c.timeout}}), nil, func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprint(w, "<ul>")
				if runs.Add(1) == 1 {
					drawn <- true
					<-r.Context().Done() // and the body has no way to say so
					stopped <- true
					return
				}
				fmt.Fprint(w, "</ul>")
			})
			first := httptest.NewServer(c.within(h))
			defer first.Close()
			others := httptest.NewServer(h)
			defer others.Close()
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			gone := make(chan bool)
			go func() {
				defer close(gone)
				r, _ := http.NewRequestWithContext(ctx, "GET", first.URL, nil)
				if res, err := http.DefaultClient.Do(r); err == nil {
					res.Body.Close()
				}
			}()
			<-drawn
			waiter := make(chan string)
			go func() { waiter <- page(t, others.URL) }()
			if c.leave {
				leave()
			}
			<-stopped
			if got := <-waiter; got != "<ul></ul>" {
				t.Errorf("who waited got %q", got)
			}
			if got := page(t, others.URL); got != "<ul></ul>" {
				t.Errorf("a later client got %q", got)
			}
			<-gone
			if n := runs.Load(); n != 2 {
				t.Errorf("%d computations", n)
			}
		})
	}
}

func page(t *testing.T, url string) string {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer r.Body.Close()
	return text(r)
}

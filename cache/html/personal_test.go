package html

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	cachert "github.com/cachegen/cachegen/runtime"
)

// Clients of a page that says that it is for one of them do not wait for one another, from the
// second time on; those of a page that fails do.
func TestWhichPagesAreAwaited(t *testing.T) {
	const clients = 16
	for _, c := range []struct {
		name string
		page func(w http.ResponseWriter)
		at   int32 // bodies that run at once the second time
	}{
		{"sets a cookie", func(w http.ResponseWriter) { http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"}) }, clients},
		{"private", func(w http.ResponseWriter) { w.Header().Set("Cache-Control", "max-age=60, private") }, clients},
		{"no-store", func(w http.ResponseWriter) { w.Header().Set("Cache-Control", "no-store") }, clients},
		{"varies by cookie", func(w http.ResponseWriter) { w.Header().Set("Vary", "Cookie") }, clients},
		{"varies by authorization", func(w http.ResponseWriter) { w.Header().Set("Vary", "Authorization") }, clients},
		{"varies by anything", func(w http.ResponseWriter) { w.Header().Set("Vary", "*") }, clients},
		{"server error", func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }, 1},
		{"server error with a cookie", func(w http.ResponseWriter) {
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
			w.WriteHeader(http.StatusBadGateway)
		}, 1},
		{"too many requests", func(w http.ResponseWriter) { w.WriteHeader(http.StatusTooManyRequests) }, 1},
		{"trailer", func(w http.ResponseWriter) { w.Header().Set("Trailer", "X-Sum") }, 1},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var gate chan struct{}
				var inside atomic.Int32
				h := handler(site(cachert.DrawOptions{}), []string{"query:q"}, func(w http.ResponseWriter, r *http.Request) {
					inside.Add(1)
					<-gate
					c.page(w)
					fmt.Fprint(w, r.Header.Get("X-Client"))
				})
				for _, at := range []int32{1, c.at} {
					gate = make(chan struct{})
					inside.Store(0)
					var all sync.WaitGroup
					for i := range clients {
						all.Go(func() {
							me := fmt.Sprint("client ", i)
							if got := text(get(h, "/?q=1", func(r *http.Request) { r.Header.Set("X-Client", me) })); got != me {
								t.Errorf("%s got what is of %s", me, got)
							}
						})
					}
					synctest.Wait()
					if n := inside.Load(); n != at {
						t.Errorf("%d bodies run at once, want %d", n, at)
					}
					close(gate)
					all.Wait()
				}
			})
		})
	}
}

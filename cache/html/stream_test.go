package html

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	cachert "github.com/cachegen/cachegen/runtime"
)

// A stream that ends when its client leaves has as many listeners as come, each with a
// stream of its own, whether it says that it is one or not.
func TestEveryListenerHasItsStream(t *testing.T) {
	for _, kind := range []string{"", "text/event-stream"} {
		var listening atomic.Int32
		srv := httptest.NewServer(handler(site(cachert.DrawOptions{Options: cachert.Options{TTL: time.Minute}}), nil, func(w http.ResponseWriter, r *http.Request) {
			if kind != "" {
				w.Header().Set("Content-Type", kind)
			}
			id := listening.Add(1)
			for {
				fmt.Fprintf(w, "data: %d\n\n", id)
				if err := http.NewResponseController(w).Flush(); err != nil {
					t.Error(err)
				}
				select {
				case <-r.Context().Done():
					return
				case <-time.After(10 * time.Millisecond):
				}
			}
		}))
		var open []io.Closer
		seen := map[string]bool{}
		for range 4 {
			r, err := http.Get(srv.URL)
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, r.Body)
			line, err := bufio.NewReader(r.Body).ReadString('\n')
			if err != nil || seen[line] {
				t.Errorf("%q: a listener gets %q, %v", kind, line, err)
			}
			seen[line] = true
		}
		for _, c := range open {
			c.Close()
		}
		srv.Close()
	}
}

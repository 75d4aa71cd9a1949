package datastar

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/starfederation/datastar-go/datastar"

	cachert "github.com/cachegen/cachegen/runtime"
)

// A stream of events that ends when its client leaves has as many listeners as come, each
// with a stream of its own.
func TestEveryListenerHasItsEvents(t *testing.T) {
	d := cachert.NewDrawn[key, struct{}](nil, cachert.DrawOptions{Options: cachert.Options{Func: "events", Site: "x", TTL: time.Minute}})
	var listening atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k := key{"events"}
		bctx, g, s := Bind(r.Context(), datastar.NewSSE(w, r), nil)
		d.Do(k.hash(), k, &cachert.DrawCall{Ctx: bctx, Surface: s, Run: func(ctx context.Context, _ any) error {
			id := listening.Add(1)
			for {
				if err := g.PatchElements(fmt.Sprintf("<p id=%q></p>", fmt.Sprint("listener", id))); err != nil {
					return err
				}
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(10 * time.Millisecond):
				}
			}
		}})
	}))
	defer srv.Close()
	var open []io.Closer
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	seen := map[string]bool{}
	for range 4 {
		r, err := http.Get(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, r.Body)
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() && !strings.Contains(lines.Text(), "listener") {
		}
		if line := lines.Text(); line == "" || seen[line] {
			t.Errorf("a listener gets %q", line)
		} else {
			seen[line] = true
		}
	}
}

package html

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	cachert "github.com/cachegen/cachegen/runtime"
)

var attackFor = flag.Duration("attack", 0, "how long the test of an attack goes on, with times checked; 0: for a few rounds, without")

// Fifty clients do their worst over real connections: they vary inputs, send large ones and
// many, or bodies that never come, ask for large pages and do not read them, leave in the
// middle, and reset streams of HTTP/2. Memory stays bounded, the
// pages that people use stay kept, and everybody else is answered. By hand, with times:
//
//	go test ./cache/html -run Attack -attack 60s -v
func TestAttackLeavesMemoryBoundedAndPagesKept(t *testing.T) {
	const (
		bound    = 16 << 20
		pageMax  = bound / 8
		clients  = 50
		rounds   = 12
		popular  = 10
		popSize  = 40 << 10
		mayTake  = 2*bound + clients*pageMax/4
		inputLen = 200 << 10
	)
	pages, others := sizedSite(bound), site(cachert.DrawOptions{})
	var popularRuns, otherRuns, largeRuns atomic.Int64
	line := strings.Repeat("x", 1023) + "\n"
	names := []string{"query:kind", "query:id", "query:size", "header:X-Big"}
	mux := http.NewServeMux()
	mux.HandleFunc("/page", handler(pages, names, func(w http.ResponseWriter, r *http.Request) {
		switch r.FormValue("kind") {
		case "popular":
			popularRuns.Add(1)
		case "large":
			largeRuns.Add(1)
		}
		size, _ := strconv.Atoi(r.FormValue("size"))
		for n := 0; n < size; n += len(line) {
			io.WriteString(w, line)
		}
		fmt.Fprint(w, r.FormValue("id"), len(r.Header.Get("X-Big")))
	}))
	mux.HandleFunc("/other", handler(others, []string{"query:id"}, func(w http.ResponseWriter, r *http.Request) {
		otherRuns.Add(1)
		fmt.Fprint(w, "other ", r.FormValue("id"))
	}))
	// Little of what a client does not read is to fit into the buffers of the system.
	srv := httptest.NewUnstartedServer(mux)
	srv.Config.ConnState = func(c net.Conn, s http.ConnState) {
		if s == http.StateNew {
			c.(*net.TCPConn).SetWriteBuffer(8 << 10)
		}
	}
	srv.Start()
	defer srv.Close()                        // waits for every body
	srv2 := httptest.NewUnstartedServer(mux) // likewise over HTTP/2
	srv2.EnableHTTP2 = true
	srv2.StartTLS()
	defer srv2.Close()
	good := srv.Client()
	good.Transport.(*http.Transport).MaxIdleConnsPerHost = clients
	ask := func(query string) (string, time.Duration) {
		start := time.Now()
		r, err := good.Get(srv.URL + query)
		if err != nil {
			t.Error(err)
			return "", 0
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(query, err)
		}
		return string(b), time.Since(start)
	}
	popularPage := func(i int) string { return fmt.Sprintf("/page?kind=popular&id=%d&size=%d", i, popSize) }
	usual := func() (took []time.Duration) {
		for i := range popular {
			if b, _ := ask(popularPage(i)); len(b) < popSize {
				t.Errorf("a popular page has %d bytes", len(b))
			}
			b, d := ask(fmt.Sprintf("/other?id=%d", i))
			if b != fmt.Sprint("other ", i) {
				t.Errorf("another URL answers %q", b)
			}
			took = append(took, d)
		}
		return took
	}
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for range 3 {
		usual()
	}
	before, quiet := heap(), usual()

	var stop atomic.Bool
	if *attackFor > 0 {
		time.AfterFunc(*attackFor, func() { stop.Store(true) })
	}
	goesOn := func(round int) bool {
		if *attackFor > 0 {
			return !stop.Load()
		}
		if testing.Short() {
			return round < rounds/4
		}
		return round < rounds
	}
	raw := func(query, header string) net.Conn {
		c, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Error(err)
			return nil
		}
		c.(*net.TCPConn).SetReadBuffer(8 << 10)
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", query, header)
		return c
	}
	var attackers sync.WaitGroup
	var mu sync.Mutex
	var stalled []net.Conn
	for n := range clients {
		attackers.Go(func() {
			if n%2 == 0 { // asks for a large page of its own, one that may be kept or not, and reads nothing
				c := raw(fmt.Sprintf("/page?kind=large&id=%d&size=%d", n/4, []int{pageMax / 2, 3 * pageMax}[n/2%2]), "")
				mu.Lock()
				defer mu.Unlock()
				stalled = append(stalled, c)
				return
			}
			for i := 0; goesOn(i); i++ {
				id := fmt.Sprint(n, "-", i)
				switch n / 2 % 6 {
				case 0:
					ask("/page?kind=small&size=2000&id=" + id)
				case 1:
					c := raw("/page?kind=small&size=2000&id="+id, "X-Big: "+strings.Repeat("y", inputLen)+"\r\n")
					io.ReadFull(c, make([]byte, 12))
					c.Close()
				case 2:
					c := raw(fmt.Sprint("/page?kind=left&size=", pageMax/4, "&id=", id), "")
					io.ReadFull(c, make([]byte, 12))
					c.Close()
				case 3: // as many headers as a server takes
					c := raw("/page?kind=small&size=2000&id="+id, strings.Repeat("X-Big: y\r\n", inputLen/10))
					io.ReadFull(c, make([]byte, 12))
					c.Close()
				case 4: // a body that never comes, while the response does
					c := raw("/page?kind=small&size=2000&id="+id, "Content-Length: 1000000\r\n")
					io.ReadFull(c, make([]byte, 12))
					fmt.Fprint(c, "x")
					c.Close()
				case 5: // a stream that is reset
					ctx, cancel := context.WithCancel(t.Context())
					req, _ := http.NewRequestWithContext(ctx, "GET", fmt.Sprint(srv2.URL, "/page?kind=reset&size=", pageMax/4, "&id=", id), nil)
					r, err := srv2.Client().Do(req)
					if err != nil || r.ProtoMajor != 2 {
						t.Error(r, err)
					}
					cancel()
					if err == nil {
						r.Body.Close()
					}
				}
			}
		})
	}
	var busy []time.Duration
	for i := 0; goesOn(i); i++ {
		busy = append(busy, usual()...)
	}
	attackers.Wait()
	for largeRuns.Load() < clients/2 { // each has a page of its own
		runtime.Gosched()
	}
	usual()
	held := heap() - before
	t.Logf("held %d MiB of %d, popular pages computed %d times, other URLs %d, median of others %v, under attack %v",
		held>>20, mayTake>>20, popularRuns.Load(), otherRuns.Load(), median(quiet), median(busy))
	if held > mayTake {
		t.Errorf("%d MiB are held, more than %d", held>>20, mayTake>>20)
	}
	if n := pages.Stats().Bytes; n > bound {
		t.Errorf("%d bytes are kept, more than %d", n, bound)
	}
	if n := popularRuns.Load(); n > 2*popular {
		t.Errorf("%d popular pages were computed %d times", popular, n)
	}
	if n := otherRuns.Load(); n != popular {
		t.Errorf("%d other pages were computed %d times", popular, n)
	}
	if *attackFor > 0 && median(busy) > 2*median(quiet) {
		t.Errorf("other URLs answer within %v, and without an attack within %v", median(busy), median(quiet))
	}
	for _, c := range stalled {
		c.Close()
	}
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2]
}

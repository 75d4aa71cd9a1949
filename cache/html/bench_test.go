package html

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/cache/surface"
	"github.com/cachegen/cachegen/cache/web"
	cachert "github.com/cachegen/cachegen/runtime"
)

// inputs are the inputs of a request that costs nothing to read.
type inputs map[string][]byte

func (in inputs) Value(widget string) ([]byte, bool) { v, ok := in[widget]; return v, ok }

// BenchmarkOutcomes is a hit of a function with one widget, with so many outcomes kept.
func BenchmarkOutcomes(b *testing.B) {
	for _, n := range []int{1, 10, 100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			d := cachert.NewDrawn[key, none](nil, cachert.DrawOptions{Options: cachert.Options{Func: "bench", Site: "x"}, Widgets: true})
			call := func(in inputs) {
				k := key{"a"}
				_, bw, s := Bind(context.Background(), io.Discard, in)
				_, err := d.Do(k.hash(), k, &cachert.DrawCall{Ctx: context.Background(), Surface: s, Run: func(ctx context.Context, _ any) (err error) {
					_, err = fmt.Fprintf(bw, "<p>%s</p>", cachert.Input(ctx, "w"))
					return err
				}})
				if err != nil {
					b.Fatal(err)
				}
			}
			for i := range n {
				call(inputs{"input:w": surface.EncodeInput([]string{fmt.Sprint(i)}, nil)})
			}
			in := inputs{"input:w": surface.EncodeInput([]string{fmt.Sprint(n / 2)}, nil)}
			b.ReportAllocs()
			for b.Loop() {
				call(in)
			}
		})
	}
}

// BenchmarkReplay is a hit of a function that drew so many elements, flushed apart.
func BenchmarkReplay(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			d := cachert.NewDrawn[key, none](nil, cachert.DrawOptions{Options: cachert.Options{Func: "bench", Site: "x"}})
			b.ReportAllocs()
			for b.Loop() {
				k := key{"a"}
				_, bw, s := Bind(context.Background(), io.Discard, nil)
				d.Do(k.hash(), k, &cachert.DrawCall{Surface: s, Run: func(_ context.Context, _ any) (err error) {
					for i := range n {
						fmt.Fprintf(bw, "<p>%d</p>", i)
						bw.(http.Flusher).Flush()
					}
					return
				}})
			}
		})
	}
}

// BenchmarkLoad is a page under load, with caching and without: a table of 1,000 rows that
// two controls choose, and a part for each session. Eight sessions ask for twelve
// combinations of values, on all cores, the handler itself or over loopback.
func BenchmarkLoad(b *testing.B) {
	table := func(ctx context.Context, w io.Writer) error {
		region, order := cachert.Input(ctx, "region"), cachert.Input(ctx, "order")
		for i := range 1000 {
			if _, err := fmt.Fprintf(w, "<tr><td>%d</td><td>%s</td><td>%s</td></tr>\n", i, region, order); err != nil {
				return err
			}
		}
		return nil
	}
	cart := func(ctx context.Context, w io.Writer) error {
		id, _ := cachert.SessionOf(ctx)
		_, err := fmt.Fprintf(w, "<p>cart of %s</p>", id)
		return err
	}
	cached := func(o cachert.DrawOptions, body func(context.Context, io.Writer) error) func(context.Context, io.Writer) error {
		d := site(o)
		return func(ctx context.Context, w io.Writer) error {
			k := key{}
			if o.Session {
				k.arg, _ = cachert.SessionOf(ctx)
			}
			bctx, bw, s := Bind(ctx, w, nil)
			_, err := d.Do(k.hash(), k, &cachert.DrawCall{Ctx: bctx, Surface: s, Run: func(ctx context.Context, _ any) (err error) {
				return body(ctx, bw)
			}})
			return err
		}
	}
	page := func(parts ...func(context.Context, io.Writer) error) http.Handler {
		return web.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx := cachert.WithSession(r.Context(), r.URL.Query().Get("session"))
			w.Header().Set("Content-Type", "text/html")
			for _, part := range parts {
				if err := part(ctx, w); err != nil {
					http.Error(w, err.Error(), http.StatusInternalServerError)
				}
			}
		}))
	}
	handlers := map[string]http.Handler{
		"plain":  page(table, cart),
		"cached": page(cached(cachert.DrawOptions{Widgets: true}, table), cached(cachert.DrawOptions{Options: cachert.Options{Session: true}}, cart)),
	}
	var urls []string
	for i := range 96 {
		urls = append(urls, fmt.Sprintf("/?session=s%d&region=r%d&order=o%d", i%8, i/8%4, i/32))
	}
	for _, name := range []string{"plain", "cached"} {
		h := handlers[name]
		for _, u := range urls {
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", u, nil))
		}
		b.Run("handler/"+name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", urls[i%len(urls)], nil))
				}
			})
		})
		b.Run("server/"+name, func(b *testing.B) {
			srv := httptest.NewServer(h)
			defer srv.Close()
			client := srv.Client()
			client.Transport.(*http.Transport).MaxIdleConnsPerHost = 64
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					r, err := client.Get(srv.URL + urls[i%len(urls)])
					if err != nil {
						b.Error(err)
						return
					}
					if n, err := io.Copy(io.Discard, r.Body); err != nil || n < 1000 {
						b.Error(n, err)
					}
					r.Body.Close()
				}
			})
		})
	}
}

// BenchmarkPersonal is a call whose result is its caller's alone, from 16 clients at once that
// ask the same: cached and uncached in turns, so that both see the same machine. The medians
// of both are to be within a tenth of one another.
func BenchmarkPersonal(b *testing.B) {
	userKey := struct{ name string }{"user"} // of no package, those of this module being known
	line := strings.Repeat("x", 1023) + "\n"
	page := func(of func(w http.ResponseWriter, r *http.Request) string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(5 * time.Millisecond) // a query
			who := of(w, r)
			for range 20 {
				io.WriteString(w, line)
			}
			io.WriteString(w, who)
		}
	}
	byContext := page(func(_ http.ResponseWriter, r *http.Request) string { return r.Context().Value(userKey).(string) })
	byCookie := page(func(w http.ResponseWriter, r *http.Request) string {
		user := r.Context().Value(http.ServerContextKey).(string)
		http.SetCookie(w, &http.Cookie{Name: "user", Value: user})
		return user
	})
	data := cachert.New[key, string](nil, cachert.Options{Func: "bench.personal", Site: "x", Max: 100, TrackContext: true, Detach: true, ErrorResult: cachert.NoError})
	rows := func(ctx context.Context) string {
		time.Sleep(5 * time.Millisecond)
		return ctx.Value(userKey).(string)
	}
	handled := func(h http.HandlerFunc) func(context.Context) string {
		return func(ctx context.Context) string {
			w := httptest.NewRecorder()
			h(w, httptest.NewRequest("GET", "/", nil).WithContext(ctx))
			return w.Body.String()[20*len(line):]
		}
	}
	for _, c := range []struct {
		name             string
		cached, uncached func(context.Context) string
	}{
		{"function", func(ctx context.Context) string {
			k := key{"a"}
			v, err := data.Do(k.hash(), k, &cachert.Call{Ctx: ctx, Run: func(ctx context.Context, v any) error {
				*v.(*string) = rows(ctx)
				return nil
			}})
			if err != nil {
				b.Error(err)
			}
			return v
		}, rows},
		{"page by context", handled(handler(site(cachert.DrawOptions{}), nil, byContext)), handled(byContext)},
		{"page with cookie", handled(handler(site(cachert.DrawOptions{}), nil, byCookie)), handled(byCookie)},
	} {
		b.Run(c.name, func(b *testing.B) {
			var mu sync.Mutex
			var took [2][]time.Duration
			var clients sync.WaitGroup
			for user := range 16 {
				ctx := context.WithValue(b.Context(), userKey, fmt.Sprint(user))
				ctx = context.WithValue(ctx, http.ServerContextKey, fmt.Sprint(user))
				clients.Go(func() {
					var mine [2][]time.Duration
					for i := range max(b.N, 2) {
						way := (i + user) % 2
						call := [...]func(context.Context) string{c.uncached, c.cached}[way]
						start := time.Now()
						who := call(ctx)
						if mine[way] = append(mine[way], time.Since(start)); who != fmt.Sprint(user) {
							b.Errorf("%d got what is of %s", user, who)
						}
					}
					mu.Lock()
					defer mu.Unlock()
					for way := range took {
						took[way] = append(took[way], mine[way]...)
					}
				})
			}
			clients.Wait()
			uncached, cached := median(took[0]), median(took[1])
			b.ReportMetric(float64(uncached.Microseconds()), "µs-uncached")
			b.ReportMetric(float64(cached.Microseconds()), "µs-cached")
			b.ReportMetric(float64(cached)/float64(uncached), "ratio")
		})
	}
}

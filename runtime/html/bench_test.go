package html

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	cache "github.com/cachegen/cachegen/runtime"
)

// inputs are the inputs of a request that costs nothing to read.
type inputs map[string][]byte

func (in inputs) Value(widget string) ([]byte, bool) { v, ok := in[widget]; return v, ok }

// BenchmarkOutcomes is a hit of a function with one widget, with so many outcomes kept.
func BenchmarkOutcomes(b *testing.B) {
	for _, n := range []int{1, 10, 100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			d := cache.NewDrawn[key, none](nil, cache.DrawOptions{Options: cache.Options{Func: "bench", Site: "x"}, Widgets: true})
			call := func(in inputs) {
				k := key{"a"}
				_, bw, s := Bind(context.Background(), io.Discard, in)
				_, err := d.Do(k.hash(), k, &cache.DrawCall{Ctx: context.Background(), Surface: s, Run: func(ctx context.Context, _ any) (err error) {
					_, err = fmt.Fprintf(bw, "<p>%s</p>", cache.Input(ctx, "w"))
					return err
				}})
				if err != nil {
					b.Fatal(err)
				}
			}
			for i := range n {
				call(inputs{"input:w": cache.EncodeInput([]string{fmt.Sprint(i)}, nil)})
			}
			in := inputs{"input:w": cache.EncodeInput([]string{fmt.Sprint(n / 2)}, nil)}
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
			d := cache.NewDrawn[key, none](nil, cache.DrawOptions{Options: cache.Options{Func: "bench", Site: "x"}})
			b.ReportAllocs()
			for b.Loop() {
				k := key{"a"}
				_, bw, s := Bind(context.Background(), io.Discard, nil)
				d.Do(k.hash(), k, &cache.DrawCall{Surface: s, Run: func(_ context.Context, _ any) (err error) {
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

// BenchmarkHandler is a page behind net/http's types, with caching and without.
func BenchmarkHandler(b *testing.B) {
	page := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		for i := range 1000 {
			fmt.Fprintf(w, "<tr><td>%d</td><td>%s</td></tr>\n", i, r.FormValue("q"))
		}
	}
	for name, h := range map[string]http.HandlerFunc{"plain": page, "cached": handler(site(cache.DrawOptions{}), []string{"form:q"}, page)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					h(httptest.NewRecorder(), httptest.NewRequest("GET", "/?q=x", nil))
				}
			})
		})
	}
}

// Command table measures everything that package bench compares and prints markdown.
package main

import (
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/bench"
)

func main() {
	testing.Init()
	run := flag.String("run", "", "measure only tables whose name holds this: hit, parallel, context, noargs, digest, copy, miss, evict, million, stampede, ratio, memory")
	rounds := flag.Int("rounds", 80, "times that each case is measured; the fastest counts; a tenth of it where garbage counts")
	each := flag.Duration("time", 2*time.Millisecond, "how long each of them takes; short, so that on a busy machine some are not disturbed; 25 times as long where garbage counts")
	flag.StringVar(&bench.Only, "peer", "", "measure only peers whose name holds this")
	flag.Parse()
	want := func(name string) bool { return strings.Contains(name, *run) }

	fmt.Printf("%s, %s/%s, %d cores, %s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), time.Now().Format(time.DateOnly))
	for _, t := range bench.Tables() {
		if want(t.Name) {
			n, d := *rounds, *each
			if t.Garbage {
				n, d = max(n/10, 1), 25*d
			}
			flag.Set("test.benchtime", d.String())
			print(t, measure(t, n))
		}
	}
	if want("stampede") {
		fmt.Printf("\n### 1,000 goroutines on one cold key, computed in 10 ms\n\n| | computations | all served after |\n|---|--:|--:|\n")
		for _, s := range bench.Stampedes() {
			fmt.Printf("| %s | %d | %.1f ms |\n", s.Name, s.Loads, float64(s.Wall.Microseconds())/1000)
		}
	}
	progress := func(s string) { fmt.Fprintln(os.Stderr, " ", s) }
	if want("ratio") {
		fmt.Printf("\n### Hit ratio, 10,000 entries, two million accesses\n\n| | zipf(1.01), a million keys | the same and 20 %% one-time keys | loop of 12,000 |\n|---|--:|--:|--:|\n")
		for _, r := range bench.HitRatios(progress) {
			fmt.Printf("| %s | %.1f %% | %.1f %% | %.1f %% |\n", r.Name, 100*r.Zipf, 100*r.Scan, 100*r.Loop)
		}
	}
	if want("memory") {
		fmt.Printf("\n### Memory at a million entries (23 bytes of key string and 48 of structs are payload)\n\n| | bytes per entry | entries kept | full collection |\n|---|--:|--:|--:|\n")
		for _, m := range bench.MemoryPerEntry(progress) {
			fmt.Printf("| %s | %.0f | %d | %.0f ms |\n", m.Name, m.Bytes, m.Entries, float64(m.GC.Microseconds())/1000)
		}
	}
}

type result struct {
	ns     float64
	bytes  int64
	allocs int64
}

func (r *result) add(b testing.BenchmarkResult) {
	if ns := float64(b.T.Nanoseconds()) / float64(b.N); ns < r.ns {
		r.ns = ns
	}
	r.bytes, r.allocs = b.AllocedBytesPerOp(), b.AllocsPerOp()
}

// measure runs the cases in turn, so that a busy moment of the machine hits all alike.
func measure(t bench.Table, rounds int) []result {
	out := make([]result, len(t.Cases))
	for i := range out {
		out[i].ns = math.Inf(1)
	}
	one := func(i int, run func(*testing.B)) {
		out[i].add(testing.Benchmark(func(b *testing.B) {
			b.ReportAllocs()
			b.ResetTimer()
			run(b)
		}))
	}
	if t.Alone {
		for i, c := range t.Cases {
			fmt.Fprintln(os.Stderr, " ", t.Name, c.Name)
			run, stop := c.Setup()
			for range rounds {
				one(i, run)
			}
			stop()
			runtime.GC()
		}
		return out
	}
	runs := make([]func(*testing.B), len(t.Cases))
	for i, c := range t.Cases {
		run, stop := c.Setup()
		defer stop()
		runs[i] = run
	}
	for r := range rounds {
		fmt.Fprintln(os.Stderr, " ", t.Name, "round", r+1)
		for i := range runs {
			one(i, runs[i])
		}
	}
	return out
}

func print(t bench.Table, rs []result) {
	fmt.Printf("\n### %s\n\n| | ns | %s ÷ it | B | allocs |\n|---|--:|--:|--:|--:|\n", t.Title, t.Cases[0].Name)
	for i, r := range rs {
		fmt.Printf("| %s | %s | %.2f | %d | %d |\n", t.Cases[i].Name, digits(r.ns), rs[0].ns/r.ns, r.bytes, r.allocs)
	}
}

// digits writes a figure with as many digits as it is worth.
func digits(ns float64) string {
	switch {
	case ns < 100:
		return fmt.Sprintf("%.1f", ns)
	case ns < 100_000:
		return fmt.Sprintf("%.0f", ns)
	}
	return fmt.Sprintf("%.0f k", ns/1000)
}

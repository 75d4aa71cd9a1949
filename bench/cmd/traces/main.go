// Command traces runs traces of real programs over the generated wrapper and its peers and prints
// how many of the accesses each of them finds, in per cent, beside the optimum.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/cachegen/cachegen/bench"
)

func main() {
	sizes := flag.String("sizes", "0.5,1,5,20,50", "sizes of the caches, in per cent of a trace's keys")
	flag.StringVar(&bench.Only, "peer", "", "run only peers whose name holds this")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "usage: traces [flags] DIR or FILE ...\n\nThe name of a file tells its format: %s\n\n", "cache2k*, corda*, address*, lirs*, of Caffeine's simulator, also packed by xz.")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Args(), strings.Split(*sizes, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "traces:", err)
		os.Exit(1)
	}
}

func run(args, sizes []string) error {
	var files []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			files = append(files, arg)
			continue
		}
		for _, pattern := range []string{"cache2k*", "corda*", "address*", "lirs*"} {
			found, err := filepath.Glob(filepath.Join(arg, pattern))
			if err != nil {
				return err
			}
			files = append(files, found...)
		}
	}
	if len(files) == 0 {
		return fmt.Errorf("no traces in %s", strings.Join(args, ", "))
	}
	peers := bench.TracePeers()
	fmt.Printf("| trace | entries | optimum |")
	for _, p := range peers {
		fmt.Printf(" %s |", p.Name)
	}
	fmt.Printf("\n|---|--:|--:|%s\n", strings.Repeat("--:|", len(peers)))
	sums := make([]float64, 1+len(peers))
	rows := 0
	for _, file := range files {
		t, err := bench.ReadTrace(file)
		if err != nil {
			return err
		}
		var done []int
		for _, text := range sizes {
			share, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			if err != nil || share <= 0 {
				return fmt.Errorf("-sizes: %q is no size in per cent", text)
			}
			size := int(share / 100 * float64(t.N))
			if size < 2 || slices.Contains(done, size) {
				continue
			}
			done = append(done, size)
			ratios := []float64{float64(bench.Optimum(t, size))}
			for _, p := range peers {
				ratios = append(ratios, float64(len(t.Keys)-bench.Misses(p, t, size)))
			}
			fmt.Printf("| %s | %d |", t.Name, size)
			for i, r := range ratios {
				r *= 100 / float64(len(t.Keys))
				sums[i] += r
				fmt.Printf(" %.2f |", r)
			}
			fmt.Println()
			rows++
		}
	}
	fmt.Printf("| mean | |")
	for _, s := range sums {
		fmt.Printf(" %.2f |", s/float64(rows))
	}
	fmt.Println()
	return nil
}

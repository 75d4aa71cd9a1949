package generator

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

// tree lays out a module of n packages. Each imports two others and some of the
// standard library; k of them, evenly spread, have an annotated function.
func tree(tb testing.TB, n, k int) string {
	tb.Helper()
	root := tb.TempDir()
	repository, err := filepath.Abs("..")
	if err != nil {
		tb.Fatal(err)
	}
	write := func(name, text string) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	write("go.mod", fmt.Sprintf("module example.com/tree\n\ngo 1.26.0\n\nrequire github.com/cachegen/cachegen v0.0.0\n\nreplace github.com/cachegen/cachegen => %s\n", filepath.ToSlash(repository)))
	filler := strings.Repeat("// filler says nothing at some length, so that files are as large as real ones are.\n", 120)
	for i := range n {
		var b strings.Builder
		fmt.Fprintf(&b, "package p%d\n\nimport (\n\t\"context\"\n\t\"net/http\"\n\t\"strings\"\n", i)
		for d := range map[int]bool{i / 2: true, i / 3: true} {
			if d < i {
				fmt.Fprintf(&b, "\t_ \"example.com/tree/d%d/p%d\"\n", d%50, d)
			}
		}
		b.WriteString(")\n\ntype T struct {\n\tName string\n\tTags []string\n}\n\nvar Client http.Client\n\n")
		b.WriteString(filler)
		b.WriteString("func Upper(s string) string { return strings.ToUpper(s) }\n\n")
		if k > 0 && i%(n/k) == n/k-1 {
			b.WriteString("//cache:data ttl=10m\n")
		}
		b.WriteString("func load(ctx context.Context, name string, years []int) (T, error) { return T{Name: name}, nil }\n")
		write(fmt.Sprintf("d%d/p%d/p.go", i%50, i), b.String())
		write(fmt.Sprintf("d%d/p%d/more.go", i%50, i), fmt.Sprintf("package p%d\n\n%s", i, filler))
	}
	return root
}

// BenchmarkGenerate is a run that finds everything up to date, in trees of n packages
// of which k have an annotated function, with a warm build cache.
func BenchmarkGenerate(b *testing.B) {
	for _, n := range []int{200, 2000} {
		for _, k := range []int{0, 1, 10, 100} {
			b.Run(fmt.Sprintf("packages=%d/annotated=%d", n, k), func(b *testing.B) {
				root := tree(b, n, k)
				req := Request{Dir: root}
				res, err := Generate(context.Background(), req)
				if err != nil || res.Failed() || len(res.Files) != k {
					b.Fatal(err, res)
				}
				for _, f := range res.Files {
					if err := os.WriteFile(f.Path, f.New, 0o644); err != nil {
						b.Fatal(err)
					}
				}
				for b.Loop() {
					res, err := Generate(context.Background(), req)
					if err != nil || res.Failed() || len(res.Changes()) != 0 {
						b.Fatal(err, res)
					}
				}
			})
		}
	}
}

// BenchmarkRead is the yardstick of a run without annotations: reading every .go file
// of the tree, several at once, and nothing else.
func BenchmarkRead(b *testing.B) {
	for _, n := range []int{200, 2000} {
		b.Run(fmt.Sprintf("packages=%d", n), func(b *testing.B) {
			root := tree(b, n, 0)
			for b.Loop() {
				var eg errgroup.Group
				eg.SetLimit(2 * runtime.GOMAXPROCS(0))
				err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
					if err == nil && strings.HasSuffix(path, ".go") {
						eg.Go(func() error { _, err := os.ReadFile(path); return err })
					}
					return err
				})
				if err := eg.Wait(); err != nil {
					b.Fatal(err)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

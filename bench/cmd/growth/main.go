// Command growth tells what each further annotated function adds to a binary and to
// the time it takes to compile its package. It writes modules with 10 and with 60
// functions, cached and not, builds them and prints the differences.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const (
	few  = 10
	many = 60
)

func main() {
	keep := flag.Bool("keep", false, "print the folder with the modules and do not remove it")
	rounds := flag.Int("rounds", 3, "times that each package is compiled; the fastest counts")
	most := flag.Float64("most", 0, "fail if a further function adds more KB to a stripped binary; 0: never")
	flag.Parse()
	if err := run(*keep, *rounds, *most); err != nil {
		fmt.Fprintln(os.Stderr, "growth:", err)
		os.Exit(1)
	}
}

type measured struct {
	bytes   int64 // stripped
	whole   int64 // with symbols and debug information, as go build makes it
	compile time.Duration
}

func run(keep bool, rounds int, most float64) error {
	root, err := repository()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "growth")
	if err != nil {
		return err
	}
	if keep {
		fmt.Println(dir)
	} else {
		defer os.RemoveAll(dir)
	}
	tool := filepath.Join(dir, "cachegen")
	if err := command(root, "go", "build", "-o", tool, "./cmd/cachegen"); err != nil {
		return err
	}
	var m [2][2]measured // cached?, many?
	for c, cached := range []bool{false, true} {
		for i, n := range []int{few, many} {
			mod := filepath.Join(dir, fmt.Sprintf("m%d_%v", n, cached))
			if err := write(mod, root, n, cached); err != nil {
				return err
			}
			if cached {
				if err := command(mod, tool, "./..."); err != nil {
					return err
				}
			}
			if m[c][i], err = measure(mod, rounds); err != nil {
				return err
			}
		}
	}
	const d = many - few
	kb := func(a, b int64) float64 { return float64(b-a) / 1024 / d }
	fmt.Printf("%s, %s/%s\n\n| | binary, stripped | as go build makes it | package compiled in (processor time) |\n|---|--:|--:|--:|\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for c, name := range []string{"not cached", "cached"} {
		a, b := m[c][0], m[c][1]
		for i, n := range []int{few, many} {
			fmt.Printf("| %d functions, %s | %d KB | %d KB | %.2f s |\n", n, name, m[c][i].bytes/1024, m[c][i].whole/1024, m[c][i].compile.Seconds())
		}
		fmt.Printf("| **each further function, %s** | **%.1f KB** | **%.1f KB** | **%.0f ms** |\n", name, kb(a.bytes, b.bytes), kb(a.whole, b.whole), (b.compile-a.compile).Seconds()*1000/d)
	}
	if got := kb(m[1][0].bytes, m[1][1].bytes); most > 0 && got > most {
		return fmt.Errorf("a further function adds %.1f KB, and %.1f are allowed", got, most)
	}
	return nil
}

// repository finds the module that this one is beside.
func repository() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/cachegen/cachegen").Output()
	if err != nil {
		return "", fmt.Errorf("finding the module under test: %w; run this in the folder bench", err)
	}
	return strings.TrimSpace(string(out)), nil
}

func command(dir, name string, args ...string) error {
	c := exec.Command(name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// write makes a module of n functions, each with types of its own, in equal parts: a
// comparable key; a context, an error and a pointer in the result; a slice in the key
// and a result that is copied.
func write(dir, root string, n int, cached bool) error {
	var p, m strings.Builder
	p.WriteString("package p\n\nimport \"context\"\n\n")
	m.WriteString("package main\n\nimport (\n\t\"context\"\n\t\"fmt\"\n\n\t\"growth/p\"\n)\n\nfunc main() {\n\tctx := context.Background()\n")
	directive, name := "", func(i int) string { return fmt.Sprintf("Load%dUncached", i) }
	if cached {
		directive, name = "//cache:data ttl=1m max=1000\n", func(i int) string { return fmt.Sprintf("Load%d", i) }
	}
	for i := range n {
		switch i % 3 {
		case 0:
			fmt.Fprintf(&p, "type T%d struct { ID, A%d int64; Name string }\n\n%sfunc Load%dUncached(id int64, name string) T%d { return T%d{ID: id, Name: name} }\n\n", i, i, directive, i, i, i)
			fmt.Fprintf(&m, "\tfmt.Println(p.%s(%d, \"x\"))\n", name(i), i)
		case 1:
			fmt.Fprintf(&p, "type T%d struct { ID, A%d int64; Next *T%d }\n\n%sfunc Load%dUncached(ctx context.Context, id int64, name string) (*T%d, error) { return &T%d{ID: id}, ctx.Err() }\n\n", i, i, i, directive, i, i, i)
			fmt.Fprintf(&m, "\tfmt.Println(p.%s(ctx, %d, \"x\"))\n", name(i), i)
		case 2:
			fmt.Fprintf(&p, "type T%d struct { ID, A%d int64; Tags []string }\n\n%sfunc Load%dUncached(names []string, limit int) []T%d { return make([]T%d, len(names)+limit) }\n\n", i, i, directive, i, i, i)
			fmt.Fprintf(&m, "\tfmt.Println(p.%s(nil, %d))\n", name(i), i)
		}
	}
	m.WriteString("}\n")
	if err := os.MkdirAll(filepath.Join(dir, "p"), 0o755); err != nil {
		return err
	}
	return errors.Join(
		put(dir, "go.mod", fmt.Sprintf("module growth\n\ngo 1.26.0\n\nrequire github.com/cachegen/cachegen v0.0.0\n\nreplace github.com/cachegen/cachegen => %s\n", root)),
		put(dir, "main.go", m.String()),
		put(dir, "p/p.go", p.String()),
	)
}

func put(dir, name, text string) error {
	return os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(text), fs.FileMode(0o644))
}

// measure builds the program and compiles its package p alone, anew each time.
func measure(dir string, rounds int) (m measured, err error) {
	for _, b := range []struct {
		flags string
		size  *int64
	}{{"-s -w", &m.bytes}, {"", &m.whole}} {
		if err = command(dir, "go", "build", "-trimpath", "-ldflags="+b.flags, "-o", "program", "."); err != nil {
			return m, err
		}
		info, err := os.Stat(filepath.Join(dir, "program"))
		if err != nil {
			return m, err
		}
		*b.size = info.Size()
	}
	m.compile = time.Hour
	for r := range rounds {
		// Another constant is another package to the build cache.
		if err = put(dir, "p/round.go", fmt.Sprintf("package p\n\nconst Round = \"%d %d\"\n", r, time.Now().UnixNano())); err != nil {
			return m, err
		}
		c := exec.Command("go", "build", "-trimpath", "./p")
		c.Dir = dir
		c.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
		if out, err := c.CombinedOutput(); err != nil {
			return m, fmt.Errorf("go build ./p: %w\n%s", err, out)
		}
		// Of all processes together: what else the machine does counts less.
		m.compile = min(m.compile, c.ProcessState.UserTime()+c.ProcessState.SystemTime())
	}
	return m, nil
}

// Command trees measures the generator on large modules.
//
//	go run ./internal/trees [flags] MODULE@VERSION…
//
// It copies each module from the module cache into a scratch directory, lets it see
// cachegen's runtime, puts a directive above one function in each of k packages, generates,
// and times "cachegen check ./..." over it, beside:
//
//   - a plain parallel read of the .go files, which is the yardstick where nothing is
//     annotated;
//   - "go list ./...", and "go list -deps -export" of the annotated packages, which is the
//     yardstick where something is;
//   - stringer, moq, mockery and wire, each on one package, and check on that package.
//
// What is compared runs in turn, -runs times, over a warm build cache; wall time and CPU
// time are the least of the runs, and memory is the most that one process of a run held. Child
// processes count for all three.
//
// With -cold, the first run of check with one annotated package over an empty build cache is
// timed too.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// options are the flags.
type options struct {
	repo, scratch string
	counts        []int
	runs          int
	peers, cold   bool
	keep          bool
	tool          string // the built command
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == readCommand {
		if err := readTree(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, "trees:", err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.StringVar(&o.repo, "repo", "", "directory of cachegen's source (default: the module of the working directory)")
	flag.StringVar(&o.scratch, "scratch", filepath.Join(os.TempDir(), "cachegen-trees"), "directory to work in")
	counts := flag.String("k", "0,1,10,100", "numbers of annotated packages")
	flag.IntVar(&o.runs, "runs", 5, "runs of each command")
	flag.BoolVar(&o.peers, "peers", true, "measure other generators on one package")
	flag.BoolVar(&o.cold, "cold", false, "measure a first run over an empty build cache too")
	flag.BoolVar(&o.keep, "keep", false, "leave the directives and wrappers of the last measurement in the copy")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: go run ./internal/trees [flags] MODULE@VERSION…")
		flag.PrintDefaults()
		os.Exit(2)
	}
	err := o.prepare(*counts)
	for _, spec := range flag.Args() {
		if err != nil {
			break
		}
		if err = o.measure(spec); err != nil {
			err = fmt.Errorf("%s: %w", spec, err)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "trees:", err)
		os.Exit(1)
	}
}

func (o *options) prepare(counts string) error {
	for _, s := range strings.Split(counts, ",") {
		k, err := strconv.Atoi(s)
		if err != nil || k < 0 {
			return fmt.Errorf("-k=%s: not a list of numbers", counts)
		}
		o.counts = append(o.counts, k)
	}
	if o.repo == "" {
		out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", cachegen).Output()
		if err != nil {
			return fmt.Errorf("run it in cachegen's module or say -repo: %w", err)
		}
		o.repo = strings.TrimSpace(string(out))
	}
	bin := filepath.Join(o.scratch, "bin")
	if err := os.MkdirAll(bin, 0o777); err != nil {
		return err
	}
	o.tool = filepath.Join(bin, "cachegen")
	return command(o.repo, nil, "go", "build", "-o", o.tool, "./cmd/cachegen").run()
}

// measure prints the table of one module.
func (o *options) measure(spec string) error {
	t, err := o.newTree(spec)
	if err != nil {
		return err
	}
	fmt.Printf("### %s\n\n%d packages, %d .go files, %.1f MB, of which check reads all. Annotated packages are spread evenly; in %d of all it is a function of their own that is annotated, in the others one that is added.\n\n",
		spec, t.packages, t.files, float64(t.bytes)/1e6, t.plain)
	fmt.Println("| what runs | annotated | wall | CPU | memory | wall, to its yardstick | CPU, to its yardstick |\n|---|--:|--:|--:|--:|--:|--:|")
	for _, k := range o.counts {
		if err := o.measureCount(t, k); err != nil {
			return fmt.Errorf("k=%d: %w", k, err)
		}
	}
	if o.peers {
		if err := o.measurePeers(t); err != nil {
			return err
		}
	}
	if o.cold {
		if err := o.measureCold(t); err != nil {
			return err
		}
	}
	fmt.Println()
	if o.keep {
		return nil
	}
	return t.annotate(nil)
}

// measureCount prints the rows of k annotated packages.
func (o *options) measureCount(t *tree, k int) error {
	chosen := spread(t.candidates, k)
	if len(chosen) < k {
		return fmt.Errorf("there are only %d packages", len(chosen))
	}
	if err := t.annotate(chosen); err != nil {
		return err
	}
	if err := t.command(o.tool, "./...").run(); err != nil {
		return err
	}
	check := t.command(o.tool, "check", "./...")
	list := t.command("go", "list", "./...")
	yardstick, name := t.reader(), "parallel read of the .go files"
	if k > 0 {
		yardstick, name = t.export(chosen), "go list -deps -export of these packages"
	}
	u, err := inTurn(o.runs, check, yardstick, list)
	if err != nil {
		return err
	}
	row("`cachegen check ./...`", k, u[0], &u[1])
	row(name, k, u[1], nil)
	row("`go list ./...`", k, u[2], nil)
	return nil
}

// measureCold prints what a first run costs, and what compiling the same imports does.
func (o *options) measureCold(t *tree) error {
	chosen := spread(t.candidates, 1)
	if err := t.annotate(chosen); err != nil {
		return err
	}
	if err := t.command(o.tool, "./...").run(); err != nil {
		return err
	}
	run := func(c *child) (usage, error) {
		dir, err := os.MkdirTemp(o.scratch, "cold")
		if err != nil {
			return usage{}, err
		}
		c.env = append(c.env, "GOCACHE="+dir)
		u, err := c.usage()
		return u, errors.Join(err, os.RemoveAll(dir))
	}
	check, err := run(t.command(o.tool, "check", "./..."))
	if err != nil {
		return err
	}
	list, err := run(t.export(chosen))
	if err != nil {
		return err
	}
	row("empty build cache: `cachegen check ./...`", 1, check, &list)
	row("empty build cache: go list -deps -export", 1, list, nil)
	return nil
}

// export compiles what packages import, and the packages.
func (t *tree) export(cs []*candidate) *child {
	args := []string{"go", "list", "-deps", "-export"}
	for _, c := range cs {
		args = append(args, c.pkg)
	}
	return t.command(args...)
}

func row(what string, k int, u usage, to *usage) {
	ratios := "| |"
	if to != nil {
		ratios = fmt.Sprintf("| %.2f | %.2f |", u.wall.Seconds()/to.wall.Seconds(), u.cpu.Seconds()/to.cpu.Seconds())
	}
	fmt.Printf("| %s | %d | %.3f s | %.3f s | %d MB %s\n", what, k, u.wall.Seconds(), u.cpu.Seconds(), u.memory>>20, ratios)
}

// spread picks k of all, evenly, or all.
func spread(all []*candidate, k int) []*candidate {
	var some []*candidate
	k = min(k, len(all))
	for i := range k {
		some = append(some, all[(2*i+1)*len(all)/(2*k)])
	}
	return some
}

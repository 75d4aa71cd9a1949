// Command torture puts the generator to code that was not written for it.
//
//	go run ./internal/torture [flags] SPEC…
//
// A SPEC is MODULE@VERSION, or std:PACKAGE for a package of the standard library, copied out
// with the internal packages that it needs. After a colon may stand the patterns of the
// packages to take, separated by commas: golang.org/x/net@v0.62.0:./html/...,./idna. A SPEC
// that ends in .json is a report that -json wrote earlier: it is only put into the table. So
//
//	go run ./internal/torture -json a.json github.com/google/uuid@v1.6.0
//	go run ./internal/torture -list internal/torture/modules.txt -json all.json
//	go run ./internal/torture a.json all.json
//
// tries one module, all those of the list in the repository, and shows the table of both.
//
// Each module is copied into a scratch directory, and there the tool
//
//   - annotates every function and method that can be, as data and then as resource,
//     takes the directive off again where the generator refuses it, generates, builds and
//     vets what came out;
//   - counts the refusals by code, and those among them that the documented rules leave
//     no room for, by a judgement of its own (judge.go);
//   - adopts every exported function that looks pure (pure.go), and runs the module's own
//     tests over the cached code, beside a run of them before;
//   - ejects everything again, and compares the bytes.
//
// It exits 1 where generated code does not build or vet, where the generator panics,
// where a function that had to be cached is refused, or where eject leaves a difference.
// A test that fails over cached code is listed with its output, and is for a reader to
// judge: one that counts allocations must fail, one that compares results must not.
//
// For files of other systems, name one and leave the tests: GOOS=windows go run
// ./internal/torture -tests=false golang.org/x/sys@v0.50.0:./windows. For build tags there
// is -tags.
//
// A module that needs a newer Go than this is taken by the toolchain that -newer names.
//
// It writes to the scratch directory alone, and takes modules through the go command.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.repo, "repo", "", "directory of cachegen's source (default: the module of the working directory)")
	flag.StringVar(&o.scratch, "scratch", filepath.Join(os.TempDir(), "cachegen-torture"), "directory to work in")
	flag.StringVar(&o.tags, "tags", "", "build tags, separated by commas")
	flag.StringVar(&o.newer, "newer", "go1.27.2", "toolchain for modules that need a newer Go than this; empty to leave them out")
	flag.IntVar(&o.functions, "functions", 0, "annotate so many functions of a module at most, evenly spread; 0 for all")
	flag.IntVar(&o.built, "built", 500, "build and vet so many functions of a module at most, evenly spread; the generator type-checks all")
	flag.BoolVar(&o.tests, "tests", true, "adopt and run the module's tests")
	flag.BoolVar(&o.short, "short", true, "run tests with -short")
	flag.BoolVar(&o.methods, "methods", true, "adopt methods that look pure too, with recv=key")
	flag.BoolVar(&o.all, "all", false, "do no more than adopt every exported function that adopt takes, vet, and eject it again")
	flag.BoolVar(&o.keep, "keep", false, "leave the last state of each module in the scratch directory")
	flag.DurationVar(&o.timeout, "timeout", 10*time.Minute, "for one run of a module's tests")
	list := flag.String("list", "", "file with a SPEC on each line; what follows # is a comment")
	report := flag.String("json", "", "file for the full report")
	flag.Parse()
	specs := flag.Args()
	if *list != "" {
		b, err := os.ReadFile(*list)
		if err != nil {
			fmt.Fprintln(os.Stderr, "torture:", err)
			os.Exit(2)
		}
		specs = append(specs, listed(string(b))...)
	}
	if len(specs) == 0 {
		fmt.Fprintln(os.Stderr, "usage: go run ./internal/torture [flags] MODULE@VERSION[:PATTERN,…]… std:PACKAGE… REPORT.json…")
		flag.PrintDefaults()
		os.Exit(2)
	}
	all, err := o.run(specs, *report)
	if err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		os.Exit(2)
	}
	fmt.Print(table(all))
	for _, m := range all {
		if m.bad() {
			os.Exit(1)
		}
	}
}

// listed returns the specs of a list.
func listed(text string) []string {
	var specs []string
	for l := range strings.Lines(text) {
		l, _, _ = strings.Cut(l, "#")
		specs = append(specs, strings.Fields(l)...)
	}
	return specs
}

// run tortures each, and writes the report after each, so that a run that is stopped leaves
// what it has found.
func (o *options) run(specs []string, report string) ([]*module, error) {
	var all []*module
	for _, spec := range specs {
		if strings.HasSuffix(spec, ".json") {
			b, err := os.ReadFile(spec)
			if err != nil {
				return nil, err
			}
			var earlier []*module
			if err := json.Unmarshal(b, &earlier); err != nil {
				return nil, fmt.Errorf("%s: %w", spec, err)
			}
			all = append(all, earlier...)
			continue
		}
		if o.tool == "" {
			if err := o.prepare(); err != nil {
				return nil, err
			}
		}
		m := &module{Spec: spec, o: o}
		err := m.torture()
		if newer, ok := errors.AsType[*needsNewer](err); ok {
			m, err = o.withNewer(spec, newer, m)
		}
		if err != nil {
			m.Failed = err.Error()
		}
		all = append(all, m)
		fmt.Fprintln(os.Stderr, m.summary())
		if report == "" {
			continue
		}
		b, err := json.MarshalIndent(all, "", " ")
		if err == nil {
			err = os.WriteFile(report, b, 0o666)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// withNewer tortures a module in a process of its own, which the Go of -newer builds: the
// generator, and what is read here, need its type checker.
func (o *options) withNewer(spec string, why *needsNewer, m *module) (*module, error) {
	if o.newer == "" {
		return m, why
	}
	report := filepath.Join(o.scratch, "newer.json")
	if err := os.RemoveAll(report); err != nil {
		return m, err
	}
	args := []string{"run", "./internal/torture", "-newer=", "-repo=" + o.repo, "-scratch=" + o.scratch + "-newer", "-json=" + report}
	flag.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "newer", "repo", "scratch", "json", "list":
		default:
			args = append(args, "-"+f.Name+"="+f.Value.String())
		}
	})
	cmd := exec.Command("go", append(args, spec)...)
	cmd.Dir = o.repo
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN="+o.newer)
	out, err := cmd.CombinedOutput()
	b, noReport := os.ReadFile(report)
	var all []*module
	if noReport == nil {
		noReport = json.Unmarshal(b, &all)
	}
	if noReport != nil || len(all) != 1 {
		return m, fmt.Errorf("with %s: %w\n%s", o.newer, errors.Join(err, noReport), first(string(out), 2000))
	}
	return all[0], nil // what it found is in the report, and is why it may exit 1
}

// table is the report in Markdown.
func table(all []*module) string {
	var b strings.Builder
	b.WriteString("| module | functions | as data | as resource | refused as data | as resource | had to be cached, of them refused | built | do not build or vet | adopted | tests before: pass, fail | after | by the clock | CPU | memory: generate, most |\n")
	b.WriteString("|---|--:|--:|--:|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, m := range all {
		if m.Failed != "" {
			fmt.Fprintf(&b, "| %s | %s |||||||||||||| \n", m.Spec, strings.ReplaceAll(first(m.Failed, 200), "\n", " "))
			continue
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %s | %s | %d, %d | %d | %d | %d | %s | %s | %.0f s | %.0f s | %d, %d MB |\n",
			m.Spec, m.Functions, m.Data.Cached, m.Resource.Cached, m.Data.reasons(), m.Resource.reasons(), m.Must, len(m.Wrong), m.Built, len(m.Defects),
			m.Adopted, m.Before, m.After, m.Seconds, m.CPU, m.Data.MB, m.MB)
	}
	b.WriteString("\nRefused, by code:\n\n| code | kind of finding | data | resource |\n|---|---|---|---|\n")
	type row struct {
		title          string
		data, resource int
	}
	rows := map[string]*row{}
	for _, m := range all {
		for i, p := range []pass{m.Data, m.Resource} {
			for code, n := range p.Refused {
				r := rows[code]
				if r == nil {
					r = &row{title: p.Titles[code]}
					rows[code] = r
				}
				if i == 0 {
					r.data += n
				} else {
					r.resource += n
				}
			}
		}
	}
	for _, code := range sorted(rows) {
		fmt.Fprintf(&b, "| %s | %s | %d | %d |\n", code, rows[code].title, rows[code].data, rows[code].resource)
	}
	for _, m := range all {
		list := func(title string, lines []string) {
			if len(lines) == 0 {
				return
			}
			fmt.Fprintf(&b, "\n%s: %s\n\n", m.Spec, title)
			for i, l := range lines {
				if i == 30 {
					fmt.Fprintf(&b, "- and %d more\n", len(lines)-i)
					break
				}
				fmt.Fprintf(&b, "- %s\n", strings.ReplaceAll(first(l, 600), "\n", "\n  "))
			}
		}
		list("packages left out, they do not build by themselves", m.Broken)
		list("generated code that does not build or vet, and faults", m.Defects)
		list("refused and must not be", m.Wrong)
		list("tests that fail over cached code", m.NewFailures)
		list("eject left a difference", m.Differences)
	}
	return b.String()
}

// reasons are the refusals, "CG3008 8, CG4001 3".
func (p *pass) reasons() string {
	var all []string
	for _, code := range sorted(p.Refused) {
		all = append(all, fmt.Sprintf("%s %d", code, p.Refused[code]))
	}
	return strings.Join(all, ", ")
}

func first(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}

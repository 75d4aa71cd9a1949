// Command torture puts the generator to code that was not written for it.
//
//	go run ./internal/torture [flags] MODULE@VERSION… std:PACKAGE…
//
// It copies each module from the module cache, or a package of the standard library with
// what it needs, into a scratch directory, and there:
//
//   - annotates every function and method that can be, as data and then as resource,
//     takes the directive off again where the generator refuses it, generates, builds and
//     vets what came out;
//   - counts the refusals by code, and those among them that the documented rules leave
//     no room for, by a judgement of its own (judge.go);
//   - adopts every exported function that looks pure, and runs the module's own tests over
//     the cached code, beside a run of them before;
//   - ejects everything again, and compares the bytes.
//
// It exits 1 where generated code does not build or vet, where the generator panics,
// where a function that had to be cached is refused, or where eject leaves a difference.
// A test that fails over cached code is listed, and is for a reader to judge.
//
// It writes to the scratch directory alone, and takes modules through the go command.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.repo, "repo", "", "directory of cachegen's source (default: the module of the working directory)")
	flag.StringVar(&o.scratch, "scratch", filepath.Join(os.TempDir(), "cachegen-torture"), "directory to work in")
	flag.BoolVar(&o.tests, "tests", true, "adopt and run the module's tests")
	flag.BoolVar(&o.build, "build", true, "build and vet what is generated; without it, the generator's own type-check has to do")
	flag.BoolVar(&o.methods, "methods", true, "adopt methods that look pure too, with recv=key")
	flag.BoolVar(&o.keep, "keep", false, "leave the last state of each module in the scratch directory")
	flag.StringVar(&o.run, "packages", "./...", "packages of the module to take, as patterns separated by commas")
	flag.DurationVar(&o.timeout, "timeout", 10*time.Minute, "for one run of a module's tests")
	report := flag.String("json", "", "file for the full report")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: go run ./internal/torture [flags] MODULE@VERSION… std:PACKAGE…")
		flag.PrintDefaults()
		os.Exit(2)
	}
	if err := o.prepare(); err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		os.Exit(2)
	}
	var all []*module
	bad := false
	for _, spec := range flag.Args() {
		m := &module{Spec: spec, o: &o}
		if err := m.torture(); err != nil {
			m.Failed = err.Error()
		}
		all = append(all, m)
		bad = bad || m.bad()
		fmt.Fprintln(os.Stderr, m.summary())
		if *report != "" {
			b, err := json.MarshalIndent(all, "", " ")
			if err == nil {
				err = os.WriteFile(*report, b, 0o644)
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, "torture:", err)
			}
		}
	}
	fmt.Print(table(all))
	if bad {
		os.Exit(1)
	}
}

// table is the report in Markdown.
func table(all []*module) string {
	var b strings.Builder
	b.WriteString("| module | functions | annotated | data | resource | had to be cached | of them refused | do not build or vet | adopted | tests before | after | generate | memory |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, m := range all {
		if m.Failed != "" {
			fmt.Fprintf(&b, "| %s | %s |||||||||||| \n", m.Spec, strings.ReplaceAll(first(m.Failed, 200), "\n", " "))
			continue
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d | %d | %d | %s | %s | %.1f s | %d MB |\n",
			m.Spec, m.Functions, m.Annotated, m.Data.Cached, m.Resource.Cached, m.Must, len(m.Wrong), len(m.Defects),
			m.Adopted, m.Before, m.After, m.Data.Seconds, m.Data.MB)
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
			fmt.Fprintf(&b, "\n%s: %s\n", m.Spec, title)
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

func first(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}

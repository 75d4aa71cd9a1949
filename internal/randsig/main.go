package main

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// config is one experiment.
type config struct {
	seed   uint64
	n      int
	mode   string // sig, values or both
	fake   bool
	only   string // "p0.fn3,fn17": nothing but these
	dir    string // where the program is written
	repo   string // the root of this module
	faults []string
	log    func(format string, a ...any)
}

// module is the path of the program: below this module's, so that it may import what is
// internal to it.
const module = "github.com/cachegen/cachegen/internal/randsig/program"

// finding is a function that failed, and how.
type finding struct {
	what string // refused, does not compile, caches wrongly
	fn   string
	text string
}

func main() {
	c := config{log: func(format string, a ...any) { fmt.Fprintf(os.Stderr, format+"\n", a...) }}
	flag.Uint64Var(&c.seed, "seed", 1, "makes the program and its values")
	flag.IntVar(&c.n, "n", 300, "how many functions")
	flag.StringVar(&c.mode, "mode", "both", "sig, values or both")
	flag.BoolVar(&c.fake, "fake", false, "write wrappers instead of generating them")
	fault := flag.String("fault", "", "spoil the written wrappers, a list: "+fmt.Sprint(faults()))
	flag.StringVar(&c.only, "only", "", "functions to keep, as p0.fn3,p1.fn17")
	flag.StringVar(&c.dir, "dir", "", "where to write the program (default: a temporary directory that is removed)")
	flag.Parse()
	if *fault != "" {
		c.faults = strings.Split(*fault, ",")
	}
	_, here, _, _ := runtime.Caller(0)
	c.repo = filepath.Dir(filepath.Dir(filepath.Dir(here)))
	if c.dir == "" {
		dir, err := os.MkdirTemp("", "randsig")
		if err != nil {
			c.log("%v", err)
			os.Exit(2)
		}
		defer os.RemoveAll(dir)
		c.dir = dir
	}
	findings, summary, err := c.run()
	for _, f := range findings {
		fmt.Printf("%s: %s: %s\n", f.what, f.fn, f.text)
	}
	fmt.Print(summary)
	if err != nil {
		c.log("%v", err)
	}
	if err != nil || len(findings) > 0 {
		c.log("seed %d, n %d, mode %s: %d findings", c.seed, c.n, c.mode, len(findings))
		os.Exit(1)
	}
}

// run writes the program, has it generated, compiles and runs it. Functions that are
// refused or do not compile are left out of the next attempt.
func (c *config) run() (findings []finding, summary string, err error) {
	m := &maker{rng: rand.New(rand.NewPCG(c.seed, 0xcafe))}
	pkgs := m.program(module, c.n, c.mode)
	bad := map[int]bool{}
	only := map[string]bool{}
	for _, s := range strings.Split(c.only, ",") {
		only[strings.TrimSpace(s[strings.LastIndex(s, ".")+1:])] = s != ""
	}
	skip := func(f *fn) bool { return bad[f.id] || c.only != "" && !only[fmt.Sprintf("fn%d", f.id)] }

	tool := filepath.Join(c.dir, "tool.exe")
	if !c.fake {
		if out, err := c.command(c.repo, "go", "build", "-o", tool, "./cmd/cachegen"); err != nil {
			return nil, "", fmt.Errorf("building the generator: %v\n%s", err, out)
		}
	}
	program := filepath.Join(c.dir, "program")
	for attempt := 0; ; attempt++ {
		if attempt == 30 {
			return findings, "", fmt.Errorf("still broken after %d attempts", attempt)
		}
		if err := c.prepare(program); err != nil {
			return nil, "", err
		}
		if err := writeProgram(m, program, module, pkgs, c.fake, skip); err != nil {
			return nil, "", err
		}
		var found []finding
		if !c.fake {
			out, err := c.command(program, tool, "./...")
			if err != nil {
				if found = blame(program, pkgs, "refused", out, bad); len(found) == 0 {
					return findings, "", fmt.Errorf("the generator fails, and does not say of what: %v\n%s", err, head(out))
				}
			}
		}
		if len(found) == 0 {
			out, err := c.command(program, "go", "vet", "./...")
			if err == nil {
				break
			}
			if found = blame(program, pkgs, "does not compile", out, bad); len(found) == 0 {
				return findings, "", fmt.Errorf("the program does not compile: %v\n%s", err, head(out))
			}
		}
		findings = append(findings, found...)
		c.log("attempt %d: %d functions left out", attempt, len(bad))
	}
	driver := filepath.Join(c.dir, "driver.exe")
	if out, err := c.command(program, "go", "build", "-o", driver, "."); err != nil {
		return findings, "", fmt.Errorf("building the program: %v\n%s", err, head(out))
	}
	out, err := c.command(program, driver, append([]string{strconv.FormatUint(c.seed, 10)}, c.faults...)...)
	for line := range strings.SplitSeq(string(out), "\n") {
		switch {
		case strings.HasPrefix(line, "FAIL "):
			name, text, _ := strings.Cut(line[5:], ": ")
			findings = append(findings, finding{"caches wrongly", name, text})
		case strings.HasPrefix(line, "\t") && len(findings) > 0:
			findings[len(findings)-1].text += "\n" + line
		case line != "":
			summary += line + "\n"
		}
	}
	if err != nil && len(findings) == 0 {
		return findings, "", fmt.Errorf("the program failed: %v\n%s", err, head([]byte(summary)))
	}
	return findings, summary, nil
}

// prepare empties the program's directory and makes it a module that uses this one.
func (c *config) prepare(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	own, err := os.ReadFile(filepath.Join(c.repo, "go.mod"))
	if err != nil {
		return err
	}
	const path = "github.com/cachegen/cachegen"
	mod := strings.Replace(string(own), "module "+path+"\n", "module "+module+"\n", 1) +
		fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %s => %s\n", path, path, c.repo)
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o644); err != nil {
		return err
	}
	sum, err := os.ReadFile(filepath.Join(c.repo, "go.sum"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o644)
}

func (c *config) command(dir, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod -trimpath -ldflags=-w", "GOPROXY=off")
	return cmd.CombinedOutput()
}

func head(out []byte) []byte {
	if len(out) > 4000 {
		return append(out[:4000:4000], "\n…"...)
	}
	return out
}

var position = regexp.MustCompile(`(?m)^(?:vet: )?(\S+?\.go):(\d+)(?::\d+)?: (.*)$`)

// blame finds the functions that messages are about, and marks them as bad. A message about
// generated code is about the functions of the file that it was made from.
func blame(dir string, pkgs []*pkg, what string, out []byte, bad map[int]bool) (found []finding) {
	for _, match := range position.FindAllSubmatch(out, -1) {
		name, text := string(match[1]), string(match[3])
		line, _ := strconv.Atoi(string(match[2]))
		generated := strings.HasSuffix(name, "_cachegen.go")
		source := strings.TrimSuffix(name, "_cachegen.go")
		if generated {
			source += ".go"
		}
		if !filepath.IsAbs(source) {
			source = filepath.Join(dir, source)
		}
		src, err := os.ReadFile(source)
		if err != nil {
			continue
		}
		var ids []int
		at := 0
		for i, l := range bytes.Split(src, []byte("\n")) {
			s := functionLine.FindSubmatch(l)
			if s == nil {
				continue
			}
			id, _ := strconv.Atoi(string(s[1]))
			if generated {
				ids = append(ids, id)
			} else if at == 0 && i+1 >= line {
				at = 1
				ids = []int{id}
			}
		}
		if quoted := anyFunction.FindSubmatch([]byte(text)); quoted != nil && len(ids) != 1 {
			id, _ := strconv.Atoi(string(quoted[1]))
			ids = []int{id}
		}
		for _, id := range ids {
			if !bad[id] {
				bad[id] = true
				found = append(found, finding{what, fmt.Sprintf("fn%d", id), fmt.Sprintf("%s:%d: %s", filepath.Base(name), line, text)})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b finding) int { return strings.Compare(a.fn, b.fn) })
	return found
}

var (
	functionLine = regexp.MustCompile(`^func .*?\b[fF]n(\d+)(?:Uncached)?[\[(]`)
	anyFunction  = regexp.MustCompile(`\b(?:Cached)?[fF]n(\d+)`)
)

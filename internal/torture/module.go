package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	repo, scratch, tags         string
	newer                       string // toolchain for modules that need it
	tests, short, methods, keep bool
	all                         bool // adopt what does not look pure too, and only that
	built                       int  // functions of a module that are built, at most
	functions                   int  // functions that are annotated, at most; 0 for all
	timeout                     time.Duration
	tool                        string // the built command
}

// module is one thing that is tortured, and what came of it.
type module struct {
	Spec         string
	Failed       string `json:",omitempty"` // why it was given up
	Functions    int
	Annotated    int
	Must         int      // functions that the judge says have to be cached
	Wrong        []string // those among them that are refused
	Broken       []string // packages that do not build by themselves
	Data         pass
	Resource     pass
	Defects      []string
	Built        int // functions, in each of the two passes
	Adopted      int
	AdoptRef     map[string]int // adoptions refused, by code
	AdoptSamples []string
	Before       counts
	After        counts
	// NewFailures are tests that pass before and not after.
	NewFailures []string
	Differences []string
	Seconds     float64 // by the clock
	CPU         float64 // seconds, of every command that was run
	MB          int     // the most that one of them took, compilers included

	o      *options
	path   string          // of the module, with its version, or std:PACKAGE
	only   []string        // patterns of the packages to take
	cgo    bool            // some file imports "C"
	beside map[string]bool // packages that are only there for others
	dir    string
	files  map[string][]byte // hand-written files as they were
	pkgs   []string
	broken []string
	fns    []*fn
	seen   int
	lines  map[string][]*fn
}

// pass is one run over all functions with one directive.
type pass struct {
	Cached  int
	Refused map[string]int      // by code
	Titles  map[string]string   // of the codes
	Samples map[string][]string // a few messages of each
	Seconds float64             // of the last run of the generator
	MB      int                 // its peak
	Runs    int
}

// counts are the outcomes of tests, subtests included.
type counts struct{ Pass, Fail, Skip int }

func (c counts) String() string {
	if c == (counts{}) {
		return ""
	}
	return fmt.Sprintf("%d, %d", c.Pass, c.Fail)
}

// finding is one diagnostic of the command, as it says it in JSON.
type finding struct {
	File, Severity, Code, Title, Message, Hint string
	Line, Column                               int
	Related                                    []place
}

// place is where a function stands that a finding elsewhere speaks of.
type place struct {
	File    string
	Line    int
	Message string
}

func (f *finding) String() string {
	return fmt.Sprintf("%s:%d: %s %s", f.File, f.Line, f.Code, f.Message)
}

func (m *module) bad() bool {
	return len(m.Defects)+len(m.Wrong)+len(m.Differences) > 0 || m.Failed != ""
}

func (m *module) summary() string {
	if m.Failed != "" {
		return m.Spec + ": " + m.Failed
	}
	return fmt.Sprintf("%s: %d functions, %d as data, %d as resource, %d wrongly refused, %d defects, %d adopted, %d tests fail anew (%.0f s)",
		m.Spec, m.Functions, m.Data.Cached, m.Resource.Cached, len(m.Wrong), len(m.Defects), m.Adopted, len(m.NewFailures), m.Seconds)
}

func (o *options) prepare() error {
	if o.repo == "" {
		out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/cachegen/cachegen").Output()
		if err != nil {
			return fmt.Errorf("run it in cachegen's module or say -repo: %w", err)
		}
		o.repo = strings.TrimSpace(string(out))
	}
	if err := os.MkdirAll(o.scratch, 0o777); err != nil {
		return err
	}
	o.tool = filepath.Join(o.scratch, "cachegen")
	cmd := exec.Command("go", "build", "-o", o.tool, "./cmd/cachegen")
	cmd.Dir = o.repo
	cmd.Env = append(os.Environ(), "GOOS=", "GOARCH=") // of this system, whatever is tortured
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building cachegen: %w\n%s", err, out)
	}
	return nil
}

// parse takes a spec apart: MODULE@VERSION or std:PACKAGE, and after a colon the patterns of
// the packages to take, separated by commas.
func parse(spec string) (path string, only []string) {
	rest, std := strings.CutPrefix(spec, "std:")
	path, patterns, ok := strings.Cut(rest, ":")
	if std {
		path = "std:" + path
	}
	if !ok {
		return path, []string{"./..."}
	}
	return path, strings.Split(patterns, ",")
}

// env is what commands are run with. C is compiled without optimisation, since it is
// compiled again for every change of a Go file beside it.
func (m *module) env() []string {
	flags := "GOFLAGS=-mod=mod"
	if m.o.tags != "" {
		flags += " -tags=" + m.o.tags
	}
	env := append(os.Environ(), "GOWORK=off", flags, "PWD="+m.dir)
	if m.cgo {
		env = append(env, "CGO_CFLAGS=-O0")
	}
	return env
}

// command runs something in the module's directory.
func (m *module) command(name string, args ...string) (stdout, stderr []byte, state *os.ProcessState, err error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = m.dir, m.env()
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err = cmd.Run()
	if s := cmd.ProcessState; s != nil {
		m.CPU += (s.UserTime() + s.SystemTime()).Seconds()
		m.MB = max(m.MB, peak(s))
	}
	return o.Bytes(), e.Bytes(), cmd.ProcessState, err
}

func (m *module) torture() error {
	start := time.Now()
	defer func() { m.Seconds = time.Since(start).Seconds() }()
	m.files = map[string][]byte{}
	m.path, m.only = parse(m.Spec)
	if err := m.copyIn(); err != nil {
		return err
	}
	if !m.o.keep {
		defer os.RemoveAll(m.dir)
	}
	if err := m.load(); err != nil {
		return err
	}
	m.Broken, m.Functions = m.broken, m.seen
	if len(m.pkgs) == 0 {
		return errors.New("no package builds: " + strings.Join(m.broken, "; "))
	}
	var todo []*fn
	for _, f := range m.fns {
		if f.skip == "" {
			todo = append(todo, f)
		}
	}
	if n := m.o.functions; n > 0 && len(todo) > n {
		todo = spread(todo, n)
	}
	for i, f := range todo {
		f.turn = i
		if f.must {
			m.Must++
		}
	}
	m.Annotated = len(todo)
	if m.o.all {
		return m.adopt()
	}
	if err := m.hideTests(true); err != nil {
		return err
	}
	var err error
	if m.Data, err = m.pass("data", todo); err != nil {
		return err
	}
	for _, f := range todo {
		switch {
		case f.must && f.refused != nil:
			m.Wrong = append(m.Wrong, f.ref()+": "+f.refused.String())
		case f.must && f.refusal != nil:
			m.Wrong = append(m.Wrong, fmt.Sprintf("%s with %s: %s", f.ref(), strings.Join(f.verdict.options(f.turn), " "), f.refusal))
		case f.mustKey && f.keyRefused != nil:
			m.Wrong = append(m.Wrong, f.ref()+" with recv=key: "+f.keyRefused.String())
		}
	}
	if m.Resource, err = m.pass("resource", todo); err != nil {
		return err
	}
	if err := m.reset(); err != nil {
		return err
	}
	if err := m.hideTests(false); err != nil {
		return err
	}
	if m.o.tests {
		return m.adopt()
	}
	return nil
}

// hideTests renames test files, or gives them their names back. Building and vetting what
// everything annotated comes to is dear, and go vet would compile it again for the tests.
func (m *module) hideTests(hide bool) error {
	from, to := "_test.go", "_test.go.hidden"
	if !hide {
		from, to = to, from
	}
	return filepath.WalkDir(m.dir, func(path string, d fs.DirEntry, err error) error {
		if stem, ok := strings.CutSuffix(path, from); err == nil && ok && d.Type().IsRegular() {
			return os.Rename(path, stem+to)
		}
		return err
	})
}

// reset brings every file back to what it was.
func (m *module) reset() error {
	for name, src := range m.files {
		if err := writeIfChanged(name, src); err != nil {
			return err
		}
	}
	return filepath.WalkDir(m.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "_cachegen.go") {
			return os.Remove(path)
		}
		return err
	})
}

// pass annotates all of fns, and takes the directive off what is refused, until the generator
// is content; then it builds and vets.
func (m *module) pass(kind string, fns []*fn) (pass, error) {
	p := pass{Refused: map[string]int{}, Titles: map[string]string{}, Samples: map[string][]string{}}
	for _, f := range fns {
		f.refused, f.keyRefused, f.refusal, f.options, f.other, f.plain = nil, nil, nil, nil, false, false
		if f.recv != "" {
			f.options = []string{"recv=key"}
			if kind == "resource" {
				f.options = []string{"recv=ignore"}
				if f.pointer {
					f.options = []string{"recv=identity"}
				}
			}
		}
	}
	live := slices.Clone(fns)
	for {
		if err := m.reset(); err != nil {
			return p, err
		}
		if err := m.annotate(kind, live); err != nil {
			return p, err
		}
		p.Runs++
		start := time.Now()
		found, panicked, state, err := m.cachegen(m.pkgs...)
		if err != nil {
			return p, err
		}
		p.Seconds, p.MB = time.Since(start).Seconds(), peak(state)
		if panicked != "" {
			m.Defects = append(m.Defects, kind+": the generator panics: "+panicked)
			return p, nil
		}
		again := map[*fn]*finding{}
		errs := 0
		for i, d := range found {
			if d.Severity != "error" {
				continue
			}
			errs++
			fs := m.blamed(&d)
			if d.Code == "CG2010" { // the place is a guess: the message may name the function
				if text := fmt.Sprintf("%s: %s: %s %s", kind, d.File, d.Code, d.Message); !slices.Contains(m.Defects, text) {
					m.Defects = append(m.Defects, text)
				}
				if g := m.named(filepath.Join(m.dir, d.File), d.Message); g != nil {
					fs = []*fn{g}
				}
			}
			if len(fs) == 0 {
				if text := kind + ": at no function: " + d.String(); !slices.Contains(m.Defects, text) {
					m.Defects = append(m.Defects, text)
				}
				continue
			}
			for _, f := range fs {
				if again[f] == nil {
					again[f] = &found[i]
				}
			}
		}
		if errs == 0 {
			break
		}
		if len(again) == 0 {
			return p, nil // told among the defects
		}
		var next []*fn
		for _, f := range live {
			d := again[f]
			if d == nil || m.retry(f, d) {
				next = append(next, f)
				continue
			}
			f.refused = d
			p.Refused[d.Code]++
			p.Titles[d.Code] = d.Title
			if len(p.Samples[d.Code]) < 20 {
				p.Samples[d.Code] = append(p.Samples[d.Code], d.String()+"\n"+d.Hint)
			}
		}
		live = next
	}
	p.Cached = len(live)
	return p, m.buildAndVet(kind, live)
}

// blamed returns the annotated functions that a finding is about: those that lead to its
// place, as its related places say, since the place may stand in a function that would be
// cached for itself; and where none does, the one that it stands at. Where both have the
// finding, it is there again when the others have gone.
func (m *module) blamed(d *finding) []*fn {
	var leads, others []*fn
	for _, r := range d.Related {
		f := m.at(filepath.Join(m.dir, r.File), r.Line)
		switch {
		case f == nil:
		case strings.HasSuffix(r.Message, "leads there"):
			if !slices.Contains(leads, f) {
				leads = append(leads, f)
			}
		case !slices.Contains(others, f):
			others = append(others, f)
		}
	}
	if leads != nil {
		return leads
	}
	if f := m.at(filepath.Join(m.dir, d.File), d.Line); f != nil {
		return []*fn{f}
	}
	return others
}

// buildAndVet builds and vets what was generated for fns. Where there are more than the tool
// was told to build, it takes as many, evenly spread; the generator has type-checked them all.
func (m *module) buildAndVet(kind string, fns []*fn) error {
	if len(fns) > m.o.built {
		fns = spread(fns, m.o.built)
		if err := m.reset(); err != nil {
			return err
		}
		if err := m.annotate(kind, fns); err != nil {
			return err
		}
		found, panicked, _, err := m.cachegen(m.pkgs...)
		if err != nil {
			return err
		}
		if panicked != "" {
			m.Defects = append(m.Defects, kind+": the generator panics: "+panicked)
			return nil
		}
		for _, d := range found {
			if d.Severity == "error" {
				m.Defects = append(m.Defects, kind+": accepted among all functions, refused among fewer: "+d.String())
			}
		}
	}
	if len(fns) == 0 {
		return nil
	}
	m.Built = max(m.Built, len(fns))
	var pkgs []string
	for _, f := range fns {
		pkgs = append(pkgs, f.rel)
	}
	slices.Sort(pkgs)
	pkgs = slices.Compact(pkgs)
	if _, errs, _, err := m.command("go", append([]string{"build"}, pkgs...)...); err != nil {
		m.Defects = append(m.Defects, fmt.Sprintf("%s: go build: %s", kind, first(string(errs), 3000)))
		return nil
	}
	m.vet(kind, pkgs)
	return nil
}

// vet notes what go vet says about generated files.
func (m *module) vet(kind string, pkgs []string) {
	_, errs, _, err := m.command("go", append([]string{"vet"}, pkgs...)...)
	if err == nil {
		return
	}
	var ours []string
	for l := range strings.Lines(string(errs)) {
		if strings.Contains(l, "_cachegen.go") {
			ours = append(ours, strings.TrimSpace(l))
		}
	}
	if len(ours) > 0 {
		m.Defects = append(m.Defects, fmt.Sprintf("%s: go vet: %s", kind, strings.Join(ours, "\n")))
	}
}

// spread returns n of all, at even distances.
func spread[T any](all []T, n int) []T {
	some := make([]T, n)
	for i := range some {
		some[i] = all[i*len(all)/n]
	}
	return some
}

var wrapperWord = regexp.MustCompile(`Torture_([\pL\pN_]+)`)

// named finds the function that a message about generated code speaks of.
func (m *module) named(file, message string) *fn {
	for _, w := range wrapperWord.FindAllStringSubmatch(message, -1) {
		for _, f := range m.lines[file] {
			if w[1] == f.name || strings.HasPrefix(w[1], f.name) && (strings.HasSuffix(w[1], "Cache") || f.other) {
				return f
			}
		}
	}
	return nil
}

// retry changes the options of a refused function, or its name, where that would help and
// the first try could not know, and reports whether it did.
func (m *module) retry(f *fn, d *finding) bool {
	add := func(o string) bool {
		if slices.Contains(f.options, o) {
			return false
		}
		f.options = append(f.options, o)
		return true
	}
	if d.Code == "CG3004" && !f.other {
		f.other = true
		return true
	}
	if !f.plain && !slices.Equal(f.verdict.options(f.turn), f.verdict.options(plainTurn)) {
		f.plain, f.refusal = true, d // without them it may be taken
		return true
	}
	if f.recv != "" && !slices.Contains(f.options, "recv=ignore") {
		if slices.Contains(f.options, "recv=key") {
			f.keyRefused = d
		}
		f.options = slices.DeleteFunc(f.options, func(o string) bool { return strings.HasPrefix(o, "recv=") })
		f.plain, f.refusal = false, nil // it may have been the receiver alone
		return add("recv=ignore")
	}
	if strings.Contains(d.Message+d.Hint, "scope=") {
		return add("scope=global")
	}
	return false
}

// cachegen runs the command and returns what it says.
func (m *module) cachegen(args ...string) (found []finding, panicked string, state *os.ProcessState, err error) {
	out, errs, state, err := m.command(m.o.tool, append(args, "--format=json")...)
	if i := bytes.Index(errs, []byte("panic: ")); i >= 0 || bytes.Contains(errs, []byte("fatal error: ")) {
		return nil, first(string(errs[max(i, 0):]), 3000), state, nil
	}
	var doc struct{ Diagnostics []finding }
	for _, b := range [][]byte{out, errs} {
		if i := bytes.IndexByte(b, '{'); i >= 0 {
			if json.NewDecoder(bytes.NewReader(b[i:])).Decode(&doc) == nil {
				return doc.Diagnostics, "", state, nil
			}
		}
	}
	if err != nil {
		return nil, "", state, fmt.Errorf("cachegen %s: %w\n%s%s", strings.Join(args, " "), err, out, first(string(errs), 2000))
	}
	return nil, "", state, nil
}

func peak(s *os.ProcessState) int {
	if u, ok := s.SysUsage().(*syscall.Rusage); ok {
		return int(u.Maxrss >> 10)
	}
	return 0
}

// adopt adopts what looks pure, runs the tests before and after, and ejects again.
func (m *module) adopt() error {
	before, err := m.test()
	if err != nil {
		return err
	}
	m.Before = count(before)
	clean, err := m.snapshot()
	if err != nil {
		return err
	}
	m.AdoptRef = map[string]int{}
	for _, methods := range []bool{false, true} {
		if methods && !m.o.methods {
			continue
		}
		var refs []string
		byRef := map[string]*fn{}
		for _, f := range m.fns {
			if (f.pure || m.o.all) && f.exported && f.skip == "" && (f.recv != "") == methods {
				refs = append(refs, f.ref())
				byRef[f.ref()] = f
			}
		}
		for len(refs) > 0 {
			args := append([]string{"adopt"}, refs...)
			if methods {
				args = append(args, "recv=key")
			}
			found, panicked, _, err := m.cachegen(args...)
			if err != nil {
				return err
			}
			if panicked != "" {
				m.Defects = append(m.Defects, "adopt panics: "+panicked)
				break
			}
			refuse := map[string]bool{}
			errs := 0
			for _, d := range found {
				if d.Severity != "error" {
					continue
				}
				errs++
				hit, somewhere := false, false
				for _, at := range append([]place{{File: d.File, Line: d.Line}}, d.Related...) {
					file := filepath.Join(m.dir, at.File)
					recv, name := declaredAt(file, at.Line)
					somewhere = somewhere || name != ""
					for ref, f := range byRef {
						if f.file == file && f.recv == recv && f.name == name && slices.Contains(refs, ref) {
							hit = true
							if !refuse[ref] {
								refuse[ref] = true
								m.AdoptRef[d.Code]++
							}
							if len(m.AdoptSamples) < 30 {
								m.AdoptSamples = append(m.AdoptSamples, d.String())
							}
						}
					}
				}
				if !hit && !somewhere || d.Code == "CG2010" {
					m.Defects = append(m.Defects, "adopt: "+d.String())
				}
			}
			if errs == 0 {
				m.Adopted += len(refs)
				break
			}
			left := len(refs)
			refs = slices.DeleteFunc(refs, func(r string) bool { return refuse[r] })
			if len(refs) == left { // what is wrong stands in another function: see whose fault it is
				for _, r := range slices.Clone(refs) {
					one := append([]string{"adopt", "--dry-run", r}, args[1+left:]...)
					if _, _, state, err := m.cachegen(one...); err != nil {
						return err
					} else if !state.Success() {
						refs = slices.DeleteFunc(refs, func(s string) bool { return s == r })
						m.AdoptRef["elsewhere"]++
					}
				}
			}
			if len(refs) == left {
				break
			}
		}
	}
	if m.Adopted == 0 {
		return nil
	}
	m.vet("adopt", m.pkgs)
	after, err := m.test()
	if err != nil {
		return err
	}
	m.After = count(after)
	m.NewFailures = newFailures(before, after)
	if m.o.keep {
		return nil
	}
	found, panicked, _, err := m.cachegen(append([]string{"eject"}, m.only...)...)
	if err != nil {
		return err
	}
	if panicked != "" {
		m.Defects = append(m.Defects, "eject panics: "+panicked)
		return nil
	}
	for _, d := range found {
		if d.Severity == "error" {
			m.Differences = append(m.Differences, "eject: "+d.String())
		}
	}
	now, err := m.snapshot()
	if err != nil {
		return err
	}
	for _, name := range sorted(clean) {
		if !bytes.Equal(clean[name], now[name]) {
			m.Differences = append(m.Differences, name)
		}
	}
	for _, name := range sorted(now) {
		if _, ok := clean[name]; !ok {
			m.Differences = append(m.Differences, "left behind: "+name)
		}
	}
	return nil
}

// newFailures says which tests fail now that did not, and of each package how many tests
// were not reached, because it was stopped before.
func newFailures(before, after map[string]outcome) []string {
	var all []string
	unreached := map[string]int{}
	for _, t := range sorted(before) {
		switch now, ran := after[t]; {
		case before[t].action != "pass" || now.action == "pass":
		case ran:
			all = append(all, t+": "+now.action+"\n"+first(now.output, 800))
		default:
			pkg, _, _ := strings.Cut(t, " ")
			unreached[pkg]++
		}
	}
	for _, t := range sorted(after) {
		if _, ok := before[t]; !ok && after[t].action == "fail" {
			all = append(all, t+" (new): "+first(after[t].output, 800))
		}
	}
	for _, pkg := range sorted(unreached) {
		all = append(all, fmt.Sprintf("%s: %d tests that passed before were not reached", pkg, unreached[pkg]))
	}
	return all
}

// snapshot reads every Go file of the module.
func (m *module) snapshot() (map[string][]byte, error) {
	all := map[string][]byte{}
	err := filepath.WalkDir(m.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") && d.Type().IsRegular() {
			rel, _ := filepath.Rel(m.dir, path)
			all[rel], err = os.ReadFile(path)
		}
		return err
	})
	return all, err
}

type outcome struct{ action, output string }

// test runs the module's tests and returns what became of each. A package that does not
// build is one failure. Where all is adopted, effects too, there is nothing to learn from them.
func (m *module) test() (map[string]outcome, error) {
	if m.o.all {
		return nil, nil
	}
	args := []string{"test", "-json", "-count=1", "-vet=off", "-timeout=" + m.o.timeout.String(), "-short=" + strconv.FormatBool(m.o.short)}
	args = append(args, m.pkgs...)
	out, errs, _, err := m.command("go", args...)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	all := map[string]outcome{}
	text := map[string]*strings.Builder{} // by test: what it says comes line by line
	say := func(id, s string) {
		if text[id] == nil {
			text[id] = new(strings.Builder)
		}
		text[id].WriteString(s)
	}
	said := func(id string) string {
		if b := text[id]; b != nil {
			return b.String()
		}
		return ""
	}
	for l := range bytes.Lines(out) {
		var e struct{ Action, Package, Test, Output, ImportPath string }
		if json.Unmarshal(l, &e) != nil {
			continue
		}
		id := strings.TrimSpace(e.Package + " " + e.Test)
		switch e.Action {
		case "output", "build-output":
			if e.ImportPath != "" {
				id = e.ImportPath
			}
			say(id, e.Output)
		case "pass", "fail", "skip":
			all[id] = outcome{e.Action, said(id)}
		case "build-fail":
			all[e.ImportPath] = outcome{"fail", said(e.ImportPath)}
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("go test says nothing: %s", first(string(errs), 1000))
	}
	return all, nil
}

func count(all map[string]outcome) (c counts) {
	for id, o := range all {
		if !strings.Contains(id, " ") && o.action != "fail" {
			continue // a package
		}
		switch o.action {
		case "pass":
			c.Pass++
		case "fail":
			c.Fail++
		case "skip":
			c.Skip++
		}
	}
	return c
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

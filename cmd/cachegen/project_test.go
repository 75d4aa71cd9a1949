package main

// What docs/editor-and-ci.md says of hooks, workflows, sub-directories, vendor directories
// and workspaces, and adopt and eject as they are called.

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// addTool gives the module a tool line, with everything that it takes to build the command.
func (m *module) addTool() {
	m.t.Helper()
	mod, err := os.ReadFile(filepath.Join(repository(m.t), "go.mod"))
	if err != nil {
		m.t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(repository(m.t), "go.sum"))
	if err != nil {
		m.t.Fatal(err)
	}
	_, requires, _ := strings.Cut(string(mod), "\nrequire")
	m.write("go.mod", m.gomod("example.com/m")+"\ntool github.com/cachegen/cachegen/cmd/cachegen\n\nrequire"+requires)
	m.write("go.sum", string(sum))
}

// document returns the code block of docs/editor-and-ci.md that starts so.
func document(t *testing.T, start string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(repository(t), "docs", "editor-and-ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(b), "\n```"+start)
	block, _, closed := strings.Cut(rest, "\n```\n")
	if !found || !closed {
		t.Fatalf("docs/editor-and-ci.md has no block that starts with %q", start)
	}
	_, block, _ = strings.Cut(start+block, "\n")
	return block + "\n"
}

func TestGenerateFromASubdirectory(t *testing.T) {
	long(t)
	t.Parallel()
	m := newModule(t, square+`
-- deep/er/gen.go --
package er

//go:generate go tool cachegen -C ../.. ./...
-- sub/sub.go --
package sub

//go:generate go tool cachegen ./...

//cache:data
func f(n int) int { return n }
`)
	m.addTool()
	m.gocmd("generate", "./sub")
	if !m.exists("sub/sub_cachegen.go") || m.exists("square_cachegen.go") {
		t.Error("./... is not what is below the package of the //go:generate line")
	}
	m.gocmd("-C", "deep/er", "generate")
	if !m.exists("square_cachegen.go") {
		t.Error("-C does not lead to the module's root")
	}
}

func TestToolRunsFromVendorDirectory(t *testing.T) {
	long(t)
	t.Parallel()
	m := newModule(t, square)
	m.addTool()
	m.gocmd("mod", "vendor")
	if !m.exists("vendor/github.com/cachegen/cachegen/runtime") {
		t.Error("the runtime is not vendored before the first file is generated")
	}
	m.env = append(m.env, "GOFLAGS=-mod=vendor")
	m.gocmd("tool", "cachegen", "./...")
	m.gocmd("tool", "cachegen", "check", "./...")
	m.gocmd("vet", "./...")
}

// After a function was renamed, callers of its wrapper do not compile any more, and that is said.
func TestRenamedFunctionIsReported(t *testing.T) {
	t.Parallel()
	m := newModule(t, square+"-- store.go --\npackage m\n\ntype store struct{}\n\n//cache:data recv=ignore\nfunc (store) score(n int) int { return n }\n")
	m.must()
	m.write("square.go", strings.ReplaceAll(m.read("square.go"), "square(", "double("))
	m.write("store.go", strings.ReplaceAll(m.read("store.go"), "score(", "rate("))
	o := m.cachegen("check")
	for _, want := range []string{
		"square_cachegen.go is not what square.go gives now, which is without Square [CG2101]",
		"store_cachegen.go is not what store.go gives now, which is without store.Score [CG2101]",
		"name= in the directive keeps the name",
	} {
		if o.code != exitChanged || !strings.Contains(o.err, want) {
			t.Errorf("check does not say %q: %v", want, o)
		}
	}
	if o := m.must(); o.err != "wrote square_cachegen.go, without Square\nwrote store_cachegen.go, without store.Score\n" {
		t.Errorf("says %q", o.err)
	}
	m.write("square.go", strings.ReplaceAll(m.read("square.go"), "ttl=1h", "ttl=2h"))
	if o := m.cachegen("check"); o.code != exitChanged || strings.Contains(o.err, "without") {
		t.Errorf("a change of options: %v", o)
	}
}

// The hook of the documentation, word for word.
func TestPreCommitHookRefusesStaleFiles(t *testing.T) {
	long(t)
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil || runtime.GOOS == "windows" {
		if os.Getenv("CI") != "" {
			t.Fatal("it takes git and a shell")
		}
		t.Skip("it takes git and a shell")
	}
	m := newModule(t, square)
	m.addTool()
	git := func(args ...string) outcome {
		o := m.run(append(m.env, "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null"), "git",
			append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"}, args...)...)
		return o
	}
	if o := git("init", "-q"); o.code != 0 {
		t.Fatal(o)
	}
	m.write(".git/hooks/pre-commit", document(t, "sh\n#!/bin/sh"))
	if err := os.Chmod(filepath.Join(m.dir, ".git/hooks/pre-commit"), 0o755); err != nil {
		t.Fatal(err)
	}
	git("add", "-A")
	if o := git("commit", "-qm", "stale"); o.code == 0 || !strings.Contains(o.stdout+o.err, "square_cachegen.go has not been generated from square.go") {
		t.Errorf("a stale commit: %v", o)
	}
	m.must()
	git("add", "-A")
	if o := git("commit", "-qm", "up to date"); o.code != 0 {
		t.Errorf("an up-to-date commit: %v", o)
	}
}

// GitHub looks for the files of annotations in the root of the checkout, wherever the step
// runs.
func TestAnnotationsNameFilesFromTheCheckoutsRoot(t *testing.T) {
	t.Parallel()
	m := newModule(t, "-- srv/go.mod --\n-- srv/a/a.go --\npackage a\n\n//cache:data tttl=1m\nfunc f(n int) int { return n }\n")
	m.write("srv/go.mod", m.gomod("example.com/m/srv"))
	m.env = append(m.env, "GITHUB_WORKSPACE="+m.dir)
	line := strings.TrimSuffix(document(t, "\n::error"), "\n")
	line = strings.Replace(line, "file=sales/sales.go,line=14,", "file=srv/a/a.go,line=3,", 1)
	if o := m.cachegen("-C", "srv", "check", "--format=github"); o.code != exitFailed || o.stdout != line+"\n" {
		t.Errorf("github: %v\nwant %s", o, line)
	}
	if o := m.cachegen("-C", "srv", "check", "--format=sarif"); !strings.Contains(o.stdout, `"uri": "srv/a/a.go"`) {
		t.Errorf("sarif: %v", o)
	}
	if o := m.cachegen("-C", "srv", "check"); !strings.HasPrefix(filepath.ToSlash(o.err), "a/a.go:3:14") {
		t.Errorf("for people: %v", o)
	}
	m.env = append(m.env, "GITHUB_WORKSPACE="+filepath.Join(m.dir, "elsewhere"))
	if o := m.cachegen("-C", "srv", "check", "--format=github"); !strings.HasPrefix(o.stdout, "::error file=a/a.go,") {
		t.Errorf("outside the checkout: %v", o)
	}
}

// An adopted function is cached for callers in another module of the workspace, through function
// values, method values and interfaces, without an edit of theirs; eject undoes it all.
func TestAdoptReachesEveryCaller(t *testing.T) {
	long(t)
	t.Parallel()
	m := newModule(t, `
-- go.work --
go 1.26.0

use (
	./shop
	./app
)
-- shop/sales/sales.go --
package sales

var Runs int

// Total adds up.
func Total(region string) (int, error) {
	Runs++
	return len(region), nil
}

var Value = Total
-- shop/sales/sales_test.go --
package sales

import "testing"

func TestTotal(t *testing.T) {
	Total("test")
	if n, err := Total("test"); n != 4 || err != nil || Runs != 1 {
		t.Fatal(n, err, Runs)
	}
}
-- shop/store/store.go --
package store

var Runs int

type Scorer interface {
	Score(item string) (float64, error)
}

type Store struct{ Base float64 }

// Score takes a run for every letter.
func (s *Store) Score(item string) (float64, error) {
	Runs++
	if item == "" {
		return s.Base, nil
	}
	rest, err := s.Score(item[1:])
	return rest + 1, err
}

var _ Scorer = (*Store)(nil)

func must(n float64, err error) float64 { return n }

var First = must((&Store{}).Score("x"))
-- app/main.go --
package main

import (
	"example.com/shop/sales"
	"example.com/shop/store"
)

func want(ok bool, what string) {
	if !ok {
		panic(what)
	}
}

func main() {
	sales.Total("x")
	value := sales.Total
	value("x")
	sales.Value("x")
	want(sales.Runs == 1, "function values")
	store.Runs = 0
	s := &store.Store{Base: 1}
	var scorer store.Scorer = s
	n, _ := scorer.Score("abc")
	want(n == 4, "score")
	want(store.Runs == RUNS, "interface")
	s.Score("abc")
	bound := s.Score
	bound("abc")
	want(store.Runs == RUNS, "method values")
	(*store.Store).Score(s, "abc")
	want(store.Runs == RUNS, "method expressions")
	s.Score("bc")
	want(store.Runs == AGAIN, "recursion")
}
`)
	if err := os.Remove(filepath.Join(m.dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	m.write("shop/go.mod", m.gomod("example.com/shop"))
	m.write("app/go.mod", m.gomod("example.com/app"))
	start := m.snapshot()
	for _, c := range []struct {
		flag        []string
		runs, again string
	}{
		{nil, "4", "7"},                     // every letter runs, and again for the rest alone
		{[]string{"--recursive"}, "4", "4"}, // the rest has been kept
	} {
		m.must("adopt", "./shop/sales.Total", "ttl=10m")
		o := m.must(append([]string{"adopt", "./shop/store.(*Store).Score", "recv=identity"}, c.flag...)...)
		if o.err != "adopted example.com/shop/store.Store.Score → ScoreUncached\n" {
			t.Errorf("adopt says more than it did: %v", o)
		}
		m.write("app/main.go", strings.NewReplacer("RUNS", c.runs, "AGAIN", c.again).Replace(start["app/main.go"]))
		m.gocmd("run", "./app")
		m.gocmd("test", "./shop/sales")
		m.gocmd("vet", "./shop/...", "./app/...")
		m.must("check", "./shop/...", "./app/...")
		m.must("eject", "./shop/...", "./app/...")
		m.write("app/main.go", start["app/main.go"])
		if now := m.snapshot(); !maps.Equal(start, now) {
			t.Fatalf("%v: adopt and eject leave a difference", c.flag)
		}
	}
}

// Without the runtime nothing generated compiles; that is said once, and not taken for a
// fault of the generator.
func TestMissingRuntimeIsSaidOnce(t *testing.T) {
	t.Parallel()
	m := newModule(t, square+"-- go.mod --\nmodule example.com/m\n\ngo 1.26.0\n")
	m.write("cube.go", "package m\n\nfunc Cube(n int) int { return n * n * n }\n")
	for _, args := range [][]string{{"check"}, {"adopt", "Cube"}} {
		if o := m.cachegen(args...); o.code != exitFailed || strings.Count(o.err, "[CG") != 1 || !strings.Contains(o.err, "[CG2008]") {
			t.Errorf("%v: %v", args, o)
		}
	}
}

func TestAdoptAndEjectSayWhatTheyDid(t *testing.T) {
	long(t)
	t.Parallel()
	m := newModule(t, "-- a/a.go --\npackage a\n\nfunc F(n int) int { return n }\n-- go.work --\ngo 1.26.0\n\nuse ./b\n-- b/b.go --\npackage b\n")
	m.write("b/go.mod", m.gomod("example.com/b"))
	m.env = append(m.env, "GOWORK=off")
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"adopt"}, exitFailed, "cachegen: say what to adopt: ./pkg.Func"},
		{[]string{"eject"}, exitFailed, "cachegen: say what to eject: ./pkg.Func"},
		{[]string{"adopt", "./a"}, exitOK, "cachegen: nothing is to be adopted: every annotated function has a name"},
		{[]string{"adopt", "./..."}, exitOK, "cachegen: nothing is to be adopted: every annotated function has a name"},
		{[]string{"eject", "./..."}, exitOK, "cachegen: nothing is to be ejected: no function is annotated there"},
		{[]string{"adopt", "./a.F", "--dry-run"}, exitOK, "to be adopted: example.com/m/a.F → FUncached"},
	} {
		before := m.snapshot()
		if o := m.cachegen(c.args...); o.code != c.code || !strings.HasPrefix(o.err, c.says) {
			t.Errorf("%v: %v", c.args, o)
		}
		if !maps.Equal(before, m.snapshot()) {
			t.Errorf("%v changed files", c.args)
		}
	}
	m.fails([]string{"strings is not in the main module [CG2012]"}, "adopt", "strings.ToUpper")
	// The directory of a workspace is no module.
	if err := os.Remove(filepath.Join(m.dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	m.env = []string{"GOWORK=", "GOPROXY=off"}
	for _, verb := range []string{"adopt", "eject"} {
		m.fails([]string{"no package is found for ./...", "name its modules: ./b/..."}, verb, "./...")
	}
}

// A command that looked at nothing says so: it is never green.
func TestWhatIsNotLookedAtIsAnError(t *testing.T) {
	long(t)
	t.Parallel()
	const annotated = "package x\n\n//cache:data\nfunc f(n int) int { return n }\n"
	m := newModule(t, "-- go.work --\ngo 1.26.0\n\nuse (\n\t./a\n\t./svc/c\n)\n-- docs/readme.txt --\n-- a/a.go --\n"+annotated+
		"-- a/none/x.txt --\n-- svc/c/c.go --\n"+annotated+"-- b/b.go --\n"+annotated+"-- b/p/p.go --\n"+annotated)
	for _, name := range []string{"a", "b", "svc/c"} {
		m.write(name+"/go.mod", m.gomod("example.com/"+name))
	}
	if err := os.Remove(filepath.Join(m.dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join("..", "b"), filepath.Join(m.dir, "a", "link")); err != nil {
		t.Fatal(err)
	}
	commands := [][]string{{"check"}, {}, {"list"}, {"--stdout"}}
	for _, c := range []struct{ dir, pattern, says string }{
		{"", "./...", "name its modules: ./a/... ./svc/c/..."},
		{"", "", "name its modules: ./a/... ./svc/c/..."},
		{"svc", "./...", "name its modules: ./c/..."},
		{"docs", "./...", "name its modules: ../a/... ../svc/c/..."},
		{"", "./docs", "is part of a workspace and of no module"},
		{"b", "./...", "go.work uses [CG2002]"},
		{"", "./b/...", "run go work use in its directory"},
		{"a", "./link", "go.work uses [CG2002]"},
		{"a/link", ".", "go.work uses [CG2002]"},
		{"a", "./none", "./none matches no Go file [CG2002]"},
		{"a", "./none/...", "./none/... matches no Go file [CG2002]"},
	} {
		for _, cmd := range commands {
			args := slices.Concat(cmd, []string{"-C", filepath.Join(m.dir, c.dir)})
			if c.pattern != "" {
				args = append(args, c.pattern)
			}
			if o := m.cachegen(args...); o.code != exitFailed || !strings.Contains(o.err, c.says) {
				t.Errorf("in %q %v %s: %v\nwant: %s", c.dir, cmd, c.pattern, o, c.says)
			}
		}
	}
	// One pattern of several is enough.
	m.fails([]string{"./a/none matches no Go file"}, "check", "./a/...", "./a/none")
	m.must("./a/...", "./svc/c")
	m.must("check", "./a/...", "./svc/c/...")
}

// A module whose requirement go mod tidy has taken out is told how to get it back.
func TestRuntimeThatIsNoLongerRequired(t *testing.T) {
	t.Parallel()
	m := newModule(t, square)
	m.write("go.mod", strings.Replace(m.gomod("example.com/m"), "require github.com/cachegen/cachegen v0.0.0\n", "", 1))
	m.fails([]string{"replaced but not required", "run: go get -tool github.com/cachegen/cachegen/cmd/cachegen"}, "./...")
}

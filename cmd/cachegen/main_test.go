package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// The test binary is cachegen when this variable is set, so that the tests run the
// command as users do: a process with arguments, a directory and an exit code.
const asTool = "CACHEGEN_TEST_RUN"

func TestMain(m *testing.M) {
	if os.Getenv(asTool) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// long leaves a test to the full run: one that builds programs, or runs the tool many times.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes seconds of building; go test without -short runs it")
	}
}

// module is a module in a directory of its own.
type module struct {
	t   *testing.T
	dir string
	env []string
}

// repository is the root of this module.
func repository(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// newModule lays out an archive. Unless it brings a go.mod, it gets one that requires
// this module, as it is on disk.
func newModule(t *testing.T, archive string) *module {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	m := &module{t: t, dir: dir, env: []string{"GOWORK=", "GOPROXY=off"}}
	a := txtar.Parse([]byte(archive))
	m.write("go.mod", m.gomod("example.com/m"))
	for _, f := range a.Files {
		m.write(f.Name, string(f.Data))
	}
	return m
}

func (m *module) gomod(path string) string {
	return fmt.Sprintf("module %s\n\ngo 1.26.0\n\nrequire github.com/cachegen/cachegen v0.0.0\n\nreplace github.com/cachegen/cachegen => %s\n", path, filepath.ToSlash(repository(m.t)))
}

func (m *module) write(name, content string) {
	m.t.Helper()
	path := filepath.Join(m.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

func (m *module) read(name string) string {
	m.t.Helper()
	b, err := os.ReadFile(filepath.Join(m.dir, filepath.FromSlash(name)))
	if err != nil {
		m.t.Fatal(err)
	}
	return string(b)
}

func (m *module) exists(name string) bool {
	_, err := os.Lstat(filepath.Join(m.dir, filepath.FromSlash(name)))
	return err == nil
}

// snapshot is the content of every file.
func (m *module) snapshot() map[string]string {
	m.t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(m.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			rel, _ := filepath.Rel(m.dir, path)
			all[filepath.ToSlash(rel)] = m.read(filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return all
}

// output is what a process did.
type outcome struct {
	code        int
	stdout, err string
}

func (o outcome) String() string {
	return fmt.Sprintf("exit code %d\nstdout:\n%s\nstderr:\n%s", o.code, o.stdout, o.err)
}

// cachegen runs the tool in the module.
func (m *module) cachegen(args ...string) outcome {
	m.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		m.t.Fatal(err)
	}
	return m.run(append(m.env, asTool+"=1"), exe, args...)
}

// must runs the tool and wants success.
func (m *module) must(args ...string) outcome {
	m.t.Helper()
	o := m.cachegen(args...)
	if o.code != 0 {
		m.t.Fatalf("cachegen %s: %v", strings.Join(args, " "), o)
	}
	return o
}

// fails runs the tool and wants exit code 2, the texts in what it says, and no file
// touched.
func (m *module) fails(want []string, args ...string) outcome {
	m.t.Helper()
	before := m.snapshot()
	o := m.cachegen(args...)
	if o.code != exitFailed {
		m.t.Errorf("cachegen %s: %v", strings.Join(args, " "), o)
	}
	for _, w := range want {
		if !strings.Contains(o.err, w) {
			m.t.Errorf("cachegen %s does not say %q: %v", strings.Join(args, " "), w, o)
		}
	}
	if after := m.snapshot(); !maps.Equal(before, after) {
		m.t.Errorf("cachegen %s failed and changed files: %v", strings.Join(args, " "), slices.Sorted(maps.Keys(after)))
	}
	return o
}

// gocmd runs the go command and wants success.
func (m *module) gocmd(args ...string) string {
	m.t.Helper()
	o := m.run(m.env, "go", args...)
	if o.code != 0 {
		m.t.Fatalf("go %s: %v", strings.Join(args, " "), o)
	}
	return o.stdout
}

func (m *module) run(env []string, name string, args ...string) outcome {
	m.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Dir = m.dir
	flags := "GOFLAGS="
	if name == "go" {
		// Without the folder in what is compiled, it is in the build cache when the same code
		// is in another temporary folder.
		flags = "GOFLAGS=-trimpath -ldflags=-w"
	}
	cmd.Env = slices.Concat(os.Environ(), []string{flags}, env, []string{"PWD=" + m.dir})
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		m.t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

const square = `
-- square.go --
package m

// square multiplies.
//
//cache:data ttl=1h max=10
func square(n int) int { return n * n }
`

// The program panics when what it gets is not what it should.
func TestGeneratedCodeRuns(t *testing.T) {
	t.Parallel()
	m := newModule(t, `
-- main.go --
package main

import (
	"context"
	"errors"
	"fmt"

	"example.com/m/store"
)

var runs int

//cache:data
func half(n int) (int, error) {
	runs++
	if n%2 != 0 {
		return 0, errors.New("odd")
	}
	return n / 2, nil
}

func want(ok bool, what string) {
	if !ok {
		panic(what)
	}
}

func main() {
	for range 3 {
		n, err := Half(8)
		want(n == 4 && err == nil, "half of 8")
	}
	want(runs == 1, fmt.Sprint("half ran ", runs))
	_, err := Half(3)
	want(err != nil, "half of 3")
	HalfCache.Forget(8)
	Half(8)
	want(runs == 3, fmt.Sprint("half ran ", runs))

	names, err := store.Names(context.Background(), "a", 1)
	want(err == nil && len(names) == 2, "names")
	names[0] = "changed"
	names, _ = store.Names(context.Background(), "a", 1)
	want(names[0] == "a1", "a caller sees another's change")
	fmt.Println("ok")
}
-- store/store.go --
package store

import (
	"context"
	"fmt"
)

//cache:data ttl=10m
func names(ctx context.Context, prefix string, n int) ([]string, error) {
	return []string{fmt.Sprint(prefix, n), prefix}, nil
}
`)
	o := m.must("./...")
	if want := "wrote main_cachegen.go\nwrote store/store_cachegen.go\n"; filepath.ToSlash(o.err) != want {
		t.Errorf("says %q", o.err)
	}
	m.gocmd("vet", "./...")
	if got := m.gocmd("run", "."); got != "ok\n" {
		t.Errorf("prints %q", got)
	}
	// Once more: nothing to do, nothing touched.
	info, _ := os.Stat(filepath.Join(m.dir, "main_cachegen.go"))
	if o := m.must(); o.err != "" || o.stdout != "" {
		t.Errorf("the second run says %v", o)
	}
	if again, _ := os.Stat(filepath.Join(m.dir, "main_cachegen.go")); again.ModTime() != info.ModTime() || !os.SameFile(info, again) {
		t.Error("the second run touched a file")
	}
}

func TestCheckFindsWhatIsStaleMissingOrOrphaned(t *testing.T) {
	long(t)
	t.Parallel()
	m := newModule(t, square)
	o := m.cachegen("check", "./...")
	if o.code != exitChanged || !strings.Contains(o.stdout, "--- /dev/null\n+++ b/square_cachegen.go\n") || !strings.Contains(o.err, "square.go:5:1: square_cachegen.go has not been generated from square.go [CG2102]") {
		t.Errorf("missing: %v", o)
	}
	if m.exists("square_cachegen.go") {
		t.Fatal("check wrote a file")
	}
	m.must()
	if o := m.cachegen("check"); o.code != exitOK || o.stdout != "" || o.err != "" {
		t.Errorf("clean: %v", o)
	}
	m.write("square.go", strings.ReplaceAll(m.read("square.go"), "ttl=1h", "ttl=2h"))
	before := m.snapshot()
	o = m.cachegen("check", "./...")
	if o.code != exitChanged || !strings.Contains(o.stdout, "--- a/square_cachegen.go\n+++ b/square_cachegen.go\n@@") ||
		!strings.Contains(o.stdout, "\n-\tTTL:") || !strings.Contains(o.stdout, "\n+\tTTL:") || !strings.Contains(o.err, "[CG2101]") {
		t.Errorf("stale: %v", o)
	}
	if !maps.Equal(before, m.snapshot()) {
		t.Error("check changed files")
	}
	m.must()
	m.write("square.go", "package m\n")
	o = m.cachegen("check")
	if o.code != exitChanged || !strings.Contains(o.stdout, "+++ /dev/null") || !strings.Contains(o.err, "[CG2103]") {
		t.Errorf("orphan: %v", o)
	}
	if o := m.must(); o.err != "removed square_cachegen.go\n" || m.exists("square_cachegen.go") {
		t.Errorf("orphan: %v", o)
	}
	m.write("square.go", "package m\n\n//cache:data tll=1m\nfunc square(n int) int { return n }\n")
	if o := m.cachegen("check"); o.code != exitFailed || o.stdout != "" || !strings.Contains(o.err, "square.go:3:14: unknown option \"tll\" [CG1102]") {
		t.Errorf("error: %v", o)
	}
	// A source that is gone altogether.
	m.write("square.go", strings.TrimPrefix(square, "\n-- square.go --\n"))
	m.must()
	if err := os.Remove(filepath.Join(m.dir, "square.go")); err != nil {
		t.Fatal(err)
	}
	m.write("other.go", "package m\n")
	if o := m.must("."); o.err != "removed square_cachegen.go\n" {
		t.Errorf("source gone: %v", o)
	}
	// CRLF on disk is what a version control system made of it.
	m.write("square.go", strings.TrimPrefix(square, "\n-- square.go --\n"))
	m.must()
	m.write("square_cachegen.go", strings.ReplaceAll(m.read("square_cachegen.go"), "\n", "\r\n"))
	if o := m.cachegen("check"); o.code != exitOK {
		t.Errorf("CRLF: %v", o)
	}
}

func TestEveryFormatSaysTheSame(t *testing.T) {
	t.Parallel()
	m := newModule(t, `
-- a/a.go --
package a

//cache:data tll=1m
func f(n int) int { return n }

//cache:data ttl=1m ttl=2m
func g(n int) int { return n }
-- b/b.go --
package b

// cache:data
func f(n int) int { return n }
`)
	for _, command := range [][]string{{"check"}, {}} {
		run := func(format string) string {
			o := m.cachegen(append(slices.Clone(command), "--format="+format)...)
			if o.code != exitFailed {
				t.Errorf("%v as %s: %v", command, format, o)
			}
			if format == "text" {
				return filepath.ToSlash(o.err)
			}
			return o.stdout
		}
		want := `a/a.go:3:14: unknown option "tll" [CG1102]
	//cache:data tll=1m
	             ^
	did you mean ttl, as in ttl=10m?
a/a.go:6:21: option ttl is given twice [CG1103]
	//cache:data ttl=1m ttl=2m
	                    ^
	keep one of them
	a/a.go:6:14: the first ttl
b/b.go:3:3: a directive has no space after //: "// cache:data" [CG1002]
	// cache:data
	  ^
	write //cache:data
`
		if got := run("text"); got != want {
			t.Errorf("text:\n%s", got)
		}
		want = `::error file=a/a.go,line=3,col=14,title=cachegen CG1102%3A unknown option::unknown option "tll"%0Adid you mean ttl, as in ttl=10m?
::error file=a/a.go,line=6,col=21,title=cachegen CG1103%3A option given twice::option ttl is given twice%0Akeep one of them%0Aa/a.go:6:14: the first ttl
::error file=b/b.go,line=3,col=3,title=cachegen CG1002%3A comment that is almost a directive::a directive has no space after //: "// cache:data"%0Awrite //cache:data
`
		if got := run("github"); got != want {
			t.Errorf("github:\n%s", got)
		}
		var doc struct {
			Diagnostics []struct {
				File, Severity, Code, Message, Hint string
				Line, Column                        int
				Related                             []struct{ Line, Column int }
			}
		}
		if err := json.Unmarshal([]byte(run("json")), &doc); err != nil || len(doc.Diagnostics) != 3 {
			t.Fatalf("json: %v, %+v", err, doc)
		}
		if d := doc.Diagnostics[1]; d.File != "a/a.go" || d.Line != 6 || d.Column != 21 || d.Code != "CG1103" || d.Severity != "error" || d.Related[0].Column != 14 {
			t.Errorf("json: %+v", d)
		}
		var sarif struct {
			Version string
			Runs    []struct {
				Tool struct {
					Driver struct {
						Name  string
						Rules []struct{ ID string }
					}
				}
				Results []struct {
					RuleID    string
					RuleIndex int
					Level     string
					Locations []struct {
						PhysicalLocation struct {
							ArtifactLocation struct{ URI, URIBaseID string }
							Region           struct{ StartLine, StartColumn int }
						}
					}
				}
			}
		}
		if err := json.Unmarshal([]byte(run("sarif")), &sarif); err != nil || sarif.Version != "2.1.0" || len(sarif.Runs) != 1 || len(sarif.Runs[0].Results) != 3 {
			t.Fatalf("sarif: %v, %+v", err, sarif)
		}
		r := sarif.Runs[0]
		for _, res := range r.Results {
			if r.Tool.Driver.Rules[res.RuleIndex].ID != res.RuleID {
				t.Errorf("sarif: rule %d is not %s", res.RuleIndex, res.RuleID)
			}
		}
		if p := r.Results[0].Locations[0].PhysicalLocation; p.ArtifactLocation.URI != "a/a.go" || p.Region.StartLine != 3 || p.Region.StartColumn != 14 {
			t.Errorf("sarif: %+v", p)
		}
	}
	if o := m.cachegen("check", "--format=xml"); o.code != exitFailed || !strings.Contains(o.err, "unknown format") {
		t.Errorf("unknown format: %v", o)
	}
	// With nothing to say, a document is still a document.
	clean := newModule(t, "-- a.go --\npackage m\n")
	if o := clean.cachegen("check", "--format=json"); o.code != 0 || o.stdout != "{\n  \"diagnostics\": []\n}\n" {
		t.Errorf("clean json: %v", o)
	}
	// Differences come in every format.
	stale := newModule(t, square)
	if o := stale.cachegen("check", "--format=github"); o.code != exitChanged || !strings.HasPrefix(o.stdout, "::error file=square.go,line=5,col=1,title=cachegen CG2102") {
		t.Errorf("stale github: %v", o)
	}
}

// Whatever is on disk in the place of generated files, generation works and ends in
// the same bytes.
func TestDamagedOutputIsWrittenAnew(t *testing.T) {
	t.Parallel()
	const archive = `
-- load/load.go --
package load

//cache:data
func model(name string) string { return "model " + name }

// used calls the wrapper, which may not exist yet.
func used() string { return Model("x") }

// early needs the wrapper's type for a package-level variable.
var early = Model("y")
-- load/more.go --
package load

//cache:data
func other(n int) []int { return make([]int, n) }
-- caller/caller.go --
package caller

import "example.com/m/load"

//cache:data
func twice(name string) string { return load.Model(name) + load.Model(name) }

var Start = load.Model("z")
-- unrelated/unrelated.go --
package unrelated

import "example.com/nowhere"

func f() { this is not Go
-- badtypes/badtypes.go --
package badtypes

var x int = "no"

//cache:data
func fine(n int) int { return undefined(n) }
`
	want := map[string]string{}
	outputs := []string{"load/load_cachegen.go", "load/more_cachegen.go", "caller/caller_cachegen.go", "badtypes/badtypes_cachegen.go"}
	first := newModule(t, archive)
	o := first.must("./...")
	for _, name := range outputs {
		want[name] = first.read(name)
	}
	if !strings.Contains(o.err, "badtypes.go:3:13: warning: cannot use \"no\"") || strings.Count(o.err, "warning") != 1 {
		t.Errorf("warnings: %v", o)
	}
	if !testing.Short() {
		first.gocmd("vet", "./load", "./caller")
	}

	for name, damage := range map[string]func(string) string{
		"missing":       nil,
		"empty":         func(string) string { return "" },
		"half written":  func(s string) string { return s[:40] },
		"cut":           func(s string) string { return s[:len(s)/2] },
		"syntax error":  func(s string) string { return strings.Replace(s, "func ", "func func ", 1) },
		"wrong package": func(s string) string { return strings.Replace(s, "package load", "package wrong", 1) },
		"stale":         func(s string) string { return strings.ReplaceAll(s, "Model", "Stale") },
		"conflict": func(s string) string {
			return "<<<<<<< ours\n" + s + "=======\n" + s + ">>>>>>> theirs\n"
		},
		"type error": func(s string) string { return s + "\nvar _ int = \"\"\n" },
		"import gone": func(s string) string {
			return strings.Replace(s, "github.com/cachegen/cachegen/runtime", "example.com/gone", 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name != "conflict" {
				long(t)
			}
			m := newModule(t, archive)
			if damage != nil {
				for n, s := range want {
					m.write(n, s)
				}
				m.write("load/load_cachegen.go", damage(want["load/load_cachegen.go"]))
				m.write("load/more_cachegen.go", damage(want["load/more_cachegen.go"]))
			}
			if o := m.cachegen("check"); o.code != exitChanged {
				t.Errorf("check: %v", o)
			}
			m.must("./...")
			for n, s := range want {
				if m.read(n) != s {
					t.Errorf("%s differs:\n%s", n, m.read(n))
				}
			}
		})
	}
}

// Everything that stands in the way is said, with the place and what to do, and no file
// of any package is written.
func TestErrorsSayPlaceAndWayOutAndWriteNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		archive string
		want    []string
		args    []string
	}{
		"one of two packages": {square + `
-- sub/sub.go --
package sub

//cache:data max=0
func f(n int) int { return n }
`, []string{"sub/sub.go:3:18: max: 0 is out of range"}, nil},
		"syntax error in an annotated file": {`
-- a.go --
package m

//cache:data
func f(n int int { return n }
`, []string{"a.go:4:14: ", "[CG2001]"}, nil},
		"unknown type in the signature": {`
-- a.go --
package m

//cache:data
func f(n Missing) int { return 0 }

//cache:data
func g(n map[string][]Missing) (x Gone) { return }
`, []string{"a.go:4:10: in the signature of f: undefined: Missing [CG2006]", "a.go:7:23: ", "a.go:7:35: "}, nil},
		"unknown type in a field": {`
-- a.go --
package m

type T struct{ inner U }

type U struct{ x Missing }

//cache:data
func f(t T) int { return 0 }
`, []string{"a.go:8:6: the signature of f holds a type that cannot be resolved: t.inner.x [CG2006]", "a.go:5:18: undefined: Missing"}, nil},
		"import that does not exist": {`
-- a.go --
package m

import "example.com/m/nowhere"

//cache:data
func f(n nowhere.T) int { return 0 }
`, []string{"a.go:6:10: the type nowhere.T in the signature of f cannot be resolved [CG2006]", "a.go:3:8: import example.com/m/nowhere cannot be resolved: no required module provides"}, nil},
		"two packages in a directory": {square + `
-- other.go --
package other
`, []string{"other.go:1:9: package other in a directory of package m [CG2011]"}, nil},
		"no runtime": {square + `
-- go.mod --
module example.com/m

go 1.26.0
`, []string{"[CG2008]", "go get -tool github.com/cachegen/cachegen/cmd/cachegen"}, nil},
		"no module": {square + `
-- go.mod --
`, []string{"[CG2003]"}, nil},
		"foreign file": {square + `
-- square_cachegen.go --
package m

var precious = 1
`, []string{"square_cachegen.go:1:1: square_cachegen.go is where code generated from square.go belongs, and was not written by cachegen [CG2009]"}, nil},
		"no directory":    {square, []string{"./nowhere: no such directory [CG2002]"}, []string{"./nowhere"}},
		"a file":          {square, []string{"square.go is a file", "name its directory: ./."}, []string{"square.go"}},
		"a directory":     {square + "-- sub/x.go --\npackage sub\n", []string{"for the directory write ./sub"}, []string{"sub"}},
		"standard":        {square, []string{"fmt is not in the main module [CG2012]"}, []string{"fmt"}},
		"misspelt":        {square, []string{`unknown command "chek": did you mean "check"?`}, []string{"chek"}},
		"unknown flag":    {square, []string{"unknown flag: --nope"}, []string{"--nope"}},
		"no such target":  {square, []string{"no cached function Cube in ./..."}, []string{"explain", "Cube"}},
		"file of C types": {"-- a.go --\npackage m\n\n// typedef int number;\nimport \"C\"\n\n//cache:data\nfunc f(n C.number) int { return 0 }\n", []string{"a.go:7:10: the signature of f uses the C type C.number"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			switch name {
			case "one of two packages", "unknown type in a field", "import that does not exist", "no such target", "file of C types", "two packages in a directory":
				long(t) // they type what they find
			}
			m := newModule(t, c.archive)
			m.fails(c.want, c.args...)
		})
	}
}

func TestNothingToDoIsSuccess(t *testing.T) {
	t.Parallel()
	m := newModule(t, "-- a.go --\npackage m\n\nfunc f() { not even parsed\n-- b.go --\npackage other\n")
	m.write("go.mod", "not a go.mod either\n")
	if o := m.must(); o.err != "cachegen: no //cache: directive in 2 Go files\n" {
		t.Errorf("%v", o)
	}
	if o := m.must("check"); o.err+o.stdout != "" {
		t.Errorf("%v", o)
	}
}

func TestExcludedFilesAreLeftAlone(t *testing.T) {
	long(t)
	t.Parallel()
	other := "windows"
	if runtime.GOOS == other {
		other = "linux"
	}
	m := newModule(t, strings.ReplaceAll(square+`
-- sys_OTHER.go --
package m

//cache:data
func sys(n int) int { return n }
-- tagged.go --
//go:build special

package m

//cache:data
func tagged(n int) int { return n }
-- cgo/cgo.go --
package cgo

// int twice(int n) { return 2*n; }
import "C"

//cache:data
func twice(n int) int { return int(C.twice(C.int(n))) }
`, "OTHER", other))
	m.env = append(m.env, "CGO_ENABLED=0")
	o := m.must("--tags=special")
	if strings.Count(o.err, "[CG2004]") != 2 || !strings.Contains(o.err, "sys_"+other+".go:3:1: warning: the present build configuration excludes") {
		t.Errorf("%v", o)
	}
	if !m.exists("tagged_cachegen.go") || m.exists("sys_"+other+"_cachegen.go") || m.exists("cgo/cgo_cachegen.go") {
		t.Errorf("files: %v", slices.Sorted(maps.Keys(m.snapshot())))
	}
	m.env = []string{"GOWORK=off", "GOPROXY=off", "CGO_ENABLED=1", "GOOS=" + other}
	if o := m.cachegen(); o.code != 0 || !m.exists("sys_"+other+"_cachegen.go") {
		t.Errorf("as %s: %v", other, o)
	}
	m.env = []string{"GOWORK=off", "GOPROXY=off", "CGO_ENABLED=1"}
	m.must()
	for _, name := range []string{"tagged_cachegen.go", "sys_" + other + "_cachegen.go", "cgo/cgo_cachegen.go", "square_cachegen.go"} {
		if !m.exists(name) {
			t.Errorf("%s is gone", name)
		}
	}
	for _, tags := range []string{"", "special"} {
		if o := m.must("check", "--tags="+tags); o.stdout != "" {
			t.Errorf("check: %v", o)
		}
	}
	m.gocmd("vet", "-tags=special", "./...")
}

func TestModulesOfAWorkspaceAreNamed(t *testing.T) {
	long(t)
	t.Parallel()
	m := newModule(t, `
-- go.work --
go 1.26.0

use (
	./one
	./two
)
-- one/one.go --
package one

//cache:data
func base(n int) int { return n + 1 }

var X = Base(3)
-- one/internal/deep/deep.go --
package deep

//cache:data
func dig(n int) int { return n }
-- two/two.go --
package two

import "example.com/one"

//cache:data
func top(n int) int { return one.Base(n) }
`)
	if err := os.Remove(filepath.Join(m.dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	m.write("one/go.mod", m.gomod("example.com/one"))
	m.write("two/go.mod", m.gomod("example.com/two"))
	o := m.cachegen()
	if o.code != exitFailed || !strings.Contains(o.err, "name its modules: ./one/... ./two/...") {
		t.Errorf("%v", o)
	}
	m.must("./one/...", "./two/...")
	m.gocmd("vet", "./one/...", "./two/...")
	if o := m.must("-C", "two", "check"); o.err != "" {
		t.Errorf("%v", o)
	}
	if o := m.must("-C", "one", "check", "example.com/one/..."); o.err != "" {
		t.Errorf("%v", o)
	}
}

func TestVendoredRuntimeIsUsed(t *testing.T) {
	long(t)
	t.Parallel()
	m := newModule(t, square+`
-- use/use.go --
package use

import _ "github.com/cachegen/cachegen/cache"
`)
	m.gocmd("mod", "vendor")
	m.env = append(m.env, "GOFLAGS=-mod=vendor")
	m.must()
	m.gocmd("vet", "./...")
}

// A vendor directory that has the runtime, and lacks another package that generated code
// imports, is no fault of cachegen: the tool says what to run.
func TestVendoredInPart(t *testing.T) {
	m := newModule(t, square+`
-- use/use.go --
package use

import _ "github.com/cachegen/cachegen/runtime"
`)
	m.gocmd("mod", "vendor")
	m.env = append(m.env, "GOFLAGS=-mod=vendor")
	o := m.cachegen()
	for _, want := range []string{"generated code cannot import github.com/cachegen/cachegen/cache", "[CG2008]", "run: go mod vendor"} {
		if !strings.Contains(o.err, want) {
			t.Errorf("it does not say %q: %v", want, o)
		}
	}
	if strings.Contains(o.err, "CG2010") || m.exists("square_cachegen.go") {
		t.Errorf("%v", o)
	}
}

func TestVersionedModulePathIsImported(t *testing.T) {
	long(t)
	t.Parallel()
	m := newModule(t, `
-- lib/lib.go --
package lib

type T struct{ N int }
-- api/api.go --
package api

import "example.com/m/v2/lib"

//cache:data
func get(t lib.T) *lib.T { return &t }
`)
	m.write("go.mod", m.gomod("example.com/m/v2"))
	m.must()
	m.gocmd("vet", "./...")
}

func TestSymbolicLinksAreFollowed(t *testing.T) {
	long(t)
	t.Parallel()
	m := newModule(t, square)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(m.dir, link); err != nil {
		t.Logf("links cannot be made here: %v", err)
		return
	}
	m.must("-C", link)
	if !m.exists("square_cachegen.go") {
		t.Error("nothing was written through the link")
	}
	if o := m.must("-C", link, "check", "./..."); o.err != "" {
		t.Errorf("%v", o)
	}
	// A generated file that is a link stays one.
	real := filepath.Join(t.TempDir(), "real.go")
	if err := os.Rename(filepath.Join(m.dir, "square_cachegen.go"), real); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, filepath.Join(m.dir, "square_cachegen.go")); err != nil {
		t.Fatal(err)
	}
	m.write("square.go", strings.ReplaceAll(m.read("square.go"), "1h", "2h"))
	m.must()
	if info, err := os.Lstat(filepath.Join(m.dir, "square_cachegen.go")); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link became a file: %v, %v", info, err)
	}
	if b, _ := os.ReadFile(real); !strings.Contains(string(b), "2 * time.Hour") {
		t.Error("the linked file was not written")
	}
}

func TestCRLFAndLineCommentsKeepPositions(t *testing.T) {
	long(t)
	t.Parallel()
	m := newModule(t, square)
	m.write("square.go", strings.ReplaceAll(m.read("square.go"), "\n", "\r\n"))
	m.must()
	m.gocmd("vet", "./...")
	m.write("square.go", "package m\r\n\r\n//line elsewhere.y:100\r\n\r\n//cache:data tll=1m\r\nfunc square(n int) int { return n }\r\n")
	m.fails([]string{"square.go:5:14: unknown option"})
	m.write("square.go", "package m\n\n//line elsewhere.y:100\n\n//cache:data\nfunc square(n Missing) int { return n }\n")
	m.fails([]string{"square.go:6:15: in the signature of square: undefined: Missing"})
}

func TestStdoutPrintsWhatWouldBeWritten(t *testing.T) {
	t.Parallel()
	m := newModule(t, square+"-- sub/sub.go --\npackage sub\n\n//cache:data\nfunc f(n int) int { return n }\n")
	before := m.snapshot()
	o := m.must("--stdout")
	if !maps.Equal(before, m.snapshot()) {
		t.Error("--stdout wrote files")
	}
	a := txtar.Parse([]byte(o.stdout))
	if len(a.Files) != 2 || a.Files[0].Name != "square_cachegen.go" || a.Files[1].Name != "sub/sub_cachegen.go" {
		t.Fatalf("%v", o)
	}
	m.must()
	if m.read("square_cachegen.go") != string(a.Files[0].Data) {
		t.Error("--stdout prints other bytes than are written")
	}
}

func TestListAndExplainShowDecisions(t *testing.T) {
	long(t)
	t.Parallel()
	m := newModule(t, `
-- sales/sales.go --
package sales

import "context"

type Sale struct {
	ID   int
	Tags []string
}

type Store struct{ name string }

//cache:data ttl=10m errors=30s
func loadSales(ctx context.Context, _conn *int, region string, f struct{ Years []int }) ([]Sale, error) {
	return nil, nil
}

//cache:data recv=key
func (s *Store) score(n int) string { return s.name }
`)
	o := m.must("list")
	for _, want := range []string{"FUNCTION", "example.com/m/sales.loadSales", "LoadSales", "copied", "immutable"} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("list lacks %q:\n%s", want, o.stdout)
		}
	}
	var list []struct {
		Func, Wrapper, Handle, Kind, File string
		Line                              int
		Key                               []struct{ Name, Type, How string }
		Results                           []struct{ Type, How string }
	}
	o = m.must("list", "--json", "./sales")
	if err := json.Unmarshal([]byte(o.stdout), &list); err != nil || len(list) != 2 {
		t.Fatalf("%v: %v", err, o)
	}
	if e := list[0]; e.Func != "example.com/m/sales.loadSales" || e.Handle != "LoadSalesCache" || e.File != "sales/sales.go" || e.Line != 12 ||
		len(e.Key) != 2 || e.Key[0].How != "exact" || e.Key[1].How != "digest" || e.Results[0].How != "copied" {
		t.Errorf("%+v", e)
	}
	for _, target := range []string{"LoadSales", "loadSales", "./sales.LoadSales", "sales.LoadSales", "example.com/m/sales.loadSales"} {
		o := m.must("explain", target)
		for _, want := range []string{
			"region string: as it is", "f struct{Years []int}: its content, encoded", "Years is a slice",
			"ctx context.Context: not in the key: a context never is", "_conn *int: not in the key: its name starts with _",
			"[]Sale: copied for each caller, the first included", "works on a copy of f", "error: kept for 30s", "fresh for 10m0s",
		} {
			if !strings.Contains(o.stdout, want) {
				t.Errorf("explain %s lacks %q:\n%s", target, want, o.stdout)
			}
		}
	}
	for _, target := range []string{"Store.Score", "./sales.Store.score", "sales.Store.Score"} {
		if o := m.must("explain", target); !strings.HasPrefix(o.stdout, "example.com/m/sales.Store.score\n") {
			t.Errorf("explain %s: %v", target, o)
		}
	}
	if m.exists("sales/sales_cachegen.go") {
		t.Error("list or explain wrote a file")
	}
}

// What is known only when the program runs, explain says of the part that it is true of.
func TestExplainNamesWhatIsUndecided(t *testing.T) {
	long(t)
	t.Parallel()
	m := newModule(t, `
-- m.go --
package m

import "net/http"

type row struct {
	Name  string
	Cells map[string][]any
}

//cache:data
func rows(n int) (all []*row, text string) { return nil, "" }

//cache:data
func whole(n int) any { return nil }

//cache:data
func ints(n int) []int { return nil }

//cache:data
func cookies(n int) []http.Cookie { return nil }
`)
	const undecided = "holds is known only when the program runs: if it cannot be copied, the result is not kept, which is logged"
	for target, want := range map[string]string{
		"Rows":    "all []*row: copied for each caller, the first included: it is a slice; what all[i].Cells[key][i] " + undecided,
		"Whole":   "result 1 any: copied for each caller, the first included: it is a value of a type that is known only when the program runs",
		"Ints":    "result 1 []int: copied for each caller, the first included: it is a slice\n",
		"Cookies": "result 1 []net/http.Cookie: copied for each caller, the first included: it is a slice\n",
	} {
		if o := m.must("explain", target); !strings.Contains(o.stdout, want) {
			t.Errorf("explain %s lacks %q:\n%s", target, want, o.stdout)
		}
	}
}

func TestHelpIsTheSameEveryWay(t *testing.T) {
	t.Parallel()
	m := newModule(t, "-- a.go --\npackage m\n")
	byHelp, byName, byFlag := m.must("help", "directives"), m.must("directives"), m.must("directives", "--help")
	if byHelp.stdout != byName.stdout || byHelp.stdout != byFlag.stdout || !strings.Contains(byHelp.stdout, "  ttl=10m|Func\n") {
		t.Errorf("%v\n%v", byHelp, byName)
	}
	if o := m.must("directives", "--markdown"); !strings.Contains(o.stdout, "| `ttl=10m\\|Func` | yes | yes | How long") {
		t.Errorf("%v", o)
	}
	if o := m.must("version"); !strings.HasPrefix(o.stdout, "cachegen ") || !strings.Contains(o.stdout, "go1.") {
		t.Errorf("%v", o)
	}
	if o := m.must("--help"); !strings.Contains(o.stdout, "check") || !strings.Contains(o.stdout, "explain") {
		t.Errorf("%v", o)
	}
}

// A read-only directory gives an error and leaves what was written elsewhere as it was.
func TestWritingIsAllOrNothing(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 || runtime.GOOS == "windows" {
		// Nothing is read-only for root: a directory in the file's place does it too.
		m := newModule(t, square+"-- zub/sub.go --\npackage zub\n\n//cache:data\nfunc f(n int) int { return n }\n")
		if err := os.Mkdir(filepath.Join(m.dir, "zub", "sub_cachegen.go"), 0o755); err != nil {
			t.Fatal(err)
		}
		if o := m.cachegen(); o.code != exitFailed || m.exists("square_cachegen.go") {
			t.Errorf("%v", o)
		}
		return
	}
	m := newModule(t, square+"-- zub/sub.go --\npackage zub\n\n//cache:data\nfunc f(n int) int { return n }\n")
	if err := os.Chmod(filepath.Join(m.dir, "zub"), 0o555); err != nil {
		t.Fatal(err)
	}
	if o := m.cachegen(); o.code != exitFailed || m.exists("square_cachegen.go") {
		t.Errorf("%v", o)
	}
}

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestSpecsAreParsed(t *testing.T) {
	for _, c := range []struct {
		spec, path string
		only       []string
	}{
		{"a.b/c@v1.2.3", "a.b/c@v1.2.3", []string{"./..."}},
		{"a.b/c@v1.2.3:./x,./y/...", "a.b/c@v1.2.3", []string{"./x", "./y/..."}},
		{"std:go/ast", "std:go/ast", []string{"./..."}},
		{"std:go/ast:./go/ast", "std:go/ast", []string{"./go/ast"}},
	} {
		if path, only := parse(c.spec); path != c.path || !slices.Equal(only, c.only) {
			t.Errorf("%s is %s with %q", c.spec, path, only)
		}
	}
}

// TestListedModulesAreParsed reads the list in the repository, and asks that no module is in it twice.
func TestListedModulesAreParsed(t *testing.T) {
	b, err := os.ReadFile("modules.txt")
	if err != nil {
		t.Fatal(err)
	}
	specs := listed(string(b))
	if len(specs) < 30 {
		t.Errorf("%d specs", len(specs))
	}
	seen := map[string]bool{}
	for _, s := range specs {
		path, _ := parse(s)
		if seen[path] {
			t.Errorf("%s is there twice", path)
		}
		seen[path] = true
		if !strings.HasPrefix(path, "std:") && !strings.Contains(path, "@v") {
			t.Errorf("%s has no version", s)
		}
	}
}

func TestSpreadTakesFromEverywhere(t *testing.T) {
	all := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	for n, want := range map[int][]int{3: {0, 3, 6}, 10: all, 1: {0}} {
		if got := spread(all, n); !slices.Equal(got, want) {
			t.Errorf("%d of ten: %v, want %v", n, got, want)
		}
	}
}

// TestAnnotateAddsDirectives puts directives on functions, and finds them again by their new lines.
func TestAnnotateAddsDirectives(t *testing.T) {
	const src = `package p

// A is documented.
func A() int { return 1 }

type T struct{}

func (t *T) B() int {
	return 2
}
`
	name := filepath.Join(t.TempDir(), "p.go")
	a := &fn{file: name, name: "A", insert: strings.Index(src, "func A"), first: 3, last: 4}
	b := &fn{file: name, recv: "T", name: "B", insert: strings.Index(src, "func (t"), first: 8, last: 10, options: []string{"recv=key"}}
	m := &module{files: map[string][]byte{name: []byte(src)}}
	if err := m.annotate("data", []*fn{a, b}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(got), "\n")
	for i, l := range lines {
		var want *fn
		switch {
		case strings.Contains(l, "Torture_A"), strings.Contains(l, "func A"), strings.Contains(l, "is documented"):
			want = a
		case strings.Contains(l, "Torture_B ttl=10m jitter=10% recv=key"), strings.Contains(l, "func (t"), strings.Contains(l, "return 2"):
			want = b
		case l == "}" || l == "":
			continue
		}
		if f := m.at(name, i+1); f != want {
			t.Errorf("line %d, %q, is of %v", i+1, l, f)
		}
	}
	if n := strings.Count(string(got), "//cache:data name=Torture_"); n != 2 {
		t.Errorf("%d directives in\n%s", n, got)
	}
	if err := m.annotate("data", nil); err != nil {
		t.Fatal(err)
	}
	if got, _ = os.ReadFile(name); string(got) != src {
		t.Errorf("without directives it is\n%s", got)
	}
}

// TestBlamedFunctionIsNamed: a finding is about the annotated functions that lead to its place, which its
// related places name, though the place may stand in another that is annotated as well; and
// one that nothing leads to about the function at its place.
func TestBlamedFunctionIsNamed(t *testing.T) {
	dir := t.TempDir()
	page, other := &fn{name: "page", first: 3, last: 5}, &fn{name: "other", first: 8, last: 9}
	file := filepath.Join(dir, "p.go")
	m := &module{dir: dir, lines: map[string][]*fn{file: {page, other}}}
	var said struct{ Diagnostics []finding }
	if err := json.Unmarshal([]byte(`{"diagnostics": [
		{"file": "p.go", "line": 4, "related": [{"file": "p.go", "line": 10}]},
		{"file": "helper.go", "line": 7, "related": [{"file": "p.go", "line": 4}, {"file": "helper.go", "line": 1}, {"file": "p.go", "line": 10}]},
		{"file": "helper.go", "line": 7},
		{"file": "p.go", "line": 4, "related": [{"file": "p.go", "line": 10, "message": "other, which is to be cached, leads there"}]}]}`), &said); err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]*fn{{page}, {page, other}, nil, {other}} {
		if got := m.blamed(&said.Diagnostics[i]); !slices.Equal(got, want) {
			t.Errorf("finding %d is about %v", i, got)
		}
	}
}

// TestNeededGoIsRead: what go.mod, or the go command in refusing a module, says of the Go that it
// needs.
func TestNeededGoIsRead(t *testing.T) {
	if n := needed.FindStringSubmatch("example.org/m@v1.0.0 requires go >= 1.99.1 (running go 1.26.8; GOTOOLCHAIN=local)"); n == nil || n[1] != "1.99.1" {
		t.Errorf("needed is %q", n)
	}
	if !newerThan("1.99.1") || newerThan("1.26.0") || newerThan("1.21") {
		t.Error("which Go is newer than this one?")
	}
	m := &module{dir: t.TempDir(), o: &options{}}
	for text, want := range map[string]string{"module m\n\ngo 1.20\n": "1.20", "module m\n": goVersion, "module m\n\ngo 1.99.0\n": "1.99.0"} {
		if err := os.WriteFile(filepath.Join(m.dir, "go.mod"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if got, err := m.goLine(); got != want || err != nil {
			t.Errorf("%q needs %s, %v", text, got, err)
		}
	}
}

// TestRetryDropsWhatWasRefused goes through what is tried for a method before it counts as refused.
func TestRetryDropsWhatWasRefused(t *testing.T) {
	m := &module{}
	f := &fn{recv: "T", name: "F", options: []string{"recv=key"}}
	clash, key := &finding{Code: "CG3004"}, &finding{Code: "CG4001"}
	if !m.retry(f, clash) || f.wrapper() != "Torture_FOther" {
		t.Errorf("after a clash it is called %s", f.wrapper())
	}
	if !m.retry(f, key) || !f.plain || f.refusal != key || f.further("data") != nil {
		t.Errorf("after it was refused with options, it still has %q", f.further("data"))
	}
	if !m.retry(f, key) || !slices.Equal(f.options, []string{"recv=ignore"}) || f.keyRefused != key || f.plain || f.refusal != nil {
		t.Errorf("after its receiver was refused, its options are %q", f.options)
	}
	if !m.retry(f, key) || !f.plain {
		t.Error("without its receiver the options have to be tried again, and then none")
	}
	if m.retry(f, key) {
		t.Error("there is nothing left to try")
	}
	if scope := (&finding{Hint: "say scope=global"}); !m.retry(f, scope) || m.retry(f, scope) {
		t.Error("a scope is tried once")
	}
}

func TestOnlyNewFailuresCount(t *testing.T) {
	pass, fail, skip := outcome{"pass", ""}, outcome{"fail", "why"}, outcome{"skip", ""}
	before := map[string]outcome{"p": pass, "p TestA": pass, "p TestB": fail, "p TestC": skip, "p TestD": pass, "q TestE": pass}
	after := map[string]outcome{"p": fail, "p TestA": fail, "p TestB": fail, "p TestC": skip, "q TestE": pass, "q TestF": fail}
	want := []string{"p: fail\nwhy", "p TestA: fail\nwhy", "q TestF (new): why", "p: 1 tests that passed before were not reached"}
	if got := newFailures(before, after); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTableShowsEveryModule(t *testing.T) {
	got := table([]*module{
		{Spec: "a@v1", Functions: 5, Must: 2, Wrong: []string{"./x.F: refused"}, Data: pass{Cached: 3, Refused: map[string]int{"CG4001": 2}, Titles: map[string]string{"CG4001": "title"}}},
		{Spec: "b@v1", Failed: "no such\nmodule"},
	})
	for _, want := range []string{
		"| a@v1 | 5 | 3 | 0 | CG4001 2 |  | 2, 1 |",
		"| b@v1 | no such module |",
		"| CG4001 | title | 2 | 0 |",
		"a@v1: refused and must not be\n\n- ./x.F: refused\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	columns := -1
	for l := range strings.Lines(got[:strings.Index(got, "Refused, by code")]) {
		if n := strings.Count(l, "|"); strings.HasPrefix(l, "|") && columns < 0 {
			columns = n
		} else if strings.HasPrefix(l, "|") && n != columns {
			t.Errorf("%d columns instead of %d: %s", n, columns, l)
		}
	}
}

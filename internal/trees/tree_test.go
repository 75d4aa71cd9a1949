package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What annotate changes it changes back, and each package gets one directive.
func TestAnnotateKeepsTheTreeCompiling(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"go.mod":        "module example.com/m\n\ngo 1.26.0\n",
		"a/a.go":        "package a\n\nimport \"io\"\n\nfunc skipped(r io.Reader) int { return 0 }\n\n// Plain is.\nfunc Plain(s []string) (int, error) { return 0, nil }\n\nfunc further(n int) int { return n }\n",
		"b/b.go":        "package b\n\ntype T struct{}\n\nfunc (T) M(n int) int { return n }\n\nfunc fails(n int) error { return nil }\n",
		"c/c_test.go":   "package c\n",
		"testdata/d.go": "package d\n\nfunc f(n int) int { return n }\n",
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	tr := &tree{dir: root, changed: map[string][]byte{}}
	if err := tr.look(); err != nil {
		t.Fatal(err)
	}
	if tr.packages != 3 || tr.plain != 1 || len(tr.candidates) != 2 || tr.files != 3 {
		t.Fatalf("found %+v", tr)
	}
	read := func() map[string]string {
		all := map[string]string{}
		if err := goFiles(root, func(path string) error {
			b, err := os.ReadFile(path)
			all[filepath.Base(path)] = string(b)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return all
	}
	start := read()
	if err := tr.annotate(tr.candidates); err != nil {
		t.Fatal(err)
	}
	now := read()
	if !strings.Contains(now["a.go"], "// Plain is.\n//\n//cache:data ttl=10m name=CachegenTree\nfunc Plain(") || strings.Count(now["a.go"], "//cache:") != 1 {
		t.Errorf("a.go is\n%s", now["a.go"])
	}
	if !strings.Contains(now["cachegentree.go"], "\n//cache:data ttl=10m name=CachegenTree\nfunc cachegenTree(") || now["b.go"] != start["b.go"] {
		t.Errorf("the file added to b is\n%s", now["cachegentree.go"])
	}
	if err := os.WriteFile(filepath.Join(root, "a", "a_cachegen.go"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := tr.annotate(nil); err != nil {
		t.Fatal(err)
	}
	if now := read(); !maps.Equal(start, now) {
		t.Errorf("left behind: %v", now)
	}
}

func TestSpreadTakesFromEverywhere(t *testing.T) {
	var all []*candidate
	for _, name := range strings.Split("abcdefghij", "") {
		all = append(all, &candidate{pkg: name})
	}
	for k, want := range map[int]string{0: "", 1: "f", 2: "ch", 10: "abcdefghij", 20: "abcdefghij"} {
		got := ""
		for _, c := range spread(all, k) {
			got += c.pkg
		}
		if got != want {
			t.Errorf("%d: %q, want %q", k, got, want)
		}
	}
}

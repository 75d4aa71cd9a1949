package main

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
)

func testConfig(t *testing.T, seed uint64, n int, mode string) *config {
	repo, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return &config{seed: seed, n: n, mode: mode, repo: repo, dir: t.TempDir(), log: t.Logf}
}

// Every fault that a cache can have is found in some function, and a cache without fault
// passes with all of them.
func TestFaultsAreFound(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a program of a megabyte; go test without -short runs it")
	}
	t.Parallel()
	c := testConfig(t, 3, 80, "both")
	c.fake = true
	c.faults = []string{"none"}
	for _, f := range faults() {
		c.faults = append(c.faults, string(f))
	}
	findings, summary, err := c.run()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		t.Errorf("%s: %s: %s", f.what, f.fn, f.text)
	}
	t.Log("\n" + summary)
	if got := strings.Count(summary, "fault "); got != len(c.faults) {
		t.Errorf("%d of %d faults were tried", got, len(c.faults))
	}
}

// Nothing that is promised to work is refused, fails to compile or is cached wrongly.
func TestRandomFunctionsAreCachedRight(t *testing.T) {
	t.Parallel()
	n := 200
	if testing.Short() {
		n = 12
	}
	for _, seed := range []uint64{1} {
		findings, summary, err := testConfig(t, seed, n, "both").run()
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, f := range findings {
			t.Errorf("seed %d: %s: %s: %s", seed, f.what, f.fn, f.text)
		}
		if len(findings) > 0 {
			t.Logf("to repeat it: go run ./internal/randsig -n %d -seed %d -only %s", n, seed, findings[0].fn)
		}
		if !testing.Short() && strings.Contains(summary, " 0 that changed an argument") {
			t.Error("no body changed an argument")
		}
		t.Log(summary)
	}
}

// One seed makes one program: otherwise a failure could not be repeated.
func TestOneSeedMakesOneProgram(t *testing.T) {
	write := func() string {
		m := &maker{rng: rand.New(rand.NewPCG(5, 0xcafe))}
		var b strings.Builder
		for _, p := range m.program(module, 100, "both") {
			for _, f := range p.funcs {
				w := newFile(p)
				f.write(w, true)
				f.writeCase(w, true)
				b.WriteString(w.body.String())
			}
			for _, d := range p.decls {
				w := newFile(p)
				d.write(w)
				b.WriteString(w.body.String())
			}
		}
		return b.String()
	}
	first := write()
	for range 3 {
		if write() != first {
			t.Fatal("two programs of one seed differ")
		}
	}
}

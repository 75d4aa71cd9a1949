package cache

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mutations are faults of the engine that the model check must find. Each replaces one
// piece of its source.
var mutations = []struct {
	name     string
	file     string
	old, new string
	claim    string   // of the model, that is broken
	more     []string // further replacements, old and new
}{
	{"no check of events at publishing", "flight.go",
		"keep = keep && f.hitBy == 0 && n.expires > now", "keep = keep && n.expires > now", "events:", nil},
	{"published before it is copied", "front.go",
		"	return original, f.copy(f.value(n), f.value(original))\n", "	return original, nil\n", "own:", nil},
	{"fresh at its ttl, on the hit path", "clock.go",
		"return expires > now\n", "return expires >= now\n", "fresh:", nil},
	{"fresh at its ttl, on the miss path", "flight.go",
		"if s.end(m) > now {", "if s.end(m) >= now {", "fresh:", nil},
	{"a refresh publishes over a Forget", "flight.go",
		"keep = keep && f.hitBy == 0 &&", "keep = keep && (f.hitBy == 0 || f.refreshes) &&", "events:", []string{
			"	behind    bool\n", "	behind    bool\n	refreshes bool\n",
			"	if c.lease {\n		f.leases = 1", "	f.refreshes = c.refresh\n	if c.lease {\n		f.leases = 1",
		}},
	{"a value replaced by a refresh is released twice", "store.go",
		"		s.remove(old, gone)\n	}\n	weight",
		"		s.remove(old, gone)\n		if old.meta != nil && old.meta.hold != nil && old.meta.hold.resting {\n			s.rest = append(s.rest, old.meta.hold)\n		}\n	}\n	weight", "release:", nil},
	{"released while it is acquired", "flight.go",
		"m.meta.hold.refs++\n", "_ = m\n", "release:", nil},
	{"a waiter gets its owner's end of context", "flight.go",
		"if owner != nil && owner.Err() != nil {", "if false {", "errors:", nil},
	{"a newcomer gets the error of an abandoned computation", "flight.go",
		"if result == failed && f.cancelled {", "if false {", "errors:", nil},
	{"a waiter gets what was computed before a Clear that was complete before its call", "flight.go",
		"(f.hitBy == 0 || f.hitBy > c.arrival) &&", "", "events:", nil},
	{"Refresh takes what was begun before it", "flight.go",
		"&& (!c.refresh || f.start >= c.arrival)", "", "refresh:", nil},
	{"two computations of a key at once", "flight.go",
		"if !f.private && s.front.equal(f.n, n) {", "if f.private && s.front.equal(f.n, n) {", "one:", nil},
	{"tags of inner results are forgotten", "frame.go",
		"	f.addTags(tags)\n	f.addTags(x.tags)\n", "", "nested:", nil},
	{"an event that came before its tag is not seen", "flight.go",
		"if missed != 0 &&", "if false &&", "nested:", nil},
	{"no second look at the tags when a computation ends", "frame.go",
		"seq != 0 && (f.hitBy", "false && (f.hitBy", "nested:", nil},
	{"equal hashes are equal keys", "store.go",
		"if m.hash == n.hash && s.front.equal(m, n) {", "if m.hash == n.hash {", "own:", nil},
}

var mutants = flag.Bool("mutants", false, "hold the model check to mutations of the engine; takes minutes")

// TestMutations shows that the model check finds each of the mutations. It compiles the
// package once for each:
//
//	go test -run TestMutations -mutants -timeout 30m
//
// That each mutation still has its place in the source is always checked.
func TestMutations(t *testing.T) {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutations {
		t.Run(strings.ReplaceAll(m.name, " ", "_"), func(t *testing.T) {
			src, err := os.ReadFile(m.file)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(src), m.old); n != 1 {
				t.Fatalf("%q is %d times in %s", m.old, n, m.file)
			}
			text := strings.Replace(string(src), m.old, m.new, 1)
			for i := 0; i < len(m.more); i += 2 {
				if strings.Count(text, m.more[i]) != 1 {
					t.Fatalf("%q is not once in %s", m.more[i], m.file)
				}
				text = strings.Replace(text, m.more[i], m.more[i+1], 1)
			}
			if !*mutants {
				return
			}
			tmp := t.TempDir()
			mutant := filepath.Join(tmp, "mutant.go")
			overlay, _ := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(dir, m.file): mutant}})
			if err := os.WriteFile(mutant, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(tmp, "overlay.json"), overlay, 0o644); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("go", "test", "-vet=off", "-overlay="+filepath.Join(tmp, "overlay.json"), "-run=^TestModel$", ".", "-histories=20000")
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "breaks the model") || !strings.Contains(string(out), "\t"+m.claim) {
				t.Errorf("not found, or not as %q:\n%s", m.claim, out)
			}
		})
	}
}

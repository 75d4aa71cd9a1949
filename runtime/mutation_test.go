package cachert

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

type mutation struct {
	name, claim, file string
	old, new          string
}

// mutations are faults of the engine that the model check must find, each as a claim that
// it breaks; or a test of one case, named in the claim's place, where histories come to the
// case too seldom. Each replaces one piece of the source by one that behaves otherwise in
// mutant number #, so that all of them are compiled into one program.
var mutations = []mutation{
	{"no check of events at publishing", "events", "flight.go",
		"f.hitBy == 0 && !f.barred && n", "(mutant == # || f.hitBy == 0) && !f.barred && n"},
	{"a refresh publishes over a Forget", "events", "events.go",
		"f.frame.hit(seq)", "if !(mutant == # && f.behind) {\n\t\t\t\tf.frame.hit(seq)\n\t\t\t}"},
	{"a second event hides the first", "events", "frame.go",
		"(f.hitBy == 0 || seq < f.hitBy)", "(f.hitBy == 0 || mutant == # || seq < f.hitBy)"},
	{"an older computation replaces a newer", "newer", "flight.go",
		"!f.barred && n", "(mutant == # || !f.barred) && n"},
	{"published before it is copied", "own", "flight.go",
		"if original, err := f.st.front.apart(f.n); err != nil {", "if mutant == # {\n\t\treturn\n\t}\n\tif original, err := f.st.front.apart(f.n); err != nil {"},
	{"the caller that computes gets what the body has still", "own", "front.go",
		"case f.copy == nil:\n\t\treturn r.n", "case f.copy == nil || mutant == # && r.flight != nil && r.flight.done && !r.flight.keepable:\n\t\treturn r.n"},
	{"equal hashes are equal keys", "own", "store.go",
		"m.hash == n.hash && s.front.equal(m, n)", "m.hash == n.hash && (mutant == # || s.front.equal(m, n))"},
	{"a hit looks only in the older table", "TestFoundWhileTheTableIsResized", "site.go",
		"func get[K comparable](st *store, h uint64, k *K) *node {\n\tfor t := st.table.Load(); t != nil;", "func get[K comparable](st *store, h uint64, k *K) *node {\n\tfor t := st.table.Load(); t != nil && (mutant != # || t == st.table.Load());"},
	{"a hit with a context looks only in the older table", "TestFoundWhileTheTableIsResized", "site.go",
		"st *store, h uint64, k *K) *node {\n\tfor t := st.table.Load(); t != nil; t = t.newer.Load() {\n\t\tfor n := t.head(h).Load(); n != nil; n = n.next.Load() {\n\t\t\tif n.hash == h && *(*K)(keyIn(n)) == *k {\n\t\t\t\tif !n.fresh() {", "st *store, h uint64, k *K) *node {\n\tfor t := st.table.Load(); t != nil && (mutant != # || t == st.table.Load()); t = t.newer.Load() {\n\t\tfor n := t.head(h).Load(); n != nil; n = n.next.Load() {\n\t\t\tif n.hash == h && *(*K)(keyIn(n)) == *k {\n\t\t\t\tif !n.fresh() {"},
	{"a hit of what draws looks only in the older table", "TestFoundWhileTheTableIsResized", "do.go",
		"for t := s.table.Load(); t != nil;", "for t := s.table.Load(); t != nil && (mutant != # || t == s.table.Load());"},
	{"the lock looks only in the older table", "kept", "store.go",
		"for t := s.table.Load(); t != nil;", "for t := s.table.Load(); t != nil && (mutant != # || t == s.table.Load());"},
	{"an entry is removed from the older table alone", "TestFoundWhileTheTableIsResized", "table.go",
		"for ; t != nil; t = t.newer.Load() {", "for o := t; t != nil && (mutant != # || t == o); t = t.newer.Load() {"},
	{"what comes goes into chains that have moved", "TestFoundWhileTheTableIsResized", "table.go",
		"newer := t.newer.Load(); newer != nil {", "newer := t.newer.Load(); newer != nil && mutant != # {"},
	{"an entry is in both tables", "TestFoundWhileTheTableIsResized", "table.go",
		"head.Store(n.next.Load())\n", "if mutant == # && n.next.Load() == nil {\n\t\t\t\tnewer.insert(n)\n\t\t\t\tbreak\n\t\t\t}\n\t\t\thead.Store(n.next.Load())\n"},
	{"the newer table takes over before the last has moved", "kept", "table.go",
		"if !t.move(s.moves) {", "if !t.move(s.moves) && mutant != # {"},
	{"entries that moved are not looked at for their end", "idle", "store.go",
		"for !s.move() {", "for mutant != # && !s.move() {"},
	{"fresh at its ttl, on the hit path", "fresh", "clock.go",
		"return expires > now\n", "return expires > now || mutant == # && expires == now\n"},
	{"fresh at its ttl, on the miss path", "fresh", "flight.go",
		"if s.end(m) > now {", "if s.end(m) > now || mutant == # && s.end(m) == now {"},
	{"jitter lengthens", "fresh", "store.go",
		"ttl -= time.Duration(s.o.Jitter", "ttl -= time.Duration(map[bool]float64{true: -1, false: 1}[mutant == #] * s.o.Jitter"},
	{"a value replaced is released twice", "release", "store.go",
		"s.remove(old, gone)", "if s.remove(old, gone); mutant == # && old.meta != nil && old.meta.hold != nil && old.meta.hold.resting {\n\t\t\ttwice := *old.meta.hold\n\t\t\ts.rest.push(&twice, s.nextRest())\n\t\t}"},
	{"released while it is acquired, after a hit", "release", "flight.go",
		"m.meta.hold.refs++", "if mutant != # {\n\t\t\t\t\t\tm.meta.hold.refs++\n\t\t\t\t\t}"},
	{"released while it is acquired, after a wait", "release", "flight.go",
		"h.refs += int(f.leases)", "if mutant != # {\n\t\t\t\th.refs += int(f.leases)\n\t\t\t}"},
	{"what was acquired is never given back", "release", "release.go",
		"n.meta != nil && n.meta.hold != nil {", "n.meta != nil && n.meta.hold != nil && mutant != # {"},
	{"what a value holds is released under it", "under", "flight.go",
		"s.front.mayHold(uses))", "mutant != # && s.front.mayHold(uses))"},
	{"a hit is not lent", "under", "do.go",
		"n.lendable() && !u[0].has(n.meta.hold)", "mutant != # && n.lendable() && !u[0].has(n.meta.hold)"},
	{"nothing is lent without a context", "under", "lend.go",
		"return c.users[0]", "if mutant == # && (c.cc == nil || c.cc.frame == nil) {\n\t\treturn nil\n\t}\n\treturn c.users[0]"},
	{"what is called without the context counts for nothing", "nested", "frame.go",
		"u[0] = outer.frame", "if mutant != # {\n\t\t\tu[0] = outer.frame\n\t\t}"},
	{"a hit without the context counts for nothing", "nested", "site.go",
		"computing.Load() && !st.inside(nil, n)", "mutant != # && computing.Load() && !st.inside(nil, n)"},
	{"what is called without the context counts for nothing that draws", drawnClaim + "nested", "frame.go",
		"u[0] = outer.frame", "if mutant != # {\n\t\t\tu[0] = outer.frame\n\t\t}"},
	{"what was lent is never given back", "release", "lend.go",
		"s.unhold(h)\n", "if mutant != # {\n\t\t\ts.unhold(h)\n\t\t}\n"},
	{"no grace", "release", "release.go",
		"if s.idle != nil {", "if s.idle != nil || mutant == # {"},
	{"a waiter gets its owner's end of context", "errors", "flight.go",
		"if owner != nil && owner.Err() != nil", "if mutant != # && owner != nil && owner.Err() != nil"},
	{"a newcomer gets the error of an abandoned computation", "errors", "flight.go",
		"result == failed && f.cancelled", "result == failed && f.cancelled && mutant != #"},
	{"a waiter gets what was computed before a Clear that was complete before its call", "events", "flight.go",
		"(f.hitBy == 0 || f.hitBy > c.arrival)", "(mutant == # || f.hitBy == 0 || f.hitBy > c.arrival)"},
	{"Refresh takes what was begun before it", "refresh", "flight.go",
		"(!c.refresh || f.frame.start", "(mutant == # || !c.refresh || f.frame.start"},
	{"who waits begins anew with each wait", "two", "flight.go",
		"case another:\n				wait = false", "case again:\n\t\t\t\tif mutant == # {\n\t\t\t\t\tc.arrival = events.Load()\n\t\t\t\t}\n\t\t\tcase another:\n\t\t\t\twait = false"},
	{"two computations of a key at once", "one", "flight.go",
		"if !f.private && s.front.equal(f.n, n) {", "if !f.private && mutant != # && s.front.equal(f.n, n) {"},
	{"a refresh beside a computation", "one", "flight.go",
		"s.open(n) != nil || m.meta", "s.open(n) != nil && mutant != # || m.meta"},
	{"a waiter is not counted", "leave", "flight.go",
		"f.present++", "if mutant != # {\n\t\t\t\tf.present++\n\t\t\t}"},
	{"tags of inner results are forgotten", "nested", "frame.go",
		"f.addTags(tags)\n\tf.addTags(x.tags)", "if mutant != # {\n\t\tf.addTags(tags)\n\t\tf.addTags(x.tags)\n\t}"},
	{"an event that came before its tag is not seen", "nested", "do.go",
		"if r.flight.hitBy != 0 {", "if mutant != # && r.flight.hitBy != 0 {"},
	{"tags of what was found come after an event", "nested", "do.go",
		"fr.add(x, s.o.Tags)\n\tif !s.kept(n)", "if mutant == # {\n\t\ttime.Sleep(time.Second / 2)\n\t}\n\tfr.add(x, s.o.Tags)\n\tif mutant != # && !s.kept(n)"},
	{"the result around outlives what it was made of", "nested", "flight.go",
		"n.expires = min(n.expires, x.expires)", "if mutant != # {\n\t\tn.expires = min(n.expires, x.expires)\n\t}"},
	{"validate is not asked", "validate", "do.go",
		"|| s.valid(r.n, c, e)", "|| mutant == # || s.valid(r.n, c, e)"},
	{"keep is not asked", "keep", "flight.go",
		"s.front.keep(f.n)", "(mutant == # || s.front.keep(f.n))"},
	{"keepError is not asked", "keep", "flight.go",
		"s.front.keepError(err)", "(mutant == # || s.front.keepError(err))"},
	{"an error takes the place of an old value", "kept", "flight.go",
		"s.end(old) > now {", "s.end(old) > now && mutant != # {"},
	{"a stale value is not served", "kept", "store.go",
		"n.meta.err != nil || s.stale.Load() == 0", "n.meta.err != nil || mutant == # || s.stale.Load() == 0"},
	{"a stale value is not refreshed", "stale", "flight.go",
		"f = s.behind(m, n, c, now)", "if mutant != # {\n\t\t\t\t\t\tf = s.behind(m, n, c, now)\n\t\t\t\t\t}"},
	{"a panic is not handed on", "errors", "flight.go",
		"if f.ending == panicked {", "if f.ending == panicked && mutant != # {"},
	{"who waits gets nothing when the owner exits", "errors", "flight.go",
		"!accepts || f.ending == exited:", "!accepts || f.ending == exited && mutant != #:"},
	{"the end of a session hits others", "kept", "frame.go",
		"slices.Contains(f.labels, l)", "(slices.Contains(f.labels, l) || mutant == # && slices.ContainsFunc(f.labels, func(own label) bool { return own.kind == l.kind }))"},
	{"the session is no label", "events", "do.go",
		"if s.o.Session {", "if s.o.Session && mutant != # {"},
	{"a session's result is given to all who wait", "own", "flight.go",
		"mixed || foreign", "mixed || foreign && mutant != #"},
	{"a session's result is kept for all", "own", "flight.go",
		"x.kept && !mixed && !foreign", "x.kept && !mixed && !(foreign && mutant != #)"},
	{"a session does not count past the cache", "own", "do.go",
		"x.session, x.scoped = sessionIn(c.labels)", "if mutant != # {\n\t\t\tx.session, x.scoped = sessionIn(c.labels)\n\t\t}"},
	{"values of the context are not watched", "own", "frame.go",
		"case v != nil || !comparable:", "case mutant != # && (v != nil || !comparable):"},
	{"Bypass is kept", "own", "do.go",
		"|| c.cc.bypasses()\n", "|| c.cc.bypasses() && mutant != #\n"},
	{"the alarm is not set", "idle", "store.go",
		"s.alarm.set(s, s.end(n))", "if mutant != # {\n\t\t\ts.alarm.set(s, s.end(n))\n\t\t}"},
	{"one entry too many", "bounds", "policy.go",
		"p.count()+entries > p.max ||", "p.count()+entries > p.max && (mutant != # || p.count() > p.max) ||"},
	{"timeout is ignored", "timeout", "do.go",
		"if s.o.Timeout > 0 {\n			ctx, end", "if s.o.Timeout > 0 && mutant != # {\n			ctx, end"},
	{"wait is ignored", "wait", "flight.go",
		"f.st.o.Wait > 0 && !own;", "f.st.o.Wait > 0 && !own && mutant != #;"},
	{"cycles of those who wait are not seen", "hangs", "waits.go",
		"if o == c {", "if o == c && mutant != # {"},
	{"Shutdown leaves what is kept", "shutdown", "configure.go",
		"dead = s.removeAll()", "if mutant != # {\n\t\tdead = s.removeAll()\n\t}"},
	{"results are kept after Shutdown", "idle", "flight.go",
		"n.expires > now && !stopped.Load()", "n.expires > now && (!stopped.Load() || mutant == #)"},
	{"a bound that is configured counts later", "bounds", "configure.go",
		"for i := 0; i < holdLimit && p.full(0, 0); i++ {", "if mutant == # {\n\t\treturn true\n\t}\n\tfor i := 0; i < holdLimit && p.full(0, 0); i++ {"},
	{"the end of an owner is nothing", "owner", "flight.go",
		"if keep && f.rare != nil && f.rare.owner != nil {", "if keep && f.rare != nil && f.rare.owner != nil && mutant != # {"},
	{"the owner is no label", "owner", "do.go",
		"if c.owner != nil {", "if c.owner != nil && mutant != # {"},
	{"tags of what is waited for come late", "nested", "flight.go",
		"fr.addTagsOf(x, s.o.Tags)", "if mutant != # {\n\t\t\tfr.addTagsOf(x, s.o.Tags)\n\t\t}"},
	{"a second event hides the first, of what moves", drawnClaim + "events", "frame.go",
		"seq < f.hitBy)", "mutant == # || seq < f.hitBy)"},
	{"what moves on forgets its events", drawnClaim + "events", "flight.go",
		"f.frame, f.call, f.moves = w.frame, w.call, true", "f.frame, f.call, f.moves = w.frame, w.call, true\n\t\tif mutant == # {\n\t\t\tf.frame.mu.Lock()\n\t\t\tf.frame.hitBy = 0\n\t\t\tf.frame.mu.Unlock()\n\t\t}"},
	{"what moves on is as new as its latest key", drawnClaim + "events", "flight.go",
		"f.frame, f.call, f.moves = w.frame", "if mutant == # {\n\t\t\tw.frame.start, w.frame.hitBy = events.Load(), 0\n\t\t}\n\t\tf.frame, f.call, f.moves = w.frame"},
	{"an older computation that comes to a key late replaces a newer", drawnClaim + "newer", "flight.go",
		"old.meta.order > f.frame.order", "old.meta.order > f.frame.order && mutant != #"},
	{"Forget finds the keys of what draws one by one", drawnClaim + "events", "moving.go",
		"c.labels = append(", "if mutant == # {\n\t\treturn\n\t}\n\tc.labels = append("},
	{"Forget leaves what stands at the roots", "TestForgetAtEveryRoot", "draw.go",
		"d.store.forget(d.node(h, n, p), nil, false)", "if mutant != # {\n\t\t\t\td.store.forget(d.node(h, n, p), nil, false)\n\t\t\t}"},
	{"what a widget says is not part of the way", drawnClaim + "own", "trie.go",
		"v, ok := r.Effective()\n\treturn", "v, ok := r.Effective()\n\tok = ok && mutant != #\n\treturn"},
	{"who has waited for a key may wait for the next as long", drawnClaim + "wait", "flight.go",
		"if c.until == 0 {", "if c.until == 0 || mutant == # {"},
	{"a question outlives what came before it", drawnClaim + "nested", "flight.go",
		"n.expires = min(n.expires, x.expires)", "if n.expires = min(n.expires, x.expires); mutant == # {\n\t\tn.expires = never\n\t}"},
	{"who is woken by a question finds nobody at what comes next", drawnClaim + "one", "draw.go",
		"m.openNext(to) // or those whom the question wakes find nobody at work there\n", "if mutant == # {\n\t\t\tm.ask(f, from, r)\n\t\t\tm.openNext(to)\n\t\t\treturn\n\t\t}\n\t\tm.openNext(to)\n"},
	{"keep is not asked about what is drawn", drawnClaim + "keep", "draw.go",
		"return d.ops.keepValue == nil ||", "return mutant == # || d.ops.keepValue == nil ||"},
	{"hash=ctx: stands for every value", contextClaim, "frame.go",
		"case keyed && !", "case mutant == # && w.keyed != nil:\n\tcase keyed && !"},
	{"the same key stands for other values", contextClaim, "conditions.go",
		"if !k.exact || ctx.Value(k.key) != k.value {", "if mutant != # && (!k.exact || ctx.Value(k.key) != k.value) {"},
	{"a hit does not look for a value that was not there", contextClaim, "conditions.go",
		"if ctx.Value(key) != nil {", "if mutant != # && ctx.Value(key) != nil {"},
	{"who has waited does not look for a value that was not there", contextClaim, "flight.go",
		"case f.ones || !f.when.met(", "case f.ones || mutant != # && !f.when.met("},
	{"a miss takes what a hit has refused", contextClaim, "flight.go",
		"m != c.looked || c.met ||", "m != c.looked || c.met || mutant == # ||"},
	{"what an inner hit asks for does not count for the outer result", contextClaim, "conditions.go",
		"ok = false\n\t\t}\n\t}()\n\tif ctx != nil", "ok = false\n\t\t}\n\t}()\n\tif cc := callOf(ctx); mutant == # && cc != nil && cc.frame != nil {\n\t\twas := cc.frame.seldom().when\n\t\tdefer func() { cc.frame.rare.when = was }()\n\t}\n\tif ctx != nil"},
	{"callers queue for what was another's own the last time", "TestPersonalDrawingsDoNotQueue", "flight.go",
		"s.drewPersonal(n.hash)", "if mutant != # {\n\t\t\ts.drewPersonal(n.hash)\n\t\t}"},
	{"any refusal is taken for one that is personal", "TestPersonalDrawingsDoNotQueue", "draw.go",
		"surface.IsPersonal(refused)\n", "surface.IsPersonal(refused) || mutant == #\n"},
	{"a failure ends what is expected", "TestPersonalDrawingsDoNotQueue", "flight.go",
		"f.expected && !f.refused", "f.expected && (mutant == # || !f.refused)"},
	{"one result for all ends what is expected of other entries", "TestPersonalDrawingsDoNotQueue", "conditions.go",
		"len(others) > 0 {", "len(others) > 0 && mutant != # {"},
	{"the page's nonce and children are not looked for", contextClaim, "conditions.go",
		"return c.page == nil ||", "return mutant == # || c.page == nil ||"},
}

// contextClaim is the claim of TestContextValuesAsWithoutACache, which is no model check.
const contextClaim = "context"

// drawnClaim begins the claims of TestDrawnModel.
const drawnClaim = "drawn "

var mutants = flag.Bool("mutants", false, "hold the model checks to mutations of the engine; takes minutes")

// TestMutations shows that the model check finds each of the mutations:
//
//	go test -run TestMutations -mutants
//
// That each mutation still has its place in the source is always checked.
func TestMutations(t *testing.T) {
	overlay := mutated(t)
	if !*mutants {
		return
	}
	program := compiled(t, overlay, ".")
	contexts := compiled(t, overlay, "../internal/contexts")
	check := func(mutant, histories int, claim string) (string, error) {
		test := "^TestModel$"
		if own, ok := strings.CutPrefix(claim, drawnClaim); ok {
			test, claim = "^TestDrawnModel$", own
		}
		cmd := exec.Command(program, "-test.run="+test, "-test.v", "-claim="+claim, fmt.Sprint("-histories=", histories), fmt.Sprint("-seed=", *firstSeed), fmt.Sprint("-jostle=", mutant > 0))
		if claim == contextClaim+":" {
			cmd = exec.Command(contexts, "-test.run=^TestContextValuesAsWithoutACache$", "-test.v", fmt.Sprint("-context-programs=", histories), fmt.Sprint("-context-seed=", *firstSeed))
		}
		if name, _, _ := strings.Cut(claim, ":"); strings.HasPrefix(name, "Test") {
			cmd = exec.Command(program, "-test.run=^"+name+"$")
		}
		cmd.Env = append(os.Environ(), fmt.Sprint("CACHEGEN_MUTANT=", mutant))
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	t.Run("none", func(t *testing.T) {
		for _, claim := range []string{"", drawnClaim} {
			if out, err := check(0, 10_000, claim); err != nil {
				t.Errorf("the engine itself breaks the model:\n%s", out)
			}
		}
	})
	t.Run("each", func(t *testing.T) {
		for i, m := range mutations {
			t.Run(strings.ReplaceAll(m.name, " ", "_"), func(t *testing.T) {
				t.Parallel()
				n := 100_000
				if m.claim == contextClaim { // a program takes longer than a history, and all are found in hundreds
					n = 5_000
				}
				out, err := check(i+1, n, m.claim+":")
				if err == nil || !strings.Contains(out, "breaks the model") && !strings.Contains(out, "--- FAIL: "+m.claim) {
					t.Errorf("not found:\n%s", out)
				}
				if end := strings.Index(out, " breaks the model"); end >= 0 {
					t.Log(out[strings.LastIndex(out[:end], ": ")+2 : end])
				}
			})
		}
	})
}

// mutated returns the source of the engine with every mutation in it, by file.
func mutated(t *testing.T) map[string]string {
	source := map[string]string{"mutant.go": "package cachert\n\nimport (\n\t\"os\"\n\t\"strconv\"\n)\n\nvar mutant, _ = strconv.Atoi(os.Getenv(\"CACHEGEN_MUTANT\"))\n"}
	for i, m := range mutations {
		if source[m.file] == "" {
			src, err := os.ReadFile(m.file)
			if err != nil {
				t.Fatal(err)
			}
			source[m.file] = string(src)
		}
		if n := strings.Count(source[m.file], m.old); n != 1 {
			t.Fatalf("%s: %q is %d times in %s", m.name, m.old, n, m.file)
		}
		source[m.file] = strings.Replace(source[m.file], m.old, strings.ReplaceAll(m.new, "#", strconv.Itoa(i+1)), 1)
	}
	return source
}

// compiled returns the tests of a package as a program, over an engine with that source.
func compiled(t *testing.T, source map[string]string, pkg string) (program string) {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	overlay := map[string]string{}
	for name, text := range source {
		overlay[filepath.Join(dir, name)] = filepath.Join(tmp, name)
		if err := os.WriteFile(filepath.Join(tmp, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	replace, _ := json.Marshal(map[string]map[string]string{"Replace": overlay})
	if err := os.WriteFile(filepath.Join(tmp, "overlay.json"), replace, 0o644); err != nil {
		t.Fatal(err)
	}
	program = filepath.Join(tmp, "mutants.test")
	if out, err := exec.Command("go", "test", "-c", "-vet=off", "-overlay="+filepath.Join(tmp, "overlay.json"), "-o", program, pkg).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// stormFinds are the mutations that the storm of package cachetest finds too, with 64
// goroutines that run as they like.
var stormFinds = []string{
	"no check of events at publishing",
	"a refresh publishes over a Forget",
	"a second event hides the first",
	"equal hashes are equal keys",
	"a value replaced is released twice",
	"released while it is acquired, after a hit",
	"released while it is acquired, after a wait",
	"what was acquired is never given back",
	"what a value holds is released under it",
	"a hit is not lent",
	"what was lent is never given back",
	"a waiter gets its owner's end of context",
	"a newcomer gets the error of an abandoned computation",
	"a waiter gets what was computed before a Clear that was complete before its call",
	"a waiter is not counted",
	"tags of inner results are forgotten",
	"tags of what was found come after an event",
	"a panic is not handed on",
	"the session is no label",
	"a session's result is given to all who wait",
	"a session's result is kept for all",
	"one entry too many",
	"a bound that is configured counts later",
	"the end of an owner is nothing",
	"the owner is no label",
	"tags of what is waited for come late",
	"a second event hides the first, of what moves",
	"what moves on forgets its events",
	"what moves on is as new as its latest key",
	"Forget finds the keys of what draws one by one",
	"what a widget says is not part of the way",
}

var stormMutants = flag.String("storm-mutants", "", "hold the storm to mutations of the engine: listed, or all; takes minutes")

// TestStormFindsMutations shows that the storm finds those that are listed:
//
//	go test ./runtime -run TestStormFindsMutations -storm-mutants listed -v
func TestStormFindsMutations(t *testing.T) {
	for _, name := range stormFinds {
		if !slices.ContainsFunc(mutations, func(m mutation) bool { return m.name == name }) {
			t.Errorf("there is no mutation %q", name)
		}
	}
	if *stormMutants == "" {
		return
	}
	program := compiled(t, mutated(t), "../cache/cachetest")
	for i, m := range mutations {
		listed := slices.Contains(stormFinds, m.name)
		if !listed && *stormMutants != "all" {
			continue
		}
		t.Run(strings.ReplaceAll(m.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(program, "-test.run=^TestStorm$", "-test.v", "-test.timeout=20m")
			cmd.Env = append(os.Environ(), fmt.Sprint("CACHEGEN_MUTANT=", i+1))
			out, err := cmd.CombinedOutput()
			if err != nil && strings.Contains(string(out), "--- FAIL: TestStorm") {
				t.Logf("found: %.600s", out)
			} else if listed {
				t.Errorf("not found:\n%s", out)
			} else {
				t.Log("not found")
			}
		})
	}
}

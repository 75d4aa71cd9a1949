package corpus

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generator/diag"
)

var (
	programs    = flag.Int("programs", 1000, "how many random programs are interpreted")
	pageMutants = flag.Bool("page-mutants", false, "hold the random pages to mutations of the runtime; takes minutes")
)

// interpreter makes a module with the interpreter of random programs and its wrappers, and
// returns a function that builds it. overlay is for go build, "" for none.
func interpreter(t *testing.T) (build func(t *testing.T, overlay string) (exe string)) {
	dir := module(t, nil)
	if err := os.CopyFS(filepath.Join(dir, "interpreter"), os.DirFS(filepath.Join("testdata", "interpreter"))); err != nil {
		t.Fatal(err)
	}
	res := generate(t, dir)
	for _, d := range res.Diagnostics {
		if d.Severity == diag.Error {
			t.Fatalf("unexpected: %s", describe(dir, d))
		}
	}
	for _, f := range res.Files {
		if err := os.WriteFile(f.Path, f.New, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir, "driver/main.go", `package main

import (
	"flag"
	"io"
	"log"

	"corpus/interpreter"
)

func main() {
	seed := flag.Uint64("seed", 1, "")
	programs := flag.Int("programs", 1, "")
	flag.Parse()
	log.SetOutput(io.Discard)
	interpreter.Check(*seed, *programs)
}
`)
	return func(t *testing.T, overlay string) string {
		exe := filepath.Join(t.TempDir(), "driver.exe")
		run(t, dir, "go", "build", "-overlay="+overlay, "-o", exe, "./driver")
		return exe
	}
}

// Random programs look the same through generated wrappers and without, on the test
// surface, an io.Writer, a response and an event generator, for two users, one look after
// the other and at once. By hand:
//
//	go test ./generator/corpus -run Interpreted -programs 100000 -pages 7 -timeout 2h
func TestInterpretedPagesLookTheSame(t *testing.T) {
	t.Parallel()
	n := *programs
	if testing.Short() {
		n /= 10
	}
	exe := interpreter(t)(t, "")
	if t.Failed() {
		return
	}
	t.Log(run(t, filepath.Dir(exe), exe, fmt.Sprint("-seed=", *pageSeed), fmt.Sprint("-programs=", n)))
}

// pageMutations are faults of the runtime that the random pages must find: those that are
// interpreted or, where what is seen stays right and too many bodies run, those of the
// conformance suite.
var pageMutations = []struct {
	name     string
	file     string
	old, new string
	suite    bool
}{
	{"values of the context are not tracked", "runtime/frame.go", "if b.track {\n\t\tb.cc.frame.saw(", "if false {\n\t\tb.cc.frame.saw(", false},
	{"tags of inner results are forgotten", "runtime/frame.go", "	f.addTags(tags)\n	f.addTags(x.tags)\n", "", false},
	{"an inner result that is not kept does not matter", "runtime/frame.go", "	case x.kept:\n", "	case true:\n", false},
	{"asking for the session does not matter", "runtime/frame.go", "	f.facts.scoped, f.facts.session = true, id\n", "", false},
	{"what an inner function reads does not count for the outer one", "runtime/draw_call.go",
		"	if d.note(r, d.widgets) {\n", "	if d.note(r, d.widgets) && false {\n", false},
	{"what is read in a hole counts at once", "runtime/draw_call.go", "	if len(d.outer) == 0 {\n", "	if true {\n", true},
	{"a hole that failed does not matter", "runtime/draw_call.go", "	if d.holeErr == nil {\n", "	if false {\n", false},
	{"the content of a hole is recorded", "cache/surface/hole.go", "		to := outer\n", "		to := bound\n", false},
	{"a hole on another surface is kept", "cache/surface/hole.go", "		case p != bound:\n", "		case false:\n", false},
	{"a tape keeps the caller's buffer", "cache/surface/recorder.go", "data := append(make([]byte, 0, room), p...)", "data, _ := p, room", false},
	{"a feed keeps the caller's buffer", "cache/surface/feed.go", "return f.write(w, p, kept)", "_ = kept\n	return f.write(w, p, p)", false},
	{"holes are left out of a replay", "cache/surface/tape.go", "err = t.holes.draw[e.Index]()", "err = nil", false},
	{"a byte is lost where a stream is cut", "cache/surface/split.go", "all = all[n:]", "all = all[min(n+1, len(all)):]", false},
	{"what a widget says does not matter", "runtime/trie.go", "	v, ok := r.Effective()\n	return sha256", "	v, ok := []byte(nil), r.Set\n	return sha256", false},
	{"a widget at its default is another than an untouched one", "cache/surface/run.go", "return r.Default, r.Default != nil", "return nil, false", true},
	{"one outcome of a key is kept", "runtime/trie.go", "for max > 0 && o.probation.n+o.protected.n >= max {", "for o.probation.n+o.protected.n > 0 {", true},
	{"what is added to a header is set", "cache/web/rules.go", "case same && len(now) > n && n > 0:", "case false:", false},
	{"a header that is set to what it was is left alone", "cache/web/rules.go", "|| n > 0 && unsafe.SliceData(now) != unsafe.SliceData(v.slices[k])", "|| n > 0 && false && unsafe.SliceData(now) != nil", false},
	{"a deleted header comes back", "cache/web/rules.go", "h.Del = append(h.Del, k)", "_ = k", false},
	{"a response that sets a cookie is kept", "cache/web/rules.go", "case len(h.values(\"Set-Cookie\")) > 0:", "case false:", false},
}

// TestPageMutationsAreFound shows that the random pages find each of the mutations:
//
//	go test ./generator/corpus -run PageMutations -page-mutants -timeout 1h
//
// That each mutation still has its place in the source is always checked.
func TestPageMutationsAreFound(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	var build func(*testing.T, string) string
	if *pageMutants {
		build = interpreter(t)
	}
	for _, m := range pageMutations {
		t.Run(strings.ReplaceAll(m.name, " ", "_"), func(t *testing.T) {
			file := filepath.Join(root, filepath.FromSlash(m.file))
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(src), m.old); n != 1 {
				t.Fatalf("%q is %d times in %s", m.old, n, m.file)
			}
			if !*pageMutants {
				return
			}
			tmp := t.TempDir()
			write(t, tmp, "mutant.go", strings.Replace(string(src), m.old, m.new, 1))
			overlay, err := json.Marshal(map[string]map[string]string{"Replace": {file: filepath.Join(tmp, "mutant.go")}})
			if err != nil {
				t.Fatal(err)
			}
			write(t, tmp, "overlay.json", string(overlay))
			cmd := exec.Command("go", "test", "-vet=off", "-overlay="+filepath.Join(tmp, "overlay.json"), "-run=^TestConform$", "./cache/cachetest")
			cmd.Dir = root
			says := "bodies ran"
			if !m.suite {
				cmd = exec.Command(build(t, filepath.Join(tmp, "overlay.json")), "-programs=1500")
				says = "with the wrappers:"
			}
			if t.Failed() {
				return
			}
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), says) {
				t.Errorf("not found:\n%s", out)
			}
		})
	}
}

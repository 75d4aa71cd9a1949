package corpus

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// hotFuncs are wrappers of each shape that a hit can have, and a program that links them.
const hotFuncs = `package main

import "context"

//cache:data ttl=1m max=10
func price(id int64, name string) int { return len(name) }

//cache:data ttl=1m max=10
func priceCtx(ctx context.Context, id int64, name string) (int, error) { return len(name), nil }

//cache:data ttl=1m
func settings() int { return 1 }

//cache:data ttl=1m max=10
func mean(xs []float64) float64 { return xs[0] }

//cache:data ttl=1m max=10
func pick[T comparable](id int, t T) int { return id }

func main() {
	println(Price(1, "a"), Settings(), Mean([]float64{1}), Pick(1, "a"))
	println(PriceCtx(context.Background(), 1, "a"))
}
`

// calls are what the functions on the way of a hit may call: the next of them, and what a hit
// comes by only seldom, or where it has to. Everything else that they are made of must be
// inlined: where the lookup of the bucket, the comparison of keys, the mark of use and the
// count become calls, a hit takes a third longer.
var calls = []struct{ in, may string }{
	{`main\.(Price|PriceCtx|Settings|Mean|Pick\[.*\])$`, `^main\.(\(\*\w+Key(\[.*\])?\)\.(hash|Copy)|\w+KeyOf(\[.*\])?|\w+Call(\[.*\])?|\w+Site(\[.*\])?)$` +
		`|/runtime\.get(Ctx)?\[` +
		`|/runtime\.\(\*Site\[.*\]\)\.(GetCtx|Do)$` +
		`|/runtime\.Instance\[` +
		`|/runtime/value\.HashString$` +
		`|^runtime\.`},
	{`main\.\(\*\w+Key(\[.*\])?\)\.hash$`, `/runtime/value\.Hash(String|Digest|Atom)$|^runtime\.`},
	{`/runtime\.\(\*Site\[go\.shape.*\]\)\.Get(Ctx)?$`, `/runtime\.get(Ctx)?\[|^runtime\.(morestack|panic)`},
	{`/runtime\.get\[.*\]$`, hit},
	{`/runtime\.getCtx\[.*\]$`, hit + `|/runtime\.\(\*conditions\)\.met$|^\w+$` /* a context's Value, by register */},
}

// hit is what get may call: fresh reads a clock, lent is for values with a release, inside for
// calls that a computation makes, add for every sixteenth hit of many; and what compares keys.
const hit = `/runtime\.\(\*(node\)\.(fresh|lent)|store\)\.inside|counter\)\.add)$|^type:\.eq\.|^runtime\.(morestack|memequal|panic|strequal|efaceeq|ifaceeq)`

func TestHitPathIsInlined(t *testing.T) {
	if testing.Short() {
		t.Skip("it links a program and disassembles it")
	}
	dir := module(t, nil)
	write(t, dir, "hot/main.go", hotFuncs)
	res := generate(t, dir)
	if res.Failed() {
		t.Fatal(res.Diagnostics)
	}
	for _, f := range res.Files {
		if err := os.WriteFile(f.Path, f.New, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	exe := filepath.Join(dir, "hot.exe")
	run(t, dir, "go", "build", "-o", exe, "./hot")
	if t.Failed() {
		return
	}
	text := run(t, dir, "go", "tool", "objdump", "-s", `^main\.|runtime\.get(Ctx)?\[|runtime\.\(\*Site\[.*\]\)\.Get`, exe)

	found := make([]int, len(calls))
	at, which := "", -1
	target := regexp.MustCompile(`\s(?:CALL|BL)\s+(.*)$`)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "TEXT "); ok {
			name, _, _ = strings.Cut(name, "(SB)")
			at, which = name, -1
			for i, c := range calls {
				if regexp.MustCompile(c.in).MatchString(at) {
					which = i
					found[i]++
				}
			}
			continue
		}
		m := target.FindStringSubmatch(line)
		if m == nil || which < 0 {
			continue
		}
		callee := strings.TrimSuffix(m[1], "(SB)")
		if !regexp.MustCompile(calls[which].may).MatchString(callee) {
			t.Errorf("%s calls %s, which is to be inlined, or not to be called on a hit", at, callee)
		}
	}
	for i, n := range found {
		// Get and GetCtx themselves are inlined, but where their budget ends.
		if n == 0 && !strings.Contains(calls[i].in, "Site") {
			t.Errorf("nothing in the program matches %s:\n%s", calls[i].in, text)
		}
	}
}

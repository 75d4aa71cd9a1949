package main

import (
	"go/ast"
	"go/types"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// TestPureFunctionsAreFound gives each function a name that says what it must look like.
func TestPureFunctionsAreFound(t *testing.T) {
	const src = `package p

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

var (
	table   = [3]int{1, 2, 3} // nobody changes it
	counter int
	reg     = map[string]int{}
	hook    func(int) int
	ErrX    = errors.New("x")
)

type box struct{ n int; list []int }

type getter interface{ Get() int }

func fill() { counter++; reg["a"] = 1 }

func pureSum(a, b int) int            { return a + b }
func pureTable(i int) int             { return table[i%3] }
func pureLocal(s string) []string {
	var out []string
	m := map[string]int{}
	for _, f := range strings.Fields(s) {
		m[f]++
		out = append(out, f)
	}
	return out
}
func pureBuilder(s string) string {
	var b strings.Builder
	b.WriteString(s)
	return b.String()
}
func pureCalls(a int) int             { return pureSum(a, pureCalls(a-1)) }
func pureError(a int) (int, error)    { return a, ErrX }
func pureFormat(a int) string         { return fmt.Sprintf("%d", a) }
func (b box) pureField() int          { b.n++; return b.n }
func pureClosure(a int) int           { f := func(x int) int { return x + a }; return f(1) }

func (b box) pureCopy() box            { return b }
func pureAppend(s []int) []int        { return append([]int(nil), s...) }

func pureLiteral(a int) box           { return box{a, []int{a}} }
func pureLiteralOfCopy(s []int) *box  { c := append([]int(nil), s...); return &box{1, c} }

func notInLiteral(s []int) box        { return box{list: s} }
func notBehindLiteral(s []int) *box   { return &box{1, s[1:]} }
func notInElement(s []int) [][]int    { return [][]int{nil, s} }
func notInNested(s []int) []box       { return []box{{1, s}} }
func notAsMapKey(b *box) map[*box]int { return map[*box]int{b: 1} }
func notHandedOn(s []int) []int       { return s[1:] }
func (b *box) notReceiverItself() *box { return b }
func notFieldOf(b *box) *int          { return &b.n }
func notGlobal() int                  { return counter }
func notWrites(a int) int             { counter = a; return a }
func notMap(s string) int             { return reg[s] }
func notHook(a int) int               { return hook(a) }
func notClock() time.Time             { return time.Now() }
func notEnv() string                  { return os.Getenv("X") }
func notPrints(a int) int             { fmt.Println(a); return a }
func notNothing(a int)                { }
func notParam(b *box) int             { b.n = 1; return b.n }
func notSlice(s []int) int            { s[0] = 1; return s[0] }
func notCopyInto(s []int) int         { return copy(s, []int{1}) }
func (b *box) notReceiver() int       { b.n++; return b.n }
func notGoroutine(c chan int) int     { go fill(); return 0 }
func notReceive(c chan int) int       { return <-c }
func notDefer(a int) int              { defer fill(); return a }
func notCallsImpure(a int) int        { return notWrites(a) }
func notInterface(g getter) int       { return g.Get() }
func notFuncParam(f func() int) int   { return f() }
`
	dir := t.TempDir()
	for name, text := range map[string]string{"p.go": src, "go.mod": "module p\n\ngo 1.26\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	pkgs, err := packages.Load(&packages.Config{
		Dir: dir, Env: append(os.Environ(), "GOWORK=off", "GOFLAGS="),
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo,
	}, ".")
	if err != nil {
		t.Fatal(err)
	}
	p := pkgs[0]
	if len(p.Errors) > 0 {
		t.Fatal(p.Errors)
	}
	pu := newPurity(p)
	n := 0
	for _, d := range p.Syntax[0].Decls {
		d, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		want := strings.HasPrefix(d.Name.Name, "pure")
		if !want && !strings.HasPrefix(d.Name.Name, "not") {
			continue
		}
		n++
		if got := pu.pure(p.TypesInfo.Defs[d.Name].(*types.Func)); got != want {
			t.Errorf("%s: pure is %v", d.Name.Name, got)
		}
	}
	if n != 39 {
		t.Errorf("%d functions looked at", n)
	}
}

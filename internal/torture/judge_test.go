package main

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
	"testing"
)

// TestJudgeSaysWhatIsExpected gives each function a name that says what the judge must think of it.
func TestJudgeSaysWhatIsExpected(t *testing.T) {
	const src = `package p

import (
	"bytes"
	"context"
	"database/sql"
	"flag"
	"fmt"
	"go/scanner"
	"io"
	"iter"
	"math/big"
	"mime/multipart"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"strconv"
	"sync"
	"time"
)

type own struct {
	a  int
	b  []string
	up *own
	m  map[string]*own
}

type named interface{ Name() string }

type shape interface {
	Area() float64
	Scale(float64) shape
}

type withLock struct{ mu sync.Mutex }

type list[T any] struct {
	v    T
	next *list[T]
}

type reader struct{}

type _Ctype_int int32

func (*reader) Read(p []byte) (int, error) { return 0, io.EOF }

func mustPlain(a int, b string, c []float64) (string, error)        { return "", nil }
func mustOwn(a own, b *own, c map[string]int) (*own, map[string][]own)  { return nil, nil }
func mustTime(a time.Time, d time.Duration) (t time.Time)            { return }
func mustContext(ctx context.Context, a int) int                     { return 0 }
func mustIgnored(_ chan int, _w io.Writer, a int) int                { return 0 }
func mustGeneric[T any](x list[T], y T) []T                          { return nil }
func mustAny(x any, y ...any) any                                    { return nil }
func (o *own) mustMethod(a int) int                                  { return 0 }
func mustAlias(x struct{ A []int }) (y [3]complex128)                { return }

func mustInterface(a named, b error) (named, error)      { return a, nil }
func mustInterfaces(a map[string]fmt.Stringer) []shape   { return nil }
func mustConstraint[T fmt.Stringer](a T) T               { return a }
func mustKnown(u *url.URL, i *big.Int, a netip.Addr) (*url.URL, big.Int, netip.Prefix) { return u, *i, netip.Prefix{} }
func mustKnownInside(a struct{ U *url.URL; H http.Header }) []*big.Rat { return nil }
func mustForeignHidden(a strconv.NumError) flag.Flag       { return flag.Flag{} }
func mustHiddenInKey(a *scanner.ErrorList, b multipart.FileHeader) int { return 0 }
func mustError(a int) error                              { return nil }
func (o own) mustErrorMethod() error                     { return nil }
func mustWrite(w io.Writer, a int) error                 { fmt.Fprintf(w, "%d", a); _, err := w.Write(nil); return err }
func mustHandler(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	if r.FormValue("q") == "" {
		http.Error(w, "q is missing", 400)
		return
	}
	io.WriteString(w, r.PathValue("id"))
}

func notHiddenShared(a int) multipart.FileHeader              { return multipart.FileHeader{} }
func notHandle(a *sql.DB) int                          { return 0 }
func notHandleInterface(a http.RoundTripper) int       { return 0 }
func notLockInterface(a sync.Locker) int               { return 0 }
func notTimer(a *time.Timer) int                       { return 0 }
func notClosed(a interface{ Close() error }) int       { return 0 }
func notReflect(a reflect.Value) int                   { return 0 }
func notReaderConstraint[T io.Reader](a T) int         { return 0 }
func notTwoWriters(a, b io.Writer) int                 { return 0 }
func notBlankWriter(_ io.Writer) int                   { return 0 }
func notInClosure(w io.Writer)                         { func() { w.Write(nil) }() }
func notHandedWriter(w io.Writer)                      { helper(w) }
func notKeptWriter(w io.Writer)                        { x := w; x.Write(nil) }
func notAssertedWriter(w io.Writer)                    { w.(io.StringWriter).WriteString("") }
func notComputedName(w http.ResponseWriter, r *http.Request, name string) { io.WriteString(w, r.FormValue(name)) }
func notWholeRequest(w http.ResponseWriter, r *http.Request) { r.Write(w) }
func notRequestAlone(r *http.Request) int              { return 0 }
func notTwoContexts(ctx context.Context, w http.ResponseWriter, r *http.Request) {}
func notLateContext(a int, ctx context.Context) int    { return 0 }

func helper(io.Writer) {}

type wrapper struct{ http.ResponseWriter; n int }

func (w wrapper) notFieldWriter(a string) (int, error) { return w.ResponseWriter.Write([]byte(a)) }
func (w wrapper) mustFieldBeside(a string) int         { return w.n + len(a) }
func notVariableWriter(a int) int                      { fmt.Fprint(logTo, a); return a }
func mustOwnWriter(a int) int                          { var w io.Writer = io.Discard; _ = w; return a }

var logTo io.Writer

func notFunc(f func()) int                         { return 0 }
func notChan(c chan int) int                       { return 0 }
func notNothing(a int)                             {}
func notLock(a withLock) int                       { return 0 }
func notLockResult() *withLock                     { return nil }
func notReader(r io.Reader) int                    { return 0 }
func notForeign(b *bytes.Buffer) int               { return 0 }
func notOwnReader(r *reader) int                   { return 0 }
func notC(c []_Ctype_int) int                      { return 0 }
func notCResult() _Ctype_int                       { return 0 }
func notReaderResult() *reader                     { return nil }
func notIterator() iter.Seq[int]                   { return nil }
func notChanResult() (chan int, error)             { return nil, nil }
`
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "p.go", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{}}
	p, err := (&types.Config{Importer: importer.Default()}).Check("p", fset, []*ast.File{f}, info)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, d := range f.Decls {
		fd, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		want := strings.HasPrefix(fd.Name.Name, "must")
		if !want && !strings.HasPrefix(fd.Name.Name, "not") {
			continue
		}
		n++
		j := judge{p}
		v := j.verdict(info.Defs[fd.Name].(*types.Func).Signature())
		if got := v.must && (!v.draws || j.drawing(info, fd)) && !elsewhere(info, fd); got != want {
			t.Errorf("%s: must is %v", fd.Name.Name, got)
		}
	}
	if n != 56 {
		t.Errorf("%d functions judged", n)
	}
}

// TestOptionsFitTheFunction: each turn gives other options, none that the rules forbid together or there,
// and the plain turn only those without which nothing is kept.
func TestOptionsFitTheFunction(t *testing.T) {
	for _, c := range []struct {
		name  string
		v     verdict
		plain string
		never []string
	}{
		{"data", verdict{values: 1, keys: []string{"a", "b"}, stays: true}, "", []string{"timeout", "errors", "scope"}},
		{"data with a context", verdict{values: 1, err: true, context: true, keys: []string{"a"}}, "", []string{"stale", "ignore", "scope"}},
		{"an error alone", verdict{err: true}, "errors=30s", []string{"max-bytes", "key", "errors=1m"}},
		{"a page", verdict{draws: true, request: true}, "scope=global", []string{"stale", "errors", "timeout"}},
	} {
		if got := strings.Join(c.v.options(plainTurn), " "); got != c.plain {
			t.Errorf("%s: the plain turn has %q", c.name, got)
		}
		seen := map[string]bool{}
		for turn := range 2 * (plainTurn + 1) {
			text := strings.Join(c.v.options(turn), " ")
			seen[text] = true
			for _, o := range c.never {
				if strings.Contains(" "+text, " "+o) {
					t.Errorf("%s, turn %d: %q", c.name, turn, text)
				}
			}
		}
		if len(seen) < 3 {
			t.Errorf("%s has %d sets of options", c.name, len(seen))
		}
	}
}

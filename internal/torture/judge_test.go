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

// TestJudge gives each function a name that says what the judge must think of it.
func TestJudge(t *testing.T) {
	const src = `package p

import (
	"bytes"
	"context"
	"io"
	"iter"
	"sync"
	"time"
)

type own struct {
	a  int
	b  []string
	up *own
	m  map[string]*own
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

func notFunc(f func()) int                         { return 0 }
func notChan(c chan int) int                       { return 0 }
func notNothing(a int)                             {}
func notError(a int) error                         { return nil }
func notLock(a withLock) int                       { return 0 }
func notLockResult() *withLock                     { return nil }
func notReader(r io.Reader) int                    { return 0 }
func notWriter(w io.Writer, a int) int             { return 0 }
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
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}}
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
		if got := (judge{p}).must(info.Defs[fd.Name].(*types.Func).Signature()); got != want {
			t.Errorf("%s: must is %v", fd.Name.Name, got)
		}
	}
	if n != 24 {
		t.Errorf("%d functions judged", n)
	}
}

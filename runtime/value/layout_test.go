package value

import (
	"bytes"
	"io"
	"log"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

type layoutPlain struct {
	A int
	B []string
}

type layoutNode struct {
	Name string
	Kids map[string][]*layoutNode
	_    [0]func()
}

type layoutKeyed struct{ A, B int }

func (layoutKeyed) CacheKey() string { return "k" }

type layoutOuter struct {
	layoutKeyed
	At time.Time
}

type layoutBox[T any] struct{ V T }

// A description matches the type that it was made from, and no other.
func TestLayoutMatches(t *testing.T) {
	for _, c := range []struct {
		typ    reflect.Type
		text   string
		change string // "" where the description fits
	}{
		{reflect.TypeFor[int](), "int;", ""},
		{reflect.TypeFor[int](), "int64;", "of kind int, where int64 was"},
		{reflect.TypeFor[func()](), "?", ""},
		{reflect.TypeFor[any](), "any;", ""},
		{reflect.TypeFor[error](), "any;", ""},
		{reflect.TypeFor[int](), "any;", "where any was"},
		{reflect.TypeFor[*[3][]string](), "*[n][]string;", ""},
		{reflect.TypeFor[[0]int](), "[0]", ""},
		{reflect.TypeFor[[1]int](), "[0]", "without elements"},
		{reflect.TypeFor[map[string][]int](), "map[string;][]int;", ""},
		{reflect.TypeFor[map[string][]int](), "map[string;][]uint;", "where uint was"},
		{reflect.TypeFor[layoutPlain](), "-{A:int; B:[]string;}", ""},
		{reflect.TypeFor[layoutPlain](), "~{A:int; B:[]string;}", ""},
		{reflect.TypeFor[layoutPlain](), "-{A:int;}", "the field B is new"},
		{reflect.TypeFor[layoutPlain](), "-{B:[]string;}", "the field A is new"},
		{reflect.TypeFor[layoutPlain](), "-{A:int; B:[]string; C:int;}", "the field C is gone"},
		{reflect.TypeFor[layoutPlain](), "-{A:int; C:[]string;}", "the field C is gone"},
		{reflect.TypeFor[layoutPlain](), "-{A:string; B:[]string;}", "the field A: "},
		{reflect.TypeFor[layoutPlain](), "+string;", "its method CacheKey is gone"},
		{reflect.TypeFor[layoutKeyed](), "+string;", ""},
		{reflect.TypeFor[layoutKeyed](), "+int;", "where int was"},
		{reflect.TypeFor[layoutKeyed](), "-{A:int; B:int;}", "it has a method CacheKey"},
		{reflect.TypeFor[layoutKeyed](), "~{A:int; B:int;}", ""},
		{reflect.TypeFor[layoutOuter](), "-{layoutKeyed:+string; At:=time.Time;}", ""},
		{reflect.TypeFor[layoutOuter](), "+string;", "its method CacheKey is gone"},
		{reflect.TypeFor[layoutNode](), "-{Name:string; Kids:map[string;][]*@0;}", ""},
		{reflect.TypeFor[layoutNode](), "-{Name:string; Kids:map[string;][]*-{Name:string; Kids:?}}", ""},
		{reflect.TypeFor[layoutBox[int]](), "-{V:int;}", ""},
		{reflect.TypeFor[layoutBox[int]](), "=" + reflect.TypeFor[layoutBox[int]]().PkgPath() + ".layoutBox;", ""},
		{reflect.TypeFor[struct{ T time.Time }](), "{T:t;}", ""},
		{reflect.TypeFor[layoutKeyed](), "i;", ""},
		{reflect.TypeFor[layoutPlain](), "i;", "can be changed"},
		{reflect.TypeFor[layoutKeyed](), "s;", ""},
		{reflect.TypeFor[layoutPlain](), "s;", "refer to memory"},
		{reflect.TypeFor[layoutPlain](), "{}", "the field A is new"},
		{reflect.TypeFor[[]int](), "-{A:int;}", "where a type with a name was"},
	} {
		r := layoutReader{rest: c.text, owner: c.typ}
		switch change := r.match(c.typ); {
		case c.change == "" && (change != "" || r.rest != ""):
			t.Errorf("%s against %s: %q, rest %q", c.typ, c.text, change, r.rest)
		case c.change != "" && !strings.Contains(change, c.change):
			t.Errorf("%s against %s: %q, want %q", c.typ, c.text, change, c.change)
		}
	}
}

// What has changed is said once for each type, with the way out; the answer stays.
func TestLayoutSettles(t *testing.T) {
	var out bytes.Buffer
	log.SetOutput(&out)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	of := (*func(layoutPlain, int))(nil)
	same := Layout{Func: "m.F", Types: []string{"-{A:int; B:[]string;}", "!int;"}}
	if same.Held() || !same.Holds(of) || !same.Holds(nil) || !same.Held() || same.Unkeyable() != nil || out.Len() > 0 {
		t.Errorf("a layout that holds: %s", &out)
	}
	for range 2 {
		other := Layout{Func: "m.G", Types: []string{"-{A:int;}", "!int;"}}
		before := other.Holds(of)
		if before || other.Holds(of) || other.Held() || other.Unkeyable() != nil {
			t.Error("a layout that has changed holds")
		}
	}
	if said := out.String(); strings.Count(said, "\n") != 1 || !strings.Contains(said, "value.layoutPlain has changed since the wrapper was generated: the field B is new") || !strings.Contains(said, "run go tool cachegen ./...") {
		t.Errorf("says %q", said)
	}
	exact := Layout{Func: "m.H", Types: []string{"?", "!string;"}}
	if exact.Holds(of) || exact.Unkeyable() == nil {
		t.Error("a part that stands in the key has changed, and there is a key")
	}
	if n := testing.AllocsPerRun(100, func() { same.Holds(of) }); n > 0 {
		t.Errorf("asking takes %v allocations", n)
	}
}

// A type can be what it was for one instance of a generic function and not for another,
// whichever is asked first.
func TestLayoutsOfInstances(t *testing.T) {
	log.SetOutput(io.Discard)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	same, other := (*func(layoutBox[int]))(nil), (*func(layoutBox[float64]))(nil)
	l := &Layouts{Func: "m.F", Types: []string{"-{V:int;}"}}
	for range 2 {
		if !l.Of(same).Holds(same) || l.Of(other).Holds(other) {
			t.Error("the instances have one answer")
		}
	}
	if first := l.Of(same); first != l.Of(same) || !l.Of(same).Held() || l.Of(other).Held() {
		t.Error("an instance has two layouts")
	}
	if n := testing.AllocsPerRun(100, func() { l.Of(same).Holds(same) }); n > 0 {
		t.Errorf("asking takes %v allocations", n)
	}
}

// Sizes of types that have changed are those that reflection finds.
func TestLayoutSizing(t *testing.T) {
	v := &layoutPlain{B: []string{strings.Repeat("x", 1000)}}
	l := &Layout{Func: "m.F", Types: []string{"~{A:int;}"}}
	size := l.Sizing(func(any) int64 { return 7 }, reflect.TypeFor[layoutPlain]())
	l.Holds((*func(layoutPlain))(nil))
	if n := size(v); n < 1000 {
		t.Errorf("%d bytes", n)
	}
	var none *Layout
	if n := none.Sizing(func(any) int64 { return 7 }, reflect.TypeFor[layoutPlain]())(v); n != 7 {
		t.Errorf("%d bytes without a layout", n)
	}
}

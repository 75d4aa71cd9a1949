package value

import (
	"database/sql"
	"errors"
	"io"
	"math"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unique"
)

// treeNode is a type that can be cyclic, with the encoding function that is generated
// for it.
type treeNode struct {
	Name   string
	Weight float64
	Kids   []*treeNode
}

func encNode(e *Encoder, v treeNode) {
	e.String(v.Name)
	e.Float64(v.Weight)
	encNodes(e, v.Kids)
}
func encNodePtr(e *Encoder, v *treeNode) { EncodePtr(e, v, encNode) }
func encNodes(e *Encoder, v []*treeNode) { EncodeSlice(e, v, encNodePtr) }
func encMapOfNodes(e *Encoder, v map[string][]*treeNode) {
	EncodeMap(e, v, EncodeString[string], encNodes)
}
func encStructMap(e *Encoder, v map[structKey]float64) { EncodeMap(e, v, encStructKey, EncodeFloat) }

type structKey struct {
	A string
	B int
}

func encStructKey(e *Encoder, v structKey) {
	e.String(v.A)
	e.Int(int64(v.B))
}

// digestOf is the digest of v as an argument of type any.
func digestOf(t testing.TB, v any) Digest {
	t.Helper()
	d, err := tryDigest(v)
	if err != nil {
		t.Fatalf("%T: %v", v, err)
	}
	return d
}

func tryDigest(v any) (Digest, error) {
	e := NewEncoder()
	e.Part("v")
	e.Any(v)
	return e.Digest()
}

func digestWith[T any](t testing.TB, v T, enc func(*Encoder, T)) Digest {
	t.Helper()
	e := NewEncoder()
	enc(e, v)
	d, err := e.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func ring(n int) *treeNode {
	first := &treeNode{Name: "0"}
	last := first
	for i := 1; i < n; i++ {
		next := &treeNode{Name: string(rune('0' + i))}
		last.Kids = []*treeNode{next}
		last = next
	}
	last.Kids = []*treeNode{first}
	return first
}

func TestEncodeGeneratedShape(t *testing.T) {
	value := func() map[string][]*treeNode {
		return map[string][]*treeNode{
			"a": {{Name: "x", Kids: []*treeNode{{Name: "y"}}}, nil},
			"b": {},
			"c": nil,
			"d": {ring(5)},
		}
	}
	want := digestWith(t, value(), encMapOfNodes)
	for range 20 {
		if got := digestWith(t, value(), encMapOfNodes); got != want {
			t.Fatal("an equal value has another digest")
		}
	}
	for name, change := range map[string]func(map[string][]*treeNode){
		"nil for empty":     func(m map[string][]*treeNode) { m["b"] = nil },
		"empty for nil":     func(m map[string][]*treeNode) { m["c"] = []*treeNode{} },
		"entry gone":        func(m map[string][]*treeNode) { delete(m, "c") },
		"name far below":    func(m map[string][]*treeNode) { m["a"][0].Kids[0].Name = "z" },
		"zero for nil":      func(m map[string][]*treeNode) { m["a"][1] = &treeNode{} },
		"another ring":      func(m map[string][]*treeNode) { m["d"] = []*treeNode{ring(4)} },
		"ring entered late": func(m map[string][]*treeNode) { m["d"][0] = m["d"][0].Kids[0] },
		"zero's sign":       func(m map[string][]*treeNode) { m["a"][0].Weight = math.Copysign(0, -1) },
		"keys exchanged":    func(m map[string][]*treeNode) { m["b"], m["c"] = m["c"], m["b"] },
	} {
		m := value()
		change(m)
		if digestWith(t, m, encMapOfNodes) == want {
			t.Errorf("%s: same digest", name)
		}
	}
}

func TestEncodeAllocates(t *testing.T) {
	floats := make([]float64, 1000)
	m := map[string][]*treeNode{"a": {{Name: "x"}}, "b": {ring(3)}}
	sm := map[structKey]float64{{"a", 1}: 1, {"b", 2}: 2}
	now := time.Now()
	for range 10 { // pools and types
		_ = digestWith(t, m, encMapOfNodes)
	}
	for name, f := range map[string]func(){
		"floats":     func() { digestWith(t, floats, EncodeFloats) },
		"map":        func() { digestWith(t, m, encMapOfNodes) },
		"struct map": func() { digestWith(t, sm, encStructMap) },
		"time":       func() { digestWith(t, now, EncodeTime) },
		"pointer in any": func() {
			e := NewEncoder()
			e.Any(m["a"][0])
			e.Digest()
		},
	} {
		f()
		if n := testing.AllocsPerRun(200, f); n > 0 && !raceEnabled {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestDynamicKinds(t *testing.T) {
	type hidden struct {
		a int
		b []string
		_ int
	}
	type named int
	a := 1
	b := 1
	same := [][2]any{
		{&a, &b},
		{hidden{1, []string{"x"}, 0}, hidden{1, []string{"x"}, 7}},
		{big.NewInt(0), new(big.Int).Sub(big.NewInt(5), big.NewInt(5))},
		{map[any]any{1: 2, "1": 2, 1.5: []int{1}}, map[any]any{"1": 2, 1.5: []int{1}, 1: 2}},
		{regexp.MustCompile("a+"), regexp.MustCompile("a+")},
		{math.NaN(), math.Float64frombits(math.Float64bits(math.NaN()) + 5)},
		{reflect.TypeFor[int](), reflect.TypeFor[int]()},
		{netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("fe80::1%eth0")},
		{unique.Make("x"), unique.Make("x")},
		{(func())(nil), (func())(nil)},
		{io.EOF, io.EOF},
		{mustURL("http://u:p@h/x?y#z"), mustURL("http://u:p@h/x?y#z")},
		{time.Unix(1, 0).UTC(), time.Date(1970, 1, 1, 0, 0, 1, 0, time.UTC)},
	}
	for _, p := range same {
		if digestOf(t, p[0]) != digestOf(t, p[1]) {
			t.Errorf("%T: equal values differ: %v", p[0], p[0])
		}
	}
	c := 2
	different := [][2]any{
		{&a, &c},
		{&a, a},
		{1, named(1)},
		{1, int64(1)},
		{[]int{1}, [1]int{1}},
		{hidden{a: 1}, hidden{a: 2}},
		{hidden{b: nil}, hidden{b: []string{}}},
		{regexp.MustCompile("a+"), regexp.MustCompile("(?i)a+")},
		{regexp.MustCompile("a+"), regexp.MustCompilePOSIX("a+")},
		{reflect.TypeFor[int](), reflect.TypeFor[uint]()},
		{netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("fe80::1%eth1")},
		{unique.Make("x"), unique.Make("y")},
		{io.EOF, errors.New("EOF")},
		{mustURL("http://u:p@h/x"), mustURL("http://u:q@h/x")},
		{big.NewInt(1), big.NewInt(-1)},
		{map[float64]int{math.NaN(): 1}, map[float64]int{math.NaN(): 2}},
		{any(nil), (*int)(nil)},
		{[]any{nil}, []any{}},
	}
	for _, p := range different {
		if digestOf(t, p[0]) == digestOf(t, p[1]) {
			t.Errorf("%T and %T: same digest: %v, %v", p[0], p[1], p[0], p[1])
		}
	}
}

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

func TestUnkeyable(t *testing.T) {
	type inner struct{ F func() }
	type outer struct {
		M map[string][]inner
	}
	for _, c := range []struct {
		v    any
		want string
	}{
		{outer{M: map[string][]inner{"k": {{}, {F: func() {}}}}}, `v.(value.outer).M["k"][1].F`},
		{make(chan int), "channel"},
		{&struct{ mu sync.Mutex }{}, ".mu"},
		{[]any{struct{ db *sql.DB }{new(sql.DB)}}, "[0].(struct { db *sql.DB }).db cannot be part of a cache key: sql.DB: it is an open database"},
		{[]any{new(sql.Tx)}, "[0].(*sql.Tx) cannot be part of a cache key: sql.Tx: it is an open transaction"},
		{[]any{strings.NewReader("x")}, "[0].(*strings.Reader) cannot be part of a cache key: strings.Reader: it is a reader"},
		{t.Context(), "context"},
		{badKey{}, "panicked: boom"},
	} {
		_, err := tryDigest(c.v)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%T: error %v, want %q in it", c.v, err, c.want)
		}
		var ke *KeyError
		if !errors.As(err, &ke) || ke.Part != "v" {
			t.Errorf("%T: %#v", c.v, err)
		}
	}
}

type badKey struct{ _ func() }

func (badKey) CacheKey() int { panic("boom") }

// A slice of elements without content can be as long as an int can count. Its length is all
// that there is to it.
func TestEncodeSlicesOfNothing(t *testing.T) {
	long, short := make([]struct{}, math.MaxInt), make([]struct{}, math.MaxInt-1)
	if digestOf(t, long) == digestOf(t, short) || digestOf(t, long) != digestOf(t, make([]struct{}, math.MaxInt)) {
		t.Error("the length does not tell slices of nothing apart")
	}
	nothing := func(e *Encoder, _ struct{}) {}
	enc := func(e *Encoder, s []struct{}) { EncodeSlice(e, s, nothing) }
	if digestWith(t, long, enc) == digestWith(t, short, enc) {
		t.Error("the length does not tell slices of nothing apart, in generated code")
	}
}

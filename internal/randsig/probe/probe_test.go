package probe

import (
	"math"
	"reflect"
	"testing"
	"time"
)

type node struct {
	name string
	next *node
	more map[string]*node
	any  any
	list []int
	when time.Time //lint:ignore U1000 filled and read by reflection
	f    float64   //lint:ignore U1000 filled and read by reflection
}

var pool = NewPool(reflect.TypeFor[int](), reflect.TypeFor[string](), reflect.TypeFor[*node](), reflect.TypeFor[[]any]())

func made(seed uint64, alt bool) *node {
	g := NewGen(pool, seed)
	g.Alt = alt
	n := Out[node](g)
	return &n
}

// try runs f, unless the value of the seed is too big.
func try(seed uint64, f func(seed uint64)) {
	defer func() {
		if r := recover(); r != nil && r != ErrTooBig {
			panic(r)
		}
	}()
	f(seed)
}

func TestEqualSeedsEqualValuesInSeparateMemory(t *testing.T) {
	shared := 0
	for seed := range uint64(500) {
		try(seed, func(seed uint64) {
			a, b := made(seed, false), made(seed, true)
			if x, y := Print(a, pool, false), Print(b, pool, false); x != y {
				t.Fatalf("seed %d: %s and %s", seed, x, y)
			}
			if err := Same(pool, a, b); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if s := Overlap(Memory(a), Memory(b)); s != "" {
				t.Fatalf("seed %d: %s", seed, s)
			}
			if Overlap(Memory(a), Memory(a)) != "" {
				shared++
			}
			before := Print(b, pool, false)
			Scribble(pool, a)
			if Print(b, pool, false) != before {
				t.Fatalf("seed %d: writing to one value changes the other", seed)
			}
		})
	}
	if shared == 0 {
		t.Error("no value has memory that can be written")
	}
}

func TestNudgesAreSeen(t *testing.T) {
	places, seen := 0, 0
	for seed := range uint64(60) {
		try(seed, func(seed uint64) {
			before := Print(made(seed, false), pool, false)
			for n := 0; ; n++ {
				a := made(seed, false)
				if !Nudge(pool, a, n) {
					break
				}
				places++
				if Print(a, pool, false) != before {
					seen++
				}
			}
		})
	}
	if seen < places*9/10 {
		t.Errorf("%d of %d changes are seen", seen, places)
	}
}

func TestScribbleLeavesNothing(t *testing.T) {
	a := &node{name: "a", list: make([]int, 1, 3), more: map[string]*node{"x": {name: "x"}}}
	a.next, a.any = a, []any{1}
	list, more, x := a.list[:3], a.more, a.more["x"]
	Scribble(pool, a)
	if list[0] == 0 || list[2] == 0 {
		t.Error("a slice is as it was, up to its capacity")
	}
	if x.name == "x" || more["x"] != nil && more["x"].name == "x" || len(more) < 2 {
		t.Error("a map, or what it holds, is as it was")
	}
}

func TestSameSeesSharing(t *testing.T) {
	p, q := &node{name: "p"}, &node{name: "p"}
	one, two := &[]*node{p, p}, &[]*node{p, q}
	if Print(one, pool, false) != Print(two, pool, false) {
		t.Error("content should be equal")
	}
	if Same(pool, one, two) == nil || Same(pool, two, one) == nil {
		t.Error("a shared pointer is taken for two")
	}
	loop := &node{}
	loop.next = loop
	long := &node{next: &node{}}
	long.next.next = long
	if Same(pool, loop, long) == nil {
		t.Error("a cycle is taken for a longer one")
	}
}

func TestTwinsTellApart(t *testing.T) {
	type pair struct{ a, b any }
	back := []int{1, 2}
	now := time.Now()
	for name, c := range map[string]pair{
		"capacity":                     {back[:1], back[:1:1]},
		"one slice and two":            {[][]int{back, back}, [][]int{back, {1, 2}}},
		"NaNs":                         {math.NaN(), math.Float64frombits(0xfff8000000000123)},
		"the monotonic part of a time": {now, now.Round(0)},
	} {
		if err := Same(pool, &c.a, &c.b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if Twins(pool, &c.a, &c.b) == nil {
			t.Errorf("%s: no difference", name)
		}
		if err := Twins(pool, &c.a, &c.a); err != nil {
			t.Errorf("%s: not its own twin: %v", name, err)
		}
	}
}

func TestPrintTellsApart(t *testing.T) {
	type pair struct{ a, b any }
	for _, c := range []pair{
		{0.0, math.Copysign(0, -1)},
		{1, int64(1)},
		{[]int(nil), []int{}},
		{map[string]int(nil), map[string]int{}},
		{[]string{"a", "b"}, []string{"a,", "b"}},
		{[2]string{"a", "b"}, [2]string{"ab", ""}},
		{time.Unix(0, 0).UTC(), time.Unix(0, 0).In(time.FixedZone("UTC", 60))},
		{(*int)(nil), new(int)},
	} {
		if Print(&c.a, pool, false) == Print(&c.b, pool, false) {
			t.Errorf("%#v and %#v", c.a, c.b)
		}
	}
	x, y := math.NaN(), math.Float64frombits(0xfff8000000000123)
	if Print(&x, pool, false) != Print(&y, pool, false) {
		t.Error("two NaNs")
	}
}

func TestSpillFindsSharedBackingArrays(t *testing.T) {
	back := []int{1, 2, 3, 4}
	a := &[][]int{back[:1], back[2:]}
	if Spill(Memory(a)) == "" {
		t.Error("appending to the first element overwrites the second")
	}
	b := &[][]int{back[:1:1], back[1:2:2]}
	if s := Spill(Memory(b)); s != "" {
		t.Error(s)
	}
}

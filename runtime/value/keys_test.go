package value

import (
	"fmt"
	"image"
	"image/color"
	"maps"
	"math"
	"math/big"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"
)

// Keys by type, each row of the table of behaviours that speaks of them.
func TestBehaviourKeys(t *testing.T) {
	row := func(id string, f func(t *testing.T)) { t.Run(id, f) }
	same := func(t *testing.T, a, b any) {
		t.Helper()
		if digestOf(t, a) != digestOf(t, b) {
			t.Errorf("differ: %v (%T) and %v", a, a, b)
		}
	}
	differ := func(t *testing.T, vs ...any) {
		t.Helper()
		seen := map[Digest]any{}
		for _, v := range vs {
			d := digestOf(t, v)
			if w, ok := seen[d]; ok {
				t.Errorf("same digest: %v (%T) and %v (%T)", v, v, w, w)
			}
			seen[d] = v
		}
	}
	refused := func(t *testing.T, v any) {
		t.Helper()
		if _, err := tryDigest(v); err == nil {
			t.Errorf("%T has a digest", v)
		}
	}

	row("HASH-01", func(t *testing.T) {
		differ(t, "hello", "héllo", "he", "")
		h := HashStart()
		if HashString(h, "hello") == HashString(h, "héllo") || HashString(h, "a") == HashString(h, "aa") || HashString(h, "") == HashString(h, "\x00") {
			t.Error("hashes meet")
		}
	})
	row("HASH-02", func(t *testing.T) {
		differ(t, 10, 11, -1, 1, 128, 127, 129, int8(1), uint(1), math.MaxInt, int64(math.MaxInt64))
		same(t, math.MaxInt, math.MaxInt)
	})
	row("HASH-03", func(t *testing.T) {
		type uuid [16]byte
		u := uuid{1, 2, 3}
		same(t, u, uuid{1, 2, 3})
		differ(t, u, uuid{1, 2, 4}, [16]byte{1, 2, 3})
	})
	row("HASH-05", func(t *testing.T) {
		berlin := time.FixedZone("CET", 3600)
		now := time.Now()
		noon := time.Date(2026, 1, 2, 12, 0, 0, 0, berlin)
		same(t, now, now.Round(0))
		same(t, noon, time.Date(2026, 1, 2, 12, 0, 0, 0, time.FixedZone("CET", 3600)))
		differ(t, noon, noon.UTC(), noon.In(time.FixedZone("X", 3600)), time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC), noon.Add(1), time.Time{})
		if TimeKeyOf(now) != TimeKeyOf(now.Round(0)) || TimeKeyOf(noon) == TimeKeyOf(noon.UTC()) {
			t.Error("TimeKeyOf")
		}
		a, b := TimeKeyOf(noon), TimeKeyOf(noon.UTC())
		if HashTime(1, &a) == HashTime(1, &b) {
			t.Error("hashes of different times meet")
		}
	})
	row("HASH-07", func(t *testing.T) { differ(t, []int{1, 2}, []int{2, 2}, []int{1}, 1, []int{}, []int(nil)) })
	row("HASH-08", func(t *testing.T) {
		list := func(x int) any {
			l := []any{x, nil}
			l[1] = l
			return l
		}
		same(t, list(1), list(1))
		differ(t, list(1), list(2))
	})
	row("HASH-09", func(t *testing.T) { differ(t, [2]int{1, 2}, [2]int{2, 2}, [1]int{1}, 1, []int{1}) })
	row("HASH-10", func(t *testing.T) {
		differ(t, map[int]int{1: 1}, map[int]int{1: 2}, [][2]int{{1, 1}}, map[int]int{}, map[int]int(nil))
	})
	row("HASH-11", func(t *testing.T) { refused(t, map[string]any{"a": 1, "f": func() {}}) })
	row("HASH-14", func(t *testing.T) {
		differ(t, 23.5234, 23.5235, 0.0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN())
		same(t, math.NaN(), -math.NaN())
		if FloatKey64(math.NaN()) != FloatKey64(-math.NaN()) || FloatKey32(float32(math.NaN())) != FloatKey32(-float32(math.NaN())) {
			t.Error("several NaNs")
		}
	})
	row("HASH-15", func(t *testing.T) { differ(t, true, false) })
	row("HASH-16", func(t *testing.T) { differ(t, nil, false, 0, "", (*bool)(nil), new(bool)) })
	row("HASH-18", func(t *testing.T) {
		same(t, regexp.MustCompile("a|b"), regexp.MustCompile("a|b"))
		differ(t, regexp.MustCompile("a|ab"), regexp.MustCompile("(?i)a|ab"), regexp.MustCompilePOSIX("a|ab"))
	})
	row("HASH-20", func(t *testing.T) {
		type sale struct {
			Region string
			Units  int
		}
		type renamed struct {
			Units  string
			Region int
		}
		type wider struct {
			Region string
			Units  int
			Price  float64
		}
		type narrower struct{ Region string }
		type retyped struct {
			Region string
			Units  int64
		}
		same(t, []sale{{"a", 1}, {"b", 2}}, []sale{{"a", 1}, {"b", 2}})
		differ(t,
			[]sale{{"a", 1}, {"b", 2}},
			[]sale{{"a", 1}, {"b", 3}},
			[]sale{{"b", 2}, {"a", 1}},
			[]sale{{"a", 1}},
			[]renamed{{"a", 1}, {"b", 2}},
			[]wider{{"a", 1, 0}, {"b", 2, 0}},
			[]narrower{{"a"}, {"b"}},
			[]retyped{{"a", 1}, {"b", 2}},
		)
	})
	large := func(n int) []float64 { return make([]float64, n) }
	row("HASH-21", func(t *testing.T) {
		ones := large(200_000)
		for i := range ones {
			ones[i] = 1
		}
		same(t, large(200_000), large(200_000))
		differ(t, large(200_000), ones)
	})
	row("TRAP-06", func(t *testing.T) {
		// No position is left out: not the first, the last, nor one at the edge of a chunk.
		const n = 20_000
		seen := map[Digest]int{digestOf(t, large(n)): -1}
		v := large(n)
		for i := 0; i < n; i += 37 {
			v[i] = 1
			d := digestOf(t, v)
			if j, ok := seen[d]; ok {
				t.Fatalf("positions %d and %d: same digest", i, j)
			}
			seen[d] = i
			v[i] = 0
		}
	})
	row("HASH-23", func(t *testing.T) { differ(t, []int64{1, 2}, []uint64{1, 2}) })
	row("HASH-24", func(t *testing.T) {
		same(t, make([]int, 10), make([]int, 10))
		differ(t, make([]int, 10), make([]int, 11), make([]int, 100_000), make([]int32, 20))
	})
	row("HASH-26", func(t *testing.T) {
		plain := func(size int, c color.Color) image.Image {
			p := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{c, color.White})
			return p
		}
		for _, size := range []int{2, 600} {
			same(t, plain(size, color.Black), plain(size, color.Black))
			differ(t, plain(size, color.Black), plain(size, color.Gray{3}))
		}
	})
	row("HASH-27", func(t *testing.T) { refused(t, strings.NewReader("x")) })
	row("HASH-33", func(t *testing.T) {
		same(t, structKey{"a", 1}, structKey{"a", 1})
		differ(t, structKey{"a", 1}, structKey{"a", 2})
	})
	row("HASH-34", func(t *testing.T) { same(t, time.Monday, time.Monday); differ(t, time.Monday, time.Tuesday) })
	row("HASH-35", func(t *testing.T) { differ(t, time.Month(1), time.Weekday(1), sampleName("a"), "a") })
	row("HASH-36", func(t *testing.T) {
		refused(t, func() {})
		refused(t, make(chan int))
		refused(t, maps.Keys(map[int]int{}))
		refused(t, &struct{ f func() }{func() {}})
	})
	row("HASH-39", func(t *testing.T) { differ(t, changing{}, changing{}) })
	row("HASH-40", func(t *testing.T) {
		same(t, selfKey{1}, selfKey{1})
		differ(t, selfKey{1}, selfKey{2})
		refused(t, endlessKey{1})
	})
	row("HASH-41", func(t *testing.T) {
		_, err := tryDigest(map[string]any{"x": badKey{}})
		for _, want := range []string{"argument v", `["x"]`, "value.badKey", "CacheKey", "boom"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, without %s", err, want)
			}
		}
	})
	row("TRAP-01", func(t *testing.T) {
		two := func(a, b string) Digest {
			e := NewEncoder()
			e.String(a)
			e.String(b)
			d, err := e.Digest()
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		seen := map[Digest]string{}
		for _, p := range [][2]string{{"doc1", "acme"}, {"doc1acme", ""}, {"", "doc1acme"}, {"doc1\v\x04acme", ""}, {"doc", "1acme"}, {"u:p", "w"}, {"u", "p:w"}} {
			d := two(p[0], p[1])
			if q, ok := seen[d]; ok {
				t.Errorf("%q and %s: same digest", p, q)
			}
			seen[d] = fmt.Sprintf("%q", p)
		}
		differ(t, []string{"a b", "c"}, []string{"a", "b c"}, []string{"ab", "c"}, []string{"a", "bc"}, []string{"abc"}, []string{"abc", ""})
	})
	row("TRAP-03", func(t *testing.T) {
		differ(t, url.Error{Op: "x"}, urlError{Op: "x"}, localOne(), localTwo())
		same(t, localOne(), localOne())
	})
	row("TRAP-05", func(t *testing.T) {
		a, b := map[string]int{}, map[string]int{}
		for i := range 100 {
			a[fmt.Sprint(i)] = i
			b[fmt.Sprint(99-i)] = 99 - i
		}
		same(t, a, b)
	})
}

type changing struct{}

var changes int

func (changing) CacheKey() int { changes++; return changes }

type selfKey struct{ n int }

func (k selfKey) CacheKey() selfKey { return selfKey{0} }

type endlessKey struct{ n int }

func (k endlessKey) CacheKey() []endlessKey { return []endlessKey{k} }

// urlError has the fields of url.Error and, but for the package, its name.
type urlError url.Error

func localOne() any {
	type local struct{ A int }
	return local{1}
}

func localTwo() any {
	type local struct{ A int }
	return local{1}
}

type keyed struct {
	ID    int
	Noise float64
}

func (k *keyed) CacheKey() int { return k.ID }

type keyedByValue struct{ ID, Noise int }

func (k keyedByValue) CacheKey() string { return fmt.Sprint(k.ID) }

type order struct {
	keyed
	Items []string
}

type lease struct {
	*keyedByValue
	Days int
}

type ownOrder struct {
	keyed
	Items []string
}

func (o ownOrder) CacheKey() []string { return o.Items }

type levelled struct {
	_     sync.Mutex
	level string
}

func (l *levelled) MarshalText() ([]byte, error) { return []byte(l.level), nil }

// A type may say what its key is; what another type that it embeds says counts for
// that part only.
func TestCacheKeyMethod(t *testing.T) {
	same := [][2]any{
		{&keyed{1, 2}, &keyed{1, 3}},
		{keyed{1, 2}, keyed{1, 3}},
		{[]keyed{{1, 2}}, []keyed{{1, 3}}},
		{keyedByValue{1, 2}, keyedByValue{1, 3}},
		{order{keyed{1, 2}, nil}, order{keyed{1, 3}, nil}},
		{ownOrder{keyed{1, 2}, []string{"a"}}, ownOrder{keyed{3, 4}, []string{"a"}}},
		{lease{&keyedByValue{1, 2}, 1}, lease{&keyedByValue{1, 3}, 1}},
		{&levelled{level: "x"}, &levelled{level: "x"}},
	}
	for _, p := range same {
		if digestOf(t, p[0]) != digestOf(t, p[1]) {
			t.Errorf("%T: differ", p[0])
		}
	}
	different := [][2]any{
		{keyed{1, 2}, keyed{2, 2}},
		{order{keyed{1, 2}, []string{"a"}}, order{keyed{1, 2}, []string{"b"}}},
		{lease{&keyedByValue{1, 2}, 1}, lease{&keyedByValue{1, 2}, 2}},
		{ownOrder{keyed{1, 2}, []string{"a"}}, ownOrder{keyed{1, 2}, []string{"b"}}},
		{&levelled{level: "x"}, &levelled{level: "y"}},
	}
	for _, p := range different {
		if digestOf(t, p[0]) == digestOf(t, p[1]) {
			t.Errorf("%T: same digest", p[0])
		}
	}
}

// many yields all values of a type built of the kinds that are easy to confuse, up to
// a size.
func many[T any](n int, leaves []T) [][]*T {
	var out [][]*T
	out = append(out, nil, []*T{})
	var ptrs []*T
	ptrs = append(ptrs, nil)
	for i := range leaves {
		ptrs = append(ptrs, &leaves[i])
	}
	level := [][]*T{{}}
	for range n {
		var next [][]*T
		for _, l := range level {
			for _, p := range ptrs {
				next = append(next, append(slices.Clip(l), p))
			}
		}
		out = append(out, next...)
		level = next
	}
	return out
}

func TestInjective(t *testing.T) {
	strs := many(2, []string{"", "\x00", "a", "aa", "\x01\x01"}) // [][]*string, 1+1+6+36
	lists := many(2, strs)                                       // [][]*[]*string: ~2000
	encStr := func(e *Encoder, v *string) { EncodePtr(e, v, EncodeString) }
	encList := func(e *Encoder, v []*string) { EncodeSlice(e, v, encStr) }
	encListPtr := func(e *Encoder, v *[]*string) { EncodePtr(e, v, encList) }
	encLists := func(e *Encoder, v []*[]*string) { EncodeSlice(e, v, encListPtr) }

	static, dynamic := map[Digest]int{}, map[Digest]int{}
	for i, v := range lists {
		d := digestWith(t, v, encLists)
		if j, ok := static[d]; ok {
			t.Fatalf("values %d and %d: same digest", i, j)
		}
		static[d] = i
		d = digestOf(t, v)
		if j, ok := dynamic[d]; ok {
			t.Fatalf("dynamic values %d and %d: same digest", i, j)
		}
		dynamic[d] = i
	}
	// Made again, of other memory.
	for i, v := range many(2, many(2, []string{"", "\x00", "a", "aa", "\x01\x01"})) {
		if j, ok := static[digestWith(t, v, encLists)]; !ok || j != i {
			t.Fatalf("value %d made again is %d (%v)", i, j, ok)
		}
		if j, ok := dynamic[digestOf(t, v)]; !ok || j != i {
			t.Fatalf("dynamic value %d made again is %d (%v)", i, j, ok)
		}
	}

	// Values of mixed type in one interface.
	mixed := map[Digest]string{}
	leaf := []any{nil, 0, int8(0), uint(0), 0.0, float32(0), "", false, "\x00", 1, "1", []byte(nil), []byte{}, []byte{0}, []int{}, []int{0}, []any{}, map[string]int{}, map[string]int(nil), map[string]any{"": nil}, [0]int{}, [1]int{}, struct{}{}, struct{ A int }{}, new(int), (*int)(nil), new(string), 0i, complex64(0), time.Time{}, big.NewInt(0)}
	add := func(v any) {
		t.Helper()
		d := digestOf(t, v)
		s := fmt.Sprintf("%T %#v", v, v)
		if w, ok := mixed[d]; ok {
			t.Fatalf("same digest: %s and %s", s, w)
		}
		mixed[d] = s
	}
	for _, a := range leaf {
		add(a)
		add([]any{a})
		add([1]any{a})
		add(&[]any{a})
		add(map[string]any{"a": a})
		add(map[int]any{1: a})
		add(struct{ V any }{a})
		for _, b := range leaf {
			add([]any{a, b})
			add([]any{[]any{a}, b})
			add([]any{a, []any{b}})
			add(map[string]any{"a": a, "b": b})
			add(map[[1]int]any{{1}: a, {2}: b})
		}
	}
}

// What is longer than a chunk is digested in parts; where they begin must not matter
// to equality, nor let different values meet.
func TestDigestOfLongValues(t *testing.T) {
	seen := map[Digest]string{}
	check := func(name string, enc func(e *Encoder)) {
		t.Helper()
		var d [2]Digest
		for i := range d {
			e := NewEncoder()
			if i == 1 {
				e.buf = slices.Grow(e.buf, 1000+len(name)) // a pooled encoder may have more room
			}
			enc(e)
			var err error
			if d[i], err = e.Digest(); err != nil {
				t.Fatal(err)
			}
		}
		if d[0] != d[1] {
			t.Errorf("%s: not equal to itself", name)
		}
		if w, ok := seen[d[0]]; ok {
			t.Errorf("%s and %s: same digest", name, w)
		}
		seen[d[0]] = name
	}
	for n := chunkSize - 40; n < chunkSize+40; n++ {
		for _, m := range []int{1, 2, 4} {
			check(fmt.Sprint("zeros ", n*m), func(e *Encoder) { e.Bytes(make([]byte, n*m)) })
		}
		check(fmt.Sprint("parts ", n), func(e *Encoder) {
			e.Bytes(make([]byte, n))
			e.Int(0)
			e.String(strings.Repeat("\x00", n))
		})
	}
	for _, n := range []int{0, 1, 511, 512, 513, 2047, 2048, 5000} {
		check(fmt.Sprint("floats ", n), func(e *Encoder) { EncodeFloats(e, make([]float64, n)) })
		check(fmt.Sprint("short floats ", n), func(e *Encoder) { EncodeFloats(e, make([]float32, n)) })
		check(fmt.Sprint("ints ", n), func(e *Encoder) { EncodeInts(e, make([]int64, n)) })
		check(fmt.Sprint("strings ", n), func(e *Encoder) { EncodeStrings(e, make([]string, n)) })
		check(fmt.Sprint("long strings ", n), func(e *Encoder) { EncodeStrings(e, slices.Repeat([]string{strings.Repeat("x", 200)}, n+1)) })
		check(fmt.Sprint("structs by key ", n), func(e *Encoder) {
			m := map[structKey]float64{}
			for i := range n + 1 {
				m[structKey{"k", i}] = 1
			}
			encStructMap(e, m)
		})
	}
}

// Without AES and GHASH in hardware, SHA-256 takes their place.
func TestDigestWithoutGCM(t *testing.T) {
	old := compress
	defer func() { compress = old }()
	compress = &compressor{prefix: old.prefix}
	seen := map[Digest]bool{}
	for i := range 1000 {
		d := digestOf(t, make([]byte, i*50))
		if seen[d] {
			t.Fatal("same digest")
		}
		seen[d] = true
	}
	if first := digestOf(t, "x"); first != digestOf(t, "x") {
		t.Error("an equal value differs")
	}
}

func TestHashSpreads(t *testing.T) {
	h := HashStart()
	seen := map[uint64]string{}
	add := func(name string, x uint64) {
		t.Helper()
		if w, ok := seen[x]; ok {
			t.Errorf("%s and %s: same hash", name, w)
		}
		seen[x] = name
	}
	for n := range 200 {
		s := strings.Repeat("a", n)
		add(fmt.Sprint("a*", n), HashString(h, s))
		if n > 0 {
			add(fmt.Sprint("zero*", n), HashString(h, strings.Repeat("\x00", n)))
		}
		for i := range n {
			add(fmt.Sprint("b in a*", n, " at ", i), HashString(h, s[:i]+"b"+s[i+1:]))
		}
	}
	for i := range uint64(10_000) {
		add(fmt.Sprint(i), HashUint64(h, i))
		add(fmt.Sprint("high ", i), HashUint64(h, (i+1)<<40))
	}
	// The low bits choose the place in a table: 64 buckets, 64,000 keys.
	for name, f := range map[string]func(i int) uint64{
		"counting": func(i int) uint64 { return HashUint64(h, uint64(i)) },
		"strides":  func(i int) uint64 { return HashUint64(h, uint64(i)*4096) },
		"strings":  func(i int) uint64 { return HashString(h, fmt.Sprint("key-", i)) },
		"pairs":    func(i int) uint64 { return HashUint64(HashUint64(h, uint64(i%256)), uint64(i/256)) },
		"floats":   func(i int) uint64 { return HashUint64(h, FloatKey64(float64(i))) },
	} {
		for _, shift := range []int{0, 58} {
			var n [64]int
			for i := range 64_000 {
				n[f(i)>>shift&63]++
			}
			for _, x := range n {
				if x < 700 || x > 1300 {
					t.Fatalf("%s, bits from %d: a bucket of %d instead of about 1000", name, shift, x)
				}
			}
		}
	}
}

func TestAtom(t *testing.T) {
	type celsius float64
	check := func(equal bool, a, b Atom) {
		t.Helper()
		if (a == b) != equal {
			t.Errorf("equal: %v, want %v: %v, %v", a == b, equal, a, b)
		}
		if equal && HashAtom(1, &a) != HashAtom(1, &b) || !equal && HashAtom(1, &a) == HashAtom(1, &b) {
			t.Errorf("hashes of %v and %v", a, b)
		}
	}
	check(true, atom(t, 1), atom(t, 1))
	check(false, atom(t, 1), atom(t, 2))
	check(true, atom(t, "a"), atom(t, "a"))
	check(false, atom(t, sampleName("a")), atom(t, sampleName("b")))
	check(true, atom(t, celsius(math.NaN())), atom(t, celsius(math.NaN())))
	check(false, atom(t, 0.0), atom(t, math.Copysign(0, -1)))
	check(false, atom(t, float32(1)), atom(t, float32(2)))
	check(true, atom(t, []string{"a"}), atom(t, []string{"a"}))
	check(false, atom(t, any(1)), atom(t, any(int8(1))))
	check(true, atom(t, keyed{1, 2}), atom(t, keyed{1, 3}))
	check(false, atom(t, time.Unix(1, 0)), atom(t, time.Unix(2, 0)))
	if _, err := AtomOf(func() {}); err == nil {
		t.Error("a function has an atom")
	}
	if n := testing.AllocsPerRun(100, func() { AtomOf("abc"); AtomOf(1); AtomOf(2.5); AtomOf(sampleName("x")) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func atom[T any](t *testing.T, v T) Atom {
	t.Helper()
	a, err := AtomOf(v)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Many goroutines that meet a type for the first time together.
func TestDynamicTypesConcurrently(t *testing.T) {
	for round := range 20 {
		typ := reflect.ArrayOf(round+1, reflect.TypeFor[map[string]*sample]())
		var wg sync.WaitGroup
		var mu sync.Mutex
		seen := map[Digest]bool{}
		for range 8 {
			wg.Go(func() {
				d := digestOf(t, reflect.New(typ).Interface())
				mu.Lock()
				seen[d] = true
				mu.Unlock()
			})
		}
		wg.Wait()
		if len(seen) != 1 {
			t.Fatalf("%d digests", len(seen))
		}
	}
}

// The size of a value is near what the allocator gives for it.
func TestSize(t *testing.T) {
	tree := ring(8)
	var z Sizer
	var size func(z *Sizer, v treeNode) int64
	size = func(z *Sizer, v treeNode) int64 {
		return SizeString(z, v.Name) + SizeSlice(z, v.Kids, func(z *Sizer, p *treeNode) int64 { return SizePtr(z, p, size) })
	}
	static := SizePtr(&z, tree, size)
	if dynamic := SizeAny(tree); dynamic != static {
		t.Errorf("%d bytes, dynamically %d", static, dynamic)
	}
	if want := 8 * int64(unsafe.Sizeof(treeNode{})+unsafe.Sizeof(tree)+1); static < want-8 || static > want+8 {
		t.Errorf("%d bytes, want about %d", static, want)
	}
	m := map[int]string{}
	for i := range 1000 {
		m[i] = "0123456789"
	}
	if n := SizeAny(m); n < 1000*int64(unsafe.Sizeof(0)+unsafe.Sizeof("")+10) || n > 100_000 {
		t.Errorf("a map of 1000 entries: %d bytes", n)
	}
	b := make([]byte, 10, 1000)
	if n := SizeAny(&b); n != 1000+int64(unsafe.Sizeof(b)) {
		t.Errorf("a slice with spare capacity, and its header: %d bytes", n)
	}
}

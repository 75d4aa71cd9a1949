package value

import (
	"bytes"
	"container/list"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io"
	"math"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"
)

var thisPackage = reflect.TypeFor[sample]().PkgPath()

func copyTreeNode(c *Copier, v treeNode) treeNode {
	v.Kids = copyTreeNodes(c, v.Kids)
	return v
}
func copyTreeNodePtr(c *Copier, v *treeNode) *treeNode   { return CopyPtr(c, v, copyTreeNode) }
func copyTreeNodes(c *Copier, v []*treeNode) []*treeNode { return CopySlice(c, v, copyTreeNodePtr) }
func copyMapOfNodes(c *Copier, v map[string][]*treeNode) map[string][]*treeNode {
	return CopyMap(c, v, nil, copyTreeNodes)
}

// twins walks two equal values and reports memory that both could change, and
// pointers that are one in a and two in b or the other way round.
type twins struct {
	t    *testing.T
	ab   map[unsafe.Pointer]unsafe.Pointer
	seen map[[2]unsafe.Pointer]bool
}

func (w *twins) same(path string, a, b unsafe.Pointer, size uintptr) (first bool) {
	if size == 0 || a == nil {
		return true
	}
	if a == b {
		w.t.Fatalf("%s: shared memory", path)
	}
	if x, ok := w.ab[a]; ok && x != b {
		w.t.Fatalf("%s: one pointer became two", path)
	}
	w.ab[a] = b
	k := [2]unsafe.Pointer{a, b}
	if w.seen[k] {
		return false
	}
	w.seen[k] = true
	return true
}

func (w *twins) walk(path string, a, b reflect.Value) {
	if !a.IsValid() {
		return
	}
	switch a.Kind() {
	case reflect.Pointer:
		if sharedPointees[typeName(a.Type().Elem())] || a.IsNil() {
			return
		}
		if w.same(path, a.UnsafePointer(), b.UnsafePointer(), a.Type().Elem().Size()) {
			w.walk(path+"*", a.Elem(), b.Elem())
		}
	case reflect.Slice:
		if cap(bytesOf(b)) != len(bytesOf(b)) {
			w.t.Fatalf("%s: room to append into", path)
		}
		if a.Len() > 0 && w.same(path, a.UnsafePointer(), b.UnsafePointer(), a.Type().Elem().Size()) {
			for i := range a.Len() {
				w.walk(path+"[]", a.Index(i), b.Index(i))
			}
		}
	case reflect.Array:
		for i := range a.Len() {
			w.walk(path+"[]", a.Index(i), b.Index(i))
		}
	case reflect.Map:
		if !a.IsNil() && w.same(path, a.UnsafePointer(), b.UnsafePointer(), 1) {
			for _, k := range a.MapKeys() {
				w.walk(path+"[k]", a.MapIndex(k), b.MapIndex(k))
			}
		}
	case reflect.Struct:
		for i := range a.NumField() {
			w.walk(path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
		}
	case reflect.Interface:
		w.walk(path, a.Elem(), b.Elem())
	}
}

func bytesOf(v reflect.Value) []struct{} { return make([]struct{}, v.Len(), v.Cap()) }

func checkTwins(t *testing.T, a, b any) {
	t.Helper()
	if !reflect.DeepEqual(a, b) {
		t.Fatal("the copy is another value")
	}
	w := &twins{t, map[unsafe.Pointer]unsafe.Pointer{}, map[[2]unsafe.Pointer]bool{}}
	w.walk("v", reflect.ValueOf(a), reflect.ValueOf(b))
}

func FuzzCopy(f *testing.F) {
	for _, s := range sampleSeeds() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v := newFiller(b).value(reflect.TypeFor[*sample]()).Interface()
		before, err := encodingOf(v)
		if err != nil {
			t.Fatal(err)
		}
		c := NewCopier(thisPackage)
		w := CopyAny(c, v)
		if err := c.Done(); err != nil {
			t.Fatal(err)
		}
		checkTwins(t, v, w)
		if SizeAny(v) < 0 || SizeAny(w) > SizeAny(v)+1<<20 {
			t.Fatal("size")
		}
		after, err := encodingOf(v)
		if err != nil || !bytes.Equal(before, after) {
			t.Fatal("copying changed the original")
		}
	})
}

func TestCopyGeneratedShape(t *testing.T) {
	shared := ring(3)
	v := map[string][]*treeNode{"a": {shared, shared, nil}, "b": {}, "c": nil, "d": {{Name: "x", Kids: []*treeNode{shared}}}}
	c := NewCopier("")
	w := copyMapOfNodes(c, v)
	if err := c.Done(); err != nil {
		t.Fatal(err)
	}
	checkTwins(t, v, w)
	if w["a"][0] != w["a"][1] || w["d"][0].Kids[0] != w["a"][0] {
		t.Error("what was shared is not")
	}
	if w["b"] == nil || w["c"] != nil {
		t.Error("nil and empty are confused")
	}
}

func TestCopyMapWithNaN(t *testing.T) {
	one := 1
	m := map[float64]*int{math.NaN(): &one, 2: &one}
	c := NewCopier("")
	w := CopyMap(c, m, nil, func(c *Copier, p *int) *int { return CopyPtr(c, p, nil) })
	if err := c.Done(); err != nil {
		t.Fatal(err)
	}
	if len(w) != 2 {
		t.Fatalf("%d entries", len(w))
	}
	for _, p := range w {
		if p == &one {
			t.Error("shared")
		}
	}
}

func TestChunk(t *testing.T) {
	var a Chunk[string]
	var in, out [][]string
	for i := range 3000 {
		var s []string
		if i%10 > 0 {
			s = make([]string, i%10-1, i%10+3) // some of them empty
			for j := range s {
				s[j] = strings.Repeat("x", i+j)
			}
		}
		if i%500 == 0 {
			s = make([]string, 5000)
		}
		in = append(in, s)
		out = append(out, a.Clone(s))
	}
	for i := range out {
		if cap(out[i]) != len(out[i]) {
			t.Fatalf("slice %d has room to append into", i)
		}
		_ = append(out[i], "mine")
		if !slices.Equal(in[i], out[i]) || (in[i] == nil) != (out[i] == nil) {
			t.Fatalf("%d: %v became %v", i, in[i], out[i])
		}
		if len(in[i]) > 0 && &in[i][0] == &out[i][0] {
			t.Fatalf("%d: shared", i)
		}
	}

	rows := make([][]string, 10_000)
	for i := range rows {
		rows[i] = []string{"a", "b", "c"}
	}
	n := testing.AllocsPerRun(5, func() {
		var a Chunk[string]
		for _, r := range rows {
			a.Clone(r)
		}
	})
	if n > 60 {
		t.Errorf("%v allocations for 10,000 slices", n)
	}
}

type account struct {
	mu    sync.Mutex
	names []string
}

func (a *account) Clone() *account {
	a.mu.Lock()
	defer a.mu.Unlock()
	return &account{names: slices.Clone(a.names)}
}

type keepsAccount struct {
	Name string
	account
}

func copyDynamic(home string, v any) (any, error) {
	c := NewCopier(home)
	w := CopyAny(c, v)
	return w, c.Done()
}

func TestCopyByRule(t *testing.T) {
	now := time.Now()
	re := regexp.MustCompile("a+")
	for _, v := range []any{now, re, io.EOF, reflect.TypeFor[int](), 1, "s", nil} {
		w, err := copyDynamic("", v)
		if err != nil || w != v {
			t.Errorf("%T is not shared: %v", v, err)
		}
	}

	big1 := big.NewInt(1 << 40)
	w, err := copyDynamic("", big1)
	if err != nil || w == any(big1) || w.(*big.Int).Cmp(big1) != 0 {
		t.Errorf("big.Int: %v, %v", w, err)
	}
	big1.Add(big1, big1)
	if w.(*big.Int).Int64() != 1<<40 {
		t.Error("big.Int: shared digits")
	}

	// Its elements point into the list itself, which no copy field by field keeps.
	l := list.New()
	l.PushBack([]int{1})
	if _, err = copyDynamic("", l); err == nil {
		t.Error("a list.List was copied")
	}

	a := &account{names: []string{"x"}}
	w, err = copyDynamic("", a)
	if err != nil || w == any(a) || w.(*account).names[0] != "x" {
		t.Errorf("by Clone: %v, %v", w, err)
	}
	a.names[0] = "y"
	if w.(*account).names[0] != "x" {
		t.Error("by Clone: shared")
	}
	// Its Clone is the embedded type's and copies a part only.
	if _, err = copyDynamic(thisPackage, &keepsAccount{Name: "n"}); err != nil {
		t.Errorf("with an embedded type that can be cloned: %v", err)
	}

	// Hidden fields of another module.
	b := &sample{hid: hidden{s: []string{"x"}}}
	if _, err = copyDynamic("example.com/elsewhere", b); err == nil || !strings.Contains(err.Error(), "result.(*value.sample).hid.s cannot be copied: []string: it is in the hidden field hid") {
		t.Errorf("hidden slice of another module: %v", err)
	}
	if _, err = copyDynamic("example.com/elsewhere", &sample{hid: hidden{n: 1}}); err != nil {
		t.Errorf("hidden fields without anything to change: %v", err)
	}
	for _, v := range []any{func() {}, make(chan int), []any{map[string]any{"k": func() {}}}, &struct{ Mu sync.Mutex }{}} {
		_, err := copyDynamic(thisPackage, v)
		var ce *CopyError
		if !errors.As(err, &ce) {
			t.Errorf("%T: %v", v, err)
		}
	}
}

func TestDeepAndTangled(t *testing.T) {
	// A list longer than the stack may be deep. (A minute under the race detector,
	// which has nothing to find here.)
	if !raceEnabled {
		long := &treeNode{}
		for range maxDepth/2 + 10 {
			long = &treeNode{Kids: []*treeNode{long}}
		}
		if _, err := tryDigest(long); err == nil {
			t.Error("a list of 50,010 nodes and slices has a digest")
		}
		if _, err := copyDynamic(thisPackage, long); err == nil {
			t.Error("a list of 50,010 nodes and slices was copied")
		}
		SizeAny(long)
	}

	// 2^60 paths through 60 nodes.
	tangled := &treeNode{Name: "leaf"}
	for range 60 {
		tangled = &treeNode{Kids: []*treeNode{tangled, tangled}}
	}
	d1, err := tryDigest(tangled)
	if err != nil {
		t.Fatal(err)
	}
	w, err := copyDynamic(thisPackage, tangled)
	if err != nil {
		t.Fatal(err)
	}
	if d2, _ := tryDigest(w); d1 != d2 {
		t.Error("the copy has another digest")
	}
	leaf := w.(*treeNode)
	for range 60 {
		if leaf.Kids[0] != leaf.Kids[1] {
			t.Fatal("what was shared is not")
		}
		leaf = leaf.Kids[0]
	}
	leaf.Name = "other"
	if d2, _ := tryDigest(w); d1 == d2 {
		t.Error("another leaf, the same digest")
	}

	// The same where entries are sorted as wholes: it must end.
	if !raceEnabled {
		if _, err := tryDigest(map[any]any{1.5: tangled, "x": tangled}); err == nil {
			t.Error("2^60 paths in a map have a digest")
		}
	}

	var l []any
	l = append(l, nil)
	l[0] = l
	m := map[string]any{}
	m["m"] = m
	var p any
	p = &p
	for _, v := range []any{l, m, p} {
		digestOf(t, v)
		w, err := copyDynamic(thisPackage, v)
		if err != nil {
			t.Fatal(err)
		}
		if digestOf(t, w) != digestOf(t, v) {
			t.Errorf("%T: the copy has another digest", v)
		}
		SizeAny(v)
	}
}

// A public key is copied, its curve is not: curves are compared by address.
func TestCopyPublicKeys(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, curve := range []elliptic.Curve{elliptic.P224(), elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		c := NewCopier("example.com/m")
		v := CopyAny(c, any(map[string]elliptic.Curve{"k": curve})).(map[string]elliptic.Curve)
		if err := c.Done(); err != nil || v["k"] != curve {
			t.Errorf("%s: %v", curve.Params().Name, err)
		}
	}
	dh, err := ec.PublicKey.ECDH()
	if err != nil {
		t.Fatal(err)
	}
	type keys struct {
		EC map[string]*ecdsa.PublicKey
		DH *ecdh.PublicKey
	}
	was := &keys{map[string]*ecdsa.PublicKey{"k": &ec.PublicKey}, dh}
	c := NewCopier("example.com/m")
	is := CopyAny(c, any(was)).(*keys)
	if err := c.Done(); err != nil {
		t.Fatal(err)
	}
	a, b := was.EC["k"], is.EC["k"]
	x := reflect.ValueOf(a).Elem().FieldByName("X").Pointer() // a.X is deprecated
	if a == b || x == reflect.ValueOf(b).Elem().FieldByName("X").Pointer() || !a.Equal(b) || !is.DH.Equal(dh) {
		t.Error("the copy is not a copy")
	}
}

// An argument that has no key is named, also where it is the only part of a digest.
func TestInPart(t *testing.T) {
	_, err := AtomOf[any](func() {})
	if err = InPart(err, "db"); err == nil || !strings.HasPrefix(err.Error(), "argument db.(func()) cannot be part of a cache key") {
		t.Errorf("says %v", err)
	}
	if InPart(nil, "db") != nil {
		t.Error("no error became one")
	}
}

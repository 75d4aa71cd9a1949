package cachert

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/cachegen/cachegen/runtime/value"
)

// testKey is a key as generated code has them.
type testKey struct {
	id   int
	name string
}

func (k *testKey) hash() uint64 {
	return value.HashString(value.HashUint64(value.HashStart(), uint64(k.id)), k.name)
}

// testFunc is a cached function as generated code has it: body is the function, and load
// the wrapper.
type testFunc[V any] struct {
	*typedSite[testKey, V]
	body func(ctx context.Context, id int) (V, error)
	tags func(id int) []string
}

// newFunc caches body. The site is dropped from the process at the end of the test,
// which fails if the site is not quiet by then.
func newFunc[V any](t testing.TB, ops any, o Options, body func(ctx context.Context, id int) (V, error)) *testFunc[V] {
	t.Helper()
	if o.Func == "" {
		o.Func = strings.ReplaceAll(t.Name(), "/", ".")
	}
	o.Site = "engine_test.go:1"
	f := &testFunc[V]{typedSite: newTyped[testKey, V](ops, o), body: body}
	t.Cleanup(func() { retire(t, f.store) })
	return f
}

// retire takes the store out of the process and checks that nothing of it is left.
func retire(t testing.TB, s *store) {
	t.Helper()
	stores.Lock()
	for i, o := range stores.all {
		if o == s {
			stores.all = append(stores.all[:i:i], stores.all[i+1:]...)
			break
		}
	}
	stores.Unlock()
	if t.Failed() {
		return
	}
	s.check(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.flightless) != 0 {
		t.Errorf("%d keys of %s count calls without a flight", len(s.flightless), s.o.Func)
	}
	if len(s.flights) != 0 || s.running != nil || s.stats.inFlight != 0 {
		t.Errorf("%d computations of %s are left", s.stats.inFlight, s.o.Func)
	}
	for i := range running {
		running[i].Lock()
		for _, c := range running[i].calls {
			if c.st == s {
				t.Errorf("a call of %s is left on a goroutine", s.o.Func)
			}
		}
		running[i].Unlock()
	}
}

// check fails the test if an invariant of the store does not hold.
func (s *store) check(t testing.TB) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	inTable := map[*node]bool{}
	for tab := s.table.Load(); tab != nil; tab = tab.newer.Load() {
		for i := range tab.slots {
			for n := tab.slots[i].Load(); n != nil; n = n.next.Load() {
				if inTable[n] {
					t.Fatal("an entry is twice in the table")
				}
				inTable[n] = true
				if n.hash&tab.mask != uint64(i) {
					t.Error("an entry is in the wrong chain")
				}
				if i < tab.moved {
					t.Error("an entry is in a chain that has moved")
				}
				if s.find(n) != n {
					t.Error("two entries have one key")
				}
			}
		}
	}
	var bytes int64
	queued := 0
	for _, q := range []*queue{&s.policy.small, &s.policy.main} {
		var older *node
		for n := q.oldest; n != nil; n = n.newer {
			queued++
			bytes += int64(n.weight)
			if !inTable[n] {
				t.Error("an entry is in a queue and not in the table")
			}
			if n.older != older {
				t.Error("a queue is not linked both ways")
			}
			older = n
		}
		if q.newest != older {
			t.Error("a queue does not end at its end")
		}
	}
	if queued != len(inTable) || queued != s.policy.count() || bytes != s.policy.bytes() {
		t.Errorf("%d entries in the table, %d in the queues that count %d; %d bytes counted as %d", len(inTable), queued, s.policy.count(), bytes, s.policy.bytes())
	}
	if s.policy.max > 0 && queued > s.policy.max || s.policy.maxBytes > 0 && bytes > s.policy.maxBytes {
		t.Errorf("%d entries, %d bytes are more than %d, %d", queued, bytes, s.policy.max, s.policy.maxBytes)
	}
	labels, places := s.index.check(t), 0
	for set, entries := range labels {
		for _, n := range entries {
			if places++; !inTable[n] {
				t.Errorf("an entry that is not kept has the label %v", set.label())
			}
		}
	}
	for n := range inTable {
		if n.meta == nil {
			continue
		}
		for l := range n.meta.labelled {
			if places--; s.index.find(l.set.label()) != l.set {
				t.Errorf("an entry is not found by its label %v", l.set.label())
			}
		}
	}
	if places != 0 {
		t.Errorf("%d places in the lists of labels too many", places)
	}
}

// check fails the test if an invariant of the index does not hold, and returns what is in it.
func (x *index) check(t testing.TB) map[*labelled][]*node {
	t.Helper()
	all := map[*labelled][]*node{}
	chains := 0
	for i, piece := range x.pieces {
		for j, set := range piece {
			if chains++; set != nil && i*indexPiece+j >= x.chains {
				t.Error("a label is in a chain that is not in use")
			}
			for ; set != nil; set = set.next {
				if x.find(set.label()) != set {
					t.Errorf("the label %v is not found", set.label())
				}
				var newer *node
				for n := set.first; n != nil; n = n.linkOf(set).older {
					if n.linkOf(set).set != set || n.linkOf(set).newer != newer {
						t.Fatalf("the list of the label %v is not linked both ways", set.label())
					}
					all[set] = append(all[set], n)
					newer = n
				}
				if set.first == nil {
					t.Errorf("nothing has the label %v", set.label())
				}
			}
		}
	}
	if len(all) != x.labels {
		t.Errorf("%d labels are counted as %d", len(all), x.labels)
	}
	if most := max(2*x.labels+2, indexMin); x.chains > most || chains > x.chains+max(indexPiece, x.chains) || cap(x.pieces) > 4*len(x.pieces)+4 {
		t.Errorf("%d chains in %d pieces for %d labels", x.chains, cap(x.pieces), x.labels)
	}
	return all
}

func (f *testFunc[V]) call(ctx context.Context, id int) typedCall[V] {
	c := typedCall[V]{Ctx: ctx, Run: func(ctx context.Context) (V, error) { return f.body(ctx, id) }}
	if f.tags != nil {
		c.Tags = f.tags(id)
	}
	return c
}

// load is the generated wrapper.
func (f *testFunc[V]) load(ctx context.Context, id int) (V, error) {
	k := testKey{id: id, name: "k"}
	h := k.hash()
	var v *V
	if ctx == nil {
		v = f.Get(h, &k)
	} else {
		v = f.GetCtx(ctx, h, &k)
	}
	if v != nil && f.store.o.ErrorTTL == 0 {
		return (*entry[testKey, V])(unsafe.Pointer(f.store.front.own(found{n: f.node(v)}))).val, nil
	}
	return f.Do(h, k, f.call(ctx, id))
}

// node returns the node of the entry that v, a result of Get, is in.
func (f *testFunc[V]) node(v *V) *node {
	return (*node)(unsafe.Add(unsafe.Pointer(v), -int(unsafe.Offsetof(entry[testKey, V]{}.val))))
}

func (f *testFunc[V]) refresh(ctx context.Context, id int) (V, error) {
	k := testKey{id: id, name: "k"}
	return f.Refresh(k.hash(), k, f.call(ctx, id))
}

func (f *testFunc[V]) acquire(ctx context.Context, id int) (V, func(), error) {
	k := testKey{id: id, name: "k"}
	return f.Acquire(k.hash(), k, f.call(ctx, id))
}

func (f *testFunc[V]) forget(id int) {
	k := testKey{id: id, name: "k"}
	f.Forget(k.hash(), k)
}

func (f *testFunc[V]) peek(id int) (V, bool) {
	k := testKey{id: id, name: "k"}
	return f.Peek(k.hash(), k)
}

func (f *testFunc[V]) prime(id int, v V) {
	k := testKey{id: id, name: "k"}
	f.Prime(k.hash(), k, v)
}

// want calls the function without a context and fails the test if it does not return v.
func want[V comparable](t *testing.T, f *testFunc[V], id int, v V) {
	t.Helper()
	got, err := f.load(noCtx, id)
	if err != nil || got != v {
		t.Fatalf("%s(%d) = %v, %v; want %v", f.store.o.Func, id, got, err, v)
	}
}

// noCtx is the context of a function that takes none.
var noCtx context.Context

// counting returns a body that counts its runs and returns the count.
func counting(runs *int) func(context.Context, int) (int, error) {
	var mu sync.Mutex
	return func(context.Context, int) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		*runs++
		return *runs, nil
	}
}

// logged collects what the engine logs during the test. A detached computation may log after its
// caller has got the result: in a bubble, whoever asks waits for that.
func logged(t *testing.T) func() []string {
	var mu sync.Mutex
	var lines []string
	old := logf
	logf = func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, fmt.Sprintf(format, args...))
	}
	settled := func() {
		if inBubble(clock()) {
			synctest.Wait()
		}
	}
	t.Cleanup(func() {
		settled()
		logf = old
	})
	return func() []string {
		settled()
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), lines...)
	}
}

// TestMain fails the run if goroutines, or anything else that belongs to a call, are left
// at its end.
func TestMain(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	if f := flag.Lookup("test.fuzz"); f != nil && f.Value.String() != "" {
		os.Exit(code) // the fuzzer has goroutines of its own
	}
	var left string
	for range 200 {
		if left = whatIsLeft(before); left == "" || code != 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if left != "" && code == 0 {
		fmt.Println(left)
		code = 1
	}
	os.Exit(code)
}

// whatIsLeft says what calls have left behind them, beside so many goroutines.
func whatIsLeft(goroutines int) string {
	if runtime.NumGoroutine() > goroutines {
		buf := make([]byte, 1<<20)
		return fmt.Sprintf("goroutines are left:\n%s", buf[:runtime.Stack(buf, true)])
	}
	if n := refreshing.Load(); n != 0 {
		return fmt.Sprintf("%d places in the pool of refreshes are lost", n)
	}
	locks := map[string]*sync.Mutex{"stores": &stores.Mutex, "tagEvents": &tagEvents.Mutex, "waitsMu": &waitsMu}
	for i := range running {
		locks[fmt.Sprintf("running[%d]", i)] = &running[i].Mutex
		if n := len(running[i].calls); n > 0 {
			return fmt.Sprintf("%d calls are left on goroutines", n)
		}
	}
	for _, s := range allStores() {
		locks["the store of "+s.o.Func] = &s.mu
		if len(s.flights) > 0 || s.running != nil {
			return fmt.Sprintf("%d computations of %s are left", len(s.flights), s.o.Func)
		}
	}
	for name, l := range locks {
		if !l.TryLock() {
			return fmt.Sprintf("the lock of %s is held", name)
		}
		l.Unlock()
	}
	if n := len(tagEvents.walking); n > 0 {
		return fmt.Sprintf("%d tags are being invalidated", n)
	}
	return ""
}

func TestKeyIsComputedOnceUntilDropped(t *testing.T) {
	runs := 0
	f := newFunc(t, nil, Options{TTL: time.Hour, Max: 100}, counting(&runs))
	want(t, f, 1, 1)
	want(t, f, 1, 1)
	want(t, f, 2, 2)
	f.forget(1)
	want(t, f, 1, 3)
	f.Clear()
	want(t, f, 2, 4)
	for i := range 1000 {
		f.load(context.Background(), i)
	}
	if s := f.Stats(); s.Entries != 100 {
		t.Fatalf("%+v", s)
	}
}

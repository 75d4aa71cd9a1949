package cachert

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// manyTagged keeps so many entries with one tag, some of them with one of their own as well.
func manyTagged(t testing.TB, n int) *testFunc[int] {
	f := newFunc(t, nil, Options{Func: "many"}, func(_ context.Context, id int) (int, error) { return id, nil })
	f.tags = func(id int) []string {
		if id%2 == 0 {
			return []string{"all", fmt.Sprint("own", id)}
		}
		return []string{"all"}
	}
	for id := range n {
		_, _ = f.load(noCtx, id)
	}
	return f
}

// However many entries a tag has, no more than a few of them are removed in one hold of the
// lock, and none is left when Invalidate returns.
func TestEntriesRemovedInOneHold(t *testing.T) {
	const n = 20 * holdLimit
	f := manyTagged(t, n)
	s := f.store
	var gone []*node
	s.mu.Lock()
	all := s.removeLabelled(&gone, label{kind: tagLabel, name: "all"})
	if left := s.policy.count(); all || left != n-holdLimit {
		t.Errorf("%d of %d are left after one hold", left, n)
	}
	s.mu.Unlock()
	// The lock is let go of between two holds: then what has gone is told.
	var told, most int
	count := n - holdLimit
	s.front.onLeft = func(*node) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if now := s.policy.count(); now != count {
			most, count = max(most, count-now), now
		}
		told++
	}
	Invalidate(context.Background(), "all")
	if most == 0 || most > holdLimit || told != n-holdLimit {
		t.Errorf("%d entries at once, %d in all", most, told)
	}
	if s.policy.count() != 0 || s.index.pieces != nil {
		t.Errorf("%d entries, %d labels are left", s.policy.count(), s.index.labels)
	}
}

// Clear removes everything at once, in a hold that touches no entry; what is to be done for
// each is done behind it, a few in each hold.
func TestClearTouchesNoEntryInItsHold(t *testing.T) {
	const n = 20 * holdLimit
	f := manyTagged(t, n)
	s := f.store
	entries := s.entries()
	s.mu.Lock()
	dead := s.removeAll()
	s.mu.Unlock()
	for _, id := range []int{0, 1, n - 1} {
		if _, ok := f.peek(id); ok {
			t.Errorf("%d is still served", id)
		}
	}
	for i, n := range entries {
		if s.kept(n) || n.newer == nil && i < len(entries)-1 {
			t.Fatal("an entry counts as kept, or was touched")
		}
	}
	want(t, f, 1, 1) // what comes meanwhile stays
	freed := 0
	s.front.onLeft = func(*node) {
		untouched := 0
		for _, n := range entries[freed:] {
			if n.newer != nil {
				untouched++
			}
		}
		if freed++; len(entries)-freed-untouched > holdLimit {
			t.Fatalf("%d told, %d of %d not freed yet", freed, untouched, len(entries))
		}
	}
	s.free(dead)
	if freed != n {
		t.Errorf("%d of %d were freed", freed, n)
	}
	s.front.onLeft = nil
	if _, ok := f.peek(1); !ok {
		t.Error("what came meanwhile has gone")
	}
}

// Bounds that are far smaller than what is kept are reached in several holds, and hold after
// each.
func TestNarrowerBoundsEvictInSeveralHolds(t *testing.T) {
	const n = 10 * holdLimit
	f := manyTagged(t, n)
	s := f.store
	count, most := n, 0
	s.front.onLeft = func(*node) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.policy.full(0, 0) {
			t.Error("a bound does not hold")
		}
		now := s.policy.count()
		most, count = max(most, count-now), now
	}
	if err := s.override(Override{Max: 10}); err != nil {
		t.Fatal(err)
	}
	if most != holdLimit || count != 10 || s.policy.max != 10 {
		t.Errorf("%d entries left in one hold, %d are kept of %d", most, count, s.policy.max)
	}
}

// However many values are due at once, no more than a few of them are taken out in one hold.
func TestValuesReleasedInOneHold(t *testing.T) {
	const n = 3*holdLimit + 1
	f := newFunc[int](t, nil, Options{Func: "resting", Grace: time.Hour}, nil)
	s := f.store
	now := clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.rest.push(&holding{st: s, due: now, resting: true}, s.nextRest())
	}
	for left := n; left > 0; {
		due, more := s.due(now)
		if left -= len(due); len(due) > holdLimit || more != (left > 0) || len(s.rest) != left {
			t.Fatalf("%d were taken out, %d are left of %d, more: %v", len(due), len(s.rest), left, more)
		}
	}
}

// To release what is due, no other value that rests is looked at.
func TestOnlyWhatIsDueIsLookedAt(t *testing.T) {
	const n = 1000
	f := newFunc[int](t, nil, Options{Func: "resting", Grace: time.Hour}, nil)
	s := f.store
	now := clock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range n {
		h := &holding{st: s, due: now + int64(i*7919%n), resting: true} // in no order
		s.rest.push(h, s.nextRest())
	}
	if due, _ := s.due(now + 9); len(due) != 10 || len(s.rest) != n-10 {
		t.Errorf("%d were due, %d rest", len(due), len(s.rest))
	}
	s.rest[0].h.due = now + n // needed meanwhile
	for i := range s.rest {
		if s.rest[i].due >= now+20 {
			s.rest[i].h = nil // a look at it would panic
		}
	}
	if due, _ := s.due(now + 19); len(due) != 9 || len(s.rest) != n-19 {
		t.Errorf("%d were due, %d rest", len(due), len(s.rest))
	}
	for i, r := range s.rest {
		if i > 0 && r.due < s.rest[(i-1)/2].due {
			t.Fatal("the order is lost")
		}
	}
	s.rest = nil
}

// The index gives its memory back when labels are gone, not only when all are, and grows and
// shrinks by a chain at a time.
func TestIndexFitsItsLabels(t *testing.T) {
	const n = 5000
	var x index
	nodes := make([]node, n)
	own := func(i int) label { return label{kind: tagLabel, name: fmt.Sprint(i)} }
	all := label{kind: tagLabel, name: "all"}
	change := func(do func()) { // of three labels
		t.Helper()
		before := x.chains
		if do(); x.chains > 0 && before > 0 && (x.chains > before+3 || x.chains < before-6) {
			t.Fatalf("from %d to %d chains at once", before, x.chains)
		}
	}
	for i := range nodes {
		nodes[i].meta = &meta{extra: noExtra}
		change(func() { x.add(&nodes[i], []label{all, own(i), {kind: sessionLabel, name: fmt.Sprint(i % 7)}, own(i)}) })
		if i%1000 == 0 {
			x.check(t)
		}
	}
	if entries := x.check(t); len(entries) != n+1+7 || len(entries[x.find(all)]) != n {
		t.Errorf("%d labels, %d entries with one", len(entries), len(entries[x.find(all)]))
	}
	for i := range n - 10 {
		change(func() { x.remove(&nodes[(i*7)%n]) })
		if i%1000 == 0 {
			x.check(t)
		}
	}
	if x.check(t); x.labels > 10+1+7 || x.chains > 64 || len(x.pieces) != 1 {
		t.Errorf("%d chains for %d labels", x.chains, x.labels)
	}
	for i := n - 10; i < n; i++ {
		change(func() { x.remove(&nodes[(i*7)%n]) })
	}
	if x.pieces != nil || x.labels != 0 {
		t.Errorf("%+v", x)
	}
}

// Nothing stays in the index of functions when tags and sessions are gone.
func TestIndexIsEmptyWhenLabelsAreGone(t *testing.T) {
	for _, what := range []string{"one by one", "tag", "session", "clear", "forget"} {
		f := newFunc(t, nil, Options{Func: "labels", Session: true}, func(_ context.Context, id int) (int, error) { return id, nil })
		f.tags = func(id int) []string { return []string{fmt.Sprint("own", id), "every"} }
		const n = 3000
		for id := range n {
			_, _ = f.load(WithSession(t.Context(), "s"), id)
		}
		x := &f.store.index
		if x.labels != n+2 {
			t.Errorf("%d labels", x.labels)
		}
		switch what {
		case "one by one":
			for id := range n - 1 {
				invalidate([]label{{kind: tagLabel, name: fmt.Sprint("own", id)}}, f.store)
			}
			if x.check(t); x.labels != 3 || len(x.pieces) != 1 || x.chains > 2*indexMin {
				t.Errorf("%d chains in %d pieces for %d labels", x.chains, len(x.pieces), x.labels)
			}
			invalidate([]label{{kind: tagLabel, name: fmt.Sprint("own", n-1)}}, f.store)
		case "tag":
			invalidate([]label{{kind: tagLabel, name: "every"}}, f.store)
		case "session":
			invalidate([]label{{kind: sessionLabel, name: "s"}}, f.store)
		case "clear":
			f.Clear()
		case "forget":
			for id := range n {
				f.forget(id)
			}
		}
		if f.store.policy.count() != 0 || x.pieces != nil || x.labels != 0 {
			t.Errorf("%s: %d entries, %d labels, %d pieces are left", what, f.store.policy.count(), x.labels, len(x.pieces))
		}
	}
}

// BenchmarkHold reports for how long somebody else could not have the lock of a function while
// a million entries came, whose table grew meanwhile, were dropped, or were swept: the longest
// wait, and the one that one in ten thousand exceeded. Beside a processor that is busy with
// something else they say little.
func BenchmarkHold(b *testing.B) {
	const n = 1_000_000
	for _, x := range []struct {
		how string
		do  func(f *testFunc[int])
	}{
		{"insert", nil},
		{"Invalidate", func(f *testFunc[int]) { invalidate([]label{{kind: tagLabel, name: "all"}}, f.store) }},
		{"EndSession", func(f *testFunc[int]) { invalidate([]label{{kind: sessionLabel, name: "s"}}, f.store) }},
		{"Clear", func(f *testFunc[int]) { f.Clear() }},
		{"sweep", func(f *testFunc[int]) {
			f.store.mu.Lock()
			defer f.store.mu.Unlock()
			f.store.sweep(never - 1)
		}},
	} {
		b.Run(x.how, func(b *testing.B) {
			f := newFunc(b, nil, Options{Func: "many", Session: true, TTL: time.Hour}, func(_ context.Context, id int) (int, error) { return id, nil })
			f.tags = func(int) []string { return []string{"all"} }
			ctx := WithSession(context.Background(), "s")
			fill := func() {
				for id := range n {
					_, _ = f.load(ctx, id)
				}
			}
			var longest, rare time.Duration
			for b.Loop() {
				b.StopTimer()
				do := func() { x.do(f) }
				if x.do == nil {
					f.Clear()
					do = fill
				} else {
					fill()
				}
				var done atomic.Bool
				ended := make(chan []time.Duration)
				go func() {
					var waits []time.Duration
					for !done.Load() {
						began := time.Now()
						f.store.mu.Lock()
						waits = append(waits, time.Since(began))
						f.store.mu.Unlock()
						time.Sleep(20 * time.Microsecond)
					}
					ended <- waits
				}()
				b.StartTimer()
				do()
				b.StopTimer()
				done.Store(true)
				waits := <-ended
				slices.Sort(waits)
				longest = max(longest, waits[len(waits)-1])
				rare = max(rare, waits[len(waits)-1-len(waits)/10_000])
				b.StartTimer()
			}
			b.ReportMetric(float64(longest.Microseconds()), "µs-longest-wait")
			b.ReportMetric(float64(rare.Microseconds()), "µs-p99.99")
		})
	}
}

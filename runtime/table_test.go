package cachert

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// jostle begins to change the size of the table, to any, or moves one entry: with it the
// histories of the model checks come to tables in all states.
func (s *store) jostle(r *rand.Rand) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resizing, s.moves = true, 1 // by nobody else
	switch t := s.table.Load(); {
	case t.newer.Load() != nil:
		s.move()
	case r.IntN(2) == 0:
		t.newer.Store(newTable(1 << r.IntN(4)))
	}
}

// tableHash spreads the keys of tests.
func tableHash(k int) uint64 { return uint64(k) * 0x9e3779b97f4a7c15 >> 20 }

// However far the entries of a table have moved to another one, each of them is found without
// the lock and with it, what has gone is not, and what has come is.
func TestFoundWhileTheTableIsResized(t *testing.T) {
	for _, size := range []int{minSlots, 64, 1024} { // it shrinks, and grows
		const n = 200
		s := newTyped[int, int](nil, Options{Func: "resized"})
		kept := map[int]bool{}
		for k := range n {
			s.Prime(tableHash(k), k, -k)
			kept[k] = true
		}
		st := s.store
		compare := func() {
			t.Helper()
			for k := range 3 * n {
				h := tableHash(k)
				v, ctx := s.Get(h, &k), s.GetCtx(t.Context(), h, &k)
				drawn := st.hit(t.Context(), nil, newNode(st, h, k))
				p, ok := s.Peek(h, k)
				if kept[k] != (v != nil) || kept[k] != (ctx != nil) || kept[k] != (drawn != nil) || kept[k] != ok {
					t.Fatalf("key %d, kept %v: %v, %v, %v, %v", k, kept[k], v, ctx, drawn, ok)
				}
				if ok && (*v != -k || *ctx != -k || p != -k) {
					t.Fatalf("key %d: %d, %d, %d", k, *v, *ctx, p)
				}
			}
			st.check(t)
		}
		st.mu.Lock()
		st.resizing, st.moves = true, 7
		old := st.table.Load()
		old.newer.Store(newTable(size))
		st.mu.Unlock()
		for i := 0; st.table.Load() == old; i++ {
			st.mu.Lock()
			st.move()
			st.mu.Unlock()
			come, gone, again := n+i, (i*37)%n, (i*53)%n
			s.Prime(tableHash(come), come, -come)
			s.Forget(tableHash(gone), gone)
			if kept[come], kept[gone] = true, false; kept[again] {
				s.Prime(tableHash(again), again, -again)
			}
			compare()
		}
		if got := st.table.Load(); len(got.slots) != size || got.newer.Load() != nil {
			t.Errorf("%d chains", len(got.slots))
		}
		compare()
		// Who has the old table yet finds everything too.
		for k := range kept {
			found := false
			for tab := old; tab != nil; tab = tab.newer.Load() {
				for m := tab.head(tableHash(k)).Load(); m != nil; m = m.next.Load() {
					found = found || *(*int)(keyIn(m)) == k && st.kept(m)
				}
			}
			if found != kept[k] {
				t.Errorf("key %d, kept %v: %v for one who has the old table", k, kept[k], found)
			}
		}
	}
}

// However many entries there are, no more than a few of them move in one hold of the lock,
// and only so many chains are looked at.
func TestEntriesMovedInOneHold(t *testing.T) {
	s := newTyped[int, int](nil, Options{Func: "moved"})
	st := s.store
	const n = 20 * holdLimit
	var gone []*node
	st.mu.Lock() // so that nobody else moves what insert does not
	for k := range n {
		before := st.table.Load()
		m := newNode(st, tableHash(k), k)
		m.expires = never
		st.insert(m, &gone)
		if after := st.table.Load(); after != before && k > holdLimit || after.moved > 0 || after.newer.Load() != nil {
			t.Fatalf("entries moved in the hold that brought entry %d", k)
		}
	}
	st.resizing = true // the one that is on its way finds the table changed
	moving := func(size int) {
		t.Helper()
		old := st.table.Load()
		newer := newTable(size)
		old.newer.Store(newer)
		left, chains := n, 0
		for st.table.Load() == old {
			st.move()
			now := 0
			for i := range old.slots[old.moved:] {
				for m := old.slots[old.moved+i].Load(); m != nil; m = m.next.Load() {
					now++
				}
			}
			if left-now > holdLimit || old.moved-chains > chainsLimit {
				t.Fatalf("%d entries, %d chains in one hold", left-now, old.moved-chains)
			}
			left, chains = now, old.moved
		}
		if left > 0 {
			t.Errorf("%d entries are left", left)
		}
	}
	moving(16 * chainsLimit)
	moving(1024)
	st.mu.Unlock()
	st.check(t)
}

// A table that is resized beside its callers ends with the size that fits, whatever they do
// meanwhile.
func TestTableFitsInTheEnd(t *testing.T) {
	for _, what := range []string{"grown", "cleared", "forgotten", "invalidated"} {
		synctest.Test(t, func(t *testing.T) {
			const n = 10 * holdLimit
			f := manyTagged(t, n)
			switch what {
			case "cleared":
				f.Clear()
			case "forgotten":
				for id := range n - 10 {
					f.forget(id)
				}
			case "invalidated":
				invalidate([]label{{kind: tagLabel, name: "all"}}, f.store)
			}
			synctest.Wait()
			s := f.store
			s.mu.Lock()
			defer s.mu.Unlock()
			tab, kept := s.table.Load(), s.policy.count()
			if size := len(tab.slots); kept > size || size > minSlots && kept < size/8 || s.resizing || tab.newer.Load() != nil {
				t.Errorf("%s: %d chains for %d entries", what, size, kept)
			}
		})
	}
}

// Readers walk chains that are moved under them: they may miss an entry, and never find
// another's, nor walk for ever. What they miss is there under the lock.
func TestReadersDuringResizes(t *testing.T) {
	s := newTyped[int, int](nil, Options{Func: "resizes"})
	hash := tableHash
	const resident, others = 64, 2048
	for k := range resident {
		s.Prime(hash(k), k, -k)
	}
	var done atomic.Bool
	var found, missed atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for k := 0; !done.Load(); k = (k + 1) % resident {
				switch v := s.Get(hash(k), &k); {
				case v == nil:
					missed.Add(1)
					if v, ok := s.Peek(hash(k), k); !ok || v != -k {
						t.Errorf("key %d is lost", k)
						return
					}
				case *v != -k:
					t.Errorf("key %d has the value %d", k, *v)
					return
				default:
					found.Add(1)
				}
			}
		})
	}
	rounds := 30
	if raceEnabled || testing.Short() {
		rounds = 5
	}
	for range rounds {
		for k := resident; k < resident+others; k++ { // the table grows
			s.Prime(hash(k), k, -k)
		}
		for k := resident; k < resident+others; k++ { // and shrinks
			s.Forget(hash(k), k)
		}
		runtime.Gosched()
	}
	done.Store(true)
	wg.Wait()
	s.store.check(t)
	if found.Load() == 0 {
		t.Error("nothing was found meanwhile")
	}
	t.Logf("%d found, %d missed", found.Load(), missed.Load())
	for k := range resident {
		if v := s.Get(hash(k), &k); v == nil || *v != -k {
			t.Errorf("key %d has gone", k)
		}
	}
}

package cachert

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// Readers walk chains that are moved under them: they may miss an entry, and never find
// another's, nor walk for ever.
func TestReadersDuringResizes(t *testing.T) {
	s := newTyped[int, int](nil, Options{Func: "resizes"})
	hash := func(k int) uint64 { return uint64(k) * 0x9e3779b97f4a7c15 >> 20 }
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
		for k := resident; k < resident+others; k++ {
			s.Forget(hash(k), k)
		}
		s.store.mu.Lock()
		s.store.table.Store(s.store.table.Load().resized(minSlots)) // and shrinks, as after a sweep
		s.store.mu.Unlock()
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

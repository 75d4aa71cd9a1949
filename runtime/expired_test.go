package cachert

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// lifeOps give each value a life of its own: so many minutes.
type lifeOps struct{}

func (lifeOps) TTL(v *int) time.Duration { return time.Duration(*v) * time.Minute }

// An entry that is past its end goes before one that is valid, also when no sweep has come
// by since it ended. In a table of some chains that holds exactly.
func TestExpiredGoesBeforeValid(t *testing.T) {
	for _, max := range []int{2, 3, 10, 60} {
		t.Run(fmt.Sprint(max), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := rand.New(rand.NewPCG(uint64(max), 1))
				f := newFunc[int](t, lifeOps{}, Options{TTL: time.Hour, Max: max}, nil)
				for i := range 40 * max {
					ended, valid := 0, []*node{}
					now := clock()
					for _, n := range f.store.entries() {
						if f.store.end(n) <= now {
							ended++
						} else {
							valid = append(valid, n)
						}
					}
					f.prime(i, 1+r.IntN(100))
					for _, n := range valid {
						if ended > 0 && !f.store.kept(n) {
							t.Fatalf("after %d: a valid entry went, and %d had ended", i, ended)
						}
					}
					if r.IntN(3) == 0 {
						time.Sleep(time.Duration(r.IntN(60)) * time.Second)
					}
				}
			})
		})
	}
}

// entries returns what is kept.
func (s *store) entries() (all []*node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range []*queue{&s.policy.small, &s.policy.main} {
		for n := q.oldest; n != nil; n = n.newer {
			all = append(all, n)
		}
	}
	return all
}

// Where nothing has ended nothing is looked for, and what has ended in a large table is
// found after some evictions at the latest.
func TestExpiredIsFoundInALargeTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const max = 4000
		f := newFunc[int](t, lifeOps{}, Options{TTL: 24 * time.Hour, Max: max}, nil)
		for i := range max {
			f.prime(i, 60+i%2*1000)
		}
		time.Sleep(time.Second)
		f.prime(max, 1000)
		if e := f.store.ends; e.hand != 0 || e.passed != never {
			t.Errorf("%+v: entries were looked at although none can have ended", e)
		}
		f.store.mu.Lock()
		f.store.alarm.at = f.store.alarm.at + int64(24*time.Hour) // no sweep comes by
		f.store.mu.Unlock()
		time.Sleep(2 * time.Hour)
		for i := range max {
			f.prime(max+1+i, 1000)
		}
		if s := f.Stats(); s.Expired < max/2-1 {
			t.Errorf("%d of %d that had ended went first", s.Expired, max/2)
		}
	})
}

// What is known of the ends is never later than the earliest one, whatever happens.
func TestEarliestEndIsABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(7, 7))
		f := newFunc(t, lifeOps{}, Options{TTL: time.Hour, Max: 700}, func(context.Context, int) (int, error) { return 1 + r.IntN(90), nil })
		for range 20_000 {
			switch r.IntN(200) {
			case 0:
				f.Clear()
			case 1:
				time.Sleep(time.Duration(r.IntN(600)) * time.Second)
			case 2:
				f.forget(r.IntN(2000))
			default:
				_, _ = f.load(noCtx, r.IntN(2000))
			}
			s := f.store
			earliest := int64(never)
			for _, n := range s.entries() {
				earliest = min(earliest, s.end(n))
			}
			s.mu.Lock()
			if s.ends.earliest > earliest {
				t.Fatalf("%+v, and an entry ends at %d", s.ends, earliest)
			}
			s.mu.Unlock()
		}
	})
}

// What is stored at the moment when the alarm goes off does not put it off.
func TestStoringDoesNotPutOffTheAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFunc(t, nil, Options{TTL: 10 * time.Second}, func(context.Context, int) (int, error) { return 1, nil })
		f.load(noCtx, 1)
		s := f.store
		s.mu.Lock()
		time.Sleep(10 * time.Second) // the alarm goes off, and waits for the lock
		s.alarm.set(s, after(clock(), 10*time.Second))
		s.mu.Unlock()
		synctest.Wait()
		if n := f.Stats().Entries; n != 0 {
			t.Errorf("%d entries are left", n)
		}
	})
}

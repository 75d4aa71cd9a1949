package cachert

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

type apartOps struct{}

func (apartOps) Copy(v *[]int) []int { return slices.Clone(*v) }

// A body may return its argument, or a package variable. What is kept and what the first
// caller gets are apart from it, so what one changes is in nobody else's.
func TestKeptValueIsOutOfTheBodysReach(t *testing.T) {
	for _, fails := range []error{nil, errors.New("fails")} {
		s := newTyped[int, []int](apartOps{}, Options{Func: "apart", ErrorTTL: 1e12})
		arg := []int{1, 2}
		call := typedCall[[]int]{Run: func(context.Context) ([]int, error) { return arg, fails }}
		first, err := s.Do(1, 1, call)
		if err != fails || !slices.Equal(first, arg) || &first[0] == &arg[0] {
			t.Errorf("the owner gets %v, %v; want a copy of %v, %v", first, err, arg, fails)
		}
		first[1], arg[0] = 200, 100
		k := 1
		if v := s.Get(1, &k); (v != nil) != (fails == nil) {
			t.Errorf("Get finds %v where the computation gave the error %v", v, fails)
		}
		if again, err := s.Do(1, 1, call); err != fails || !slices.Equal(again, []int{1, 2}) {
			t.Errorf("the next caller gets %v, %v", again, err)
		}
	}
}

// uncopiableOps are those of values of which no copy can be made: a *CopyError, in
// generated code.
type uncopiableOps struct{}

func (uncopiableOps) TryCopy(v *[]int) ([]int, error) { return nil, errors.New("cannot be copied") }

// What cannot be copied is its owner's alone: those who waited compute for themselves, and
// nothing of it is kept, computed or primed. Why is logged, once.
func TestUncopiableValueIsItsOwnersAlone(t *testing.T) {
	said := logged(t)
	defer func() {
		if lines := said(); len(lines) != 1 || !strings.Contains(lines[0], "a result is not kept: cannot be copied") {
			t.Errorf("logged: %q", lines)
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		f := newFunc[[]int](t, uncopiableOps{}, Options{}, func(ctx context.Context, id int) ([]int, error) {
			v := []int{int(runs.Add(1))}
			time.Sleep(time.Second)
			return v, nil
		})
		got := map[int]bool{}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				v, err := f.load(noCtx, 1)
				mu.Lock()
				defer mu.Unlock()
				if err != nil || len(v) != 1 || got[v[0]] {
					t.Errorf("%v, %v: not a value of its own", v, err)
					return
				}
				got[v[0]] = true
			})
		}
		wg.Wait()
		if s := f.Stats(); s.Entries != 0 || s.NotKept != 3 || runs.Load() != 3 {
			t.Errorf("%d entries, %d not kept, %d runs", s.Entries, s.NotKept, runs.Load())
		}
		f.prime(1, []int{7})
		if v, ok := f.peek(1); ok {
			t.Errorf("%v is primed, of which nobody could get a copy", v)
		}
	})
}

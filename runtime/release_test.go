package cachert

import (
	"context"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// releaseOps are those of a resource.
type releaseOps[V any] struct {
	released *[]V
	keep     func(*V) bool
	ttl      func(*V) time.Duration
}

func (o releaseOps[V]) Release(v *V) { *o.released = append(*o.released, *v) }
func (o releaseOps[V]) Keep(v *V) bool {
	return o.keep == nil || o.keep(v)
}
func (o releaseOps[V]) TTL(v *V) time.Duration {
	if o.ttl == nil {
		return math.MaxInt64
	}
	return o.ttl(v)
}

type badIdent struct{ released *int }

func (o badIdent) Release(*any)     { *o.released++ }
func (o badIdent) Ident(v *any) any { return *v }

// A resource behind an interface may be of a type that cannot be compared.
func TestIdentityThatCannotBeCompared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		released := 0
		f := newFunc(t, badIdent{&released}, Options{Resource: true}, func(context.Context, int) (any, error) {
			return []int{1}, nil
		})
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() { recover() }()
			f.load(noCtx, 1)
		}()
		<-done
		if !f.store.mu.TryLock() {
			t.Fatal("the lock is held")
		}
		f.store.mu.Unlock()
		f.prime(2, []int{2})
		f.Clear()
		synctest.Wait()
		if released != 2 {
			t.Errorf("%d of 2 released", released)
		}
	})
}

// A value is released even if a function of the user's panicked over it.
func TestValueOfAPanickingKeepIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var released []int
		f := newFunc(t, releaseOps[int]{released: &released, keep: func(*int) bool { panic("keep") }}, Options{Resource: true}, func(context.Context, int) (int, error) {
			return 7, nil
		})
		func() {
			defer func() { recover() }()
			f.load(noCtx, 1)
		}()
		synctest.Wait()
		if !slices.Equal(released, []int{7}) {
			t.Errorf("released: %v", released)
		}
	})
}

// Prime hands a resource over, whether it can be kept or not.
func TestPrimedValueThatIsNotKeptIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var released []int
		f := newFunc[int](t, releaseOps[int]{released: &released, ttl: func(*int) time.Duration { return 0 }}, Options{Resource: true}, nil)
		f.prime(1, 5)
		synctest.Wait()
		if !slices.Equal(released, []int{5}) {
			t.Errorf("released: %v", released)
		}
	})
}

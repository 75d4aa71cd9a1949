package cache

import (
	"context"
	"errors"
	"slices"
	"testing"
)

type apartOps struct{}

func (apartOps) Copy(v *[]int) []int { return slices.Clone(*v) }

// A body may return its argument, which its caller changes afterwards. Neither that nor
// what the first caller does with its result reaches what is kept.
func TestKeptValueIsOutOfTheBodysReach(t *testing.T) {
	for _, fails := range []error{nil, errors.New("fails")} {
		s := New[int, []int](apartOps{}, Options{Func: "apart", ErrorTTL: 1e12})
		arg := []int{1, 2}
		call := Call[[]int]{Run: func(context.Context) ([]int, error) { return arg, fails }}
		first, err := s.Do(1, 1, call)
		if err != fails || &first[0] != &arg[0] {
			t.Errorf("the owner gets %v, %v instead of what its computation gave", first, err)
		}
		arg[0] = 100
		k := 1
		if v := s.Get(1, &k); (v != nil) != (fails == nil) {
			t.Errorf("Get finds %v where the computation gave the error %v", v, fails)
		}
		if again, err := s.Do(1, 1, call); err != fails || !slices.Equal(again, []int{1, 2}) {
			t.Errorf("the next caller gets %v, %v", again, err)
		}
	}
}

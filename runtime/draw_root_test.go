package cachert

import (
	"context"
	"fmt"
	"testing"
)

// scopedSurface is a plain surface of some scope.
type scopedSurface struct {
	plainSurface
	scope string
}

func (s *scopedSurface) Scope() string { return s.scope }

// Forget finds the outcomes of a key at all roots, also of more scopes than are known: at a
// root that is known an entry has no label of its key, and elsewhere it has one.
func TestForgetAtEveryRoot(t *testing.T) {
	d := NewDrawn[int, int](nil, DrawOptions{Options: Options{Func: "roots", Site: "x"}})
	t.Cleanup(func() { retire(t, d.drawn.store) })
	runs := 0
	draw := func(scope string, key int) {
		t.Helper()
		s := &scopedSurface{scope: scope}
		if _, err := d.Do(uint64(key), key, &DrawCall{Ctx: context.Background(), Surface: s, Run: func(context.Context, any) error {
			runs++
			return nil
		}}); err != nil {
			t.Fatal(err)
		}
	}
	const scopes = 2 * rootsMax
	all := func(key int) (ran int) {
		t.Helper()
		before := runs
		for i := range scopes {
			draw(fmt.Sprint("scope", i), key)
		}
		return runs - before
	}
	for key := range 3 {
		if n := all(key); n != scopes {
			t.Errorf("key %d was drawn %d times", key, n)
		}
	}
	if n := d.drawn.store.index.labels; n != 3 {
		t.Errorf("%d labels", n)
	}
	d.Forget(1, 1)
	for key := range 3 {
		want := 0
		if key == 1 {
			want = scopes
		}
		if n := all(key); n != want {
			t.Errorf("key %d was drawn %d times after Forget of 1, not %d", key, n, want)
		}
	}
}

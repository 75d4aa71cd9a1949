package cachert

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A function whose only result is an error has both of its outcomes kept: the error for
// ErrorTTL, and that there is none for TTL.
func TestErrorAloneIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := errors.New("bad")
		runs := 0
		f := newFunc[struct{}](t, nil, Options{TTL: time.Hour, ErrorTTL: time.Minute}, func(_ context.Context, id int) (struct{}, error) {
			if runs++; id < 0 {
				return struct{}{}, bad
			}
			return struct{}{}, nil
		})
		peek := func(id int) (error, bool) {
			k := testKey{id: id, name: "k"}
			return PeekError(f.Site, k.hash(), k)
		}
		for range 3 {
			_, good := f.load(context.Background(), 1)
			_, err := f.load(context.Background(), -1)
			if good != nil || err != bad {
				t.Fatalf("got %v and %v", good, err)
			}
		}
		if runs != 2 {
			t.Errorf("%d runs, want 2", runs)
		}
		for _, c := range []struct {
			id int
			ok bool
		}{{1, true}, {-1, true}, {2, false}} {
			if err, ok := peek(c.id); ok != c.ok || ok && (err == bad) != (c.id < 0) {
				t.Errorf("PeekError of %d: %v, %v", c.id, err, ok)
			}
		}
		time.Sleep(2 * time.Minute)
		if _, ok := peek(-1); ok {
			t.Error("an error is there past its time")
		}
		if _, ok := peek(1); !ok {
			t.Error("nil is gone before its time")
		}
	})
}

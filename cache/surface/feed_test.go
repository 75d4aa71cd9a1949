package surface

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
)

// chunks are writes, one by one; the first waits until it is let.
type chunks struct {
	let chan struct{}
	got [][]byte
	do  func() error // at each write, if not nil
}

func (c *chunks) Write(p []byte) (int, error) {
	<-c.let
	c.got = append(c.got, bytes.Clone(p))
	if c.do != nil {
		return len(p), c.do()
	}
	return len(p), nil
}

// What is written while the place is slow arrives in order, in few pieces, and the caller's
// buffer is its own again.
func TestFeedJoinsWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f Feed
		f.Start(nil)
		to := &chunks{let: make(chan struct{})}
		var want bytes.Buffer
		buf := make([]byte, 0, 8)
		for i := range 100 {
			if i == 50 {
				f.Do(0, func() error { to.got = append(to.got, []byte("|")); return nil })
				want.WriteByte('|')
			}
			buf = fmt.Append(buf[:0], i, " ")
			want.Write(buf)
			if _, err := f.Write(to, buf); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		close(to.let)
		if err := f.Stop(); err != nil {
			t.Fatal(err)
		}
		if got := bytes.Join(to.got, nil); !bytes.Equal(got, want.Bytes()) || len(to.got) > 5 {
			t.Errorf("%d pieces: %q", len(to.got), got)
		}
	})
}

// A place that fails, panics or ends its goroutine is given nothing more, holds up nobody
// who draws, and is heard of when the feed is stopped.
func TestFeedWhosePlaceEnds(t *testing.T) {
	gone := errors.New("gone")
	for name, c := range map[string]struct {
		do   func() error
		want any
	}{
		"error":  {func() error { return gone }, gone},
		"panic":  {func() error { panic("place") }, "place"},
		"goexit": {func() error { runtime.Goexit(); return nil }, errFeedExit},
	} {
		synctest.Test(t, func(t *testing.T) {
			var f Feed
			f.Start(nil)
			to := &chunks{let: make(chan struct{}), do: c.do}
			f.Write(to, []byte("first"))
			synctest.Wait()
			drawn := make(chan struct{})
			go func() {
				defer close(drawn)
				for range 3 { // more than a feed holds
					f.Do(inFlightFree, func() error { t.Errorf("%s: something was drawn afterwards", name); return nil })
				}
			}()
			synctest.Wait()
			close(to.let)
			<-drawn
			var got any
			func() {
				defer func() {
					if p := recover(); p != nil {
						got = p
					}
				}()
				got = f.Stop()
			}()
			if got != c.want || len(to.got) != 1 {
				t.Errorf("%s: %v after %d writes", name, got, len(to.got))
			}
		})
	}
}

package surface

import (
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"unsafe"
)

// However many holders take as much as they can, all of them together stay within the
// bound, who comes next still gets a part, and everything comes back.
func TestSharesOfMemoryInFlight(t *testing.T) {
	if n := inFlight.Load(); n != 0 {
		t.Fatalf("%d bytes are in flight before", n)
	}
	var all []*share
	for n := range 200 {
		s := &share{}
		for s.take(1000) {
		}
		all = append(all, s)
		if total := inFlight.Load(); total > inFlightMax || total < 0 {
			t.Fatalf("%d bytes in flight", total)
		}
		if s.n < inFlightFree-1000 || n < 8 && s.n < inFlightMax>>(n+2) || s.n > inFlightMax/2+2*inFlightFree {
			t.Fatalf("holder %d gets %d bytes", n, s.n)
		}
	}
	if total := inFlight.Load(); total < inFlightMax/4*3 {
		t.Errorf("greedy holders get no more than %d bytes", total)
	}
	for i, s := range all {
		if i%2 == 0 {
			s.give(s.n / 2)
		}
		s.give(s.n)
	}
	if n := inFlight.Load(); n != 0 {
		t.Errorf("%d bytes are in flight afterwards", n)
	}
}

// fedSurface draws through a feed to a place, as connections do.
type fedSurface struct {
	Recorder
	RequestInputs
	feed Feed
	to   io.Writer
}

func (s *fedSurface) Scope() string { return "fed" }
func (s *fedSurface) Record() Recording {
	s.feed.Start(&s.Recorder)
	return s.Open(nil)
}
func (s *fedSurface) Drain() error { return s.feed.Stop() }
func (s *fedSurface) Write(p []byte) (int, error) {
	return s.feed.Stream(&s.Recorder, "bytes", "", s.to, p)
}
func (s *fedSurface) Replay(t *Tape) error {
	return Play(t, func(e *Element) ([]byte, error) { return e.Data, nil }, func(p []byte) error {
		_, err := s.to.Write(p)
		return err
	})
}

// stalled is a client that reads nothing until it is let, and then fails with err.
type stalled struct {
	let chan struct{}
	err error
}

func (c *stalled) Write(p []byte) (int, error) {
	<-c.let
	return len(p), c.err
}

// What waits for a client is the memory of the tape, not a copy of it, and a small tape takes no
// more than its bytes.
func TestFeedAndTapeShareMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fedSurface{to: &stalled{let: make(chan struct{})}}
		rec := s.Record()
		s.Write([]byte("first"))
		synctest.Wait()
		const size = 1 << 20
		for range size / 64 {
			s.Write(make([]byte, 64))
		}
		tape, err := rec.Commit()
		if err != nil {
			t.Fatal(err)
		}
		type span struct{ from, to uintptr }
		spanOf := func(b []byte) span {
			from := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
			return span{from, from + uintptr(len(b))}
		}
		var kept []span
		for _, e := range tape.Elements() {
			kept = append(kept, spanOf(e.Data))
			if cap(e.Data) > len(e.Data)*5/4 {
				t.Errorf("%d bytes take %d", len(e.Data), cap(e.Data))
			}
		}
		own := 0
		for _, f := range s.feed.queue {
			b := spanOf(f.bytes)
			if !slices.ContainsFunc(kept, func(k span) bool { return k.from <= b.from && b.to <= k.to }) {
				own += len(f.bytes)
			}
		}
		if own > size/2 {
			t.Errorf("%d of %d bytes that wait are copies", own, size)
		}
		close(s.to.(*stalled).let)
		if err := s.Drain(); err != nil {
			t.Fatal(err)
		}
	})
}

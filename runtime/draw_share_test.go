package cachert

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachegen/cachegen/cache/surface"
)

// fedSurface draws through a feed to a place, as connections do.
type fedSurface struct {
	surface.Recorder
	surface.RequestInputs
	feed surface.Feed
	to   io.Writer
}

func (s *fedSurface) Scope() string { return "fed" }
func (s *fedSurface) Record() surface.Recording {
	s.feed.Start(&s.Recorder)
	return s.Open(nil)
}
func (s *fedSurface) Drain() error { return s.feed.Stop() }
func (s *fedSurface) Write(p []byte) (int, error) {
	return s.feed.Stream(&s.Recorder, "bytes", "", s.to, p)
}
func (s *fedSurface) Replay(t *surface.Tape) error {
	return surface.Play(t, func(e *surface.Element) ([]byte, error) { return e.Data, nil }, func(p []byte) error {
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

// counted is a client that reads everything.
type counted struct{ n int }

func (c *counted) Write(p []byte) (int, error) { c.n += len(p); return len(p), nil }

type nothing = struct{}

func fedSite(o Options) *Drawn[int, nothing] {
	o.Func, o.Site = "fed", "x"
	return NewDrawn[int, nothing](nil, DrawOptions{Options: o, Widgets: true})
}

// Nobody waits for another's client: not where the page may not be kept, since it is too
// large or says so, nor where the body has to wait for its client, nor where it has moved
// on to other inputs.
func TestNobodyWaitsForAClient(t *testing.T) {
	const part = 32 << 10
	for name, draw := range map[string]func(ctx context.Context, s *fedSurface){
		"too large": func(_ context.Context, s *fedSurface) {
			for range 64 {
				s.Write(make([]byte, part))
			}
		},
		"one write that is too large": func(_ context.Context, s *fedSurface) { s.Write(make([]byte, 64*part)) },
		"refused": func(_ context.Context, s *fedSurface) {
			s.Refuse(errors.New("it is somebody's"))
			for range 8 {
				s.Write(make([]byte, part))
			}
		},
		"refused after an input": func(ctx context.Context, s *fedSurface) {
			Input(ctx, "a")
			s.Refuse(errors.New("it is somebody's"))
			Input(ctx, "b")
			for range 8 {
				s.Write(make([]byte, part))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := fedSite(Options{MaxBytes: 1 << 20})
				call := func(to io.Writer) error {
					s := &fedSurface{RequestInputs: surface.RequestInputs{Inputs: asked{surface.EncodeInput([]string{"v"}, nil)}}, to: to}
					_, err := d.Do(1, 1, &DrawCall{Ctx: t.Context(), Surface: s, Run: func(ctx context.Context, _ any) error {
						draw(ctx, s)
						return nil
					}})
					return err
				}
				gone := errors.New("the write deadline has passed")
				stuck := &stalled{make(chan struct{}), gone}
				done := make(chan error, 1)
				go func() { done <- call(stuck) }()
				synctest.Wait()
				var readers sync.WaitGroup
				for range 5 {
					readers.Go(func() {
						to := &counted{}
						if err := call(to); err != nil || to.n < 8*part {
							t.Errorf("a client that reads got %d bytes, %v", to.n, err)
						}
					})
				}
				readers.Wait()
				select {
				case <-done:
					t.Error("the body did not wait for its client")
				default:
				}
				close(stuck.let)
				if err := <-done; err != gone {
					t.Error(err)
				}
				if s := d.Stats(); s.Loads != 6 || s.InFlight != 0 {
					t.Errorf("%+v", s)
				}
			})
			if n := surface.InFlight(); n != 0 {
				t.Errorf("%d bytes are still in flight", n)
			}
		})
	}
}

// Those who wait already are let go at the moment when it is known that the page will not
// be for them.
func TestWaitersAreLetGoAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := fedSite(Options{})
		refuse, end := make(chan struct{}), make(chan struct{})
		var runs atomic.Int32
		call := func() {
			s := &fedSurface{to: io.Discard}
			if _, err := d.Do(1, 1, &DrawCall{Ctx: t.Context(), Surface: s, Run: func(ctx context.Context, _ any) error {
				if runs.Add(1) == 1 {
					<-refuse
					s.Refuse(errors.New("it is somebody's"))
					<-end
				}
				return nil
			}}); err != nil {
				t.Error(err)
			}
		}
		go call()
		synctest.Wait()
		waited := make(chan struct{})
		go func() { call(); close(waited) }()
		synctest.Wait()
		if runs.Load() != 1 {
			t.Fatal("the second call did not wait")
		}
		close(refuse)
		<-waited
		close(end)
		synctest.Wait()
		if s := d.Stats(); runs.Load() != 2 || s.Entries != 1 {
			t.Errorf("%d runs, %+v", runs.Load(), s)
		}
	})
}

// A body that goes on after a flush is a stream: a caller that waits gets one of its own. One
// that ends soon after its flush is waited for.
func TestStreamsAreNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := fedSite(Options{TTL: time.Hour})
		var runs atomic.Int32
		call := func(ctx context.Context, key int, goesOn bool) error {
			s := &fedSurface{to: io.Discard}
			_, err := d.Do(uint64(key), key, &DrawCall{Ctx: ctx, Surface: s, Run: func(ctx context.Context, _ any) error {
				runs.Add(1)
				for goesOn {
					s.Write([]byte("data: x\n\n"))
					s.Flushed()
					select {
					case <-ctx.Done():
						return ctx.Err()
					case <-time.After(50 * time.Millisecond):
					}
				}
				s.Flushed()
				time.Sleep(streamAfter / 2)
				return nil
			}})
			return err
		}
		var listeners sync.WaitGroup
		ctx, leave := context.WithCancel(t.Context())
		for range 4 {
			listeners.Go(func() { call(ctx, 1, true) })
		}
		time.Sleep(streamAfter + time.Millisecond)
		synctest.Wait()
		if n := runs.Load(); n != 4 {
			t.Errorf("of 4 listeners %d listen", n)
		}
		listeners.Go(func() { call(ctx, 1, true) })
		synctest.Wait()
		if runs.Load() != 5 {
			t.Error("one that comes later has to wait")
		}
		leave()
		listeners.Wait()

		runs.Store(0)
		for range 4 {
			listeners.Go(func() { call(t.Context(), 2, false) })
		}
		listeners.Wait()
		if n := runs.Load(); n != 1 {
			t.Errorf("a page that was flushed at its end was computed %d times", n)
		}
	})
}

// What has left the cache and is still being shown is counted, and given back. While there is
// too much of it, a function that has some runs its body for clients that ask for large
// pages, and for no others.
func TestPagesThatLeaveWhileTheyAreShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 512 << 10
		d, other := fedSite(Options{MaxBytes: 1 << 20}), fedSite(Options{MaxBytes: 1 << 20})
		runs := 0
		call := func(d *Drawn[int, nothing], key int, to io.Writer) {
			s := &fedSurface{to: to}
			if _, err := d.Do(uint64(key), key, &DrawCall{Surface: s, Run: func(context.Context, any) error {
				runs++
				if key < 0 {
					s.Write(make([]byte, 100))
					return nil
				}
				s.Write(make([]byte, size))
				return nil
			}}); err != nil {
				t.Error(err)
			}
		}
		slow := &stalled{let: make(chan struct{})}
		call(d, 1, io.Discard)
		for range 3 {
			go call(d, 1, slow)
		}
		synctest.Wait()
		if n := d.drawn.orphans.Load(); runs != 1 || n != 0 {
			t.Fatalf("%d runs, %d bytes count before the page has left", runs, n)
		}
		for key := range 5 {
			call(d, 10+key, io.Discard)
		}
		d.Forget(1, 1)
		if n := d.drawn.orphans.Load(); n < size || n > 2*size || n != orphans.Load() {
			t.Errorf("%d bytes are shown to 3 clients, and %d count", size, n)
		}

		orphans.Add(orphansMax)
		for _, c := range []struct {
			d    *Drawn[int, nothing]
			key  int
			want int
		}{{d, 20, 2}, {d, -1, 1}, {other, 20, 1}} {
			runs = 0
			call(c.d, c.key, io.Discard)
			call(c.d, c.key, io.Discard)
			if runs != c.want {
				t.Errorf("page %d was computed %d times, want %d", c.key, runs, c.want)
			}
		}
		orphans.Add(-orphansMax)

		close(slow.let)
		synctest.Wait()
		if n := d.drawn.orphans.Load(); n != 0 || orphans.Load() != 0 {
			t.Errorf("%d bytes count after everything was shown", n)
		}
	})
}

// Callers of a drawing that was for its caller alone the last time do not wait for one another,
// until one of the drawings is for all: then they do again. Another failure to keep it has no
// such effect, and other inputs have an expectation of their own.
func TestPersonalDrawingsDoNotQueue(t *testing.T) {
	own := surface.Personal(errors.New("it is somebody's"))
	broken := errors.New("the server is down")
	type round struct {
		input  string
		refuse error
		at     int32 // bodies that run at once before the first of them ends
		loads  int32
	}
	const all = 16
	undeclared := errors.New("reads without the option")
	for name, rounds := range map[string][]round{
		"somebody's, and for all again": {{"a", own, 1, all}, {"a", own, all, all}, {"a", own, all, all}, {"a", nil, all, all}, {"a", nil, 1, 1}},
		"a failure":                     {{"a", broken, 1, all}, {"a", broken, 1, all}, {"a", nil, 1, 1}},
		"a failure in between":          {{"a", own, 1, all}, {"a", broken, all, all}, {"a", own, all, all}},
		"other inputs":                  {{"a", own, 1, all}, {"b", nil, 1, 1}, {"a", own, all, all}},
		"some of many inputs": {
			{"a", own, 1, all}, {"b", own, 1, all}, {"a", nil, all, all}, {"a", nil, 1, 1}, {"b", own, all, all}},
		"without the option widgets": {{"a", undeclared, 1, all}, {"b", undeclared, all, all}, {"a", nil, all, all}, {"a", nil, 1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := fedSite(Options{})
				d.drawn.o.Widgets = rounds[0].refuse != undeclared
				for i, r := range rounds {
					d.Clear()
					gate := make(chan struct{})
					var inside atomic.Int32
					var callers sync.WaitGroup
					for range all {
						callers.Go(func() {
							to, drew := &counted{}, int32(0)
							s := &fedSurface{RequestInputs: surface.RequestInputs{Inputs: asked{surface.EncodeInput([]string{r.input}, nil)}}, to: to}
							_, err := d.Do(1, 1, &DrawCall{Ctx: t.Context(), Surface: s, Run: func(ctx context.Context, _ any) error {
								if d.drawn.o.Widgets {
									Input(ctx, "who")
								}
								drew = inside.Add(1)
								<-gate
								s.Write(make([]byte, drew))
								switch r.refuse {
								case nil:
								case undeclared:
									Input(ctx, "who")
								default:
									s.Refuse(r.refuse)
								}
								return nil
							}})
							if r.refuse != nil && to.n != int(drew) {
								t.Errorf("a caller got what is of %d, not of %d", to.n, drew)
							}
							if err != nil || to.n == 0 {
								t.Errorf("a caller got %d bytes, %v", to.n, err)
							}
						})
					}
					synctest.Wait()
					at := inside.Load()
					close(gate)
					callers.Wait()
					if loads := inside.Load(); at != r.at || loads != r.loads {
						t.Errorf("round %d: %d bodies ran at once, %d in all; want %d and %d", i, at, loads, r.at, r.loads)
					}
				}
			})
		})
	}
}

// Where very many entries are for one caller each, all of the function are taken for such, until
// one is for all.
func TestPersonalDrawingsOfManyEntries(t *testing.T) {
	s := fedSite(Options{}).drawn.store
	for h := range uint64(maxPersonalDrawn) {
		s.drewPersonal(h)
	}
	if !s.expectsPersonal(&caller{}, 5) || s.expectsPersonal(&caller{}, maxPersonalDrawn) {
		t.Error("not those that were")
	}
	s.drewPersonal(maxPersonalDrawn)
	if !s.expectsPersonal(&caller{}, maxPersonalDrawn+1) {
		t.Error("not all")
	}
	s.wasForAll(5)
	if s.personal.Load() != nil {
		t.Error("it does not end")
	}
}

// Package datastar lets cached functions draw to a Datastar event generator
// (github.com/starfederation/datastar-go).
//
// The body gets a generator that stands in for the caller's. What is on the tape are
// events, before they are compressed, so that a result can be replayed to a client with
// another encoding. Signals are inputs: through cache.Input behind html.Middleware, or
// where the generator finds datastar.ReadSignals in the source.
package datastar

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/starfederation/datastar-go/datastar"

	cache "github.com/cachegen/cachegen/runtime"
)

type sse = datastar.ServerSentEventGenerator

const kindEvent = "event"

// Bind binds an event generator.
func Bind(ctx context.Context, g *sse, in cache.Inputs) (context.Context, *sse, cache.Surface) {
	s := &surface{in: in, up: g, ctx: &lateContext{Context: g.Context()}}
	s.ctx.of = s
	if outer, ok := g.Context().Value(boundKey{}).(*surface); ok && (outer.bound == g || outer.outer == g) {
		s.nested = true
		s.Within(outer)
	}
	s.bound = newSSE(s.ctx, s.draw)
	s.outer = g
	if !s.nested {
		s.outer = newSSE(g.Context(), s.show)
	}
	return ctx, s.bound, s
}

// newSSE returns a generator whose events go to send.
func newSSE(ctx context.Context, send func(event []byte) error) *sse {
	r := (&http.Request{ProtoMajor: 2}).WithContext(ctx)
	return datastar.NewSSE(tap{http.Header{}, send}, r)
}

// tap is what a generator writes to: each event in one call.
type tap struct {
	header http.Header
	send   func([]byte) error
}

func (t tap) Header() http.Header { return t.header }
func (t tap) WriteHeader(int)     {}
func (t tap) Flush()              {}
func (t tap) Write(p []byte) (int, error) {
	if err := t.send(bytes.Clone(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

type boundKey struct{}

// lateContext is the caller's context, until the body has one of its own.
type lateContext struct {
	context.Context
	of   *surface
	body atomic.Pointer[context.Context]
}

func (c *lateContext) Value(key any) any {
	if key == any(boundKey{}) {
		return c.of
	}
	if b := c.body.Load(); b != nil {
		return (*b).Value(key)
	}
	return c.Context.Value(key)
}

type surface struct {
	cache.Recorder
	in     cache.Inputs
	up     *sse // the caller's
	bound  *sse // the body's
	outer  *sse // for the caller's content, while the body runs
	nested bool
	ctx    *lateContext
	feed   cache.Feed
	mu     sync.Mutex // the order on the tape is that of the feed
}

// Outer implements cache.Outer.
func (s *surface) Outer() *sse { return s.outer }

// Context implements cache.ContextSurface.
func (s *surface) Context() context.Context { return s.up.Context() }

// SetContext implements cache.ContextSurface.
func (s *surface) SetContext(ctx context.Context) { s.ctx.body.Store(&ctx) }

// Scope implements cache.Surface.
func (s *surface) Scope() string { return "datastar" }

// Value implements cache.Surface.
func (s *surface) Value(widget string) ([]byte, bool) {
	if s.in == nil {
		return nil, false
	}
	return s.in.Value(widget)
}

// Foreseen implements cache.Foreseer.
func (s *surface) Foreseen() []cache.Read {
	if f, ok := s.in.(cache.Foreseer); ok {
		return f.Foreseen()
	}
	return nil
}

// Record implements cache.Surface.
func (s *surface) Record() cache.Recording {
	if !s.nested {
		s.feed.Start()
	}
	return s.Open(nil)
}

// Drain implements cache.Drainer.
func (s *surface) Drain() error { return s.feed.Stop() }

// draw is called for each event of the body.
func (s *surface) draw(event []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.Draw(cache.Element{Op: cache.Put, Kind: kindEvent, Data: event}); err != nil {
		return err
	}
	return s.show(event)
}

// show sends an event to the caller's generator, in its turn.
func (s *surface) show(event []byte) error {
	e, err := parse(event)
	if err != nil {
		return err
	}
	return s.feed.Do(len(event), func() error { return e.send(s.up) })
}

// Replay implements cache.Surface.
func (s *surface) Replay(t *cache.Tape) error {
	if err := t.Check(kindEvent); err != nil {
		return err
	}
	events := make([]event, len(t.Elements()))
	for i, e := range t.Elements() {
		if e.Op == cache.Hole {
			continue
		}
		var err error
		if events[i], err = parse(e.Data); err != nil {
			return fmt.Errorf("%w: element %d: %v", cache.ErrTape, i, err)
		}
	}
	for i, e := range t.Elements() {
		var err error
		if e.Op == cache.Hole {
			err = t.Hole(e.Index)
		} else {
			err = events[i].send(s.up)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// event is what Send was called with.
type event struct {
	typ  datastar.EventType
	data []string
	opts []datastar.SSEEventOption
}

func (e event) send(to *sse) error { return to.Send(e.typ, e.data, e.opts...) }

// parse reads an event as the generator writes it: its type, perhaps id and retry, and
// data, whose lines may themselves have more lines.
func parse(b []byte) (e event, err error) {
	text := strings.TrimSuffix(string(b), "\n\n")
	typ, rest, _ := strings.Cut(strings.TrimSuffix(text, "\n"), "\n")
	typ, ok := strings.CutPrefix(typ, "event: ")
	if !ok {
		return e, errors.New("not an event")
	}
	e.typ = datastar.EventType(typ)
	for line := range strings.SplitSeq(rest, "\n") {
		name, value, _ := strings.Cut(line, ": ")
		switch {
		case name == "data":
			e.data = append(e.data, value)
		case len(e.data) > 0:
			e.data[len(e.data)-1] += "\n" + line
		case name == "id":
			e.opts = append(e.opts, datastar.WithSSEEventId(value))
		case name == "retry":
			ms, err := strconv.Atoi(value)
			if err != nil {
				return e, err
			}
			e.opts = append(e.opts, datastar.WithSSERetryDuration(time.Duration(ms)*time.Millisecond))
		case line != "":
			return e, fmt.Errorf("an event has a line %q", line)
		}
	}
	return e, nil
}

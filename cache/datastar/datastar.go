// Package datastar lets cached functions draw to a Datastar event generator
// (github.com/starfederation/datastar-go).
//
// The body gets a generator that stands in for the caller's. What is on the tape are
// events, before they are compressed, so that a result can be replayed to a client with
// another encoding. Signals are inputs: through cache.Input behind web.Middleware, or
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
	"time"

	"github.com/starfederation/datastar-go/datastar"

	"github.com/cachegen/cachegen/cache/surface"
	"github.com/cachegen/cachegen/cache/web"
)

type sse = datastar.ServerSentEventGenerator

const kindEvent = "event"

type generator struct {
	surface.Recorder
	surface.RequestInputs
	surface.ContextHolder
	up     *sse // the caller's
	bound  *sse // the body's
	nested bool
	feed   surface.Feed
	mu     sync.Mutex // the order on the tape is that of the feed
}

// Bind binds an event generator. For the nil one the body gets nil.
func Bind(ctx context.Context, g *sse, in surface.Inputs) (context.Context, *sse, surface.Surface) {
	if g == nil {
		return ctx, nil, web.BindNil[*sse](in)
	}
	s := &generator{RequestInputs: surface.RequestInputs{Inputs: in}, up: g}
	if outer, ok := surface.Of(g.Context()).(*generator); ok && outer.bound == g {
		s.nested = true
		s.Within(outer)
	}
	s.bound = newSSE(s.Carry(g.Context()), s.draw)
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

// Outer implements surface.OuterDrawer: what the caller's content is drawn on while the body runs.
func (s *generator) Outer() *sse {
	if s.nested {
		return s.up
	}
	return newSSE(s.up.Context(), s.show)
}

// Scope implements surface.Surface.
func (s *generator) Scope() string { return "datastar" }

// Record implements surface.Surface.
func (s *generator) Record() surface.Recording {
	if !s.nested {
		s.feed.Start(&s.Recorder)
	}
	return s.Open(nil)
}

// Drain implements surface.Drainer.
func (s *generator) Drain() error { return s.feed.Stop() }

// draw is called for each event of the body.
func (s *generator) draw(event []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.Draw(surface.Element{Op: surface.Put, Kind: kindEvent, Data: event}); err != nil {
		return err
	}
	s.Flushed()
	return s.show(event)
}

// show sends an event to the caller's generator, in its turn.
func (s *generator) show(event []byte) error {
	return s.feed.Do(len(event), func() error { // which holds the event as the tape has it
		e, err := parse(event)
		if err != nil {
			return err
		}
		return e.send(s.up)
	})
}

// Replay implements surface.Surface.
func (s *generator) Replay(t *surface.Tape) error {
	return surface.Play(t, func(e *surface.Element) (event, error) {
		if e.Kind != kindEvent {
			return event{}, fmt.Errorf("it is of kind %q", e.Kind)
		}
		return parse(e.Data)
	}, func(e event) error { return e.send(s.up) })
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

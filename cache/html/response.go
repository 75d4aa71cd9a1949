package html

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/cachegen/cachegen/cache/surface"
	"github.com/cachegen/cachegen/cache/web"
)

// Response stands in for the http.ResponseWriter of one call. While it is recorded, the
// body has a view of the header, without what others have put there; else it does as it
// likes with the caller's. It is a surface and a writer: adapters of frameworks over
// net/http embed one.
type Response struct {
	*Writer
	web.Control
	to    http.ResponseWriter // what the caller gave
	scope string              // as Scope said it first; "": not asked yet
	view  *web.View           // nil while it is not recorded; under mu
	whole http.Header         // while it is recorded, the header as the client gets it; under mu
	wrote bool                // the head has been drawn; under mu
	out   *Response           // what the caller's own content is drawn on, or nil
}

// BindResponse binds an http.ResponseWriter. For the nil one the body gets nil.
func BindResponse(ctx context.Context, w http.ResponseWriter, in surface.Inputs) (context.Context, http.ResponseWriter, surface.Surface) {
	if w == nil {
		return ctx, nil, web.BindNil[http.ResponseWriter](in)
	}
	b := NewResponse(w, in)
	return ctx, b, b
}

// NewResponse returns what stands in for w, for one call with the inputs in.
func NewResponse(w http.ResponseWriter, in surface.Inputs) *Response { return respond(w, bind(w, in)) }

func respond(to http.ResponseWriter, w *Writer) *Response {
	b := &Response{Writer: w, Control: web.ControlOf(to), to: to}
	w.begin = func() error { return b.draw(0) }
	return b
}

// Outer is Writer.Outer for an http.ResponseWriter.
func (b *Response) Outer() http.ResponseWriter {
	if b.nested {
		return b.to
	}
	if b.out == nil {
		b.out = respond(b.to, &Writer{up: b.up, feed: b.feed})
	}
	return b.out
}

// BeforeHole implements surface.HoleKeeper: headers that the body has set by now are there
// for the content that is drawn next, which has a view of its own.
func (b *Response) BeforeHole() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.view == nil {
		return nil
	}
	if !b.wrote {
		if err := b.change(0); err != nil {
			return err
		}
	}
	if o := b.out; o != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.view == nil {
			o.view = web.NewWholeView(b.whole)
		}
		o.wrote = o.wrote || b.wrote
	}
	return nil
}

// Scope implements surface.Surface. What a body can see of the header as it was before is an
// input.
func (b *Response) Scope() string {
	if b.scope == "" {
		b.scope = "response"
		if b.answers() {
			b.scope += web.Before(b.to.Header())
		}
	}
	return b.scope
}

// answers reports whether the function is a handler, and not one that draws a part of what a
// handler answers, wherever in the page that stands.
func (b *Response) answers() bool {
	_, ok := b.Inputs.(*web.Reads)
	return ok
}

// Record implements surface.Surface.
func (b *Response) Record() surface.Recording {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.whole = b.to.Header().Clone()
	if b.whole == nil {
		b.whole = http.Header{}
	}
	b.view = web.NewView(b.whole, b.answers())
	b.start()
	return b.Open(b.finish)
}

// Header implements http.ResponseWriter.
func (b *Response) Header() http.Header {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.view == nil {
		return b.to.Header()
	}
	return b.view.Header
}

// WriteHeader implements http.ResponseWriter.
func (b *Response) WriteHeader(status int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = b.draw(status)
}

// draw draws the head, once, with the headers as they are now; 0 leaves the status to the
// first write.
func (b *Response) draw(status int) error {
	if b.wrote {
		return nil
	}
	b.wrote = status == 0 || status >= 200 || status == http.StatusSwitchingProtocols
	return b.change(status)
}

// change draws what has become of the head.
func (b *Response) change(status int) error {
	if b.view == nil {
		return b.put(&web.Head{Status: status})
	}
	return b.put(b.view.Take(status))
}

func (b *Response) put(h *web.Head) error {
	if o := b.out; o != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.view != nil { // what content has set without writing was set before
			if err := o.change(0); err != nil {
				return err
			}
			h.Apply(o.view.Header)
			o.view.Take(0)
		}
	}
	if h.Empty() {
		return nil
	}
	if why := h.Unfit(); why != nil {
		b.Refuse(why)
	}
	data, err := h.MarshalBinary()
	if err != nil {
		return err
	}
	if err := b.Draw(surface.Element{Op: surface.Put, Kind: kindHead, Data: data}); err != nil {
		return err
	}
	if b.whole != nil {
		h.Apply(b.whole)
	}
	return b.feed.Do(0, func() error { h.Send(b.to); return nil })
}

// Replay implements surface.Surface. A response that is sent again says how old it is: that of
// a handler, and any that says how long it is fresh.
func (b *Response) Replay(t *surface.Tape) error {
	said, begun := http.Header{}, false
	begin := func() {
		if begun {
			return
		}
		begun = true
		if !b.answers() && !web.Dated(said) {
			return
		}
		if b.nested {
			b.Replayed(t.Made())
			return
		}
		to := b.to.Header()
		_, dated := to["Date"]
		for k, v := range web.Age(said, t.Made(), time.Now()) {
			if k != "Date" || !dated {
				to[k] = v
			}
		}
	}
	err := b.replay(t, begin, func(h *web.Head) {
		h.Apply(said)
		h.Apply(b.to.Header())
		if h.Status >= 200 {
			begin()
		}
		if h.Status != 0 {
			b.to.WriteHeader(h.Status)
		}
	})
	if err == nil {
		begin() // nothing was drawn
	}
	return err
}

// finish is the end of a recording: headers without a body, and those that come late, which
// have no effect unless they are trailers.
func (b *Response) finish() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.view.Take(0)
	if b.wrote && !h.Empty() && len(b.whole["Trailer"]) > 0 {
		b.Refuse(errors.New("it may have set a trailer"))
	}
	return b.put(h)
}

// Hijack gives the connection to the body. The response is not kept.
func (b *Response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	b.Refuse(surface.Personal(errors.New("it took over the connection")))
	if err := b.feed.Stop(); err != nil {
		return nil, nil, err
	}
	return http.NewResponseController(b.to).Hijack()
}

package html

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/cachegen/cachegen/cache/surface"
	"github.com/cachegen/cachegen/cache/web"
)

// The kinds of element on a tape.
const (
	kindBytes = "bytes" // a part of the stream
	kindFlush = "flush"
	kindHead  = "head" // of a response: a web.Head
)

// Writer stands in for the writer of one call. It may be written to by several
// goroutines. After the call has returned, writing to it fails with surface.ErrClosed.
type Writer struct {
	surface.Recorder
	surface.RequestInputs
	up     io.Writer // what the caller gave
	nested bool      // up leads to a feed already
	feed   *surface.Feed

	mu    sync.Mutex   // the order on the tape is that of the feed
	begin func() error // draws the head of a response, once; nil for others
}

// Bind binds an io.Writer. For the nil one the body gets nil.
func Bind(ctx context.Context, w io.Writer, in surface.Inputs) (context.Context, io.Writer, surface.Surface) {
	if w == nil {
		return ctx, nil, web.BindNil[io.Writer](in)
	}
	b := bind(w, in)
	return ctx, b, b
}

func bind(w io.Writer, in surface.Inputs) *Writer {
	b := &Writer{RequestInputs: surface.RequestInputs{Inputs: in}, up: w, feed: new(surface.Feed)}
	switch w.(type) {
	case *Writer, *Response:
		b.nested = true
		b.Within(w)
	}
	return b
}

// Outer returns what the caller's own children are drawn on: the caller's writer, in order
// with what the body writes.
func (b *Writer) Outer() io.Writer {
	if b.nested {
		return b.up
	}
	return &Writer{up: b.up, feed: b.feed}
}

// Scope implements surface.Surface: nothing of a writer is an input.
func (b *Writer) Scope() string { return "writer" }

// Record implements surface.Surface.
func (b *Writer) Record() surface.Recording {
	b.start()
	return b.Open(nil)
}

func (b *Writer) start() {
	if !b.nested {
		b.feed.Start(&b.Recorder)
	}
}

// Drain implements surface.Drainer.
func (b *Writer) Drain() error { return b.feed.Stop() }

// Write implements io.Writer.
func (b *Writer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.begin != nil {
		if err := b.begin(); err != nil {
			return 0, err
		}
	}
	return b.feed.Stream(&b.Recorder, kindBytes, "", b.up, p)
}

// WriteString implements io.StringWriter.
func (b *Writer) WriteString(s string) (int, error) { return b.Write([]byte(s)) }

// Format implements fmt.Formatter: printing a writer shows nothing of what it stands for.
func (b *Writer) Format(to fmt.State, _ rune) { _, _ = io.WriteString(to, "cachegen/html.Writer") }

// Flush implements http.Flusher.
func (b *Writer) Flush() { _ = b.FlushError() }

// FlushError flushes the caller's writer, if it can, and marks the place on the tape.
func (b *Writer) FlushError() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.begin != nil {
		if err := b.begin(); err != nil {
			return err
		}
	}
	if err := b.Draw(surface.Element{Op: surface.Put, Kind: kindFlush}); err != nil {
		return err
	}
	b.Flushed()
	return b.feed.Do(0, func() error { return web.Flush(b.up) })
}

// part is a decoded element.
type part struct {
	*surface.Element
	head *web.Head // of a kindHead
}

// Replay implements surface.Surface.
func (b *Writer) Replay(t *surface.Tape) error { return b.replay(t, func() {}, nil) }

// replay is Replay; begin is called before each part of the stream, send for each head.
func (b *Writer) replay(t *surface.Tape, begin func(), send func(*web.Head)) error {
	return surface.Play(t, func(e *surface.Element) (p part, err error) {
		p.Element = e
		switch {
		case e.Kind == kindBytes, e.Kind == kindFlush:
		case e.Kind == kindHead && send != nil:
			p.head = new(web.Head)
			err = p.head.UnmarshalBinary(e.Data)
		default:
			err = fmt.Errorf("it is of kind %q", e.Kind)
		}
		return p, err
	}, func(p part) (err error) {
		switch p.Kind {
		case kindBytes:
			begin()
			_, err = b.up.Write(p.Data)
		case kindFlush:
			begin()
			err = web.Flush(b.up)
		case kindHead:
			send(p.head)
		}
		return err
	})
}

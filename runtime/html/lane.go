package html

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"

	cache "github.com/cachegen/cachegen/runtime"
)

// lane is the way to the caller's writer: through a feed, while one is started, else at
// once. One with sync is never started, since what it leads to has a feed of its own.
type lane struct {
	w    io.Writer
	sync bool
	feed cache.Feed

	mu   sync.Mutex
	last *[]byte // bytes at the end of the feed that may still grow
}

func (l *lane) start() {
	if !l.sync {
		l.feed.Start()
	}
}

func (l *lane) stop() error { return l.feed.Stop() }

func (l *lane) runs() bool { return l.feed.Running() }

// do runs op, now or in its turn. Only an op that runs now has an error.
func (l *lane) do(op func() error) error {
	l.mu.Lock()
	l.last = nil
	l.mu.Unlock()
	return l.feed.Do(0, op)
}

// Write implements io.Writer.
func (l *lane) Write(p []byte) (int, error) {
	if !l.runs() {
		return l.w.Write(p)
	}
	l.mu.Lock()
	if l.last != nil && len(*l.last)+len(p) <= 32<<10 {
		*l.last = append(*l.last, p...)
		l.mu.Unlock()
		return len(p), nil
	}
	b := new([]byte)
	*b = slices.Clone(p)
	l.last = b
	l.mu.Unlock()
	return len(p), l.feed.Do(len(p), func() error {
		l.mu.Lock()
		if l.last == b {
			l.last = nil
		}
		p := *b
		l.mu.Unlock()
		_, err := l.w.Write(p)
		return err
	})
}

// FlushError implements what http.ResponseController looks for. A writer that cannot
// flush is left alone.
func (l *lane) FlushError() error {
	if !l.runs() {
		return l.flush()
	}
	return l.do(l.flush)
}

func (l *lane) flush() error {
	var err error
	switch f := l.w.(type) {
	case interface{ FlushError() error }:
		err = f.FlushError()
	case http.ResponseWriter:
		err = http.NewResponseController(f).Flush()
	case interface{ Flush() error }:
		err = f.Flush()
	case http.Flusher:
		f.Flush()
	}
	if errors.Is(err, http.ErrNotSupported) {
		err = nil
	}
	return err
}

// Flush implements http.Flusher.
func (l *lane) Flush() { _ = l.FlushError() }

// outside is what the caller's own content is drawn on while the body of a handler runs.
type outside struct {
	*lane
	of           *Writer
	header, base http.Header // the content's view, and what it was when the hole began
}

// Header implements http.ResponseWriter.
func (o *outside) Header() http.Header {
	if !o.runs() {
		return o.w.(http.ResponseWriter).Header()
	}
	if o.base == nil {
		o.base = o.of.header.Clone()
		o.header = o.base.Clone()
	}
	return o.header
}

// WriteHeader implements http.ResponseWriter.
func (o *outside) WriteHeader(status int) {
	h := head{Status: status}
	if o.base != nil {
		h = change(status, o.header, o.base)
		o.base = o.header.Clone()
	}
	o.head(h)
}

// Write implements io.Writer.
func (o *outside) Write(p []byte) (int, error) {
	if o.base != nil {
		o.WriteHeader(0)
	}
	return o.lane.Write(p)
}

// FlushError implements what http.ResponseController looks for.
func (o *outside) FlushError() error {
	if o.base != nil {
		o.WriteHeader(0)
	}
	return o.lane.FlushError()
}

// Flush implements http.Flusher.
func (o *outside) Flush() { _ = o.FlushError() }

// head does to the caller's response what h says.
func (l *lane) head(h head) {
	w, ok := l.w.(http.ResponseWriter)
	if !ok {
		return
	}
	_ = l.do(func() error {
		h.apply(w.Header())
		if h.Status != 0 {
			w.WriteHeader(h.Status)
		}
		return nil
	})
}

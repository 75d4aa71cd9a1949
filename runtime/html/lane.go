package html

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
)

// lane is the way to the caller's writer. Before start and after stop, and with sync, what
// is written goes to it at once; in between it is put into a queue, which a
// goroutine of its own empties: the body that writes waits for nobody, up to laneMax, which
// is as much as a tape holds.
type lane struct {
	w    io.Writer
	sync bool

	mu      sync.Mutex
	queue   []func() error
	last    *[]byte // bytes at the end of the queue that may still grow
	size    int
	running bool
	closed  bool
	drained *sync.Cond // with mu: the queue has been taken
	wake    chan struct{}
	done    chan struct{}
	err     error
}

// laneMax bounds the queue.
const laneMax = 64 << 20

func (l *lane) start() {
	if l.sync {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running {
		return
	}
	l.running, l.closed, l.err = true, false, nil
	l.drained = sync.NewCond(&l.mu)
	l.wake, l.done = make(chan struct{}, 1), make(chan struct{})
	go l.feed(l.wake, l.done)
}

func (l *lane) feed(wake, done chan struct{}) {
	defer close(done)
	for {
		l.mu.Lock()
		queue, closed := l.queue, l.closed
		l.queue, l.last, l.size = nil, nil, 0
		l.drained.Broadcast()
		failed := l.err != nil
		l.mu.Unlock()
		for _, op := range queue {
			if failed {
				break
			}
			if err := guard(op); err != nil {
				l.mu.Lock()
				l.err = err
				l.drained.Broadcast()
				l.mu.Unlock()
				failed = true
			}
		}
		if len(queue) == 0 {
			if closed {
				return
			}
			<-wake
		}
	}
}

// guard keeps a panic of the caller's writer on the goroutine that it belongs to: it is
// an error there.
func guard(op func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicError{p}
		}
	}()
	return op()
}

type panicError struct{ v any }

func (e panicError) Error() string { return "the writer panicked" }

// stop waits until everything is written. A panic of the writer goes on here.
func (l *lane) stop() error {
	l.mu.Lock()
	if !l.running {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	l.signal()
	done := l.done
	l.mu.Unlock()
	<-done
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running = false
	if p, ok := l.err.(panicError); ok {
		panic(p.v)
	}
	return l.err
}

func (l *lane) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// do runs op, now or in its turn. Only an op that runs now has an error.
func (l *lane) do(op func() error) error {
	l.mu.Lock()
	if !l.running {
		l.mu.Unlock()
		return op()
	}
	defer l.mu.Unlock()
	l.queue, l.last = append(l.queue, op), nil
	l.signal()
	return nil
}

// Write implements io.Writer.
func (l *lane) Write(p []byte) (int, error) {
	l.mu.Lock()
	if !l.running {
		l.mu.Unlock()
		return l.w.Write(p)
	}
	defer l.mu.Unlock()
	for l.size > 0 && l.size+len(p) > laneMax && l.err == nil {
		l.drained.Wait()
	}
	if l.err != nil {
		return len(p), nil // the client has gone; the tape goes on
	}
	l.size += len(p)
	if l.last != nil && len(*l.last) < 32<<10 {
		*l.last = append(*l.last, p...)
		return len(p), nil
	}
	b := new([]byte)
	*b = slices.Clone(p)
	l.last = b
	l.queue = append(l.queue, func() error { _, err := l.w.Write(*b); return err })
	l.signal()
	return len(p), nil
}

// FlushError implements what http.ResponseController looks for. A writer that cannot
// flush is left alone.
func (l *lane) FlushError() error {
	return l.do(func() error {
		var err error
		switch f := l.w.(type) {
		case http.ResponseWriter:
			err = http.NewResponseController(f).Flush()
		case interface{ FlushError() error }:
			err = f.FlushError()
		case interface{ Flush() error }:
			err = f.Flush()
		case http.Flusher:
			f.Flush()
		}
		if errors.Is(err, http.ErrNotSupported) {
			err = nil
		}
		return err
	})
}

// Flush implements http.Flusher.
func (l *lane) Flush() { _ = l.FlushError() }

func (l *lane) runs() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.running
}

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

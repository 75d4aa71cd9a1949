package cache

import (
	"errors"
	"io"
	"sync"
)

// feedMax bounds what waits in a Feed, in bytes as Do is told. It is as much as a tape
// holds.
const feedMax = maxTape

// A Feed shows in order, on a goroutine of its own, what a body draws, so that a slow
// or broken client holds up nobody who waits for the same result. Adapters whose place to
// draw to is a connection start one when they record, draw through it, and stop it in
// Drain. While it is not started, what it is given is done at once. The zero value is
// ready; methods may be called from any goroutine.
type Feed struct {
	mu      sync.Mutex
	queue   []fed
	size    int
	running bool
	closed  bool
	err     error
	drained *sync.Cond // with mu: the queue has been taken
	wake    chan struct{}
	done    chan struct{}
}

// fed is what waits: an op, or bytes to write.
type fed struct {
	op    func() error
	to    io.Writer
	bytes []byte
}

func (f *fed) do() error {
	if f.op != nil {
		return f.op()
	}
	_, err := f.to.Write(f.bytes)
	return err
}

// Start starts the goroutine.
func (f *Feed) Start() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running {
		return
	}
	f.running, f.closed, f.err = true, false, nil
	f.drained = sync.NewCond(&f.mu)
	f.wake, f.done = make(chan struct{}, 1), make(chan struct{})
	go f.feed(f.wake, f.done)
}

// Do does op in its turn, or at once if the feed is not started; only then it returns the
// error of op. n is about how many bytes op holds: beyond what a tape may hold, Do waits.
// After an op has failed the others are not done: the client has gone.
func (f *Feed) Do(n int, op func() error) error {
	f.mu.Lock()
	if !f.running {
		f.mu.Unlock()
		return op()
	}
	defer f.mu.Unlock()
	if f.room(n) {
		f.add(fed{op: op})
	}
	return nil
}

// Write writes p to w, which is the same at each call, as Do does an op. What is written in
// a row may arrive as one.
func (f *Feed) Write(w io.Writer, p []byte) (int, error) {
	f.mu.Lock()
	if !f.running {
		f.mu.Unlock()
		return w.Write(p)
	}
	defer f.mu.Unlock()
	if !f.room(len(p)) {
		return len(p), nil
	}
	if i := len(f.queue) - 1; i >= 0 && f.queue[i].op == nil && len(f.queue[i].bytes)+len(p) <= streamPart {
		f.queue[i].bytes = append(f.queue[i].bytes, p...)
	} else {
		f.add(fed{to: w, bytes: append([]byte(nil), p...)})
	}
	return len(p), nil
}

// room waits for room for n bytes, and reports whether there is still a client.
func (f *Feed) room(n int) bool {
	for f.size > 0 && f.size+n > feedMax && f.err == nil {
		f.drained.Wait()
	}
	if f.err != nil {
		return false
	}
	f.size += n
	return true
}

func (f *Feed) add(next fed) {
	f.queue = append(f.queue, next)
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func (f *Feed) feed(wake, done chan struct{}) {
	defer close(done)
	ended := false
	defer func() {
		if !ended { // op ended the goroutine
			f.mu.Lock()
			defer f.mu.Unlock()
			f.err = errFeedExit
			f.drained.Broadcast()
		}
	}()
	for {
		f.mu.Lock()
		queue, closed, failed := f.queue, f.closed, f.err != nil
		f.queue, f.size = nil, 0
		f.drained.Broadcast()
		f.mu.Unlock()
		for _, next := range queue {
			if failed {
				break
			}
			if err := contained(next.do); err != nil {
				failed = true
				f.mu.Lock()
				f.err = err
				f.drained.Broadcast()
				f.mu.Unlock()
			}
		}
		if len(queue) == 0 {
			if closed {
				ended = true
				return
			}
			<-wake
		}
	}
}

// Stop waits until everything is done, and returns the error of the op that failed. If
// that panicked, the panic goes on here.
func (f *Feed) Stop() error {
	f.mu.Lock()
	if !f.running {
		f.mu.Unlock()
		return nil
	}
	f.closed = true
	select {
	case f.wake <- struct{}{}:
	default:
	}
	done := f.done
	f.mu.Unlock()
	<-done
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running = false
	if p, ok := f.err.(panicError); ok {
		panic(p.v)
	}
	return f.err
}

// errFeedExit is the error of a place whose code ended the goroutine that drew there.
var errFeedExit = errors.New("cachegen: the place that is drawn to ended the goroutine")

// contained keeps a panic of op for the goroutine that it belongs to.
func contained(op func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicError{p}
		}
	}()
	return op()
}

type panicError struct{ v any }

func (e panicError) Error() string { return "drawing panicked" }

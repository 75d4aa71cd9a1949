package cache

import "sync"

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
	queue   []func() error
	size    int
	running bool
	closed  bool
	err     error
	drained *sync.Cond // with mu: the queue has been taken
	wake    chan struct{}
	done    chan struct{}
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

// Running reports whether the goroutine runs.
func (f *Feed) Running() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.running
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
	for f.size > 0 && f.size+n > feedMax && f.err == nil {
		f.drained.Wait()
	}
	if f.err != nil {
		return nil
	}
	f.size += n
	f.queue = append(f.queue, op)
	select {
	case f.wake <- struct{}{}:
	default:
	}
	return nil
}

func (f *Feed) feed(wake, done chan struct{}) {
	defer close(done)
	for {
		f.mu.Lock()
		queue, closed, failed := f.queue, f.closed, f.err != nil
		f.queue, f.size = nil, 0
		f.drained.Broadcast()
		f.mu.Unlock()
		for _, op := range queue {
			if failed {
				break
			}
			if err := contained(op); err != nil {
				failed = true
				f.mu.Lock()
				f.err = err
				f.drained.Broadcast()
				f.mu.Unlock()
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

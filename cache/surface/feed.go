package surface

import (
	"errors"
	"io"
	"sync"
	"unsafe"
)

// A Feed shows in order, on a goroutine of its own, what a body draws, so that a slow
// or broken client holds up nobody who waits for the same result. Adapters whose place to
// draw to is a connection start one when they record, draw through it, and stop it in
// Drain. While it is not started, what it is given is done at once. The zero value is
// ready; methods may be called from any goroutine.
//
// The body runs ahead of its client as far as what is drawn is recorded anyway, and the
// bound on such memory in the process allows. Beyond that it waits for its client, and
// those who waited for its result compute for themselves.
type Feed struct {
	mu      sync.Mutex
	rec     *Recorder
	queue   []fed
	share   share // of what waits, the op that is being done included
	running bool
	closed  bool // by Stop
	ended   bool // its goroutine has
	err     error
	changed *sync.Cond // with mu: any of it
}

// fed is what waits: an op, or bytes to write.
type fed struct {
	op    func() error
	to    io.Writer
	bytes []byte
	own   bool // nobody else has the bytes
	size  int64
}

// fedSize is what a fed takes beside its bytes.
const fedSize = int64(unsafe.Sizeof(fed{}))

func (f *fed) do() error {
	if f.op != nil {
		return f.op()
	}
	_, err := f.to.Write(f.bytes)
	return err
}

// Start starts the goroutine. r records what is drawn through the feed.
func (f *Feed) Start(r *Recorder) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running {
		return
	}
	f.rec, f.running, f.closed, f.ended, f.err = r, true, false, false, nil
	f.changed = sync.NewCond(&f.mu)
	go f.feed()
}

// Do does op in its turn, or at once if the feed is not started; only then it returns the
// error of op. n is about how many bytes op holds. After an op has failed the others are
// not done: the client has gone.
func (f *Feed) Do(n int, op func() error) error {
	f.mu.Lock()
	if !f.running {
		f.mu.Unlock()
		return op()
	}
	defer f.mu.Unlock()
	if size := fedSize + int64(n); f.room(size) {
		f.queue = append(f.queue, fed{op: op, size: size})
		f.changed.Broadcast()
	}
	return nil
}

// Write writes p to w, which is the same at each call, as Do does an op. What is written in
// a row may arrive as one.
func (f *Feed) Write(w io.Writer, p []byte) (int, error) { return f.write(w, p, nil) }

// Stream keeps p as a part of a stream, as r.Stream does, and writes it to w, as Write
// does. The tape and the feed hold one copy of it between them.
func (f *Feed) Stream(r *Recorder, kind, on string, w io.Writer, p []byte) (int, error) {
	kept, err := r.stream(kind, on, p)
	if err != nil {
		return 0, err
	}
	return f.write(w, p, kept)
}

// write is Write; kept, if it is not nil, is p in memory that stays as it is.
func (f *Feed) write(w io.Writer, p, kept []byte) (int, error) {
	f.mu.Lock()
	if !f.running {
		f.mu.Unlock()
		return w.Write(p)
	}
	defer f.mu.Unlock()
	if kept != nil {
		f.put(w, kept, true)
		return len(p), nil
	}
	for rest := p; ; {
		part := rest[:min(len(rest), streamPart)]
		if f.put(w, part, false); len(part) == len(rest) {
			return len(p), nil
		}
		rest = rest[len(part):]
	}
}

// put puts b into the queue, or a copy of it unless it is kept.
func (f *Feed) put(w io.Writer, b []byte, kept bool) {
	size := int64(len(b))
	if !f.room(fedSize + size) {
		return
	}
	if i := len(f.queue) - 1; i >= 0 && f.queue[i].op == nil {
		last := &f.queue[i]
		joined := false
		switch n := len(last.bytes); {
		case kept && n+len(b) <= cap(last.bytes) && unsafe.Add(unsafe.Pointer(unsafe.SliceData(last.bytes)), n) == unsafe.Pointer(unsafe.SliceData(b)):
			last.bytes, joined = last.bytes[:n+len(b)], true
		case !kept && last.own && n+len(b) <= streamPart:
			last.bytes, joined = append(last.bytes, b...), true
		}
		if joined {
			last.size += size
			f.share.give(fedSize)
			return
		}
	}
	if !kept {
		b = append([]byte(nil), b...)
	}
	f.queue = append(f.queue, fed{to: w, bytes: b, own: !kept, size: fedSize + size})
	f.changed.Broadcast()
}

// room waits for room for n bytes, and takes them. It reports whether there is still a
// client.
func (f *Feed) room(n int64) bool {
	for waited := false; f.err == nil; waited = true {
		if f.share.n == 0 {
			f.share.force(n)
			return true
		}
		ahead := f.share.n+n <= inFlightFree || f.rec != nil && f.rec.Recording()
		if ahead && f.share.take(n) {
			return true
		}
		if !waited && f.rec != nil {
			f.rec.behind()
		}
		f.changed.Wait()
	}
	return false
}

func (f *Feed) feed() {
	f.mu.Lock()
	var now fed
	defer func() {
		if now.size > 0 { // it ended the goroutine
			f.mu.Lock()
			f.fail(errFeedExit)
		}
		f.ended = true
		f.changed.Broadcast()
		f.mu.Unlock()
	}()
	for {
		for len(f.queue) == 0 {
			if f.closed {
				return
			}
			f.changed.Wait()
		}
		now, f.queue[0], f.queue = f.queue[0], fed{}, f.queue[1:]
		f.mu.Unlock()
		err := contained(now.do)
		f.mu.Lock()
		f.share.give(now.size)
		now = fed{}
		if err != nil {
			f.fail(err)
		}
		f.changed.Broadcast()
	}
}

// fail drops what waits.
func (f *Feed) fail(err error) {
	f.err, f.queue = err, nil
	f.share.give(f.share.n)
}

// Stop waits until everything is done, and returns the error of the op that failed. If
// that panicked, the panic goes on here.
func (f *Feed) Stop() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.running {
		return nil
	}
	f.closed = true
	f.changed.Broadcast()
	for !f.ended {
		f.changed.Wait()
	}
	f.running, f.rec = false, nil
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

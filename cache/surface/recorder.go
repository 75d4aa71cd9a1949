package surface

import (
	"bytes"
	"errors"
	"sync"
	"time"
)

// ErrClosed is what drawing returns on the surface of a cached function that has
// returned. Such a late element is shown nowhere, and the tape is not used again.
var ErrClosed = errors.New("cachegen: drawn after the cached function returned: what it draws on is for the time of the call, and no result and no goroutine may keep it")

// Personal returns a reason to refuse a drawing that says what why says, and besides that it was
// for its caller alone, as the next one will be: a response that sets a cookie, say. Calls
// that ask for the same then do not wait for one another, until a drawing is for all again.
func Personal(why error) error { return personal{why} }

// IsPersonal reports whether why is, or wraps, a reason of Personal. The engine asks.
func IsPersonal(why error) bool { return errors.As(why, new(personal)) }

type personal struct{ error }

// Unwrap returns the reason itself.
func (p personal) Unwrap() error { return p.error }

// errTooLarge and errCrowded are why a tape is not kept.
var (
	errTooLarge = errors.New("what it draws is larger than one page may be: an eighth of max-bytes=, or 1 MiB if that is more; raise max-bytes=, or cache a part of the page")
	errCrowded  = errors.New("what is being drawn in the process, and waits for slow clients, takes too much memory")
)

// maxTape bounds a recording where the function has no bound on bytes, so that a stream
// that never ends does not fill the memory.
const maxTape = 64 << 20

// streamPart is how long a part of a stream grows before a new one is begun.
const streamPart = 32 << 10

// A Recorder keeps what is drawn on one bound surface. An adapter embeds one in its
// Surface and calls it for everything that is drawn; what is not being recorded costs a
// lock and nothing else. The zero value is ready. All methods may be called from any
// goroutine, but an adapter that must have the same order on its tape and on its surface
// holds a lock of its own over both.
//
// Where Bind is given a surface that is itself bound (a cached function calls another),
// it makes a new one that draws to the old, and calls Within, so that what the inner
// function reads counts for the outer one.
type Recorder struct {
	up *Recorder // of the surface that this one draws to

	mu    sync.Mutex
	state recState
	log   []Element
	media map[Content][]byte
	size  int64
	limit int64
	share share // of what is kept so far
	err   error // why this cannot be replayed
	made  time.Time
	run   Run // whose recording is open
	tape  *Tape
}

type recState uint8

const (
	recIdle   recState = iota // what is drawn passes
	recOpen                   // what is drawn is kept
	recClosed                 // nothing is drawn any more
)

// Within says that this surface draws to outer, which may be bound too.
func (r *Recorder) Within(outer any) {
	if o, ok := outer.(interface{ recorder() *Recorder }); ok {
		r.up = o.recorder()
	}
}

func (r *Recorder) recorder() *Recorder { return r }

// Open begins to record. end, when it is not nil, is called at the end of the recording
// (commit or not) before the tape is made: the place to draw what is still held back. Its
// error is why the tape cannot be replayed.
func (r *Recorder) Open(end func() error) Recording {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop()
	r.state, r.size, r.err, r.made = recOpen, 0, nil, time.Time{}
	if r.limit == 0 {
		r.limit = maxTape
	}
	return &recording{r, end}
}

type recording struct {
	r   *Recorder
	end func() error
}

func (t *recording) Commit() (*Tape, error) {
	if t.end != nil {
		if err := t.end(); err != nil {
			t.r.Refuse(err)
		}
	}
	r := t.r
	r.mu.Lock()
	defer r.mu.Unlock()
	log, media := r.log, r.media
	r.state = recClosed
	r.drop()
	if r.err != nil {
		return nil, r.err
	}
	for i := range log {
		if e := &log[i]; e.Op == Stream && cap(e.Data)-len(e.Data) > len(e.Data)/4 {
			e.Data = bytes.Clone(e.Data)
		}
	}
	tape, err := NewTape(log, media)
	if err == nil {
		r.began()
		tape.made = r.made.UnixMilli()
	}
	r.tape = tape
	return tape, err
}

func (t *recording) Discard() {
	if t.end != nil {
		t.end()
	}
	t.r.mu.Lock()
	defer t.r.mu.Unlock()
	t.r.state = recClosed
	t.r.drop()
}

// drop forgets what is kept so far.
func (r *Recorder) drop() {
	r.log, r.media = nil, nil
	r.share.give(r.share.n)
}

// Draw keeps an element whose Data nobody changes any more. Its error is ErrClosed:
// then the adapter shows nothing and returns it.
func (r *Recorder) Draw(e Element) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.take(int64(len(e.Data)) + 64) {
		return r.late()
	}
	r.log = append(r.log, e)
	return nil
}

// Stream keeps a copy of a part of a stream. Its error is that of Draw.
func (r *Recorder) Stream(kind, on string, p []byte) error {
	_, err := r.stream(kind, on, p)
	return err
}

// stream is Stream, and returns the copy, which nobody changes any more; nil if it was not
// kept.
func (r *Recorder) stream(kind, on string, p []byte) (kept []byte, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.take(int64(len(p))) {
		return nil, r.late()
	}
	room := len(p)
	if n := len(r.log); n > 0 && r.log[n-1].Op == Stream && r.log[n-1].Kind == kind && r.log[n-1].On == on {
		e := &r.log[n-1]
		if at := len(e.Data); at+len(p) <= streamPart {
			if at+len(p) > cap(e.Data) { // in few steps: who shows it may hold the memory before
				e.Data = append(make([]byte, 0, max(at+len(p), min(4*cap(e.Data), streamPart))), e.Data...)
			}
			e.Data = append(e.Data, p...)
			return e.Data[at:], nil
		}
		room = max(room, streamPart)
	}
	data := append(make([]byte, 0, room), p...)
	r.log = append(r.log, Element{Op: Stream, Kind: kind, On: on, Data: data})
	return data, nil
}

// Media keeps a copy of b beside the elements and returns its address, for
// Element.Media.
func (r *Recorder) Media(b []byte) Content {
	c := ContentOf(b)
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.media[c]; !ok && r.take(int64(len(b))) {
		if r.media == nil {
			r.media = map[Content][]byte{}
		}
		r.media[c] = append([]byte(nil), b...)
	}
	return c
}

// take reports whether n more bytes are to be kept.
func (r *Recorder) take(n int64) bool {
	if r.state != recOpen || r.err != nil {
		return false
	}
	r.began()
	r.size += n
	switch {
	case r.size > r.limit:
		r.refuse(errTooLarge)
	case !r.share.take(n):
		r.refuse(errCrowded)
	}
	return r.err == nil
}

// began notes when the first element was drawn.
func (r *Recorder) began() {
	if r.made.IsZero() {
		r.made = time.Now()
	}
}

// Replayed tells the recording that this surface draws to, if there is one, that what is
// drawn was made at a time before: what is made of it is no younger.
func (r *Recorder) Replayed(made time.Time) {
	up := r.up
	if up == nil || made.IsZero() {
		return
	}
	up.mu.Lock()
	defer up.mu.Unlock()
	if up.state == recOpen && (up.made.IsZero() || made.Before(up.made)) {
		up.made = made
	}
}

// late is the answer to drawing that was not taken.
func (r *Recorder) late() error {
	if r.state != recClosed {
		return nil
	}
	if r.tape != nil {
		r.tape.spoiled.Store(true)
	}
	if r.run != nil {
		r.run.DrewLate()
	}
	return ErrClosed
}

// ReportRead reports that the body read a widget. It is called before the body gets the value.
func (r *Recorder) ReportRead(read Read) {
	if run := r.current(); run != nil {
		run.ReportRead(read)
	}
}

// Refuse says why what is drawn cannot be drawn again. The body goes on; its result is
// handed out and not kept. The first reason counts, and may be one of Personal.
func (r *Recorder) Refuse(why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse(why)
}

func (r *Recorder) refuse(why error) {
	if r.state == recOpen && r.err == nil {
		r.err = why
		r.drop()
		if r.run != nil {
			r.run.Unshare(why != errCrowded)
		}
	}
}

// Flushed reports that what has been drawn so far is before the client's eyes. A body that
// has more to draw then, and takes its time, is a stream, which may end only when its
// client leaves: nobody is made to wait for its result. It is kept if the body ends by
// itself.
func (r *Recorder) Flushed() {
	if run := r.opened(); run != nil {
		run.Flushed()
	}
}

// behind reports that the body waits for its client.
func (r *Recorder) behind() {
	if run := r.opened(); run != nil {
		run.Unshare(false)
	}
}

// opened returns the run that records here, nil if none does.
func (r *Recorder) opened() Run {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state != recOpen {
		return nil
	}
	return r.run
}

// Recording reports whether what is drawn is being kept.
func (r *Recorder) Recording() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state == recOpen && r.err == nil
}

// Attach makes the recording that is open one of run. It keeps no more than limit bytes; 0
// leaves the bound to the recorder. The engine calls it after Record.
func (r *Recorder) Attach(run Run, limit int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.run = run
	if limit > 0 {
		r.limit = limit
	}
}

// current returns the run that what happens on this surface belongs to, or nil.
func (r *Recorder) current() Run {
	for ; r != nil; r = r.up {
		if run := r.opened(); run != nil {
			return run
		}
	}
	return nil
}

// RunAround returns the run that draws on the surface under this one, or nil. The engine asks.
func (r *Recorder) RunAround() Run { return r.up.current() }

// RecorderOf returns the recorder that s embeds, nil if it has none.
func RecorderOf(s Surface) *Recorder {
	if r, ok := s.(interface{ recorder() *Recorder }); ok {
		return r.recorder()
	}
	return nil
}

package cachert

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"
	"unsafe"

	"github.com/cachegen/cachegen/cache/surface"
	"github.com/cachegen/cachegen/runtime/value"
)

// drawing is one run of the body of a drawing function: what the surface, cache.Input
// and inner calls report to. It gathers the widgets that are read, and moves the
// computation from path to path as they are.
type drawing struct {
	surface surface.Surface
	inputs  surface.Inputs
	outer   []outerDrawing
	frame   *frame
	call    *call
	widgets bool // reads are allowed
	move    func(from Path, r *surface.Read, to Path)
	alone   func(lonely bool) // lets go of those who wait for the result; nil: nobody does

	mu    sync.Mutex
	ended bool
	path  Path
	seen  map[string]value.Digest // what each widget said: inputs can be large
	hold  *held                   // where reads go while an inner function draws a hole
	flows *time.Timer             // since the first flush, until the run has ended
	err   error                   // why the result is not kept
	// inHoles is what the runs around this one read in its holes.
	inHoles held
	// holeErr is what went wrong in a hole: the caller's own fault.
	holeErr error
}

// drawingOf returns the innermost drawing that ctx belongs to, or nil.
func drawingOf(ctx context.Context) *drawing {
	d, _ := surface.RunOf(ctx).(*drawing)
	return d
}

// Surface implements surface.Run.
func (d *drawing) Surface() surface.Surface { return d.surface }

// outerDrawing is a run that a call is part of: what the call reads counts for it.
type outerDrawing struct {
	*drawing
	in *held // nil: reads count at once
}

// held are reads that count later. When an inner function runs its body, it reads
// some widgets before it draws a hole and some after; when it is replayed, it is asked
// for all of its widgets before. What is read inside of the hole is the outer function's own,
// and is held back until the inner one has ended, so that the outer one reads in the
// same order in both cases.
type held struct {
	mu    sync.Mutex
	reads []surface.Read
}

func (h *held) add(r surface.Read) {
	r.Default, r.Value = bytes.Clone(r.Default), bytes.Clone(r.Value)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reads = append(h.reads, r)
}

func (h *held) take() []surface.Read {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.reads
	h.reads = nil
	return r
}

// outerDrawings are the runs that a call with this context on this surface is part of.
// Usually both ways lead to the same one.
func outerDrawings(ctx context.Context, s surface.Surface) (outer []outerDrawing) {
	if d := drawingOf(ctx); d != nil {
		outer = append(outer, outerDrawing{d, d.holding()})
	}
	if r := surface.RecorderOf(s); r != nil {
		if d, _ := r.RunAround().(*drawing); d != nil && (len(outer) == 0 || outer[0].drawing != d) {
			outer = append(outer, outerDrawing{d, d.holding()})
		}
	}
	return outer
}

// tell reports a read of the call to the run.
func (o outerDrawing) tell(r surface.Read) {
	if o.in != nil {
		o.in.add(r)
	} else {
		o.count(r)
	}
}

// ReportRead implements surface.Run: it notes a read of the body itself.
func (d *drawing) ReportRead(r surface.Read) {
	if h := d.holding(); h != nil {
		h.add(r)
		return
	}
	d.count(r)
}

// count notes a read of the body, or of a call that it made, here and further out.
func (d *drawing) count(r surface.Read) {
	if d.note(r, d.widgets) {
		for _, o := range d.outer {
			o.tell(r)
		}
	}
}

// foresaw notes a read that the surface knows of, for which no option is needed.
func (d *drawing) foresaw(r surface.Read) {
	if d.note(r, true) {
		for _, o := range d.outer {
			o.tell(r)
		}
	}
}

func (d *drawing) holding() *held {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.hold
}

// holdReads holds back what the runs around d read from here on, until release is called.
func (d *drawing) holdReads() (release func()) {
	if len(d.outer) == 0 {
		return func() {}
	}
	before := make([]*held, len(d.outer))
	for i, o := range d.outer {
		o.mu.Lock()
		before[i], o.hold = o.hold, &d.inHoles
		o.mu.Unlock()
	}
	return func() {
		for i, o := range d.outer {
			o.mu.Lock()
			o.hold = before[i]
			o.mu.Unlock()
		}
	}
}

// note reports whether the read counts: the run goes on, and has not seen it before.
func (d *drawing) note(r surface.Read, allowed bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return false
	}
	said := readDigest(&r)
	if before, ok := d.seen[r.Widget]; ok {
		if before != said {
			d.drop(fmt.Errorf("the widget %q changed while the function ran", r.Widget))
		}
		return false
	}
	if d.seen == nil {
		d.seen = map[string]value.Digest{}
	}
	d.seen[r.Widget] = said
	if !allowed { // no call is led on by what it said: the run ends where it is
		d.drop(surface.Personal(fmt.Errorf("it read the widget %q without the option widgets", r.Widget)))
		return true
	}
	from := d.path
	d.path = from.after(&r)
	if d.err == nil && d.move != nil {
		d.move(from, &r, d.path)
	}
	return true
}

// Refuse implements surface.Run.
func (d *drawing) Refuse(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(err)
}

func (d *drawing) drop(err error) {
	if d.err == nil {
		d.err = err
		d.Unshare(true)
	}
}

// Unshare implements surface.Run. lonely says that the result would be no other with another
// run of the same key.
func (d *drawing) Unshare(lonely bool) {
	if d.alone != nil {
		d.alone(lonely)
	}
}

// streamAfter is how long after its first flush a body that still runs is taken for a
// stream.
const streamAfter = 250 * time.Millisecond

// Flushed implements surface.Run.
func (d *drawing) Flushed() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.alone != nil && !d.ended && d.flows == nil {
		d.flows = time.AfterFunc(streamAfter, func() { d.Unshare(true) })
	}
}

// holeCall is what calls in a hole of d find around themselves.
func (d *drawing) holeCall() *call {
	c := &call{st: d.call.st, key: d.call.key, parent: current(), hole: true}
	if around := d.call.parent; around.runs() {
		c.frame = around.frame
	}
	if c.parent == nil {
		c.parent, c.loose = d.call, true
	}
	return c
}

// EnterHole implements surface.Run.
func (d *drawing) EnterHole() (leave func(error)) {
	release := d.holdReads()
	around := d.holeCall().enter()
	return func(err error) {
		around.enter()
		release()
		if err != nil {
			d.holeFailed(err)
		}
	}
}

// DrewLate implements surface.Run.
func (d *drawing) DrewLate() {
	d.call.st.log(logLate, "something was drawn after it returned, and is shown nowhere: a result or a goroutine of its has kept what it draws on; what it drew before is not used again")
}

// holeFailed notes that the caller's own content failed.
func (d *drawing) holeFailed(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.holeErr == nil {
		d.holeErr = err
	}
}

// current returns the path of what has been read.
func (d *drawing) current() Path {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.path
}

func (d *drawing) holeError() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.holeErr
}

// readDigest stands for the default and for what the body saw.
func readDigest(r *surface.Read) value.Digest {
	e := value.NewEncoder()
	e.Bytes(r.Default)
	v, ok := r.Effective()
	e.Bool(ok)
	e.String(unsafe.String(unsafe.SliceData(v), len(v))) // as Bytes, but nil is empty
	d, _ := e.Digest()                                   // bytes can always be encoded
	return d
}

// end closes the run: what is read later is nobody's.
func (d *drawing) end() (err, hole error) {
	for _, r := range d.inHoles.take() {
		for _, o := range d.outer {
			o.tell(r)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	if d.flows != nil {
		d.flows.Stop()
	}
	return d.err, d.holeErr
}

// bodyContext returns the context that the body gets.
func (d *drawing) bodyContext(ctx context.Context) context.Context {
	return surface.WithRun(ctx, d)
}

// shareable reports whether the result may be given to others than the one who computed
// it, as far as is known by now. session says that the key holds the session, and erred
// that the result is an error.
func (f *frame) shareable(session, erred bool) bool {
	x, mixed, read := f.gathered(false)
	return x.kept && (erred || !x.failed) && !mixed && read == nil && (!x.scoped || session)
}

package cache

import (
	"bytes"
	"context"
	"fmt"
	"sync"
)

// drawing is one run of the body of a drawing function: what the surface, cache.Input
// and inner calls report to. It gathers the widgets that are read, and moves the
// computation from path to path as they are.
type drawing struct {
	surface Surface
	inputs  Inputs
	rec     *Recorder // of the surface, nil if it has none
	outer   []*drawing
	frame   *frame
	call    *call
	widgets bool // reads are allowed
	move    func(from Path, r *Read, to Path)

	mu    sync.Mutex
	ended bool
	path  Path
	reads []Read
	seen  map[string]int
	err   error // why the result is not kept
	hole  error // what went wrong in a hole: the caller's own fault
}

type drawingKey struct{}

// drawingOf returns the innermost drawing that ctx belongs to, or nil.
func drawingOf(ctx context.Context) *drawing {
	if ctx == nil {
		return nil
	}
	d, _ := ctx.Value(drawingKey{}).(*drawing)
	return d
}

// outerDrawings are the runs that a call with this context on this surface is part of.
// What it reads counts for each of them. Usually both ways lead to the same one.
func outerDrawings(ctx context.Context, s Surface) (outer []*drawing) {
	if d := drawingOf(ctx); d != nil {
		outer = append(outer, d)
	}
	if r := recorderOf(s); r != nil && r.up != nil {
		if d := r.up.current(); d != nil && (len(outer) == 0 || outer[0] != d) {
			outer = append(outer, d)
		}
	}
	return outer
}

func recorderOf(s Surface) *Recorder {
	if r, ok := s.(interface{ recorder() *Recorder }); ok {
		return r.recorder()
	}
	return nil
}

// saw notes a read.
func (d *drawing) saw(r Read) {
	if d.note(r, d.widgets) {
		for _, o := range d.outer {
			o.saw(r)
		}
	}
}

// foresaw notes a read that the surface knows of, for which no option is needed.
func (d *drawing) foresaw(r Read) {
	if d.note(r, true) {
		for _, o := range d.outer {
			o.foresaw(r)
		}
	}
}

// note reports whether the read counts: the run goes on, and has not seen it before.
func (d *drawing) note(r Read, allowed bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return false
	}
	if i, ok := d.seen[r.Widget]; ok {
		o := &d.reads[i]
		q := question{o.Widget, o.Default}
		v1, ok1 := o.effective()
		v2, ok2 := r.effective()
		if !q.equal(&r) || ok1 != ok2 || !bytes.Equal(v1, v2) {
			d.drop(fmt.Errorf("the widget %q changed while the function ran", r.Widget))
		}
		return false
	}
	if !allowed {
		d.drop(fmt.Errorf("it read the widget %q without the option widgets", r.Widget))
	}
	r.Default, r.Value = bytes.Clone(r.Default), bytes.Clone(r.Value)
	if d.seen == nil {
		d.seen = map[string]int{}
	}
	d.seen[r.Widget] = len(d.reads)
	d.reads = append(d.reads, r)
	from := d.path
	d.path = from.after(&r)
	if d.err == nil && d.move != nil {
		d.move(from, &r, d.path)
	}
	return true
}

// refuse says why the result is not kept; the first reason counts.
func (d *drawing) refuse(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(err)
}

func (d *drawing) drop(err error) {
	if d.err == nil {
		d.err = err
	}
}

// markHole puts hole i on the tape.
func (d *drawing) markHole(i int) error {
	if d.rec != nil {
		return d.rec.hole(i)
	}
	d.refuse(fmt.Errorf("hole %d cannot be recorded on a surface without a recorder", i))
	return nil
}

// holeFailed notes that the caller's own content failed.
func (d *drawing) holeFailed(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.hole == nil {
		d.hole = err
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
	return d.hole
}

// end closes the run: what is read later is nobody's.
func (d *drawing) end() (reads []Read, err, hole error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	return d.reads, d.err, d.hole
}

// bodyContext returns the context that the body gets.
func (d *drawing) bodyContext(ctx context.Context) context.Context {
	return context.WithValue(ctx, drawingKey{}, d)
}

// shareable reports whether the result may be given to others than the one who computed
// it, as far as is known by now. session says that the key holds the session.
func (f *frame) shareable(session bool) bool {
	x, mixed, read := f.gathered(false)
	return x.kept && !mixed && read == nil && (!x.scoped || session)
}

package surface

import (
	"errors"
	"fmt"
	"sync/atomic"
)

// errHole is what is wrong with a hole that did not return.
var errHole = errors.New("the caller's own content panicked")

// Holes are the parameters of one call that draw its children. The zero value is ready;
// generated code makes one for each call of a function that has such parameters.
type Holes struct {
	draw []func() error
	run  atomic.Pointer[Run]
}

// len returns how many there are; h may be nil.
func (h *Holes) len() int {
	if h == nil {
		return 0
	}
	return len(h.draw)
}

// Attach makes the holes those of run, which is about to run the body. The engine calls it.
func (h *Holes) Attach(run Run) { h.run.Store(&run) }

// BindHole returns what the body gets in place of its parameter f: calls of it on the
// bound surface are holes. outer is what the caller gave the wrapper to draw to, bound
// what the body gets, s the surface of it.
func BindHole[P comparable](h *Holes, s Surface, outer, bound P, f func(P)) func(P) {
	if f == nil {
		return nil
	}
	g := BindHoleErr(h, s, outer, bound, func(p P) error { f(p); return nil })
	return func(p P) { _ = g(p) }
}

// BindHoleErr is BindHole for a parameter that returns an error.
func BindHoleErr[P comparable](h *Holes, s Surface, outer, bound P, f func(P) error) func(P) error {
	if f == nil {
		return nil
	}
	if o, ok := s.(OuterDrawer[P]); ok {
		outer = o.Outer()
	}
	i := len(h.draw)
	h.draw = append(h.draw, func() error { return f(outer) })
	return func(p P) error {
		at := h.run.Load()
		if at == nil {
			return f(p)
		}
		run := *at
		if k, ok := s.(HoleKeeper); ok {
			if err := k.BeforeHole(); err != nil {
				return err
			}
		}
		to := outer
		switch r := RecorderOf(s); {
		case p != bound:
			run.Refuse(fmt.Errorf("hole %d was drawn on another surface than the function's", i))
			to = p
		case r == nil:
			run.Refuse(fmt.Errorf("hole %d cannot be recorded on a surface without a recorder", i))
		default:
			if err := r.Draw(Element{Op: Hole, Index: i}); err != nil {
				return err
			}
		}
		err := errHole
		leave := run.EnterHole()
		defer func() { leave(err) }()
		err = f(to)
		return err
	}
}

package cache

import "context"

// A computation may move from key to key: it ends the flight of one key with what it
// knows by then, and opens that of the next, on the same goroutine, without starting
// anew. Drawn functions do that, with each widget that they read. Forget of one such key
// is Forget of all that belong together, its group.
//
// The parts of Do that they are made of: newCaller, open, and for a flight that open has
// given exactly one of end, endPanic, endExit and endLeft; run between enter and leave; and
// outside of the last result that was found, so that it counts for the computation around.

// open looks for the value of k. v is a kept one, or what a flight that was waited for gave;
// it is shared and must not be changed. f is a flight that the caller owns now and has
// to end. Both are nil where there is an error, or with c.nowait another's flight.
//
// c.within, where it is set, is an earlier flight of the same computation: the new one
// has its frame and its start, so that an event since then counts. The frame is closed
// with the last one, for which the caller sets moves to false; for the others it is true.
func (s *Site[K, V]) open(h uint64, k K, c *caller) (v *V, r found, f *flight) {
	n := &entry[K, V]{key: k}
	n.hash = h
	if c.labels == nil {
		s.store.label(&n.node, c)
	}
	if r, f = s.store.begin(&n.node, c); r.n != nil {
		v = &entryOf[K, V](r.n).val
	}
	return v, r, f
}

// inGroup makes the entries that c leads to ones of the group ref, any comparable value.
func (c *caller) inGroup(ref any) {
	c.labels = append(c.labels[:len(c.labels):len(c.labels)], label{kind: groupLabel, ref: ref})
}

// forgetGroup is Forget of the keys of a group.
func (s *Site[K, V]) forgetGroup(ref any) {
	invalidate([]label{{kind: groupLabel, ref: ref}}, s.store)
}

// end gives v and err as the result of f. owner is the context of the caller who owns f:
// an error is nobody's result when that has ended. It reports whether the result is kept.
func (s *Site[K, V]) end(f *flight, owner context.Context, v V, err error) (kept bool) {
	entryOf[K, V](f.n).val = v
	f.finish(f.judge(owner, err), err, nil)
	return f.facts.kept
}

// endPanic gives the panic p, which goes to those who wait for f.
func (f *flight) endPanic(p any) { f.finish(panicked, nil, p) }

// endExit ends f without a result, since its goroutine exits.
func (f *flight) endExit() { f.finish(exited, nil, nil) }

// endLeft ends f without a result, since its owner leaves with err; another takes over.
func (f *flight) endLeft(err error) { f.finish(ownerLeft, err, nil) }

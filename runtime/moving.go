package cachert

import "context"

// A computation may move from key to key: it ends the flight of one key with what it
// knows by then, and opens that of the next, on the same goroutine, without starting
// anew. Drawn functions do that, with each widget that they read. Forget of one such key
// is Forget of all that belong together, its group. What front.atRoot says of an entry spares
// it the label of its group.
//
// The parts of do that they are made of: callerOf, label and begin, and for a flight that
// begin has given exactly one of end, endPanic, endExit and endLeft; run between enter and
// leave; and outside of the last result that was found, so that it counts for the
// computation around.
//
// caller.within, where it is set, is an earlier flight of the same computation: the new one
// has its frame and its start, so that an event since then counts. The frame is closed
// with the last one, for which the caller sets moves to false; for the others it is true.

// inGroup makes the entries that c leads to ones of the group ref, any comparable value.
func (c *caller) inGroup(ref any) {
	c.labels = append(c.labels[:len(c.labels):len(c.labels)], label{kind: groupLabel, ref: ref})
}

// forgetGroup is forget of the keys of a group.
func (s *store) forgetGroup(ref any) {
	invalidate([]label{{kind: groupLabel, ref: ref}}, s)
}

// end gives the value that f.n has as the result of f, and reports whether it is kept.
func (f *flight) end() (kept bool) {
	var ctx context.Context // the one who draws sees to its end itself
	f.finish(f.judge(ctx, ctx, nil), nil, nil)
	return f.facts.kept
}

// endPanic gives the panic p, which goes to those who wait for f.
func (f *flight) endPanic(p any) { f.finish(panicked, nil, p) }

// endExit ends f without a result, since its goroutine exits.
func (f *flight) endExit() { f.finish(exited, nil, nil) }

// endLeft ends f without a result for others: another takes over. left says that its owner
// has left, and did not end for another reason.
func (f *flight) endLeft(err error, left bool) {
	f.left = left
	f.finish(ownerLeft, err, nil)
}

package cachert

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// CycleError is the error of a call that would wait for itself: a function whose
// computation needs, over whatever detours, its own result for the same key. A function
// without an error result panics with it.
type CycleError struct {
	// Funcs are the functions along the cycle; the first and the last are the same.
	Funcs []string
}

// Error shows the functions along the cycle.
func (e *CycleError) Error() string {
	return "cachegen: a call waits for itself: " + strings.Join(e.Funcs, " → ") +
		"; break the cycle, or call the uncached function inside it"
}

// doubtFor is how long a call waits at most for a computation that may be waiting for the
// call. Most that are not end by then.
const doubtFor = time.Second

// A call is the computation, or the validation, of one key: what a nested call finds
// around itself, by the context that it was given or by the goroutine it runs on.
//
// On the goroutine of a computation, the computation waits for the call. Elsewhere, with its
// context alone, it may have started the call and gone on. So there are two kinds of cycle. One
// in which each call is known to wait for the next is certain, and ends at once, with a
// CycleError. Where that is not known of all of them, the call that would close the
// cycle waits for a bounded time, and then computes for itself, beside the computation that it has
// waited for. If they do wait for one another, it comes to the same point again inside of
// that: one computation in a line of calls may be such a one, the next that would be ends
// with a CycleError.
type call struct {
	st     *store
	key    *node  // its key is the call's
	parent *call  // the call that this one was made in
	frame  *frame // of the computation; of a validation, or a hole, of the one around; nil: there is none

	validates bool // it is a validation
	hole      bool // what runs is content of the caller's, drawn by the computation
	beside    bool // its caller would have closed a cycle, not a certain one
	loose     bool // its parent may not wait for it; under waitsMu

	// of a computation that runs apart from its caller, set before it begins
	apart  context.Context // the caller's; nil: it does not run apart, or has no context
	behind bool            // nobody waits for it: it refreshes a stale entry

	ended atomic.Bool // what is called with its context from here on is no part of it

	// of the calls made in it
	partial atomic.Bool // one gave what is its owner's alone: it had ended with its context
	cut     atomic.Bool // one came to nothing, since its context had ended
	cycled  atomic.Bool // one would have waited for a call around this one

	// under waitsMu
	seen    uint32               // the latest search that has come by
	waiters map[*waiter]struct{} // for flights of this call, from inside of others
}

// A waiter is a call, made inside of another, that waits for a flight.
type waiter struct {
	in    *call
	loose bool // in may not wait for it
}

// outlives reports whether c, or a computation around it, goes on without its caller.
func (c *call) outlives() bool {
	for ; c != nil; c = c.parent {
		if c.leftAlone() {
			return true
		}
	}
	return false
}

// leftAlone reports whether c runs apart from its caller, which goes on, or may.
func (c *call) leftAlone() bool {
	return c != nil && c.apart != nil && (c.behind || c.apart.Err() != nil)
}

// runs reports whether c is there and has not ended.
func (c *call) runs() bool { return c != nil && !c.ended.Load() }

// heard notes what came of the call that ctx's caller made in c.
func (c *call) heard(ctx context.Context, r found) {
	switch {
	case c == nil:
	case r.flight != nil && r.flight.ending == ownerLeft:
		if r.err == nil {
			c.partial.Store(true)
		} else {
			c.cut.Store(true)
		}
	case r.n == nil && r.err != nil && ctx != nil && ctx.Err() != nil:
		c.cut.Store(true)
	}
}

// within returns the nearest of c and the calls around it that is for the key of n, nil if
// there is none. sure says that each call up to it waits for the one inside. st.mu is held.
//
// It looks at all calls around c, which are many where a recursion is deep, and so it looks
// only if a call for a key of that hash runs at all: one that has its flight, or is counted
// among those without.
func (c *call) within(st *store, n *node) (around *call, sure bool) {
	if c == nil || st.flights[n.hash] == nil && st.flightless[n.hash] == 0 {
		return nil, false
	}
	for around = c; around.runs(); around = around.parent {
		if around.st == st && around.key.hash == n.hash && st.front.equal(around.key, n) {
			waitsMu.Lock()
			defer waitsMu.Unlock()
			for ; c != around && !c.loose; c = c.parent {
			}
			return around, c == around
		}
	}
	return nil, false
}

// closes returns the cycle that c closes with a computation of the key of n around it, and
// whether it is certain; nil if there is no such computation. st.mu is held.
func (c *caller) closes(st *store, n *node) (ring []*call, sure bool) {
	around, sure := c.outer.within(st, n)
	if around == nil {
		return nil, false
	}
	return []*call{around}, sure && !c.loose
}

// countFlightless counts a call for the key of n that runs without a flight of that key: a
// validation, or a computation that has moved on to another key. by is 1 at its start and
// -1 at its end. mu is held.
func (s *store) countFlightless(n *node, by int) {
	if s.flightless == nil {
		s.flightless = map[uint64]int{}
	}
	if s.flightless[n.hash] += by; s.flightless[n.hash] == 0 {
		delete(s.flightless, n.hash)
	}
}

// waitsMu guards what calls know of who waits for them, and whether their parents do. It is
// taken only by calls that are made inside of computations and have to wait; after a store's mu.
var waitsMu sync.Mutex

// searches counts the searches for a cycle. waitsMu guards it.
var searches uint32

// waitFor notes that c is about to wait for f, if it is made inside of a computation. It
// returns the cycle that this closes, as cycle takes it, and whether that is certain.
func (c *caller) waitFor(f *flight) (w *waiter, ring []*call, sure bool) {
	if !c.outer.runs() {
		return nil, nil, false // nobody waits for a call that is made outside of all computations
	}
	waitsMu.Lock()
	defer waitsMu.Unlock()
	w = &waiter{in: c.outer, loose: c.loose}
	ring = f.call.waitsFor(w, false)
	if ring != nil {
		if certain := f.call.waitsFor(w, true); certain != nil {
			return nil, certain, true
		}
	}
	if f.call.waiters == nil {
		f.call.waiters = map[*waiter]struct{}{}
	}
	f.call.waiters[w] = struct{}{}
	return w, ring, false
}

// waited ends what waitFor began.
func (f *flight) waited(w *waiter) {
	if w != nil {
		waitsMu.Lock()
		defer waitsMu.Unlock()
		delete(f.call.waiters, w)
	}
}

// waitsFor returns a way along which c waits, or may be waiting, for a call that w is made
// in: from c on, each waits for the next. sure says that it has to be known of each.
// waitsMu is held.
func (c *call) waitsFor(w *waiter, sure bool) []*call {
	searches++
	return c.search(w, sure)
}

// search walks from w, against the direction of waiting, to c.
func (c *call) search(w *waiter, sure bool) []*call {
	if sure && w.loose {
		return nil
	}
	for o := w.in; o.runs() && o.seen != searches; o = o.parent {
		o.seen = searches
		if o == c {
			return []*call{c}
		}
		for w := range o.waiters {
			if path := c.search(w, sure); path != nil {
				return append(path, o)
			}
		}
		if sure && o.loose {
			break
		}
	}
	return nil
}

// isBeside reports whether a call around c, or c, is computed beside another.
func (c *call) isBeside() bool {
	for ; c.runs(); c = c.parent {
		if c.beside {
			return true
		}
	}
	return false
}

// drawsHole reports whether there is a hole between c and the call outer around it: what a hole
// draws is no part of the computation that draws it, and does not close a cycle.
func (c *call) drawsHole(outer *call) bool {
	for ; c != nil; c = c.parent {
		if c.hole {
			return true
		}
		if c == outer {
			break
		}
	}
	return false
}

// cycle words the cycle: from the last call of ring inwards to c, then along ring.
func cycle(c *call, ring []*call) *CycleError {
	var around []string
	last := ring[len(ring)-1]
	hole := c.drawsHole(last)
	for o := c; o != nil; o = o.parent {
		around = append(around, o.st.o.Func)
		if o == last {
			break
		}
		if !hole { // what a hole draws is computed beside, and nothing has failed
			o.cycled.Store(true)
		}
	}
	e := &CycleError{}
	for i := len(around) - 1; i >= 0; i-- {
		e.Funcs = append(e.Funcs, around[i])
	}
	for _, p := range ring {
		e.Funcs = append(e.Funcs, p.st.o.Func)
	}
	return e
}

// running holds, for each goroutine, the innermost call that runs on it.
var running [32]struct {
	sync.Mutex
	calls map[uintptr]*call
	n     atomic.Int32 // len(calls), to be read without the lock
	_     [36]byte
}

// computing is false only while no call runs on any goroutine: then a hit need not ask which
// one runs on its own. It is seldom written, since all hits read it: the first call to run sets
// it, and the coarse clock takes it back, where it ticks.
var computing atomic.Bool

// restComputing takes computing back if no call runs.
func restComputing() {
	if !computing.Load() {
		return
	}
	for i := range running {
		if running[i].n.Load() != 0 {
			return
		}
	}
	for i := range running { // a call that comes to run waits, and sets it after that
		running[i].Lock()
		defer running[i].Unlock()
	}
	for i := range running {
		if len(running[i].calls) != 0 {
			return
		}
	}
	computing.Store(false)
}

// current returns the innermost call that runs on this goroutine.
func current() *call {
	g := goroutine()
	r := &running[g>>8%uintptr(len(running))]
	if r.n.Load() == 0 {
		return nil // a call on this goroutine would have been counted by it
	}
	r.Lock()
	defer r.Unlock()
	return r.calls[g]
}

// enter makes c the call that runs on this goroutine, and returns the one before.
func (c *call) enter() (outer *call) {
	g := goroutine()
	r := &running[g>>8%uintptr(len(running))]
	r.Lock()
	defer r.Unlock()
	outer = r.calls[g]
	defer func() { r.n.Store(int32(len(r.calls))) }()
	if c == nil {
		delete(r.calls, g)
		return outer
	}
	if r.calls == nil {
		r.calls = map[uintptr]*call{}
	}
	r.calls[g] = c
	if !computing.Load() {
		computing.Store(true)
	}
	return outer
}

// draws reports whether the function of s draws.
func (s *store) draws() bool { return s.correct != nil }

package cachert

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
)

// CycleError is the error of a call that would wait for itself: a function whose
// computation needs, over whatever detours, its own result for the same key. A function
// without an error result panics with it.
type CycleError struct {
	// Funcs are the functions along the cycle; the first and the last are the same.
	Funcs []string
}

func (e *CycleError) Error() string {
	return "cachegen: a call waits for itself: " + strings.Join(e.Funcs, " → ") +
		"; break the cycle, or call the uncached function inside it"
}

// A call is the computation, or the validation, of one key: what a nested call finds
// around itself, by the context that it was given or by the goroutine it runs on.
type call struct {
	st     *store
	key    *node  // its key is the call's
	parent *call  // the call that this one was made in
	frame  *frame // of the computation; nil: it is none

	validates bool // it is a validation
	hole      bool // what runs is content of the caller's, drawn by the computation

	// of a computation that runs apart from its caller, set before it begins
	apart  context.Context // the caller's; nil: it does not run apart, or has no context
	behind bool            // nobody waits for it: it refreshes a stale entry

	ended atomic.Bool // what is called with its context from here on is no part of it

	// of the calls made in it
	partial atomic.Bool // one gave what is its owner's alone: it had ended with its context
	cut     atomic.Bool // one came to nothing, since its context had ended
	cycled  atomic.Bool // one would have waited for a call around this one

	// what it waits for, itself or through calls made in it, and how often; under waitsMu
	waits map[*flight]int
}

// outlives reports whether c, or a computation around it, goes on without its caller.
func (c *call) outlives() bool {
	for ; c != nil; c = c.parent {
		if c.apart != nil && (c.behind || c.apart.Err() != nil) {
			return true
		}
	}
	return false
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

// waitsMu guards every call's waits. It is taken only by calls that are made inside of
// computations and have to wait.
var waitsMu sync.Mutex

// within returns the calls around c, from c outwards, up to the one for the key of n; nil
// if there is none. st.mu is held.
//
// It looks at all calls around c, which are many where a recursion is deep, and so it looks
// only if a call for a key of that hash runs at all: one that has its flight, or is counted
// among those without.
func (c *call) within(st *store, n *node) []*call {
	if c == nil || st.flights[n.hash] == nil && st.flightless[n.hash] == 0 {
		return nil
	}
	var path []*call
	for ; c.runs(); c = c.parent {
		path = append(path, c)
		if c.st == st && c.key.hash == n.hash && st.front.equal(c.key, n) {
			return path
		}
	}
	return nil
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

// wait notes that c is about to wait for f, and so are the calls around c, up to one that
// has ended; it returns how many they are. It refuses where f waits for one of them.
func (c *call) wait(f *flight) (waiting int, err *CycleError) {
	if !c.runs() {
		return 0, nil // nobody waits for a call that is made outside of all computations
	}
	waitsMu.Lock()
	defer waitsMu.Unlock()
	if path := f.call.reaches(c, map[*call]bool{}); path != nil {
		return 0, cycle(c, path)
	}
	for o := c; o.runs(); o = o.parent {
		if o.waits == nil {
			o.waits = map[*flight]int{}
		}
		o.waits[f]++
		waiting++
	}
	return waiting, nil
}

// waited ends what wait began for so many calls.
func (c *call) waited(f *flight, waiting int) {
	if waiting == 0 {
		return
	}
	waitsMu.Lock()
	defer waitsMu.Unlock()
	for o := c; waiting > 0; o, waiting = o.parent, waiting-1 {
		if o.waits[f]--; o.waits[f] == 0 {
			delete(o.waits, f)
		}
	}
}

// reaches returns a way along which c waits for a call around inner.
func (c *call) reaches(inner *call, seen map[*call]bool) []*call {
	for o := inner; o.runs(); o = o.parent {
		if o == c {
			return []*call{c}
		}
	}
	if seen[c] {
		return nil
	}
	seen[c] = true
	for f := range c.waits {
		if path := f.call.reaches(inner, seen); path != nil {
			return append([]*call{c}, path...)
		}
	}
	return nil
}

// cycle words the cycle: from the last call of path inwards to c, then along path.
func cycle(c *call, path []*call) *CycleError {
	var around []string
	inHole := c.inHole()
	for o := c; o != nil; o = o.parent {
		around = append(around, o.st.o.Func)
		if o == path[len(path)-1] {
			break
		}
		if !inHole { // what a hole draws is computed beside, and nothing has failed
			o.cycled.Store(true)
		}
	}
	e := &CycleError{}
	for i := len(around) - 1; i >= 0; i-- {
		e.Funcs = append(e.Funcs, around[i])
	}
	for _, p := range path {
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
	return outer
}

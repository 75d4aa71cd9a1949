package cachert

import (
	"cmp"
	"slices"
)

// A holding is a value that has a release, or that was made with one that has. refs counts
// what still needs it: the entries that keep it, several if they keep the identical value,
// the leases that Acquire gave out, the computations that have it on loan while they run,
// and the holdings of values that were made with it. When refs falls to 0 the value rests
// for its grace, since callers that asked for no lease may be using it; if then nothing has
// come to need it again, it is released, and what it was made with is given back. A value
// without a release does not rest. It belongs to the store's lock.
type holding struct {
	st       *store
	n        *node      // an entry with the value
	uses     []*holding // what the value was made with
	ident    any
	hasIdent bool
	refs     int
	due      int64 // when its grace ends, while it rests
	queued   int64 // the due with which it came to rest
	resting  bool
}

// hold returns the holding of the value of n, one that exists if the value is identical to
// another. A new one takes over the references to uses, what the value was made with; an old
// one does not, since they may hold it in turn: then they are returned. mu is held.
func (s *store) hold(n *node, ident any, hasIdent bool, uses []*holding) (h *holding, left []*holding) {
	if hasIdent {
		if h := s.held[ident]; h != nil {
			return h, uses
		}
	}
	h = &holding{st: s, n: n, uses: uses, ident: ident, hasIdent: hasIdent}
	if !s.front.releases() {
		s.lends = true
		return h, nil
	}
	s.live++
	if hasIdent {
		if s.held == nil {
			s.held = map[any]*holding{}
		}
		s.held[ident] = h
	}
	return h, nil
}

// unhold takes one reference away. mu is held.
func (s *store) unhold(h *holding) {
	if h.refs--; h.refs == 0 {
		s.settle(h)
	}
}

// settle lets a value rest that nothing needs. mu is held.
func (s *store) settle(h *holding) {
	if !s.front.releases() {
		s.orphans = append(s.orphans, h)
		s.orphaned.Store(true)
		return
	}
	now := clock()
	h.due = after(now, s.o.Grace)
	if s.idle != nil {
		h.due = now // Shutdown waits for it
	}
	if !h.resting || h.due < h.queued {
		h.resting = true
		s.rest.push(h, s.nextRest())
	}
	s.alarm.setExactly(s, h.due, now)
}

// due takes out values whose grace has ended, no more than holdLimit, and looks at no others.
// more says that there may be more of them. mu is held.
func (s *store) due(now int64) (due []*holding, more bool) {
	for i := 0; len(s.rest) > 0 && s.rest[0].due <= now; i++ {
		if i == holdLimit {
			return due, true
		}
		h := s.rest.pop()
		switch {
		case !h.resting: // it has been taken out already
		case h.refs > 0:
			h.resting = false
		case h.due > now: // it was needed meanwhile, and rests anew
			s.rest.push(h, s.nextRest())
		default:
			h.resting = false
			if h.hasIdent {
				delete(s.held, h.ident)
			}
			due = append(due, h)
		}
	}
	if len(s.rest) > 0 {
		s.alarm.setExactly(s, s.rest[0].due, now)
	}
	return due, false
}

// resting is a heap of values, the one first whose grace ends first. A value that was needed
// meanwhile stays where it is until its turn comes.
type resting []rest

type rest struct {
	h   *holding
	due int64  // of h, when it came here
	nth uint64 // to come: of those that are due at once, the first is released first
}

func (a rest) before(b rest) bool { return a.due < b.due || a.due == b.due && a.nth < b.nth }

func (s *store) nextRest() uint64 {
	s.rested++
	return s.rested
}

func (r *resting) push(h *holding, nth uint64) {
	h.queued = h.due
	q := append(*r, rest{h, h.due, nth})
	for i := len(q) - 1; i > 0 && q[i].before(q[(i-1)/2]); i = (i - 1) / 2 {
		q[i], q[(i-1)/2] = q[(i-1)/2], q[i]
	}
	*r = q
}

func (r *resting) pop() *holding {
	q := *r
	h := q[0].h
	last := len(q) - 1
	q[0], q[last] = q[last], rest{}
	q = q[:last]
	for i := 0; ; {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(q); c++ {
			if q[c].before(q[least]) {
				least = c
			}
		}
		if least == i {
			break
		}
		q[i], q[least] = q[least], q[i]
		i = least
	}
	if *r = q; len(q) == 0 {
		*r = nil
	}
	return h
}

// end makes the grace of all end at the time now.
func (r resting) end(now int64) {
	for i := range r {
		r[i].due, r[i].h.due, r[i].h.queued = now, now, now
	}
	slices.SortFunc(r, func(a, b rest) int { return cmp.Compare(a.nth, b.nth) })
}

// releaseDue releases the values whose grace has ended by the time now. mu is not held.
func (s *store) releaseDue(now int64) {
	for more := true; more; {
		var due []*holding
		s.mu.Lock()
		due, more = s.due(now)
		s.mu.Unlock()
		s.releaseAll(due)
	}
}

// releaseAll runs the releases. mu is not held.
func (s *store) releaseAll(due []*holding) {
	if len(due) == 0 {
		return
	}
	for _, h := range due {
		s.releaseOne(h.n)
		giveBack(h.uses)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.released += uint64(len(due))
	if s.live -= len(due); s.live == 0 && s.idle != nil {
		close(s.idle)
		s.idle = nil
	}
}

// unlease ends a lease on the value of n.
func (s *store) unlease(n *node) {
	if n.meta != nil && n.meta.hold != nil {
		giveBack([]*holding{n.meta.hold})
	}
}

// releaseOne runs one release. One that panics is logged: nobody is there to be told, and
// the values after it must be released too.
func (s *store) releaseOne(n *node) {
	defer func() {
		if p := recover(); p != nil {
			s.log(logRelease, "its release panicked: %v", p)
		}
	}()
	s.front.release(n)
}

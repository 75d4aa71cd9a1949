package cache

// A holding is a value that has a release. refs counts what still needs it: the entries
// that keep it, several if they keep the identical value, and the leases that
// Acquire gave out. When refs falls to 0 the value rests for its grace, since callers
// that asked for no lease may be using it; if then nothing has come to need it again, it
// is released. It belongs to the store's lock.
type holding struct {
	n        *node // an entry with the value
	ident    any
	hasIdent bool
	refs     int
	due      int64 // when its grace ends, while it rests
	resting  bool
}

// hold returns the holding of the value of n, one that exists if the value is identical to
// another. mu is held.
func (s *store) hold(n *node, ident any, hasIdent bool) *holding {
	if hasIdent {
		if h := s.held[ident]; h != nil {
			return h
		}
	}
	h := &holding{n: n, ident: ident, hasIdent: hasIdent}
	s.live++
	if hasIdent {
		if s.held == nil {
			s.held = map[any]*holding{}
		}
		s.held[ident] = h
	}
	return h
}

// unhold takes one reference away. mu is held.
func (s *store) unhold(h *holding) {
	if h.refs--; h.refs == 0 {
		s.settle(h)
	}
}

// settle lets a value rest that nothing needs. mu is held.
func (s *store) settle(h *holding) {
	now := clock()
	h.due = after(now, s.o.Grace)
	if s.idle != nil {
		h.due = now // Shutdown waits for it
	}
	if !h.resting {
		h.resting = true
		s.rest = append(s.rest, h)
	}
	s.alarm.setExactly(s, h.due, now)
}

// due takes out the values whose grace has ended. mu is held.
func (s *store) due(now int64) []*holding {
	var due []*holding
	kept := s.rest[:0]
	next := int64(never)
	for _, h := range s.rest {
		switch {
		case h.refs > 0:
			h.resting = false
		case h.due <= now:
			h.resting = false
			if h.hasIdent {
				delete(s.held, h.ident)
			}
			due = append(due, h)
		default:
			next = min(next, h.due)
			kept = append(kept, h)
		}
	}
	clear(s.rest[len(kept):])
	s.rest = kept
	if next != never {
		s.alarm.setExactly(s, next, now)
	}
	return due
}

// releaseAll runs the releases. mu is not held.
func (s *store) releaseAll(due []*holding) {
	if len(due) == 0 {
		return
	}
	for _, h := range due {
		s.releaseOne(h.n)
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.meta != nil && n.meta.hold != nil {
		s.unhold(n.meta.hold)
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

package cachert

import (
	"context"
	"sync"
	"time"
)

// newCaller describes the call e, which is made now.
func newCaller(e *Call) *caller {
	c := callerOf(e.Ctx)
	c.tags, c.owner = e.Tags, e.Owner
	return c
}

// callerOf describes a call that is made with ctx now.
func callerOf(ctx context.Context) *caller {
	c := &caller{ctx: ctx, cc: callOf(ctx), arrival: events.Load()}
	c.outer = current()
	c.users = usersOf(c.outer, c.cc)
	if c.outer == nil && c.cc != nil {
		c.outer, c.loose = c.cc.call, true
	}
	return c
}

// passes reports whether the call goes past the cache: its result is its caller's alone. It is
// a copy all the same, so that a program does the same with the cache and without.
func (c *caller) passes() bool {
	return switchedOff || stopped.Load() || c.cc.bypasses()
}

// load is Site.Do. n has the key, and is used for the result. The entry that is returned
// has the caller's own value, and is never nil.
func (s *store) load(n *node, e *Call) (*node, error) {
	r := s.do(n, newCaller(e), e)
	return s.front.own(r), r.err
}

// refresh is Site.Refresh.
func (s *store) refresh(n *node, e *Call) (*node, error) {
	c := newCaller(e)
	c.refresh = true
	c.arrival = events.Add(1)
	e.Validate = nil
	r := s.do(n, c, e)
	return s.front.own(r), r.err
}

// acquire is Site.Acquire.
func (s *store) acquire(n *node, e *Call) (own *node, done func(), err error) {
	c := newCaller(e)
	c.lease = true // it is the caller who gives it back
	r := s.do(n, c, e)
	own = s.front.own(r)
	if r.n == nil || r.err != nil {
		return own, func() {}, r.err
	}
	var once sync.Once
	return own, func() {
		once.Do(func() {
			if r.n.meta != nil && r.n.meta.hold != nil {
				s.unlease(r.n)
			} else if s.front.releases() {
				s.front.release(own) // it came past the cache and is the caller's
			}
		})
	}, nil
}

// do answers a call: from the cache, from a computation that runs, or by running one. n
// has the key and is used for the result.
func (s *store) do(n *node, c *caller, e *Call) found {
	if e.Uncached == nil {
		e.Uncached = s.o.Layout.Unkeyable()
	}
	if c.passes() || e.Uncached != nil {
		return s.past(n, c, e)
	}
	s.label(n, c)
	for {
		if e.Validate != nil {
			if err := s.validating(n, c); err != nil {
				return s.outside(c, found{err: err})
			}
		}
		r, f := s.begin(n, c)
		if f != nil {
			if r.n == nil {
				r = s.compute(f, c, e)
			} else {
				s.detach(f, c, e)
				n = s.front.again(n) // f has the other one
			}
		}
		if r.n == nil && s.o.ErrorResult == NoError && c.ctx != nil && r.err != nil && r.err == c.ctx.Err() {
			return s.outside(c, s.anyway(s.front.again(n), c, e))
		}
		if r.n == nil || r.err != nil || r.flight != nil || e.Validate == nil || s.valid(r.n, c, e) {
			return s.outside(c, r)
		}
	}
}

// past answers a call that goes past the cache, or that has no key.
func (s *store) past(n *node, c *caller, e *Call) found {
	if c.passes() {
		s.count(func(t *tally) { t.bypassed++ })
		s.passed(n, c)
		return found{n: n, err: e.Run(c.ctx, s.front.value(n))}
	}
	c.users.each(func(fr *frame) { fr.addTagsOf(facts{tags: c.tags}, s.o.Tags) })
	return s.outside(c, s.unkeyed(n, c, e))
}

// anyway runs the body for a caller whose context has ended, and who cannot be told so by an
// error: what the body makes of that is what the uncached function would have given.
func (s *store) anyway(n *node, c *caller, e *Call) found {
	r := s.runUnkept(n, c, e)
	if c.outer != nil {
		c.outer.partial.Store(true)
	}
	return r
}

// passed makes the tags and the session of a call that went past the cache count for the
// computations that use its result.
func (s *store) passed(n *node, c *caller) {
	if c.users == (users{}) {
		return
	}
	s.label(n, c)
	x := facts{tags: c.tags, expires: never, kept: true}
	x.session, x.scoped = sessionIn(c.labels)
	c.users.each(func(fr *frame) { fr.add(x, s.o.Tags) })
}

// label finds out what the entry of n will be found by.
func (s *store) label(n *node, c *caller) {
	if tags := s.front.tags(n); len(tags) > 0 {
		c.tags = append(tags[:len(tags):len(tags)], c.tags...)
	}
	for _, t := range c.tags {
		c.labels = append(c.labels, label{kind: tagLabel, name: t})
	}
	if s.o.Session {
		id, ok := s.front.session(n)
		if !ok && c.cc != nil {
			id = c.cc.session
		}
		c.labels = append(c.labels, label{kind: sessionLabel, name: id})
	}
	if c.owner != nil {
		c.labels = append(c.labels, label{kind: ownerLabel, ref: c.owner.ref})
	}
}

// outside makes the result count for the computations that use it.
func (s *store) outside(c *caller, r found) found {
	c.outer.heard(c.ctx, r)
	if fr := c.borrower(); fr != nil {
		fr.borrow(r.holding())
	}
	for _, fr := range c.users {
		switch {
		case fr == nil:
		case r.flight != nil:
			if r.flight.hitBy != 0 {
				fr.hit(r.flight.hitBy)
			}
			fr.add(r.flight.facts, s.o.Tags)
		case r.n != nil:
			s.countFor(fr, r.n)
		default:
			fr.notKept("a call that it made came to nothing")
		}
	}
	return r
}

// passesOn reports whether the entry n has anything that counts for a computation which uses
// it.
func (s *store) passesOn(n *node) bool {
	return n.meta != nil || n.expires != never || len(s.labels) > 0
}

// countFor makes the entry n count for a computation that uses it.
func (s *store) countFor(fr *frame, n *node) {
	if !s.passesOn(n) {
		return
	}
	var buf [4]string
	x := n.facts(buf[:0])
	fr.add(x, s.o.Tags)
	if !s.kept(n) && (x.scoped || len(x.tags)+len(s.o.Tags) > 0) {
		fr.hit(fr.start + 1) // an event may have dropped it before its tags counted
	}
}

// compute runs the flight that the caller owns, and waits for its result.
func (s *store) compute(f *flight, c *caller, e *Call) found {
	ctx := c.ctx
	switch {
	case ctx != nil && (s.o.Timeout > 0 || s.o.Detach && ctx.Done() != nil):
		return s.computeLimited(f, c, e)
	case ctx != nil:
		ctx = f.watchedCtx(ctx, false)
	}
	f.run(ctx, c.ctx, true, e)
	return f.result(true)
}

// computeLimited is compute for a computation that has a time to end by, or may run apart. It
// stands by itself since its frame is larger: a recursion has one of compute for each level.
func (s *store) computeLimited(f *flight, c *caller, e *Call) found {
	if s.o.Detach && c.ctx.Done() != nil && !lookAhead(c.ctx) {
		if err := c.ctx.Err(); err != nil {
			f.left = true
			f.finish(ownerLeft, err, nil)
			return found{err: err}
		}
		s.detach(f, c, e)
		r, _ := f.wait(c, true, nil)
		return r
	}
	ctx := c.ctx
	if s.o.Timeout > 0 {
		limited, cancel := context.WithTimeout(ctx, s.o.Timeout)
		defer cancel()
		ctx = limited
	}
	f.run(f.watchedCtx(ctx, false), c.ctx, true, e)
	return f.result(true)
}

// detach runs the flight on a goroutine of its own, with the caller's context values and
// nothing else of the caller's context.
func (s *store) detach(f *flight, c *caller, e *Call) {
	ctx := c.ctx
	cancel := func(error) {}
	end := func() {}
	if ctx != nil {
		ctx, cancel = withCancel(context.WithoutCancel(ctx))
		if s.o.Timeout > 0 {
			ctx, end = context.WithTimeout(ctx, s.o.Timeout)
		}
		b := f.watchedCtx(ctx, false)
		if lookAhead(b); f.behind {
			b.memory.apart = true
		}
		ctx = b
	}
	f.call.apart, f.call.behind = c.ctx, f.behind
	s.mu.Lock()
	f.onEnd() // its owner waits for it
	f.detached, f.cancel = true, cancel
	if f.behind && stopped.Load() {
		f.cancelled = true
		cancel(errShutdown)
	}
	s.mu.Unlock()
	go func() {
		defer cancel(nil)
		defer end()
		f.run(ctx, nil, false, e)
	}()
}

func withCancel(ctx context.Context) (context.Context, func(error)) {
	return context.WithCancelCause(ctx)
}

// validating returns an error if c is made inside of a validation of n's key that waits for
// c. If it is not known to, one more may be begun inside of it.
func (s *store) validating(n *node, c *caller) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ring, sure := c.closes(s, n)
	if ring == nil || !ring[0].validates || c.beside {
		return nil
	}
	if sure || c.outer.isBeside() {
		return cycle(c.outer, ring)
	}
	c.beside = true
	return nil
}

// validation enters a validation of the entry n for c.
func (s *store) validation(n *node, c *caller) *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.countFlightless(n, 1)
	return &call{st: s, key: n, parent: c.outer, frame: c.users[0], validates: true, beside: c.beside, loose: c.loose}
}

// endValidation ends it. mu is held.
func (s *store) endValidation(v *call) {
	v.ended.Store(true)
	s.countFlightless(v.key, -1)
}

// valid asks the call's validate about the entry n, and drops n if it refuses.
func (s *store) valid(n *node, c *caller, e *Call) bool {
	ctx := c.ctx
	v := s.validation(n, c)
	if ctx != nil {
		var fr *frame
		if c.cc != nil {
			fr = c.cc.frame
		}
		ctx = newBodyCtx(ctx, fr, v, false)
	}
	ok := false
	defer func() {
		var gone []*node
		s.mu.Lock()
		s.endValidation(v)
		if ok {
			s.mu.Unlock()
			return
		}
		if s.kept(n) {
			s.remove(n, &gone)
			s.stats.invalid++
		}
		if c.leases() && n.meta != nil && n.meta.hold != nil {
			s.unhold(n.meta.hold)
		}
		s.mu.Unlock()
		s.left(gone)
	}()
	outer := v.enter()
	defer outer.enter()
	good, err := e.Validate(ctx, s.front.value(n))
	ok = good && err == nil
	return ok
}

// unkeyed computes the result of a call whose arguments have no key.
func (s *store) unkeyed(n *node, c *caller, e *Call) found {
	s.count(func(t *tally) { t.uncached++ })
	s.log(logUncached, "a call is not cached: %v", e.Uncached)
	return s.runUnkept(n, c, e)
}

// runUnkept runs the body for c alone.
func (s *store) runUnkept(n *node, c *caller, e *Call) found {
	r := found{n: n}
	if r.err = e.Run(c.ctx, s.front.value(n)); r.err == nil && s.front.releases() {
		s.handOut(n, c.leases())
	}
	n.meta = unkept(n.meta)
	return r
}

// handOut sees to the release of the value of n, which has one and is not kept.
func (s *store) handOut(n *node, lease bool) {
	ident, ok := s.front.ident(n)
	s.mu.Lock()
	defer s.mu.Unlock()
	h, _ := s.hold(n, ident, ok, nil)
	n.meta = &meta{extra: &extra{hold: h}}
	if lease {
		h.refs++
	} else if h.refs == 0 {
		s.settle(h)
	}
}

// uncopied says, once, why a result is not kept.
func (s *store) uncopied(err error) { s.log(logUncopied, "a result is not kept: %v", err) }

// unkept returns m, or a new one, for a result that is not kept.
func unkept(m *meta) *meta {
	if m == nil {
		m = &meta{extra: noExtra}
	}
	m.own().unkept = true
	return m
}

// inside makes the entry n, which a call hit whose context carries cc, if that is not nil,
// count for the computations that use it. It reports false if the call must not get n the
// short way.
func (s *store) inside(cc *callCtx, n *node) bool {
	if cc.bypasses() {
		return false
	}
	if !s.passesOn(n) {
		return true
	}
	u := usersOf(current(), cc)
	if u[0] == nil {
		return true
	}
	if n.lendable() && !u[0].has(n.meta.hold) {
		return false
	}
	for _, fr := range u {
		if fr != nil {
			s.countFor(fr, n)
		}
	}
	return true
}

// hit is Site.GetCtx for the key of n, of a function that draws in a place that carries
// the context drawsIn, if that is not nil.
func (s *store) hit(ctx, drawsIn context.Context, n *node) *node {
	for t := s.table.Load(); t != nil; t = t.newer.Load() {
		for m := t.head(n.hash).Load(); m != nil; m = m.next.Load() {
			if m.hash == n.hash && s.front.equal(m, n) {
				if !m.fresh() {
					return nil
				}
				if !s.serves(ctx, drawsIn, m) {
					return nil
				}
				if cc := callOf(ctx); (cc != nil || computing.Load()) && !s.inside(cc, m) {
					return nil
				}
				m.use()
				s.hits.hit()
				return m
			}
		}
	}
	return nil
}

// peek is Site.Peek, for the key of n. Conditions are not looked at. What is found counts for
// the computation that it is called in.
func (s *store) peek(n *node) *node {
	m := s.look(n)
	if m != nil {
		usersOf(current(), nil).each(func(fr *frame) { s.countFor(fr, m) })
	}
	return m
}

// look returns the fresh entry of n's key, and counts for nobody.
func (s *store) look(n *node) *node {
	borrower := usersOf(current(), nil)[0]
	s.mu.Lock()
	m := s.find(n)
	if m != nil && (m.expires <= clock() || m.meta != nil && m.meta.err != nil) {
		m = nil
	}
	var h *holding
	if m != nil && m.meta != nil && borrower != nil {
		if h = m.meta.hold; h != nil {
			h.refs++
		}
	}
	s.mu.Unlock()
	if h != nil {
		borrower.borrow(h)
	}
	return m
}

// peekError returns the error of the fresh entry of n's key, nil where it has a value.
func (s *store) peekError(n *node) (err error, ok bool) {
	s.mu.Lock()
	m := s.find(n)
	s.mu.Unlock()
	if m == nil || m.expires <= clock() {
		return nil, false
	}
	usersOf(current(), nil).each(func(fr *frame) { s.countFor(fr, m) })
	if m.meta != nil {
		err = m.meta.err
	}
	return err, true
}

// prime keeps n as its key's entry, with a copy of the value that it has.
func (s *store) prime(n *node) {
	c := &caller{}
	s.label(n, c)
	ttl := time.Duration(-1)
	if _, err := s.front.apart(n); err != nil {
		s.uncopied(err)
	} else {
		ttl = s.front.lifetime(n)
	}
	keep := ttl >= 0 && !switchedOff && s.o.Layout.Unkeyable() == nil
	if keep && s.weighs.Load() {
		size := s.front.size(n)
		keep = size < 1<<32
		n.weight = uint32(size)
	}
	if len(c.labels) > 0 || s.front.releases() || s.stale.Load() > 0 {
		n.meta = s.newMeta(s.front.releases())
	}
	n.expires = s.expiry(clock(), max(ttl, 0))
	s.forget(n, n, keep, c.labels...)
}

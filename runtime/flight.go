package cachert

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
)

// A flight is one computation of one key, from when it is entered in its store until it
// ends. Callers of the same key wait for it; of the flights of a key only one is open to
// them, and while there is one no other is started, but by a caller that has waited for
// the time of Options.Wait.
//
// It runs on the goroutine of its owner, the caller that started it; or apart from it
// (detached), and is then cancelled when nobody waits for it any more; or behind a stale
// entry (behind), for nobody.
type flight struct {
	st    *store
	n     *node // the entry that it makes; its key is set from the start
	call  *call
	frame *frame
	tags  []string
	began int64

	// what call and frame point to, but in a computation that has moved here
	own struct {
		call  call
		frame frame
	}

	// under the store's mu; settled when ended is closed
	next    *flight       // of the same hash
	ended   chan struct{} // closed at the end, or by shutOut; made for the first who waits for it
	present int32         // callers that wait for the result, the owner among them
	leases  int32         // of them, those that Acquire
	around  []*frame      // of the computations that use the result
	cancel  context.CancelCauseFunc

	// set with done
	hitBy uint64 // earliest event that made it outdated; 0: none
	err   error
	facts facts
	when  *conditions

	rare *rareFlight // nil: it has its zero value

	// Small fields stand together: a flight is most of what a miss allocates.

	moves bool // its computation goes on when it ends, with the frame

	// under the store's mu
	done      bool
	sentAway  bool // those who waited, by shutOut
	lonely    bool // while it runs, no other of its key is open to others either
	private   bool // not open to others
	expected  bool // to be of use to its caller alone
	barred    bool // its result is not to be kept: a later computation's was, or its place has gone
	detached  bool
	behind    bool
	cancelled bool // by us: an error is nobody's result then

	// set by the one who runs it, before done
	keepable bool
	made     bool // the body gave a value
	erred    bool // the value stands for an error, which is replayed
	alone    bool // the owner has it, and nobody else can: it cannot be copied, or an argument was changed
	refused  bool // what it drew cannot be drawn again: others compute anew
	personal bool // so, since it was for its owner alone, as the next will be

	// set with done
	ending ending
	ones   bool // the result may be of use to its owner alone: it came of a context value, or a session
	lone   bool // the result came of where its owner called from: another who waits computes anew
	left   bool // ownerLeft, and its owner has left indeed, or nobody waited
}

// rareFlight is what few flights have. It is set by the one who starts the flight, and by the
// one who runs it, before done.
type rareFlight struct {
	original *node  // has the value that the body gave, where it cannot be copied; nil: the flight's n has it
	changed  string // the arguments that the computation changed
	strayed  any    // the key of a context value that may have been another call's; nil: none
	panicV   any
	ident    any
	hasIdent bool
	owner    *Owner // whose end is the entry's
}

// seldom returns the rare part of f, to be set by the one who runs it.
func (f *flight) seldom() *rareFlight {
	if f.rare == nil {
		f.rare = &rareFlight{}
	}
	return f.rare
}

// whatChanged returns the arguments that the computation changed.
func (f *flight) whatChanged() string {
	if f.rare == nil {
		return ""
	}
	return f.rare.changed
}

type ending uint8

const (
	gaveValue ending = iota
	failed           // gave err
	panicked         // with panicV
	exited           // by runtime.Goexit
	ownerLeft        // it ended with its context: what it gave, if anything, is its owner's alone
)

// errAbandoned is the cause for which a computation is cancelled that nobody waits for.
var errAbandoned = errors.New("cachegen: nobody waits for this computation any more")

// errShutdown is the cause for which refreshes are cancelled by Shutdown.
var errShutdown = errors.New("cachegen: the caches were shut down")

// caller is one call that did not hit.
type caller struct {
	ctx     context.Context // nil if the function takes none
	cc      *callCtx        // what ctx carries
	drawsIn context.Context // what the place that it draws to carries; nil: nothing
	looked  *node           // the entry whose conditions it has looked at last
	outer   *call           // the call that this one is made in
	arrival uint64          // number of the last event before it
	until   int64           // when it stops waiting because of Options.Wait; 0: not known yet
	users   users           // the computations that the call counts for
	within  *flight         // of the computation that moves on to this key; nil: none
	tags    []string
	labels  []label
	owner   *Owner // whose end is the entry's

	met     bool // its contexts meet the conditions of looked
	alone   bool // its result will be of use to nobody else, so that it waits for nobody
	refresh bool // takes only what began after it
	lease   bool // Acquire
	nowait  bool // rather has nothing than waits
	loose   bool // outer may not wait for it: they have the context alone in common
	beside  bool // it would have closed a cycle, not a certain one, and computes for itself
	letDown bool // a flight ended without a result for it, and not since its owner left
}

// found is what a caller gets without computing it.
type found struct {
	n      *node // nil: nothing
	err    error
	flight *flight // that made it; nil for an entry
}

// begin finds the entry of n's key, or waits for a flight of it, or opens one, which the
// caller then has to run; n is used for that one. With a stale entry that is found, the
// flight is to be run behind it.
func (s *store) begin(n *node, c *caller) (found, *flight) {
	wait, missed := true, uint64(1)
	c.alone = c.alone || s.expectsPersonal(c, n.hash)
	for {
		var gone []*node
		s.mu.Lock()
		now := clock()
		if !c.refresh {
			m := s.find(n)
			if m != nil && m != c.looked && m.meta != nil && m.meta.when != nil && s.end(m) > now {
				s.mu.Unlock() // which is not held while the context is asked
				c.looked, c.met = m, s.serves(c.ctx, c.drawsIn, m)
				continue
			}
			if m != nil && (m != c.looked || c.met || s.end(m) <= now) {
				if s.end(m) > now {
					if c.leases() && m.meta != nil && m.meta.hold != nil {
						m.meta.hold.refs++
					}
					var f *flight
					if m.expires <= now {
						s.stats.stale++
						f = s.behind(m, n, c, now)
					}
					s.mu.Unlock()
					m.use()
					s.hits.hit()
					r := found{n: m}
					if m.meta != nil {
						r.err = m.meta.err
					}
					return r, f
				}
				s.remove(m, &gone)
				s.stats.expired++
			}
		}
		ring, sure := c.closes(s, n)
		f := s.open(n)
		aside := false
		switch alone := f == nil || !wait || c.alone; {
		case ring == nil || c.beside:
		case s.draws() && c.outer.drawsHole(ring[0]):
			aside = true // the content of a hole is no part of the computation around it
		case sure || alone && c.outer.isBeside():
			s.mu.Unlock()
			s.left(gone)
			return found{err: cycle(c.outer, ring)}, nil
		default:
			c.beside = alone
		}
		s.stats.misses += missed
		missed = 0
		switch {
		case aside:
			f = s.start(n, c, now)
			f.private = true
		case f == nil:
			f = s.start(n, c, now)
			f.private = f.private || c.alone
		case c.nowait:
			f = nil
		case !wait || c.alone:
			if c.refresh {
				f.frame.hit(c.arrival) // it is older: its result must not replace this one's
			}
			f = s.start(n, c, now)
			f.private = true
		default:
			f.present++
			f.callIn(c)
			f.onEnd()
			if c.leases() {
				f.leases++
			}
			s.mu.Unlock()
			s.left(gone)
			r, v := f.wait(c, false, ring)
			switch v {
			case took:
				return r, nil
			case tooLong:
				wait = false
				s.count(func(t *tally) { t.waited++ })
			case doubtful:
				wait, c.beside = false, true
			case another:
				wait = false
			}
			continue
		}
		s.mu.Unlock()
		s.left(gone)
		return found{}, f
	}
}

// barOlder keeps older computations of the key of f, whose result has been kept, from taking
// its place. mu is held.
func (s *store) barOlder(f *flight) {
	for o := s.flights[f.n.hash]; o != nil; o = o.next {
		if o.frame.order < f.frame.order && s.front.equal(o.n, f.n) {
			o.barred = true
		}
	}
}

// outrun reports whether the result of a later computation than that of f stands at the key of
// f, which may have come to the key only after that. mu is held.
func (s *store) outrun(f *flight) bool {
	old := s.find(f.n)
	return old != nil && old.meta != nil && old.meta.order > f.frame.order
}

// onEnd returns what is closed when f has ended. mu is held, and f has not ended.
func (f *flight) onEnd() <-chan struct{} {
	if f.ended == nil {
		f.ended = make(chan struct{})
	}
	return f.ended
}

// open returns the flight of n's key that is open to others. mu is held.
func (s *store) open(n *node) *flight {
	for f := s.flights[n.hash]; f != nil; f = f.next {
		if !f.private && s.front.equal(f.n, n) {
			return f
		}
	}
	return nil
}

// start enters a flight that makes n. mu is held.
func (s *store) start(n *node, c *caller, now int64) *flight {
	f := &flight{
		st: s, n: n, tags: c.tags,
		began: now, present: 1, expected: c.alone,
	}
	if w := c.within; w != nil {
		f.frame, f.call, f.moves = w.frame, w.call, true
	} else {
		f.frame, f.call = &f.own.frame, &f.own.call
		s.run(f.frame, c.labels)
		f.call.st, f.call.key, f.call.parent, f.call.frame = s, n, c.outer, f.frame
		f.call.beside = c.beside
		f.call.loose = c.loose
		if c.leases() {
			f.leases = 1
		}
	}
	if c.owner != nil {
		f.seldom().owner = c.owner
	}
	f.callIn(c)
	if s.flights == nil {
		s.flights = map[uint64]*flight{}
	}
	f.next = s.flights[n.hash]
	for o := f.next; o != nil && !f.private; o = o.next {
		f.private = o.lonely && s.front.equal(o.n, n)
	}
	s.flights[n.hash] = f
	s.stats.loads++
	s.stats.inFlight++
	return f
}

// run opens the frame of a computation and lists it. mu is held.
func (s *store) run(f *frame, labels []label) {
	s.begun++
	f.open(events.Load())
	f.order, f.labels = s.begun, labels
	// It may use what an event that is under way has not come to yet.
	f.hitBy = max(underWay(labels...), underWay(s.labels...))
	if f.next = s.running; f.next != nil {
		f.next.before = f
	}
	s.running = f
}

// ran takes the frame out of the list. mu is held.
func (s *store) ran(f *frame) {
	if f.next != nil {
		f.next.before = f.before
	}
	if f.before != nil {
		f.before.next = f.next
	} else {
		s.running = f.next
	}
	f.next, f.before = nil, nil
}

// callIn notes the computations that use what c gets. mu is held.
func (f *flight) callIn(c *caller) {
	c.users.each(func(fr *frame) { f.around = append(f.around, fr) })
}

// unlink takes f out of the flights. mu is held.
func (s *store) unlink(f *flight) {
	s.stats.inFlight--
	if s.flights[f.n.hash] == f {
		if f.next == nil {
			delete(s.flights, f.n.hash)
		} else {
			s.flights[f.n.hash] = f.next
		}
		return
	}
	for o := s.flights[f.n.hash]; o != nil; o = o.next {
		if o.next == f {
			o.next = f.next
			return
		}
	}
}

// refreshing counts the refreshes that run behind stale entries; beyond refreshLimit no
// more are begun.
var (
	refreshing   atomic.Int64
	refreshLimit = int64(max(8, 4*runtime.GOMAXPROCS(0)))
)

// behind starts a flight that refreshes the stale entry m, if it is time, none runs and
// the pool is not full. mu is held.
func (s *store) behind(m, n *node, c *caller, now int64) *flight {
	if stopped.Load() || s.open(n) != nil || m.meta != nil && m.meta.fails > 0 && m.meta.retry > now {
		return nil
	}
	if ring, _ := c.closes(s, n); ring != nil {
		return nil
	}
	if refreshing.Add(1) > refreshLimit {
		refreshing.Add(-1)
		s.stats.refreshSkipped++
		return nil
	}
	f := s.start(n, c, now)
	f.behind = true
	f.present, f.leases = 0, 0
	f.call.parent, f.around = nil, nil // the call around the stale hit does not wait for it
	return f
}

// backOff puts off the next refresh of n's key, after one that left the old entry in its
// place. mu is held.
func (s *store) backOff(n *node, now int64) {
	if old := s.find(n); old != nil && old.meta != nil && old.meta.extra != noExtra {
		old.meta.fails++
		old.meta.retry = after(now, time.Second<<min(old.meta.fails-1, 6))
	}
}

// verdict says what came of a wait.
type verdict uint8

const (
	took     verdict = iota // there is a result, or a reason to stop
	again                   // no result for this caller
	tooLong                 // the caller has waited for as long as it may
	doubtful                // likewise, and the computation may be waiting for the caller
	another                 // the result may be another's: the caller computes for itself, at once
)

// wait waits for f to end, in which the caller is counted as present, and for which onEnd has
// been called. own is set for the owner of a detached flight. ring is the cycle that the
// caller may be closing with a computation around it, nil if there is none.
func (f *flight) wait(c *caller, own bool, ring []*call) (found, verdict) {
	if !own {
		w, more, sure := c.waitFor(f)
		defer f.waited(w)
		if ring == nil || sure {
			ring = more
		}
		switch {
		case ring != nil && f.st.draws() && c.outer.drawsHole(ring[len(ring)-1]):
			if f.leave(c) {
				return found{}, another
			}
			return f.take(c, own)
		case sure:
			if f.leave(c) {
				return found{err: cycle(c.outer, ring)}, took
			}
			return f.take(c, own)
		}
	}
	var done <-chan struct{}
	if c.ctx != nil {
		done = c.ctx.Done()
	}
	var patience <-chan time.Time
	if waits := f.st.o.Wait > 0 && !own; waits || ring != nil {
		now := clock()
		until := int64(never)
		if waits {
			if c.until == 0 {
				c.until = after(now, f.st.o.Wait)
			}
			until = c.until
		}
		if ring != nil {
			until = min(until, after(now, doubtFor))
		}
		t := time.NewTimer(time.Duration(max(until-now, 0)))
		defer t.Stop()
		patience = t.C
	}
	select {
	case <-f.ended:
		if f.sentAway && f.leave(c) {
			return found{}, another
		}
	case <-done:
		if own {
			waitsMu.Lock()
			f.call.loose = true // whoever called is not waiting any more
			waitsMu.Unlock()
		}
		if f.leave(c) {
			return found{err: c.ctx.Err()}, took
		}
		<-f.ended
	case <-patience:
		if f.leave(c) {
			switch {
			case ring == nil:
				f.st.log(logWait, "waited %v for the computation of a key that %s holds, and computes for itself", f.st.o.Wait, f.holder())
				return found{}, tooLong
			case c.outer.isBeside():
				return found{err: cycle(c.outer, ring)}, took
			}
			return found{}, doubtful
		}
		<-f.ended
	}
	return f.take(c, own)
}

// holder words who runs f.
func (f *flight) holder() string {
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	by := "its caller"
	switch {
	case f.behind:
		by = "a refresh"
	case f.detached:
		by = "a detached computation"
	}
	return fmt.Sprintf("%s since %v", by, time.Duration(clock()-f.began).Round(time.Millisecond))
}

// leave takes the caller out of those present. It reports false if f has ended: then
// there is a result, and it would be a pity not to take it.
func (f *flight) leave(c *caller) bool {
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	if f.done {
		return false
	}
	f.present--
	if c.leases() {
		f.leases--
	}
	if f.present == 0 && f.detached && !f.behind && !f.cancelled {
		f.cancelled = true
		f.cancel(errAbandoned)
	}
	return true
}

// take gives the caller the result of f, which has ended and in which it was present.
func (f *flight) take(c *caller, own bool) (found, verdict) {
	if own && f.ending == exited {
		runtime.Goexit()
	}
	if !own {
		if v := f.verdict(c); v != took {
			if c.leases() {
				f.st.unlease(f.n)
			}
			return found{}, v
		}
	}
	if f.ending == panicked {
		panic(f.rare.panicV)
	}
	return f.result(own), took
}

// verdict says whether c, who is not the owner, takes the result.
func (f *flight) verdict(c *caller) verdict {
	accepts := (f.hitBy == 0 || f.hitBy > c.arrival) && (!c.refresh || f.frame.start >= c.arrival)
	switch {
	case !accepts || f.ending == exited:
		return again
	case f.ending == ownerLeft && f.left:
		return again
	case f.ending == ownerLeft || f.lone:
		// The next may end likewise: so that not all wait for one another in turn, each
		// takes part in that once.
		if c.letDown {
			return another
		}
		c.letDown = true
		return again
	case f.ones || !f.when.met(f.st, c.ctx, c.drawsIn):
		return another
	}
	return took
}

// result is what the flight gave, for its owner or for another who was present.
func (f *flight) result(own bool) found {
	if own && f.rare != nil && f.rare.original != nil {
		return found{n: f.rare.original, err: f.err, flight: f}
	}
	return found{n: f.n, err: f.err, flight: f}
}

// run computes the result and ends the flight. here says that this is the
// owner's goroutine: then a panic goes on, and Goexit as well. owner is the owner's context
// in that case.
func (f *flight) run(ctx, owner context.Context, here bool, e *Call) {
	outer := f.call.enter()
	result := exited
	var err error
	defer func() {
		outer.enter()
		var p any
		if result == exited {
			if p = recover(); p != nil {
				result = panicked
			}
		}
		f.finish(result, err, p)
		if here && p != nil {
			panic(p) // the identical value, with the trace of its origin
		}
	}()
	if here && len(e.Arguments) > 0 {
		err = f.runChecked(ctx, e)
	} else {
		err = e.Run(ctx, f.st.front.value(f.n))
	}
	result = f.judge(ctx, owner, err)
}

// runChecked runs the body, and notes which of its arguments it has changed.
func (f *flight) runChecked(ctx context.Context, e *Call) error {
	args := before(e.Arguments)
	err := e.Run(ctx, f.st.front.value(f.n))
	if changed := args.changed(); changed != "" {
		f.seldom().changed = changed
	}
	return err
}

// unfinished reports whether a body that returned without an error has given no result for
// others: its context, ctx, is done, and it could not say that it stopped for that reason, since
// it has no error result, or did not say so, although a call that it made was cut short; or it
// used what a computation gave that was itself unfinished.
func (c *call) unfinished(ctx context.Context, has ErrorResult) bool {
	return c.partial.Load() || ctx != nil && ctx.Err() != nil && (has != HasError || c.cut.Load())
}

// judge decides, with the help of the user's functions, what to do with a result. It runs
// where the computation ran, so that a panic of theirs counts as the computation's.
func (f *flight) judge(ctx, owner context.Context, err error) ending {
	s := f.st
	now := clock()
	if key := f.frame.strayed(f.call); key != nil {
		f.seldom().strayed = key
		f.made = err == nil
		if f.made && s.front.releases() {
			r := f.seldom()
			r.ident, r.hasIdent = s.front.ident(f.n)
		}
		f.left = f.call.outlives()
		return ownerLeft
	}
	if err != nil {
		if owner != nil && owner.Err() != nil {
			f.left = true
			return ownerLeft
		}
		f.keepable = s.o.ErrorTTL > 0 && s.front.keepError(err) && !errors.As(err, new(*CycleError))
		f.n.expires = s.expiry(now, s.o.ErrorTTL)
		f.setApart()
		return failed
	}
	f.made = true
	if s.front.releases() {
		r := f.seldom()
		r.ident, r.hasIdent = s.front.ident(f.n)
	}
	if f.call.unfinished(ctx, s.o.ErrorResult) {
		f.left = owner != nil && owner.Err() != nil
		return ownerLeft
	}
	ttl := s.front.lifetime(f.n)
	f.keepable = ttl >= 0 && s.front.keep(f.n)
	if f.keepable && s.weighs.Load() {
		size := max(s.front.size(f.n), 0)
		f.keepable = size < 1<<32
		f.n.weight = uint32(size)
	}
	f.n.expires = s.expiry(now, max(ttl, 0))
	f.setApart()
	return gaveValue
}

// setApart puts what callers get out of the body's reach: the value may be, or contain, an
// argument or a package variable, which can be changed later. Where the owner is the only
// one to get it, the copy that it gets will do.
func (f *flight) setApart() {
	if f.whatChanged() != "" {
		f.keepable, f.alone = false, true
	}
	if !f.keepable && !f.shut() {
		return
	}
	if original, err := f.st.front.apart(f.n); err != nil {
		f.seldom().original, f.keepable, f.alone = original, false, true
		f.st.uncopied(err)
	}
}

// shut closes f, whose result is not kept, to those who come from here on, and reports
// whether somebody besides the owner is present.
func (f *flight) shut() bool {
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	f.private = true
	return f.present > 1
}

// shutOut closes f, which runs on, to others: those who wait compute for themselves. lonely
// says that others of the key would have to be closed as well.
func (f *flight) shutOut(lonely bool) {
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	f.lonely = f.lonely || lonely
	if f.private = true; f.done || f.ended == nil || f.sentAway {
		return
	}
	f.sentAway = true
	close(f.ended)
}

// finish ends the flight: it keeps the result, if it may be kept, and hands it to those
// who wait.
func (f *flight) finish(result ending, err error, p any) {
	s, n := f.st, f.n
	x, mixed, read := f.frame.gathered(!f.moves)
	var uses []*holding
	if !f.moves {
		uses = f.frame.takeLoans()
	}
	when := f.frame.conditions()
	tags := x.tags
	if len(f.tags) > 0 {
		tags = append(append([]string(nil), f.tags...), tags...)
	}
	labels := f.frame.labels
	root := s.front.atRoot != nil && s.front.atRoot(n)
	if last := len(labels) - 1; root && last >= 0 && labels[last].kind == groupLabel {
		labels = labels[:last:last]
	}
	for _, t := range x.tags {
		labels = append(labels[:len(labels):len(labels)], label{kind: tagLabel, name: t})
	}
	n.expires = min(n.expires, x.expires)
	session, scoped := sessionIn(f.frame.labels)
	foreign := x.scoped && !(scoped && x.session == session)
	x.ones = x.ones || read != nil || mixed || foreign
	f.ones = x.ones && !f.moves || f.alone
	f.lone = f.call.cycled.Load()
	erred, sound := result == failed || f.erred, x.kept && !mixed && !foreign && !f.lone
	keep := f.keepable && sound && (erred || !x.failed)
	x.tags, x.expires = tags, n.expires
	if scoped {
		x.scoped, x.session = true, session
	}
	holds := f.made && (s.front.releases() || s.front.mayHold(uses))
	if len(labels) > 0 || err != nil || holds || s.stale.Load() > 0 || x.scoped || when != nil {
		n.meta = s.newMeta(err != nil || when != nil || holds || s.draws() && !root)
		if err != nil || when != nil {
			n.meta.err, n.meta.when = err, when
		}
	}

	now := clock()
	var gone []*node
	s.mu.Lock()
	s.unlink(f)
	switch {
	case f.moves && f.call.key == n:
		s.countFlightless(n, 1)
	case !f.moves:
		f.call.ended.Store(true)
		s.ran(f.frame)
		if f.call.key != n {
			s.countFlightless(f.call.key, -1)
		}
	}
	f.hitBy = f.frame.outdated()
	for _, fr := range f.around {
		fr.addTagsOf(x, s.o.Tags)
	}
	f.around = nil
	f.barred = f.barred || s.outrun(f)
	if result == failed && f.cancelled {
		result = ownerLeft
	}
	f.left = f.left || f.cancelled
	if result != gaveValue {
		if result != ownerLeft || !f.made {
			s.stats.failed++
		}
		keep = keep && result == failed
		if old := s.find(n); old != nil && (old.meta == nil || old.meta.err == nil) && s.end(old) > now {
			keep = false // an old value is better than an error
		}
		if f.behind {
			s.stats.refreshFailed++
		}
	}
	keep = keep && f.hitBy == 0 && !f.barred && n.expires > now && !stopped.Load()
	x.failed = erred && sound && !keep && f.hitBy == 0 && result != ownerLeft
	var h *holding
	if holds {
		r := f.rare
		if r == nil {
			r = &rareFlight{}
		}
		if h, uses = s.hold(n, r.ident, r.hasIdent, uses); result != panicked && result != exited {
			n.meta.hold = h
			h.refs += int(f.leases)
		}
	}
	if n.meta != nil && n.meta.extra != noExtra {
		n.meta.order = f.frame.order // before readers can see it
	}
	keep = keep && s.insert(n, &gone, labels...)
	if x.kept = keep; keep {
		s.barOlder(f)
	} else {
		if h != nil && h.refs == 0 {
			s.settle(h)
		}
		if f.behind && f.hitBy == 0 && !f.barred {
			s.backOff(n, now)
		}
	}
	if !keep && (result == gaveValue || result == ownerLeft && f.made) {
		s.stats.notKept++
		if read != nil {
			s.stats.contextReads++
		}
	}
	changed := f.whatChanged()
	if changed != "" {
		s.stats.changed++
	}
	s.stats.loadTime += now - f.began
	f.done = true
	f.ending, f.err, f.facts, f.when = result, err, x, when
	if p != nil {
		f.seldom().panicV = p
	}
	present := f.present
	if f.behind {
		refreshing.Add(-1)
	}
	if f.ended != nil && !f.sentAway {
		close(f.ended)
	}
	s.mu.Unlock()

	if keep && f.rare != nil && f.rare.owner != nil {
		s.own(f.rare.owner)
	}
	s.left(gone)
	giveBack(uses)
	if changed != "" {
		s.logChange(changed)
	}
	if read != nil {
		s.logRead(read)
	}
	if f.rare != nil && f.rare.strayed != nil {
		s.logStrayed(f.rare.strayed)
	}
	switch {
	case f.moves || result != gaveValue:
	case x.ones:
		s.wasPersonal(read)
	case f.personal:
		s.drewPersonal(n.hash)
	case f.expected && !f.refused:
		s.wasForAll(n.hash)
	}
	switch {
	case result == panicked && present == 0:
		s.log(logPanic, "a computation that nobody waits for panicked: %v", p)
	case result == failed && f.behind && present == 0 && !stopped.Load():
		s.log(logRefresh, "a refresh failed, the old result is served on: %v", err)
	}
}

package cachert

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// store is the engine behind one Site: it holds the entries and the computations that
// run, and knows nothing of types. What it has to know of them it asks its front.
//
// Readers find entries through the table without a lock. Everything else happens
// under mu, which is never held while user code runs. Of all that is true between two
// holds of mu:
//   - an entry is in the table if and only if it is in one of the policy's queues, and at
//     most one entry of a key is;
//   - the bounds of the policy hold, exactly;
//   - each label of each kept entry leads to it in the index, and to nothing else;
//   - flights holds the flights, and running the frames of the computations, that have not
//     ended;
//   - where values have a release, each value that ever came from a computation is either
//     kept, leased, waiting for its grace to end, or released (see holding).
type store struct {
	table      atomic.Pointer[table]
	hits       counter
	personal   atomic.Pointer[personal]
	front      front
	o          Options // as generated; the bounds may have been configured otherwise
	ttl, stale atomic.Int64
	weighs     atomic.Bool  // there is a bound on bytes
	labels     []label      // of o.Tags
	correct    func(*Stats) // where entries are not results, what was counted of results; nil: they are

	mu      sync.Mutex
	policy  policy
	index   index
	flights map[uint64]*flight // by hash, in chains
	running *frame             // of the computations that run, also between two flights
	begun   uint64             // computations
	// how many calls run for keys of a hash without a flight of that key
	flightless map[uint64]int
	held       map[any]*holding // by identity
	owned      map[any]struct{} // owners whose end will be told
	live       int              // values not released
	idle       chan struct{}    // closed when live is 0; nil: nobody wants to know
	lends      bool             // values without a release have had a holding
	orphans    []*holding       // of them, those that nothing needs any more
	orphaned   atomic.Bool      // there are some
	rest       resting          // in their grace
	rested     uint64           // how many came to rest
	alarm      alarm
	ends       ends
	stats      tally
	logged     [logKinds]atomic.Bool
	moves      int  // how many entries move to another table in one hold of mu, at most
	resizing   bool // somebody changes the table's size
}

// label is what entries are found by besides their key: all entries with it are dropped
// together. Labels of different kinds are never equal.
type label struct {
	kind labelKind
	name string
	ref  any
}

type labelKind uint8

const (
	tagLabel labelKind = iota
	sessionLabel
	ownerLabel
	groupLabel
)

// stores are all stores of the process.
var stores struct {
	sync.Mutex
	all []*store
}

func allStores() []*store {
	stores.Lock()
	defer stores.Unlock()
	return stores.all[:len(stores.all):len(stores.all)]
}

func newStore(f front, o Options) *store {
	s := &store{front: f, o: o, ends: newEnds(), moves: holdLimit}
	s.front.st = s
	s.ttl.Store(int64(o.TTL))
	s.stale.Store(int64(o.Stale))
	s.weighs.Store(o.MaxBytes > 0)
	s.policy.max, s.policy.maxBytes = o.Max, o.MaxBytes
	for _, t := range o.Tags {
		s.labels = append(s.labels, label{kind: tagLabel, name: t})
	}
	s.table.Store(newTable(minSlots))
	stores.Lock()
	defer stores.Unlock()
	s.configured()
	stores.all = append(stores.all, s)
	return s
}

// find returns the entry of n's key. mu is held.
func (s *store) find(n *node) *node {
	for t := s.table.Load(); t != nil; t = t.newer.Load() {
		for m := t.head(n.hash).Load(); m != nil; m = m.next.Load() {
			if m.hash == n.hash && s.front.equal(m, n) {
				return m
			}
		}
	}
	return nil
}

// insert keeps n, with those labels, in the place of an entry of the same key, and drops what
// the bounds say. It reports whether n was kept. mu is held; what left is appended to gone.
func (s *store) insert(n *node, gone *[]*node, labels ...label) bool {
	was := uint32(0)
	if old := s.find(n); old != nil {
		was = old.state.Load()
		s.remove(old, gone)
	}
	weight := int64(0)
	if s.policy.maxBytes > 0 {
		weight = int64(n.weight)
	}
	if !s.policy.admits(weight) {
		return false
	}
	for s.policy.full(1, n.weight) {
		s.makeRoom(gone)
	}
	if len(labels) > 0 {
		s.index.add(n, labels)
	}
	if m := n.meta; m != nil && m.hold != nil {
		m.hold.refs++
	}
	s.policy.add(n, was)
	s.table.Load().latest().insert(n)
	s.fit()
	if n.expires != never {
		s.ends.add(s.end(n))
		s.alarm.set(s, s.end(n))
	}
	return true
}

// makeRoom drops one entry: one that is past its end, if it finds one, and else the one that
// the policy says. mu is held.
func (s *store) makeRoom(gone *[]*node) {
	if s.ends.earliest != never {
		if n := s.pastEnd(clock()); n != nil {
			s.remove(n, gone)
			s.stats.expired++
			return
		}
	}
	s.remove(s.policy.victim(), gone)
	s.stats.evicted++
}

// ends is what is known, between two sweeps, of when entries end. The sweeps are some time
// apart; an entry that has ended meanwhile goes before one that is valid.
type ends struct {
	earliest int64 // no kept entry ends before
	// Of the round through the table that hand is on: the earliest end of what it has
	// passed, and of what has come since it began.
	hand         int
	passed, come int64
	rounds       int // how often began was called
}

func newEnds() ends { return ends{earliest: never, passed: never, come: never} }

func (e *ends) add(end int64) {
	e.earliest = min(e.earliest, end)
	e.come = min(e.come, end)
}

// began and ended are the beginning and the end of a look at all entries, of which next is the
// earliest end.
func (e *ends) began() {
	e.hand, e.passed, e.come = 0, never, never
	e.rounds++
}

func (e *ends) ended(next int64) {
	e.earliest = min(next, e.come)
	e.began()
}

// handStep is how many chains are looked at for an entry to go. A table of no more is
// looked at as a whole.
const handStep = 8

// pastEnd returns an entry that is past its end at the time now, nil if it finds none: it
// looks at those that came first, and then at a few more, others each time. mu is held.
func (s *store) pastEnd(now int64) *node {
	e := &s.ends
	if now < e.earliest {
		return nil
	}
	for _, q := range []*queue{&s.policy.small, &s.policy.main} {
		if n := q.oldest; n != nil && s.end(n) <= now {
			return n
		}
	}
	t := s.table.Load()
	if t.newer.Load() != nil {
		return nil // entries move, and the hand begins anew when they have
	}
	slots := t.slots
	if e.hand >= len(slots) {
		e.began() // the table has shrunk
	}
	step := handStep
	if len(slots) <= 8*handStep {
		step = len(slots)
		e.began() // or what the hand has passed would be left out
	}
	for range step {
		for n := slots[e.hand].Load(); n != nil; n = n.next.Load() {
			end := s.end(n)
			if end <= now {
				return n // the hand stays, there may be more
			}
			e.passed = min(e.passed, end)
		}
		if e.hand++; e.hand == len(slots) {
			e.ended(e.passed)
			return nil
		}
	}
	return nil
}

// remove drops n, which is kept. mu is held.
func (s *store) remove(n *node, gone *[]*node) {
	s.table.Load().remove(n)
	s.policy.remove(n)
	if m := n.meta; m != nil {
		s.index.remove(n)
		if m.hold != nil {
			s.unhold(m.hold)
		}
	}
	if s.front.leaves() {
		*gone = append(*gone, n)
	}
}

// removeAll drops every entry at once, however many they are. They are returned for free, to
// be called when mu is not held any more. mu is held.
func (s *store) removeAll() (dead []*node) {
	for _, q := range []*queue{&s.policy.main, &s.policy.small} {
		if q.oldest != nil {
			dead = append(dead, q.oldest)
		}
	}
	s.policy.generation.Store((s.policy.generation.Load() + 1) & nodeGenerations)
	s.policy.clear()
	s.index = index{}
	s.table.Store(newTable(minSlots))
	s.ends = newEnds()
	return dead
}

// holdLimit is how many entries are removed, or freed, in one hold of mu, which takes less
// than a millisecond then.
const holdLimit = 256

// free sees to what removeAll has removed, the oldest first. mu is not held.
func (s *store) free(dead []*node) {
	var gone []*node
	for _, n := range dead {
		for n != nil {
			s.mu.Lock()
			for i := 0; i < holdLimit && n != nil; i++ {
				next := n.newer
				n.older, n.newer = nil, nil
				if n.meta != nil {
					n.forgotten()
					if n.meta.hold != nil {
						s.unhold(n.meta.hold)
					}
				}
				if s.front.leaves() {
					gone = append(gone, n)
				}
				n = next
			}
			s.mu.Unlock()
			s.left(gone)
			gone = gone[:0]
		}
	}
}

// removeLabelled drops entries with one of the labels, no more than holdLimit, and reports
// whether those were all. mu is held.
func (s *store) removeLabelled(gone *[]*node, labels ...label) (all bool) {
	left := holdLimit
	for _, l := range labels {
		for set := s.index.find(l); set != nil && set.first != nil; {
			if left--; left < 0 {
				return false
			}
			s.remove(set.first, gone)
			s.stats.dropped++
		}
	}
	return true
}

// left sees to what has gone: the front is told, and what values were made with is given
// back. No store's mu is held.
func (s *store) left(gone []*node) {
	for _, n := range gone {
		s.front.left(n)
	}
	if s.orphaned.Load() {
		s.mu.Lock()
		orphans := s.orphans
		s.orphans = nil
		s.orphaned.Store(false)
		s.mu.Unlock()
		for _, h := range orphans {
			giveBack(h.uses)
		}
	}
}

// end is when n is of no use any more. An entry without an extra of its own was kept when there
// was no stale, and has no place to note failed refreshes.
func (s *store) end(n *node) int64 {
	if n.expires == never || n.meta == nil || n.meta.extra == noExtra || n.meta.err != nil || s.stale.Load() == 0 {
		return n.expires
	}
	return after(n.expires, time.Duration(s.stale.Load()))
}

// expiry is when a value computed now, of the given ttl, expires.
func (s *store) expiry(now int64, ttl time.Duration) int64 {
	if ttl == 0 {
		return never
	}
	if s.o.Jitter > 0 {
		ttl -= time.Duration(s.o.Jitter * rand.Float64() * float64(ttl))
	}
	return after(now, max(ttl, 1))
}

// An alarm wakes its store when something is due: entries that have expired, values
// whose grace has ended. It has at most one timer that matters, made anew each time: a
// timer made inside a synctest bubble can only be used there. All of it is under the
// store's mu. A timer that goes off when nothing is due does nothing.
type alarm struct {
	at     int64 // when it goes off; 0: it is not set
	swept  int64 // when the last sweep began
	took   int64 // how long that sweep took
	bubble bool
	timer  *time.Timer // the last one that was made outside of bubbles: one inside must not be stopped from elsewhere
}

// sweepGap is how far apart two sweeps for expired entries are at least: they look at
// every entry. Values with a release do not wait.
func (s *store) sweepGap() int64 {
	gap := s.ttl.Load() / 8
	if s.front.releases() {
		gap = 0
	}
	return max(min(gap, int64(time.Minute)), 20*s.alarm.took)
}

// set makes sure that the alarm goes off at the time at, or earlier, or as soon after it
// as sweeps may follow one another.
func (a *alarm) set(s *store, at int64) {
	if at == never {
		return
	}
	now := clock()
	if a.swept != 0 && inBubble(a.swept) == inBubble(now) {
		at = max(at, a.swept+s.sweepGap())
	}
	a.setExactly(s, at, now)
}

func (a *alarm) setExactly(s *store, at, now int64) {
	if a.at != 0 && a.bubble == inBubble(now) {
		if a.at <= at && a.at > now {
			return
		}
		at = min(at, a.at) // it is due, and its timer on its way or gone with its bubble
	}
	a.at, a.bubble = at, inBubble(now)
	if a.timer != nil && !a.bubble {
		a.timer.Stop() // or ends that come earlier each time leave a timer each
	}
	t := time.AfterFunc(time.Duration(max(at-now, 0)), s.wake)
	if !a.bubble {
		a.timer = t
	}
}

// wake does what is due.
func (s *store) wake() {
	s.mu.Lock()
	now := clock()
	if s.alarm.at == 0 || s.alarm.at > now || s.alarm.bubble != inBubble(now) {
		s.mu.Unlock()
		return
	}
	s.alarm.at = 0
	s.alarm.swept = now
	next := s.sweep(now)
	if took := clock() - now; took >= 0 {
		s.alarm.took = took
	}
	s.alarm.set(s, next)
	s.mu.Unlock()
	s.left(nil)
	s.releaseDue(now)
}

// sweep drops entries that are past their end and returns when the next one ends. mu is
// held, and let go of now and then.
func (s *store) sweep(now int64) (next int64) {
	next = never
	var gone []*node
	removed := 0
	for !s.move() {
		s.mu.Unlock()
		s.mu.Lock()
	}
	s.ends.began()
	round := s.ends.rounds
	t := s.table.Load()
	for i := 0; i < len(t.slots); i++ {
		if i%chainsLimit == chainsLimit-1 || removed >= holdLimit {
			s.mu.Unlock()
			s.left(gone)
			gone, removed = gone[:0], 0
			s.mu.Lock()
			if s.table.Load() != t || t.newer.Load() != nil {
				return now // the chains have moved, or are about to; come again
			}
		}
		for n := t.slots[i].Load(); n != nil; n = n.next.Load() {
			switch end := s.end(n); {
			case end > now:
				next = min(next, end)
			default:
				s.remove(n, &gone)
				s.stats.expired++
				removed++
			}
		}
	}
	if s.ends.rounds == round { // else a round through the table began meanwhile
		s.ends.ended(next)
	}
	s.fit()
	if len(gone) > 0 {
		s.mu.Unlock()
		s.left(gone)
		s.mu.Lock()
	}
	return next
}

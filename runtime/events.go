package cachert

import (
	"context"
	"sync"
	"sync/atomic"
)

// events numbers what makes results outdated: Forget, Prime, Clear, Invalidate and
// EndSession. A computation remembers the number of the last event before its start, a
// caller that of the last before its arrival. A result whose computation was hit by
// an event is not kept; a caller takes it only if the event came after the caller.
//
// A store lists its computations from their start to their end, whatever keys they are at
// (store.running), so that an event finds each that it concerns, and the frame of each
// keeps the earliest event that did. What an event does not find is a computation that gets
// the tag, or the session, only later, from a result that it uses. So such a result passes its
// tags on before events cease to find it:
//
//   - that of a flight when the flight ends, under the store's mu, to all who are present
//     (flight.around);
//   - that of an entry when it has been found. If the entry is still kept after that, no event
//     that concerns it has passed, and else the computation counts as hit (store.countFor).
//
// An event that goes from store to store counts for the computations that get its tag
// meanwhile (underWay).
var events atomic.Uint64

// tagEvents knows the tags and sessions whose events are under way: from the moment when
// they begin until all entries with the label are gone.
var tagEvents struct {
	n atomic.Int64 // how many events are under way
	sync.Mutex
	walking map[label]int
}

// underWay returns the number of the next event if an event of one of the labels is under way,
// and else 0. Of that event, all that is known is that no caller has come after it.
func underWay(labels ...label) (seq uint64) {
	if tagEvents.n.Load() == 0 || len(labels) == 0 {
		return 0
	}
	tagEvents.Lock()
	defer tagEvents.Unlock()
	for _, l := range labels {
		if tagEvents.walking[l] > 0 {
			return events.Load() + 1
		}
	}
	return 0
}

// invalidate drops every entry with one of the labels, and keeps the computations that
// have one from being kept; in the given stores, or in all.
func invalidate(labels []label, in ...*store) {
	tagEvents.n.Add(1)
	defer tagEvents.n.Add(-1)
	tagEvents.Lock()
	if tagEvents.walking == nil {
		tagEvents.walking = map[label]int{}
	}
	for _, l := range labels {
		tagEvents.walking[l]++
	}
	seq := events.Add(1)
	tagEvents.Unlock()

	if in == nil {
		in = allStores()
	}
	for _, s := range in {
		s.invalidate(labels, seq)
	}

	tagEvents.Lock()
	defer tagEvents.Unlock()
	events.Add(1) // what it hit from afar counts for those who call from here on
	for _, l := range labels {
		if tagEvents.walking[l]--; tagEvents.walking[l] == 0 {
			delete(tagEvents.walking, l)
		}
	}
}

// invalidate is its part of the package's.
func (s *store) invalidate(labels []label, seq uint64) {
	var gone, dead []*node
	s.mu.Lock()
	defer func() {
		s.mu.Unlock()
		s.left(gone)
		s.free(dead)
	}()
	for _, l := range labels {
		if l.kind == tagLabel && s.hasTag(l.name) {
			s.stats.dropped += uint64(s.policy.count())
			dead = append(dead, s.removeAll()...)
		}
	}
	// In between, computations that the event does not know of yet may end; what they put
	// there has the label too. When none is left, the rest happens in the same hold.
	for !s.removeLabelled(&gone, labels...) {
		s.mu.Unlock()
		s.left(gone)
		gone = gone[:0]
		s.mu.Lock()
	}
	s.fit()
	for _, l := range labels {
		for f := s.running; f != nil; f = f.next {
			if f.hasLabel(s, l) {
				f.hit(seq)
			}
		}
	}
}

// hasTag reports whether t is one of the function's own tags.
func (s *store) hasTag(t string) bool {
	for _, own := range s.o.Tags {
		if own == t {
			return true
		}
	}
	return false
}

// Invalidate drops every result that has one of the tags, in every cached function, and
// every result that was made from one of those: a computation made it from what it called on
// its goroutine, or on another with its context. A computation that is running gives its
// result to those who wait for it by now; it is not kept, and no call made after
// Invalidate has returned gets it.
func Invalidate(ctx context.Context, tags ...string) {
	labels := make([]label, len(tags))
	for i, t := range tags {
		labels[i] = label{kind: tagLabel, name: t}
	}
	invalidate(labels)
}

// forget drops the entry of n's key, and keeps its computations from being kept. If put
// is not nil it takes the entry's place, with the labels, if keep, and else its value is let
// go.
func (s *store) forget(n, put *node, keep bool, labels ...label) {
	var gone []*node
	var ident any
	hasIdent := false
	if put != nil && s.front.releases() {
		ident, hasIdent = s.front.ident(put)
	}
	s.mu.Lock()
	seq := events.Add(1)
	for f := s.flights[n.hash]; f != nil; f = f.next {
		if s.front.equal(f.n, n) {
			f.frame.hit(seq)
		}
	}
	if old := s.find(n); old != nil {
		s.remove(old, &gone)
		s.stats.dropped++
	}
	if put != nil {
		var h *holding
		if s.front.releases() {
			h, _ = s.hold(put, ident, hasIdent, nil)
			put.meta.hold = h
		}
		if keep = keep && !stopped.Load() && s.insert(put, &gone, labels...); !keep && h != nil && h.refs == 0 {
			s.settle(h)
		}
	}
	s.fit()
	s.mu.Unlock()
	s.left(gone)
}

// discard drops the entry of n's key, which is of no use any more, and keeps flights that
// are there from putting it back. It is no event: their results are right.
func (s *store) discard(n *node) {
	var gone []*node
	s.mu.Lock()
	for f := s.flights[n.hash]; f != nil; f = f.next {
		if s.front.equal(f.n, n) {
			f.barred = true
		}
	}
	if old := s.find(n); old != nil {
		s.remove(old, &gone)
		s.stats.dropped++
	}
	s.mu.Unlock()
	s.left(gone)
}

// clear drops every entry, and keeps the running computations from being kept.
func (s *store) clear() {
	s.mu.Lock()
	seq := events.Add(1)
	for f := s.running; f != nil; f = f.next {
		f.hit(seq)
	}
	s.stats.dropped += uint64(s.policy.count())
	dead := s.removeAll()
	s.mu.Unlock()
	s.free(dead)
}

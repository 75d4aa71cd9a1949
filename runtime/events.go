package cache

import (
	"context"
	"sync"
	"sync/atomic"
)

// events numbers what makes results outdated: Forget, Prime, Clear, Invalidate and
// EndSession. A computation remembers the number of the last event before its start, a
// caller that of the last before its arrival. A result whose computation was hit by
// an event is not kept; a caller takes it only if the event came after the caller.
var events atomic.Uint64

// tagEvents knows the last event of each tag and session, for computations that turn out
// to have it only when they end: the tags of what they used. It holds a bounded number
// of them; of the rest it says that they were as late as floor.
//
// A tag counts as hit from the moment when its event begins until all entries with it are
// gone.
var tagEvents struct {
	sync.Mutex
	walking map[label]int
	last    map[label]uint64
	floor   uint64
}

const maxTagEvents = 1 << 12

// since returns a number that is not above that of the first event of one of the labels
// after start, and above those of all events that were complete before that; 0 if there is
// none. Of an event that has not ended, all that is known is that no caller has come
// after it.
func since(start uint64, labels ...label) (seq uint64) {
	if len(labels) == 0 {
		return 0
	}
	tagEvents.Lock()
	defer tagEvents.Unlock()
	for _, l := range labels {
		if max(tagEvents.last[l], tagEvents.floor) > start {
			return start + 1
		}
		if tagEvents.walking[l] > 0 {
			seq = events.Load() + 1
		}
	}
	return seq
}

// invalidate drops every entry with one of the labels, and keeps the computations that
// have one from being kept; in the given stores, or in all.
func invalidate(labels []label, in ...*store) {
	tagEvents.Lock()
	if tagEvents.walking == nil {
		tagEvents.walking, tagEvents.last = map[label]int{}, map[label]uint64{}
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
	if len(tagEvents.last) > maxTagEvents {
		clear(tagEvents.last)
		tagEvents.floor = events.Load()
	}
	end := events.Add(1)
	for _, l := range labels {
		tagEvents.last[l] = end
		if tagEvents.walking[l]--; tagEvents.walking[l] == 0 {
			delete(tagEvents.walking, l)
		}
	}
}

// invalidate is its part of the package's.
func (s *store) invalidate(labels []label, seq uint64) {
	var gone []*node
	s.mu.Lock()
	defer func() {
		s.mu.Unlock()
		s.left(gone)
	}()
	for _, l := range labels {
		if l.kind == tagLabel && s.hasTag(l.name) {
			s.stats.dropped += uint64(s.policy.count())
			s.removeAll(&gone)
			s.cleared = seq
		}
		for n := range s.index[l] {
			s.remove(n, &gone)
			s.stats.dropped++
		}
		for _, f := range s.flights {
			for ; f != nil; f = f.next {
				if f.hasLabel(l) {
					f.hit(seq)
				}
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
// every result that was made from one of those. A computation that is running gives its
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
// is not nil it takes the entry's place, if keep, and else its value is let go.
func (s *store) forget(n, put *node, keep bool) {
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
			f.hit(seq)
		}
	}
	if old := s.find(n); old != nil {
		s.remove(old, &gone)
		s.stats.dropped++
	}
	if put != nil {
		var h *holding
		if s.front.releases() {
			h = s.hold(put, ident, hasIdent)
			put.meta.hold = h
		}
		if keep = keep && !stopped.Load() && s.insert(put, &gone); !keep && h != nil && h.refs == 0 {
			s.settle(h)
		}
	}
	s.mu.Unlock()
	s.left(gone)
}

// clear drops every entry, and keeps the running computations from being kept.
func (s *store) clear() {
	var gone []*node
	s.mu.Lock()
	seq := events.Add(1)
	s.cleared = seq
	for _, f := range s.flights {
		for ; f != nil; f = f.next {
			f.hit(seq)
		}
	}
	s.stats.dropped += uint64(s.policy.count())
	s.removeAll(&gone)
	s.mu.Unlock()
	s.left(gone)
}

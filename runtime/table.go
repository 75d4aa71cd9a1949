package cachert

import (
	"runtime"
	"sync/atomic"
	"unsafe"
)

// A node is what the engine knows of an entry. It is the first field of the entry[K, V]
// that holds key and value, so a *node is also a pointer to its entry, and the engine
// below is compiled once for all functions.
//
// hash, expires, weight and, by the time that it is in a table, meta's pointer do not
// change: readers take no lock. next is written under the store's lock and read without.
// The queue links belong to the store's lock alone.
type node struct {
	hash    uint64
	next    atomic.Pointer[node] // in the table's chain
	expires int64                // fresh while clock() < expires
	older   *node                // in its queue, towards the next to be evicted
	newer   *node
	meta    *meta         // what few entries have; nil for the rest
	state   atomic.Uint32 // nodeUse bits, and under the store's lock nodeQueue bits
	weight  uint32        // bytes, where the store bounds them
}

const (
	nodeUse   = 3 // how often the entry was hit since the policy last looked, at most 3
	nodeSmall = 1 << 2
	nodeMain  = 1 << 3
	nodeQueue = nodeSmall | nodeMain // neither: not in the store

	nodeGeneration  = 4 // where the generation of the policy begins, in which it was added
	nodeGenerations = 1<<(32-nodeGeneration) - 1
)

// use notes a hit, for the policy. Once the count is full it only reads.
func (n *node) use() {
	if s := n.state.Load(); s&nodeUse != nodeUse {
		n.state.CompareAndSwap(s, s+1) // a lost count does not matter
	}
}

// setBits replaces the bits of mask.
func (n *node) setBits(mask, bits uint32) {
	for {
		s := n.state.Load()
		if n.state.CompareAndSwap(s, s&^mask|bits) {
			return
		}
	}
}

// kept reports whether n is in the store: in a queue, and put there since all entries were
// removed the last time.
func (s *store) kept(n *node) bool {
	state := n.state.Load()
	return state&nodeQueue != 0 && state>>nodeGeneration == s.policy.generation.Load()
}

// fresh reports whether the entry has a value that may be served. A kept error is served
// by do alone.
func (n *node) fresh() bool {
	return (n.expires > coarse.Load() || freshNow(n.expires)) && (n.meta == nil || n.meta.err == nil)
}

// meta is what the engine knows of an entry beyond the ordinary: its labels, and what few
// entries have besides. It is small, since in some functions every entry has one.
type meta struct {
	*extra      // never nil, and not changed once readers can see the entry; noExtra stands for nothing
	link   link // of the first label; without a set there is none
}

// extra is what few entries have. A reader takes no lock for what is not under it.
type extra struct {
	err    error       // the entry is a kept error
	hold   *holding    // of a value with a release
	order  uint64      // of the computation, as frame.order; 0: it was primed, or nothing can come to its key late
	when   *conditions // what a context must be like for the entry to be of use; nil: anything
	links  []link      // of further labels, in the order of their ids
	unkept bool        // the entry is no one's but its caller's

	// under the store's lock
	fails int32 // refreshes in a row that failed, or gave what is not kept
	retry int64 // no refresh behind the stale entry before, if one failed
}

var noExtra = &extra{}

// own returns the extra of m, which is to be set. The entry is not seen by readers yet.
func (m *meta) own() *extra {
	if m.extra == noExtra {
		m.extra = &extra{}
	}
	return m.extra
}

// newMeta returns a meta for an entry that is about to be kept. It has an extra of its own
// where that may be changed later.
func (s *store) newMeta(own bool) *meta {
	m := &meta{extra: noExtra}
	if own || s.stale.Load() > 0 {
		m.own()
	}
	return m
}

// facts returns what the entry, which was kept when it was found, or is its caller's alone,
// passes on to a computation that uses it. Its tags are in buf if there is room.
func (n *node) facts(buf []string) facts {
	x := facts{expires: n.expires, kept: true}
	if n.meta == nil {
		return x
	}
	if n.meta.unkept {
		return facts{expires: never}
	}
	for l := range n.meta.labelled {
		switch l.set.kind {
		case tagLabel:
			buf = append(buf, l.set.name)
		case sessionLabel:
			x.session, x.scoped = l.set.name, true
		}
	}
	x.tags = buf
	return x
}

// A table is a hash table with chains. Writers hold the store's lock; readers take none.
//
// A table changes its size by another one that takes over its entries, a few in each hold of
// the lock (see store.fit). What comes meanwhile goes into the newer one. Readers look first
// into the table that they have, and then into the one that is newer than that, so that they
// find an entry in either, and also where it goes from one to the other while they look.
//
// A reader sees an entry that is in the table for the whole of its walk, unless one of its
// chain is moved just then: its walk leads on in the newer table, and it may miss what
// followed in the older. A miss is repaired by looking again under the lock. It never sees an
// entry of another key, since it compares keys, and never walks in a circle: a chain only
// ever leads to entries that were there before.
type table struct {
	heads unsafe.Pointer // of slots
	mask  uint64
	newer atomic.Pointer[table] // nil: its size is not being changed
	slots []atomic.Pointer[node]
	moved int // so many of the chains are empty since their entries have moved; under the lock
}

const minSlots = 8

func newTable(size int) *table {
	t := &table{slots: make([]atomic.Pointer[node], size), mask: uint64(size - 1)}
	t.heads = unsafe.Pointer(&t.slots[0])
	return t
}

// head returns the chain of h.
func (t *table) head(h uint64) *atomic.Pointer[node] {
	return (*atomic.Pointer[node])(unsafe.Add(t.heads, (h&t.mask)*uint64(unsafe.Sizeof(uintptr(0)))))
}

// latest returns the table that entries are put into.
func (t *table) latest() *table {
	if newer := t.newer.Load(); newer != nil {
		return newer
	}
	return t
}

func (t *table) insert(n *node) {
	head := t.head(n.hash)
	n.next.Store(head.Load())
	head.Store(n)
}

// remove takes n out, which is in t or in the newer table. n keeps its next, for readers that
// stand on it.
func (t *table) remove(n *node) {
	for ; t != nil; t = t.newer.Load() {
		p := t.head(n.hash)
		for m := p.Load(); m != nil; m = p.Load() {
			if m == n {
				p.Store(n.next.Load())
				return
			}
			p = &m.next
		}
	}
}

// chainsLimit is how many chains are looked at in one hold of the lock, at most.
const chainsLimit = 1 << 12

// move moves entries to the newer table, no more than limit, and reports whether none is
// left.
func (t *table) move(limit int) (all bool) {
	newer := t.newer.Load()
	for chains := 0; t.moved < len(t.slots); t.moved++ {
		if chains++; chains > chainsLimit {
			return false
		}
		head := &t.slots[t.moved]
		for n := head.Load(); n != nil; n = head.Load() {
			if limit--; limit < 0 {
				return false
			}
			head.Store(n.next.Load())
			newer.insert(n)
		}
	}
	return true
}

// fit begins to change the size of the table if it does not fit what is kept. With few
// entries it is changed at once. mu is held.
func (s *store) fit() {
	t, n := s.table.Load(), s.policy.count()
	size := len(t.slots)
	switch {
	case s.resizing:
		return
	case n > size:
		size *= 2
	case size > minSlots && n < size/8:
		for size = minSlots; size < 2*n; {
			size *= 2
		}
	default:
		return
	}
	if n <= s.moves && len(t.slots) <= chainsLimit {
		t.newer.Store(newTable(size))
		s.move()
		return
	}
	s.resizing = true
	go s.resize(t, size)
}

// resize gives t another size, in holds of mu that are as short as those of its callers. It
// makes the new table outside of them, for that takes milliseconds where it is large.
func (s *store) resize(t *table, size int) {
	newer := newTable(size)
	s.mu.Lock()
	if s.table.Load() == t {
		t.newer.Store(newer)
	}
	for s.table.Load() == t && !s.move() {
		s.mu.Unlock()
		runtime.Gosched() // to who waits for the lock
		s.mu.Lock()
	}
	s.resizing = false
	s.fit() // what has come and gone meanwhile
	s.mu.Unlock()
}

// move moves a few entries to the newer table, if there is one, which takes the place of the
// table after the last. It reports whether there is none any more. mu is held.
func (s *store) move() (all bool) {
	t := s.table.Load()
	if t.newer.Load() == nil {
		return true
	}
	if !t.move(s.moves) {
		return false
	}
	s.table.Store(t.newer.Load())
	s.ends.began()
	return true
}

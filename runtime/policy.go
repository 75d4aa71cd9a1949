package cachert

import "sync/atomic"

// policy decides which entry goes when a bound is reached. It follows S3-FIFO (Yang,
// Zhang, Qiu, Yue, Rashmi: "FIFO queues are all you need for cache eviction", SOSP 2023):
// new entries pass through a small queue, a tenth of the whole; those that are hit there
// move to the main queue, the others leave and are remembered in a ghost table, and enter
// the main queue at once when they come back. A hit costs a look at two bits of the entry.
//
// Against the paper: one hit in the small queue is enough to be moved, since with the
// caches of a few entries that are common here two are not to be had; and the ghost is a
// set-associative table of fingerprints instead of a queue. Both bounds, entries and
// bytes, may be set at once.
//
// All of it belongs to the store's lock.
type policy struct {
	max      int
	maxBytes int64
	small    queue
	main     queue
	ghost    ghost

	generation atomic.Uint32 // grows when all entries go at once; read without the lock
}

// queue is a list of entries in the order of their arrival.
type queue struct {
	oldest, newest *node
	n              int
	bytes          int64
}

func (q *queue) push(n *node) {
	n.older, n.newer = q.newest, nil
	if q.newest != nil {
		q.newest.newer = n
	} else {
		q.oldest = n
	}
	q.newest = n
	q.n++
	q.bytes += int64(n.weight)
}

func (q *queue) remove(n *node) {
	if n.older != nil {
		n.older.newer = n.newer
	} else {
		q.oldest = n.newer
	}
	if n.newer != nil {
		n.newer.older = n.older
	} else {
		q.newest = n.older
	}
	n.older, n.newer = nil, nil
	q.n--
	q.bytes -= int64(n.weight)
}

func (p *policy) bounded() bool { return p.max > 0 || p.maxBytes > 0 }

func (p *policy) count() int { return p.small.n + p.main.n }

func (p *policy) bytes() int64 { return p.small.bytes + p.main.bytes }

// admits reports whether an entry of that weight may be kept at all.
func (p *policy) admits(weight int64) bool {
	return weight >= 0 && weight <= 1<<32-1 && (p.maxBytes == 0 || weight <= p.maxBytes)
}

// full reports whether an entry has to go before one of that weight may come.
func (p *policy) full(entries int, weight uint32) bool {
	return p.max > 0 && p.count()+entries > p.max ||
		p.maxBytes > 0 && p.bytes()+int64(weight) > p.maxBytes
}

// add takes n in. There must be room for it.
func (p *policy) add(n *node) {
	generation := p.generation.Load() << nodeGeneration
	if !p.bounded() || p.ghost.take(n.hash) {
		n.state.Store(nodeMain | generation)
		p.main.push(n)
		return
	}
	n.state.Store(nodeSmall | generation)
	p.small.push(n)
}

// remove takes n out, if it is in.
func (p *policy) remove(n *node) {
	switch n.state.Load() & nodeQueue {
	case nodeSmall:
		p.small.remove(n)
	case nodeMain:
		p.main.remove(n)
	}
	n.setBits(nodeQueue, 0)
}

// smallFull reports whether the small queue has more than its tenth.
func (p *policy) smallFull() bool {
	return p.max > 0 && p.small.n*10 > p.max || p.maxBytes > 0 && p.small.bytes*10 > p.maxBytes
}

// victim returns the entry that has to go. It is still in. There must be one.
func (p *policy) victim() *node {
	for {
		if p.small.n > 0 && (p.smallFull() || p.main.n == 0) {
			n := p.small.oldest
			if n.state.Load()&nodeUse == 0 {
				p.ghost.add(n.hash, p.count())
				return n
			}
			p.small.remove(n)
			n.setBits(nodeQueue|nodeUse, nodeMain)
			p.main.push(n)
			continue
		}
		n := p.main.oldest
		uses := n.state.Load() & nodeUse
		if uses == 0 {
			return n
		}
		p.main.remove(n)
		n.setBits(nodeUse, uses-1)
		p.main.push(n)
	}
}

// ghost remembers which entries left the small queue lately, about as many as the cache
// holds. It keeps 32 bits of their hashes in sets of four, each with the number of
// its departure; the oldest of a set makes room. What it forgets or confuses costs hits, not
// correctness.
type ghost struct {
	pieces [][]ghostSet // nil: nothing has been remembered there
	sets   int          // in all pieces, a power of two
	now    uint32
	span   uint32 // departures that are remembered
}

type ghostSet [4]struct{ print, when uint32 }

// ghostPiece is how many sets are allocated at once: all would take milliseconds, under the
// lock, where there are many.
const ghostPiece = 256

// place returns where h is remembered: the number of the piece, that of the set in it, and
// what is kept of h.
func (g *ghost) place(h uint64) (piece, set uint64, print uint32) {
	i := (h * 0x9e3779b97f4a7c15 >> 32) & uint64(g.sets-1)
	return i / ghostPiece, i % ghostPiece, uint32(h>>32) | 1 // 0 marks a free place
}

// add remembers h. entries is how many the cache holds.
func (g *ghost) add(h uint64, entries int) {
	if want := max(entries, 8); g.sets*4 < want+want/4 {
		g.sets = 4
		for g.sets*4 < want+want/4 {
			g.sets *= 2
		}
		g.pieces = make([][]ghostSet, (g.sets+ghostPiece-1)/ghostPiece)
		g.now = 0
	}
	g.span = uint32(entries)
	g.now++
	piece, nth, print := g.place(h)
	if g.pieces[piece] == nil {
		g.pieces[piece] = make([]ghostSet, min(g.sets, ghostPiece))
	}
	set := &g.pieces[piece][nth]
	old := 0
	for i := range set {
		if set[i].print == 0 || set[i].print == print {
			old = i
			break
		}
		if g.now-set[i].when > g.now-set[old].when {
			old = i
		}
	}
	set[old].print, set[old].when = print, g.now
}

// take reports whether h is remembered, and forgets it.
func (g *ghost) take(h uint64) bool {
	if g.sets == 0 {
		return false
	}
	piece, nth, print := g.place(h)
	if g.pieces[piece] == nil {
		return false
	}
	set := &g.pieces[piece][nth]
	for i := range set {
		if set[i].print == print {
			ok := g.now-set[i].when <= g.span
			set[i].print = 0
			return ok
		}
	}
	return false
}

func (g *ghost) clear() { *g = ghost{} }

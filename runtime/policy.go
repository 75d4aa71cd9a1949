package cachert

import "sync/atomic"

// policy decides which entry goes when a bound is reached. New entries pass through a window,
// a queue in the order of arrival; those that were hit there move to the main queue, which is
// a clock. Of those that were not, one that has been asked for more often lately than the entry
// that the clock would drop takes its place; the others leave. A hit costs a look at two bits
// of the entry; the policy reads them when it comes to the entry.
//
// It has from S3-FIFO (Yang, Zhang, Qiu, Yue, Rashmi: "FIFO queues are all you need for cache
// eviction", SOSP 2023) the two queues without locks at a hit, and that one hit is enough to
// leave the window; from TinyLFU (Einziger, Friedman, Manes: "TinyLFU: a highly efficient cache
// admission policy", ACM TOS 2017) the contest by the frequencies of a sketch; and from ARC
// (Megiddo, Modha, FAST 2003) that entries which come back soon after they left say which of
// the queues is too small. What is new against them:
//   - The window shrinks where nothing comes back, and the faster the longer nothing does, down
//     to a hundredth. So loops and scans, of which nothing comes back in time, leave the main
//     queue alone, and it holds as much of them as it can.
//   - A frequency has to be better by two where the clock's entry has been asked for twice or
//     more. In a loop, the next entry has always been asked for once more than one that has
//     not come yet; without the margin they would take each other's place for ever.
//   - Until a bound is reached, the main queue takes all that the window does not hold.
//
// Both bounds, entries and bytes, may be set at once. All of it belongs to the store's lock.
type policy struct {
	max      int
	maxBytes int64
	small    queue   // the window
	main     queue   // the clock
	share    float64 // of the bounds that the window may take; 0: not set yet
	idle     int     // entries that left the window unused since one of them came back soon
	// how many entries left lately, for the want of room, of each queue
	leftWindow, leftMain int
	ghost                ghost
	frequencies          frequencies

	generation atomic.Uint32 // grows when all entries go at once; read without the lock
}

const (
	startShare = 0.1
	leastShare = 0.01
	mostShare  = 0.99
	// An entry comes back soon if no more than this share of the entries has left meanwhile.
	soon = 0.1
	// How much smaller the window gets, in entries, when one leaves it unused: this, times
	// how often all entries could have left since one came back, but at most mostDecay.
	decay     = 0.01
	mostDecay = 0.1
)

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

// add takes n in. There must be room for it. was is the state of the entry of the same key
// that it replaces, 0 if there is none: n takes over its queue and its uses.
func (p *policy) add(n *node, was uint32) {
	generation := p.generation.Load() << nodeGeneration
	if !p.bounded() {
		n.state.Store(nodeMain | generation)
		p.main.push(n)
		return
	}
	if p.halfFull() {
		p.frequencies.add(n.hash, 1, p)
	}
	if was&nodeQueue == 0 {
		switch p.ghost.take(n.hash) {
		case nodeSmall:
			p.idle = 0
			p.widen(1)
		case nodeMain:
			// As in ARC: if fewer leave the main queue, one that comes back says more.
			p.widen(-min(max(float64(p.leftWindow)/float64(max(p.leftMain, 1)), 1), 20))
		}
	}
	if was&nodeMain != 0 {
		n.state.Store(nodeMain | was&nodeUse | generation)
		p.main.push(n)
		return
	}
	n.state.Store(nodeSmall | was&nodeUse | generation)
	p.small.push(n)
	p.settle(0)
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

// clear forgets what was learned of entries, when all of them have gone.
func (p *policy) clear() {
	p.small, p.main, p.ghost, p.frequencies = queue{}, queue{}, ghost{}, frequencies{}
	p.share, p.idle, p.leftWindow, p.leftMain = 0, 0, 0, 0
}

// widen makes the window larger, in entries.
func (p *policy) widen(entries float64) {
	p.share = min(max(p.window()+entries/float64(max(p.count(), 1)), leastShare), mostShare)
}

// window is the share of the bounds that the window may take.
func (p *policy) window() float64 {
	if p.share == 0 {
		return startShare
	}
	return p.share
}

func (p *policy) halfFull() bool {
	return p.max > 0 && p.count() >= p.max/2 || p.maxBytes > 0 && p.bytes() >= p.maxBytes/2
}

// whole estimates how many entries there are when a bound is reached.
func (p *policy) whole() int {
	whole := p.max
	if p.maxBytes > 0 {
		if n := int(float64(p.maxBytes) / float64(max(p.bytes(), 1)) * float64(p.count())); whole == 0 || n < whole {
			whole = n
		}
	}
	return max(whole, p.count())
}

// smallFull reports whether the window has more than its share, which is one entry at least,
// when more entries have come.
func (p *policy) smallFull(more int) bool {
	w := p.window()
	return p.max > 0 && float64(p.small.n+more) > max(w*float64(p.max), 1) ||
		p.maxBytes > 0 && p.small.n+more > 1 && float64(p.small.bytes)+float64(more)*p.weight() > w*float64(p.maxBytes)
}

// weight is what an entry weighs in the mean.
func (p *policy) weight() float64 { return float64(p.bytes()) / float64(max(p.count(), 1)) }

// settle moves what the window has too much, when more entries have come, to the main queue,
// as far as there is room of its own.
func (p *policy) settle(more int) {
	w := p.window()
	for p.small.n > 0 && p.smallFull(more) {
		n := p.small.oldest
		if p.max > 0 && float64(p.main.n+1) > float64(p.max)-max(w*float64(p.max), 1) ||
			p.maxBytes > 0 && float64(p.main.bytes+int64(n.weight)) > (1-w)*float64(p.maxBytes) {
			return
		}
		p.toMain(n)
	}
}

func (p *policy) toMain(n *node) {
	p.small.remove(n)
	n.setBits(nodeQueue, nodeMain)
	p.main.push(n)
}

// victim returns the entry that has to go. It is still in. There must be one.
func (p *policy) victim() *node {
	p.settle(1)
	for i := 0; p.small.n > 0 && (p.smallFull(1) || p.main.n == 0) && i < mostPasses; i++ {
		n := p.small.oldest
		p.idle++
		entries := float64(p.count())
		p.widen(-min(decay*float64(p.idle)/entries, mostDecay))
		if uses := n.state.Load() & nodeUse; uses > 0 {
			p.frequencies.add(n.hash, int(uses), p)
			n.setBits(nodeUse, 0)
			p.toMain(n)
			continue
		}
		if p.main.n > 0 {
			if f := p.frequencies.estimate(n.hash); f > 1 {
				v := p.clock()
				worth := p.frequencies.estimate(v.hash)
				if worth > 1 {
					worth++
				}
				if f > worth {
					p.toMain(n)
					p.departed(v, nodeMain)
					return v
				}
			}
		}
		p.departed(n, nodeSmall)
		return n
	}
	v := p.clock()
	p.departed(v, nodeMain)
	return v
}

// departed notes that n leaves queue for the want of room.
func (p *policy) departed(n *node, queue uint32) {
	if queue == nodeMain {
		p.leftMain++
	} else if p.leftWindow++; p.leftWindow > 2*p.count() {
		p.leftWindow /= 2
		p.leftMain /= 2
	}
	p.ghost.add(n.hash, queue, p.count())
}

// mostPasses is how many entries are passed over for one to go, which bounds the time for
// which the lock is held.
const mostPasses = 2048

// clock returns the oldest entry of the main queue that has not been hit lately. The others
// come to its end, with one use less. If there are too many of them, it returns one of those
// that were hit least.
func (p *policy) clock() *node {
	var least *node
	fewest := uint32(nodeUse + 1)
	for range mostPasses {
		n := p.main.oldest
		uses := n.state.Load() & nodeUse
		if uses == 0 {
			return n
		}
		if uses < fewest {
			least, fewest = n, uses
		}
		p.frequencies.add(n.hash, 1, p)
		p.main.remove(n)
		n.setBits(nodeUse, uses-1)
		p.main.push(n)
	}
	return least
}

// ghost remembers which entries left lately, from which queue: about a tenth of what the cache
// holds. It keeps thirty bits of their hashes in sets of four, each with the number of its
// departure; the oldest of a set makes room. What it forgets or confuses costs hits, not
// correctness.
type ghost struct {
	sets pieces[ghostSet]
	now  uint32
	span uint32 // departures that are remembered
}

// ghostSet holds prints of hashes, of which the lowest bit says that the entry left the main
// queue. 0 marks a free place.
type ghostSet [4]struct{ print, when uint32 }

func ghostPrint(h uint64) uint32 { return uint32(h>>32)&^1 | 2 }

// add remembers h, which left queue. entries is how many the cache holds.
func (g *ghost) add(h uint64, queue uint32, entries int) {
	g.span = uint32(float64(entries)*soon) + 1
	if want := max(int(g.span), 8); g.sets.n*4 < want+want/4 {
		g.sets = piecesFor[ghostSet]((want + want/4 + 3) / 4)
		g.now = 0
	}
	g.now++
	set, print := g.sets.make(h), ghostPrint(h)
	old := 0
	for i := range set {
		if set[i].print == 0 || set[i].print&^1 == print {
			old = i
			break
		}
		if g.now-set[i].when > g.now-set[old].when {
			old = i
		}
	}
	if queue == nodeMain {
		print |= 1
	}
	set[old].print, set[old].when = print, g.now
}

// take returns the queue that h left lately, 0 if none is remembered, and forgets it.
func (g *ghost) take(h uint64) (queue uint32) {
	set, print := g.sets.get(h), ghostPrint(h)
	if set == nil {
		return 0
	}
	for i := range set {
		if set[i].print&^1 == print {
			if g.now-set[i].when <= g.span {
				queue = nodeSmall
				if set[i].print&1 != 0 {
					queue = nodeMain
				}
			}
			set[i].print = 0
			return queue
		}
	}
	return 0
}

// frequencies estimates how often hashes were asked for lately, up to 15. It remembers about four
// times as many as the cache holds, by eleven bits of their hashes, in sets of fifteen; in a full
// set, one of those that came least often makes room. Whenever ten times as much was added as
// there are entries, all counts are halved: those of a set when it is looked at next.
type frequencies struct {
	sets  pieces[frequencySet]
	added int   // since the last age
	age   uint8 // how often all was halved
}

// frequencySet holds prints, with how often they came in the lowest four bits. 0 marks a free place.
type frequencySet struct {
	at   [15]uint16
	next uint8 // where the search for the one that makes room begins
	age  uint8 // as of which the counts are
}

func frequencyPrint(h uint64) uint16 { return uint16(h*0x9e3779b97f4a7c15>>16)&^15 | 16 }

// become halves the counts until they are as of age.
func (s *frequencySet) become(age uint8) {
	by := min(age-s.age, 4)
	s.age = age
	if by == 0 {
		return
	}
	for i, at := range s.at {
		if c := at & 15 >> by; c > 0 {
			s.at[i] = at&^15 | c
		} else {
			s.at[i] = 0
		}
	}
}

// add adds n, which is positive, to what is counted of h.
func (s *frequencies) add(h uint64, n int, p *policy) {
	if s.sets.n*8 < p.count() || s.sets.n == 0 {
		// Not often: whole is what there is room for.
		s.sets = piecesFor[frequencySet]((p.whole() + 3) / 4)
	}
	set := s.sets.make(h)
	set.become(s.age)
	set.add(frequencyPrint(h), n)
	if s.added += n; s.added >= 10*4*s.sets.n {
		s.added = 0
		s.age++
	}
}

func (s *frequencySet) add(print uint16, n int) {
	least, from := uint16(16), int(s.next)
	at := 0
	for i := range s.at {
		if i += from; i >= len(s.at) {
			i -= len(s.at)
		}
		if s.at[i]&^15 == print {
			s.at[i] = print | uint16(min(int(s.at[i]&15)+n, 15))
			return
		}
		if c := s.at[i] & 15; c < least {
			least, at = c, i
		}
	}
	s.at[at] = print | uint16(min(n, 15))
	s.next = uint8((at + 1) % len(s.at))
}

// estimate returns how often h was added lately.
func (s *frequencies) estimate(h uint64) int {
	set, print := s.sets.get(h), frequencyPrint(h)
	if set == nil {
		return 0
	}
	set.become(s.age)
	for _, at := range set.at {
		if at&^15 == print {
			return int(at & 15)
		}
	}
	return 0
}

// pieces are sets found by hashes, as many as a power of two. They are allocated a piece at a time,
// when one of it is needed first: all would take milliseconds, under the lock, where there are many.
type pieces[S any] struct {
	of [][]S
	n  int
}

const pieceSize = 256

// piecesFor makes pieces of at least n sets.
func piecesFor[S any](n int) pieces[S] {
	p := pieces[S]{n: 1}
	for p.n < n {
		p.n *= 2
	}
	p.of = make([][]S, (p.n+pieceSize-1)/pieceSize)
	return p
}

// get returns the set of h, nil if there is none yet.
func (p *pieces[S]) get(h uint64) *S {
	if p.n == 0 {
		return nil
	}
	i := h * 0x9e3779b97f4a7c15 >> 32 & uint64(p.n-1)
	if piece := p.of[i/pieceSize]; piece != nil {
		return &piece[i%pieceSize]
	}
	return nil
}

// make is get, and makes the set if need be. There are pieces.
func (p *pieces[S]) make(h uint64) *S {
	if set := p.get(h); set != nil {
		return set
	}
	i := h * 0x9e3779b97f4a7c15 >> 32 & uint64(p.n-1)
	p.of[i/pieceSize] = make([]S, min(p.n, pieceSize))
	return &p.of[i/pieceSize][i%pieceSize]
}

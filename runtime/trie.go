package cachert

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"unsafe"
	"weak"

	"github.com/cachegen/cachegen/cache/surface"
	"github.com/cachegen/cachegen/runtime/value"
)

// For each key of a drawing function there is a trie. An inner node is the next widget
// that the body reads; an edge is what it said; a leaf is an outcome, a value and a tape.
// The nodes are not linked: each is an entry of the function's site under {key, Path},
// where the path is a digest of the observations that lead to it. So each may leave on its
// own; when an inner node is gone, the next body run puts it back, and everything below it
// is found again.

// A Path is what has been observed so far: the SHA-256 of the surface's scope and of the
// widgets read, in order, each with its default and with what it said.
type Path [sha256.Size]byte

func rootPath(scope string) Path {
	var buf [128]byte
	return sha256.Sum256(append(append(buf[:0], "cachegen path 1\x00"...), scope...))
}

// after returns the path after one more observation.
func (p Path) after(r *surface.Read) Path {
	var buf [256]byte
	b := append(buf[:0], p[:]...)
	b = appendBytes(b, r.Widget)
	b = appendOptional(b, r.Default, r.Default != nil)
	v, ok := r.Effective()
	return sha256.Sum256(appendOptional(b, v, ok))
}

func appendBytes[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendOptional(b, v []byte, ok bool) []byte {
	if !ok {
		return append(b, 0)
	}
	return appendBytes(append(b, 1), v)
}

// hash combines h, the hash of the key, with the path.
func (p *Path) hash(h uint64) uint64 { return value.HashUint64(h, binary.LittleEndian.Uint64(p[:8])) }

// question is an inner node: the widget that the body reads next.
type question struct {
	widget string
	deflt  []byte // nil: none
	size   int64  // of what it and its entry hold
}

func questionOf(r *surface.Read) question {
	return question{widget: r.Widget, deflt: bytes.Clone(r.Default)}
}

func (q *question) equal(r *surface.Read) bool {
	return q.widget == r.Widget && (q.deflt == nil) == (r.Default == nil) && bytes.Equal(q.deflt, r.Default)
}

// outcomes is what is known of one key's trie as a whole. It hangs on the root node, and
// goes with it.
type outcomes struct {
	hash      uint64 // of the key
	mu        sync.Mutex
	leaves    map[Path]*leafMark
	probation markQueue // in order of arrival; those that were hit are moved on
	protected markQueue // in order of promotion
	nodes     map[Path]*trieNode
	chunks    map[surface.Content]weak.Pointer[byte]
	values    map[value.Digest]weak.Pointer[byte] // to values that leaves share
	sweepAt   int
}

// A leafMark is a leaf, as outcomes knows it.
type leafMark struct {
	path        Path
	up          *trieNode
	hits        atomic.Bool
	queue       *markQueue // nil: it has left
	older, next *leafMark
}

func (l *leafMark) hit() {
	if !l.hits.Load() {
		l.hits.Store(true)
	}
}

// markQueue is a list of leaves, the oldest first.
type markQueue struct {
	first, last *leafMark
	n           int
}

func (q *markQueue) push(l *leafMark) {
	l.queue, l.older, l.next = q, q.last, nil
	if q.last != nil {
		q.last.next = l
	} else {
		q.first = l
	}
	q.last = l
	q.n++
}

func (l *leafMark) leave() {
	q := l.queue
	if l.older != nil {
		l.older.next = l.next
	} else {
		q.first = l.next
	}
	if l.next != nil {
		l.next.older = l.older
	} else {
		q.last = l.older
	}
	l.queue, l.older, l.next = nil, nil, nil
	q.n--
}

// trieNode counts what is below an inner node.
type trieNode struct {
	path  Path
	up    *trieNode
	below int
}

// add takes in the leaf at path, whose inner nodes are trail, the root first. It returns
// the entries that have to go so that no more than max outcomes stay (0: no bound), the
// leaf itself not among them.
//
// The outcomes of a key are kept as S3-FIFO keeps entries: new ones pass through a
// probation of a tenth, and only those that are hit there stay, so that however many
// values of a widget a client sends, the outcomes that people use survive.
func (o *outcomes) add(path Path, trail []Path, max int) (leaf *leafMark, evict []Path) {
	o.mu.Lock()
	defer o.mu.Unlock()
	leaf = &leafMark{path: path, up: o.link(trail)}
	queue := &o.probation
	if old := o.leaves[path]; old != nil { // it is computed anew
		queue = old.queue
		evict = o.unlink(old, evict)
	}
	small := (max + 9) / 10
	for max > 0 && o.probation.n+o.protected.n >= max {
		from := &o.probation
		if from.n < small && o.protected.n > 0 {
			from = &o.protected
		}
		l := from.first
		if l.hits.Swap(false) && max > 1 {
			l.leave()
			o.protected.push(l)
			continue
		}
		evict = append(o.unlink(l, evict), l.path)
	}
	if o.leaves == nil {
		o.leaves = map[Path]*leafMark{}
	}
	o.leaves[path] = leaf
	queue.push(leaf)
	return leaf, evict
}

// remove takes out a leaf that has left on its own, and returns the inner nodes that have
// nothing below them any more.
func (o *outcomes) remove(l *leafMark) (evict []Path) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if l.queue == nil {
		return nil
	}
	return o.unlink(l, nil)
}

// barren returns those of the inner nodes of trail, but the root, that have no outcome
// below them.
func (o *outcomes) barren(trail []Path) (evict []Path) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, p := range trail {
		if i > 0 && o.nodes[p] == nil {
			evict = append(evict, p)
		}
	}
	return evict
}

// link counts a leaf below each inner node of trail and returns the last.
func (o *outcomes) link(trail []Path) (up *trieNode) {
	if o.nodes == nil {
		o.nodes = map[Path]*trieNode{}
	}
	for _, p := range trail {
		n := o.nodes[p]
		if n == nil {
			n = &trieNode{path: p, up: up}
			o.nodes[p] = n
		}
		n.below++
		up = n
	}
	return up
}

// unlink takes a leaf out and adds to evict the inner nodes that have nothing below them
// any more. The root stays: it holds o.
func (o *outcomes) unlink(l *leafMark, evict []Path) []Path {
	l.leave()
	delete(o.leaves, l.path)
	for n := l.up; n != nil; n = n.up {
		if n.below--; n.below == 0 {
			delete(o.nodes, n.path)
			if n.up != nil {
				evict = append(evict, n.path)
			}
		}
	}
	return evict
}

// intern makes equal parts of the tapes of one key share their memory. It returns how many
// bytes of t are new. t has not been handed to anybody yet.
func (o *outcomes) intern(t *surface.Tape) (fresh int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return t.Intern(o.chunk)
}

// chunk returns the equal data that is held already; else it remembers b.
func (o *outcomes) chunk(c surface.Content, b []byte) ([]byte, bool) {
	if w, ok := o.chunks[c]; ok {
		if p := w.Value(); p != nil {
			return unsafe.Slice(p, len(b)), true
		}
	}
	o.sweep()
	if o.chunks == nil {
		o.chunks = map[surface.Content]weak.Pointer[byte]{}
	}
	o.chunks[c] = weak.Make(unsafe.SliceData(b))
	return b, false
}

// sweep forgets data that is gone, whenever what is remembered has doubled.
func (o *outcomes) sweep() {
	if len(o.chunks)+len(o.values) < max(o.sweepAt, 64) {
		return
	}
	for c, w := range o.chunks {
		if w.Value() == nil {
			delete(o.chunks, c)
		}
	}
	for d, w := range o.values {
		if w.Value() == nil {
			delete(o.values, d)
		}
	}
	o.sweepAt = 2 * (len(o.chunks) + len(o.values))
}

// internValue returns the pointer to an equal value that another leaf of the key holds,
// else remembers v and returns it. d is what plainDigest makes of v.
func (o *outcomes) internValue(d value.Digest, v unsafe.Pointer) (shared unsafe.Pointer, fresh bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if w, ok := o.values[d]; ok {
		if p := w.Value(); p != nil {
			return unsafe.Pointer(p), false
		}
	}
	o.sweep()
	if o.values == nil {
		o.values = map[value.Digest]weak.Pointer[byte]{}
	}
	o.values[d] = weak.Make((*byte)(v))
	return v, true
}

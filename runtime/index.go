package cachert

import (
	"cmp"
	"hash/maphash"
	"slices"
)

// index finds entries by their labels. It belongs to the store's lock.
//
// It is a hash table with chains that grows and shrinks by one chain at a time (linear
// hashing: Litwin, VLDB 1980), so that no label costs more than another, however many there
// are, and that the memory of labels that are gone is given back.
type index struct {
	pieces [][]*labelled // of chains, indexPiece in each
	chains int           // in use
	mask   uint32        // of the hash, for the chains; some of them are not there yet
	labels int
	made   uint64 // labels so far
}

// indexPiece is how many chains are allocated at once, but the first few.
const (
	indexPiece = 256
	indexMin   = 8
)

// labelled are the entries with one label, in a list that goes through their links. Most
// labels are of one entry or of few, such as a user's tag, so there is nothing else to it.
type labelled struct {
	name  string
	ref   any
	first *node
	next  *labelled // in its chain
	id    uint64    // links are in the order of these
	hash  uint32
	kind  labelKind
}

// link is the place of an entry in the list of one of its labels. The label does not change;
// the list belongs to the store's lock.
type link struct {
	set          *labelled
	newer, older *node
}

var indexSeed = maphash.MakeSeed()

func (l label) hash() uint32 { return uint32(maphash.Comparable(indexSeed, l)) }

func (x *index) chain(h uint32) **labelled {
	i := int(h & x.mask)
	if i >= x.chains {
		i = int(h & (x.mask >> 1))
	}
	return &x.pieces[i/indexPiece][i%indexPiece]
}

// find returns the entries with the label l, nil if there are none.
func (x *index) find(l label) *labelled {
	if x.labels == 0 {
		return nil
	}
	return x.findHash(l, l.hash())
}

func (x *index) findHash(l label, h uint32) *labelled {
	for set := *x.chain(h); set != nil; set = set.next {
		if set.hash == h && set.label() == l {
			return set
		}
	}
	return nil
}

func (set *labelled) label() label { return label{kind: set.kind, name: set.name, ref: set.ref} }

// get is find, and makes what is not there.
func (x *index) get(l label) *labelled {
	if x.chains == 0 {
		x.pieces = [][]*labelled{make([]*labelled, indexMin)}
		x.chains, x.mask = indexMin, indexMin-1
	}
	h := l.hash()
	if set := x.findHash(l, h); set != nil {
		return set
	}
	x.made++
	set := &labelled{name: l.name, ref: l.ref, kind: l.kind, hash: h, id: x.made}
	head := x.chain(h)
	set.next, *head = *head, set
	if x.labels++; x.labels > x.chains {
		x.grow()
	}
	return set
}

// grow adds a chain, which takes over its part of another.
func (x *index) grow() {
	i := x.chains
	switch first := x.pieces[0]; {
	case i < len(first):
	case i < indexPiece:
		x.pieces[0] = append(make([]*labelled, 0, 2*len(first)), first...)[:2*len(first)]
	case i%indexPiece == 0:
		x.pieces = append(x.pieces, make([]*labelled, indexPiece))
	}
	if x.chains++; i > int(x.mask) {
		x.mask = 2*x.mask + 1
	}
	from, to := &x.pieces[i/indexPiece][i%indexPiece], (*labelled)(nil)
	other := i & int(x.mask>>1)
	for p := &x.pieces[other/indexPiece][other%indexPiece]; *p != nil; {
		set := *p
		if int(set.hash&x.mask) != i {
			p = &set.next
			continue
		}
		*p, set.next, to = set.next, to, set
	}
	*from = to
}

// shrink takes the last chain away.
func (x *index) shrink() {
	x.chains--
	i := x.chains
	last := &x.pieces[i/indexPiece][i%indexPiece]
	other := i & int(x.mask>>1)
	p := &x.pieces[other/indexPiece][other%indexPiece]
	for *p != nil {
		p = &(*p).next
	}
	*p, *last = *last, nil
	if i <= int(x.mask>>1)+1 {
		x.mask >>= 1
	}
	if i%indexPiece == 0 && i > 0 {
		x.pieces[i/indexPiece] = nil
		if x.pieces = x.pieces[:i/indexPiece]; cap(x.pieces) > 4*len(x.pieces) {
			x.pieces = slices.Clone(x.pieces)
		}
	}
}

// drop takes out a label that no entry has any more.
func (x *index) drop(set *labelled) {
	for p := x.chain(set.hash); *p != nil; p = &(*p).next {
		if *p == set {
			*p = set.next
			break
		}
	}
	if x.labels--; x.labels == 0 {
		*x = index{made: x.made}
		return
	}
	for range 2 {
		if x.chains > indexMin && x.labels < x.chains/2 {
			x.shrink()
		}
	}
}

// add enters n, which readers do not see yet, under the labels.
func (x *index) add(n *node, labels []label) {
	if len(labels) == 1 {
		n.meta.link.set = x.get(labels[0])
		n.link(&n.meta.link)
		return
	}
	sets := make([]*labelled, len(labels))
	for i, l := range labels {
		sets[i] = x.get(l)
	}
	slices.SortFunc(sets, func(a, b *labelled) int { return cmp.Compare(a.id, b.id) })
	sets = slices.Compact(sets)
	n.meta.link.set = sets[0]
	n.link(&n.meta.link)
	if len(sets) == 1 {
		return
	}
	e := n.meta.own()
	e.links = make([]link, len(sets)-1)
	for i, set := range sets[1:] {
		e.links[i].set = set
		n.link(&e.links[i])
	}
}

// link puts n at the beginning of the list of one of its labels.
func (n *node) link(l *link) {
	if l.older = l.set.first; l.older != nil {
		l.older.linkOf(l.set).newer = n
	}
	l.set.first = n
}

// remove takes n out, whatever its labels.
func (x *index) remove(n *node) {
	for l := range n.meta.labelled {
		switch {
		case l.newer != nil:
			l.newer.linkOf(l.set).older = l.older
		default:
			l.set.first = l.older
		}
		if l.older != nil {
			l.older.linkOf(l.set).newer = l.newer
		}
		if l.newer, l.older = nil, nil; l.set.first == nil {
			x.drop(l.set)
		}
	}
}

// forgotten is remove for an entry of an index that is gone as a whole.
func (n *node) forgotten() {
	for l := range n.meta.labelled {
		l.newer, l.older, l.set.first = nil, nil, nil
	}
}

// labelled yields the links.
func (m *meta) labelled(yield func(*link) bool) {
	if m.link.set == nil || !yield(&m.link) {
		return
	}
	for i := range m.links {
		if !yield(&m.links[i]) {
			return
		}
	}
}

// linkOf returns the link of n for a label that it has.
func (n *node) linkOf(set *labelled) *link {
	m := n.meta
	if m.link.set == set {
		return &m.link
	}
	i, _ := slices.BinarySearchFunc(m.links, set.id, func(l link, id uint64) int { return cmp.Compare(l.set.id, id) })
	return &m.links[i]
}

package cachert

// index finds entries by their labels. It belongs to the store's lock.
//
// Most labels are of one entry or of few, such as a user's tag, so a set of its own is made
// for those of more than one alone.
type index struct {
	sets map[label]labelled
	peak int // the most labels since sets was made
}

// labelled are the entries with one label.
type labelled struct {
	one  *node // if it is the only one
	more map[*node]struct{}
}

func (l labelled) len() int {
	if l.one != nil {
		return 1
	}
	return len(l.more)
}

// any returns one of the entries, nil if there is none.
func (l labelled) any() *node {
	if l.one != nil {
		return l.one
	}
	for n := range l.more {
		return n
	}
	return nil
}

func (x *index) add(l label, n *node) {
	if x.sets == nil {
		x.sets = map[label]labelled{}
	}
	set := x.sets[l]
	switch {
	case set.more != nil:
		set.more[n] = struct{}{}
		return
	case set.one != nil:
		set.more = map[*node]struct{}{set.one: {}, n: {}}
		set.one = nil
	default:
		set.one = n
	}
	x.sets[l] = set
	x.peak = max(x.peak, len(x.sets))
}

func (x *index) remove(l label, n *node) {
	set := x.sets[l]
	if delete(set.more, n); len(set.more) > 0 {
		return
	}
	delete(x.sets, l)
	x.shrink()
}

// indexFew is how many labels may be left for the map to be made anew: few, since that
// happens under the lock.
const indexFew = 256

// shrink gives back the memory of labels that are gone: a map keeps it.
func (x *index) shrink() {
	if n := len(x.sets); n == 0 {
		*x = index{}
	} else if n <= indexFew && x.peak > 8*indexFew {
		sets := make(map[label]labelled, n)
		for l, set := range x.sets {
			sets[l] = set
		}
		x.sets, x.peak = sets, n
	}
}

package cachert

import (
	"sync"
	"sync/atomic"
)

// leafUse counts the clients that a large leaf is being shown to, by replays of their own:
// when it leaves the cache meanwhile, they hold what no bound of the cache counts.
type leafUse struct {
	bytes   int64 // of its tape
	mu      sync.Mutex
	replays int
	gone    bool // from the cache, or it was never there
	counted bool // in orphans, of its function and of the process
}

// useMin is the size from which the clients of a leaf are counted.
const useMin = 64 << 10

// orphansMax is how many bytes of leaves that have left the cache may be shown to clients.
// Above it, a function of which there are such leaves runs its body for clients that ask
// for large ones.
const orphansMax = 256 << 20

var orphans atomic.Int64

// borrow notes that l is about to be shown, unless too much is held like that.
func (d *drawn) borrow(l *drawnLeaf) bool {
	if d.orphans.Load() > 0 && orphans.Load() > orphansMax {
		return false
	}
	u := l.use
	u.mu.Lock()
	defer u.mu.Unlock()
	u.replays++
	d.countOrphan(l)
	return true
}

// giveBack ends what borrow began.
func (d *drawn) giveBack(l *drawnLeaf) {
	u := l.use
	u.mu.Lock()
	defer u.mu.Unlock()
	u.replays--
	d.countOrphan(l)
}

// orphan notes that l is not in the cache any more.
func (d *drawn) orphan(l *drawnLeaf) {
	u := l.use
	u.mu.Lock()
	defer u.mu.Unlock()
	u.gone = true
	d.countOrphan(l)
}

// countOrphan is called with the lock of l.use held.
func (d *drawn) countOrphan(l *drawnLeaf) {
	u := l.use
	orphaned := u.gone && u.replays > 0
	if orphaned == u.counted {
		return
	}
	n := u.bytes
	if u.counted = orphaned; !orphaned {
		n = -n
	}
	d.orphans.Add(n)
	orphans.Add(n)
}

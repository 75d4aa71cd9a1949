package cachert

import (
	"sync"
	"sync/atomic"
)

// What is drawn and neither kept nor shown yet is held by the computations that drew it:
// recordings that are not finished, and what waits for clients that read slowly or not at
// all. All of it together is bounded for the process.
//
// A holder may have as much as is free beside it, half of the whole at most, so that no
// few of them take everything (dynamic thresholds; Choudhury and Hahne, IEEE/ACM
// Transactions on Networking, 1998). What is about as much as a connection takes anyway is
// not counted.
const (
	inFlightMax  = 256 << 20
	inFlightFree = 64 << 10 // of each holder, not counted
	inFlightStep = 16 << 10 // what is counted is a multiple of it, so that small writes count seldom
)

// inFlight is what is counted by now.
var inFlight atomic.Int64

// A share is what one holder has of it. Its holder's lock guards it.
type share struct{ n, counted int64 }

// due is what has to be counted of n bytes.
func due(n int64) int64 {
	if n <= inFlightFree {
		return 0
	}
	return (n - inFlightFree + inFlightStep - 1) / inFlightStep * inFlightStep
}

// take adds n bytes, if the share is not too large then.
func (s *share) take(n int64) bool {
	if more := due(s.n+n) - s.counted; more > 0 {
		if total := inFlight.Add(more); s.counted+more > inFlightMax-total {
			inFlight.Add(-more)
			return false
		}
		s.counted += more
	}
	s.n += n
	return true
}

// force adds n bytes in any case.
func (s *share) force(n int64) {
	s.n += n
	s.settle()
}

// give takes n bytes away.
func (s *share) give(n int64) {
	s.n -= n
	s.settle()
}

func (s *share) settle() {
	if d := due(s.n); d != s.counted {
		inFlight.Add(d - s.counted)
		s.counted = d
	}
}

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
const useMin = inFlightFree

// orphansMax is how many bytes of leaves that have left the cache may be shown to clients.
// Above it, a function of which there are such leaves runs its body for clients that ask
// for large ones.
const orphansMax = inFlightMax

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

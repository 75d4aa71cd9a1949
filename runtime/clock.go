package cachert

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Time is kept as nanoseconds since the process started, on the monotonic clock. An
// entry is fresh while clock() < entry.expires.
//
// A hit must not pay for reading the clock. It compares with coarse instead, which is
// kept ahead of the clock: what is fresh at a later time is fresh now. Only where coarse
// cannot tell is the clock read. So nothing expired is served, and the worst that a
// late tick does is to let an entry live for as much longer as the tick was late beyond
// coarseAhead.
//
// coarse ticks for coarseRun after the clock was last needed and then parks at the end
// of time, where it can vouch for nothing: an idle process has no timer of ours.
//
// Inside a testing/synctest bubble the clock reads about thirty years. Such times are
// moved far below zero, so that coarse never vouches for an entry of a bubble and its
// expiry is exact. Nothing here starts a timer inside a bubble.
const (
	never       = math.MaxInt64 // expires: stays fresh
	coarseStop  = never - 1     // coarse: parked
	coarseTick  = 28 * time.Millisecond
	coarseAhead = 100 * time.Millisecond
	coarseRun   = time.Second

	sampleWindow = 4 * time.Millisecond
	sampleAll    = 16 // weight of one hit, in sixteenths

	bubbleFrom  = int64(20 * 365 * 24 * time.Hour)
	bubbleShift = int64(1) << 62
)

var (
	base   = time.Now()
	coarse atomic.Int64
)

func init() {
	coarse.Store(coarseStop)
	sampling.Store(sampleAll)
}

// clock returns the present time.
func clock() int64 {
	t := int64(time.Since(base))
	if t > bubbleFrom {
		t -= bubbleShift
	}
	return t
}

// inBubble reports whether now was read inside a testing/synctest bubble.
func inBubble(now int64) bool { return now < 0 }

// after returns the time d after now, never where that is beyond all times.
func after(now int64, d time.Duration) int64 {
	if t := now + int64(d); t >= now {
		return t
	}
	return never
}

// freshNow asks the clock whether an entry that expires at the given time is fresh.
func freshNow(expires int64) bool {
	now := clock()
	if !inBubble(now) && coarse.Load() == coarseStop {
		startCoarse(now)
	}
	return expires > now
}

func startCoarse(now int64) {
	if !coarse.CompareAndSwap(coarseStop, after(now, coarseAhead)) {
		return
	}
	t := &coarseTicker{stop: now + int64(coarseRun), last: now}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timer = time.AfterFunc(coarseTick, t.tick)
}

// A coarseTicker is one run of the coarse clock, from its start until it parks. Only one
// exists at a time: coarse is parked whenever there is none.
//
// It also opens and closes the windows in which hits of hot functions are counted, see
// counter.
type coarseTicker struct {
	mu    sync.Mutex // orders the first tick after the assignment of timer
	timer *time.Timer
	stop  int64 // when to park
	last  int64 // when the present window or gap began
	open  bool  // inside a window
}

func (t *coarseTicker) tick() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := clock()
	if now >= t.stop {
		sampling.Store(sampleAll)
		coarse.Store(coarseStop)
		return
	}
	coarse.Store(after(now, coarseAhead))
	restComputing()
	length := max(now-t.last, 1)
	t.last = now
	next := coarseTick
	if t.open = !t.open; t.open {
		// A hit in the window stands for those of the gap before it too. The window's
		// length is not known yet; timers are late by about as much as the last time.
		sampling.Store(uint32(min(max(sampleAll*(length+int64(sampleWindow))/int64(sampleWindow), sampleAll), 1<<20)))
		next = sampleWindow
	} else {
		sampling.Store(0)
	}
	t.timer.Reset(next)
}

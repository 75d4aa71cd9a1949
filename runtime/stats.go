package cachert

import (
	"cmp"
	"fmt"
	"log"
	"slices"
	"sync/atomic"
	"time"
)

// Stats is what one cached function has counted since the process started.
type Stats struct {
	Func string // identity of the function
	Site string // the file where it stands, "store/sales.go"

	Hits   uint64 // calls that were answered from the cache; an estimate where they are many
	Misses uint64 // calls that found nothing: those that computed and those that waited
	Loads  uint64 // computations that were started
	Errors uint64 // computations that ended with an error, a panic or Goexit

	StaleHits      uint64 // hits that were answered with a value past its ttl
	RefreshFailed  uint64 // refreshes behind a stale value that failed
	RefreshSkipped uint64 // refreshes that were skipped because the pool was full
	Invalid        uint64 // values that validate= refused
	NotKept        uint64 // results handed out and not kept
	ContextReads   uint64 // of them, those whose computation read a context value
	Changed        uint64 // results not kept since their computation changed an argument
	Unsteady       uint64 // computations that read other widgets than the one before, after the same values
	Uncached       uint64 // calls whose arguments had no key
	Bypassed       uint64 // calls that went straight through
	Waited         uint64 // callers that gave up waiting at wait= and computed for themselves

	Evicted  uint64 // entries dropped for a bound
	Expired  uint64 // entries dropped for their age
	Dropped  uint64 // entries dropped by Forget, Clear, Invalidate, EndSession, or with their owner
	Released uint64 // values released

	Entries  int           // entries held now
	Bytes    int64         // their size, where Options.MaxBytes is set
	InFlight int           // computations running now
	LoadTime time.Duration // time spent in computations, sum
}

// tally is what a store counts under its lock.
type tally struct {
	misses, loads, failed, stale                uint64
	refreshFailed, refreshSkipped, invalid      uint64
	notKept, contextReads, changed              uint64
	uncached, bypassed                          uint64
	waited, evicted, expired, dropped, released uint64
	inFlight                                    int
	loadTime                                    int64
}

// count changes the tally.
func (s *store) count(f func(*tally)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.stats)
}

// snapshot returns the statistics.
func (s *store) snapshot() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &s.stats
	x := Stats{
		Func: s.o.Func, Site: s.o.Site,
		Hits: s.hits.total(), Misses: t.misses, Loads: t.loads, Errors: t.failed,
		StaleHits: t.stale, RefreshFailed: t.refreshFailed, RefreshSkipped: t.refreshSkipped,
		Invalid: t.invalid, NotKept: t.notKept, ContextReads: t.contextReads, Changed: t.changed,
		Uncached: t.uncached, Bypassed: t.bypassed, Waited: t.waited,
		Evicted: t.evicted, Expired: t.expired, Dropped: t.dropped, Released: t.released,
		Entries: s.policy.count(), Bytes: s.policy.bytes(), InFlight: t.inFlight,
		LoadTime: time.Duration(t.loadTime),
	}
	if s.correct != nil {
		s.correct(&x)
	}
	return x
}

// AllStats returns the statistics of every cached function of the process, sorted by
// function. Caches of one function, such as instances of a generic one that share
// a name, are summed.
func AllStats() []Stats {
	byFunc := map[string]*Stats{}
	for _, s := range allStores() {
		x := s.snapshot()
		if sum := byFunc[x.Func]; sum != nil {
			sum.add(x)
		} else {
			byFunc[x.Func] = &x
		}
	}
	all := make([]Stats, 0, len(byFunc))
	for _, x := range byFunc {
		all = append(all, *x)
	}
	slices.SortFunc(all, func(a, b Stats) int { return cmp.Compare(a.Func, b.Func) })
	return all
}

func (x *Stats) add(y Stats) {
	x.Hits += y.Hits
	x.Misses += y.Misses
	x.Loads += y.Loads
	x.Errors += y.Errors
	x.StaleHits += y.StaleHits
	x.RefreshFailed += y.RefreshFailed
	x.RefreshSkipped += y.RefreshSkipped
	x.Invalid += y.Invalid
	x.NotKept += y.NotKept
	x.ContextReads += y.ContextReads
	x.Changed += y.Changed
	x.Unsteady += y.Unsteady
	x.Uncached += y.Uncached
	x.Bypassed += y.Bypassed
	x.Waited += y.Waited
	x.Evicted += y.Evicted
	x.Expired += y.Expired
	x.Dropped += y.Dropped
	x.Released += y.Released
	x.Entries += y.Entries
	x.Bytes += y.Bytes
	x.InFlight += y.InFlight
	x.LoadTime += y.LoadTime
}

// sampling is the weight of a hit that is counted now, in sixteenths; 0 where hits of hot
// functions are not counted. The coarse clock opens a window of a few milliseconds every
// now and then, in which a hit counts for those outside of it.
var sampling atomic.Uint32

// A counter counts hits: exactly up to exactHits, and beyond that in the windows of
// sampling, so that a hot hit reads what all cores share and seldom writes it. While the
// coarse clock stands, every hit counts.
type counter struct{ sixteenths atomic.Uint64 }

const exactHits = 1 << 14 * sampleAll

func (c *counter) hit() {
	if sampling.Load() != 0 || c.sixteenths.Load() < exactHits {
		c.add()
	}
}

func (c *counter) add() {
	weight := sampling.Load()
	switch n := c.sixteenths.Load(); {
	case n < exactHits:
		weight = sampleAll
	case weight == sampleAll && coarse.Load() == coarseStop:
		if now := clock(); !inBubble(now) {
			startCoarse(now)
		}
	}
	c.sixteenths.Add(uint64(weight))
}

func (c *counter) total() uint64 { return c.sixteenths.Load() / sampleAll }

// logKind is a kind of message. Those before logOnce come once for each function.
type logKind int

const (
	logContext logKind = iota
	logStrayed
	logUncached
	logChanged
	logLate
	logUncopied
	logOnce
	logWait
	logPanic
	logRefresh
	logRelease
	logConfigure
	logKinds
)

// logf is where messages go. Tests replace it.
var logf = log.Printf

func (s *store) log(k logKind, format string, args ...any) {
	if k < logOnce && s.logged[k].Swap(true) {
		return
	}
	logf("cachegen: %s (%s): %s", s.o.Func, s.o.Site, fmt.Sprintf(format, args...))
}

package cache

import (
	"time"

	cachert "github.com/cachegen/cachegen/runtime"
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

// AllStats returns the statistics of every cached function of the process, sorted by function.
// Caches of one function, such as instances of a generic one that share a name, are summed.
func AllStats() []Stats {
	all := cachert.AllStats()
	out := make([]Stats, len(all))
	for i, s := range all {
		out[i] = Stats(s)
	}
	return out
}

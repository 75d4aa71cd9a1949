package cache

import "time"

// Stats is what one cached function has counted since the process started.
type Stats struct {
	Func string // identity of the function
	Site string // where it stands, "sales.go:12"

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
	Uncached       uint64 // calls whose arguments had no key
	Bypassed       uint64 // calls that went straight through
	Waited         uint64 // callers that gave up waiting at wait= and computed for themselves

	Evicted  uint64 // entries dropped for a bound
	Expired  uint64 // entries dropped for their age
	Dropped  uint64 // entries dropped by Forget, Clear, Invalidate, EndSession or validate=
	Released uint64 // values released

	Entries  int           // entries held now
	Bytes    int64         // their size, where Options.MaxBytes is set
	InFlight int           // computations running now
	LoadTime time.Duration // time spent in computations, sum
}

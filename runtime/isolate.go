package cachert

import "github.com/cachegen/cachegen/internal/isolate"

func init() { isolate.Reset = reset }

// reset empties every store, releases what has a release, undoes Shutdown and sets the
// statistics to zero. What is running ends for those who wait for it by now: nobody
// else joins it, which matters between synctest bubbles, and it is not kept.
func reset() {
	stopped.Store(false)
	for _, s := range allStores() {
		s.clear()
		s.mu.Lock()
		for _, f := range s.flights {
			for ; f != nil; f = f.next {
				f.private = true
			}
		}
		s.mu.Unlock()
	}
	for again := true; again; { // what is released gives back what it was made with
		again = false
		for _, s := range allStores() {
			s.mu.Lock()
			now := clock()
			s.rest.end(now)
			due, more := s.due(now)
			s.mu.Unlock()
			s.releaseAll(due)
			again = again || more || len(due) > 0
		}
	}
	for _, s := range allStores() {
		s.mu.Lock()
		s.alarm, s.idle = alarm{}, nil
		s.stats = tally{inFlight: s.stats.inFlight}
		s.hits.sixteenths.Store(0)
		for i := range s.logged {
			s.logged[i].Store(false)
		}
		s.mu.Unlock()
	}
}

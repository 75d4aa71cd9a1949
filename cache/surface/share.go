package surface

import (
	"sync/atomic"
)

// Computations hold what they have drawn until it is kept or shown: recordings that are not
// finished, and bytes that wait for clients that read slowly or not at all. All of it together
// is bounded for the process.
//
// A holder may have as much as is free beside it, half of the whole at most, so that no
// few of them take everything (dynamic thresholds; Choudhury and Hahne, IEEE/ACM
// Transactions on Networking, 1998). The first bytes of each, about as many as a connection
// takes anyway, are not counted.
const (
	inFlightMax  = 256 << 20
	inFlightFree = 64 << 10 // of each holder, not counted
	inFlightStep = 16 << 10 // what is counted is a multiple of it, so that small writes count seldom
)

// inFlight is what is counted by now.
var inFlight atomic.Int64

// InFlight returns how many bytes are counted now of what is drawn in the process and neither
// kept nor shown yet. It is bounded.
func InFlight() int64 { return inFlight.Load() }

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

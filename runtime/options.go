package cachert

import (
	"context"
	"fmt"
	"time"

	"github.com/cachegen/cachegen/runtime/value"
)

// Generated3 names version 3 of the interface between generated code and this package.
// Generated files refer to it, so that a file made for a version that this package does not
// have does not compile; the comment beside the reference says what to do.
//
// Wrappers are published with the libraries that they belong to, so a version stays, with
// everything that its wrappers call, beside its successors: docs/compatibility.md says for how
// long. Entry points are added to it and never changed. A version that follows gets a constant
// of its own, and new names for what it cannot share. What only older versions call stands in
// a file of each (version2.go).
const Generated3 = true

// Options describe one cached function. Generated code fills them in.
type Options struct {
	Func     string        // identity: import path, receiver type and name; never ambiguous
	Site     string        // the file where the function stands, "store/sales.go", for messages
	Resource bool          // one shared value instead of a value for each caller
	TTL      time.Duration // how long a result is fresh; 0: for ever
	Stale    time.Duration // how long after TTL the old result is still served, refreshed behind it
	ErrorTTL time.Duration // how long an error is kept; 0: not at all
	Timeout  time.Duration // deadline of one computation; 0: none
	Wait     time.Duration // how long a caller waits for another's computation; 0: as long as it takes
	Grace    time.Duration // how long a value that left the cache is kept from release
	Jitter   float64       // expiry is brought forward by a random part of TTL up to this fraction, 0 to 1
	Max      int           // entries kept; 0: no bound
	MaxBytes int64         // bytes kept, as Size counts them; 0: no bound
	Detach   bool          // a computation may outlive the caller that started it
	// TrackContext: a result whose computation read a value of its context is handed
	// out and not kept.
	TrackContext bool
	Session      bool // the key holds the session, see SessionOf
	// ErrorResult says whether the function can say by an error that it stopped early.
	ErrorResult ErrorResult
	Tags        []string      // constant tags
	Layout      *value.Layout // what is taken for granted of types that can change; nil: nothing
}

// An ErrorResult says whether the last result of a function is an error. What a function
// without one returns when its context has ended may be half a result.
type ErrorResult uint8

// What generated code says of a function's last result.
const (
	ErrorUnknown ErrorResult = iota // earlier generated code does not say: nothing is taken for whole that may not be
	HasError
	NoError
)

func (o *Options) check() error {
	switch {
	case o.Func == "":
		return fmt.Errorf("cachegen: options without a function name")
	case o.TTL < 0, o.Stale < 0, o.ErrorTTL < 0, o.Timeout < 0, o.Wait < 0, o.Grace < 0:
		return fmt.Errorf("cachegen: %s (%s): negative duration in %+v; durations are greater than 0, or 0 for none", o.Func, o.Site, *o)
	case o.Max < 0, o.MaxBytes < 0:
		return fmt.Errorf("cachegen: %s (%s): negative bound max=%d max-bytes=%d; a bound is greater than 0, or 0 for none", o.Func, o.Site, o.Max, o.MaxBytes)
	case !(o.Jitter >= 0 && o.Jitter < 1):
		return fmt.Errorf("cachegen: %s (%s): jitter %v is not in [0, 1)", o.Func, o.Site, o.Jitter)
	}
	return nil
}

// Call is one call of a cached function: what a Site needs to compute the result, of type
// V.
type Call struct {
	// Ctx is the caller's context, nil for a function that takes none.
	Ctx context.Context
	// Tags are the tags made from the arguments, such as "user:7".
	Tags []string
	// Run computes the result into v, a *V that is zero. The context it gets is derived
	// from Ctx.
	Run func(ctx context.Context, v any) error
	// Validate, where it is set, is asked on each hit, with v a *V; false or an error
	// drops the value and computes it anew. Generated code of such a function calls Do alone,
	// never Get.
	Validate func(ctx context.Context, v any) (bool, error)
	// Uncached, where it is set, says why these arguments have no key: the result is
	// computed without the cache, counted, and the reason logged once.
	Uncached error
	// Owner, where it is set, is the instance whose method this is, with recv=identity.
	Owner *Owner
	// Arguments are those that the body could change for its caller.
	Arguments []Argument
}

package cache

import (
	"context"
	"time"

	cachert "github.com/cachegen/cachegen/runtime"
)

// Override says what [Configure] changes. A field that is 0 leaves what the directive says.
type Override struct {
	TTL      time.Duration // how long a result is fresh
	Stale    time.Duration // for how long after TTL an old result is served while it is refreshed
	Max      int           // entries kept
	MaxBytes int64         // bound on the size of the values kept, in bytes
}

// ErrUnknown is the error of [Configure] for a name that no cached function and no tag has.
var ErrUnknown = cachert.ErrUnknown

// Configure changes the bounds of cached functions, for operators who cannot recompile. name is
// a function's, as [Stats] has it, or a tag of the directive, which stands for all functions
// with that tag. It is for the start of a process: results that are kept already keep their
// expiry, and a bound on bytes counts what is stored from then on, as Stale does for a function
// that had none.
//
// An override that is impossible is refused with an error, such as Stale for a function that
// draws or that has arguments which belong to its caller. For a name that is not known the error
// wraps [ErrUnknown], and the override is kept: an instance of a generic function becomes known
// with its first call.
func Configure(name string, o Override) error { return cachert.Configure(name, cachert.Override(o)) }

// IgnoreContextKey says that values under key, in whatever context, do not matter to the
// results of cached functions: a request's id that the program's log handler asks for, say.
// Only that key is meant, not others of its type; for one function alone there is
// ctx=ignore:Key in the directive.
//
// It is for the start of a process. It may be called at any time from any goroutine, and
// what is computed from then on is kept though it asks for key. Results from before that
// found nothing under key go on being of use to callers without such a value alone, until
// they are replaced.
//
// It panics if key is nil or cannot be compared, as context.WithValue does.
func IgnoreContextKey(key any) { cachert.IgnoreContextKey(key) }

// Shutdown ends the caches. Refreshes are cancelled. Resources that have a release are released
// at once; those that a caller has acquired, when that caller is done with them. It waits for
// both until ctx is done, and then returns an error that says what is left. Calls of cached
// functions after it go straight through, as under [Bypass]; results of computations that were
// running are not kept, and are released after their grace.
func Shutdown(ctx context.Context) error { return cachert.Shutdown(ctx) }

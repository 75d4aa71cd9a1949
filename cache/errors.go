package cache

import cachert "github.com/cachegen/cachegen/runtime"

// CycleError is the error of a call that would wait for itself. Its field Funcs, a []string,
// has the functions along the cycle; the first and the last are the same. A wrapper without an
// error result panics with it.
type CycleError = cachert.CycleError

// ErrClosed is the error of drawing on the surface of a cached function that has returned. The
// late element is shown nowhere, and what was recorded is not used again.
var ErrClosed = cachert.ErrClosed

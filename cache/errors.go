package cache

import (
	"github.com/cachegen/cachegen/cache/surface"
	cachert "github.com/cachegen/cachegen/runtime"
)

// CycleError is the error of a call that would wait for itself:
//
//	type CycleError struct {
//		Funcs []string // the functions along the cycle; the first and the last are the same
//	}
//
//	func (e *CycleError) Error() string
//
// Wrappers return a *CycleError, which errors.As finds. A wrapper without an error result
// panics with it.
type CycleError = cachert.CycleError

// ErrClosed is the error of drawing on the surface of a cached function that has returned. The
// late element is shown nowhere, and what was recorded is not used again.
var ErrClosed = surface.ErrClosed

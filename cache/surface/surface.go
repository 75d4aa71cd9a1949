package surface

import "context"

// A Surface is one place that a function draws to, bound for one call. Its methods are
// called by the goroutine of the call, except that a body may draw from several.
type Surface interface {
	// Scope says what of the surface counts as an input of the function: a prefix of
	// widget names, a theme. It does not say where the surface is: a result drawn in
	// one place can be drawn again in another.
	Scope() string

	// Value returns the present value of a widget in this session, encoded by the
	// adapter so that equal values have equal bytes. ok is false for a widget that
	// nobody has touched, and for an input that is absent. The cache does not change
	// v and keeps it only until the next call.
	Value(widget string) (v []byte, ok bool)

	// Record keeps what is drawn from here on, and still draws it. Recordings nest:
	// an outer recording sees what an inner one records and what an inner hit replays.
	Record() Recording

	// Replay draws a tape again. What is wrong with the tape it finds before anything
	// is shown and returns as an error that wraps ErrTape; then the body runs. Any
	// other error is one of the place that it draws to.
	Replay(*Tape) error
}

// A Recording is open until exactly one of its methods has been called. The cache
// calls one of them also when the body panicked or ended its goroutine.
type Recording interface {
	// Commit ends the recording and returns its tape, or says why what was drawn
	// cannot be drawn again; then the result is handed out and not kept.
	Commit() (*Tape, error)
	// Discard ends the recording and forgets it.
	Discard()
}

// A Spinner is a Surface that can show that something is being computed.
type Spinner interface {
	// Spin shows text until stop is called. What it shows is on no tape.
	Spin(text string) (stop func())
}

// A HoleKeeper is a Surface that has something to do before content of the caller's is
// drawn in a hole, such as to draw what it holds back. Its error is the hole's.
type HoleKeeper interface{ BeforeHole() error }

// A ContextSurface is a Surface whose bound parameter carries a context, which the body
// may read as it may read its own. Context is that of the caller's parameter, and SetContext
// gives the one that the bound parameter has to carry, before the body runs.
type ContextSurface interface {
	Surface
	Context() context.Context
	SetContext(context.Context)
}

// An OuterDrawer is a Surface whose caller's parameter must not be drawn to while the body
// runs. Outer returns what stands in for it meanwhile.
type OuterDrawer[P any] interface{ Outer() P }

// A Drainer is a Surface that shows things later than they are drawn. Drain returns when
// everything is shown, with the error of the place where.
type Drainer interface{ Drain() error }

// StaticReads is a Surface that knows some of what the body reads before it runs. These reads
// count whether the body does them or not, and need no option.
type StaticReads interface{ StaticReads() []Read }

package surface

import "context"

// A Read is one observation: a widget, and what it said.
type Read struct {
	Widget string
	// Default is the value of a widget that nobody has touched, for frameworks whose
	// widget call returns the value. It is part of the question: a widget whose default
	// differs is another widget. Nil where there is no such thing.
	Default []byte
	// Value is what the widget said. Not looked at when Set is false: then the widget
	// is untouched, and equal to its default; without a default it is absent, which
	// equals no value.
	Value []byte
	Set   bool
}

// Effective returns the value that the body saw; ok is false for absent.
func (r *Read) Effective() (v []byte, ok bool) {
	if r.Set {
		return r.Value, true
	}
	return r.Default, r.Default != nil
}

// A Run is one run of the body of a cached function, as the surface that it draws on sees it.
// The engine implements it; an adapter reaches it through its [Recorder], or through
// [ReportRead] if it has none. Its methods may be called from any goroutine.
type Run interface {
	// Surface returns the surface that the body draws on.
	Surface() Surface
	// ReportRead notes what a widget says, before the body gets the value.
	ReportRead(Read)
	// Refuse says why the result is not kept. The first reason counts, and may be one of
	// [Personal].
	Refuse(why error)
	// Unshare lets go of the callers that wait for the result: they compute for themselves.
	// private says that what this run draws is for its caller alone, so that calls with the
	// same key do not wait for it either.
	Unshare(private bool)
	// Flushed notes that what has been drawn so far is before the client's eyes.
	Flushed()
	// DrewLate notes that something was drawn after the body had returned.
	DrewLate()
	// EnterHole notes that content of the caller's is about to be drawn. leave is called
	// afterwards, with what went wrong there.
	EnterHole() (leave func(error))
}

type runKey struct{}

// WithRun returns the context that the body of run gets. The engine calls it.
func WithRun(ctx context.Context, run Run) context.Context {
	return context.WithValue(ctx, runKey{}, run)
}

// RunOf returns the innermost run that ctx belongs to, or nil. The engine asks.
func RunOf(ctx context.Context) Run {
	if ctx == nil {
		return nil
	}
	run, _ := ctx.Value(runKey{}).(Run)
	return run
}

// Of returns the surface of the function whose body ctx was given to, or nil. An adapter whose
// parameters carry a context finds by it whether one is bound.
func Of(ctx context.Context) Surface {
	if run := RunOf(ctx); run != nil {
		return run.Surface()
	}
	return nil
}

// ReportRead reports that the function which ctx belongs to read a widget, for adapters whose
// surfaces have no Recorder. It is called before the body gets the value.
func ReportRead(ctx context.Context, r Read) {
	if run := RunOf(ctx); run != nil {
		run.ReportRead(r)
	}
}

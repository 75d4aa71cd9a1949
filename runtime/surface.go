package cachert

import (
	"context"
	"sync/atomic"
	"unsafe"

	"github.com/cachegen/cachegen/runtime/value"
)

// The contract between the cache and whatever a function draws to.
//
// An adapter for a framework is a Bind function and a Surface. Bind is called by the
// wrapper with the parameter that the function draws to:
//
//	func Bind(ctx context.Context, p P, in cache.Inputs) (context.Context, P, cache.Surface)
//
// What it returns is what the body gets: the same object (tapped, when the framework
// lets a listener be put on it) or another one that stands in for it (substituted, such
// as a writer that keeps what passes). in is the request that the function was given, or
// nil; an adapter that knows no requests ignores it.
//
// Adapters embed a Recorder, which does the bookkeeping that is the same for all.

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

// Inputs is a source of inputs beside the surface, such as an HTTP request.
// It may be asked by several goroutines at once.
type Inputs interface {
	// Value is what Surface.Value is, for an input of the request. Input asks for "input:"
	// and the name; the answer is as EncodeInput makes it.
	Value(widget string) (v []byte, ok bool)
}

// From is the request that a surface was bound with, which may be nil. A surface whose
// widgets are the request's inputs embeds one, and has Value, Files and Foreseen by that.
type From struct{ Inputs Inputs }

// Value asks the request.
func (f From) Value(widget string) ([]byte, bool) {
	if f.Inputs == nil {
		return nil, false
	}
	return f.Inputs.Value(widget)
}

// Files implements FileInputs.
func (f From) Files(name string) ([]File, error) {
	if in, ok := f.Inputs.(FileInputs); ok {
		return in.Files(name)
	}
	return nil, nil
}

// Foreseen implements Foreseer.
func (f From) Foreseen() []Read {
	if in, ok := f.Inputs.(Foreseer); ok {
		return in.Foreseen()
	}
	return nil
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

// Carried is the context that a bound parameter carries: that of the caller's parameter,
// and while the body runs the body's own. A surface that embeds one is a ContextSurface.
type Carried struct {
	caller context.Context
	body   atomic.Pointer[context.Context]
}

// Carry sets the context of the caller's parameter, and returns the one for the bound
// parameter.
func (c *Carried) Carry(ctx context.Context) context.Context {
	c.caller = ctx
	return carriedContext{ctx, c}
}

// Context implements ContextSurface.
func (c *Carried) Context() context.Context { return c.caller }

// SetContext implements ContextSurface.
func (c *Carried) SetContext(ctx context.Context) { c.body.Store(&ctx) }

type carriedContext struct {
	context.Context
	c *Carried
}

func (c carriedContext) Value(key any) any {
	if b := c.c.body.Load(); b != nil {
		return (*b).Value(key)
	}
	return c.Context.Value(key)
}

// SurfaceOf returns the surface of the function whose body ctx was given to, or nil: an
// adapter whose parameters carry a context finds by it whether one is bound.
func SurfaceOf(ctx context.Context) Surface {
	if d := drawingOf(ctx); d != nil {
		return d.surface
	}
	return nil
}

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

// effective returns the value that the body saw; ok is false for absent.
func (r *Read) effective() (v []byte, ok bool) {
	if r.Set {
		return r.Value, true
	}
	return r.Default, r.Default != nil
}

// digest stands for the default and for what the body saw.
func (r *Read) digest() value.Digest {
	e := value.NewEncoder()
	e.Bytes(r.Default)
	v, ok := r.effective()
	e.Bool(ok)
	e.String(unsafe.String(unsafe.SliceData(v), len(v))) // as Bytes, but nil is empty
	d, _ := e.Digest()                                   // bytes can always be encoded
	return d
}

package web

import (
	"context"
	"errors"

	"github.com/cachegen/cachegen/cache/surface"
)

// Bind binds the inputs of a function that draws nowhere.
func Bind(ctx context.Context, in surface.Inputs) (context.Context, surface.Surface) {
	return ctx, &unseen{RequestInputs: surface.RequestInputs{Inputs: in}}
}

// BindNil returns the surface of a call that was given a nil to draw on: the body gets nil
// too, can ask for it, and whether it is nil is an input.
func BindNil[P any](in surface.Inputs) surface.Surface {
	return &absent[P]{unseen{RequestInputs: surface.RequestInputs{Inputs: in}}}
}

// absent is the surface of a nil P.
type absent[P any] struct{ unseen }

// Scope implements surface.Surface.
func (*absent[P]) Scope() string { return "nil" }

// Outer implements surface.OuterDrawer.
func (*absent[P]) Outer() (none P) { return none }

// unseen is the surface of a function that draws nowhere.
type unseen struct {
	surface.Recorder
	surface.RequestInputs
}

// Scope implements surface.Surface.
func (u *unseen) Scope() string { return "inputs" }

// Record implements surface.Surface.
func (u *unseen) Record() surface.Recording { return u.Open(nil) }

// Replay implements surface.Surface.
func (u *unseen) Replay(t *surface.Tape) error {
	return surface.Play(t,
		func(*surface.Element) (none struct{}, err error) { return none, errNowhere },
		func(struct{}) error { return nil })
}

var errNowhere = errors.New("the function draws nowhere")

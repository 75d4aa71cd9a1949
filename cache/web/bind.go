package web

import (
	"context"
	"errors"

	cache "github.com/cachegen/cachegen/runtime"
)

// Bind binds the inputs of a function that draws nowhere.
func Bind(ctx context.Context, in cache.Inputs) (context.Context, cache.Surface) {
	return ctx, &unseen{From: cache.From{Inputs: in}}
}

// BindNil returns the surface of a call that was given a nil to draw on: the body gets nil
// too, can ask for it, and whether it is nil is an input.
func BindNil[P any](in cache.Inputs) cache.Surface {
	return &absent[P]{unseen{From: cache.From{Inputs: in}}}
}

// absent is the surface of a nil P.
type absent[P any] struct{ unseen }

// Scope implements cache.Surface.
func (*absent[P]) Scope() string { return "nil" }

// Outer implements cache.Outer.
func (*absent[P]) Outer() (none P) { return none }

// unseen is the surface of a function that draws nowhere.
type unseen struct {
	cache.Recorder
	cache.From
}

// Scope implements cache.Surface.
func (u *unseen) Scope() string { return "inputs" }

// Record implements cache.Surface.
func (u *unseen) Record() cache.Recording { return u.Open(nil) }

// Replay implements cache.Surface.
func (u *unseen) Replay(t *cache.Tape) error {
	return cache.Play(t,
		func(*cache.Element) (none struct{}, err error) { return none, errNowhere },
		func(struct{}) error { return nil })
}

var errNowhere = errors.New("the function draws nowhere")

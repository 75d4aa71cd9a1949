package surface

import (
	"context"
	"sync/atomic"
)

// A ContextHolder is the context that a bound parameter carries: that of the caller's parameter,
// and while the body runs the body's own. A surface that embeds one is a ContextSurface.
type ContextHolder struct {
	caller context.Context
	body   atomic.Pointer[context.Context]
}

// Carry sets the context of the caller's parameter, and returns the one for the bound
// parameter.
func (c *ContextHolder) Carry(ctx context.Context) context.Context {
	c.caller = ctx
	return heldContext{ctx, c}
}

// Context implements ContextSurface.
func (c *ContextHolder) Context() context.Context { return c.caller }

// SetContext implements ContextSurface.
func (c *ContextHolder) SetContext(ctx context.Context) { c.body.Store(&ctx) }

type heldContext struct {
	context.Context
	c *ContextHolder
}

// Value asks the body's context while the body runs.
func (c heldContext) Value(key any) any {
	if b := c.c.body.Load(); b != nil {
		return (*b).Value(key)
	}
	return c.Context.Value(key)
}

// Package templ is what the cases use of github.com/a-h/templ.
package templ

import (
	"context"
	"io"
)

type Component interface {
	Render(ctx context.Context, w io.Writer) error
}

type ComponentFunc func(ctx context.Context, w io.Writer) error

func (f ComponentFunc) Render(ctx context.Context, w io.Writer) error { return f(ctx, w) }

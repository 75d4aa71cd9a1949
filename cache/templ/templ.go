// Package templ is what generated code needs for functions that return a templ.Component
// (github.com/a-h/templ): what the component renders is kept, when it renders.
//
// The children of the component are the caller's. They are a hole: rendered again, in
// place, with the caller's context.
//
// What templ remembers of a page (the styles and scripts that are on it already) is not
// known to what is kept: a cached component brings all of its own. A page with a nonce for
// its content security policy gets components that are rendered for it.
package templ

import (
	"context"
	"io"

	"github.com/a-h/templ"
	templruntime "github.com/a-h/templ/runtime"

	"github.com/cachegen/cachegen/cache/html"
	"github.com/cachegen/cachegen/cache/surface"
)

// Cacheable reports whether what is rendered with ctx may come from a cache.
func Cacheable(ctx context.Context) bool { return templ.GetNonce(ctx) == "" }

// Bind binds the writer that a component is rendered to.
func Bind(ctx context.Context, w io.Writer, in surface.Inputs) (context.Context, io.Writer, surface.Surface) {
	return html.Bind(own{ctx, templ.InitializeContext(context.Background())}, w, in)
}

// own is a context with a memory of its own of what is on the page.
type own struct {
	context.Context
	memory context.Context
}

func (c own) Value(key any) any {
	if v := c.memory.Value(key); v != nil {
		return v
	}
	return c.Context.Value(key)
}

// Children makes the children in ctx a hole. outer and ctx are what the component was
// asked to render with, bound and s are what Bind made of them. The result puts the
// hole into the context that the component renders with.
func Children(h *surface.Holes, s surface.Surface, ctx context.Context, outer, bound io.Writer) func(context.Context) context.Context {
	children := templ.GetChildren(ctx)
	ctx = templ.ClearChildren(ctx)
	draw := surface.BindHoleErr(h, s, outer, bound, func(w io.Writer) error { return children.Render(ctx, w) })
	hole := templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		if b, ok := w.(*templruntime.Buffer); ok && b.Underlying == bound {
			// What the component has written so far comes first.
			b.Underlying = silent{bound}
			err := b.Flush()
			b.Underlying = bound
			if err != nil {
				return err
			}
			w = bound
		}
		return draw(w)
	})
	return func(ctx context.Context) context.Context { return templ.WithChildren(ctx, hole) }
}

// silent is a writer that cannot be flushed.
type silent struct{ io.Writer }

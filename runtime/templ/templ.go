// Package templ stands where wrappers of version 2 look for package cache/templ.
//
// Deprecated: for wrappers of version 2; import github.com/cachegen/cachegen/cache/templ.
package templ

import (
	"context"
	"io"

	"github.com/cachegen/cachegen/cache/templ"
	cachert "github.com/cachegen/cachegen/runtime"
)

// Cacheable is [templ.Cacheable] of package cache/templ.
//
// Deprecated: for wrappers of version 2.
func Cacheable(ctx context.Context) bool { return templ.Cacheable(ctx) }

// Bind is [templ.Bind] of package cache/templ.
//
// Deprecated: for wrappers of version 2.
func Bind(ctx context.Context, w io.Writer, in cachert.Inputs) (context.Context, io.Writer, cachert.Surface) {
	return templ.Bind(ctx, w, in)
}

// Children is [templ.Children] of package cache/templ.
//
// Deprecated: for wrappers of version 2.
func Children(h *cachert.Holes, s cachert.Surface, ctx context.Context, outer, bound io.Writer) func(context.Context) context.Context {
	return templ.Children(h, s, ctx, outer, bound)
}

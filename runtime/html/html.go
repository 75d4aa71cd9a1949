// Package html stands where wrappers of version 2 look for package cache/html.
//
// Deprecated: for wrappers of version 2; import github.com/cachegen/cachegen/cache/html.
package html

import (
	"context"
	"io"
	"net/http"

	"github.com/cachegen/cachegen/cache/html"
	cachert "github.com/cachegen/cachegen/runtime"
)

// Bind is [html.Bind] of package cache/html.
//
// Deprecated: for wrappers of version 2.
func Bind(ctx context.Context, w io.Writer, in cachert.Inputs) (context.Context, io.Writer, cachert.Surface) {
	return html.Bind(ctx, w, in)
}

// BindResponse is [html.BindResponse] of package cache/html.
//
// Deprecated: for wrappers of version 2.
func BindResponse(ctx context.Context, w http.ResponseWriter, in cachert.Inputs) (context.Context, http.ResponseWriter, cachert.Surface) {
	return html.BindResponse(ctx, w, in)
}

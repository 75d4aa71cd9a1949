// Package web stands where wrappers of version 2 look for package cache/web.
//
// Deprecated: for wrappers of version 2; import github.com/cachegen/cachegen/cache/web.
package web

import (
	"context"
	"net/http"

	"github.com/cachegen/cachegen/cache/web"
	cachert "github.com/cachegen/cachegen/runtime"
)

// Reads is [web.Reads] of package cache/web.
//
// Deprecated: for wrappers of version 2.
type Reads = web.Reads

// Request is [web.Request] of package cache/web.
//
// Deprecated: for wrappers of version 2.
type Request = web.Request

// Bind is [web.Bind] of package cache/web.
//
// Deprecated: for wrappers of version 2.
func Bind(ctx context.Context, in cachert.Inputs) (context.Context, cachert.Surface) {
	return web.Bind(ctx, in)
}

// Static is [web.Static] of package cache/web.
//
// Deprecated: for wrappers of version 2.
func Static(r *http.Request, names []string) *Reads { return web.Static(r, names) }

// Cacheable is [web.Cacheable] of package cache/web.
//
// Deprecated: for wrappers of version 2.
func Cacheable(r *http.Request) bool { return web.Cacheable(r) }

// New is [web.New] of package cache/web.
//
// Deprecated: for wrappers of version 2.
func New(r *http.Request) *Request { return web.New(r) }

// Middleware is [web.Middleware] of package cache/web.
//
// Deprecated: for wrappers of version 2.
func Middleware(next http.Handler) http.Handler { return web.Middleware(next) }

package cache

import (
	"context"
	"errors"
)

// ErrNoSession is the reason why a function with scope=session is computed without the
// cache: its context belongs to no session.
var ErrNoSession = errors.New("cachegen: no session in the context; put one there with cache.WithSession")

type callKey struct{ _ byte }

var ctxKey = &callKey{}

type callCtx struct {
	session string
	bypass  bool
}

// WithSession returns a context that belongs to the session id.
func WithSession(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, ctxKey, &callCtx{session: id})
}

// SessionOf returns the session that ctx belongs to.
func SessionOf(ctx context.Context) (id string, ok bool) {
	cc, _ := ctx.Value(ctxKey).(*callCtx)
	if cc == nil || cc.session == "" {
		return "", false
	}
	return cc.session, true
}

// Bypass returns a context under which cached functions are computed without the cache.
func Bypass(ctx context.Context) context.Context {
	return context.WithValue(ctx, ctxKey, &callCtx{bypass: true})
}

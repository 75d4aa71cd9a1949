package cache

import (
	"context"

	cachert "github.com/cachegen/cachegen/runtime"
)

// WithSession returns a context that belongs to the session id. Functions with scope=session
// keep their results for each session apart.
func WithSession(ctx context.Context, id string) context.Context { return cachert.WithSession(ctx, id) }

// SessionOf returns the session that ctx belongs to. Inside of a cached computation the result
// then belongs to that session too: it is kept only by a function with scope=session. Without a
// session the result is not kept, since with one the answer might be another.
func SessionOf(ctx context.Context) (id string, ok bool) { return cachert.SessionOf(ctx) }

// EndSession drops every result that belongs to the session id. A computation of that session
// that is running gives its result to those who wait for it by now, and it is not kept.
func EndSession(ctx context.Context, id string) { cachert.EndSession(ctx, id) }

// Bypass returns a context under which cached functions are computed without the cache:
// nothing is looked up, nothing is kept, and no call waits for another. The caller owns the
// result of a function whose results have a release.
func Bypass(ctx context.Context) context.Context { return cachert.Bypass(ctx) }

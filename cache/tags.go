package cache

import (
	"context"

	cachert "github.com/cachegen/cachegen/runtime"
)

// Invalidate drops every result that has one of the tags, in every cached function, and every
// result that was made from one of those: from what its computation called on its goroutine, or
// on another with its context. A running computation of such a result gives it to its
// present waiters; it is not kept, and no call made after Invalidate has returned gets it.
func Invalidate(ctx context.Context, tags ...string) { cachert.Invalidate(ctx, tags...) }

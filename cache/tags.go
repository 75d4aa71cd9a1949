package cache

import (
	"context"

	cachert "github.com/cachegen/cachegen/runtime"
)

// Invalidate drops every result that has one of the tags, in every cached function, and every
// result that was made from one of those: from what its computation called on its goroutine, or
// on another with its context. A computation that is running gives its result to those who wait
// for it by now; it is not kept, and no call made after Invalidate has returned gets it.
func Invalidate(ctx context.Context, tags ...string) { cachert.Invalidate(ctx, tags...) }

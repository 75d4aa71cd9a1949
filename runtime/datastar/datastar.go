// Package datastar stands where wrappers of version 2 look for package cache/datastar.
//
// Deprecated: for wrappers of version 2; import github.com/cachegen/cachegen/cache/datastar.
package datastar

import (
	"context"

	sdk "github.com/starfederation/datastar-go/datastar"

	"github.com/cachegen/cachegen/cache/datastar"
	cachert "github.com/cachegen/cachegen/runtime"
)

// Bind is [datastar.Bind] of package cache/datastar.
//
// Deprecated: for wrappers of version 2.
func Bind(ctx context.Context, g *sdk.ServerSentEventGenerator, in cachert.Inputs) (context.Context, *sdk.ServerSentEventGenerator, cachert.Surface) {
	return datastar.Bind(ctx, g, in)
}

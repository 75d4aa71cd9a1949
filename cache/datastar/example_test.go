package datastar_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"

	sdk "github.com/starfederation/datastar-go/datastar"

	"github.com/cachegen/cachegen/cache/datastar"
	cachert "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/runtime/value"
)

// clock is a function as people write it.
//
//	//cache:data ttl=1s
func clock(_ context.Context, g *sdk.ServerSentEventGenerator) error {
	fmt.Println("drawing")
	return g.PatchElements(`<p id="clock">12:00</p>`)
}

var clockCache = cachert.NewDrawn[struct{}, struct{}](nil, cachert.DrawOptions{Options: cachert.Options{
	Func: "example.com/shop.clock", Site: "clock.go:5", TrackContext: true,
}})

// Clock stands in for the wrapper that cachegen writes of clock.
func Clock(ctx context.Context, g *sdk.ServerSentEventGenerator) error {
	ctx, bound, s := datastar.Bind(ctx, g, nil)
	_, err := clockCache.Do(value.HashStart(), struct{}{}, &cachert.DrawCall{
		Ctx: ctx, Surface: s, Run: func(ctx context.Context, _ any) error { return clock(ctx, bound) },
	})
	return err
}

// Each client gets the events of a cached function; the function runs for the first of them.
func Example() {
	for range 2 {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/", nil)
		if err := Clock(r.Context(), sdk.NewSSE(w, r)); err != nil {
			fmt.Println(err)
		}
		fmt.Println(strings.Count(w.Body.String(), "12:00"), "event")
	}
	// Output:
	// drawing
	// 1 event
	// 1 event
}

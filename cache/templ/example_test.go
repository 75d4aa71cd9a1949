package templ_test

import (
	"context"
	"fmt"
	"io"
	"strings"

	a "github.com/a-h/templ"

	"github.com/cachegen/cachegen/cache/templ"
	cachert "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/runtime/value"
)

// greeting is a component as people write it, or as templ generates it.
//
//	//cache:data ttl=1m
func greeting() a.Component {
	return a.ComponentFunc(func(_ context.Context, w io.Writer) error {
		fmt.Println("rendering")
		_, err := io.WriteString(w, "<p>hello</p>")
		return err
	})
}

var greetingCache = cachert.NewDrawn[struct{}, struct{}](nil, cachert.DrawOptions{Options: cachert.Options{
	Func: "example.com/shop.greeting", Site: "greeting.go:5", TrackContext: true,
}})

// Greeting stands in for the wrapper that cachegen writes of greeting.
func Greeting() a.Component {
	return a.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		if !templ.Cacheable(ctx) {
			return greeting().Render(ctx, w)
		}
		ctx, bound, s := templ.Bind(ctx, w, nil)
		_, err := greetingCache.Do(value.HashStart(), struct{}{}, &cachert.DrawCall{
			Ctx: ctx, Surface: s, Run: func(ctx context.Context, _ any) error { return greeting().Render(ctx, bound) },
		})
		return err
	})
}

// A cached component is kept when it renders, and rendered from the cache afterwards.
func Example() {
	for range 2 {
		var b strings.Builder
		if err := Greeting().Render(context.Background(), &b); err != nil {
			fmt.Println(err)
		}
		fmt.Println(b.String())
	}
	// Output:
	// rendering
	// <p>hello</p>
	// <p>hello</p>
}

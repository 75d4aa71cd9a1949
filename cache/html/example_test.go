package html_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/cachegen/cachegen/cache/html"
	"github.com/cachegen/cachegen/cache/web"
	cachert "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/runtime/value"
)

// home is a handler as people write it.
//
//	//cache:data ttl=1m scope=global
func home(w http.ResponseWriter, r *http.Request) {
	fmt.Println("drawing", r.FormValue("q"))
	w.Header().Set("Content-Language", "en")
	fmt.Fprintf(w, "<p>results for %s</p>", r.FormValue("q"))
}

var homeCache = cachert.NewDrawn[struct{}, struct{}](nil, cachert.DrawOptions{Options: cachert.Options{
	Func: "example.com/shop.home", Site: "home.go:5", TTL: time.Minute, TrackContext: true,
}})

// Home stands in for the wrapper that cachegen writes of home.
func Home(w http.ResponseWriter, r *http.Request) {
	if !web.Cacheable(r) {
		home(w, r)
		return
	}
	ctx, bound, s := html.BindResponse(r.Context(), w, web.Static(r, []string{"form:q"}))
	if _, err := homeCache.Do(value.HashStart(), struct{}{}, &cachert.DrawCall{
		Ctx: ctx, Surface: s, NoError: true,
		Run: func(ctx context.Context, _ any) error {
			home(bound, r.WithContext(ctx))
			return nil
		},
	}); err != nil {
		panic(err)
	}
}

// A cached handler answers a request that it has answered before with what it wrote then, its
// headers included.
func Example() {
	for _, q := range []string{"tea", "tea", "milk"} {
		w := httptest.NewRecorder()
		Home(w, httptest.NewRequest("GET", "/?q="+q, nil))
		fmt.Println(w.Header().Get("Content-Language"), w.Body)
	}
	// Output:
	// drawing tea
	// en <p>results for tea</p>
	// en <p>results for tea</p>
	// drawing milk
	// en <p>results for milk</p>
}

package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/cachegen/cachegen/cache"
	"github.com/cachegen/cachegen/cache/web"
)

// Middleware around an application's handlers lets its cached functions read the request with
// cache.Input, however deep they are called.
func Example() {
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "sales of %s", cache.Input(r.Context(), "region"))
	})
	srv := web.Middleware(page)

	w := httptest.NewRecorder()
	srv.ServeHTTP(w, httptest.NewRequest("GET", "/?region=north", nil))
	fmt.Println(w.Body)
	// Output:
	// sales of north
}

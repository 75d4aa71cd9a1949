package html

import (
	"fmt"
	"net/http"
	"testing"

	cache "github.com/cachegen/cachegen/runtime"
)

// A header that is put into the map as it is, in a spelling of its own, is on the wire
// what it is in any other.
func TestSpellingOfAHeaderDoesNotHideIt(t *testing.T) {
	for name, value := range map[string]string{
		"set-cookie": "session=ann", "cache-control": "private", "vary": "Cookie", "trailer": "X",
	} {
		runs := 0
		h := handler(site(cache.DrawOptions{}), nil, func(w http.ResponseWriter, r *http.Request) {
			runs++
			w.Header()[name] = []string{value}
			fmt.Fprint(w, "page")
		})
		for i := range 2 {
			if get(h, "/"); runs != i+1 {
				t.Errorf("with %s: %s the response is kept", name, value)
			}
		}
	}
}

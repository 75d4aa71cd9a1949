// Package frameworks has cached handlers that its tests put behind the routers and the
// middlewares of others. It is a module of its own, so that nobody else needs those.
package frameworks

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

//go:generate go tool cachegen ./...

// runs counts how often a body ran.
var runs atomic.Int64

// page is a page that links what it needs and varies by language.
//
//cache:data ttl=1h scope=global
func page(w http.ResponseWriter, r *http.Request) {
	runs.Add(1)
	w.Header().Add("Vary", "Accept-Language")
	w.Header().Add("Link", "</page.css>; rel=preload")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<p>%s in %s</p>%s", r.URL.Path, r.Header.Get("Accept-Language"), strings.Repeat("<p>text</p>", 500))
}

// missing is a page that is not there.
//
//cache:data ttl=1h scope=global
func missing(w http.ResponseWriter, r *http.Request) {
	runs.Add(1)
	http.Error(w, "no "+r.URL.Path, http.StatusNotFound)
}

// moved is a page that is elsewhere.
//
//cache:data ttl=1h scope=global
func moved(w http.ResponseWriter, r *http.Request) {
	runs.Add(1)
	http.Redirect(w, r, "/page", http.StatusFound)
}

// stream is sent in two parts.
//
//cache:data ttl=1h scope=global
func stream(w http.ResponseWriter, r *http.Request) {
	runs.Add(1)
	_, _ = fmt.Fprint(w, "one ")
	_ = http.NewResponseController(w).Flush()
	_, _ = fmt.Fprint(w, "two")
}

// file has a time and a tag.
//
//cache:data ttl=1h scope=global
func file(w http.ResponseWriter, r *http.Request) {
	runs.Add(1)
	w.Header().Set("Etag", `"v1"`)
	http.ServeContent(w, r, "a.txt", time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC), strings.NewReader(strings.Repeat("content ", 500)))
}

// busy asks to come back, and is not kept.
//
//cache:data ttl=1h scope=global
func busy(w http.ResponseWriter, r *http.Request) {
	runs.Add(1)
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusTooManyRequests)
}

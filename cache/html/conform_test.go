package html

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/cachegen/cachegen/cache/cachetest"
	"github.com/cachegen/cachegen/cache/web"
	cachert "github.com/cachegen/cachegen/runtime"
)

func request(s *cachetest.Session) *http.Request {
	q := url.Values{}
	for k, v := range s.Values() {
		q.Set(k, v)
	}
	return httptest.NewRequest("GET", "/page?"+q.Encode(), nil)
}

// serve runs page as a handler behind the middleware and returns the response.
func serve(s *cachetest.Session, ctx context.Context, page func(context.Context, http.ResponseWriter)) string {
	rec := httptest.NewRecorder()
	h := web.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { page(r.Context(), w) }))
	h.ServeHTTP(rec, request(s).WithContext(ctx))
	return fmt.Sprintf("%d %v\n%s", rec.Code, rec.Result().Header, rec.Body)
}

func ask(ctx context.Context, w io.Writer, name, deflt string) string {
	v, ok := cachert.InputValues(ctx, name)
	if !ok {
		v = []string{deflt}
	}
	fmt.Fprintf(w, "<input name=%s value=%s>\n", name, v[0])
	return v[0]
}

func TestConformWriter(t *testing.T) {
	cachetest.Conform(t, cachetest.Adapter[io.Writer]{
		Bind: Bind,
		Run: func(s *cachetest.Session, ctx context.Context, page func(context.Context, io.Writer)) string {
			return serve(s, ctx, func(ctx context.Context, w http.ResponseWriter) { page(ctx, w) })
		},
		Text: func(w io.Writer, s string) error { _, err := fmt.Fprintf(w, "<p>%s\n", s); return err },
		Box: func(w io.Writer, s string, body func(io.Writer) error) error {
			fmt.Fprintf(w, "<div id=%s>\n", s)
			err := body(w)
			fmt.Fprintf(w, "</div>\n")
			return err
		},
		Ask: ask,
	}, 1000)
}

func TestConformResponse(t *testing.T) {
	cachetest.Conform(t, cachetest.Adapter[http.ResponseWriter]{
		Bind: BindResponse,
		Run:  serve,
		Text: func(w http.ResponseWriter, s string) error {
			w.Header().Add("X-Text", s)
			_, err := fmt.Fprintf(w, "<p>%s\n", s)
			return err
		},
		Box: func(w http.ResponseWriter, s string, body func(http.ResponseWriter) error) error {
			w.Header().Set("X-"+s, "box")
			io.WriteString(w, "<div>\n")
			err := http.NewResponseController(w).Flush()
			if err == nil {
				err = body(w)
			}
			io.WriteString(w, "</div>\n")
			return err
		},
		Ask: func(ctx context.Context, w http.ResponseWriter, name, deflt string) string {
			return ask(ctx, w, name, deflt)
		},
	}, 1000)
}

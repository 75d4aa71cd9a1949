package frameworks

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	chimiddleware "github.com/go-chi/chi/v5/middleware"
	"github.com/gorilla/handlers"
	"github.com/gorilla/mux"
	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"
)

// personal sets what belongs to one request: who asks, a nonce, a cookie.
func personal(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user := r.URL.Query().Get("user")
		w.Header().Set("X-User", user)
		w.Header().Set("Content-Security-Policy", "script-src 'nonce-"+user+"'")
		http.SetCookie(w, &http.Cookie{Name: "user", Value: user})
		next.ServeHTTP(w, r)
	})
}

// chains puts handlers, by their path, behind what a framework has.
var chains = map[string]func(map[string]http.HandlerFunc) http.Handler{
	"net/http": func(hs map[string]http.HandlerFunc) http.Handler {
		m := http.NewServeMux()
		for path, h := range hs {
			m.Handle("GET "+path, http.TimeoutHandler(h, time.Minute, "late"))
		}
		return http.MaxBytesHandler(personal(m), 1000)
	},
	"chi": func(hs map[string]http.HandlerFunc) http.Handler {
		r := chi.NewRouter()
		r.Use(chimiddleware.RequestID, chimiddleware.RealIP, chimiddleware.Recoverer, chimiddleware.Timeout(time.Minute),
			chimiddleware.Compress(5), chimiddleware.GetHead, chimiddleware.NoCache, chimiddleware.Throttle(50), personal)
		for path, h := range hs {
			r.Get(path, h)
		}
		return r
	},
	"gorilla": func(hs map[string]http.HandlerFunc) http.Handler {
		r := mux.NewRouter()
		for path, h := range hs {
			r.Handle(path, h).Methods("GET", "HEAD")
		}
		r.Use(personal)
		cors := handlers.CORS(handlers.AllowedOrigins([]string{"https://a.test", "https://b.test"}), handlers.AllowCredentials())
		return handlers.RecoveryHandler()(handlers.CombinedLoggingHandler(io.Discard, handlers.ProxyHeaders(cors(handlers.CompressHandler(r)))))
	},
	"gin": func(hs map[string]http.HandlerFunc) http.Handler {
		gin.SetMode(gin.ReleaseMode)
		e := gin.New()
		e.Use(gin.Recovery(), func(c *gin.Context) {
			c.Header("X-User", c.Query("user"))
			c.SetCookie("user", c.Query("user"), 60, "/", "", false, true)
			c.Next()
		})
		for path, h := range hs {
			e.GET(path, gin.WrapF(h))
			e.HEAD(path, gin.WrapH(h))
		}
		return e
	},
	"echo": func(hs map[string]http.HandlerFunc) http.Handler {
		e := echo.New()
		e.Use(echomiddleware.Recover(), echomiddleware.RequestID(), echomiddleware.Gzip(), echomiddleware.Secure(),
			echomiddleware.CORSWithConfig(echomiddleware.CORSConfig{AllowOrigins: []string{"https://a.test", "https://b.test"}}),
			echo.WrapMiddleware(personal))
		for path, h := range hs {
			e.GET(path, echo.WrapHandler(h))
			e.HEAD(path, echo.WrapHandler(h))
		}
		return e
	},
}

type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// answer is what a client is told, without what is of this moment.
func answer(t *testing.T, c *http.Client, url, method, path, user, headers string) string {
	r, err := http.NewRequest(method, url+path+"?user="+user, nil)
	if err != nil {
		t.Fatal(err)
	}
	for h := range strings.FieldsFuncSeq(headers, func(r rune) bool { return r == '\n' }) {
		k, v, _ := strings.Cut(h, ": ")
		r.Header.Set(k, v)
	}
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	if resp.Header.Get("Content-Encoding") == "gzip" && len(b) > 0 {
		z, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if b, err = io.ReadAll(z); err != nil {
			t.Error(err)
		}
	}
	var out strings.Builder
	fmt.Fprintln(&out, resp.Proto, resp.StatusCode)
	for _, k := range slices.Sorted(maps.Keys(resp.Header)) {
		if k != "Date" && k != "Age" && k != "X-Request-Id" && (k != "Content-Length" || resp.Header.Get("Content-Encoding") == "") {
			fmt.Fprintf(&out, "%s: %q\n", k, resp.Header[k])
		}
	}
	return out.String() + string(b)
}

// Behind each framework a cached handler answers as the uncached one does, whoever asks, and
// runs once for all of them.
func TestCachedHandlersBehindFrameworks(t *testing.T) {
	cached := map[string]http.HandlerFunc{"/page": Page, "/missing": Missing, "/moved": Moved, "/stream": Stream, "/file": File, "/busy": Busy}
	plain := map[string]http.HandlerFunc{"/page": page, "/missing": missing, "/moved": moved, "/stream": stream, "/file": file, "/busy": busy}
	for name, chain := range chains {
		for _, h2 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/h2=%v", name, h2), func(t *testing.T) {
				for _, c := range []interface{ Clear() }{PageCache, MissingCache, MovedCache, StreamCache, FileCache} {
					c.Clear()
				}
				var faults logged
				start := func(h http.Handler) *httptest.Server {
					s := httptest.NewUnstartedServer(h)
					s.Config.ErrorLog = log.New(&faults, "", 0)
					if s.EnableHTTP2 = h2; h2 {
						s.StartTLS()
					} else {
						s.Start()
					}
					c := s.Client()
					c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
					return s
				}
				with, without := start(chain(cached)), start(chain(plain))
				defer with.Close()
				defer without.Close()
				for _, path := range slices.Sorted(maps.Keys(cached)) {
					for _, headers := range []string{
						"Accept-Encoding: identity", "Accept-Encoding: gzip", "Accept-Encoding: identity\nOrigin: https://a.test",
						"Accept-Encoding: identity\nOrigin: https://b.test", "Accept-Encoding: identity\nAccept-Language: de",
						"Accept-Encoding: identity\nIf-None-Match: \"v1\"", "Accept-Encoding: identity\nRange: bytes=0-9",
					} {
						for _, method := range []string{"GET", "HEAD"} {
							var ran int64
							for i, user := range []string{"ann", "bob", "ann"} {
								want := answer(t, without.Client(), without.URL, method, path, user, headers)
								before := runs.Load()
								got := answer(t, with.Client(), with.URL, method, path, user, headers)
								if ran = runs.Load() - before; got != want {
									t.Errorf("%s %s, %q, as %s, request %d: uncached\n%.700s\ncached\n%.700s", method, path, headers, user, i, want, got)
								}
							}
							kept := path != "/busy" && !strings.Contains(headers, "Range") && !(path == "/file" && strings.Contains(headers, "If-None-Match") && name != "chi")
							if ran != 0 && kept {
								t.Errorf("%s %s, %q: the third request ran the body", method, path, headers)
							}
						}
					}
				}
				if strings.Contains(faults.b.String(), "panic") {
					t.Error(faults.b.String())
				}
			})
		}
	}
}

package html

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"sync"

	cache "github.com/cachegen/cachegen/runtime"
)

// maxForm bounds what of a multipart form is held in memory, as net/http's own default.
const maxForm = 32 << 20

// Request is a request as a source of inputs. Its inputs have names with their kind:
//
//	input:x    the field x of the query or of the form, or the files x
//	query:x    the parameter x of the query alone
//	form:x     what r.Form["x"] holds: form and query
//	post:x     what r.PostForm["x"] holds: the form alone
//	path:x     r.PathValue("x")
//	header:X   the header X; Host is r.Host
//	cookie:x   the cookies x
//	file:x     the files of the field x
//	signal:x   the Datastar signal x of the query; all of them where x is empty
//	method, url.path, url.query, url.escaped (URL.EscapedPath), url (every part of it),
//	uri (RequestURI), host, remote (RemoteAddr), proto, length (ContentLength),
//	tls (whether there is TLS), pattern
//	form.error (what ParseForm says of the query)
//
// A form is parsed when an input needs it, as r.FormValue would do it; what cannot be
// parsed has no fields. A Request may be used by several goroutines; the http.Request
// must not be parsed by others meanwhile.
type Request struct {
	r      *http.Request
	fields func() map[string][]byte // beside the form: signals, encoded as inputs

	mu     sync.Mutex
	parsed bool
	formed bool // before it was parsed here, somebody had
	query  url.Values
	files  map[string][]cache.File
}

// NewRequest returns r as a source of inputs.
func NewRequest(r *http.Request) *Request { return &Request{r: r} }

// NewRequestWith is NewRequest with further inputs, for adapters: fields is called once,
// when one of its names is asked for that the form does not have.
func NewRequestWith(r *http.Request, fields func() map[string][]byte) *Request {
	return &Request{r: r, fields: sync.OnceValue(fields)}
}

// Middleware puts the request into its context, where cache.Input finds it.
func Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in := NewRequest(r)
		r2 := r.WithContext(cache.WithInputs(r.Context(), in))
		in.r = r2
		next.ServeHTTP(w, r2)
	})
}

func (q *Request) parse() {
	if q.parsed {
		return
	}
	q.parsed = true
	q.formed = q.formedNow()
	q.query = q.r.URL.Query()
	if err := q.r.ParseMultipartForm(maxForm); err != nil && !errors.Is(err, http.ErrNotMultipart) && q.r.Form == nil {
		q.r.Form = q.query
	}
}

// Value implements cache.Inputs.
func (q *Request) Value(widget string) (v []byte, ok bool) {
	kind, name, _ := strings.Cut(widget, ":")
	q.mu.Lock()
	defer q.mu.Unlock()
	switch kind {
	case "method":
		return one(q.r.Method), true
	case "url.path":
		return one(q.r.URL.Path), true
	case "url.query":
		return one(q.r.URL.RawQuery), true
	case "host":
		return one(q.r.Host), true
	case "path":
		v := q.r.PathValue(name)
		return one(v), v != ""
	case "header":
		name = http.CanonicalHeaderKey(name)
		if name == "Host" {
			return one(q.r.Host), true
		}
		return list(q.r.Header, name)
	case "cookie":
		var vs []string
		for _, c := range q.r.CookiesNamed(name) {
			if c.Quoted {
				vs = append(vs, `"`+c.Value)
			} else {
				vs = append(vs, c.Value)
			}
		}
		return cache.EncodeInput(vs, nil), len(vs) > 0
	case "query":
		q.parse()
		return list(q.query, name)
	case "form":
		q.parse()
		return list(q.r.Form, name)
	case "post":
		q.parse()
		return list(q.r.PostForm, name)
	case "input":
		q.parse()
		files, err := q.filesOf(name)
		if err != nil {
			return nil, false
		}
		if vs, ok := q.r.Form[name]; ok || len(files) > 0 {
			return cache.EncodeInput(vs, files), true
		}
		if q.fields != nil {
			v, ok := q.fields()[name]
			return v, ok
		}
	default:
		return q.part(kind, name)
	}
	return nil, false
}

func one(s string) []byte { return cache.EncodeInput([]string{s}, nil) }

func list(m map[string][]string, name string) ([]byte, bool) {
	vs, ok := m[name]
	if !ok {
		return nil, false
	}
	return cache.EncodeInput(vs, nil), true
}

// Files implements cache.FileInputs.
func (q *Request) Files(name string) ([]cache.File, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.parse()
	return q.filesOf(name)
}

func (q *Request) filesOf(name string) ([]cache.File, error) {
	if fs, ok := q.files[name]; ok || q.r.MultipartForm == nil {
		return fs, nil
	}
	var fs []cache.File
	for _, h := range q.r.MultipartForm.File[name] {
		f, err := fileOf(h)
		if err != nil {
			return nil, err
		}
		fs = append(fs, f)
	}
	if q.files == nil {
		q.files = map[string][]cache.File{}
	}
	q.files[name] = fs
	return fs, nil
}

func fileOf(h *multipart.FileHeader) (f cache.File, err error) {
	r, err := h.Open()
	if err != nil {
		return f, err
	}
	defer r.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, r)
	if err != nil {
		return f, err
	}
	f = cache.File{Name: h.Filename, Type: h.Header.Get("Content-Type"), Size: n, Content: cache.Content(sum.Sum(nil))}
	f.Open = func() (io.ReadSeekCloser, error) { return h.Open() }
	return f, nil
}

// Reads are the inputs that a function is known to read of its request: names as
// Request has them, in the order in which they are observed. It is an Inputs for Bind that
// counts them in full on each call.
type Reads struct {
	*Request
	Names []string
}

// Static returns r as a source of inputs of which names are read, whatever the body
// does. It leaves r as it is, so that the body parses it as if nobody had before.
func Static(r *http.Request, names []string) *Reads {
	own := *r
	return &Reads{NewRequest(&own), names}
}

// Cacheable reports whether a response to r may come from a cache and go into one: it is a
// GET or HEAD without a body, without Authorization and without ranges.
func Cacheable(r *http.Request) bool {
	if r == nil || r.ContentLength != 0 {
		return false
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != "" {
		return false
	}
	for _, h := range []string{"Authorization", "Proxy-Authorization", "Range", "If-Range", "Upgrade"} {
		if _, ok := r.Header[h]; ok {
			return false
		}
	}
	return true
}

// cloneBytes is for tapes: what a caller's buffer holds is his.
func cloneBytes(p []byte) []byte { return bytes.Clone(p) }

var (
	_ cache.FileInputs = (*Request)(nil)
	_ cache.FileInputs = (*Reads)(nil)
	_                  = context.Background
)

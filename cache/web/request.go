package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/cachegen/cachegen/cache/surface"
)

// maxForm bounds what of a multipart form is held in memory, as net/http's own default.
const maxForm = 32 << 20

// Request is a request as a source of inputs. Its inputs have names with their kind:
//
//	input:x    the field x of query or form, or the files x, or the signal x
//	form:x     the field x of query or form, as r.Form has it
//	post:x     the field x of the form alone
//	query:x    the parameter x of the query alone
//	file:x     the uploaded files x
//	signal:x   the Datastar signal x, in JSON; "signal:" is all of them
//	path:x     r.PathValue("x")
//	header:X   the header X
//	cookie:x   the cookies x
//	method, url.path, url.query, url.escaped (URL.EscapedPath), url (every part of it),
//	uri (RequestURI), host, remote (RemoteAddr), proto, length (ContentLength),
//	tls (whether there is TLS), pattern
//	form.error (what ParseForm says of the query)
//
// A form is parsed when an input needs it, as r.FormValue would do it; what cannot be
// parsed has no fields. JSON in the body of a POST is read for its signals and put back. A
// Request may be used by several goroutines; nobody else may parse the http.Request
// meanwhile.
type Request struct {
	r *http.Request

	mu      sync.Mutex
	parsed  bool
	formed  bool // before it was parsed here, somebody had
	query   url.Values
	files   map[string][]surface.File
	asked   bool // for signals
	raw     []byte
	signals []signal
}

// signal is one member of the object of signals, in order: a name may come twice, and
// decoding does not look at case.
type signal struct {
	name  string
	value json.RawMessage
}

// New returns r as a source of inputs.
func New(r *http.Request) *Request { return &Request{r: r} }

// Middleware puts the request into its context, where cache.Input finds it. Files of a form
// that had to go to the disk are removed when next returns.
func Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in := New(r)
		r2 := r.WithContext(surface.WithInputs(r.Context(), in))
		in.r = r2
		if r.MultipartForm == nil {
			defer in.removeFiles() // the server does so for its own request alone
		}
		next.ServeHTTP(w, r2)
	})
}

func (q *Request) removeFiles() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if f := q.r.MultipartForm; f != nil {
		_ = f.RemoveAll() // of files in the system's folder for temporary ones
	}
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

// parseSignals reads the object of signals. What is no object stays in raw, and no name
// is found in it.
func (q *Request) parseSignals() {
	if q.asked {
		return
	}
	q.asked = true
	switch q.r.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodDelete:
		q.parse()
		q.raw = []byte(q.query.Get("datastar"))
	default:
		if t, _, _ := mime.ParseMediaType(q.r.Header.Get("Content-Type")); t != "application/json" || q.r.Body == nil {
			return
		}
		body, err := io.ReadAll(io.LimitReader(q.r.Body, maxForm))
		q.r.Body = rest{io.MultiReader(bytes.NewReader(body), q.r.Body), q.r.Body}
		if err != nil {
			return
		}
		q.raw = body
	}
	d := json.NewDecoder(bytes.NewReader(q.raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return
	}
	var all []signal
	for d.More() {
		name, err := d.Token()
		var v json.RawMessage
		if err != nil || d.Decode(&v) != nil {
			return
		}
		all = append(all, signal{name.(string), v})
	}
	if json.Valid(q.raw) {
		q.signals = all
	}
}

// rest is a body of which a part has been read and put back.
type rest struct {
	io.Reader
	io.Closer
}

// signal returns what decoding would see of the signal name: its values, in order; or
// everything, if it cannot be decoded.
func (q *Request) signal(name string) ([]byte, bool) {
	q.parseSignals()
	if len(q.raw) == 0 {
		return nil, false
	}
	if q.signals == nil || name == "" {
		return one(string(q.raw)), true
	}
	var vs []string
	for _, s := range q.signals {
		if strings.EqualFold(s.name, name) {
			vs = append(vs, string(s.value))
		}
	}
	return surface.EncodeInput(vs, nil), len(vs) > 0
}

// Value implements surface.Inputs.
func (q *Request) Value(widget string) (v []byte, ok bool) {
	kind, name, _ := strings.Cut(widget, ":")
	q.mu.Lock()
	defer q.mu.Unlock()
	r := q.r
	switch kind {
	case "method":
		return one(r.Method), true
	case "url.path":
		return one(r.URL.Path), true
	case "url.query":
		return one(r.URL.RawQuery), true
	case "host":
		return one(r.Host), true
	case "path":
		v := r.PathValue(name)
		return one(v), v != ""
	case "header":
		return list(r.Header, http.CanonicalHeaderKey(name))
	case "cookie":
		var vs []string
		for _, c := range r.CookiesNamed(name) {
			if c.Quoted {
				vs = append(vs, `"`+c.Value)
			} else {
				vs = append(vs, c.Value)
			}
		}
		return surface.EncodeInput(vs, nil), len(vs) > 0
	case "query":
		q.parse()
		return list(q.query, name)
	case "form":
		q.parse()
		return list(r.Form, name)
	case "post":
		q.parse()
		return list(r.PostForm, name)
	case "file":
		files, err := q.filesOf(name)
		return surface.EncodeInput(nil, files), err == nil && len(files) > 0
	case "signal":
		return q.signal(name)
	case "input":
		files, err := q.filesOf(name)
		if vs, ok := r.Form[name]; ok || err == nil && len(files) > 0 {
			return surface.EncodeInput(vs, files), true
		}
		q.parseSignals()
		if q.signals != nil {
			return q.signal(name)
		}
	default:
		return q.part(kind, name)
	}
	return nil, false
}

func one(s string) []byte { return surface.EncodeInput([]string{s}, nil) }

func list(m map[string][]string, name string) ([]byte, bool) {
	vs, ok := m[name]
	if !ok {
		return nil, false
	}
	return surface.EncodeInput(vs, nil), true
}

// Files implements surface.FileInputs.
func (q *Request) Files(name string) ([]surface.File, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.filesOf(name)
}

func (q *Request) filesOf(name string) ([]surface.File, error) {
	q.parse()
	if fs, ok := q.files[name]; ok || q.r.MultipartForm == nil {
		return fs, nil
	}
	var fs []surface.File
	for _, h := range q.r.MultipartForm.File[name] {
		f, err := fileOf(h)
		if err != nil {
			return nil, err
		}
		fs = append(fs, f)
	}
	if q.files == nil {
		q.files = map[string][]surface.File{}
	}
	q.files[name] = fs
	return fs, nil
}

func fileOf(h *multipart.FileHeader) (f surface.File, err error) {
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
	f = surface.File{Name: h.Filename, Type: h.Header.Get("Content-Type"), Size: n, Content: surface.Content(sum.Sum(nil))}
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
	return &Reads{New(&own), names}
}

var (
	_ surface.FileInputs = (*Request)(nil)
	_ surface.FileInputs = (*Reads)(nil)
)

// StaticReads are the reads that the wrapper knows of.
func (r *Reads) StaticReads() (reads []surface.Read) {
	for _, n := range r.Names {
		v, ok := r.Value(n)
		reads = append(reads, surface.Read{Widget: n, Value: v, Set: ok})
	}
	return reads
}

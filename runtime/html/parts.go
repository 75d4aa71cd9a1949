package html

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	cache "github.com/cachegen/cachegen/runtime"
)

// part returns an input that is neither a field nor a header: see Request.
func (q *Request) part(kind, name string) ([]byte, bool) {
	r := q.r
	switch kind {
	case "url":
		u := *r.URL
		password, set := u.User.Password()
		return cache.EncodeInput([]string{u.Scheme, u.Opaque, u.User.Username(), password, strconv.FormatBool(set),
			u.Host, u.Path, u.RawPath, u.RawQuery, u.Fragment, u.RawFragment, strconv.FormatBool(u.ForceQuery), strconv.FormatBool(u.OmitHost)}, nil), true
	case "url.escaped":
		return one(r.URL.EscapedPath()), true
	case "uri":
		return one(r.RequestURI), true
	case "remote":
		return one(r.RemoteAddr), true
	case "proto":
		return one(r.Proto), true
	case "length":
		return one(strconv.FormatInt(r.ContentLength, 10)), true
	case "tls":
		return nil, r.TLS != nil
	case "pattern":
		return one(r.Pattern), true
	case "form.error":
		if q.parsed && q.formed || !q.parsed && q.formedNow() {
			return nil, false // ParseForm says nothing when it is called again
		}
		_, err := url.ParseQuery(r.URL.RawQuery)
		if err == nil {
			return nil, false
		}
		return one(err.Error()), true
	case "file":
		q.parse()
		files, err := q.filesOf(name)
		if err != nil || len(files) == 0 {
			return nil, false
		}
		return cache.EncodeInput(nil, files), true
	case "signal":
		return signal(r, name)
	}
	return nil, false
}

// formedNow reports whether the form of the request has been parsed.
func (q *Request) formedNow() bool { return q.r.Form != nil && q.r.PostForm != nil }

// signal returns what the Datastar signals of a GET request say of one name, or all of
// them where the name is "". Names are matched in any case, as encoding/json fills fields;
// each value that a field would be filled with in turn counts.
func signal(r *http.Request, name string) ([]byte, bool) {
	text := r.URL.Query().Get("datastar")
	if text == "" {
		return nil, false
	}
	if name == "" {
		return one(text), true
	}
	whole := cache.EncodeInput([]string{"", text}, nil)
	d := json.NewDecoder(strings.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') || !json.Valid([]byte(text)) {
		return whole, true // what it is read into, and with which error, depends on all of it
	}
	var values []string
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return whole, true
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil && err != io.EOF {
			return whole, true
		}
		if k, ok := key.(string); ok && strings.EqualFold(k, name) {
			values = append(values, k, string(bytes.TrimSpace(v)))
		}
	}
	if values == nil {
		return nil, false
	}
	return cache.EncodeInput(values, nil), true
}

// BindRequest binds what a function reads of a request, where it draws on nothing.
func BindRequest(ctx context.Context, in cache.Inputs) (context.Context, cache.Surface) {
	return ctx, &Writer{in: in, up: io.Discard, down: &lane{w: io.Discard, sync: true}}
}

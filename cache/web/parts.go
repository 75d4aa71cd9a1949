package web

import (
	"net/url"
	"strconv"

	"github.com/cachegen/cachegen/cache/surface"
)

// part returns an input that is neither a field nor a header: see Request.
func (q *Request) part(kind, name string) ([]byte, bool) {
	r := q.r
	switch kind {
	case "url":
		u := *r.URL
		password, set := u.User.Password()
		return surface.EncodeInput([]string{u.Scheme, u.Opaque, u.User.Username(), password, strconv.FormatBool(set),
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
	}
	return nil, false
}

// formedNow reports whether the form of the request has been parsed.
func (q *Request) formedNow() bool { return q.r.Form != nil && q.r.PostForm != nil }

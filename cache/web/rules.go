package web

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/cachegen/cachegen/cache/surface"
)

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

// A Head is what a body did to the head of its response: what it set, what it added to
// values that were there before it ran, and what it deleted of them. What it left alone
// belongs to the request that is being answered, and is not in a Head.
type Head struct {
	Status   int // 0: as the first write implies
	Set, Add http.Header
	Del      []string
}

// Empty reports whether the body did nothing.
func (h *Head) Empty() bool { return h.Status == 0 && len(h.Set)+len(h.Add)+len(h.Del) == 0 }

// Apply does to a header what the body did.
func (h *Head) Apply(to http.Header) {
	for _, k := range h.Del {
		delete(to, k)
	}
	for k, v := range h.Set {
		to[k] = slices.Clone(v)
	}
	for k, v := range h.Add {
		to[k] = append(to[k], v...)
	}
}

// Send does to a response what the body did.
func (h *Head) Send(to http.ResponseWriter) {
	h.Apply(to.Header())
	if h.Status != 0 {
		to.WriteHeader(h.Status)
	}
}

// Age returns what the head of a response says besides when it is sent again at the time
// now: its Age (RFC 9111, 5.1), and the Date of when it was made. said is what the body said
// in its head. A body that passes on the Age of another server's response had that already.
//
// An Expires that has come meanwhile would be in the past, and becomes the present: the
// response is stale to whoever gets it, by its Age as by its Expires. One that was in the
// past from the start, as a way to say "stale", stays as it is.
//
// In its first second a response is as new, and Age returns nil.
func Age(said http.Header, made, now time.Time) http.Header {
	age := now.Sub(made)
	if made.IsZero() || age < time.Second {
		return nil
	}
	seconds := int64(age / time.Second)
	if n, err := strconv.ParseInt(said.Get("Age"), 10, 32); err == nil && n > 0 {
		seconds += n
	}
	add := http.Header{"Age": {strconv.FormatInt(seconds, 10)}}
	if _, ok := said["Date"]; !ok {
		add["Date"] = []string{made.UTC().Format(http.TimeFormat)}
	}
	if e, err := http.ParseTime(said.Get("Expires")); err == nil && !e.Before(made.Truncate(time.Second)) && e.Before(now) {
		present := now.Add(time.Second - 1).Truncate(time.Second)
		add["Expires"] = []string{present.UTC().Format(http.TimeFormat)}
	}
	return add
}

// Dated reports whether a header says for how long the response is fresh.
func Dated(said http.Header) bool {
	return len(said["Cache-Control"])+len(said["Expires"])+len(said["Age"]) > 0
}

// MarshalBinary returns the head as it stands on a tape: values are bytes, and need be no
// text.
func (h *Head) MarshalBinary() ([]byte, error) {
	f := []string{strconv.Itoa(h.Status)}
	for _, m := range []http.Header{h.Set, h.Add} {
		f = append(f, strconv.Itoa(len(m)))
		for _, k := range slices.Sorted(maps.Keys(m)) {
			f = append(append(f, k, strconv.Itoa(len(m[k]))), m[k]...)
		}
	}
	return surface.EncodeInput(append(f, h.Del...), nil), nil
}

// UnmarshalBinary is the inverse of MarshalBinary. It takes nothing on trust.
func (h *Head) UnmarshalBinary(b []byte) error {
	f, _, err := surface.DecodeInput(b)
	if err != nil {
		return err
	}
	next := func() (s string) {
		if len(f) == 0 {
			err = errors.New("the head of a response is cut off")
			return ""
		}
		s, f = f[0], f[1:]
		return s
	}
	count := func() int {
		n, bad := strconv.Atoi(next())
		if err == nil && (bad != nil || n < 0 || n > len(f)) {
			err = errors.New("the head of a response has a bad number")
		}
		if err != nil {
			return 0
		}
		return n
	}
	status := next()
	if h.Status, err = strconv.Atoi(status); err != nil || h.Status != 0 && (h.Status < 100 || h.Status > 999) {
		return fmt.Errorf("a response has the status %q", status)
	}
	for _, m := range []*http.Header{&h.Set, &h.Add} {
		for range count() {
			k, n := next(), count()
			if *m == nil {
				*m = http.Header{}
			}
			(*m)[k], f = slices.Clone(f[:n]), f[n:]
		}
	}
	if len(f) > 0 {
		h.Del = f
	}
	return err
}

// momentary are the statuses, besides those of the server's faults, that answer one request
// and say nothing of the next one: parts and confirmations of what the client has, and what is
// wrong with who asks, with this connection, or with this moment (RFC 9110, 15; RFC 9111, 3;
// RFC 3229, 10.4.1; RFC 6585; RFC 8470, 5.2).
var momentary = map[int]bool{
	http.StatusSwitchingProtocols: true, http.StatusPartialContent: true, http.StatusIMUsed: true,
	http.StatusNotModified: true, http.StatusUnauthorized: true, http.StatusProxyAuthRequired: true,
	http.StatusRequestTimeout: true, http.StatusConflict: true, http.StatusPreconditionFailed: true,
	http.StatusRequestEntityTooLarge: true, http.StatusRequestedRangeNotSatisfiable: true,
	http.StatusExpectationFailed: true, http.StatusMisdirectedRequest: true, http.StatusLocked: true,
	http.StatusFailedDependency: true, http.StatusTooEarly: true, http.StatusUpgradeRequired: true,
	http.StatusPreconditionRequired: true, http.StatusTooManyRequests: true,
	http.StatusRequestHeaderFieldsTooLarge: true,
}

// Unfit says why a response with this head must not be kept, nil if it may. A reason that lies in
// whom the response is for is one of [surface.Personal].
func (h *Head) Unfit() error {
	switch s := h.Status; {
	case s >= 500 || momentary[s]:
		return fmt.Errorf("its status is %d", s)
	case len(h.values("Set-Cookie")) > 0:
		return surface.Personal(errors.New("it sets a cookie"))
	case len(h.values("Trailer")) > 0:
		return errors.New("it declares a trailer")
	}
	for _, m := range []http.Header{h.Set, h.Add} {
		for k := range m {
			if strings.HasPrefix(k, http.TrailerPrefix) {
				return errors.New("it sets a trailer")
			}
		}
	}
	for _, d := range h.values("Cache-Control") {
		if d, _, _ = strings.Cut(d, "="); d == "no-store" || d == "private" {
			return surface.Personal(fmt.Errorf("its Cache-Control says %s", d))
		}
	}
	for _, d := range h.values("Vary") {
		if d == "*" || d == "cookie" || d == "authorization" {
			return surface.Personal(fmt.Errorf("it varies by %s", d))
		}
	}
	return nil
}

// values returns the members, in lower case, of the lists that the body put under name,
// however it is spelled: a map takes any spelling, and on the wire they are one.
func (h *Head) values(name string) (members []string) {
	for _, m := range []http.Header{h.Set, h.Add} {
		for k, vs := range m {
			if strings.EqualFold(k, name) {
				for d := range strings.SplitSeq(strings.Join(vs, ","), ",") {
					members = append(members, strings.ToLower(strings.TrimSpace(d)))
				}
			}
		}
	}
	return members
}

// What a body sees of a response's header as it was before: a handler the values of seen,
// since net/http decides by them whether to look for a Content-Type, to say a Content-Length
// or to answer 304; and an empty value in place of others that it may set, add to or delete,
// so that these three can be told apart. For the names in shared there is one always.
var (
	seen   = []string{"Content-Encoding", "Content-Type", "Etag"}
	shared = []string{
		"Access-Control-Allow-Credentials", "Access-Control-Allow-Headers", "Access-Control-Allow-Methods",
		"Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Cache-Control", "Content-Language",
		"Content-Length", "Content-Security-Policy", "Cross-Origin-Embedder-Policy", "Cross-Origin-Opener-Policy",
		"Cross-Origin-Resource-Policy", "Expires", "Last-Modified", "Link", "Permissions-Policy", "Referrer-Policy",
		"Server-Timing", "Set-Cookie", "Strict-Transport-Security", "Traceparent", "Vary", "X-Content-Type-Options",
		"X-Correlation-Id", "X-Csrf-Token", "X-Frame-Options", "X-Request-Id", "X-Robots-Tag", "X-Trace-Id",
	}
)

// Before says what of a response's header, as it is when a handler is called, is an input of
// the handler: the values of Content-Encoding, Content-Type and Etag, and which others there
// are, except for the common ones that middlewares set now and then (Vary, Link, Set-Cookie,
// X-Request-Id, Access-Control-Allow-Origin and their like). The values of all others belong to the request
// that is being answered, and a View hides them.
func Before(h http.Header) string {
	var few [16]string
	inputs := few[:0]
	for k := range h {
		if _, found := slices.BinarySearch(shared, k); !found {
			inputs = append(inputs, k)
		}
	}
	if len(inputs) == 0 {
		return ""
	}
	slices.Sort(inputs)
	var buf [512]byte
	b := buf[:0]
	put := func(s string) {
		b = append(strconv.AppendInt(b, int64(len(s)), 10), ':')
		b = append(b, s...)
	}
	for _, k := range inputs {
		put(k)
		if slices.Contains(seen, k) {
			b = strconv.AppendInt(append(b, '='), int64(len(h[k])), 10)
			for _, v := range h[k] {
				put(v)
			}
		}
	}
	return string(b)
}

// A View is the header that a body gets while its response is recorded: a copy, in which
// what the body does can be told from what was there.
type View struct {
	http.Header
	before http.Header // what was there
	slices http.Header // the values of Header as they were, by their memory
}

// NewView returns the view of h for a body whose response goes into a cache. The body of a
// handler sees what Before counts. That of a function which draws a part of a page, wherever
// it stands there, sees the names alone, and they are no inputs: other parts have put some of
// them there, and mostly they are sent by then.
func NewView(h http.Header, handler bool) *View {
	v := &View{Header: make(http.Header, len(shared)+len(h))}
	for _, k := range shared {
		v.Header[k] = []string{""}
	}
	for k, vs := range h {
		v.Header[k] = []string{""}
		if handler && slices.Contains(seen, k) {
			v.Header[k] = slices.Clone(vs)
		}
	}
	v.rebase()
	return v
}

// NewWholeView returns a view of h with all values, for what is drawn again on each replay.
func NewWholeView(h http.Header) *View {
	v := &View{Header: h.Clone()}
	if v.Header == nil {
		v.Header = http.Header{}
	}
	v.rebase()
	return v
}

func (v *View) rebase() {
	v.before, v.slices = v.Header.Clone(), maps.Clone(v.Header)
}

// Take returns what the body has done since the last Take. Values that begin with those that
// were there are additions to them. What leaves no trace in a map is not seen: deleting what
// the view does not have.
func (v *View) Take(status int) *Head {
	h := &Head{Status: status}
	put := func(m *http.Header, k string, values []string) {
		if *m == nil {
			*m = http.Header{}
		}
		(*m)[k] = slices.Clone(values)
	}
	for k, now := range v.Header {
		old, was := v.before[k]
		n := len(old)
		same := was && len(now) >= n && slices.Equal(now[:n], old)
		switch {
		case same && len(now) > n && n > 0:
			put(&h.Add, k, now[n:])
		case !same || len(now) > n || n > 0 && unsafe.SliceData(now) != unsafe.SliceData(v.slices[k]):
			put(&h.Set, k, now)
		}
	}
	for k := range v.before {
		if _, ok := v.Header[k]; !ok {
			h.Del = append(h.Del, k)
		}
	}
	slices.Sort(h.Del)
	v.rebase()
	return h
}

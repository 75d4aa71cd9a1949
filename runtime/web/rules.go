package web

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	cache "github.com/cachegen/cachegen/runtime"
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
	return cache.EncodeInput(append(f, h.Del...), nil), nil
}

// UnmarshalBinary is the inverse of MarshalBinary. It takes nothing on trust.
func (h *Head) UnmarshalBinary(b []byte) error {
	f, _, err := cache.DecodeInput(b)
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

// Unfit says why a response with this head must not be kept, nil if it may.
func (h *Head) Unfit() error {
	switch s := h.Status; {
	case s >= 500, s == http.StatusPartialContent, s == http.StatusNotModified,
		s == http.StatusRequestedRangeNotSatisfiable, s == http.StatusSwitchingProtocols:
		return fmt.Errorf("its status is %d", s)
	case len(h.values("Set-Cookie")) > 0:
		return errors.New("it sets a cookie")
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
			return fmt.Errorf("its Cache-Control says %s", d)
		}
	}
	for _, d := range h.values("Vary") {
		if d == "*" || d == "cookie" || d == "authorization" {
			return fmt.Errorf("it varies by %s", d)
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

// A View is the header that a body gets while its response is recorded: a copy, in which
// what the body does can be told from what was there.
type View struct {
	http.Header
	before http.Header // what was there
	slices http.Header // the values of Header as they were, by their memory
}

// NewView returns a view of h.
func NewView(h http.Header) *View {
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
// were there are additions to them. What leaves no trace in a map is not seen: deleting
// what was not there.
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

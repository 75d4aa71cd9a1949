package cachert

import (
	"reflect"
	"sync"
)

// Some libraries keep in the context what they have done for the page so far. The body
// of a cached function must not see what belongs to the page around it: what it leaves
// out, since it is on that page already, would be missing on the next one.
//
// templ (github.com/a-h/templ) keeps which styles, scripts and once-handles a page has,
// its nonce for the content security policy, and the children of the component that is
// being rendered. A body gets a memory of its own. Where the page has a nonce, or children
// that the body might draw, it gets the page's, and its result is not kept.

// pageMemory is the memory of templ that a body gets.
type pageMemory struct {
	mu  sync.Mutex
	own any
}

// isPageMemory reports whether key is that of such a memory.
func isPageMemory(key any) bool {
	t := reflect.TypeOf(key)
	return t != nil && t.PkgPath() == "github.com/a-h/templ" && t.Name() == "contextKeyType"
}

// of returns what the body gets in place of the page's memory v. why is not "" if it is
// the page's own, which makes the result one that cannot be kept. Otherwise it can be, for
// pages of which that is so as well.
func (m *pageMemory) of(v any) (own any, why string) {
	if v == nil {
		return nil, "" // templ makes one
	}
	if why := whyPersonal(v); why != "" {
		return v, why
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.own == nil {
		m.own = reflect.New(reflect.TypeOf(v).Elem()).Interface()
	}
	return m.own, ""
}

// whyPersonal says what is in the page's memory v that matters to what is drawn, "" if
// nothing.
func whyPersonal(v any) string {
	if v == nil {
		return ""
	}
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() || p.Elem().Kind() != reflect.Struct {
		return "it read a context value of templ that is not understood"
	}
	nonce, children := p.Elem().FieldByName("nonce"), p.Elem().FieldByName("children")
	switch {
	case nonce.Kind() != reflect.String || children.Kind() != reflect.Pointer:
		return "it read a context value of templ that is not understood"
	case nonce.Len() > 0:
		return "the page that it is drawn for has a nonce"
	case !children.IsNil():
		return "it may have drawn the children of the component around it"
	}
	return ""
}

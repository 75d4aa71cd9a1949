package cachert

import (
	"context"
	"reflect"
	"sync"
	"sync/atomic"
)

// Some libraries keep in the context what they have done for the page so far. The body
// of a cached function must not see what belongs to the page around it: what it leaves
// out, since it is on that page already, would be missing on the next one.
//
// templ (github.com/a-h/templ) keeps which styles, scripts and once-handles a page has,
// its nonce for the content security policy, and the children of the component that is
// being rendered. A body gets a memory of its own. Where the page has a nonce, or children
// that the body might draw, it gets the page's, and its result is not kept.
//
// The page's memory belongs to the goroutine that draws the page, which goes on while a refresh
// runs, and where the caller of a computation apart has left. So it is looked at before such a
// computation begins, and one whose page is not to be shared does not run apart from its caller.

// pageMemory is the memory of templ that a body gets.
type pageMemory struct {
	mu     sync.Mutex
	own    any
	looked bool   // at the page's, of which the rest is known since
	why    string // it is not to be shared; "" if it may
	apart  bool   // it must not be touched: it may be in use elsewhere
}

// pageKey is the key of such a memory, once one has been asked for.
var pageKey atomic.Value

// unnoticed holds the goroutines that look at a page's memory on no body's behalf.
var unnoticed sync.Map // uintptr → struct{}

// lookAhead looks at the memory of the page that a computation apart is about to be made for,
// on the goroutine of its caller, as far as ctx, which it gets, may be asked for one. It reports
// whether it is not to be shared.
func lookAhead(ctx context.Context) (personal bool) {
	key := pageKey.Load()
	if key == nil {
		return false
	}
	g := goroutine()
	unnoticed.Store(g, struct{}{})
	defer unnoticed.Delete(g)
	defer func() { _ = recover() }() // of the context's; the body may not ask
	if b, ok := ctx.(*bodyCtx); ok {
		b.memory.of(b.Context.Value(key), b.cc.call)
		return b.memory.why != ""
	}
	return whyPersonal(ctx.Value(key)) != ""
}

// isPageMemory reports whether key is that of such a memory.
func isPageMemory(key any) bool {
	t := reflect.TypeOf(key)
	return t != nil && t.PkgPath() == "github.com/a-h/templ" && t.Name() == "contextKeyType"
}

// of returns what the body of c gets in place of the page's memory v. why is not "" if the
// result cannot be kept, since it may be of what is in v. Otherwise it can be, for pages of which
// that is so as well.
func (m *pageMemory) of(v any, c *call) (own any, why string) {
	if v == nil {
		return nil, "" // templ makes one
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.looked {
		m.looked = true
		if m.apart = c.leftAlone(); m.apart {
			m.why = "it asked for the page that it is drawn for when its caller had gone on with that"
		} else {
			m.why = whyPersonal(v)
		}
	}
	if m.why != "" && !m.apart {
		return v, m.why
	}
	if m.own == nil {
		m.own = reflect.New(reflect.TypeOf(v).Elem()).Interface()
	}
	return m.own, m.why
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

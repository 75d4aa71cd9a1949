package cachert

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

// What a computation asks its context for is an input of its result, as an argument is:
//
//   - A value that was there makes the result one that is handed out and not kept, unless a
//     function of hash=ctx: asked for it as well: then it is in the key.
//   - A value that was not there makes its absence a condition of the result. A hit asks its
//     own context, and goes past the entry where there is such a value.
//   - Keys that are ignored, by the directive, by IgnoreContextKey or since their packages
//     are known to carry a request through, do not count.
//
// A read goes through the contexts of all computations around it, from the inside outwards,
// and counts for each that it reaches: a value that a body puts into the context of a call
// is no input of that body. The same holds for what a hit asks of its context, and for what
// a function of hash=ctx: asks in a call: so an inner result counts for the outer one
// whether it was kept or not.

// maxConditions is how many conditions a result may have. One with more is not kept.
const maxConditions = 16

// conditions are what was true of the context that a result was computed with, and is not
// in its key. They do not change once the result is there.
type conditions struct {
	absent []any // there was no value under these keys
	// keyed are keys whose values are in the cache key: if the functions of hash=ctx:
	// ask for them. They need not, with another context whose cache key is the same.
	keyed []keyedRead
	// page is the key of templ's memory, where it had neither nonce nor children; nil: it
	// was not asked for.
	page any
	// place are those of the context that the place which is drawn to carries; nil: none.
	// Its keyed had the values of the computation's own context.
	place *conditions
}

// keyedRead is a key that the functions of hash=ctx: asked for too.
type keyedRead struct {
	key   any
	value any  // what was found, if exact
	exact bool // it is worth comparing: where the value is the same there is nothing to ask
}

func (c *conditions) empty() bool { return c.absent == nil && c.keyed == nil && c.page == nil }

// serves reports whether a call with ctx, of a function that draws in a place that carries
// the context drawsIn, may have the entry n. Both may be nil.
func (s *store) serves(ctx, drawsIn context.Context, n *node) bool {
	return n.meta == nil || n.meta.when == nil || n.meta.when.met(s, ctx, drawsIn)
}

// met reports whether the contexts meet the conditions of a result of s. It runs code of
// theirs and of the user's: no lock is held. Where that panics, the body will run into it
// too, or does not ask.
func (c *conditions) met(s *store, ctx, drawsIn context.Context) (ok bool) {
	if c == nil {
		return true
	}
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	if ctx != nil && !(c.lacks(ctx) && c.keyedIn(s, ctx)) {
		return false
	}
	if c.place == nil || drawsIn == nil {
		return true
	}
	for _, k := range c.place.keyed {
		if ctx == nil || !same(drawsIn.Value(k.key), ctx.Value(k.key)) {
			return false
		}
	}
	return c.place.lacks(drawsIn)
}

// lacks reports whether ctx has no value that must not be there.
func (c *conditions) lacks(ctx context.Context) bool {
	for _, key := range c.absent {
		if ctx.Value(key) != nil {
			return false
		}
	}
	return c.page == nil || whyPersonal(ctx.Value(c.page)) == ""
}

// keyedIn reports whether the values that must be in the key of a call with ctx are.
func (c *conditions) keyedIn(s *store, ctx context.Context) bool {
	for i, k := range c.keyed {
		if !k.exact || ctx.Value(k.key) != k.value {
			return s.front.keysAsked(ctx).all(c.keyed[i:])
		}
	}
	return true
}

// same reports whether a and b are known to be the same value.
func same(a, b any) bool {
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

// all reports whether all keys are among those asked for.
func (a *askedKeys) all(keys []keyedRead) bool {
	for _, k := range keys {
		if !a.has(k.key) {
			return false
		}
	}
	return true
}

// askedKeys gathers what the functions of hash=ctx: ask the context of a call for. It is that
// context to them.
type askedKeys struct {
	context.Context
	mu     sync.Mutex
	keys   []any
	values []any // what they got for each, when they first asked
}

// keysAsked calls the functions of hash=ctx: once more. Where one of them panics now, though
// it did not when the key was made, nothing counts as asked for.
func (f *front) keysAsked(ctx context.Context) (a *askedKeys) {
	if f.keyed == nil || ctx == nil {
		return nil
	}
	defer func() {
		if recover() != nil {
			a = nil
		}
	}()
	a = &askedKeys{Context: ctx}
	f.keyed(a)
	return a
}

func (a *askedKeys) Value(key any) any {
	v := a.Context.Value(key)
	if !known(key) && reflect.ValueOf(key).Comparable() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if !slices.Contains(a.keys, key) {
			a.keys, a.values = append(a.keys, key), append(a.values, v)
		}
	}
	return v
}

// got reports whether v is what they got for key. Of values that can change it is not asked:
// some contexts make a new one each time.
func (a *askedKeys) got(key, v any) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.Index(a.keys, key)
	if i < 0 {
		return false
	}
	had := a.values[i]
	return !settled(had) || !settled(v) || had == v
}

// settled reports whether nobody can change v.
func settled(v any) bool { return v == nil || settledType(reflect.TypeOf(v)) }

func settledType(t reflect.Type) bool {
	switch k := t.Kind(); {
	case k == reflect.String, reflect.Bool <= k && k <= reflect.Complex128, t == reflect.TypeFor[time.Time]():
		return true
	case k == reflect.Array:
		return settledType(t.Elem())
	case k == reflect.Struct:
		for i := range t.NumField() {
			if !settledType(t.Field(i).Type) {
				return false
			}
		}
		return true
	}
	return false
}

func (a *askedKeys) has(key any) bool {
	if a == nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Contains(a.keys, key)
}

// addKeyed adds a keyedRead, if it is not there. An entry keeps strings and numbers, and no
// values that may be large, or change.
func (c *conditions) addKeyed(key, value any) {
	if slices.ContainsFunc(c.keyed, func(k keyedRead) bool { return k.key == key }) {
		return
	}
	k := keyedRead{key: key, exact: value == nil}
	switch r := reflect.ValueOf(value); {
	case r.Kind() == reflect.String && r.Len() <= 256:
		k.value, k.exact = reflect.ValueOf(strings.Clone(r.String())).Convert(r.Type()).Interface(), true
	case reflect.Bool <= r.Kind() && r.Kind() <= reflect.Complex128:
		k.value, k.exact = value, true
	}
	c.keyed = append(c.keyed, k)
}

// ignoredKeys are those of IgnoreContextKey.
var ignoredKeys sync.Map // any → struct{}

// IgnoreContextKey is that of package cache.
func IgnoreContextKey(key any) {
	switch {
	case key == nil:
		panic("cachegen: IgnoreContextKey: the key is nil")
	case !reflect.ValueOf(key).Comparable():
		panic("cachegen: IgnoreContextKey: the key cannot be compared")
	}
	ignoredKeys.Store(key, struct{}{})
}

func isIgnored(key any) bool {
	_, ok := ignoredKeys.Load(key)
	return ok
}

// ignores reports whether the directive says that key does not matter.
func (f *front) ignores(key any) bool { return f.unread != nil && f.unread(key) }

// logRead says what to do about the context value of key, for which a result is not kept.
func (s *store) logRead(key any) {
	one := "ctx=ignore:Key"
	if t := reflect.TypeOf(key); t.Name() != "" && t.PkgPath() != "" {
		if strings.HasPrefix(s.o.Func, t.PkgPath()+".") {
			one = "ctx=ignore:" + t.Name()
		} else {
			one = "ctx=ignore:" + t.String()
		}
	}
	s.log(logContext, "its result is not kept, since the computation read the context value of key %#v (%T): it may be another's for every caller. "+
		"If it matters, make it part of the key with hash=ctx:Func; if not, say so in the directive, of this key with %s or of all with ctx=ignore, "+
		"or at start-up for all functions with cache.IgnoreContextKey", key, key, one)
}

// personal is what made results of a function personal lately: of use to those alone for
// whom they were computed. Calls of whom that is to be expected neither wait for a
// computation nor are waited for. A result that is for all after all ends that.
type personal struct {
	keys  []any    // there were values under these keys
	drawn []uint64 // hashes of the entries whose drawings were
	other bool     // there was another reason, or there were too many
}

// How many keys and how many entries are remembered.
const (
	maxPersonal      = 8
	maxPersonalDrawn = 64
)

// wasPersonal notes that a result was for its caller alone, since it read the context value
// of key, or for another reason if that is nil.
func (s *store) wasPersonal(key any) {
	s.notePersonal(func(p *personal) bool {
		switch {
		case key == nil || !reflect.ValueOf(key).Comparable() || len(p.keys) == maxPersonal:
			p.other = true
		case slices.Contains(p.keys, key):
			return false
		default:
			p.keys = append(slices.Clip(p.keys), key)
		}
		return true
	})
}

// drewPersonal notes that what was drawn for the entry of that hash was for its caller alone.
func (s *store) drewPersonal(hash uint64) {
	s.notePersonal(func(p *personal) bool {
		switch {
		case slices.Contains(p.drawn, hash):
			return false
		case len(p.drawn) == maxPersonalDrawn:
			p.drawn, p.other = nil, true
		default:
			p.drawn = append(slices.Clip(p.drawn), hash)
		}
		return true
	})
}

// notePersonal changes what is remembered by add, which reports whether there was something to
// change, unless all results are expected to be personal already.
func (s *store) notePersonal(add func(*personal) bool) {
	for {
		old := s.personal.Load()
		p := &personal{}
		if old != nil {
			*p = *old
		}
		if p.other || !add(p) || s.personal.CompareAndSwap(old, p) {
			return
		}
	}
}

// wasForAll notes that the result at the entry of that hash, which was expected to be for its
// caller alone, was for all. What was drawn for other entries says nothing of this one, and
// stays.
func (s *store) wasForAll(hash uint64) {
	for {
		old := s.personal.Load()
		if old == nil {
			return
		}
		var p *personal
		if others := slices.DeleteFunc(slices.Clone(old.drawn), func(h uint64) bool { return h == hash }); len(others) > 0 {
			p = &personal{drawn: others}
		}
		if s.personal.CompareAndSwap(old, p) {
			return
		}
	}
}

// expectsPersonal reports whether the result of the call, at the entry of that hash, is likely
// to be for its caller alone.
func (s *store) expectsPersonal(c *caller, hash uint64) (yes bool) {
	p := s.personal.Load()
	if p == nil || p.other {
		return p != nil
	}
	if slices.Contains(p.drawn, hash) {
		return true
	}
	ctx := c.ctx
	if ctx == nil {
		ctx = c.drawsIn
	}
	defer func() { _ = recover() }() // of the context's
	for _, key := range p.keys {
		if ctx != nil && glance(ctx, key) != nil {
			return true
		}
	}
	return false
}

// glance returns the value that ctx has under key as far as it is known without a read that
// counts: not one that a computation has put there itself.
func glance(ctx context.Context, key any) any {
	if cc := callOf(ctx); cc != nil && cc.frame != nil {
		return ctx.Value(glanceKey{key})
	}
	return ctx.Value(key)
}

// glanceKey is what glance asks the context of a computation for.
type glanceKey struct{ of any }

// logStrayed says what to do about the context value of key, which a computation that went
// on without its caller may have seen change.
func (s *store) logStrayed(key any) {
	s.log(logStrayed, "a result is not kept, since the computation went on without its caller, and the context value of key %#v (%T), which is in the cache key, "+
		"was another by then or may have been: frameworks use their contexts again for the next request. "+
		"Put a string or a number into the context, and not a pointer; or say detach=off, and no stale=", key, key)
}

package cachert

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"unsafe"
)

// A Site is the cache of one function (of one instance of a generic function). All
// its methods may be called from any goroutine.
//
// It is a store and nothing else, with methods that know the types and do little: each is
// compiled anew for each function.
type Site[K comparable, V any] struct {
	store store // not embedded: spares each instance its methods
}

// New makes the cache of one function. ops is any type; New looks for these methods, each
// optional. A v is a *V, and a k is a *K:
//
//	Copy(to, from any) error   makes *to a caller's own copy of *from; without it the value is shared. An error: it cannot be copied, and is not kept
//	Size(v any, z *value.Sizer) int64 bytes that the value refers to, for Options.MaxBytes; z is new
//	TTL(v any) time.Duration   how long this value is fresh, instead of Options.TTL; not above 0: not at all
//	Keep(v any) bool           false: hand it out, do not keep it
//	KeepError(error) bool      whether an error is kept for Options.ErrorTTL; without it every error is
//	Release(v any)             called once for each value that left
//	Ident(v any) any           identity of a resource; of no use where it cannot be compared
//	Tags(k any) []string       tags made from the key, in addition to Call.Tags; Prime has no others
//	Session(k any) string      the session in the key, for Options.Session; without it the context's. Prime needs it
//	Keyed(ctx context.Context) calls the functions of hash=ctx:, whose results are in the key: what they ask ctx for may be read
//	Ignores(key any) bool      whether the context values of key do not matter; key can be compared
//
// They are methods, and not functions in a struct, so that a package variable that holds a
// Site does not depend on what they call, which may be the cached function. Generated code
// declares them on the type of its keys. Version 2 has a Size(v any) int64, which counts the
// value itself as well.
//
// New panics with a message where the options are impossible.
func New[K comparable, V any](ops any, opts Options) *Site[K, V] {
	return (*Site[K, V])(unsafe.Pointer(newSite((*entry[K, V])(nil), equalKeys[K], ops, &opts)))
}

// newSite is New; of is a pointer to the type of entries.
func newSite(of any, equal func(a, b *node) bool, o any, opts *Options) *store {
	f := frontOf(reflect.TypeOf(of).Elem(), equal, opsOf(o))
	f.bytes = opts.Layout.Sizing(f.bytes, f.v)
	return makeSite(f, *opts)
}

func makeSite(f front, opts Options) *store {
	if err := opts.check(); err != nil {
		panic(err)
	}
	switch {
	case opts.Stale > 0 && opts.TTL == 0 && f.ttl == nil:
		panic(fmt.Errorf("cachegen: %s (%s): stale without a ttl", opts.Func, opts.Site))
	case opts.MaxBytes > 0 && f.bytes == nil:
		panic(fmt.Errorf("cachegen: %s (%s): a bound on bytes without a Size", opts.Func, opts.Site))
	}
	return newStore(f, opts)
}

// Sites holds the sites of a generic function, one for each instance. The zero value
// is ready.
type Sites struct {
	m      sync.Map // reflect.Type of a pointer to the entry → *store or *drawn
	making sync.Mutex
}

// Instance returns the site in s for the instance with key K and result V, and makes
// it on first use. Instances whose K and V are the same types share a site: generated
// code declares key types that mention every type parameter.
func Instance[K comparable, V any](s *Sites, ops any, o func() Options) *Site[K, V] {
	of := any((*entry[K, V])(nil))
	t := reflect.TypeOf(of)
	v, ok := s.m.Load(t)
	if !ok {
		v = s.instance(t, func() any {
			opts := o()
			return newSite(of, equalKeys[K], ops, &opts)
		})
	}
	return (*Site[K, V])(unsafe.Pointer(v.(*store)))
}

// instance returns what s holds for t, and makes it if need be.
func (s *Sites) instance(t reflect.Type, make func() any) any {
	s.making.Lock()
	defer s.making.Unlock()
	v, ok := s.m.Load(t)
	if !ok {
		v = make()
		s.m.Store(t, v)
	}
	return v
}

// Get returns the fresh value of k, whose hash is h, and nil where there is none. What it
// points to is shared and must not be changed.
func (s *Site[K, V]) Get(h uint64, k *K) *V {
	n := get(&s.store, h, k)
	if n == nil {
		return nil
	}
	return &(*entry[K, V])(unsafe.Pointer(n)).val
}

// GetCtx is Get for a function that takes a context: it returns nil under Bypass, and
// makes the value count for a computation that ctx belongs to, as well as for the one that it
// is called in.
func (s *Site[K, V]) GetCtx(ctx context.Context, h uint64, k *K) *V {
	n := getCtx(ctx, &s.store, h, k)
	if n == nil {
		return nil
	}
	return &(*entry[K, V])(unsafe.Pointer(n)).val
}

// get is Get for any V, compiled once for each shape of key.
func get[K comparable](st *store, h uint64, k *K) *node {
	for t := st.table.Load(); t != nil; t = t.newer.Load() {
		for n := t.head(h).Load(); n != nil; n = n.next.Load() {
			if n.hash == h && *(*K)(keyIn(n)) == *k {
				if !n.fresh() || computing.Load() && !st.inside(nil, n) {
					return nil
				}
				n.use()
				st.hits.hit()
				return n
			}
		}
	}
	return nil
}

// getCtx is GetCtx for any V.
func getCtx[K comparable](ctx context.Context, st *store, h uint64, k *K) *node {
	for t := st.table.Load(); t != nil; t = t.newer.Load() {
		for n := t.head(h).Load(); n != nil; n = n.next.Load() {
			if n.hash == h && *(*K)(keyIn(n)) == *k {
				if !n.fresh() {
					return nil
				}
				if !st.serves(ctx, nil, n) {
					return nil
				}
				if cc := callOf(ctx); (cc != nil || computing.Load()) && !st.inside(cc, n) {
					return nil
				}
				n.use()
				st.hits.hit()
				return n
			}
		}
	}
	return nil
}

// None is the key of a function that takes nothing that counts, and the value of one that
// has no results. The hash of such a key is 0.
type None struct{}

// Must returns v, or panics with err. It stands around Do and Refresh of a function that has
// no error result: their error is then a *CycleError.
func Must[V any](v V, err error) V {
	if err != nil {
		panic(err)
	}
	return v
}

// newNode returns a new entry of k, compiled once for each shape of key.
func newNode[K comparable](st *store, h uint64, k K) *node {
	n := st.front.blank()
	n.hash, *(*K)(keyIn(n)) = h, k
	return n
}

// Do returns the value of k, computing it where it is not there. The caller owns what
// it gets; the cache owns c, and keeps none of the memory of the strings in k.
//
// An error is that of the computation, ctx's if the caller's context ended first, or a
// *CycleError. A panic of the computation goes to its owner and to all who wait for it.
func (s *Site[K, V]) Do(h uint64, k K, c *Call) (V, error) {
	n, err := s.store.load(s.store.front.owned(newNode(&s.store, h, k)), c)
	return (*entry[K, V])(unsafe.Pointer(n)).val, err
}

// Refresh is Do for a caller who wants nothing that was computed before the call. What
// is kept stays until the new result is there, and if there is none, longer.
func (s *Site[K, V]) Refresh(h uint64, k K, c *Call) (V, error) {
	n, err := s.store.refresh(s.store.front.owned(newNode(&s.store, h, k)), c)
	return (*entry[K, V])(unsafe.Pointer(n)).val, err
}

// Acquire is Do for a resource that has a release: the value is not released before
// the returned function has been called. Calling it again has no effect. It is never nil.
func (s *Site[K, V]) Acquire(h uint64, k K, c *Call) (V, func(), error) {
	n, done, err := s.store.acquire(s.store.front.owned(newNode(&s.store, h, k)), c)
	return (*entry[K, V])(unsafe.Pointer(n)).val, done, err
}

// Forget drops the value of k. A computation of it that is running gives its result to
// those who wait for it by now; it is not kept, and no later call gets it.
func (s *Site[K, V]) Forget(h uint64, k K) { s.store.forget(newNode(&s.store, h, k), nil, false) }

// Peek returns a copy of the fresh value of k, if there is one, as for a context without
// values. It counts as no use.
func (s *Site[K, V]) Peek(h uint64, k K) (v V, ok bool) {
	n := s.store.peek(newNode(&s.store, h, k))
	if n == nil {
		return v, false
	}
	return (*entry[K, V])(unsafe.Pointer(s.store.front.own(found{n: n}))).val, true
}

// Prime stores a copy of v as the value of k, for all contexts. For everything else it is
// Forget: no result of a computation that is running takes its place. A value that has a
// release is the cache's from then on, also where it cannot be kept.
func (s *Site[K, V]) Prime(h uint64, k K, v V) {
	n := s.store.front.owned(newNode(&s.store, h, k))
	(*entry[K, V])(unsafe.Pointer(n)).val = v
	s.store.prime(n)
}

// Clear drops every value of the site, with the effect of Forget on each key.
func (s *Site[K, V]) Clear() { s.store.clear() }

// Stats returns what the site has counted.
func (s *Site[K, V]) Stats() Stats { return s.store.snapshot() }

// PeekError returns what s keeps for k of a function whose only result is an error: an error,
// or nil where none was found. It counts as no use. It is no method, for every site would
// have one of its own.
func PeekError[K comparable, V any](s *Site[K, V], h uint64, k K) (err error, ok bool) {
	return s.store.peekError(newNode(&s.store, h, k))
}

package cache

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"sync"
	"time"
	"unsafe"
)

// A Site is the cache of one function (of one instance of a generic function). All
// its methods may be called from any goroutine.
//
// It is a thin front that knows the types; store, behind it, does the work.
type Site[K comparable, V any] struct {
	store *store
	ops   ops[K, V]
	// onLeft, where it is set, is called without locks for each entry that has left.
	onLeft func(*K, *V)
}

// entry is what a Site keeps. Once it is in the store it does not change. The node comes
// first: a pointer to it is one to the entry.
type entry[K comparable, V any] struct {
	node
	_   [0]func() // not compared: spares each instance the code for it
	key K
	val V
}

func entryOf[K comparable, V any](n *node) *entry[K, V] {
	return (*entry[K, V])(unsafe.Pointer(n))
}

// ops are the methods that New found.
type ops[K comparable, V any] struct {
	_         [0]func() // not compared, as in entry
	copy      interface{ Copy(*V) V }
	size      interface{ Size(*V) int64 }
	ttl       interface{ TTL(*V) time.Duration }
	keep      interface{ Keep(*V) bool }
	keepError interface{ KeepError(error) bool }
	release   interface{ Release(*V) }
	ident     interface{ Ident(*V) any }
	tags      interface{ Tags(*K) []string }
	session   interface{ Session(*K) string }
}

// New makes the cache of one function. ops is any type; New looks for these methods,
// each optional, and calls them through an interface only:
//
//	Copy(*V) V               a caller's own copy; without it the value is shared
//	Size(*V) int64           bytes of the value, for Options.MaxBytes
//	TTL(*V) time.Duration    how long this value is fresh, instead of Options.TTL; not above 0: not at all
//	Keep(*V) bool            false: hand it out, do not keep it
//	KeepError(error) bool    whether an error is kept for Options.ErrorTTL; without it every error is
//	Release(*V)              called once for each value that left
//	Ident(*V) any            identity of a resource; of no use where it cannot be compared
//	Tags(*K) []string        tags made from the key, in addition to Call.Tags; Prime has no others
//	Session(*K) string       the session in the key, for Options.Session; without it the context's. Prime needs it
//
// New panics with a message where the options are impossible.
func New[K comparable, V any](o any, opts Options) *Site[K, V] {
	if err := opts.check(); err != nil {
		panic(err)
	}
	s := &Site[K, V]{}
	s.ops.copy, _ = o.(interface{ Copy(*V) V })
	s.ops.size, _ = o.(interface{ Size(*V) int64 })
	s.ops.ttl, _ = o.(interface{ TTL(*V) time.Duration })
	s.ops.keep, _ = o.(interface{ Keep(*V) bool })
	s.ops.keepError, _ = o.(interface{ KeepError(error) bool })
	s.ops.release, _ = o.(interface{ Release(*V) })
	s.ops.ident, _ = o.(interface{ Ident(*V) any })
	s.ops.tags, _ = o.(interface{ Tags(*K) []string })
	s.ops.session, _ = o.(interface{ Session(*K) string })
	switch {
	case opts.Stale > 0 && opts.TTL == 0 && s.ops.ttl == nil:
		panic(fmt.Errorf("cachegen: %s (%s): stale without a ttl", opts.Func, opts.Site))
	case opts.MaxBytes > 0 && s.ops.size == nil:
		panic(fmt.Errorf("cachegen: %s (%s): a bound on bytes without a Size", opts.Func, opts.Site))
	}
	s.store = newStore(s, opts)
	return s
}

// Sites holds the sites of a generic function, one for each instance. The zero value
// is ready.
type Sites struct {
	m      sync.Map // reflect.Type → *Site
	making sync.Mutex
}

// Instance returns the site in s for the instance with key K and result V, and makes
// it on first use. Instances whose K and V are the same types share a site: generated
// code declares key types that mention every type parameter.
func Instance[K comparable, V any](s *Sites, ops any, o func() Options) *Site[K, V] {
	t := reflect.TypeFor[Site[K, V]]()
	if v, ok := s.m.Load(t); ok {
		return v.(*Site[K, V])
	}
	s.making.Lock()
	defer s.making.Unlock()
	if v, ok := s.m.Load(t); ok {
		return v.(*Site[K, V])
	}
	site := New[K, V](ops, o())
	s.m.Store(t, site)
	return site
}

// Get returns the fresh value of k, whose hash is h, and nil where there is none. What it
// points to is shared and must not be changed.
func (s *Site[K, V]) Get(h uint64, k *K) *V {
	st := s.store
	for n := st.table.Load().head(h).Load(); n != nil; n = n.next.Load() {
		if e := entryOf[K, V](n); n.hash == h && e.key == *k {
			if !n.fresh() {
				return nil
			}
			n.use()
			st.hits.hit()
			return &e.val
		}
	}
	return nil
}

// GetCtx is Get for a function that takes a context: it returns nil under Bypass, and
// makes the value count for a computation that ctx belongs to.
func (s *Site[K, V]) GetCtx(ctx context.Context, h uint64, k *K) *V {
	st := s.store
	for n := st.table.Load().head(h).Load(); n != nil; n = n.next.Load() {
		if e := entryOf[K, V](n); n.hash == h && e.key == *k {
			if !n.fresh() {
				return nil
			}
			if cc := callOf(ctx); cc != nil && !st.inside(cc, n) {
				return nil
			}
			n.use()
			st.hits.hit()
			return &e.val
		}
	}
	return nil
}

// Do returns the value of k, computing it where it is not there. The caller owns what
// it gets.
//
// An error is that of the computation, ctx's if the caller's context ended first, or a
// *CycleError. A panic of the computation goes to its owner and to all who wait for it.
func (s *Site[K, V]) Do(h uint64, k K, c Call[V]) (V, error) {
	r := s.do(h, k, newCaller(c.Ctx), &c)
	return s.give(r), r.err
}

// Refresh is Do for a caller who wants nothing that was computed before the call. What
// is kept stays until the new result is there, and if there is none, longer.
func (s *Site[K, V]) Refresh(h uint64, k K, c Call[V]) (V, error) {
	caller := newCaller(c.Ctx)
	caller.refresh = true
	caller.arrival = events.Add(1)
	c.Validate = nil
	r := s.do(h, k, caller, &c)
	return s.give(r), r.err
}

// Acquire is Do for a resource that has a release: the value is not released before
// the returned function has been called. Calling it again has no effect. It is never nil.
func (s *Site[K, V]) Acquire(h uint64, k K, c Call[V]) (V, func(), error) {
	caller := newCaller(c.Ctx)
	caller.lease = true
	r := s.do(h, k, caller, &c)
	v := s.give(r)
	if r.n == nil || r.err != nil {
		return v, func() {}, r.err
	}
	var once sync.Once
	return v, func() {
		once.Do(func() {
			if r.n.meta != nil && r.n.meta.hold != nil {
				s.store.unlease(r.n)
			} else if s.ops.release != nil {
				s.ops.release.Release(&v) // it came past the cache and is the caller's
			}
		})
	}, nil
}

// do forgets the types.
func (s *Site[K, V]) do(h uint64, k K, caller *caller, c *Call[V]) found {
	caller.tags, caller.owner = c.Tags, c.Owner
	run := c.Run
	e := &erased{
		run: func(ctx context.Context, n *node) (err error) {
			entryOf[K, V](n).val, err = run(ctx)
			return err
		},
		uncached: c.Uncached,
	}
	if validate := c.Validate; validate != nil {
		e.validate = func(ctx context.Context, n *node) (bool, error) {
			return validate(ctx, &entryOf[K, V](n).val)
		}
	}
	n := &entry[K, V]{key: k}
	n.hash = h
	return s.store.do(&n.node, caller, e)
}

// give returns the caller's own value of what was found.
func (s *Site[K, V]) give(r found) (v V) {
	if r.n == nil {
		return v
	}
	e := entryOf[K, V](r.n)
	if s.ops.copy == nil || r.alone {
		return e.val
	}
	return s.ops.copy.Copy(&e.val)
}

// Forget drops the value of k. A computation of it that is running gives its result to
// those who wait for it by now; it is not kept, and no later call gets it.
func (s *Site[K, V]) Forget(h uint64, k K) {
	n := &entry[K, V]{key: k}
	n.hash = h
	s.store.forget(&n.node, nil, false)
}

// Peek returns a copy of the fresh value of k, if there is one. It counts as no use.
func (s *Site[K, V]) Peek(h uint64, k K) (v V, ok bool) {
	n := &entry[K, V]{key: k}
	n.hash = h
	m := s.store.peek(&n.node)
	if m == nil {
		return v, false
	}
	return s.give(found{n: m}), true
}

// Prime stores a copy of v as the value of k. For everything else it is Forget: no
// result of a computation that is running takes its place. A value that has a release is
// the cache's from then on, also where it cannot be kept.
func (s *Site[K, V]) Prime(h uint64, k K, v V) {
	n := &entry[K, V]{key: k, val: v}
	n.hash = h
	if s.ops.copy != nil {
		n.val = s.ops.copy.Copy(&v)
	}
	s.store.prime(&n.node)
}

// Clear drops every value of the site, with the effect of Forget on each key.
func (s *Site[K, V]) Clear() { s.store.clear() }

// Stats returns what the site has counted.
func (s *Site[K, V]) Stats() Stats { return s.store.snapshot() }

// What follows makes Site a front.

func (s *Site[K, V]) equal(a, b *node) bool {
	return entryOf[K, V](a).key == entryOf[K, V](b).key
}

func (s *Site[K, V]) again(n *node) *node {
	e := &entry[K, V]{key: entryOf[K, V](n).key}
	e.hash = n.hash
	return &e.node
}

func (s *Site[K, V]) apart(n *node) *node {
	if s.ops.copy == nil {
		return nil
	}
	e := entryOf[K, V](n)
	original := &entry[K, V]{key: e.key, val: e.val}
	original.hash = n.hash
	e.val = s.ops.copy.Copy(&original.val)
	return &original.node
}

func (s *Site[K, V]) size(n *node) int64 {
	size := int64(unsafe.Sizeof(entry[K, V]{}))
	if s.ops.size != nil {
		size += min(max(s.ops.size.Size(&entryOf[K, V](n).val), 0), math.MaxInt64-size)
	}
	return size
}

func (s *Site[K, V]) lifetime(n *node) time.Duration {
	if s.ops.ttl == nil {
		return time.Duration(s.store.ttl.Load())
	}
	if ttl := s.ops.ttl.TTL(&entryOf[K, V](n).val); ttl > 0 {
		return ttl
	}
	return -1
}

func (s *Site[K, V]) keep(n *node) bool {
	return s.ops.keep == nil || s.ops.keep.Keep(&entryOf[K, V](n).val)
}

func (s *Site[K, V]) keepError(err error) bool {
	return s.ops.keepError == nil || s.ops.keepError.KeepError(err)
}

func (s *Site[K, V]) releases() bool { return s.ops.release != nil }

func (s *Site[K, V]) release(n *node) { s.ops.release.Release(&entryOf[K, V](n).val) }

func (s *Site[K, V]) ident(n *node) (any, bool) {
	if s.ops.ident == nil {
		return nil, false
	}
	id := s.ops.ident.Ident(&entryOf[K, V](n).val)
	return id, reflect.ValueOf(id).Comparable()
}

func (s *Site[K, V]) tags(n *node) []string {
	if s.ops.tags == nil {
		return nil
	}
	return s.ops.tags.Tags(&entryOf[K, V](n).key)
}

func (s *Site[K, V]) session(n *node) (string, bool) {
	if s.ops.session == nil {
		return "", false
	}
	return s.ops.session.Session(&entryOf[K, V](n).key), true
}

func (s *Site[K, V]) leaves() bool { return s.onLeft != nil }

func (s *Site[K, V]) left(n *node) {
	e := entryOf[K, V](n)
	s.onLeft(&e.key, &e.val)
}

package cache

import (
	"context"
	"reflect"
	"sync"
	"time"
)

// A Site is the cache of one function (of one instance of a generic function). All
// its methods may be called from any goroutine.
type Site[K comparable, V any] struct {
	o      Options
	copier interface{ Copy(*V) V }

	mu      sync.Mutex
	entries map[K]*simpleEntry[V]
}

type simpleEntry[V any] struct {
	v       V
	expires time.Time
}

// New makes the cache of one function. ops is any type; New looks for these methods,
// each optional, and calls them through an interface only:
//
//	Copy(*V) V               a caller's own copy; none: the value is shared
//	Size(*V) int64           bytes, for Options.MaxBytes
//	TTL(*V) time.Duration    how long this value is fresh, instead of Options.TTL
//	Keep(*V) bool            false: hand it out, do not keep it
//	KeepError(error) bool    whether an error is kept for Options.ErrorTTL; none: every error
//	Release(*V)              called once for each value that left
//	Ident(*V) any            comparable identity of a resource
//	Tags(*K) []string        tags made from the key, in addition to Call.Tags; Prime needs it
//	Session(*K) string       the session that the key holds; Prime needs it
//
// New panics with a message where the options are impossible.
func New[K comparable, V any](ops any, o Options) *Site[K, V] {
	if err := o.check(); err != nil {
		panic(err)
	}
	s := &Site[K, V]{o: o, entries: map[K]*simpleEntry[V]{}}
	s.copier, _ = ops.(interface{ Copy(*V) V })
	return s
}

// Sites holds the sites of a generic function, one for each instance. The zero value
// is ready.
type Sites struct{ m sync.Map }

// Instance returns the site in s for the instance with key K and result V, and makes
// it on first use. Instances whose K and V are the same types share a site: generated
// code declares key types that mention every type parameter.
func Instance[K comparable, V any](s *Sites, ops any, o func() Options) *Site[K, V] {
	t := reflect.TypeFor[Site[K, V]]()
	if v, ok := s.m.Load(t); ok {
		return v.(*Site[K, V])
	}
	v, _ := s.m.LoadOrStore(t, New[K, V](ops, o()))
	return v.(*Site[K, V])
}

func (s *Site[K, V]) copyOf(v *V) V {
	if s.copier != nil {
		return s.copier.Copy(v)
	}
	return *v
}

// Get returns the fresh value of k, nil where there is none. What it points to is
// shared and must not be changed.
func (s *Site[K, V]) Get(h uint64, k *K) *V {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[*k]
	if e == nil || !e.expires.IsZero() && !time.Now().Before(e.expires) {
		return nil
	}
	return &e.v
}

// GetCtx is Get for a function that takes a context: it returns nil under Bypass, and
// lets the value count for an enclosing computation that ctx belongs to.
func (s *Site[K, V]) GetCtx(ctx context.Context, h uint64, k *K) *V { return s.Get(h, k) }

// Do returns the value of k, computing it where it is not there. The caller owns what
// it gets.
func (s *Site[K, V]) Do(h uint64, k K, c Call[V]) (V, error) {
	if v := s.Get(h, &k); v != nil && c.Uncached == nil {
		return s.copyOf(v), nil
	}
	return s.Refresh(h, k, c)
}

// Refresh computes the value of k and keeps it, whether or not there is one.
func (s *Site[K, V]) Refresh(h uint64, k K, c Call[V]) (V, error) {
	v, err := c.Run(c.Ctx)
	if err == nil && c.Uncached == nil {
		s.Prime(h, k, v)
	}
	return v, err
}

// Acquire is Do for a resource that has a release: the value is not released before
// the returned function has been called. Calling it again has no effect.
func (s *Site[K, V]) Acquire(h uint64, k K, c Call[V]) (V, func(), error) {
	v, err := s.Do(h, k, c)
	return v, func() {}, err
}

// Forget drops the value of k.
func (s *Site[K, V]) Forget(h uint64, k K) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.entries, k)
}

// Peek returns a copy of the fresh value of k, if there is one. It counts as no use.
func (s *Site[K, V]) Peek(h uint64, k K) (v V, ok bool) {
	if p := s.Get(h, &k); p != nil {
		return s.copyOf(p), true
	}
	return v, false
}

// Prime stores a copy of v as the value of k.
func (s *Site[K, V]) Prime(h uint64, k K, v V) {
	e := &simpleEntry[V]{v: s.copyOf(&v)}
	if s.o.TTL > 0 {
		e.expires = time.Now().Add(s.o.TTL)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries[k] = e
}

// Clear drops every value of the site.
func (s *Site[K, V]) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.entries)
}

// Stats returns what the site has counted.
func (s *Site[K, V]) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Func: s.o.Func, Site: s.o.Site, Entries: len(s.entries)}
}

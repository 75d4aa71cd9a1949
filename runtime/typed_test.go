package cachert

import (
	"context"
	"reflect"
	"time"
	"unsafe"
)

// typedSite is a Site whose calls and ops name their types, as is convenient by hand.
type typedSite[K comparable, V any] struct {
	*Site[K, V]
	store *store
}

// typedCall is a Call for results of type V.
type typedCall[V any] struct {
	Ctx      context.Context
	Tags     []string
	Run      func(context.Context) (V, error)
	Validate func(context.Context, *V) (bool, error)
	Uncached error
	Owner    *Owner
	Lent     []Argument
}

func (c typedCall[V]) untyped() *Call {
	u := &Call{Ctx: c.Ctx, Tags: c.Tags, Uncached: c.Uncached, Owner: c.Owner, Arguments: c.Lent}
	u.Run = func(ctx context.Context, v any) (err error) {
		*v.(*V), err = c.Run(ctx)
		return err
	}
	if c.Validate != nil {
		u.Validate = func(ctx context.Context, v any) (bool, error) { return c.Validate(ctx, v.(*V)) }
	}
	return u
}

func newTyped[K comparable, V any](o any, opts Options) *typedSite[K, V] {
	if opts.ErrorResult == ErrorUnknown {
		opts.ErrorResult = HasError
	}
	st := makeSite(frontOf(reflect.TypeFor[entry[K, V]](), equalKeys[K], typedOps[K, V](o)), opts)
	return &typedSite[K, V]{(*Site[K, V])(unsafe.Pointer(st)), st}
}

// typedOps finds the methods of o, which are those of New with types.
func typedOps[K comparable, V any](o any) (found ops) {
	if o, ok := o.(interface{ Copy(*V) V }); ok {
		found.copy = func(to, from any) error {
			*to.(*V) = o.Copy(from.(*V))
			return nil
		}
	}
	if o, ok := o.(interface{ TryCopy(*V) (V, error) }); ok {
		found.copy = func(to, from any) (err error) {
			*to.(*V), err = o.TryCopy(from.(*V))
			return err
		}
	}
	if o, ok := o.(interface{ Size(*V) int64 }); ok {
		found.bytes = func(v any) int64 { return o.Size(v.(*V)) }
	}
	if o, ok := o.(interface{ TTL(*V) time.Duration }); ok {
		found.ttl = func(v any) time.Duration { return o.TTL(v.(*V)) }
	}
	if o, ok := o.(interface{ Keep(*V) bool }); ok {
		found.keepValue = func(v any) bool { return o.Keep(v.(*V)) }
	}
	if o, ok := o.(interface{ KeepError(error) bool }); ok {
		found.keepErr = o.KeepError
	}
	if o, ok := o.(interface{ Release(*V) }); ok {
		found.let = func(v any) { o.Release(v.(*V)) }
	}
	if o, ok := o.(interface{ Ident(*V) any }); ok {
		found.identity = func(v any) any { return o.Ident(v.(*V)) }
	}
	if o, ok := o.(interface{ Tags(*K) []string }); ok {
		found.tagsOf = func(k any) []string { return o.Tags(k.(*K)) }
	}
	if o, ok := o.(interface{ Session(*K) string }); ok {
		found.sessionOf = func(k any) string { return o.Session(k.(*K)) }
	}
	if o, ok := o.(interface{ Keyed(context.Context) }); ok {
		found.keyed = o.Keyed
	}
	if o, ok := o.(interface{ Ignores(any) bool }); ok {
		found.unread = o.Ignores
	}
	return found
}

func (s *typedSite[K, V]) Do(h uint64, k K, c typedCall[V]) (V, error) {
	return s.Site.Do(h, k, c.untyped())
}

func (s *typedSite[K, V]) Refresh(h uint64, k K, c typedCall[V]) (V, error) {
	return s.Site.Refresh(h, k, c.untyped())
}

func (s *typedSite[K, V]) Acquire(h uint64, k K, c typedCall[V]) (V, func(), error) {
	return s.Site.Acquire(h, k, c.untyped())
}

package cachert

import (
	"context"
	"errors"
	"runtime"
	"weak"
)

// ErrNoSession is the reason why a function with scope=session is computed without the
// cache: its context belongs to no session.
var ErrNoSession = errors.New("cachegen: no session in the context; put one there with cache.WithSession")

// WithSession returns a context that belongs to the session id. Functions with
// scope=session keep their results for each session apart.
func WithSession(ctx context.Context, id string) context.Context {
	return with(ctx, func(cc *callCtx) { cc.session, cc.scoped = id, true })
}

// SessionOf returns the session that ctx belongs to. Inside of a cached computation the
// result then belongs to that session too: it is kept only by a function with
// scope=session. Where there is no session the result is not kept: with one, the answer
// might be another.
func SessionOf(ctx context.Context) (id string, ok bool) {
	cc := callOf(ctx)
	if cc == nil {
		return "", false
	}
	u := usersOf(current(), cc)
	if !cc.scoped {
		u.each(func(fr *frame) { fr.personal("it asked for its session, and there is none") })
		return "", false
	}
	u.each(func(fr *frame) { fr.sawSession(cc.session) })
	return cc.session, true
}

// sessionIn returns the session that the labels name, if they do.
func sessionIn(labels []label) (id string, ok bool) {
	for _, l := range labels {
		if l.kind == sessionLabel {
			id, ok = l.name, true
		}
	}
	return id, ok
}

// EndSession drops every result that belongs to the session id. A computation of that
// session that is running gives its result to those who wait for it by now, and it is
// not kept.
func EndSession(ctx context.Context, id string) {
	invalidate([]label{{kind: sessionLabel, name: id}})
}

// Bypass returns a context under which cached functions are computed without the cache:
// nothing is looked up, nothing kept, nobody waited for. Of a function whose results
// have a release, the caller owns what it gets.
func Bypass(ctx context.Context) context.Context {
	return with(ctx, func(cc *callCtx) { cc.bypass = true })
}

// Owner stands for the instance whose method is cached with recv=identity: the entries
// go when the garbage collector finds that the instance has gone.
type Owner struct {
	ref    any
	attach func(drop func())
}

// OwnerOf returns the owner that p points to. It does not keep it alive; the key of such
// a method holds a weak.Pointer for the same reason.
func OwnerOf[T any](p *T) *Owner {
	if p == nil {
		return nil
	}
	return &Owner{
		ref:    weak.Make(p),
		attach: func(drop func()) { runtime.AddCleanup(p, func(drop func()) { drop() }, drop) },
	}
}

// own makes the entries of o go with it.
func (s *store) own(o *Owner) {
	s.mu.Lock()
	_, known := s.owned[o.ref]
	if !known {
		if s.owned == nil {
			s.owned = map[any]struct{}{}
		}
		s.owned[o.ref] = struct{}{}
	}
	s.mu.Unlock()
	if known {
		return
	}
	ref := o.ref
	o.attach(func() {
		var gone []*node
		s.mu.Lock()
		delete(s.owned, ref)
		for !s.removeLabelled(&gone, label{kind: ownerLabel, ref: ref}) {
			s.mu.Unlock()
			s.left(gone)
			gone = gone[:0]
			s.mu.Lock()
		}
		s.fit()
		s.mu.Unlock()
		s.left(gone)
	})
}

package cachert

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"sync/atomic"
	"time"
)

// switchedOff is set by CACHEGEN=off in the environment: every call goes straight through.
var switchedOff = os.Getenv("CACHEGEN") == "off"

// Override says what Configure changes. A field that is 0 leaves what the directive says.
type Override struct {
	TTL      time.Duration
	Stale    time.Duration
	Max      int
	MaxBytes int64
}

// ErrUnknown is the error of Configure for a name that no cached function and no tag has.
var ErrUnknown = errors.New("no cached function and no tag of that name is linked in so far")

// overrides are those of Configure, in their order, without what later ones of the same name
// have replaced. stores' lock guards them.
var overrides []override

type override struct {
	name string
	Override
}

// without returns o without what later changes too.
func (o Override) without(later Override) Override {
	if later.TTL > 0 {
		o.TTL = 0
	}
	if later.Stale > 0 {
		o.Stale = 0
	}
	if later.Max > 0 {
		o.Max = 0
	}
	if later.MaxBytes > 0 {
		o.MaxBytes = 0
	}
	return o
}

// remember adds o to the overrides, of which there are no more than four of a name then: a
// program may configure all the time. stores' lock is held.
func remember(o override) {
	kept := overrides[:0:0]
	for _, old := range overrides {
		if old.name == o.name {
			old.Override = old.without(o.Override)
		}
		if old.Override != (Override{}) {
			kept = append(kept, old)
		}
	}
	overrides = append(kept, o)
}

// Configure changes the bounds of cached functions, for operators who cannot recompile.
// name is a function's, as Stats has it, or a tag of the directive: then all functions
// with that tag are meant. It is for the start of a process: results that are kept
// already keep their expiry, and a bound on bytes counts what is stored from then on, as
// Stale does for a function that had none.
//
// An override that is impossible is refused with an error, such as Stale for a function
// that draws or that has arguments which belong to its caller. A name that is not known is
// answered with ErrUnknown, and kept: an instance of a generic function becomes known
// with its first call.
func Configure(name string, o Override) error {
	if o.TTL < 0 || o.Stale < 0 || o.Max < 0 || o.MaxBytes < 0 {
		return fmt.Errorf("cachegen: configure %q: %+v has a negative value; give one greater than 0, or 0 to leave it as it is", name, o)
	}
	stores.Lock()
	defer stores.Unlock()
	remember(override{name, o})
	err := fmt.Errorf("cachegen: configure %q: %w", name, ErrUnknown)
	for _, s := range stores.all {
		if s.named(name) {
			if errors.Is(err, ErrUnknown) {
				err = nil
			}
			err = errors.Join(err, s.override(o))
		}
	}
	return err
}

// named reports whether name is the function's or one of its tags.
func (s *store) named(name string) bool { return s.o.Func == name || s.hasTag(name) }

// configured applies what Configure was told before s was made. stores' lock is held.
func (s *store) configured() {
	for _, o := range overrides {
		if s.named(o.name) {
			if err := s.override(o.Override); err != nil {
				s.log(logConfigure, "%v", err)
			}
		}
	}
}

// override changes the bounds of s.
func (s *store) override(o Override) error {
	var gone []*node
	s.mu.Lock()
	defer func() {
		s.mu.Unlock()
		s.left(gone)
	}()
	if o.Stale > 0 && s.o.Stale == 0 && !s.o.Detach {
		return fmt.Errorf("cachegen: configure %s (%s): stale=%v refreshes apart from any caller, and this function may not run so; see whether its directive takes stale=, or leave Stale 0", s.o.Func, s.o.Site, o.Stale)
	}
	if o.Stale > 0 && o.TTL == 0 && s.ttl.Load() == 0 {
		return fmt.Errorf("cachegen: configure %s (%s): stale=%v without a ttl; give TTL too", s.o.Func, s.o.Site, o.Stale)
	}
	if o.TTL > 0 {
		s.ttl.Store(int64(o.TTL))
	}
	if o.Stale > 0 {
		s.stale.Store(int64(o.Stale))
		s.ends.began()
		s.ends.earliest = math.MinInt64 // it may be less than before
	}
	if o.MaxBytes > 0 {
		s.weighs.Store(true)
	}
	for !s.narrow(o.Max, o.MaxBytes, &gone) {
		s.mu.Unlock()
		s.left(gone)
		gone = gone[:0]
		s.mu.Lock()
	}
	return nil
}

// narrow sets the bounds, 0 for those that stay, and drops what is beyond them, no more than
// holdLimit. It reports whether that was all; if not, the bounds are as far above those wanted
// as need be for them to hold. mu is held.
func (s *store) narrow(entries int, bytes int64, gone *[]*node) (all bool) {
	p := &s.policy
	if entries > 0 {
		p.max = entries
	}
	if bytes > 0 {
		p.maxBytes = bytes
	}
	for i := 0; i < holdLimit && p.full(0, 0); i++ {
		s.makeRoom(gone)
	}
	all = !p.full(0, 0)
	if p.max > 0 {
		p.max = max(p.max, p.count())
	}
	if p.maxBytes > 0 {
		p.maxBytes = max(p.maxBytes, p.bytes())
	}
	return all
}

// stopped is set by Shutdown.
var stopped atomic.Bool

// Shutdown ends the caches: refreshes are cancelled, and resources that have a release
// are released, at once if nobody has acquired them and else when they are given back.
// It waits for both until ctx is done, and then returns an error that says what is left.
// Calls of cached functions after it go straight through, as under Bypass; results of
// computations that were running are not kept, and released after their grace.
func Shutdown(ctx context.Context) error {
	stopped.Store(true)
	var errs []error
	type wait struct {
		s    *store
		what string
		c    <-chan struct{}
	}
	var waits []wait
	for _, s := range allStores() {
		for _, c := range s.stopRefreshes() {
			waits = append(waits, wait{s, "a refresh is still running", c})
		}
		if released := s.releaseNow(); s.front.releases() {
			waits = append(waits, wait{s, "values are still in use", released})
		}
	}
	for _, w := range waits {
		select {
		case <-w.c:
			continue
		default:
		}
		select {
		case <-w.c:
		case <-ctx.Done():
			errs = append(errs, fmt.Errorf("cachegen: shutdown: %s (%s): %s: %w", w.s.o.Func, w.s.o.Site, w.what, ctx.Err()))
		}
	}
	return errors.Join(errs...)
}

// stopRefreshes cancels the refreshes of s and returns what is closed when they have ended.
func (s *store) stopRefreshes() (ended []<-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.flights {
		for ; f != nil; f = f.next {
			if f.behind {
				f.cancelled = true
				if f.cancel != nil {
					f.cancel(errShutdown)
				}
				ended = append(ended, f.onEnd())
			}
		}
	}
	return ended
}

// releaseNow drops all entries and releases the values that nobody has acquired. The
// channel is closed when all values have been released.
func (s *store) releaseNow() <-chan struct{} {
	var dead []*node
	s.mu.Lock()
	now := clock()
	dead = s.removeAll()
	s.rest.end(now)
	idle := s.idle
	if idle == nil {
		idle = make(chan struct{})
		s.idle = idle
		if s.live == 0 {
			close(idle)
			s.idle = nil
		}
	}
	s.mu.Unlock()
	s.free(dead)
	s.releaseDue(now)
	return idle
}

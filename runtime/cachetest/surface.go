package cachetest

import (
	"context"
	"fmt"
	"strconv"

	cache "github.com/cachegen/cachegen/runtime"
)

// surface is a Page bound for one call.
type surface struct {
	cache.Recorder
	page       *Page // what the caller gave
	containers int   // how many were drawn on it
}

// Bind binds a page: the body draws on the page that it returns.
func Bind(ctx context.Context, p *Page, _ cache.Inputs) (context.Context, *Page, cache.Surface) {
	s := &surface{page: p}
	if p.bound != nil {
		s.Within(p.bound)
	}
	return ctx, &Page{screen: p.screen, prefix: p.prefix, bound: s, under: p}, s
}

// Scope implements cache.Surface: the prefix of widget names.
func (s *surface) Scope() string { return s.page.prefix }

// Value implements cache.Surface.
func (s *surface) Value(widget string) ([]byte, bool) {
	v, ok := s.page.screen.session.Value(widget)
	return []byte(v), ok
}

// Record implements cache.Surface.
func (s *surface) Record() cache.Recording { return s.Open(nil) }

// Drain implements cache.Drainer: the error of the screen.
func (s *surface) Drain() error {
	s.page.screen.mu.Lock()
	defer s.page.screen.mu.Unlock()
	return s.page.screen.broken
}

// Spin implements cache.Spinner.
func (s *surface) Spin(text string) (stop func()) {
	sc := s.page.screen
	sc.mu.Lock()
	defer sc.mu.Unlock()
	sc.spins = append(sc.spins, text)
	return func() {}
}

// Replay implements cache.Surface.
func (s *surface) Replay(t *cache.Tape) error {
	places := map[string]*Page{"": s.page}
	known, n := map[string]bool{"": true, "sidebar": true, "toast": true}, 0
	if err := t.CheckHoles(); err != nil {
		return err
	}
	for i, e := range t.Elements() {
		if e.Op != cache.Hole && (!known[e.On] || e.Op == cache.Stream) {
			return fmt.Errorf("%w: element %d is a %s on %q", cache.ErrTape, i, e.Kind, e.On)
		}
		if e.Kind == "container" {
			n++
			known[strconv.Itoa(n)] = true
		}
	}
	n = 0
	for _, e := range t.Elements() {
		if e.Op == cache.Hole {
			if err := t.Hole(e.Index); err != nil {
				return err
			}
			continue
		}
		on := places[e.On]
		if on == nil {
			on = s.page.root(e.On)
		}
		var media []byte
		for _, c := range e.Media {
			media = t.Media(c)
		}
		c, err := on.add(e, media)
		if err != nil {
			return err
		}
		if e.Kind == "container" {
			n++
			places[strconv.Itoa(n)] = c
		}
	}
	return nil
}

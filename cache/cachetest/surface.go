package cachetest

import (
	"context"
	"fmt"
	"strconv"

	"github.com/cachegen/cachegen/cache/surface"
)

// pageSurface is a Page bound for one call.
type pageSurface struct {
	surface.Recorder
	page       *Page // what the caller gave
	containers int   // how many were drawn on it
}

// Bind binds a page: the body draws on the page that it returns.
func Bind(ctx context.Context, p *Page, _ surface.Inputs) (context.Context, *Page, surface.Surface) {
	s := &pageSurface{page: p}
	if p.bound != nil {
		s.Within(p.bound)
	}
	return ctx, &Page{screen: p.screen, prefix: p.prefix, bound: s, under: p}, s
}

// Scope implements surface.Surface: the prefix of widget names.
func (s *pageSurface) Scope() string { return s.page.prefix }

// Value implements surface.Surface.
func (s *pageSurface) Value(widget string) ([]byte, bool) {
	v, ok := s.page.screen.session.Value(widget)
	return []byte(v), ok
}

// Record implements surface.Surface.
func (s *pageSurface) Record() surface.Recording { return s.Open(nil) }

// Drain implements surface.Drainer: the error of the screen.
func (s *pageSurface) Drain() error {
	s.page.screen.mu.Lock()
	defer s.page.screen.mu.Unlock()
	return s.page.screen.broken
}

// Spin implements surface.Spinner.
func (s *pageSurface) Spin(text string) (stop func()) {
	sc := s.page.screen
	sc.mu.Lock()
	defer sc.mu.Unlock()
	sc.spins = append(sc.spins, text)
	return func() {}
}

// Replay implements surface.Surface.
func (s *pageSurface) Replay(t *surface.Tape) error {
	// The name of a container on the tape is its number; here is what it is on the page.
	places := map[string]*Page{"": s.page, "sidebar": nil, "toast": nil}
	n := 0
	return surface.Play(t, func(e *surface.Element) (part, error) {
		if _, known := places[e.On]; !known || e.Op == surface.Stream {
			return part{}, fmt.Errorf("it is on %q", e.On)
		}
		p := part{Element: *e}
		if e.Kind == "container" {
			n++
			p.name = strconv.Itoa(n)
			places[p.name] = nil
		}
		for _, c := range e.Media {
			p.media = t.Media(c)
		}
		return p, nil
	}, func(p part) error {
		on := places[p.On]
		if on == nil {
			on = s.page.root(p.On)
		}
		c, err := on.add(p.Element, p.media)
		if p.name != "" {
			places[p.name] = c
		}
		return err
	})
}

// part is a decoded element.
type part struct {
	surface.Element
	media []byte
	name  string // of a container
}

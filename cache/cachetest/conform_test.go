package cachetest

import (
	"context"
	"testing"
)

func pageAdapter() Adapter[*Page] {
	return Adapter[*Page]{
		Bind: Bind,
		Run: func(s *Session, ctx context.Context, page func(context.Context, *Page)) string {
			sc := NewScreen(s)
			page(ctx, sc.Page())
			return sc.String()
		},
		Text: (*Page).Text,
		Box: func(p *Page, title string, body func(*Page) error) error {
			return body(p.Container(title))
		},
		Ask: func(_ context.Context, p *Page, name, deflt string) string {
			return p.Ask("input", name, deflt)
		},
		Defaults:  true,
		NoContext: true,
	}
}

func TestConform(t *testing.T) { Conform(t, pageAdapter(), 1500) }

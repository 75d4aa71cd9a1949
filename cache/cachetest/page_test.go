package cachetest

import (
	"context"
	"strings"
	"testing"

	cachert "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/runtime/value"
)

type key struct{ arg string }

func (k *key) hash() uint64 { return value.HashString(value.HashStart(), k.arg) }

// drawn is a wrapper as the generator writes them.
func drawn(site *cachert.Drawn[key, string], body func(context.Context, *Page, string) (string, error)) func(context.Context, *Page, string) (string, error) {
	return func(ctx context.Context, p *Page, arg string) (string, error) {
		k := key{arg}
		bctx, bp, s := Bind(ctx, p, nil)
		return site.Do(k.hash(), k, &cachert.DrawCall{
			Ctx: bctx, Surface: s,
			Run: func(ctx context.Context, v any) (err error) {
				*v.(*string), err = body(ctx, bp, arg)
				return err
			},
		})
	}
}

func newSite(name string) *cachert.Drawn[key, string] {
	return cachert.NewDrawn[key, string](nil, cachert.DrawOptions{
		Options: cachert.Options{Func: name, Site: "page_test.go", Max: 10000, TrackContext: true},
		Widgets: true, Variants: 100,
	})
}

func TestSmoke(t *testing.T) {
	runs := 0
	f := drawn(newSite("smoke"), func(ctx context.Context, p *Page, arg string) (string, error) {
		runs++
		p.Text("hello " + arg)
		c := p.Container("box")
		if c.Checkbox("more", false) {
			c.Text("more")
			p.Sidebar().Text("side")
		}
		return arg + "!", nil
	})
	s := &Session{}
	show := func() string {
		sc := NewScreen(s)
		v, err := f(context.Background(), sc.Page(), "x")
		if v != "x!" || err != nil {
			t.Fatal(v, err)
		}
		return sc.String()
	}
	a := show()
	if b := show(); a != b || runs != 1 {
		t.Fatal(runs, a, b)
	}
	s.Set("more", "true")
	c := show()
	if d := show(); c != d || runs != 2 || !strings.Contains(c, "side") {
		t.Fatal(runs, c, d)
	}
	s.Set("more", "false")
	if b := show(); a != b || runs != 2 {
		t.Fatal(runs, a, b)
	}
}

package cachetest

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	cachert "github.com/cachegen/cachegen/runtime"
)

var stormOps = flag.Int("storm", 200_000, "how many operations the storm of calls and events makes")

// TestStorm makes calls and events from 64 goroutines at once, of a few keys: of functions
// that draw with widgets, that run on their caller's goroutine and apart from it, that use
// another's result, that are given up at wait=, refreshed, cancelled, and belong to sessions. Each
// value says how many events had begun when it was begun, so that each caller can tell whether
// it is older than an event which was complete before the call.
func TestStorm(t *testing.T) {
	log.SetOutput(io.Discard) // of those who wait in vain
	defer log.SetOutput(os.Stderr)
	const keys = 4
	var version atomic.Int64
	type floors struct{ own, tag [keys]atomic.Int64 }
	raise := func(f *atomic.Int64, to int64) {
		for old := f.Load(); old < to && !f.CompareAndSwap(old, to); old = f.Load() {
		}
	}
	ops := int64(*stormOps)
	if testing.Short() {
		ops /= 20
	}
	type value = [2]int64 // of the function's own start, and of the inner function's
	type site = cachert.Site[key, value]
	names := [keys]key{{"a"}, {"b"}, {"c"}, {"d"}}
	tag := func(k int) string { return fmt.Sprint("storm:", k) }
	work := func() {
		for range rand.IntN(3) {
			time.Sleep(time.Duration(rand.IntN(40)) * time.Microsecond)
		}
	}
	inner := cachert.New[key, value](nil, cachert.Options{Func: "storm.inner", Site: "storm_test.go", Max: 100, ErrorResult: cachert.HasError})
	innerOf := func(ctx context.Context, k int) (value, error) {
		return inner.Do(names[k].hash(), names[k], &cachert.Call{Ctx: ctx, Tags: []string{tag(k)}, Run: func(_ context.Context, v any) error {
			n := version.Load()
			work()
			*v.(*value) = value{n, n}
			return nil
		}})
	}
	var sites []*site
	var sessions []bool
	for _, o := range []cachert.Options{
		{Max: 100}, {Max: 100, Detach: true}, {Max: 2, Detach: true, Wait: 50 * time.Microsecond}, {Max: 100, Wait: 20 * time.Microsecond},
		{Max: 100, Session: true}, {Max: 100, Detach: true, TTL: time.Millisecond, Stale: time.Second},
	} {
		o.Func, o.Site, o.ErrorResult = fmt.Sprint("storm.f", len(sites)), "storm_test.go", cachert.HasError
		if o.Session {
			sites = append(sites, cachert.New[key, value](sessionOps{}, o))
		} else {
			sites = append(sites, cachert.New[key, value](nil, o))
		}
		sessions = append(sessions, o.Session)
	}
	floor := make([]floors, len(sites)+1)
	page := function(func(ctx context.Context, p *Page, arg string) (string, error) {
		own := version.Load()
		k := int(arg[0] - 'a')
		v, err := innerOf(ctx, k)
		if err != nil {
			return "", err
		}
		work()
		lang := p.Ask("text", "lang", "en")
		work()
		p.Text(fmt.Sprintf("%d:%d", own, v[0]))
		if lang == "de" {
			p.Ask("text", "more", "")
			work()
		}
		return fmt.Sprintf("%d:%d", own, v[0]), nil
	})
	var made, wrong atomic.Int64
	check := func(what string, k int, want, v value) {
		if (v[0] < want[0] || v[1] < want[1]) && wrong.Add(1) < 10 {
			t.Errorf("%s of key %d got %v, and events %v were complete before", what, k, v, want)
		}
	}
	read := func(f *floors, k int) value { return value{f.own[k].Load(), f.tag[k].Load()} }
	bg := context.Background()
	step := func(r *rand.Rand) {
		k, i := r.IntN(keys), r.IntN(len(sites)+1)
		ctx, cancel := bg, context.CancelFunc(func() {})
		if r.IntN(3) == 0 {
			ctx, cancel = context.WithTimeout(bg, time.Duration(20+r.IntN(300))*time.Microsecond)
		} else if r.IntN(2) == 0 {
			ctx, cancel = context.WithCancel(bg)
		}
		defer cancel()
		ctx = cachert.WithSession(ctx, names[k].arg)
		switch r.IntN(16) {
		case 0:
			n := version.Add(1)
			if i < len(sites) {
				sites[i].Forget(names[k].hash(), names[k])
			} else {
				page.site.Forget(names[k].hash(), names[k])
			}
			raise(&floor[i].own[k], n)
		case 1:
			n := version.Add(1)
			cachert.Invalidate(bg, tag(k))
			for i := range floor {
				raise(&floor[i].tag[k], n)
				if i < len(sites) { // the page has the tag only through what it uses
					raise(&floor[i].own[k], n)
				}
			}
		case 2:
			if r.IntN(4) > 0 {
				return
			}
			n := version.Add(1)
			if i < len(sites) {
				sites[i].Clear()
			} else {
				page.site.Clear()
			}
			for k := range keys {
				raise(&floor[i].own[k], n)
			}
		case 3:
			n := version.Add(1)
			cachert.EndSession(bg, names[k].arg)
			for i := range sites {
				if sessions[i] {
					raise(&floor[i].own[k], n)
				}
			}
		default:
			want := read(&floor[i], k)
			if i == len(sites) {
				s := &Session{}
				s.Set("lang", []string{"en", "de", "fr"}[r.IntN(3)])
				sc := NewScreen(s)
				got, err := page.call(ctx, sc.Page(), names[k].arg)
				if err != nil {
					if ctx.Err() == nil {
						t.Error("page:", err)
					}
					return
				}
				a, b, _ := strings.Cut(got, ":")
				own, _ := strconv.ParseInt(a, 10, 64)
				in, _ := strconv.ParseInt(b, 10, 64)
				check("page", k, want, value{own, in})
				if !strings.Contains(sc.String(), got) {
					t.Errorf("it returned %q and drew %s", got, sc)
				}
				return
			}
			call := &cachert.Call{Ctx: ctx, Tags: []string{tag(k)}, Run: func(ctx context.Context, v any) error {
				own := version.Load()
				in, err := innerOf(ctx, k)
				if err != nil {
					return err
				}
				work()
				*v.(*value) = value{own, in[0]}
				return ctx.Err()
			}}
			do := sites[i].Do
			if r.IntN(8) == 0 {
				do = sites[i].Refresh
			}
			v, err := do(names[k].hash(), names[k], call)
			if err != nil {
				if ctx.Err() == nil {
					t.Errorf("function %d: %v", i, err)
				}
				return
			}
			check(fmt.Sprint("function ", i), k, want, v)
		}
	}
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(rand.Uint64(), uint64(g)))
			for made.Add(1) <= ops && !t.Failed() {
				step(r)
			}
		})
	}
	wg.Wait()
}

// sessionOps say that the key is the session.
type sessionOps struct{}

func (sessionOps) Session(k any) string { return k.(*key).arg }

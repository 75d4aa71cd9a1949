package bench

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/Yiling-J/theine-go"
	"github.com/dgraph-io/ristretto/v2"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/hashicorp/golang-lru/v2/expirable"
	"github.com/jellydator/ttlcache/v3"
	"github.com/maypok86/otter/v2"
	phuslu "github.com/phuslu/lru"
	"github.com/viccon/sturdyc"
	"golang.org/x/sync/singleflight"
)

// Key is what the functions that are compared take.
type Key struct {
	ID   int64
	Name string
}

const ttl = 10 * time.Minute

// A Peer is a way to have a function of a Key cached.
type Peer struct {
	Name string
	// New returns the cached form of load, for at most capacity entries where there is
	// a bound, and what frees it.
	New     func(capacity int, load func(Key) Quote) (get func(Key) Quote, stop func())
	Bounded bool // entries beyond the capacity are evicted
	Flight  bool // one computation for callers who come together
}

// Ours is the generated wrapper.
var Ours = Peer{Name: "cachegen", Bounded: true, Flight: true, New: func(capacity int, load func(Key) Quote) (func(Key) Quote, func()) {
	compute.Store(&load)
	if capacity > 10_000 {
		QuoteOfManyCache.Clear()
		return func(k Key) Quote { return QuoteOfMany(k.ID, k.Name) }, QuoteOfManyCache.Clear
	}
	GetQuoteCache.Clear()
	return func(k Key) Quote { return GetQuote(k.ID, k.Name) }, GetQuoteCache.Clear
}}

// Peers are the others.
var Peers = []Peer{
	{Name: "map, RWMutex", New: newMap},
	{Name: "sync.Map", New: newSyncMap},
	{Name: "singleflight over a map with ttl", Flight: true, New: newSingleflight},
	{Name: "otter Get", Bounded: true, Flight: true, New: newOtter(false)},
	{Name: "otter Get, coarse clock", Bounded: true, Flight: true, New: newOtter(true)},
	{Name: "theine Loading", Bounded: true, Flight: true, New: newTheine},
	{Name: "sturdyc GetOrFetch", Bounded: true, Flight: true, New: newSturdyc},
	{Name: "ristretto", Bounded: true, New: newRistretto},
	{Name: "hashicorp lru (no ttl)", Bounded: true, New: newHashicorp},
	{Name: "hashicorp expirable", Bounded: true, New: newExpirable},
	{Name: "ttlcache", Bounded: true, Flight: true, New: newTTLCache},
	{Name: "phuslu GetOrLoad", Bounded: true, Flight: true, New: newPhuslu},
	{Name: "memogen's shape", Flight: true, New: newMemogen},
}

func newMap(capacity int, load func(Key) Quote) (func(Key) Quote, func()) {
	var mu sync.RWMutex
	m := map[Key]Quote{}
	return func(k Key) Quote {
		mu.RLock()
		v, ok := m[k]
		mu.RUnlock()
		if !ok {
			v = load(k)
			mu.Lock()
			m[k] = v
			mu.Unlock()
		}
		return v
	}, func() {}
}

func newSyncMap(capacity int, load func(Key) Quote) (func(Key) Quote, func()) {
	var m sync.Map
	return func(k Key) Quote {
		if v, ok := m.Load(k); ok {
			return v.(Quote)
		}
		v := load(k)
		m.Store(k, v)
		return v
	}, func() {}
}

type timed struct {
	v       Quote
	expires time.Time
}

func newSingleflight(capacity int, load func(Key) Quote) (func(Key) Quote, func()) {
	var mu sync.RWMutex
	var group singleflight.Group
	m := map[Key]timed{}
	return func(k Key) Quote {
		mu.RLock()
		e, ok := m[k]
		mu.RUnlock()
		if ok && time.Now().Before(e.expires) {
			return e.v
		}
		v, _, _ := group.Do(strconv.FormatInt(k.ID, 10)+" "+k.Name, func() (any, error) {
			v := load(k)
			mu.Lock()
			m[k] = timed{v, time.Now().Add(ttl)}
			mu.Unlock()
			return v, nil
		})
		return v.(Quote)
	}, func() {}
}

func newOtter(coarse bool) func(int, func(Key) Quote) (func(Key) Quote, func()) {
	return func(capacity int, load func(Key) Quote) (func(Key) Quote, func()) {
		o := &otter.Options[Key, Quote]{
			MaximumSize:      capacity,
			ExpiryCalculator: otter.ExpiryWriting[Key, Quote](ttl),
		}
		stop := func() {}
		if coarse {
			c := otter.NewCoarseClock(10 * time.Millisecond)
			o.Clock, stop = c, c.Stop
		}
		c := otter.Must(o)
		ctx := context.Background()
		loader := otter.LoaderFunc[Key, Quote](func(_ context.Context, k Key) (Quote, error) { return load(k), nil })
		return func(k Key) Quote {
			v, _ := c.Get(ctx, k, loader)
			return v
		}, func() { c.StopAllGoroutines(); stop() }
	}
}

func newTheine(capacity int, load func(Key) Quote) (func(Key) Quote, func()) {
	c, err := theine.NewBuilder[Key, Quote](int64(capacity)).Loading(func(_ context.Context, k Key) (theine.Loaded[Quote], error) {
		return theine.Loaded[Quote]{Value: load(k), Cost: 1, TTL: ttl}, nil
	}).Build()
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	return func(k Key) Quote {
		v, _ := c.Get(ctx, k)
		return v
	}, c.Close
}

// text is the key of caches whose keys are strings.
func text(k Key) string {
	b := make([]byte, 0, 64)
	b = strconv.AppendInt(b, k.ID, 10)
	b = append(b, ' ')
	return string(append(b, k.Name...))
}

func newSturdyc(capacity int, load func(Key) Quote) (func(Key) Quote, func()) {
	c := sturdyc.New[Quote](capacity, 16, ttl, 10)
	ctx := context.Background()
	return func(k Key) Quote {
		v, _ := c.GetOrFetch(ctx, text(k), func(context.Context) (Quote, error) { return load(k), nil })
		return v
	}, func() {}
}

func newRistretto(capacity int, load func(Key) Quote) (func(Key) Quote, func()) {
	c, err := ristretto.NewCache(&ristretto.Config[string, Quote]{NumCounters: int64(capacity) * 10, MaxCost: int64(capacity), BufferItems: 64, IgnoreInternalCost: true})
	if err != nil {
		panic(err)
	}
	return func(k Key) Quote {
		s := text(k)
		v, ok := c.Get(s)
		if !ok {
			v = load(k)
			c.SetWithTTL(s, v, 1, ttl)
		}
		return v
	}, c.Close
}

func newHashicorp(capacity int, load func(Key) Quote) (func(Key) Quote, func()) {
	c, err := lru.New[Key, Quote](capacity)
	if err != nil {
		panic(err)
	}
	return func(k Key) Quote {
		v, ok := c.Get(k)
		if !ok {
			v = load(k)
			c.Add(k, v)
		}
		return v
	}, func() {}
}

func newExpirable(capacity int, load func(Key) Quote) (func(Key) Quote, func()) {
	c := expirable.NewLRU[Key, Quote](capacity, nil, ttl)
	return func(k Key) Quote {
		v, ok := c.Get(k)
		if !ok {
			v = load(k)
			c.Add(k, v)
		}
		return v
	}, c.Purge
}

func newTTLCache(capacity int, load func(Key) Quote) (func(Key) Quote, func()) {
	loader := ttlcache.LoaderFunc[Key, Quote](func(c *ttlcache.Cache[Key, Quote], k Key) *ttlcache.Item[Key, Quote] {
		return c.Set(k, load(k), ttlcache.DefaultTTL)
	})
	c := ttlcache.New(
		ttlcache.WithTTL[Key, Quote](ttl),
		ttlcache.WithCapacity[Key, Quote](uint64(capacity)),
		ttlcache.WithLoader[Key, Quote](ttlcache.NewSuppressedLoader[Key, Quote](loader, nil)),
	)
	return func(k Key) Quote { return c.Get(k).Value() }, func() {}
}

func newPhuslu(capacity int, load func(Key) Quote) (func(Key) Quote, func()) {
	c := phuslu.NewTTLCache[Key, Quote](capacity, phuslu.WithLoader[Key, Quote](func(_ context.Context, k Key) (Quote, time.Duration, error) {
		return load(k), ttl, nil
	}))
	ctx := context.Background()
	return func(k Key) Quote {
		v, _, _ := c.GetOrLoad(ctx, k, nil)
		return v
	}, func() {}
}

// newMemogen has the shape of what nuclei's generator for "// @memo" writes: the
// arguments are printed, hashed and written in hexadecimal to make a key.
func newMemogen(capacity int, load func(Key) Quote) (func(Key) Quote, func()) {
	var mu sync.RWMutex
	var group singleflight.Group
	m := map[string]any{}
	return func(k Key) Quote {
		h := sha256.New()
		h.Write([]byte("quote"))
		h.Write([]byte(fmt.Sprint(k.ID)))
		h.Write([]byte(fmt.Sprint(k.Name)))
		key := hex.EncodeToString(h.Sum(nil))
		mu.RLock()
		v, ok := m[key]
		mu.RUnlock()
		if !ok {
			v, _, _ = group.Do(key, func() (any, error) {
				v := load(k)
				mu.Lock()
				m[key] = v
				mu.Unlock()
				return v, nil
			})
		}
		return v.(Quote)
	}, func() {}
}

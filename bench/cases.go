package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/maypok86/otter/v2"
)

// A Table is a set of cases that do the same thing in different ways; the first is
// what the others are compared with.
type Table struct {
	Name, Title string
	Alone       bool // set up one case at a time: each takes much memory
	Garbage     bool // measure long enough for the garbage to be collected, which is part of the cost
	Cases       []Case
}

// A Case is one of them.
type Case struct {
	Name string
	// Setup returns what is measured and what is called when everything is.
	Setup func() (run func(b *testing.B), stop func())
}

// Tables are all of them.
func Tables() []Table {
	return []Table{hits(), parallelHits(), contexts(), noArguments(), digests(), copies(), misses(), evictions(), million()}
}

const resident = 1024

// keysOf returns two sets of equal keys that share no memory.
func keysOf(n int) (stored, asked []Key) {
	make1 := func() []Key {
		ks := make([]Key, n)
		for i := range ks {
			ks[i] = Key{int64(i), "customer-number-" + strconv.Itoa(1_000_000+i)}
		}
		return ks
	}
	return make1(), make1()
}

func compute1(k Key) Quote { return Quote{ID: k.ID, Price: 1, Name: k.Name} }

// warm has p filled with keys and returns how to ask for them.
func warm(p Peer, capacity int, stored []Key) (get func(Key) Quote, stop func()) {
	get, stop = p.New(capacity, compute1)
	for _, k := range stored {
		get(k)
	}
	time.Sleep(10 * time.Millisecond) // some write behind
	return get, stop
}

// Only restricts the peers to those whose names hold it, if it is not empty.
var Only string

func all() []Peer {
	out := []Peer{Ours}
	for _, p := range Peers {
		if strings.Contains(p.Name, Only) {
			out = append(out, p)
		}
	}
	return out
}

var sink atomic.Int64

func hits() Table {
	t := Table{Name: "hit", Title: "Hit: key (int64, string), bound and ttl, 1,024 resident keys"}
	for _, p := range all() {
		t.Cases = append(t.Cases, Case{p.Name, func() (func(*testing.B), func()) {
			stored, asked := keysOf(resident)
			get, stop := warm(p, 10_000, stored)
			return func(b *testing.B) {
				var n int64
				for i := range b.N {
					n += get(asked[i&(resident-1)]).ID
				}
				sink.Add(n)
			}, stop
		}})
	}
	return t
}

func parallelHits() Table {
	t := Table{Name: "parallel", Title: "The same on all cores at once"}
	for _, p := range all() {
		t.Cases = append(t.Cases, Case{p.Name, func() (func(*testing.B), func()) {
			stored, asked := keysOf(resident)
			get, stop := warm(p, 10_000, stored)
			var start atomic.Int64
			return func(b *testing.B) {
				b.RunParallel(func(pb *testing.PB) {
					var n int64
					for i := int(start.Add(257)); pb.Next(); i++ {
						n += get(asked[i&(resident-1)]).ID
					}
					sink.Add(n)
				})
			}, stop
		}})
	}
	return t
}

type contextKey int

func deep() context.Context {
	ctx := context.Background()
	for i := range 8 {
		ctx = context.WithValue(ctx, contextKey(i), i)
	}
	return ctx
}

func contexts() Table {
	ask := func(get func(Key) Quote) func() (func(*testing.B), func()) {
		return func() (func(*testing.B), func()) {
			stored, asked := keysOf(resident)
			for _, k := range stored {
				get(k)
			}
			return func(b *testing.B) {
				var n int64
				for i := range b.N {
					n += get(asked[i&(resident-1)]).ID
				}
				sink.Add(n)
			}, func() {}
		}
	}
	background, eight := context.Background(), deep()
	return Table{Name: "context", Title: "Hit by the signature of the function", Cases: []Case{
		{"(int64, string) Quote", ask(func(k Key) Quote { return GetQuote(k.ID, k.Name) })},
		{"(int64, string) (Quote, error)", ask(func(k Key) Quote { v, _ := QuoteErr(k.ID, k.Name); return v })},
		{"(context, int64, string) (Quote, error), empty context", ask(func(k Key) Quote { v, _ := QuoteCtx(background, k.ID, k.Name); return v })},
		{"(context, int64, string) (Quote, error), context eight values deep", ask(func(k Key) Quote { v, _ := QuoteCtx(eight, k.ID, k.Name); return v })},
	}}
}

func noArguments() Table {
	each := func(get func() Quote) func() (func(*testing.B), func()) {
		return func() (func(*testing.B), func()) {
			get()
			return func(b *testing.B) {
				var n int64
				for range b.N {
					n += get().ID
				}
				sink.Add(n)
			}, func() {}
		}
	}
	var mu sync.RWMutex
	m := map[struct{}]timed{{}: {Quote{ID: 1}, time.Now().Add(time.Hour)}}
	once := sync.OnceValue(func() Quote { return Quote{ID: 1} })
	c := otter.Must(&otter.Options[struct{}, Quote]{MaximumSize: 10, ExpiryCalculator: otter.ExpiryWriting[struct{}, Quote](ttl)})
	ctx := context.Background()
	loader := otter.LoaderFunc[struct{}, Quote](func(context.Context, struct{}) (Quote, error) { return Quote{ID: 1}, nil })
	return Table{Name: "noargs", Title: "Hit of a function without arguments", Cases: []Case{
		{"cachegen", each(Settings)},
		{"sync.OnceValue (no ttl)", each(once)},
		{"map, RWMutex, ttl", each(func() Quote {
			mu.RLock()
			e := m[struct{}{}]
			mu.RUnlock()
			if time.Now().After(e.expires) {
				return Quote{}
			}
			return e.v
		})},
		{"otter Get", each(func() Quote { v, _ := c.Get(ctx, struct{}{}, loader); return v })},
	}}
}

func digests() Table {
	xs := make([]float64, 1000)
	for i := range xs {
		xs[i] = float64(i) / 3
	}
	each := func(get func([]float64) float64) func() (func(*testing.B), func()) {
		return func() (func(*testing.B), func()) {
			get(xs)
			return func(b *testing.B) {
				n := 0.0
				for range b.N {
					n += get(xs)
				}
				sink.Add(int64(n))
			}, func() {}
		}
	}
	keyed := func(key func([]float64) string) func([]float64) float64 {
		var mu sync.RWMutex
		m := map[string]float64{}
		return func(xs []float64) float64 {
			k := key(xs)
			mu.RLock()
			v, ok := m[k]
			mu.RUnlock()
			if !ok {
				v = mean(xs)
				mu.Lock()
				m[k] = v
				mu.Unlock()
			}
			return v
		}
	}
	return Table{Name: "digest", Title: "Hit with an argument of 1,000 floats", Cases: []Case{
		{"cachegen", each(Mean)},
		{"map, key by SHA-256 of the bytes", each(keyed(func(xs []float64) string {
			b := make([]byte, 0, 8*len(xs))
			for _, x := range xs {
				b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
			}
			s := sha256.Sum256(b)
			return string(s[:])
		}))},
		{"map, key by json", each(keyed(func(xs []float64) string { b, _ := json.Marshal(xs); return string(b) }))},
		{"map, key by gob", each(keyed(func(xs []float64) string {
			var b bytes.Buffer
			gob.NewEncoder(&b).Encode(xs)
			return b.String()
		}))},
		{"memogen's shape", each(keyed(func(xs []float64) string {
			h := sha256.New()
			h.Write([]byte("mean"))
			h.Write([]byte(fmt.Sprint(xs)))
			return hex.EncodeToString(h.Sum(nil))
		}))},
	}}
}

func copies() Table {
	const n = 10_000
	each := func(get func() []Row) func() (func(*testing.B), func()) {
		return func() (func(*testing.B), func()) {
			get()
			return func(b *testing.B) {
				b.ReportAllocs()
				for range b.N {
					sink.Add(int64(len(get())))
				}
			}, func() {}
		}
	}
	var g, j bytes.Buffer
	gob.NewEncoder(&g).Encode(makeRows(n))
	json.NewEncoder(&j).Encode(makeRows(n))
	shared := makeRows(n)
	return Table{Name: "copy", Title: "Hit that copies 10,000 structs with a slice in each", Garbage: true, Cases: []Case{
		{"cachegen", each(func() []Row { return Rows(n) })},
		{"gob decode", each(func() (v []Row) { gob.NewDecoder(bytes.NewReader(g.Bytes())).Decode(&v); return })},
		{"json decode", each(func() (v []Row) { json.Unmarshal(j.Bytes(), &v); return })},
		{"a loop that clones each", each(func() []Row {
			w := make([]Row, len(shared))
			for i, r := range shared {
				r.Tags = append([]string(nil), r.Tags...)
				w[i] = r
			}
			return w
		})},
	}}
}

// misses measures calls with keys never seen before, below the bound.
func misses() Table {
	const fill = 200_000
	t := Table{Name: "miss", Title: "Miss: every key is new, below the bound", Alone: true, Garbage: true}
	for _, p := range all() {
		t.Cases = append(t.Cases, Case{p.Name, func() (func(*testing.B), func()) {
			keys, _ := keysOf(fill)
			return func(b *testing.B) {
				var n int64
				for done := 0; done < b.N; done += fill {
					b.StopTimer()
					get, stop := p.New(1_100_000, compute1)
					b.StartTimer()
					for _, k := range keys[:min(fill, b.N-done)] {
						n += get(k).ID
					}
					b.StopTimer()
					stop()
					b.StartTimer()
				}
				sink.Add(n)
			}, func() {}
		}})
	}
	return t
}

// zipf returns n draws from keys 0 to 1e6-1; the generator's exponent must exceed 1.
func zipf(n int) []int {
	z := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.01, 1, 1_000_000-1)
	out := make([]int, n)
	for i := range out {
		out[i] = int(z.Uint64())
	}
	return out
}

func evictions() Table {
	t := Table{Name: "evict", Title: "Get or compute under eviction: zipf(1.01) over a million keys, 10,000 entries", Alone: true, Garbage: true}
	var once sync.Once
	var keys []Key
	var draws []int
	for _, p := range all() {
		if !p.Bounded {
			continue
		}
		t.Cases = append(t.Cases, Case{p.Name, func() (func(*testing.B), func()) {
			once.Do(func() { keys, _ = keysOf(1_000_000); draws = zipf(1 << 20) })
			get, stop := warm(p, 10_000, keys[:10_000])
			at := 0
			return func(b *testing.B) {
				var n int64
				for range b.N {
					n += get(keys[draws[at&(1<<20-1)]]).ID
					at++
				}
				sink.Add(n)
			}, stop
		}})
	}
	return t
}

func million() Table {
	t := Table{Name: "million", Title: "Hit among a million resident keys in random order", Alone: true}
	var once sync.Once
	var stored, asked []Key
	var order []int
	for _, p := range all() {
		t.Cases = append(t.Cases, Case{p.Name, func() (func(*testing.B), func()) {
			once.Do(func() {
				stored, asked = keysOf(1_000_000)
				order = rand.New(rand.NewPCG(3, 4)).Perm(1_000_000)
			})
			get, stop := warm(p, 1_100_000, stored)
			at := 0
			return func(b *testing.B) {
				var n int64
				for range b.N {
					n += get(asked[order[at]]).ID
					if at++; at == len(order) {
						at = 0
					}
				}
				sink.Add(n)
			}, stop
		}})
	}
	return t
}

package cachert

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/cachegen/cachegen/runtime/value"
)

type benchKey struct {
	id   int
	name string
}

func (k *benchKey) hash() uint64 {
	return value.HashString(value.HashUint64(value.HashStart(), uint64(k.id)), k.name)
}

type benchVal struct {
	n int64
	f float64
	s string
}

func benchSite(b testing.TB, o Options, n int) (*typedSite[benchKey, benchVal], []benchKey) {
	o.Func = b.Name()
	s := newTyped[benchKey, benchVal](nil, o)
	keys := make([]benchKey, n)
	for i := range keys {
		k := benchKey{i, fmt.Sprintf("customer-%012d", i)}
		s.Prime(k.hash(), k, benchVal{int64(i), 1.5, "value"})
		keys[i] = benchKey{i, fmt.Sprintf("customer-%012d", i)}
	}
	return s, keys
}

var sinkVal benchVal

// BenchmarkHit is what a generated wrapper does on a hit, with equal keys of which the
// strings are other ones than those kept.
func BenchmarkHit(b *testing.B) {
	s, keys := benchSite(b, Options{TTL: time.Hour, Max: 10000}, 1024)
	get := func(i int) benchVal {
		k := benchKey{keys[i&1023].id, keys[i&1023].name}
		if v := s.Get(k.hash(), &k); v != nil {
			return *v
		}
		panic("a miss")
	}
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; i < b.N; i++ {
			sinkVal = get(i)
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			var v benchVal
			for i := 0; pb.Next(); i++ {
				v = get(i)
			}
			runtime.KeepAlive(v)
		})
	})
	getCtx := func(ctx context.Context, i int) benchVal {
		k := benchKey{keys[i&1023].id, keys[i&1023].name}
		if v := s.GetCtx(ctx, k.hash(), &k); v != nil {
			return *v
		}
		panic("a miss")
	}
	b.Run("ctx", func(b *testing.B) {
		ctx := context.Background()
		b.ReportAllocs()
		for i := 0; i < b.N; i++ {
			sinkVal = getCtx(ctx, i)
		}
	})
	b.Run("ctx8", func(b *testing.B) {
		ctx := context.Background()
		for i := range 8 {
			ctx = context.WithValue(ctx, userKey(fmt.Sprint(i)), i)
		}
		b.ReportAllocs()
		for i := 0; i < b.N; i++ {
			sinkVal = getCtx(ctx, i)
		}
	})
	one := newTyped[struct{}, benchVal](nil, Options{Func: b.Name() + "one", TTL: time.Hour})
	one.Prime(0, struct{}{}, benchVal{})
	b.Run("none", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; i < b.N; i++ {
			sinkVal = *one.Get(0, &struct{}{})
		}
	})
}

func BenchmarkHitMillion(b *testing.B) {
	s, keys := benchSite(b, Options{TTL: time.Hour}, 1_000_000)
	r := rand.New(rand.NewPCG(1, 2))
	r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	for i := 0; i < b.N; i++ {
		k := keys[i%len(keys)]
		sinkVal = *s.Get(k.hash(), &k)
	}
}

func BenchmarkMiss(b *testing.B) {
	for _, o := range []Options{{Max: 1000}, {Max: 1000, Detach: true, TrackContext: true}} {
		o.Func, o.TTL = b.Name(), time.Hour
		s := newTyped[benchKey, benchVal](nil, o)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		b.Run(fmt.Sprintf("detach=%v", o.Detach), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; i < b.N; i++ {
				k := benchKey{i, "k"}
				v, _ := s.Do(k.hash(), k, typedCall[benchVal]{Ctx: ctx, Run: func(context.Context) (benchVal, error) { return benchVal{n: 1}, nil }})
				sinkVal = v
			}
		})
	}
}

// ratio is the hit ratio of a cache of 10 000 entries over a trace of keys.
func ratio(t testing.TB, trace func(i int) uint64, n int) float64 {
	s := newTyped[uint64, int](nil, Options{Func: t.Name(), Max: 10_000})
	hits := 0
	for i := range n {
		k := trace(i)
		h := value.HashUint64(value.HashStart(), k)
		if s.Get(h, &k) != nil {
			hits++
		} else {
			s.Prime(h, k, 1)
		}
	}
	return float64(hits) / float64(n)
}

// The three traces of the literature: what is popular stays, what comes once does not push
// it out, and a loop that is a little larger than the cache still hits.
func TestPopularEntriesStay(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("millions of calls from one goroutine")
	}
	const n = 2_000_000
	zipf := func(seed uint64) *rand.Zipf { return rand.NewZipf(rand.New(rand.NewPCG(seed, 1)), 1.01, 1, 1e6-1) }
	z := zipf(1)
	if r := ratio(t, func(int) uint64 { return z.Uint64() }, n); r < 0.66 {
		t.Errorf("zipf: %.3f", r)
	} else {
		t.Logf("zipf: %.3f", r)
	}
	z = zipf(2)
	coin := rand.New(rand.NewPCG(3, 4))
	once := uint64(1e6)
	if r := ratio(t, func(int) uint64 {
		if coin.IntN(5) == 0 {
			once++
			return once
		}
		return z.Uint64()
	}, n); r < 0.52 {
		t.Errorf("zipf and scan: %.3f", r)
	} else {
		t.Logf("zipf and scan: %.3f", r)
	}
	if r := ratio(t, func(i int) uint64 { return uint64(i % 12_000) }, n); r < 0.6 {
		t.Errorf("loop: %.3f", r)
	} else {
		t.Logf("loop: %.3f", r)
	}
}

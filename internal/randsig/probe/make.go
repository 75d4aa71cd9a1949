package probe

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"time"
)

// Pool holds what reflection cannot find out about the types of a program.
type Pool struct {
	dynamic map[reflect.Type][]reflect.Type // of interface types
	keyed   map[reflect.Type]bool
}

// NewPool returns a pool in which variables of the type any hold one of the given types.
func NewPool(types ...reflect.Type) *Pool {
	p := &Pool{dynamic: map[reflect.Type][]reflect.Type{}, keyed: map[reflect.Type]bool{}}
	return p.Dynamic(reflect.TypeFor[any](), types...)
}

// Dynamic says what variables of an interface type may hold.
func (p *Pool) Dynamic(iface reflect.Type, types ...reflect.Type) *Pool {
	p.dynamic[iface] = append(p.dynamic[iface], types...)
	return p
}

// Keyed says that the method CacheKey of the types stands for them in a key.
func (p *Pool) Keyed(types ...reflect.Type) *Pool {
	for _, t := range types {
		p.keyed[t] = true
	}
	return p
}

// Gen fills values. Two Gens of the same seed fill equal values; Alt changes what must not
// matter: payloads of NaNs, monotonic clock readings, spare capacity, the order in which
// maps were filled.
type Gen struct {
	Alt  bool
	pool *Pool
	rng  *rand.Rand
	seed uint64
	made map[reflect.Type][]reflect.Value // to be shared; some are still being filled
	left int                              // how many more references may be made
	cmp  bool                             // inside of a map's key
}

// NewGen returns a Gen for the seed.
func NewGen(pool *Pool, seed uint64) *Gen {
	return &Gen{
		pool: pool,
		seed: seed,
		rng:  rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)),
		made: map[reflect.Type][]reflect.Value{},
		left: 18,
	}
}

// Counter counts the runs of a function's body.
type Counter struct{ n int }

// Begin counts a run of a function's body and returns the Gen that its results are made
// with: they depend on the content of all arguments in the key, and on nothing else.
func Begin(pool *Pool, c *Counter, args ...any) *Gen {
	c.n++
	h := fnv.New64a()
	for i := range args {
		io.WriteString(h, Print(&args[i], pool, true))
		h.Write([]byte{0})
	}
	g := NewGen(pool, h.Sum64())
	g.made = map[reflect.Type][]reflect.Value{}
	return g
}

// Out returns a random value of a type.
func Out[T any](g *Gen) (v T) {
	g.fill(reflect.ValueOf(&v).Elem())
	return v
}

// Err returns an error for one seed in eight.
func (g *Gen) Err() error {
	if g.seed%8 == 0 {
		return fmt.Errorf("refused %d", g.seed)
	}
	return nil
}

// Fill fills the struct that p points to.
func (g *Gen) Fill(p any) { g.fill(reflect.ValueOf(p).Elem()) }

func (g *Gen) n(n int) int { return g.rng.IntN(n) }

var (
	strs   = []string{"", "a", "b", "a:b", "\x00", "ab", "ä€", "\xff\xfe", "0", "nil", "a\x00", strings.Repeat("long", 20)}
	floats = []float64{0, math.Copysign(0, -1), 1, -1.5, math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64, 0.1}
	// With a reading of the monotonic clock, but always of the same instant.
	started = func() time.Time {
		now := time.Now()
		return now.Add(time.Date(2024, 2, 29, 12, 0, 0, 5, time.UTC).Sub(now.Round(0)))
	}()
)

func (g *Gen) float() float64 {
	switch g.n(8) {
	case 0:
		if g.Alt {
			return math.Float64frombits(0xfff8000000000123)
		}
		return math.NaN()
	case 1, 2, 3:
		return floats[g.n(len(floats))]
	}
	return g.rng.NormFloat64()
}

func (g *Gen) time() time.Time {
	t := time.Unix(g.rng.Int64N(4e9), g.rng.Int64N(1e9))
	switch g.n(7) {
	case 0:
		return time.Time{}
	case 1:
		return t.UTC()
	case 2:
		return t.In(time.FixedZone("CET", 3600))
	case 3:
		return t.In(time.FixedZone(strs[g.n(len(strs))], g.n(100000)-50000))
	case 4:
		t = started.Add(time.Duration(g.n(1000)))
		if g.Alt {
			t = t.Round(0)
		}
		return t
	}
	return t
}

func (g *Gen) fill(v reflect.Value) {
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		*p = g.time()
		return
	case *big.Int:
		words := make([]big.Word, g.n(3))
		for i := range words {
			words[i] = big.Word(g.rng.Uint64())
		}
		p.SetBits(words)
		if g.n(2) == 0 {
			p.Neg(p)
		}
		return
	case *big.Rat:
		p.SetFrac64(g.rng.Int64()>>g.n(60), g.rng.Int64()>>g.n(40)|1)
		return
	case *netip.Addr:
		switch g.n(4) {
		case 0:
			*p = netip.Addr{}
		case 1:
			*p = netip.AddrFrom16([16]byte{byte(g.n(256)), 15: byte(g.n(256))}).WithZone(strs[g.n(len(strs))])
		default:
			*p = netip.AddrFrom4([4]byte{byte(g.n(256)), 1, 2, byte(g.n(3))})
		}
		return
	case *context.Context:
		*p = context.Background()
		return
	case *error:
		if *p = nil; g.n(2) == 0 {
			*p = errors.New("some error")
		}
		return
	}
	t := v.Type()
	switch t.Kind() {
	case reflect.Bool:
		v.SetBool(g.n(2) == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		x := int64(g.rng.Uint64())
		if g.n(2) == 0 {
			x = int64(g.n(3) - 1)
		}
		v.SetInt(x << (64 - t.Bits()) >> (64 - t.Bits()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		x := g.rng.Uint64()
		if g.n(2) == 0 {
			x = uint64(g.n(3))
		}
		v.SetUint(x << (64 - t.Bits()) >> (64 - t.Bits()))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(g.float())
	case reflect.Complex64, reflect.Complex128:
		v.SetComplex(complex(g.float(), g.float()))
	case reflect.String:
		v.SetString(strings.Clone(strs[g.n(len(strs))]))
	case reflect.Slice:
		g.slice(v)
	case reflect.Array:
		for i := range v.Len() {
			g.fill(v.Index(i))
		}
	case reflect.Struct:
		fields(v, func(_ string, f reflect.Value) { g.fill(f) })
	case reflect.Map:
		g.table(v)
	case reflect.Pointer:
		old := g.made[t]
		switch r := g.n(10); {
		case r == 0 || g.left <= 0:
		case r < 4 && len(old) > 0:
			v.Set(old[g.n(len(old))])
		default:
			g.left--
			p := reflect.New(t.Elem())
			v.Set(p.Convert(t))
			g.made[t] = append(old, v)
			cmp := g.cmp
			g.cmp = false
			g.fill(p.Elem())
			g.cmp = cmp
		}
	case reflect.Interface:
		g.iface(v)
	case reflect.Chan:
		v.Set(reflect.MakeChan(t, 1))
	case reflect.Func, reflect.UnsafePointer:
		v.SetZero()
	default:
		panic("probe: cannot make " + t.String())
	}
}

func (g *Gen) slice(v reflect.Value) {
	t := v.Type()
	old := g.made[t]
	switch r := g.n(12); {
	case r == 0 || g.left <= 0:
		return
	case r == 1:
		v.Set(reflect.MakeSlice(t, 0, 0))
		return
	case r == 2 && len(old) > 0:
		v.Set(old[g.n(len(old))])
		return
	}
	g.left--
	n, spare := 1+g.n(3), g.n(4)
	if g.Alt {
		spare = 3 - spare
	}
	s := reflect.MakeSlice(t, n, n+spare)
	v.Set(s)
	g.made[t] = append(old, s)
	for i := range n {
		g.fill(s.Index(i))
	}
}

func (g *Gen) table(v reflect.Value) {
	t := v.Type()
	old := g.made[t]
	switch r := g.n(12); {
	case r == 0 || g.left <= 0:
		return
	case r == 1:
		v.Set(reflect.MakeMap(t))
		return
	case r < 4 && len(old) > 0:
		v.Set(old[g.n(len(old))])
		return
	}
	g.left--
	m := reflect.MakeMap(t)
	v.Set(m)
	g.made[t] = append(old, m)
	var all []entry
	for range 1 + g.n(3) {
		e := entry{key: reflect.New(t.Key()).Elem(), value: reflect.New(t.Elem()).Elem()}
		cmp := g.cmp
		g.cmp = true
		g.fill(e.key)
		g.cmp = false
		g.fill(e.value)
		g.cmp = cmp
		if !m.MapIndex(e.key).IsValid() {
			m.SetMapIndex(e.key, e.value)
			all = append(all, e)
		}
	}
	if g.Alt {
		m.Clear()
		for i := range all {
			e := all[len(all)-1-i]
			m.SetMapIndex(e.key, e.value)
		}
	}
}

func (g *Gen) iface(v reflect.Value) {
	t := v.Type()
	types := g.pool.dynamic[t]
	if t.NumMethod() == 0 {
		types = g.pool.dynamic[reflect.TypeFor[any]()]
	}
	if g.cmp {
		var some []reflect.Type
		for _, d := range types {
			if d.Comparable() {
				some = append(some, d)
			}
		}
		types = some
	}
	if len(types) == 0 || g.n(8) == 0 || g.left <= 0 {
		return
	}
	g.left--
	d := reflect.New(types[g.n(len(types))]).Elem()
	g.fill(d)
	v.Set(d)
}

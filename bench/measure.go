package bench

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Ratio is the share of accesses that found their value.
type Ratio struct {
	Name             string
	Zipf, Scan, Loop float64
}

// HitRatios runs three traces of two million accesses over every bounded cache of
// 10,000 entries: zipf(1.01) over a million keys; the same with one access in five to a
// key that never comes again; and a loop over 12,000 keys.
func HitRatios(progress func(string)) []Ratio {
	const capacity, accesses = 10_000, 2_000_000
	draws := zipf(accesses)
	r := rand.New(rand.NewPCG(5, 6))
	scan := make([]int, accesses)
	next := 1_000_000
	for i := range scan {
		if r.IntN(5) == 0 {
			scan[i] = next
			next++
		} else {
			scan[i] = draws[i]
		}
	}
	loop := make([]int, accesses)
	for i := range loop {
		loop[i] = i % 12_000
	}
	keys, _ := keysOf(next)
	ratio := func(p Peer, trace []int) float64 {
		misses := 0
		get, stop := p.New(capacity, func(k Key) Quote { misses++; return compute1(k) })
		defer stop()
		for _, i := range trace {
			get(keys[i])
		}
		return 1 - float64(misses)/float64(len(trace))
	}
	var out []Ratio
	for _, p := range all() {
		if p.Bounded {
			progress(p.Name)
			out = append(out, Ratio{p.Name, ratio(p, draws), ratio(p, scan), ratio(p, loop)})
		}
	}
	return out
}

// Memory is what entries take on the heap.
type Memory struct {
	Name    string
	Bytes   float64 // per entry, its key and value included
	Entries int     // that were still there
	GC      time.Duration
}

// MemoryPerEntry fills every cache with a million entries.
func MemoryPerEntry(progress func(string)) []Memory {
	const n = 1_000_000
	var out []Memory
	for _, p := range all() {
		progress(p.Name)
		out = append(out, memory(p, n))
	}
	return out
}

func heapInUse() uint64 {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func memory(p Peer, n int) Memory {
	before := heapInUse()
	computed := 0
	get, stop := p.New(n+n/10, func(k Key) Quote { computed++; return Quote{ID: k.ID} })
	// Keys are made one at a time, so that what stays of them belongs to the cache.
	key := func(i int) Key { return Key{int64(i), string(appendName(nil, i))} }
	for i := range n {
		get(key(i))
	}
	time.Sleep(20 * time.Millisecond)
	after := heapInUse()
	start := time.Now()
	runtime.GC()
	gc := time.Since(start)
	computed = 0
	for i := 0; i < n; i += 97 {
		get(key(i))
	}
	kept := 1 - float64(computed)/float64((n+96)/97)
	m := Memory{p.Name, float64(after-before) / (float64(n) * max(kept, 0.001)), int(kept * float64(n)), gc}
	stop()
	runtime.KeepAlive(get)
	return m
}

func appendName(b []byte, i int) []byte {
	b = append(b, "customer-number-"...)
	for d := 1_000_000; d > 0; d /= 10 {
		b = append(b, byte('0'+i/d%10))
	}
	return b
}

// Stampede is what happens when 1,000 goroutines ask for one cold key together, whose
// computation takes 10 ms.
type Stampede struct {
	Name  string
	Loads int64
	Wall  time.Duration
}

// Stampedes lets them ask.
func Stampedes() []Stampede {
	var out []Stampede
	for _, p := range all() {
		var loads atomic.Int64
		get, stop := p.New(1000, func(k Key) Quote {
			loads.Add(1)
			time.Sleep(10 * time.Millisecond)
			return compute1(k)
		})
		var ready, done sync.WaitGroup
		gate := make(chan struct{})
		for range 1000 {
			ready.Add(1)
			done.Go(func() {
				ready.Done()
				<-gate
				get(Key{1, "cold"})
			})
		}
		ready.Wait()
		start := time.Now()
		close(gate)
		done.Wait()
		out = append(out, Stampede{p.Name, loads.Load(), time.Since(start)})
		stop()
	}
	return out
}

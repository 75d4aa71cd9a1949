package bench

import (
	"bufio"
	"bytes"
	"container/heap"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cachegen/cachegen/cache"
	"github.com/hashicorp/golang-lru/arc/v2"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/maypok86/otter/v2"
)

// A Trace is the keys that a program asked its cache for, one after the other, numbered from 0 in
// the order in which they came first.
type Trace struct {
	Name string
	Keys []int32
	N    int // different keys
}

// NewTrace numbers keys.
func NewTrace(name string, keys []uint64) Trace {
	numbers := map[uint64]int32{}
	t := Trace{Name: name, Keys: make([]int32, len(keys))}
	for i, k := range keys {
		n, ok := numbers[k]
		if !ok {
			n = int32(len(numbers))
			numbers[k] = n
		}
		t.Keys[i] = n
	}
	t.N = len(numbers)
	return t
}

// ReadTrace reads a file of one of the formats that Caffeine's simulator reads, told by how its
// name begins: cache2k (big-endian 32 bits), corda (big-endian 64 bits), address (text, an address
// in hexadecimal in the second column), lirs (a decimal a line). A name that ends in .xz is
// unpacked by the command xz.
func ReadTrace(path string) (Trace, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Trace{}, err
	}
	name := filepath.Base(path)
	if strings.HasSuffix(name, ".xz") {
		cmd := exec.Command("xz", "-dc")
		cmd.Stdin, cmd.Stderr = bytes.NewReader(b), os.Stderr
		if b, err = cmd.Output(); err != nil {
			return Trace{}, fmt.Errorf("%s: xz -dc: %w", path, err)
		}
		name = strings.TrimSuffix(name, ".xz")
	}
	name = strings.TrimSuffix(name, ".trace")
	var keys []uint64
	lines := func(key func(line string) (uint64, bool, error)) error {
		s := bufio.NewScanner(bytes.NewReader(b))
		for n := 1; s.Scan(); n++ {
			k, ok, err := key(strings.TrimSpace(s.Text()))
			if err != nil {
				return fmt.Errorf("%s:%d: %w", path, n, err)
			}
			if ok {
				keys = append(keys, k)
			}
		}
		return s.Err()
	}
	switch {
	case strings.HasPrefix(name, "cache2k"):
		for ; len(b) >= 4; b = b[4:] {
			keys = append(keys, uint64(binary.BigEndian.Uint32(b)))
		}
	case strings.HasPrefix(name, "corda"):
		for ; len(b) >= 8; b = b[8:] {
			keys = append(keys, binary.BigEndian.Uint64(b))
		}
	case strings.HasPrefix(name, "address"):
		err = lines(func(line string) (uint64, bool, error) {
			f := strings.Fields(line)
			if len(f) < 2 {
				return 0, false, nil
			}
			k, err := strconv.ParseUint(strings.TrimPrefix(f[1], "0x"), 16, 64)
			return k, true, err
		})
	case strings.HasPrefix(name, "lirs"):
		err = lines(func(line string) (uint64, bool, error) {
			if line == "" || strings.HasPrefix(line, "*") {
				return 0, false, nil
			}
			k, err := strconv.ParseUint(line, 10, 64)
			return k, true, err
		})
	default:
		err = fmt.Errorf("%s: its name begins with none of cache2k, corda, address, lirs, which tell the format", path)
	}
	if err == nil && len(keys) == 0 {
		err = fmt.Errorf("%s: no keys in it", path)
	}
	return NewTrace(name, keys), err
}

// Optimum is how many of the accesses a cache of size entries can find at most: with Belady's
// rule, which drops what is needed last, and does not keep what is needed later than all others.
func Optimum(t Trace, size int) (hits int) {
	const never = int32(1<<31 - 1)
	next := make([]int32, len(t.Keys))
	seen := make([]int32, t.N)
	for i := range seen {
		seen[i] = never
	}
	for i := len(t.Keys) - 1; i >= 0; i-- {
		next[i] = seen[t.Keys[i]]
		seen[t.Keys[i]] = int32(i)
	}
	needed := make([]int32, t.N) // when a kept key is needed next; 0: it is not kept
	kept := 0
	var latest latestFirst // with what is out of date
	for i, k := range t.Keys {
		if needed[k] != 0 {
			hits++
			needed[k] = 0
			kept--
		}
		if next[i] == never {
			continue
		}
		for kept == size {
			top := latest[0]
			if needed[top.key] != top.at {
				heap.Pop(&latest)
				continue
			}
			if top.at < next[i] {
				break
			}
			heap.Pop(&latest)
			needed[top.key] = 0
			kept--
		}
		if kept < size {
			needed[k] = next[i]
			kept++
			heap.Push(&latest, use{k, next[i]})
		}
	}
	return hits
}

type use struct{ key, at int32 }

type latestFirst []use

func (l latestFirst) Len() int           { return len(l) }
func (l latestFirst) Less(i, j int) bool { return l[i].at > l[j].at }
func (l latestFirst) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }
func (l *latestFirst) Push(x any)        { *l = append(*l, x.(use)) }
func (l *latestFirst) Pop() any {
	x := (*l)[len(*l)-1]
	*l = (*l)[:len(*l)-1]
	return x
}

// TracePeers are the bounded caches that traces are run over: the generated wrapper first, then
// those that are measured elsewhere, and policies that only matter here. What otter does behind
// is done at once.
func TracePeers() []Peer {
	peers := []Peer{{Name: "cachegen", New: newTraced}}
	for _, p := range []Peer{
		{Name: "otter", New: newOtterAtOnce},
		{Name: "theine", New: newTheine},
		{Name: "ristretto", New: newRistretto},
		{Name: "phuslu", New: newPhuslu},
		{Name: "lru", New: newHashicorp},
		{Name: "2q", New: new2Q},
		{Name: "arc", New: newARC},
	} {
		if strings.Contains(p.Name, Only) {
			peers = append(peers, p)
		}
	}
	return peers
}

// Misses runs t over a cache of size entries.
func Misses(p Peer, t Trace, size int) (misses int) {
	get, stop := p.New(size, func(k Key) Quote { misses++; return compute1(k) })
	defer stop()
	for _, k := range t.Keys {
		get(Key{ID: int64(k)})
	}
	return misses
}

func newTraced(capacity int, load func(Key) Quote) (func(Key) Quote, func()) {
	if err := cache.Configure(QuoteOfTraceCache.Stats().Func, cache.Override{Max: capacity}); err != nil {
		panic(err)
	}
	compute.Store(&load)
	QuoteOfTraceCache.Clear()
	return func(k Key) Quote { return QuoteOfTrace(k.ID) }, QuoteOfTraceCache.Clear
}

func newOtterAtOnce(capacity int, load func(Key) Quote) (func(Key) Quote, func()) {
	c := otter.Must(&otter.Options[Key, Quote]{MaximumSize: capacity, Executor: func(f func()) { f() }})
	return func(k Key) Quote {
		v, ok := c.GetIfPresent(k)
		if !ok {
			v = load(k)
			c.Set(k, v)
		}
		return v
	}, func() { c.StopAllGoroutines() }
}

// simple is a cache that neither computes nor forgets with time.
type simple interface {
	Get(Key) (Quote, bool)
	Add(Key, Quote)
}

func over(c simple, load func(Key) Quote) (func(Key) Quote, func()) {
	return func(k Key) Quote {
		v, ok := c.Get(k)
		if !ok {
			v = load(k)
			c.Add(k, v)
		}
		return v
	}, func() {}
}

func new2Q(capacity int, load func(Key) Quote) (func(Key) Quote, func()) {
	c, err := lru.New2Q[Key, Quote](capacity)
	if err != nil {
		panic(err)
	}
	return over(c, load)
}

func newARC(capacity int, load func(Key) Quote) (func(Key) Quote, func()) {
	c, err := arc.NewARC[Key, Quote](capacity)
	if err != nil {
		panic(err)
	}
	return over(c, load)
}

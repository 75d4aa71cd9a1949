package bench

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOptimum(t *testing.T) {
	for _, c := range []struct {
		keys string
		size int
		want int
	}{
		{"aaaa", 1, 3},
		{"abab", 1, 1},
		{"abcabcabc", 2, 4},
		{"abcdabcdabcd", 3, 6},
		{"abacad", 1, 2},
		{"abcd", 4, 0},
	} {
		var keys []uint64
		for _, k := range c.keys {
			keys = append(keys, uint64(k))
		}
		if got := Optimum(NewTrace("", keys), c.size); got != c.want {
			t.Errorf("%s with %d entries: %d hits, want %d", c.keys, c.size, got, c.want)
		}
	}
}

func TestReadTrace(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"cache2k_x.trace": "\x00\x00\x00\x07\x00\x00\x00\x08\x00\x00\x00\x07",
		"corda_x":         "\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x01\x08\x00\x00\x00\x00\x00\x00\x00\x07",
		"address_x.trace": "s 0x1f 1\nl 0x2f 1\ns 0x1f 4\n",
		"lirs_x.trace":    "7\n*\n\n8\n7\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := ReadTrace(path)
		if err != nil || got.N != 2 || len(got.Keys) != 3 || got.Keys[0] != 0 || got.Keys[1] != 1 || got.Keys[2] != 0 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	bad := filepath.Join(dir, "lirs_bad.trace")
	if err := os.WriteFile(bad, []byte("7\nseven\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadTrace(bad); err == nil || !strings.Contains(err.Error(), "lirs_bad.trace:2: ") {
		t.Errorf("an error of %v", err)
	}
	other := filepath.Join(dir, "other")
	if err := os.WriteFile(other, []byte("7\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadTrace(other); err == nil || !strings.Contains(err.Error(), "cache2k") {
		t.Errorf("an error of %v", err)
	}
}

// The generated wrapper finds as much as the best of its peers, less half a point, on traces
// of the kinds on which one or the other of them fails.
func TestTracesOfAnyKind(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	z := rand.NewZipf(r, 1.1, 1, 20_000)
	var loop, scan, popular, recent []uint64
	for i := range 100_000 {
		loop = append(loop, uint64(i%1000))
		k := z.Uint64()
		popular = append(popular, k)
		scan = append(scan, k)
		if i%4 == 0 {
			scan = append(scan, 1<<40+uint64(i))
		}
		if back := int(r.ExpFloat64() * 200); r.IntN(10) < 7 && back < len(recent) {
			recent = append(recent, recent[len(recent)-1-back])
		} else {
			recent = append(recent, uint64(i))
		}
	}
	for _, c := range []struct {
		trace Trace
		size  int
	}{
		{NewTrace("loop", loop), 200},
		{NewTrace("loop", loop), 500},
		{NewTrace("popular", popular), 500},
		{NewTrace("scan", scan), 500},
		{NewTrace("recent", recent), 1000},
	} {
		n := float64(len(c.trace.Keys)) / 100
		var ours, best float64
		var whose string
		for _, p := range TracePeers() {
			switch hits := float64(len(c.trace.Keys)-Misses(p, c.trace, c.size)) / n; {
			case p.Name == "cachegen":
				ours = hits
			case hits > best && (p.Name == "otter" || p.Name == "lru"):
				best, whose = hits, p.Name
			}
		}
		t.Logf("%s, %d entries: %.2f, %s %.2f, optimum %.2f", c.trace.Name, c.size, ours, whose, best, float64(Optimum(c.trace, c.size))/n)
		if ours < best-0.5 {
			t.Errorf("%s, %d entries: %.2f %% of the accesses are hits, %s has %.2f", c.trace.Name, c.size, ours, whose, best)
		}
	}
}

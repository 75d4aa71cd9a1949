package cachetest

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	cachert "github.com/cachegen/cachegen/runtime"
)

var isolateRuns, isolateReleased atomic.Int32

type isolateOps struct{}

func (isolateOps) Release(any) { isolateReleased.Add(1) }

// isolateSite is a cache as every program has them: it belongs to the process.
var isolateSite = cachert.New[string, int](isolateOps{}, cachert.Options{Func: "isolate", TTL: time.Minute, Grace: time.Minute})

func isolateLoad() int {
	v, _ := isolateSite.Do(1, "k", &cachert.Call{Run: func(_ context.Context, v any) error {
		*v.(*int) = int(isolateRuns.Add(1))
		return nil
	}})
	return v
}

func TestIsolate(t *testing.T) {
	for i := range 3 {
		synctest.Test(t, func(t *testing.T) {
			Isolate(t)
			first := isolateLoad()
			if first != 2*i+1 || isolateLoad() != first {
				t.Errorf("bubble %d got %d: what another one left", i, first)
			}
			if s := isolateSite.Stats(); s.Hits != 1 || s.Misses != 1 {
				t.Errorf("%+v", s)
			}
			time.Sleep(time.Minute) // its expiry is exact, and its timers are alive
			if isolateLoad() != first+1 {
				t.Error("not expired")
			}
		})
		if n := isolateReleased.Load(); int(n) != 2*i+2 {
			t.Errorf("%d values released after bubble %d", n, i)
		}
	}
}

func TestIsolateNested(t *testing.T) {
	Isolate(t)
	isolateLoad()
	t.Run("inner", func(t *testing.T) {
		Isolate(t) // its turn is the outer test's
		if isolateSite.Stats().Entries != 0 {
			t.Error("not empty")
		}
	})
}

// Subtests that run in parallel take turns inside of the test that has the caches, as
// tests do.
func TestIsolateNestedInParallel(t *testing.T) {
	Isolate(t)
	for range 2 {
		t.Run("inner", func(t *testing.T) {
			t.Parallel()
			for range 20 {
				t.Run("innermost", func(t *testing.T) {
					Isolate(t)
					first := isolateLoad()
					time.Sleep(0)
					if isolateLoad() != first || isolateSite.Stats().Misses != 1 {
						t.Error("another test is seen")
					}
				})
			}
		})
	}
}

const misusedIsolate = "CACHETEST_MISUSE"

// TestMisuseOfIsolate is what TestIsolateAndParallel runs in a process of its own.
func TestMisuseOfIsolate(t *testing.T) {
	c := os.Getenv(misusedIsolate)
	if c == "" {
		t.Skip("it fails; TestIsolateAndParallel runs it")
	}
	run := func(name string, before, after func(*testing.T)) {
		t.Run(name, func(t *testing.T) {
			before(t)
			after(t)
			isolateLoad()
		})
	}
	isolate := func(t *testing.T) { Isolate(t) }
	switch c {
	case "after":
		run("a", isolate, (*testing.T).Parallel)
		run("b", isolate, func(*testing.T) {})
	case "after, around":
		t.Parallel()
		run("a", isolate, (*testing.T).Parallel)
		run("b", isolate, func(*testing.T) {})
	case "before":
		run("a", (*testing.T).Parallel, isolate)
		run("b", isolate, func(*testing.T) {})
		run("c", (*testing.T).Parallel, isolate)
	}
}

// A test that calls t.Parallel after Isolate comes to no standstill: it fails at once, and
// says what to do. Before Isolate it may.
func TestIsolateAndParallel(t *testing.T) {
	for misuse, says := range map[string]string{
		"after":         "cachetest.Isolate: call t.Parallel before Isolate, not after it",
		"after, around": "TestMisuseOfIsolate/a has the caches, and is paused by t.Parallel; call t.Parallel before cachetest.Isolate there",
		"before":        "PASS",
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestMisuseOfIsolate$", "-test.timeout=1m")
		cmd.Env = append(os.Environ(), misusedIsolate+"="+misuse)
		out, err := cmd.CombinedOutput()
		if !strings.Contains(string(out), says) || (err == nil) != (misuse == "before") || strings.Contains(string(out), "timed out") {
			t.Errorf("t.Parallel %s Isolate: %v\n%s", misuse, err, out)
		}
	}
}

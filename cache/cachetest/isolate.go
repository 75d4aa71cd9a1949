package cachetest

import (
	"bytes"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/cachegen/cachegen/internal/isolate"
)

// A turn is that of a test which has the caches to itself, or shares them with the tests
// inside of it, which take turns in their turn. The first one is that of the process.
type turn struct {
	taken sync.Mutex // held by the test that is inner

	// under turns
	name      string
	goroutine string // that called Isolate, as stacks name it
	inner     *turn
}

var (
	turns sync.Mutex
	first turn
)

// Isolate gives the test, and its subtests, caches of their own: every cache of the process
// is empty when it returns, and what the test puts in is gone when the test ends, with
// values released and statistics at zero. Tests that are isolated take turns.
//
// Call it at the start of a test that counts computations, and of every testing/synctest
// bubble, inside of it: entries and timers of one bubble are of no use in another. A
// test that uses the same functions, runs in parallel and is not isolated can still be
// seen.
//
// A test that is parallel calls t.Parallel first, and Isolate then. The other way round it
// would be paused while it has the caches, and the tests that let it go on might
// be waiting for them. So t.Parallel panics after Isolate, as it does after t.Setenv; where
// only a test around it is parallel, the next test that calls Isolate meanwhile fails
// instead. A test keeps its place among those that -parallel lets run while it waits for its
// turn, so an isolated test should have no parallel subtests.
func Isolate(t testing.TB) {
	t.Helper()
	denyParallel(t)
	turns.Lock()
	around := &first
	for in := around.inner; in != nil && strings.HasPrefix(t.Name()+"/", in.name+"/"); in = in.inner {
		around = in
	}
	turns.Unlock()
	if !around.taken.TryLock() {
		turns.Lock()
		if in := around.inner; in != nil && isPaused(in.goroutine) {
			name := in.name
			turns.Unlock()
			t.Fatalf("cachetest.Isolate: %s has the caches, and is paused by t.Parallel; call t.Parallel before cachetest.Isolate there", name)
		}
		turns.Unlock()
		around.taken.Lock()
	}
	turns.Lock()
	around.inner = &turn{name: t.Name(), goroutine: goroutine()}
	turns.Unlock()
	isolate.Reset()
	t.Cleanup(func() {
		isolate.Reset()
		turns.Lock()
		around.inner = nil
		turns.Unlock()
		around.taken.Unlock()
	})
}

// denyParallel has t.Parallel panic from here on, unless t or a test around it is parallel.
func denyParallel(t testing.TB) {
	if _, ok := t.(interface{ Parallel() }); !ok {
		return
	}
	defer func() { _ = recover() }() // it is parallel already
	t.Setenv("CACHEGEN_ISOLATED", t.Name())
	t.Cleanup(func() {
		if calledIn("testing.(*T).Parallel") {
			t.Log("cachetest.Isolate: call t.Parallel before Isolate, not after it")
		}
	})
}

// calledIn reports whether the function of that name is on the stack.
func calledIn(function string) bool {
	pc := make([]uintptr, 100)
	frames := runtime.CallersFrames(pc[:runtime.Callers(1, pc)])
	for {
		f, more := frames.Next()
		if f.Function == function {
			return true
		}
		if !more {
			return false
		}
	}
}

// goroutine returns how stacks name this goroutine.
func goroutine() string {
	stack := make([]byte, 64)
	name, _, _ := strings.Cut(string(stack[:runtime.Stack(stack, false)]), "[")
	return name
}

// isPaused reports whether that goroutine is in t.Parallel.
func isPaused(goroutine string) bool {
	stacks := make([]byte, 1<<20)
	for {
		n := runtime.Stack(stacks, true)
		if n < len(stacks) {
			stacks = stacks[:n]
			break
		}
		stacks = make([]byte, 2*len(stacks))
	}
	for stack := range bytes.SplitSeq(stacks, []byte("\n\n")) {
		if bytes.HasPrefix(stack, []byte(goroutine)) {
			return bytes.Contains(stack, []byte("testing.(*T).Parallel("))
		}
	}
	return false
}

package cachetest

import (
	"strings"
	"sync"
	"testing"

	"github.com/cachegen/cachegen/runtime/internal/isolate"
)

// isolated is the test that has the caches to itself.
var isolated struct {
	turn sync.Mutex // held by that test
	sync.Mutex
	name string
}

// Isolate gives the test, and its subtests, caches of their own: every cache of the process
// is empty when it returns, and what the test puts in is gone when the test ends, with
// values released and statistics at zero. Tests that are isolated take turns.
//
// Call it at the start of a test that counts computations, and of every testing/synctest
// bubble, inside of it: entries and timers of one bubble are of no use in another. A
// test that uses the same functions, runs in parallel and is not isolated can still be
// seen.
func Isolate(t testing.TB) {
	t.Helper()
	isolated.Lock()
	nested := isolated.name != "" && strings.HasPrefix(t.Name()+"/", isolated.name+"/")
	isolated.Unlock()
	if !nested {
		isolated.turn.Lock()
		isolated.Lock()
		isolated.name = t.Name()
		isolated.Unlock()
	}
	isolate.Reset()
	t.Cleanup(func() {
		isolate.Reset()
		if !nested {
			isolated.Lock()
			isolated.name = ""
			isolated.Unlock()
			isolated.turn.Unlock()
		}
	})
}

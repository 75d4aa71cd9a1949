package cachert

import "testing"

// DropSites takes the sites that t makes from here on out of the process at its end.
func DropSites(t *testing.T) {
	n := len(allStores())
	t.Cleanup(func() {
		stores.Lock()
		defer stores.Unlock()
		stores.all = stores.all[:n:n]
	})
}

// Silence keeps t's messages from being printed.
func Silence(t *testing.T) {
	old := logf
	logf = func(string, ...any) {}
	t.Cleanup(func() { logf = old })
}

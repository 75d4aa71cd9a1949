package load

import "testing"

// TestConstraintsThatNoBuildSatisfies asks of pairs of constraints whether some build has both, in both orders.
func TestConstraintsThatNoBuildSatisfies(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"", "", true},
		{"linux", "", true},
		{"linux", "linux", true},
		{"linux", "windows", false},
		{"linux", "!linux", false},
		{"linux && amd64", "linux", true},
		{"linux && amd64", "linux && arm64", false},
		{"amd64", "windows", true},
		{"unix", "windows", false},
		{"unix", "linux", true},
		{"!unix", "js || wasip1", true},
		{"!unix", "darwin || ios", false},
		{"android", "linux", true}, // linux holds for android
		{"ios", "!darwin", false},
		{"illumos", "solaris", true},
		{"android && !linux", "", false},
		{"debug", "!debug", false},
		{"debug", "trace", true},
		{"linux || debug", "windows && !debug", false},
		{"linux || debug", "windows", true},
		{"cgo", "!cgo", false},
		{"gc", "gccgo", false},
		{"!gc && !gccgo", "", false},
		{"go1.21", "go1.25", true},
		{"go1.21", "!go1.20", false}, // who has 1.21 has 1.20
		{"go1.20", "!go1.21", true},
		{"!go1.20", "", true},
		{"a && b && c && d && e && f && g && h && i", "!a", true}, // not tried
		{"a && b && c && d && e && f && g && h", "!a", false},
	} {
		if got := satisfiable(c.a, c.b); got != c.want {
			t.Errorf("%q with %q: %v", c.a, c.b, got)
		}
		if got := satisfiable(c.b, c.a); got != c.want {
			t.Errorf("%q with %q: %v", c.b, c.a, got)
		}
	}
}

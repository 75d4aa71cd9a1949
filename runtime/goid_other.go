//go:build !amd64 && !arm64

package cachert

import "runtime"

// goroutine returns a number that no other living goroutine has: the one in the first
// line of its trace.
func goroutine() (id uintptr) {
	var buf [64]byte
	line := buf[:runtime.Stack(buf[:], false)]
	for _, c := range line[len("goroutine "):] {
		if c < '0' || c > '9' {
			break
		}
		id = id*10 + uintptr(c-'0')
	}
	return id
}

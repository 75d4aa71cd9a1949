//go:build amd64 || arm64

package cachert

// goroutine returns a number that no other living goroutine has: where the scheduler
// keeps its record.
func goroutine() uintptr

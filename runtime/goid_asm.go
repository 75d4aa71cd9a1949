//go:build amd64 || arm64

package cache

// goroutine returns a number that no other living goroutine has: where the scheduler
// keeps its record.
func goroutine() uintptr

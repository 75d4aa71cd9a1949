package cachert

import (
	"testing"
	"unsafe"
)

// Most of what a miss allocates is its flight and its caller, and its entry may get a meta. Each
// fills the size class that it is allocated in: what grows out of it costs every miss.
func TestSizesOfAMiss(t *testing.T) {
	for _, x := range []struct {
		of         string
		size, most uintptr
	}{
		{"flight", unsafe.Sizeof(flight{}), 480},
		{"caller", unsafe.Sizeof(caller{}), 160},
		{"frame", unsafe.Sizeof(frame{}), 160},
		{"facts", unsafe.Sizeof(facts{}), 56},
		{"meta", unsafe.Sizeof(meta{}), 32},
		{"extra", unsafe.Sizeof(extra{}), 80},
		{"labelled", unsafe.Sizeof(labelled{}), 64},
	} {
		if t.Log(x.of, x.size); x.size > x.most {
			t.Errorf("a %s takes %d bytes, not %d", x.of, x.size, x.most)
		}
	}
}

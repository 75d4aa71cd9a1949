package value

import (
	"testing"
	"unsafe"
)

// Two types of which one contains the other by value, and is reached from it by pointer:
// whichever is met first, both are copied to the bottom.
type (
	outerPart struct {
		To   *innerPart
		Map  map[*innerPart]int
		List []int
	}
	innerPart struct {
		Two [2]outerPart
		N   int
	}
)

func TestCopyTypesThatContainEachOther(t *testing.T) {
	inner := outerPart{List: []int{1}}
	h := outerPart{To: &innerPart{Two: [2]outerPart{inner}}}
	h.Map = map[*innerPart]int{{Two: [2]outerPart{1: {List: []int{2}}}}: 1}
	c := NewCopier("")
	w := CopyOf(c, h)
	if err := c.Done(); err != nil {
		t.Fatal(err)
	}
	w.To.Two[0].List[0] = 100
	for k := range w.Map {
		k.Two[1].List[0] = 100
	}
	if h.To.Two[0].List[0] != 1 {
		t.Error("a slice behind a pointer is shared with the copy")
	}
	for k := range h.Map {
		if k.Two[1].List[0] != 2 {
			t.Error("a slice behind a map's key is shared with the copy")
		}
	}
	z := SizeAny(&h)
	h.To.Two[0].List = make([]int, 1000)
	if SizeAny(&h) < z+900*int64(unsafe.Sizeof(0)) {
		t.Error("a slice behind a pointer has no size")
	}
}

package output

import "testing"

func TestOldLineIsFound(t *testing.T) {
	c := Change{Old: []byte("a\n// F\nfunc F\nz\nend\n"), New: []byte("a\n// FU\n//\n//cache\nfunc FU\nz\nnew\nend\n")}
	for n, want := range map[int]int{1: 1, 2: 2, 3: 2, 4: 2, 5: 3, 6: 4, 7: 5, 8: 5, 99: 5} {
		if got := OldLine(c, n); got != want {
			t.Errorf("line %d was %d, want %d", n, got, want)
		}
	}
}

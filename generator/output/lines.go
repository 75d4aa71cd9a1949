package output

// OldLine returns the line of c.Old that line n of c.New, counted from 1, was before; for a line
// that is new, the next one below it that is not.
func OldLine(c Change, n int) int {
	a, b := splitLines(c.Old), splitLines(c.New)
	for _, e := range edits(a, b) {
		if e.kind == ' ' && e.b+1 >= n {
			return e.a + 1
		}
	}
	return max(1, len(a))
}

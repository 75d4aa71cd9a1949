package output

// OldLine returns the line of c.Old that line n of c.New, counted from 1, was before. A changed
// line is the one in its place, a block of them being lined up at its end; a line that
// is new is the next one below that is not.
func OldLine(c Change, n int) int {
	a, b := linesOf(c.Old), linesOf(c.New)
	ops := edits(a, b)
	for i := 0; i < len(ops); {
		if ops[i].kind == ' ' {
			if ops[i].b+1 >= n {
				return ops[i].a + 1
			}
			i++
			continue
		}
		var gone, come []int // a block of differences
		for ; i < len(ops) && ops[i].kind != ' '; i++ {
			if ops[i].kind == '-' {
				gone = append(gone, ops[i].a+1)
			} else {
				come = append(come, ops[i].b+1)
			}
		}
		for j, l := range come {
			if l == n && len(gone) > 0 {
				return gone[max(0, len(gone)-(len(come)-j))]
			}
		}
	}
	return max(1, len(a))
}

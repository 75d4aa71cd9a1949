package output

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// contextLines is how many equal lines a diff shows around a difference.
const contextLines = 3

// Diff returns the unified diff of a change under the given name, "" if there is none.
// The old side of a new file, and the new side of a removed one, is /dev/null.
func Diff(name string, c Change) string {
	if (c.Old == nil) == (c.New == nil) && bytes.Equal(c.Old, c.New) {
		return ""
	}
	a, b := linesOf(c.Old), linesOf(c.New)
	var out strings.Builder
	from, to := "a/"+name, "b/"+name
	if c.Old == nil {
		from = "/dev/null"
	}
	if c.New == nil {
		to = "/dev/null"
	}
	fmt.Fprintf(&out, "--- %s\n+++ %s\n", from, to)
	ops := edits(a, b)
	for i := 0; i < len(ops); {
		if ops[i].kind == ' ' {
			i++
			continue
		}
		// A hunk goes on until more equal lines follow than two contexts hold.
		start := max(0, i-contextLines)
		end, equal := i, 0
		for j := i; j < len(ops) && equal <= 2*contextLines; j++ {
			if ops[j].kind == ' ' {
				equal++
			} else {
				equal = 0
				end = j + 1
			}
		}
		stop := min(len(ops), end+contextLines)
		hunk := ops[start:stop]
		var na, nb int
		for _, o := range hunk {
			if o.kind != '+' {
				na++
			}
			if o.kind != '-' {
				nb++
			}
		}
		fmt.Fprintf(&out, "@@ -%s +%s @@\n", span(hunk[0].a, na), span(hunk[0].b, nb))
		for _, o := range hunk {
			line := ""
			if o.kind == '+' {
				line = b[o.b]
			} else {
				line = a[o.a]
			}
			out.WriteByte(o.kind)
			out.WriteString(line)
			if !strings.HasSuffix(line, "\n") {
				out.WriteString("\n\\ No newline at end of file\n")
			}
		}
		i = stop
	}
	return out.String()
}

// span writes the place of a hunk on one side: its first line, counted from 1, and how
// many there are.
func span(start, n int) string {
	switch n {
	case 0:
		return fmt.Sprintf("%d,0", start)
	case 1:
		return fmt.Sprint(start + 1)
	}
	return fmt.Sprintf("%d,%d", start+1, n)
}

// linesOf cuts text into lines, each with its line end if it has one.
func linesOf(b []byte) []string { return slices.Collect(strings.Lines(string(b))) }

// edit is one line of a diff: kind is ' ', '-' or '+', a and b are the lines' indices.
type edit struct {
	kind byte
	a, b int
}

// maxDistance bounds the work of finding the shortest diff; files that differ by more
// lines are shown as one block replaced by another between what they have in common at
// both ends.
const maxDistance = 2000

// edits returns how a becomes b, shortest first (E. Myers, An O(ND) difference
// algorithm, 1986).
func edits(a, b []string) []edit {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var ops []edit
	for i := range head {
		ops = append(ops, edit{' ', i, i})
	}
	ops = append(ops, middle(a, b, head, len(a)-tail, len(b)-tail)...)
	for i := range tail {
		ops = append(ops, edit{' ', len(a) - tail + i, len(b) - tail + i})
	}
	return ops
}

// middle diffs a[start:endA] and b[start:endB].
func middle(a, b []string, start, endA, endB int) []edit {
	n, m := endA-start, endB-start
	var trace [][]int
	v := map[int]int{1: 0}
	for d := 0; d <= n+m; d++ {
		if d > maxDistance {
			break
		}
		row := make([]int, 2*d+1) // the furthest x on diagonal k, at k+d
		for k := -d; k <= d; k += 2 {
			x := 0
			if k == -d || k != d && v[k-1] < v[k+1] {
				x = v[k+1]
			} else {
				x = v[k-1] + 1
			}
			y := x - k
			for x < n && y < m && a[start+x] == b[start+y] {
				x++
				y++
			}
			v[k] = x
			row[k+d] = x
			if x >= n && y >= m {
				return backtrack(append(trace, row), start, n, m)
			}
		}
		trace = append(trace, row)
	}
	var ops []edit
	for i := range n {
		ops = append(ops, edit{'-', start + i, start})
	}
	for i := range m {
		ops = append(ops, edit{'+', start + n, start + i})
	}
	return ops
}

// backtrack follows the rows of middle from the end to the start.
func backtrack(trace [][]int, start, x, y int) []edit {
	var reversed []edit
	for d := len(trace) - 1; d > 0; d-- {
		prev := trace[d-1]
		at := func(k int) int {
			if k < -(d-1) || k > d-1 {
				return -1
			}
			return prev[k+d-1]
		}
		k := x - y
		from := k - 1
		if k == -d || k != d && at(k-1) < at(k+1) {
			from = k + 1
		}
		px := at(from)
		py := px - from
		for x > px && y > py && (from == k-1 && x > px+1 || from == k+1 && y > py+1) {
			x--
			y--
			reversed = append(reversed, edit{' ', start + x, start + y})
		}
		if from == k-1 {
			x--
			reversed = append(reversed, edit{'-', start + x, start + y})
		} else {
			y--
			reversed = append(reversed, edit{'+', start + x, start + y})
		}
	}
	for x > 0 && y > 0 {
		x--
		y--
		reversed = append(reversed, edit{' ', start + x, start + y})
	}
	for i, j := 0, len(reversed)-1; i < j; i, j = i+1, j-1 {
		reversed[i], reversed[j] = reversed[j], reversed[i]
	}
	return reversed
}

// Package diag makes all diagnostics of the generator. A diagnostic has a position, a
// severity, a stable code, a message and a remedy.
//
// Every code is declared once, in the codes files, with its title and a way out, so that
// a message, the help and a machine-readable report cannot drift apart.
package diag

import (
	"cmp"
	"go/token"
	"slices"
)

// Severity says whether a diagnostic stops the run.
type Severity int

const (
	// Error stops the run: nothing is written.
	Error Severity = iota
	// Warning is reported and does not stop the run.
	Warning
)

// Related is a second place that a diagnostic speaks of, such as the other of two
// options that contradict each other.
type Related struct {
	Pos     token.Position
	Message string
}

// Diagnostic is one finding. Message says what was found, in lower case and
// without a final dot; Hint says what to do next.
type Diagnostic struct {
	Pos      token.Position // where; Filename is absolute until it is rendered
	Severity Severity
	Code     Code
	Message  string
	Hint     string
	Related  []Related
}

// Sort orders diagnostics by file, line, column, code and message, and merges repeated ones
// into one that has the related places of all.
func Sort(ds []Diagnostic) []Diagnostic {
	slices.SortFunc(ds, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Pos.Filename, b.Pos.Filename),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column),
			cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.Message, b.Message),
		)
	})
	kept := ds[:0]
	for _, d := range ds {
		last := len(kept) - 1
		if last < 0 || kept[last].Pos != d.Pos || kept[last].Code != d.Code || kept[last].Message != d.Message {
			kept = append(kept, d)
			continue
		}
		for _, r := range d.Related {
			if !slices.Contains(kept[last].Related, r) {
				kept[last].Related = append(slices.Clip(kept[last].Related), r)
			}
		}
	}
	clear(ds[len(kept):])
	return kept
}

// HasErrors reports whether any of ds is an error.
func HasErrors(ds []Diagnostic) bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Severity == Error })
}

package diag

import (
	"fmt"
	"go/token"
	"slices"
)

// Code names a kind of diagnostic. Codes are stable: a code is never given to
// another kind of finding, and scripts may match on them.
//
// The first digit says which room speaks: CG1 the text of a directive (CG15 options
// that contradict each other), CG2 loading and files, CG3 names and signatures,
// CG4 keys, CG5 values, CG6 drawing functions, CG7 rewriting of source, CG9 a fault of
// cachegen itself.
type Code string

// Info is what is declared of a code.
type Info struct {
	Code  Code
	Title string // what kind of finding it is, a short phrase
	Hint  string // what to do next, unless the diagnostic says something more precise
}

var declared = map[Code]Info{}

// declare makes a code known. A code that is declared twice is a fault of the
// program and stops it at start-up.
func declare(c Code, title, hint string) Code {
	if _, ok := declared[c]; ok {
		panic(fmt.Sprintf("diag: code %s is declared twice", c))
	}
	declared[c] = Info{c, title, hint}
	return c
}

// Info returns what was declared of the code.
func (c Code) Info() Info { return declared[c] }

// Codes returns every declared code, sorted.
func Codes() []Info {
	all := make([]Info, 0, len(declared))
	for _, i := range declared {
		all = append(all, i)
	}
	slices.SortFunc(all, func(a, b Info) int {
		if a.Code < b.Code {
			return -1
		}
		return 1
	})
	return all
}

// Errorf makes an error at pos, with the hint that the code declares.
func Errorf(pos token.Position, c Code, format string, args ...any) Diagnostic {
	return Diagnostic{Pos: pos, Severity: Error, Code: c, Message: fmt.Sprintf(format, args...), Hint: c.Info().Hint}
}

// Warnf makes a warning at pos, with the hint that the code declares.
func Warnf(pos token.Position, c Code, format string, args ...any) Diagnostic {
	d := Errorf(pos, c, format, args...)
	d.Severity = Warning
	return d
}

// WithHint returns d with another way out than its code declares.
func (d Diagnostic) WithHint(format string, args ...any) Diagnostic {
	d.Hint = fmt.Sprintf(format, args...)
	return d
}

// WithRelated returns d with a further place that it speaks of.
func (d Diagnostic) WithRelated(pos token.Position, format string, args ...any) Diagnostic {
	d.Related = append(slices.Clip(d.Related), Related{pos, fmt.Sprintf(format, args...)})
	return d
}

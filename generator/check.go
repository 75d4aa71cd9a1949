package generator

import (
	"go/token"
	"path/filepath"

	"github.com/cachegen/cachegen/generator/diag"
)

// Differences returns a diagnostic for each generated file that is not what it should
// be.
func (r *Result) Differences() []diag.Diagnostic {
	var ds []diag.Diagnostic
	for _, f := range r.Files {
		if !f.Changed() {
			continue
		}
		pos := token.Position{Filename: f.Path, Line: 1, Column: 1}
		base, source := filepath.Base(f.Path), filepath.Base(f.Source)
		switch {
		case f.New == nil:
			ds = append(ds, diag.Errorf(pos, diag.Orphan, "%s was generated from a file that is gone or has no directive any more", base))
		case f.Old == nil: // there is no line to show in it
			for _, fn := range r.Funcs {
				if fn.File.Name == f.Source {
					pos = fn.Directive.Pos
					break
				}
			}
			ds = append(ds, diag.Errorf(pos, diag.Missing, "%s has not been generated from %s", base, source))
		default:
			ds = append(ds, diag.Errorf(pos, diag.Stale, "%s is not what %s gives now", base, source))
		}
	}
	return ds
}

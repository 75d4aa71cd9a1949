package generator

import (
	"go/token"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/names"
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
			ds = append(ds, diag.Errorf(pos, diag.Orphan, "%s was generated from a file that is gone or no longer has a directive", base))
		case f.Old == nil: // there is no line to show in it
			for _, fn := range r.Funcs {
				if fn.File.Name == f.Source {
					pos = fn.Directive.Pos
					break
				}
			}
			ds = append(ds, diag.Errorf(pos, diag.Missing, "%s has not been generated from %s", base, source))
		default:
			d := diag.Errorf(pos, diag.Stale, "%s is not what %s gives now", base, source)
			if lost := r.Lost(&f); len(lost) > 0 {
				d.Message += ", which is without " + strings.Join(lost, " and ")
				d = d.WithHint("%s; what calls them has to follow, unless name= in the directive keeps the name", d.Hint)
			}
			ds = append(ds, d)
		}
	}
	return ds
}

// Lost lists the wrappers that the file on disk declares, and that no file of the package will
// declare any more, as after a function was renamed. Their callers no longer compile.
func (r *Result) Lost(f *File) []string {
	if f.Old == nil || f.New == nil {
		return nil
	}
	var lost []string
	var now []names.Member
	for _, g := range r.Files {
		if g.New != nil && filepath.Dir(g.Path) == filepath.Dir(f.Path) {
			now = append(now, names.Declared(g.New)...)
		}
	}
	before := names.Declared(f.Old)
	for _, m := range before {
		hasHandle := slices.ContainsFunc(before, func(h names.Member) bool {
			return h.Recv == "" && strings.EqualFold(h.Name, m.Recv+m.Name+"Cache")
		})
		if hasHandle && !slices.Contains(now, m) {
			lost = append(lost, m.String())
		}
	}
	return lost
}

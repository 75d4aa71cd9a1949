package rewrite

import (
	"context"
	"go/token"

	"github.com/cachegen/cachegen/generator"
	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/output"
)

// AdoptAndGenerate is Adopt with the wrappers: its changes are those of the hand-written
// files and of the generated ones together.
func AdoptAndGenerate(ctx context.Context, req AdoptRequest) (*Result, error) {
	res, err := Adopt(ctx, req)
	if err != nil || diag.HasErrors(res.Diagnostics) || len(res.Changes) == 0 {
		return res, err
	}
	_, err = res.generate(ctx, goCommand{req.Dir, req.Env, req.BuildFlags}, res.Dirs)
	return res, err
}

// EjectAndGenerate is Eject with what remains: its changes are those of the hand-written
// files, of the generated files that go, and of those that lose a function.
func EjectAndGenerate(ctx context.Context, req EjectRequest) (*Result, error) {
	res, err := Eject(ctx, req)
	if err != nil || diag.HasErrors(res.Diagnostics) {
		return &res.Result, err
	}
	var made map[string][]byte
	if len(res.Remaining) > 0 {
		if made, err = res.generate(ctx, req.goCommand(), res.Remaining); err != nil {
			return nil, err
		}
	}
	res.Check(made)
	if !diag.HasErrors(res.Diagnostics) {
		changes := res.Changes
		for _, c := range res.Removed {
			if _, ok := made[c.Name]; !ok { // else it is among the changes
				changes = append(changes, c)
			}
		}
		res.Changes = output.Sort(changes)
	}
	return &res.Result, nil
}

// generate runs the generator over the directories as they would be after the changes, and
// adds what it makes to them. It returns the content of all files that it made, nil for
// those that go.
func (r *Result) generate(ctx context.Context, g goCommand, dirs []string) (map[string][]byte, error) {
	replace := map[string][]byte{}
	before := map[string]output.Change{}
	for _, c := range r.Changes {
		replace[c.Name], before[c.Name] = c.New, c
	}
	gen, err := generator.Generate(ctx, generator.Request{Dir: g.dir, Patterns: dirs, Env: g.env, BuildFlags: g.flags, Replace: replace})
	if err != nil {
		return nil, err
	}
	// Positions are told as the files are now.
	now := func(p token.Position) token.Position {
		if c, ok := before[p.Filename]; ok && p.Line > 0 {
			p.Line, p.Offset = output.OldLine(c, p.Line), 0
		}
		return p
	}
	for _, d := range gen.Diagnostics {
		d.Pos = now(d.Pos)
		for i := range d.Related {
			d.Related[i].Pos = now(d.Related[i].Pos)
		}
		r.report(d)
	}
	made := map[string][]byte{}
	for _, f := range gen.Files {
		made[f.Path] = f.New
	}
	r.Diagnostics = diag.Sort(r.Diagnostics)
	if diag.HasErrors(r.Diagnostics) {
		r.Changes, r.Functions = nil, nil
		return made, nil
	}
	r.Changes = output.Sort(append(r.Changes, gen.Changes()...))
	return made, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cachegen/cachegen/generator"
	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/output"
	"github.com/spf13/cobra"
	"golang.org/x/tools/txtar"
)

// retries is how often a run is made again that met another one, or an edit.
const retries = 5

// generate writes, or with stdout prints, the generated files. It returns the paths of those
// that it wrote or removed.
func (a *app) generate(ctx context.Context, packages []string, stdout bool) (wrote []string, err error) {
	for try := 1; ; try++ {
		wrote, err = a.generateOnce(ctx, packages, stdout)
		if err == nil || !errors.Is(err, output.ErrMeanwhile) || try == retries {
			return wrote, err
		}
	}
}

func (a *app) generateOnce(ctx context.Context, packages []string, stdout bool) (wrote []string, err error) {
	format, err := diag.ParseFormat(a.format)
	if err != nil {
		return nil, err
	}
	res, err := a.result(ctx, packages, format)
	if err != nil {
		return nil, err
	}
	if stdout {
		var archive txtar.Archive
		for _, f := range res.Files {
			if f.New != nil {
				archive.Files = append(archive.Files, txtar.File{Name: a.renderer(res).URI(f.Path), Data: f.New})
			}
		}
		_, err := a.out.Write(txtar.Format(&archive))
		return nil, err
	}
	output.Sweep(res.Temporary)
	changes := output.Sort(res.Changes())
	if err := output.Commit(changes); err != nil {
		return nil, err
	}
	for _, c := range changes {
		wrote = append(wrote, c.Name)
	}
	r := a.renderer(res)
	for _, f := range res.Files {
		switch {
		case !f.Changed():
		case f.New == nil:
			fmt.Fprintf(a.err, "removed %s\n", r.Path(f.Path))
		default:
			without := ""
			if lost := res.Lost(&f); len(lost) > 0 {
				without = ", without " + strings.Join(lost, " and ")
			}
			fmt.Fprintf(a.err, "wrote %s%s\n", r.Path(f.Path), without)
		}
	}
	if len(res.Files) == 0 && len(res.Diagnostics) == 0 {
		fmt.Fprintf(a.err, "cachegen: no //cache: directive in %d Go files\n", res.Read)
	}
	return wrote, nil
}

// result runs the generator and shows what it says: as text on standard error, in the
// other formats, always as a whole document, on standard output. With an error among
// it, the result is an exit.
func (a *app) result(ctx context.Context, packages []string, format diag.Format) (*generator.Result, error) {
	res, err := generator.Generate(ctx, a.request(packages))
	if err != nil {
		return nil, err
	}
	w := a.out
	if format == diag.Text {
		w = a.err
	}
	if err := a.renderer(res).Render(w, format, res.Diagnostics); err != nil {
		return nil, err
	}
	if res.Failed() {
		return nil, exit(exitFailed)
	}
	return res, nil
}

// misspelt returns an error for an argument that is no package but nearly a command.
func misspelt(cmd *cobra.Command, arg string) error {
	if strings.ContainsAny(arg, `./\`) {
		return nil
	}
	if near := cmd.SuggestionsFor(arg); len(near) > 0 {
		return fmt.Errorf("unknown command %q: did you mean %q? (a directory is written ./%s)", arg, near[0], arg)
	}
	return nil
}

package main

import (
	"context"
	"io"

	"github.com/cachegen/cachegen/generator"
	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/output"
	"github.com/spf13/cobra"
)

func init() {
	commands = append(commands, func(a *app) *cobra.Command {
		cmd := &cobra.Command{
			Use:   "check [packages]",
			Short: "Say which generated files are not what they should be, and write nothing",
			Long: `Check compares the generated files with what would be generated now, and shows a
diff of each that differs, is missing, or has lost its source. It writes nothing.

Exit code 0: all is as it should be. 1: some file is not. 2: an error.`,
			Args: cobra.ArbitraryArgs,
			RunE: func(cmd *cobra.Command, args []string) error { return a.check(cmd.Context(), args) },
		}
		a.formatFlag(cmd)
		return cmd
	})
}

func (a *app) check(ctx context.Context, packages []string) error {
	format, err := diag.ParseFormat(a.format)
	if err != nil {
		return err
	}
	res, err := generator.Generate(ctx, a.request(packages))
	if err != nil {
		return err
	}
	var differences []diag.Diagnostic
	if !res.Failed() { // else it is not known what the files should be
		differences = res.Differences()
	}
	r := a.renderer(res)
	if format == diag.Text {
		for _, c := range output.Sort(res.Changes()) {
			if len(differences) == 0 {
				break
			}
			if _, err := io.WriteString(a.out, output.Diff(r.URI(c.Name), c)); err != nil {
				return err
			}
		}
		// What is said of a stale file needs no line of it: the diff shows them.
		r.Source = res.Source
		err = r.Render(a.err, format, append(differences, res.Diagnostics...))
	} else {
		err = r.Render(a.out, format, append(differences, res.Diagnostics...))
	}
	switch {
	case err != nil:
		return err
	case res.Failed():
		return exit(exitFailed)
	case len(differences) > 0:
		return exit(exitChanged)
	}
	return nil
}

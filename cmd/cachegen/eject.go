package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/output"
	"github.com/cachegen/cachegen/generator/rewrite"
	"github.com/spf13/cobra"
)

func init() {
	commands = append(commands, func(a *app) *cobra.Command {
		var tool, dry bool
		cmd := &cobra.Command{
			Use:   "eject packages or functions...",
			Short: "Take cachegen out again: plain functions under their wrappers' names",
			Long: `Eject drops the directives of functions and what was generated for them. A function
takes the name of its wrapper, so that every caller still compiles and calls what is
no longer cached; other references to it are rewritten, in every package of the module.
After adopt, it brings back the same bytes. Cached functions whose handles are still
used (LoadSalesCache.Clear and the like) are refused, with each place.`,
			Example: `	cachegen eject ./sales.Query
	cachegen eject ./...`,
			Args: minOneArg("what to eject: ./pkg.Func, ./pkg.Type.Method, or a package pattern for its annotated functions"),
			RunE: func(cmd *cobra.Command, args []string) error {
				req := rewrite.EjectRequest{Dir: a.dir, BuildFlags: a.buildFlags(), Targets: args, Tool: tool}
				return a.rewrite(cmd.Context(), dry, "ejected", "no function is annotated there", func(ctx context.Context) (*rewrite.Result, error) {
					return rewrite.EjectAndGenerate(ctx, req)
				})
			},
		}
		cmd.Flags().BoolVar(&tool, "tool", false, "also drop the tool line of go.mod and the //go:generate lines that run it, where nothing stays annotated")
		cmd.Flags().BoolVar(&dry, "dry-run", false, "print the changes as a diff and make none")
		a.formatFlag(cmd)
		return cmd
	})
}

// minOneArg wants an argument, and says which.
func minOneArg(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return errors.New("say " + what)
		}
		return nil
	}
}

// rewrite shows what an adopt or eject says, and makes its changes or prints them. done is what
// has happened to a function then, and none why nothing has to any.
func (a *app) rewrite(ctx context.Context, dry bool, done, none string, do func(context.Context) (*rewrite.Result, error)) error {
	format, err := diag.ParseFormat(a.format)
	if err != nil {
		return err
	}
	res, err := do(ctx)
	if err != nil {
		return err
	}
	r := a.renderer(nil)
	if len(res.Diagnostics) > 0 || format != diag.Text && !dry {
		w := a.err
		if format != diag.Text {
			w = a.out
		}
		if err := r.Render(w, format, res.Diagnostics); err != nil {
			return err
		}
	}
	if diag.HasErrors(res.Diagnostics) {
		return exit(exitFailed)
	}
	if dry {
		for _, c := range res.Changes {
			if _, err := io.WriteString(a.out, output.Diff(r.URI(c.Name), c)); err != nil {
				return err
			}
		}
	} else if err := output.Commit(res.Changes); err != nil {
		return err
	}
	what := done
	if dry {
		what = "to be " + done + ":"
	}
	for _, f := range res.Functions {
		fmt.Fprintf(a.err, "%s %s\n", what, f)
	}
	if len(res.Functions) == 0 {
		fmt.Fprintf(a.err, "cachegen: nothing is to be %s: %s\n", done, none)
	}
	for _, n := range res.Notes {
		fmt.Fprintf(a.err, "note: %s\n", n)
	}
	return nil
}

func (a *app) buildFlags() []string { return a.request(nil).BuildFlags }

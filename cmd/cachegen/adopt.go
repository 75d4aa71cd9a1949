package main

import (
	"context"
	"errors"

	"github.com/cachegen/cachegen/generator/directive"
	"github.com/cachegen/cachegen/generator/rewrite"
	"github.com/spf13/cobra"
)

func init() {
	commands = append(commands, func(a *app) *cobra.Command {
		var data, resource, recursive, dry bool
		cmd := &cobra.Command{
			Use:   "adopt function... [option...]",
			Short: "Cache existing functions for all of their callers",
			Long: `Adopt renames a function to FuncUncached, puts a directive above it, and generates a
wrapper of the old name, so that every caller in every package is cached and none is
edited. What the function calls itself by goes to the uncached name. Functions are
written ./pkg.Func or ./pkg.Type.Method; a package pattern stands for the annotated
functions that have no name for their wrapper yet. Options are those of the directive.

All of it happens or nothing: with anything wrong, no file changes.`,
			Example: `	cachegen adopt ./model.Load --resource
	cachegen adopt ./sales.Query ttl=10m max=1000
	cachegen adopt ./store.Store.Score recv=identity
	cachegen adopt ./...`,
			Args: minOneArg("what to adopt: ./pkg.Func, ./pkg.Type.Method, or a package pattern for its annotated functions"),
			RunE: func(cmd *cobra.Command, args []string) error {
				if data && resource {
					return errors.New("--data and --resource exclude each other")
				}
				req := rewrite.AdoptRequest{Dir: a.dir, BuildFlags: a.buildFlags(), KindGiven: data || resource, Recursive: recursive}
				if resource {
					req.Kind = directive.Resource
				}
				for _, arg := range args {
					if rewrite.IsOption(arg) {
						req.Options = append(req.Options, arg)
					} else {
						req.Targets = append(req.Targets, arg)
					}
				}
				return a.rewrite(cmd.Context(), dry, "adopted", "every annotated function has a name for its wrapper; to annotate one, name it as ./pkg.Func", func(ctx context.Context) (*rewrite.Result, error) {
					return rewrite.AdoptAndGenerate(ctx, req)
				})
			},
		}
		cmd.Flags().BoolVar(&data, "data", false, "add //cache:data, for results that every caller gets for himself (the default)")
		cmd.Flags().BoolVar(&resource, "resource", false, "add //cache:resource, for one result that all callers share")
		cmd.Flags().BoolVar(&recursive, "recursive", false, "leave calls of the function in its own body to the wrapper: memoised recursion")
		cmd.Flags().BoolVar(&dry, "dry-run", false, "print the changes as a diff and make none")
		a.formatFlag(cmd)
		return cmd
	})
}

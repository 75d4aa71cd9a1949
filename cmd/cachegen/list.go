package main

import (
	"encoding/json"
	"fmt"

	"github.com/cachegen/cachegen/generator"
	"github.com/cachegen/cachegen/generator/diag"
	"github.com/spf13/cobra"
)

func init() {
	commands = append(commands, func(a *app) *cobra.Command {
		var asJSON bool
		cmd := &cobra.Command{
			Use:   "list [packages]",
			Short: "List the cached functions: key, copies, options",
			Args:  cobra.ArbitraryArgs,
			RunE: func(cmd *cobra.Command, args []string) error {
				res, err := a.result(cmd.Context(), args, diag.Text)
				if err != nil {
					return err
				}
				list := generator.List(res)
				if asJSON {
					e := json.NewEncoder(a.out)
					e.SetEscapeHTML(false)
					e.SetIndent("", "  ")
					return e.Encode(list)
				}
				_, err = fmt.Fprint(a.out, generator.ListTable(list))
				return err
			},
		}
		cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
		return cmd
	}, func(a *app) *cobra.Command {
		cmd := &cobra.Command{
			Use:   "explain pkg.Func",
			Short: "Say how a function's key is made and why its results are copied or shared",
			Example: `	cachegen explain ./sales.LoadSales
	cachegen explain ./sales.Store.Score
	cachegen explain LoadSales`,
			Args: cobra.MinimumNArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				for _, arg := range args {
					if err := a.explain(cmd, arg); err != nil {
						return err
					}
				}
				return nil
			},
		}
		return cmd
	})
}

func (a *app) explain(cmd *cobra.Command, arg string) error {
	target := generator.ParseTarget(a.dir, arg)
	res, err := a.result(cmd.Context(), []string{target.Pattern}, diag.Text)
	if err != nil {
		return err
	}
	found := target.Find(res)
	if len(found) == 0 {
		return fmt.Errorf("no cached function %s in %s: cachegen list %s shows those that there are", target.Name, target.Pattern, target.Pattern)
	}
	for i, f := range found {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		fmt.Fprint(a.out, generator.Explain(f))
	}
	return nil
}

package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/cachegen/cachegen/generator/directive"
	"github.com/spf13/cobra"
)

func init() {
	commands = append(commands, func(a *app) *cobra.Command {
		var markdown bool
		cmd := &cobra.Command{
			Use:   "directives",
			Short: "Describe //cache: directives and their options",
			Args:  cobra.NoArgs,
			Run: func(*cobra.Command, []string) {
				if markdown {
					fmt.Fprint(a.out, directive.Table())
					return
				}
				fmt.Fprint(a.out, directivesHelp())
			},
		}
		cmd.Flags().BoolVar(&markdown, "markdown", false, "print the options as a Markdown table")
		cmd.SetHelpFunc(func(*cobra.Command, []string) { fmt.Fprint(a.out, directivesHelp()) })
		return cmd
	}, func(a *app) *cobra.Command {
		return &cobra.Command{
			Use:   "version",
			Short: "Print the version",
			Args:  cobra.NoArgs,
			Run: func(*cobra.Command, []string) {
				fmt.Fprintf(a.out, "cachegen %s %s\n", version(), runtime.Version())
			},
		}
	})
}

func directivesHelp() string {
	return `A directive is a line of a function's or method's doc comment:

	//cache:data [option…]       each caller gets a value of its own
	//cache:resource [option…]   all callers get the same value

There is no space after // and none around the colon. Options are separated by
spaces and written name, name=value or name="a value with spaces". Durations are
written as in Go, with d for days and w for weeks besides.

Options:

` + directive.Text(84)
}

// version is the version of the module that the program was built from.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// Cachegen writes cached versions of Go functions that carry a //cache: directive.
//
// It exits with 0 when all is well, with 1 when check found generated files that are
// not what they should be, and with 2 when something is wrong with the code, the
// command line or the machine. A run that fails writes nothing.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"github.com/cachegen/cachegen/generator"
	"github.com/cachegen/cachegen/generator/diag"
	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitOK      = 0
	exitChanged = 1 // check: a generated file is not what it should be
	exitFailed  = 2
)

// exit is an error that has been shown and ends the run with a code.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// commands are the subcommands. Each file adds its own.
var commands []func(*app) *cobra.Command

// app is what the commands share: where they read and write, and the common flags.
type app struct {
	out, err io.Writer
	dir      string // absolute
	chdir    string
	tags     string
	format   string
}

func main() {
	collectLate()
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// collectLate keeps the garbage collector away until the heap has grown to a size that does
// not matter: most runs end before, and collecting small heaps was a quarter of their work.
func collectLate() {
	percent := debug.SetGCPercent(-1)
	limit := debug.SetMemoryLimit(128 << 20)
	sentinel := new([16]byte)
	runtime.AddCleanup(sentinel, func(struct{}) {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}, struct{}{})
}

// run is the program, without the process around it.
func run(args []string, stdout, stderr io.Writer) int {
	a := &app{out: stdout, err: stderr}
	root := a.command()
	root.SetArgs(args)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := root.ExecuteContext(ctx)
	var code exit
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	}
	fmt.Fprintf(stderr, "cachegen: %v\n", err)
	return exitFailed
}

// command is the command that generates, with the others below it.
func (a *app) command() *cobra.Command {
	var stdout, watch bool
	cmd := &cobra.Command{
		Use:   "cachegen [packages]",
		Short: "Write cached versions of functions that carry a //cache: directive",
		Long: `Cachegen finds functions with a directive in their doc comment,

	//cache:data ttl=10m
	func loadSales(ctx context.Context, region string) ([]Sale, error) { … }

and writes, beside sales.go, a file sales_cachegen.go with a function LoadSales of
the same signature that remembers results. Packages are named as for the go command;
without any, it is ./... . Nothing is written if anything is wrong.`,
		Example: `	cachegen ./...
	cachegen check ./...
	cachegen --watch ./...
	cachegen explain ./sales.LoadSales
	cachegen help directives`,
		Args:          cobra.ArbitraryArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			dir, err := filepath.Abs(a.chdir)
			if err != nil {
				return err
			}
			a.dir = dir
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, arg := range args {
				if err := misspelt(cmd, arg); err != nil {
					return err
				}
			}
			if watch {
				return a.watch(cmd.Context(), args)
			}
			_, err := a.generate(cmd.Context(), args, stdout)
			return err
		},
	}
	cmd.SetOut(a.out)
	cmd.SetErr(a.err)
	cmd.SuggestionsMinimumDistance = 2
	cmd.CompletionOptions.DisableDefaultCmd = true
	cmd.PersistentFlags().StringVarP(&a.chdir, "chdir", "C", "", "run in this `directory`")
	cmd.PersistentFlags().StringVar(&a.tags, "tags", "", "build `tags`, separated by commas")
	cmd.Flags().BoolVar(&stdout, "stdout", false, "print the files, each behind a line with its name, and write nothing")
	cmd.Flags().BoolVar(&watch, "watch", false, "generate again whenever a file changes, until interrupted")
	cmd.MarkFlagsMutuallyExclusive("stdout", "watch")
	a.formatFlag(cmd)
	for _, c := range commands {
		cmd.AddCommand(c(a))
	}
	return cmd
}

func (a *app) formatFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.format, "format", string(diag.Text), "how to say what is wrong: text, json, github or sarif")
}

// request is the generator's request for packages.
func (a *app) request(packages []string) generator.Request {
	req := generator.Request{Dir: a.dir, Patterns: packages}
	if a.tags != "" {
		req.BuildFlags = []string{"-tags=" + a.tags}
	}
	return req
}

// root is the directory that paths are shown relative to: for people where they are, for
// GitHub the root of the checkout, in which it looks for the files that are named.
func (a *app) root() string {
	workspace := os.Getenv("GITHUB_WORKSPACE")
	if f := diag.Format(a.format); workspace == "" || f != diag.GitHub && f != diag.SARIF {
		return a.dir
	}
	if rel, err := filepath.Rel(workspace, a.dir); err != nil || !filepath.IsLocal(rel) {
		return a.dir
	}
	return workspace
}

// renderer shows diagnostics of a result, which may be nil.
func (a *app) renderer(res *generator.Result) *diag.Renderer {
	return &diag.Renderer{Root: a.root(), Version: version(), Source: func(path string) []byte {
		if res != nil {
			if src := res.Sources[path]; src != nil {
				return src
			}
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		return src
	}}
}

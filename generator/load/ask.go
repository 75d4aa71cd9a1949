package load

import (
	"context"
	"maps"
	"slices"

	"golang.org/x/tools/go/packages"
)

// ask has the go command answer about packages. It is the only place that does.
func ask(ctx context.Context, cfg Config, mode packages.LoadMode, tests bool, patterns []string) ([]*packages.Package, error) {
	if len(patterns) == 0 {
		return nil, nil
	}
	return packages.Load(&packages.Config{
		Context: ctx, Mode: mode, Tests: tests, Dir: cfg.Dir, Env: cfg.Env, BuildFlags: cfg.BuildFlags, Fset: cfg.Fset,
	}, patterns...)
}

// List returns the packages that the patterns match: their names, files and modules.
func List(ctx context.Context, cfg Config, patterns []string) ([]*packages.Package, error) {
	return ask(ctx, cfg, packages.NeedName|packages.NeedFiles|packages.NeedModule, false, patterns)
}

// Typed returns the packages that the patterns match with the types of all that is in their
// files, function bodies too, for what rewrites references. Unlike Load it compiles them, so
// that they are typed as far as they compile.
func Typed(ctx context.Context, cfg Config, tests bool, patterns []string) ([]*packages.Package, error) {
	return ask(ctx, cfg, packages.NeedName|packages.NeedFiles|packages.NeedCompiledGoFiles|packages.NeedImports|
		packages.NeedTypes|packages.NeedTypesSizes|packages.NeedSyntax|packages.NeedTypesInfo, tests, patterns)
}

// sorted returns the keys of a map in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

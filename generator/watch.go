package generator

import (
	"context"

	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/scan"
)

// Watched returns a function that stamps the files on which the request's result depends, so
// that a watcher can generate again when one changes. Files of packages outside of the patterns are not
// among them. The diagnostics say what is wrong with the patterns.
func Watched(ctx context.Context, req Request) (stamps func() map[string]scan.Stamp, ds []diag.Diagnostic) {
	rs, ds := roots(ctx, req)
	return func() map[string]scan.Stamp { return scan.Stamps(rs) }, ds
}

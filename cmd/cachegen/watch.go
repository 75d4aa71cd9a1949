package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/cachegen/cachegen/generator"
	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/scan"
)

// The files are looked at so often at most, and looking takes no more than a tenth of the time.
const (
	watchEvery = 300 * time.Millisecond
	watchShare = 10
)

// watch generates now and whenever a file changes, until the context ends. It shows
// errors in the code, and waits for the next change.
func (a *app) watch(ctx context.Context, packages []string) error {
	stamps, ds := generator.Watched(ctx, a.request(packages))
	if diag.HasErrors(ds) {
		if err := a.renderer(nil).Render(a.err, diag.Text, ds); err != nil {
			return err
		}
		return exit(exitFailed)
	}
	var last map[string]scan.Stamp
	timer := time.NewTimer(0)
	defer timer.Stop()
	for first := true; ; first = false {
		began := time.Now()
		now := stamps()
		looking := time.Since(began)
		if first || !maps.Equal(now, last) {
			if !first && !a.settled(ctx, stamps, &now) {
				return nil
			}
			wrote, err := a.generate(ctx, packages, false)
			var shown exit
			switch {
			case ctx.Err() != nil:
				return nil
			case err != nil && !errors.As(err, &shown):
				fmt.Fprintf(a.err, "cachegen: %v\n", err)
			}
			// What was changed by hand meanwhile differs from now, and is seen next.
			last = now
			written := stamps()
			for _, path := range wrote {
				if s, ok := written[path]; ok {
					last[path] = s
				} else {
					delete(last, path)
				}
			}
			if first {
				fmt.Fprintf(a.err, "cachegen: watching %d files; end with ctrl-C\n", len(last))
			}
		}
		timer.Reset(max(watchEvery, watchShare*looking))
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
	}
}

// settled waits until nothing changes any more: a save of many files, or a checkout, is one
// change. It reports false if the context has ended.
func (a *app) settled(ctx context.Context, stamps func() map[string]scan.Stamp, now *map[string]scan.Stamp) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(watchEvery / 3):
		}
		again := stamps()
		if maps.Equal(again, *now) {
			return true
		}
		*now = again
	}
}

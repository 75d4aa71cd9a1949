// Package cache is what the cases use of the runtime.
package cache

import "context"

func Input(ctx context.Context, name string) string { return "" }

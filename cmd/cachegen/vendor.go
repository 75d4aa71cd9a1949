//go:build vendor_only

package main

// Generated code imports these. That the tool imports them too, under a constraint that no
// build meets, brings them into vendor directories before the first generated file, and
// into no binary.
import (
	_ "github.com/cachegen/cachegen/cache"
	_ "github.com/cachegen/cachegen/cache/html"
	_ "github.com/cachegen/cachegen/cache/web"
	_ "github.com/cachegen/cachegen/runtime"
	_ "github.com/cachegen/cachegen/runtime/value"
)

package cache_test

import (
	"context"
	"fmt"
	"time"

	"github.com/cachegen/cachegen/cache"
)

// At the end of a process Shutdown releases what the caches hold, such as database handles.
// This example stands in a file that comes last, since there are no caches after it.
func ExampleShutdown() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	fmt.Println(cache.Shutdown(ctx))
	// Output: <nil>
}

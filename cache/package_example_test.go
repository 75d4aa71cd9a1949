package cache_test

import (
	"context"
	"fmt"
)

// A cached function is called like the function that it was generated from. The second call
// for one region is a hit.
func Example() {
	ctx := context.Background()
	for _, region := range []string{"south", "south", "west"} {
		n, err := LoadSales(ctx, region)
		fmt.Println(n, err)
	}
	// Output:
	// computing south
	// 5 <nil>
	// 5 <nil>
	// computing west
	// 4 <nil>
}

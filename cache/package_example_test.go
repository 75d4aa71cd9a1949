package cache_test

import (
	"context"
	"fmt"
)

// A cached function is called like the function that it was generated from. The second call
// for one region is a hit.
func Example() {
	ctx := context.Background()
	for _, region := range []string{"islands", "islands", "coast"} {
		n, err := LoadSales(ctx, region)
		fmt.Println(n, err)
	}
	// Output:
	// computing islands
	// 7 <nil>
	// 7 <nil>
	// computing coast
	// 5 <nil>
}

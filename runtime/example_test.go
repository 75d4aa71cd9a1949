package cache_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	cache "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/runtime/value"
)

// What follows stands in for a generated file: LoadSales is the wrapper of loadSales.
//
//	//cache:data ttl=10m max=1000 tags=sales
//	func loadSales(ctx context.Context, region string) (int, error)

type loadSalesKey struct{ region string }

func (k *loadSalesKey) hash() uint64 { return value.HashString(value.HashStart(), k.region) }

var loadSalesSite = cache.New[loadSalesKey, int](nil, cache.Options{
	Func: "example.com/shop.loadSales", Site: "sales.go", TTL: 10 * time.Minute, Max: 1000, Tags: []string{"sales"},
})

func LoadSales(ctx context.Context, region string) (int, error) {
	k := loadSalesKey{region}
	h := k.hash()
	if v := loadSalesSite.GetCtx(ctx, h, &k); v != nil {
		return *v, nil
	}
	return loadSalesSite.Do(h, k, &cache.Call{Ctx: ctx, Run: func(ctx context.Context, v any) (err error) {
		*v.(*int), err = loadSales(ctx, region)
		return err
	}})
}

func loadSales(_ context.Context, region string) (int, error) {
	fmt.Println("computing", region)
	return len(region), nil
}

// A tag names what results were made from. Who changes that says so once, and does not
// have to know which functions have used it.
func ExampleInvalidate() {
	ctx := context.Background()
	LoadSales(ctx, "north")
	LoadSales(ctx, "north")
	cache.Invalidate(ctx, "sales") // after the database was written
	LoadSales(ctx, "north")
	// Output:
	// computing north
	// computing north
}

// A function with scope=session keeps the results of each session apart. A middleware puts
// the session into the context.
func ExampleWithSession() {
	ctx := cache.WithSession(context.Background(), "s-4711")
	fmt.Println(cache.SessionOf(ctx))
	// At the logout, what was kept for the session goes.
	cache.EndSession(ctx, "s-4711")
	// Output: s-4711 true
}

// An operator may give a function other bounds than its directive does.
func ExampleConfigure() {
	err := cache.Configure("example.com/shop.loadSales", cache.Override{TTL: time.Minute, Max: 50})
	fmt.Println(err)
	err = cache.Configure("example.com/shop.loadSails", cache.Override{TTL: time.Minute})
	fmt.Println(errors.Is(err, cache.ErrUnknown))
	// Output:
	// <nil>
	// true
}

// Under Bypass a call goes past the cache, and so do the calls that it makes.
func ExampleBypass() {
	ctx := context.Background()
	LoadSales(ctx, "east")
	LoadSales(cache.Bypass(ctx), "east")
	// Output:
	// computing east
	// computing east
}

func ExampleAllStats() {
	ctx := context.Background()
	LoadSales(ctx, "west")
	LoadSales(ctx, "west")
	for _, s := range cache.AllStats() {
		if s.Func == "example.com/shop.loadSales" {
			fmt.Println(s.Hits > 0, s.Misses > 0, s.Entries > 0)
		}
	}
	// Output:
	// computing west
	// true true true
}

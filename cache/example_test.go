package cache_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/cachegen/cachegen/cache"
	"github.com/cachegen/cachegen/cache/html"
	"github.com/cachegen/cachegen/cache/web"
	cachert "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/runtime/value"
)

// What follows stands in for a generated file: LoadSales is the wrapper of loadSales.
//
//	//cache:data ttl=10m max=1000 tags=sales
//	func loadSales(ctx context.Context, region string) (int, error)

type loadSalesKey struct{ region string }

func (k *loadSalesKey) hash() uint64 { return value.HashString(value.HashStart(), k.region) }

var loadSalesSite = cachert.New[loadSalesKey, int](nil, cachert.Options{
	Func: "example.com/shop.loadSales", Site: "sales.go", TTL: 10 * time.Minute, Max: 1000, Tags: []string{"sales"},
})

func LoadSales(ctx context.Context, region string) (int, error) {
	k := loadSalesKey{region}
	h := k.hash()
	if v := loadSalesSite.GetCtx(ctx, h, &k); v != nil {
		return *v, nil
	}
	return loadSalesSite.Do(h, k, &cachert.Call{Ctx: ctx, Run: func(ctx context.Context, v any) (err error) {
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

// Inside of a cached computation, SessionOf makes the result one of the session: another
// session never gets it.
func ExampleSessionOf() {
	if _, ok := cache.SessionOf(context.Background()); !ok {
		fmt.Println("no session")
	}
	id, _ := cache.SessionOf(cache.WithSession(context.Background(), "s-1"))
	fmt.Println(id)
	// Output:
	// no session
	// s-1
}

func ExampleEndSession() {
	ctx := cache.WithSession(context.Background(), "s-2")
	LoadDraft(ctx)
	LoadDraft(ctx)
	cache.EndSession(ctx, "s-2") // at the logout
	LoadDraft(ctx)
	// Output:
	// computing the draft of s-2
	// computing the draft of s-2
}

// LoadDraft stands in for the wrapper of a function with scope=session.
func LoadDraft(ctx context.Context) string {
	k := loadSalesKey{}
	if k.region, _ = cache.SessionOf(ctx); k.region == "" {
		return ""
	}
	v, err := loadDraftSite.Do(k.hash(), k, &cachert.Call{Ctx: ctx, Run: func(ctx context.Context, v any) error {
		id, _ := cache.SessionOf(ctx)
		fmt.Println("computing the draft of", id)
		*v.(*string) = "draft of " + id
		return nil
	}})
	if err != nil {
		panic(err)
	}
	return v
}

var loadDraftSite = cachert.New[loadSalesKey, string](nil, cachert.Options{
	Func: "example.com/shop.loadDraft", Site: "draft.go", Max: 1000, Session: true,
})

// The first value of an input, wherever in the request it stands. The middleware gives the
// cached functions below it the request.
func ExampleInput() {
	page := web.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "top %q in %q", cache.Input(r.Context(), "top"), cache.Input(r.Context(), "region"))
	}))
	fmt.Println(get(page, "/sales?region=north"))
	// Output: top "" in "north"
}

func ExampleInputValues() {
	page := web.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		regions, ok := cache.InputValues(r.Context(), "region")
		fmt.Fprint(w, regions, ok)
	}))
	fmt.Println(get(page, "/sales?region=north&region=south"))
	fmt.Println(get(page, "/sales"))
	// Output:
	// [north south] true
	// [] false
}

func ExampleInputFiles() {
	page := web.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		files, err := cache.InputFiles(r.Context(), "orders")
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for _, f := range files {
			fmt.Fprintln(w, f.Name, f.Size)
		}
	}))
	r := upload("orders", "orders.csv", "id,amount\n")
	w := httptest.NewRecorder()
	page.ServeHTTP(w, r)
	fmt.Print(w.Body)
	// Output: orders.csv 10
}

func get(h http.Handler, target string) string {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
	return w.Body.String()
}

// A function that calls its own wrapper with the same arguments would wait for itself.
func ExampleCycleError() {
	_, err := loop(context.Background())
	var cycle *cache.CycleError
	if errors.As(err, &cycle) {
		fmt.Println(cycle.Funcs)
	}
	// Output: [example.com/shop.loop example.com/shop.loop]
}

func loop(ctx context.Context) (int, error) {
	k := loadSalesKey{}
	return loopSite.Do(k.hash(), k, &cachert.Call{Ctx: ctx, Run: func(ctx context.Context, v any) (err error) {
		*v.(*int), err = loop(ctx)
		return err
	}})
}

var loopSite = cachert.New[loadSalesKey, int](nil, cachert.Options{Func: "example.com/shop.loop", Site: "loop.go"})

// Stats say how well a cache does its work, here since the process started.
func ExampleStats() {
	s := cache.Stats{Func: "example.com/shop.loadSales", Hits: 90, Misses: 10, Loads: 8}
	fmt.Printf("%s: %d %% hits, %d computations\n", s.Func, 100*s.Hits/(s.Hits+s.Misses), s.Loads)
	// Output: example.com/shop.loadSales: 90 % hits, 8 computations
}

// What is 0 stays as the directive has it: here ttl=, stale= and max-bytes=.
func ExampleOverride() {
	err := cache.Configure("example.com/shop.loadSales", cache.Override{Max: 100_000})
	fmt.Println(err)
	// Output: <nil>
}

// A name that no cached function and no tag has may be a slip in a configuration file, or that of
// a generic function whose first call is yet to come.
func ExampleErrUnknown() {
	err := cache.Configure("example.com/shop.loadSails", cache.Override{TTL: time.Minute})
	if errors.Is(err, cache.ErrUnknown) {
		fmt.Println("there is no such function yet")
	}
	// Output: there is no such function yet
}

// requestID is the key under which a middleware puts the id of a request.
type requestID struct{}

// A log handler asks each context for the id of its request. Without this line no result whose
// computation logs would be kept.
func ExampleIgnoreContextKey() {
	cache.IgnoreContextKey(requestID{})
	for _, id := range []string{"r-1", "r-2"} {
		ctx := context.WithValue(context.Background(), requestID{}, id)
		fmt.Println(LoadQuota(ctx))
	}
	// Output:
	// [r-1] computing the quota
	// 10 <nil>
	// 10 <nil>
}

// LoadQuota stands in for the wrapper of a function that logs.
func LoadQuota(ctx context.Context) (int, error) {
	k := loadSalesKey{}
	return loadQuotaSite.Do(k.hash(), k, &cachert.Call{Ctx: ctx, Run: func(ctx context.Context, v any) error {
		fmt.Printf("[%v] computing the quota\n", ctx.Value(requestID{}))
		*v.(*int) = 10
		return nil
	}})
}

var loadQuotaSite = cachert.New[loadSalesKey, int](nil, cachert.Options{
	Func: "example.com/shop.loadQuota", Site: "quota.go", Max: 10, TrackContext: true,
})

// What a body draws after it has returned is shown nowhere.
func ExampleErrClosed() {
	var page bytes.Buffer
	var kept io.Writer
	err := drawPage(&page, func(w io.Writer) error {
		kept = w // a mistake
		_, err := io.WriteString(w, "in time")
		return err
	})
	fmt.Println(page.String(), err)
	_, err = io.WriteString(kept, "too late")
	fmt.Println(page.String(), errors.Is(err, cache.ErrClosed))
	// Output:
	// in time <nil>
	// in time true
}

// drawPage stands in for the wrapper of a function that draws.
func drawPage(w io.Writer, body func(io.Writer) error) error {
	ctx, bound, s := html.Bind(context.Background(), w, nil)
	k := loadSalesKey{}
	_, err := drawPageSite.Do(k.hash(), k, &cachert.DrawCall{Ctx: ctx, Surface: s, Run: func(context.Context, any) error {
		return body(bound)
	}})
	return err
}

var drawPageSite = cachert.NewDrawn[loadSalesKey, struct{}](nil, cachert.DrawOptions{
	Options: cachert.Options{Func: "example.com/shop.drawPage", Site: "page.go", Max: 10},
})

// An uploaded file is read as any other.
func ExampleFile() {
	page := web.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		files, err := cache.InputFiles(r.Context(), "orders")
		if err != nil || len(files) == 0 {
			http.Error(w, "send the file orders", http.StatusBadRequest)
			return
		}
		f, err := files[0].Open()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer f.Close()
		rows, _ := io.ReadAll(f)
		fmt.Fprintf(w, "%s: %q", files[0].Name, rows)
	}))
	w := httptest.NewRecorder()
	page.ServeHTTP(w, upload("orders", "orders.csv", "id,amount\n"))
	fmt.Println(w.Body)
	// Output: orders.csv: "id,amount\n"
}

// upload returns a request that sends a file.
func upload(input, name, content string) *http.Request {
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	part, _ := m.CreateFormFile(input, name)
	io.WriteString(part, content)
	m.Close()
	r := httptest.NewRequest("POST", "/upload", &form)
	r.Header.Set("Content-Type", m.FormDataContentType())
	return r
}

// Command dashboard is a web application over a SQLite file in which every interaction
// runs the page from the top, and cached functions make that cheap: they draw once, are
// replayed on a hit, and the controls that they read count as further inputs.
//
//	go run ./dashboard            # then open http://localhost:8321
//
// panels.go holds the cached functions; each is the counterpart of one thing that people
// do with cached functions in Streamlit.
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/cachegen/cachegen/cache"
	"github.com/cachegen/cachegen/cache/web"
)

//go:generate go tool cachegen ./...

//go:embed static
var static embed.FS

func main() {
	addr := flag.String("addr", "localhost:8321", "address to listen on")
	dir := flag.String("dir", "", "directory of the SQLite file (default: a temporary one, removed at the end)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := serve(ctx, *addr, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "dashboard:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, addr, dir string) error {
	if dir == "" {
		temp, err := os.MkdirTemp("", "cachegen-dashboard-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temp)
		dir = temp
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: newHandler(filepath.Join(dir, "shop.db"))}
	fmt.Printf("serving on http://%s\n", l.Addr())
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	// The caches last: Shutdown closes the database.
	return errors.Join(err, srv.Shutdown(ctx), cache.Shutdown(ctx))
}

// newHandler returns the application over the SQLite file at path.
func newHandler(path string) http.Handler {
	app := &app{path: path}
	mux := http.NewServeMux()
	mux.Handle("GET /static/", http.FileServerFS(static))
	mux.HandleFunc("GET /{$}", app.page)
	mux.HandleFunc("POST /view", app.view)
	mux.HandleFunc("POST /clear", app.clear)
	mux.HandleFunc("POST /try", app.try)
	return web.Middleware(mux)
}

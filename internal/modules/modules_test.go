package modules

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"

	"github.com/cachegen/cachegen/generator"
)

const (
	cachegen = "github.com/cachegen/cachegen"
	library  = "example.com/lib"
	version  = "v1.0.0"
)

const librarySource = `// Package lib is a library with committed wrappers.
package lib

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/cachegen/cachegen/cache"
)

//cache:data ttl=10m tags=sums
func sum(ctx context.Context, ns []int) (map[string]int, error) {
	s := 0
	for _, n := range ns {
		s += n
	}
	return map[string]int{"sum": s}, nil
}

//cache:data ttl=10m
func page(w io.Writer, n int) error {
	_, err := fmt.Fprint(w, n)
	return err
}

//cache:data scope=global
func handler(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.FormValue("q")) }

// Reset drops the sums.
func Reset(ctx context.Context) { cache.Invalidate(ctx, "sums") }
`

const applicationSource = `package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"example.com/lib"
)

func main() {
	http.HandleFunc("/", lib.Handler)
	lib.Reset(context.Background())
	s, err := lib.Sum(context.Background(), []int{1, 2})
	fmt.Println(s, err, lib.Page(os.Stdout, 3))
}
`

// An application whose library has committed wrappers is tidied, built, vetted and vendored from
// the library and cachegen alone: the modules that the tool, an adapter or a test needs come into
// neither its go.mod nor its go.sum.
func TestApplicationNeedsNoOtherModule(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the runtime from a module cache of its own")
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	proxy, lib, app := filepath.Join(tmp, "proxy"), filepath.Join(tmp, "lib"), filepath.Join(tmp, "app")

	requires := "\n\ngo 1.26.0\n\nrequire " + cachegen + " " + version + "\n"
	write(t, filepath.Join(lib, "lib.go"), librarySource)
	write(t, filepath.Join(lib, "go.mod"), "module "+library+requires+"\nreplace "+cachegen+" => "+root+"\n")
	res, err := generator.Generate(context.Background(), generator.Request{Dir: lib, Patterns: []string{"./..."}})
	if err != nil || res.Failed() {
		t.Fatal(err, res.Diagnostics)
	}
	for _, f := range res.Files {
		write(t, f.Path, string(f.New))
	}
	write(t, filepath.Join(lib, "go.mod"), "module "+library+requires)
	publish(t, proxy, cachegen, root)
	publish(t, proxy, library, lib)

	write(t, filepath.Join(app, "go.mod"), "module example.com/app\n\ngo 1.26.0\n\nrequire "+library+" "+version+"\n")
	write(t, filepath.Join(app, "main.go"), applicationSource)
	goCommand := func(args ...string) {
		t.Helper()
		cmd := exec.Command("go", args...)
		cmd.Dir = app
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-modcacherw", "GOPROXY=file://"+slashed(proxy)+",off",
			"GOSUMDB=off", "GOMODCACHE="+filepath.Join(tmp, "modules"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	goCommand("mod", "tidy")
	goCommand("vet", ".")
	goCommand("build", "-o", filepath.Join(tmp, "app.exe"), ".")
	out, err := exec.Command(filepath.Join(tmp, "app.exe")).CombinedOutput()
	if want := "3map[sum:3] <nil> <nil>\n"; err != nil || string(out) != want {
		t.Errorf("the application says %q, %v, want %q", out, err, want)
	}

	want := []string{library, cachegen}
	if got := firstFields(t, filepath.Join(app, "go.sum"), ""); !slices.Equal(got, want) {
		t.Errorf("go.sum of the application has %v, want %v", got, want)
	}
	mod, err := os.ReadFile(filepath.Join(app, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(mod, []byte(" v")); n != 2 {
		t.Errorf("go.mod of the application requires %d modules, want 2:\n%s", n, mod)
	}

	goCommand("mod", "vendor")
	goCommand("build", "-mod=vendor", "-o", filepath.Join(tmp, "vendored.exe"), ".")
	if got := firstFields(t, filepath.Join(app, "vendor", "modules.txt"), "# "); !slices.Equal(got, want) {
		t.Errorf("%v are vendored, want %v", got, want)
	}
}

// publish puts the module in dir into the file tree of a proxy.
func publish(t *testing.T, proxy, path, dir string) {
	t.Helper()
	at := filepath.Join(proxy, filepath.FromSlash(path), "@v")
	m := module.Version{Path: path, Version: version}
	var archive bytes.Buffer
	if err := zip.CreateFromDir(&archive, m, dir); err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(at, version+".zip"), archive.String())
	write(t, filepath.Join(at, version+".mod"), string(mod))
	write(t, filepath.Join(at, version+".info"), fmt.Sprintf(`{"Version":%q,"Time":"2026-01-01T00:00:00Z"}`, version))
	write(t, filepath.Join(at, "list"), version+"\n")
}

// firstFields returns, each once and in order, the first fields of the lines that begin with
// prefix.
func firstFields(t *testing.T, file, prefix string) (fields []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, prefix); ok && strings.TrimSpace(rest) != "" {
			if f := strings.Fields(rest)[0]; !slices.Contains(fields, f) {
				fields = append(fields, f)
			}
		}
	}
	return fields
}

// slashed returns the path as it stands in a file URL.
func slashed(path string) string {
	if p := filepath.ToSlash(path); strings.HasPrefix(p, "/") {
		return p
	} else {
		return "/" + p
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

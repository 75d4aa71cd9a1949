package main

import (
	"go/build"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestImportsAreRedirected(t *testing.T) {
	const src = `package p

import (
	"fmt"
	i "internal/abi"
	_ "text/template/internal/x"
	"text/template"

	"golang.org/x/net/idna"
)

const name = "internal/abi"
`
	out, deps, err := redirect([]byte(src), (&stdCopy{pkg: "text/template"}).copied)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"internal/abi", "text/template/internal/x", "text/template", "golang.org/x/net/idna"}; !slices.Equal(deps, want) {
		t.Errorf("it needs %q, want %q", deps, want)
	}
	want := strings.NewReplacer(
		`i "internal/abi"`, `i "std.test/internal/abi"`,
		`_ "text/template/internal/x"`, `_ "std.test/text/template/internal/x"`,
		`	"text/template"`, `	"std.test/text/template"`,
	).Replace(src)
	if string(out) != want {
		t.Errorf("it became\n%s", out)
	}
}

func TestFilesThatCannotStandAloneAreFound(t *testing.T) {
	const src = `//go:build !purego && linux

package p

//go:linkname now time.now
func now() int64

func plain() int { return 1 }

func last(a int) (b string)
`
	got := string(standalone([]byte(src)))
	f, err := parser.ParseFile(token.NewFileSet(), "p.go", got, parser.ParseComments)
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	if n := len(f.Decls); n != 3 {
		t.Errorf("%d declarations", n)
	}
	if strings.Contains(got, "go:") || strings.Count(got, "panic(`linked`)") != 2 {
		t.Errorf("it became\n%s", got)
	}
}

func TestShimsAreWellFormed(t *testing.T) {
	all := shims()
	if len(all) == 0 {
		t.Fatal("there are none")
	}
	for path, src := range all {
		if _, err := format.Source(src); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if _, err := os.Stat(filepath.Join(build.Default.GOROOT, "src", filepath.FromSlash(path))); err != nil {
			t.Errorf("%s stands in for nothing: %v", path, err)
		}
	}
}

func TestPackagesBuiltOnAnotherAreFound(t *testing.T) {
	above, err := builtOn("go/ast")
	if err != nil {
		t.Fatal(err)
	}
	if !above["go/parser"] || !above["go/types"] || above["go/token"] || above["go/ast"] {
		t.Errorf("on go/ast are built %v", above)
	}
	if above, err = builtOn("strings"); err != nil {
		t.Fatal(err)
	}
	if above["testing"] || above["fmt"] || !above["encoding/json"] {
		t.Errorf("on strings are built %v", above)
	}
}

// TestCopyOfTheStandardLibraryCompiles copies packages that need shims, other internal packages, and in their tests
// what is built on them, and has them compiled.
func TestCopyOfTheStandardLibraryCompiles(t *testing.T) {
	for _, pkg := range []string{"sort", "go/ast"} {
		if testing.Short() && pkg != "sort" {
			continue
		}
		t.Run(pkg, func(t *testing.T) {
			m := &module{dir: t.TempDir()}
			if err := m.copyStd(pkg); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("go", "vet", "./...")
			cmd.Dir, cmd.Env = m.dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=-trimpath")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			tests, err := filepath.Glob(filepath.Join(m.dir, filepath.FromSlash(pkg), "*_test.go"))
			if err != nil || len(tests) == 0 {
				t.Errorf("no tests came along: %v", err)
			}
		})
	}
}

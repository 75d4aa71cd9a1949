package load

import (
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"testing"
)

// A generated file is built where its source is, whatever says where that is: the go
// command is asked about both.
func TestConstraintIsThatOfTheSource(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"a.go", "package a\n", ""},
		{"a_linux_arm64.go", "package a\n", "linux && arm64"},
		{"a.go", "//go:build extra || other\n\npackage a\n", "extra || other"},
		{"a.go", "// +build extra\n\npackage a\n", "extra"},
		{"a.go", "// Copyright.\n\n// +build extra,linux other\n// +build !never\n\n// Package a is old.\npackage a\n", "((extra && linux) || other) && !never"},
		{"a.go", "//go:build !never\n// +build extra\n\npackage a\n", "!never"},
		{"a_windows.go", "// +build extra\n\npackage a\n", "windows && extra"},
		// No blank line follows: it is a part of the package's documentation.
		{"a.go", "// Package a is built everywhere.\n// +build extra\npackage a\n", ""},
		{"a.go", "/*\n// +build extra\n*/\n\npackage a\n", ""},
		{"a.go", "package a\n\n// +build extra\n", ""},
	} {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, c.name, c.src, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		got := Constraint(fset, c.name, f)
		if got != c.want {
			t.Errorf("%s:\n%s\ngot %q, want %q", c.name, c.src, got, c.want)
		}
		generated := "package a\n"
		if got != "" {
			generated = "//go:build " + got + "\n\n" + generated
		}
		dir := t.TempDir()
		for name, src := range map[string]string{c.name: c.src, "z.go": generated} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(src), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		for _, tags := range [][]string{nil, {"extra"}, {"other"}, {"never"}, {"extra", "never"}} {
			for _, goos := range []string{"linux", "windows"} {
				ctx := build.Context{GOOS: goos, GOARCH: "arm64", Compiler: "gc", BuildTags: tags}
				source, err1 := ctx.MatchFile(dir, c.name)
				made, err2 := ctx.MatchFile(dir, "z.go")
				if err1 != nil || err2 != nil || source != made {
					t.Errorf("%s with tags %v on %s:\n%s\nthe source is built: %v, the generated file: %v (%v, %v)", c.name, tags, goos, c.src, source, made, err1, err2)
				}
			}
		}
	}
}

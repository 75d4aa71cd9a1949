package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const cachegen = "github.com/cachegen/cachegen"

// copyIn brings the module into the scratch directory and lets it see cachegen's runtime.
func (m *module) copyIn() error {
	m.dir = filepath.Join(m.o.scratch, regexp.MustCompile(`[^A-Za-z0-9.@-]+`).ReplaceAllString(m.Spec, "_"))
	if err := os.RemoveAll(m.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(m.dir, 0o777); err != nil {
		return err
	}
	if pkg, ok := strings.CutPrefix(m.Spec, "std:"); ok {
		if err := m.copyStd(pkg); err != nil {
			return err
		}
	} else if err := m.copyModule(); err != nil {
		return err
	}
	mod := filepath.Join(m.dir, "go.mod")
	if _, err := os.Stat(mod); err != nil {
		path, _, _ := strings.Cut(m.Spec, "@")
		if err := os.WriteFile(mod, []byte("module "+path+"\n"), 0o666); err != nil {
			return err
		}
	}
	// Modules leave out what only their tests need. What cannot be had fails with them.
	_, _, _, _ = m.command("go", "mod", "tidy", "-e")
	_, errs, _, err := m.command("go", "mod", "edit", "-go=1.26.0", "-toolchain=none", "-require="+cachegen+"@v0.0.0", "-replace="+cachegen+"="+m.o.repo)
	if err != nil {
		return fmt.Errorf("go mod edit: %w: %s", err, errs)
	}
	return nil
}

func (m *module) copyModule() error {
	cmd := exec.Command("go", "mod", "download", "-json", m.Spec)
	cmd.Dir = os.TempDir()
	out, err := cmd.Output()
	var d struct{ Dir, Error string }
	if e := json.Unmarshal(out, &d); e != nil || d.Error != "" || err != nil {
		return errors.Join(fmt.Errorf("go mod download %s: %s", m.Spec, d.Error), err)
	}
	return copyTree(d.Dir, m.dir, true)
}

// signed is the line that keeps a generator's file from being annotated. Here such code is
// wanted: it is large and strange.
var signed = regexp.MustCompile(`(?m)^// Code generated (.*) DO NOT EDIT\.`)

// copyTree copies a directory, makes it writable, and formats its Go files, since what gofmt
// would format otherwise is refused by adopt, and that is not what is looked for.
func copyTree(from, to string, below bool) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if d.IsDir() {
			if rel != "." && !below && d.Name() != "testdata" && !strings.Contains(filepath.ToSlash(rel), "testdata/") {
				return filepath.SkipDir
			}
			return os.MkdirAll(target, 0o777)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, ".go") && !strings.Contains(filepath.ToSlash(rel), "testdata/") {
			b = signed.ReplaceAll(b, []byte("// Code once generated $1"))
			if f, err := format.Source(b); err == nil {
				b = f
			}
		}
		return os.WriteFile(target, b, 0o666)
	})
}

// shims stand in for internal packages that only make sense inside the standard library.
var shims = map[string]string{
	"internal/godebug": `package godebug

type Setting struct{ name string }

func New(name string) *Setting { return &Setting{name} }

func (s *Setting) Name() string { return s.name }

func (s *Setting) Undocumented() bool { return true }

func (s *Setting) Value() string { return "" }

func (s *Setting) IncNonDefault() {}
`,
	"internal/race": `package race

import "unsafe"

const Enabled = false

func Acquire(unsafe.Pointer)           {}
func Release(unsafe.Pointer)           {}
func ReleaseMerge(unsafe.Pointer)      {}
func Disable()                         {}
func Enable()                          {}
func Read(unsafe.Pointer)              {}
func Write(unsafe.Pointer)             {}
func ReadRange(unsafe.Pointer, int)    {}
func WriteRange(unsafe.Pointer, int)   {}
func Errors() int                      { return 0 }
`,
	"internal/stringslite": `package stringslite

import "strings"

func HasPrefix(s, prefix string) bool               { return strings.HasPrefix(s, prefix) }
func HasSuffix(s, suffix string) bool               { return strings.HasSuffix(s, suffix) }
func IndexByte(s string, c byte) int                { return strings.IndexByte(s, c) }
func Index(s, substr string) int                    { return strings.Index(s, substr) }
func Cut(s, sep string) (string, string, bool)      { return strings.Cut(s, sep) }
func CutPrefix(s, prefix string) (string, bool)     { return strings.CutPrefix(s, prefix) }
func CutSuffix(s, suffix string) (string, bool)     { return strings.CutSuffix(s, suffix) }
func TrimPrefix(s, prefix string) string            { return strings.TrimPrefix(s, prefix) }
func TrimSuffix(s, suffix string) string            { return strings.TrimSuffix(s, suffix) }
func Clone(s string) string                         { return strings.Clone(s) }
`,
	"internal/bytealg": `package bytealg

import (
	"bytes"
	"strings"
)

const (
	MaxLen        = 64
	MaxBruteForce = 64
	PrimeRK       = 16777619
)

func IndexByte(b []byte, c byte) int               { return bytes.IndexByte(b, c) }
func IndexByteString(s string, c byte) int         { return strings.IndexByte(s, c) }
func LastIndexByte(b []byte, c byte) int           { return bytes.LastIndexByte(b, c) }
func LastIndexByteString(s string, c byte) int     { return strings.LastIndexByte(s, c) }
func Count(b []byte, c byte) int                   { return bytes.Count(b, []byte{c}) }
func CountString(s string, c byte) int             { return strings.Count(s, string(rune(c))) }
func Index(a, b []byte) int                        { return bytes.Index(a, b) }
func IndexString(a, b string) int                  { return strings.Index(a, b) }
func Cutover(n int) int                            { return (n + 16) / 8 }
func Equal(a, b []byte) bool                       { return bytes.Equal(a, b) }
func Compare(a, b []byte) int                      { return bytes.Compare(a, b) }
func CompareString(a, b string) int                { return strings.Compare(a, b) }
func MakeNoZero(n int) []byte                      { return make([]byte, n) }
func IndexRabinKarp[T string | []byte](s, sep T) int { return strings.Index(string(s), string(sep)) }
func LastIndexRabinKarp[T string | []byte](s, sep T) int {
	return strings.LastIndex(string(s), string(sep))
}
func HashStrRev[T string | []byte](sep T) (uint32, uint32) {
	hash, pow, sq := uint32(0), uint32(1), uint32(PrimeRK)
	for i := len(sep) - 1; i >= 0; i-- {
		hash = hash*PrimeRK + uint32(sep[i])
	}
	for i := len(sep); i > 0; i >>= 1 {
		if i&1 != 0 {
			pow *= sq
		}
		sq *= sq
	}
	return hash, pow
}
func HashStr[T string | []byte](sep T) (uint32, uint32) {
	hash, pow, sq := uint32(0), uint32(1), uint32(PrimeRK)
	for i := 0; i < len(sep); i++ {
		hash = hash*PrimeRK + uint32(sep[i])
	}
	for i := len(sep); i > 0; i >>= 1 {
		if i&1 != 0 {
			pow *= sq
		}
		sq *= sq
	}
	return hash, pow
}
`,
	"internal/reflectlite": `package reflectlite

import "reflect"

type (
	Type  = reflect.Type
	Value = reflect.Value
	Kind  = reflect.Kind
)

const Ptr, Interface, Slice, String, Struct = reflect.Pointer, reflect.Interface, reflect.Slice, reflect.String, reflect.Struct

func Swapper(x any) func(i, j int) { return reflect.Swapper(x) }
func ValueOf(x any) Value          { return reflect.ValueOf(x) }
func TypeOf(x any) Type            { return reflect.TypeOf(x) }
`,
	"internal/abi": `package abi

import "unsafe"

func NoEscape(p unsafe.Pointer) unsafe.Pointer { return p }

func Escape[T any](x T) T { return x }
`,
	"internal/cpu": `package cpu

const CacheLinePadSize = 64

var X86 struct{ HasAVX, HasAVX2, HasADX, HasBMI1, HasBMI2, HasSSE41, HasSSE42, HasPOPCNT, HasFMA bool }
`,
}

// copyStd copies a package of the standard library, and the internal packages that it
// needs, into a module of their own. Assembly is left out.
func (m *module) copyStd(pkg string) error {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return err
	}
	root := filepath.Join(strings.TrimSpace(string(out)), "src")
	if err := os.WriteFile(filepath.Join(m.dir, "go.mod"), []byte("module std.test\n"), 0o666); err != nil {
		return err
	}
	done := map[string]bool{}
	var bring func(path string, tests bool) error
	bring = func(path string, tests bool) error {
		if done[path] {
			return nil
		}
		done[path] = true
		to := filepath.Join(m.dir, filepath.FromSlash(path))
		if src, ok := shims[path]; ok {
			if err := os.MkdirAll(to, 0o777); err != nil {
				return err
			}
			b, err := format.Source([]byte(src))
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(to, filepath.Base(path)+".go"), b, 0o666)
		}
		if err := copyTree(filepath.Join(root, filepath.FromSlash(path)), to, false); err != nil {
			return err
		}
		entries, err := os.ReadDir(to)
		if err != nil {
			return err
		}
		for _, e := range entries {
			name := filepath.Join(to, e.Name())
			if strings.HasSuffix(name, ".s") {
				if err := os.Remove(name); err != nil {
					return err
				}
				continue
			}
			if !strings.HasSuffix(name, ".go") {
				continue
			}
			if !tests && strings.HasSuffix(name, "_test.go") {
				if err := os.Remove(name); err != nil {
					return err
				}
				continue
			}
			b, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			ctx := build.Default
			ctx.BuildTags = []string{"math_big_pure_go", "purego"}
			match, _ := ctx.MatchFile(to, e.Name())
			test := strings.HasSuffix(name, "_test.go")
			ok := true
			for _, dep := range imports(b) {
				if dep == pkg {
					b = bytes.ReplaceAll(b, []byte(strconv.Quote(dep)), []byte(strconv.Quote("std.test/"+dep)))
				}
				if !strings.HasPrefix(dep, "internal/") && !strings.Contains(dep, "/internal/") && !strings.HasPrefix(dep, "vendor/") && !strings.HasPrefix(dep, "golang.org/") {
					continue
				}
				if test || strings.HasPrefix(dep, "golang.org/") {
					ok = false
					break
				}
				if match {
					if err := bring(dep, false); err != nil {
						return err
					}
				}
				b = bytes.ReplaceAll(b, []byte(strconv.Quote(dep)), []byte(strconv.Quote("std.test/"+dep)))
			}
			if !ok && test {
				if err := os.Remove(name); err != nil {
					return err
				}
				continue
			}
			if !match {
				if err := os.Remove(name); err != nil {
					return err
				}
				continue
			}
			b = regexp.MustCompile(`(?m)^//go:linkname .*$`).ReplaceAll(b, nil)
			b = regexp.MustCompile(`(?m)^//go:build .*(math_big_pure_go|purego).*$`).ReplaceAll(b, nil)
			b = withBodies(b)
			if f, err := format.Source(b); err == nil {
				b = f
			}
			if err := os.WriteFile(name, b, 0o666); err != nil {
				return err
			}
		}
		return nil
	}
	return bring(pkg, true)
}

// withBodies gives functions that are linked from elsewhere a body that panics.
func withBodies(src []byte) []byte {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", src, parser.SkipObjectResolution)
	if err != nil {
		return src
	}
	for _, d := range slices.Backward(f.Decls) {
		if d, ok := d.(*ast.FuncDecl); ok && d.Body == nil {
			at := fset.PositionFor(d.End(), false).Offset
			src = slices.Concat(src[:at], []byte(" { panic(`linked`) }"), src[at:])
		}
	}
	return src
}

var importLine = regexp.MustCompile(`(?m)^(?:import\s+|\s+)(?:[\w.]+\s+)?"([^"]+)"`)

func imports(src []byte) []string {
	var all []string
	for _, m := range importLine.FindAllSubmatch(src, -1) {
		all = append(all, string(m[1]))
	}
	return all
}

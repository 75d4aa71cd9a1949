package main

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/build"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/txtar"
)

// stdModule is the path of the module that a package of the standard library is copied into.
const stdModule = "std.test"

//go:embed shims.txtar
var shimFiles []byte

// shims are the packages that stand in for others, by import path.
func shims() map[string][]byte {
	all := map[string][]byte{}
	for _, f := range txtar.Parse(shimFiles).Files {
		all[f.Name] = f.Data
	}
	return all
}

// stdCopy copies one package of the standard library into a module of its own, with the
// internal packages that it needs, and those that are built on it, as far as its tests use
// them: these speak of its types. Other imports stay what they are.
type stdCopy struct {
	m     *module
	root  string // GOROOT/src
	pkg   string
	above map[string]bool // packages built on pkg that can be copied
	shims map[string][]byte
	done  map[string]bool
}

func (m *module) copyStd(pkg string) error {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(m.dir, "go.mod"), []byte("module "+stdModule+"\n\ngo "+goVersion+"\n"), 0o666); err != nil {
		return err
	}
	above, err := builtOn(pkg)
	if err != nil {
		return err
	}
	c := &stdCopy{m, filepath.Join(strings.TrimSpace(string(out)), "src"), pkg, above, shims(), map[string]bool{}}
	m.beside = map[string]bool{}
	return c.bring(pkg)
}

// builtOn returns the packages of the standard library that import pkg, themselves or
// through others. Packages that package testing needs are left out: there is only one testing.
func builtOn(pkg string) (map[string]bool, error) {
	cmd := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Deps \" \"}}", "std")
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list std: %w", err)
	}
	all := map[string]bool{}
	var testing []string
	for l := range strings.Lines(string(out)) {
		f := strings.Fields(l)
		if slices.Contains(f[1:], pkg) {
			all[f[0]] = true
		}
		if f[0] == "testing" {
			testing = f
		}
	}
	for _, p := range testing {
		delete(all, p)
	}
	return all, nil
}

// copied reports whether imports of a package are to mean its copy.
func (c *stdCopy) copied(pkg string) bool {
	return pkg == c.pkg || c.above[pkg] || strings.HasPrefix(pkg, "internal/") || strings.Contains(pkg, "/internal/")
}

// bring copies a package and what is internal among its imports.
func (c *stdCopy) bring(pkg string) error {
	if c.done[pkg] {
		return nil
	}
	c.done[pkg] = true
	to := filepath.Join(c.m.dir, filepath.FromSlash(pkg))
	src, shim := c.shims[pkg]
	if shim || c.above[pkg] {
		c.m.beside["./"+pkg] = true
	}
	if shim {
		if err := os.MkdirAll(to, 0o777); err != nil {
			return err
		}
		b, err := format.Source(src)
		if err != nil {
			return fmt.Errorf("shim of %s: %w", pkg, err)
		}
		return os.WriteFile(filepath.Join(to, path.Base(pkg)+".go"), b, 0o666)
	}
	if err := c.m.copyTree(filepath.Join(c.root, filepath.FromSlash(pkg)), to, false); err != nil {
		return err
	}
	entries, err := os.ReadDir(to)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := filepath.Join(to, e.Name())
		switch filepath.Ext(name) {
		case ".go":
			err = c.file(to, e.Name(), pkg)
		case ".s":
			err = os.Remove(name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// file rewrites a file that was copied, or removes it: where it is of another build
// configuration, a test of an internal package, or in need of something vendored.
func (c *stdCopy) file(dir, base, pkg string) error {
	name := filepath.Join(dir, base)
	ctx := build.Default
	ctx.BuildTags = []string{"math_big_pure_go", "purego"} // what would be in assembly
	match, err := ctx.MatchFile(dir, base)
	if err != nil {
		return err
	}
	if !match || pkg != c.pkg && strings.HasSuffix(base, "_test.go") {
		return os.Remove(name)
	}
	src, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	src, deps, err := redirect(src, c.copied)
	if err != nil {
		return err
	}
	for _, dep := range deps {
		if strings.HasPrefix(dep, "golang.org/") || strings.HasPrefix(dep, "vendor/") {
			return os.Remove(name)
		}
		if dep != c.pkg {
			if err := c.bring(dep); err != nil {
				return err
			}
		}
	}
	return os.WriteFile(name, standalone(src), 0o666)
}

// redirect makes a file import the copies of packages, and returns which packages these
// are. Vendored ones are among them.
func redirect(src []byte, copied func(pkg string) bool) (out []byte, deps []string, err error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", src, parser.ImportsOnly)
	if err != nil {
		return nil, nil, err
	}
	for _, i := range slices.Backward(f.Imports) {
		dep, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case strings.HasPrefix(dep, "golang.org/"), strings.HasPrefix(dep, "vendor/"):
			deps = append(deps, dep)
			continue
		case !copied(dep):
			continue
		}
		deps = append(deps, dep)
		from, to := fset.Position(i.Path.Pos()).Offset, fset.Position(i.Path.End()).Offset
		src = slices.Concat(src[:from], []byte(strconv.Quote(stdModule+"/"+dep)), src[to:])
	}
	slices.Reverse(deps)
	return src, deps, nil
}

var (
	linkname = regexp.MustCompile(`(?m)^//go:linkname .*$`)
	pureTags = regexp.MustCompile(`(?m)^//go:build .*(math_big_pure_go|purego).*$`)
)

// standalone takes away what ties a file to the runtime, the linker and assembly.
func standalone(src []byte) []byte {
	src = pureTags.ReplaceAll(linkname.ReplaceAll(src, nil), nil)
	src = withBodies(src)
	if f, err := format.Source(src); err == nil {
		src = f
	}
	return src
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

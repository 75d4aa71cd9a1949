package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

const cachegen = "github.com/cachegen/cachegen"

// tree is a copy of a module.
type tree struct {
	dir        string
	packages   int
	files      int
	bytes      int64
	plain      int          // packages that have a function to annotate
	candidates []*candidate // one for each package, sorted by import path
	changed    map[string][]byte
}

// candidate is a function that can be annotated.
type candidate struct {
	pkg, file string
	src       []byte // of the file; nil if it has yet to be written
	text      string // of the file then
	at        int    // offset of the declaration
	doc       bool   // it has a doc comment
	iface     string // an exported interface of the package, if there is one
	enum      string // and a type with constants
}

// newTree copies a module and makes it one that can use cachegen.
func (o *options) newTree(spec string) (*tree, error) {
	cmd := exec.Command("go", "mod", "download", "-json", spec)
	cmd.Dir = os.TempDir()
	out, err := cmd.Output()
	var d struct{ Path, Version, Dir, Error string }
	if e := json.Unmarshal(out, &d); e != nil || d.Error != "" || err != nil {
		return nil, errors.Join(fmt.Errorf("go mod download: %s", d.Error), err)
	}
	t := &tree{dir: filepath.Join(o.scratch, strings.ReplaceAll(spec, "/", "_")), changed: map[string][]byte{}}
	if err := os.RemoveAll(t.dir); err != nil {
		return nil, err
	}
	if err := copyTree(d.Dir, t.dir); err != nil {
		return nil, err
	}
	if err := t.module(o.repo, d.Version); err != nil {
		return nil, err
	}
	return t, t.look()
}

func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o777)
		case !d.Type().IsRegular():
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o666)
	})
}

// module edits go.mod. Modules of the same repository that the archive lacks are taken from
// where they are published: kubernetes v1.34.1 has its k8s.io/api as v0.34.1.
func (t *tree) module(repo, version string) error {
	name := filepath.Join(t.dir, "go.mod")
	src, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	f, err := modfile.Parse(name, src, nil)
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(version, ".")
	for _, r := range slices.Clone(f.Replace) {
		if !modfile.IsDirectoryPath(r.New.Path) {
			continue
		}
		if _, err := os.Stat(filepath.Join(t.dir, filepath.FromSlash(r.New.Path), "go.mod")); err == nil {
			continue
		}
		if err := f.AddReplace(r.Old.Path, r.Old.Version, r.Old.Path, "v0."+rest); err != nil {
			return err
		}
	}
	f.DropToolchainStmt()
	if err := errors.Join(f.AddGoStmt("1.26.0"), f.AddRequire(cachegen, "v0.0.0"), f.AddRequire(wire, wireVersion), f.AddReplace(cachegen, "", repo, "")); err != nil {
		return err
	}
	f.Cleanup()
	out, err := f.Format()
	if err != nil {
		return err
	}
	return os.WriteFile(name, out, 0o666)
}

// command is a command in the tree.
func (t *tree) command(args ...string) *child {
	return command(t.dir, []string{"GOWORK=off", "GOFLAGS=-mod=mod"}, args...)
}

// reader is this program, reading the tree.
func (t *tree) reader() *child {
	exe, err := os.Executable()
	if err != nil {
		exe = os.Args[0]
	}
	return t.command(exe, readCommand, t.dir)
}

// look counts what is in the tree and finds what can be annotated.
func (t *tree) look() error {
	err := goFiles(t.dir, func(path string) error {
		info, err := os.Stat(path)
		if err == nil {
			t.files++
			t.bytes += info.Size()
		}
		return err
	})
	if err != nil {
		return err
	}
	out, err := t.command("go", "list", "-e", "-f", `{{.ImportPath}};{{.Dir}};{{.Name}};{{join .GoFiles ";"}}`, "./...").output()
	if err != nil {
		return err
	}
	for line := range strings.Lines(out) {
		t.packages++
		fields := strings.Split(strings.TrimRight(line, ";\n"), ";")
		c := &candidate{pkg: fields[0]}
		if len(fields) < 4 {
			continue // nothing but tests, or files of other systems
		}
		for _, f := range fields[3:] {
			if err := c.look(filepath.Join(fields[1], f)); err != nil {
				return err
			}
		}
		if c.file != "" {
			t.plain++
		} else {
			c.file = filepath.Join(fields[1], "cachegentree.go")
			c.text = "package " + fields[2] + "\n\nfunc cachegenTree(n int) (string, error) { return string(rune(n)), nil }\n"
			c.at = strings.Index(c.text, "func")
		}
		t.candidates = append(t.candidates, c)
	}
	return nil
}

var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.`)

// look takes what it needs of one file of the package.
func (c *candidate) look(name string) error {
	src, err := os.ReadFile(name)
	if err != nil || generated.Match(src) || bytes.Contains(src, []byte("\nimport \"C\"")) {
		return err
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if c.file == "" && plain(d) {
				c.file, c.src, c.at, c.doc = name, src, fset.PositionFor(d.Pos(), false).Offset, d.Doc != nil
			}
		case *ast.GenDecl:
			c.declared(d)
		}
	}
	return nil
}

// declared notes an interface and a type with constants.
func (c *candidate) declared(d *ast.GenDecl) {
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			if i, ok := s.Type.(*ast.InterfaceType); ok && c.iface == "" && s.Name.IsExported() && s.TypeParams == nil && len(i.Methods.List) > 1 {
				c.iface = s.Name.Name
			}
		case *ast.ValueSpec:
			if id, ok := s.Type.(*ast.Ident); ok && d.Tok == token.CONST && c.enum == "" && len(s.Values) == 1 && id.IsExported() {
				if v, ok := s.Values[0].(*ast.Ident); ok && v.Name == "iota" {
					c.enum = id.Name
				}
			}
		}
	}
}

// plain reports whether a function takes and returns nothing that could be refused.
func plain(d *ast.FuncDecl) bool {
	if d.Recv != nil || d.Type.TypeParams != nil || d.Body == nil || d.Type.Results == nil || d.Name.Name == "main" || d.Name.Name == "init" {
		return false
	}
	if d.Doc != nil && strings.Contains(d.Doc.List[len(d.Doc.List)-1].Text, ":") {
		return false // it may be a directive
	}
	values := 0
	for _, f := range append(slices.Clone(d.Type.Params.List), d.Type.Results.List...) {
		t := f.Type
		if s, ok := t.(*ast.ArrayType); ok && s.Len == nil {
			t = s.Elt
		}
		id, ok := t.(*ast.Ident)
		if !ok || !slices.Contains([]string{"string", "bool", "int", "int64", "uint64", "float64", "byte", "error"}, id.Name) {
			return false
		}
		if id.Name == "error" && !slices.Contains(d.Type.Results.List, f) {
			return false
		}
		if id.Name != "error" && slices.Contains(d.Type.Results.List, f) {
			values++
		}
	}
	return values > 0
}

// annotate puts a directive above the functions and above no other.
func (t *tree) annotate(cs []*candidate) error {
	for name, src := range t.changed {
		var err error
		if src == nil {
			err = os.Remove(name)
		} else {
			err = os.WriteFile(name, src, 0o666)
		}
		if err != nil {
			return err
		}
		if err := os.Remove(strings.TrimSuffix(name, ".go") + "_cachegen.go"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	clear(t.changed)
	for _, c := range cs {
		directive := "//cache:data ttl=10m name=CachegenTree\n"
		if c.doc {
			directive = "//\n" + directive
		}
		whole := c.src
		if whole == nil {
			whole = []byte(c.text)
		}
		src := slices.Concat(whole[:c.at], []byte(directive), whole[c.at:])
		if err := os.WriteFile(c.file, src, 0o666); err != nil {
			return err
		}
		t.changed[c.file] = c.src
	}
	return nil
}

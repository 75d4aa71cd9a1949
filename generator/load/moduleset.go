package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/mod/modfile"
	"golang.org/x/sync/errgroup"
	"golang.org/x/tools/go/gcexportdata"
	"golang.org/x/tools/go/packages"

	"github.com/cachegen/cachegen/generator/scan"
)

// moduleSet is the directories that share a build list: those of one module, or of the
// modules of one workspace.
type moduleSet struct {
	l       *loader
	dir     string // where the go command runs
	modules []module
	dirs    []string // annotated

	sources  map[string]*sourcePackage // typed from source, by import path
	importer types.Importer            // of everything else; nil for export data from the go command

	mu      sync.Mutex
	types   map[string]*types.Package // the one map of all imports
	exports map[string]string         // export data files
	broken  map[string]error          // imports that cannot be had
}

// module is a module whose packages may be typed from source.
type module struct{ path, dir string }

// sourcePackage is one package that is typed from source.
type sourcePackage struct {
	set       *moduleSet
	path      string
	dir       string
	files     []*File
	names     []string // of files that are parsed when it is this package's turn
	imports   []string
	resolved  map[string]string // what imports mean that are not what they say: vendored ones
	root      *Package          // nil for a package without annotations
	goVersion string
	level     int
	visiting  bool

	types *types.Package
}

// metaMode is what is asked about the annotated packages. It leads to go list -find.
const metaMode = packages.NeedName | packages.NeedFiles | packages.NeedModule

// exportMode is what is asked about their imports.
const exportMode = packages.NeedName | packages.NeedExportFile

// sourceMode is what is asked about imports that are typed from source, with all that
// they import.
const sourceMode = packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedDeps | packages.NeedModule

func (g *moduleSet) packages(mode packages.LoadMode, patterns []string) ([]*packages.Package, error) {
	return g.packagesUntil(g.l.ctx, mode, patterns)
}

func (g *moduleSet) packagesUntil(ctx context.Context, mode packages.LoadMode, patterns []string) ([]*packages.Package, error) {
	return ask(ctx, Config{Dir: g.dir, Env: g.l.cfg.Env, BuildFlags: g.l.cfg.BuildFlags}, mode, false, patterns)
}

// moduleSets sorts directories by the module or workspace that they belong to.
func (l *loader) moduleSets(dirs []string) []*moduleSet {
	byKey := map[string]*moduleSet{}
	var all []*moduleSet
	for _, d := range dirs {
		root := scan.FindUp(d, "go.mod")
		key, dir := root, root
		var mods []module
		if root == "" {
			key, dir = d, d // let the go command say what is wrong with it
		} else {
			mods = []module{{modulePath(root), root}}
			if work, uses := l.workspace(root); work != "" {
				key, dir, mods = work, root, nil
				for _, u := range uses {
					mods = append(mods, module{modulePath(u), u})
				}
			}
		}
		g := byKey[key]
		if g == nil {
			g = &moduleSet{l: l, dir: dir, modules: mods, sources: map[string]*sourcePackage{},
				types: map[string]*types.Package{}, exports: map[string]string{}, broken: map[string]error{}}
			byKey[key] = g
			all = append(all, g)
		}
		g.dirs = append(g.dirs, d)
	}
	return all
}

func modulePath(dir string) string {
	data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return ""
	}
	return modfile.ModulePath(data)
}

// workspace returns the go.work file that the module in dir is part of, and the
// directories of its modules.
func (l *loader) workspace(dir string) (file string, uses []string) {
	file = WorkFile(dir, l.cfg.Env)
	uses = WorkModules(file)
	if !slices.ContainsFunc(uses, func(u string) bool { return SameDir(u, dir) }) {
		return "", nil
	}
	return file, uses
}

// dirOf returns the directory of an import path in the modules at hand, "" if it is
// in none of them.
func (g *moduleSet) dirOf(importPath string) string {
	best, dir := "", ""
	for _, m := range g.modules {
		if m.path == "" || len(m.path) < len(best) {
			continue
		}
		if importPath == m.path {
			best, dir = m.path, m.dir
		} else if rest, ok := strings.CutPrefix(importPath, m.path+"/"); ok {
			best, dir = m.path, filepath.Join(m.dir, filepath.FromSlash(rest))
		}
	}
	return dir
}

// pathOf is the inverse of dirOf, for directories of a module.
func (g *moduleSet) pathOf(dir string) string {
	for _, m := range g.modules {
		if rel, err := filepath.Rel(m.dir, dir); err == nil && filepath.IsLocal(rel) && scan.FindUp(dir, "go.mod") == m.dir {
			return path.Join(m.path, filepath.ToSlash(rel))
		}
	}
	return ""
}

// connecting returns the import paths of the packages in the modules at hand that an
// annotated package imports, directly or not, and that themselves import an annotated
// one. Build constraints are not looked at, so it may name too many, never too few.
func (g *moduleSet) connecting(roots map[string]bool) map[string]bool {
	if len(roots) < 2 {
		return nil // a package cannot import itself
	}
	// What the annotated packages reach, a level at a time, several directories at once.
	imports := map[string][]string{}
	level := map[string]string{}
	for _, d := range g.dirs {
		if p := g.pathOf(d); p != "" {
			level[p] = d
		}
	}
	for len(level) > 0 {
		paths := sorted(level)
		found := make([][]string, len(paths))
		var eg errgroup.Group
		eg.SetLimit(2 * runtime.GOMAXPROCS(0))
		for i, p := range paths {
			eg.Go(func() error { found[i] = importsOf(level[p]); return nil })
		}
		_ = eg.Wait()
		next := map[string]string{}
		for i, p := range paths {
			imports[p] = found[i]
			for _, imp := range found[i] {
				if d := g.dirOf(imp); d != "" && imports[imp] == nil && level[imp] == "" {
					next[imp] = d
				}
			}
		}
		level = next
	}
	// Which of them lead back.
	reaches, seen := map[string]bool{}, map[string]bool{}
	var visit func(path string) bool
	visit = func(path string) bool {
		if !seen[path] {
			seen[path] = true
			for _, imp := range imports[path] {
				if _, here := imports[imp]; here && visit(imp) {
					reaches[path] = true // and go on: all of them must be visited
				}
			}
		}
		return roots[path] || reaches[path]
	}
	for r := range roots {
		visit(r)
	}
	for r := range roots {
		delete(reaches, r)
	}
	return reaches
}

// importsOf returns what the files of a directory import, tests left out.
func importsOf(dir string) []string {
	all := []string{} // not nil, so that a directory is known to have been looked at
	entries, err := os.ReadDir(dir)
	if err != nil {
		return all
	}
	for _, e := range entries {
		if !goFile(e.Name()) || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, _ := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, e.Name()), nil, parser.ImportsOnly)
		all = append(all, fileImports(f)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func goFile(name string) bool {
	return strings.HasSuffix(name, ".go") && name[0] != '_' && name[0] != '.'
}

func fileImports(f *ast.File) []string {
	var all []string
	if f == nil {
		return nil
	}
	for _, s := range f.Imports {
		if p := strings.Trim(s.Path.Value, "`\""); p != "C" && p != "unsafe" && p != "" {
			all = append(all, p)
		}
	}
	return all
}

// addSource makes the package of a directory known as one that is typed from source.
func (g *moduleSet) addSource(path, dir, goVersion string, files []*File, root *Package) *sourcePackage {
	u := &sourcePackage{set: g, path: path, dir: dir, files: files, root: root, goVersion: goVersion}
	for _, f := range files {
		u.imports = append(u.imports, fileImports(f.Syntax)...)
	}
	slices.Sort(u.imports)
	u.imports = slices.Compact(u.imports)
	g.sources[path] = u
	return u
}

// typecheck types the packages that come from source, those that others import first, several at once.
func (g *moduleSet) typecheck() {
	var order []*sourcePackage
	var visit func(u *sourcePackage) int
	visit = func(u *sourcePackage) int {
		if u.visiting || u.level > 0 { // an import cycle is left to the type checker
			return u.level
		}
		u.visiting = true
		level := 1
		for _, p := range g.dependencies(u) {
			level = max(level, visit(p)+1)
		}
		u.visiting = false
		u.level = level
		order = append(order, u)
		return level
	}
	for _, p := range sorted(g.sources) {
		visit(g.sources[p])
	}
	slices.SortStableFunc(order, func(a, b *sourcePackage) int { return a.level - b.level })
	for i := 0; i < len(order); {
		j := i
		var eg errgroup.Group
		eg.SetLimit(runtime.GOMAXPROCS(0))
		for ; j < len(order) && order[j].level == order[i].level; j++ {
			u := order[j]
			eg.Go(func() error { u.typecheck(); return nil })
		}
		_ = eg.Wait()
		i = j
	}
}

// dependencies returns the packages from source that u imports.
func (g *moduleSet) dependencies(u *sourcePackage) []*sourcePackage {
	var deps []*sourcePackage
	for _, p := range u.imports {
		if d := g.sources[p]; d != nil {
			deps = append(deps, d)
		}
	}
	return deps
}

func (u *sourcePackage) typecheck() {
	info := (*types.Info)(nil)
	if u.root != nil {
		info = newInfo()
	}
	if u.names != nil {
		u.files = u.set.parse(u.names)
	}
	pkg, errs := u.check(u.files, info, true)
	u.set.mu.Lock()
	u.types = pkg
	u.set.types[u.path] = pkg
	u.set.mu.Unlock()
	if u.root != nil {
		u.root.Types, u.root.Info, u.root.Errors = pkg, info, errs
	} else {
		u.files = nil // there may be hundreds of such packages
	}
}

func newInfo() *types.Info {
	return &types.Info{
		Types:        map[ast.Expr]types.TypeAndValue{},
		Instances:    map[*ast.Ident]types.Instance{},
		Defs:         map[*ast.Ident]types.Object{},
		Uses:         map[*ast.Ident]types.Object{},
		Implicits:    map[ast.Node]types.Object{},
		Selections:   map[*ast.SelectorExpr]*types.Selection{},
		Scopes:       map[ast.Node]*types.Scope{},
		FileVersions: map[*ast.File]string{},
	}
}

// check types files as the package.
func (u *sourcePackage) check(files []*File, info *types.Info, ignoreBodies bool) (*types.Package, []types.Error) {
	var errs []types.Error
	conf := types.Config{
		IgnoreFuncBodies: ignoreBodies,
		FakeImportC:      true,
		Importer:         u,
		Sizes:            u.set.l.sizes(),
		Error: func(err error) {
			var e types.Error
			if errors.As(err, &e) {
				errs = append(errs, e)
			}
		},
	}
	if u.goVersion != "" {
		conf.GoVersion = "go" + u.goVersion
	}
	var syntax []*ast.File
	for _, f := range files {
		syntax = append(syntax, f.Syntax)
	}
	pkg, _ := conf.Check(u.path, u.set.l.cfg.Fset, syntax, info)
	return pkg, errs
}

// Import gives the type checker what an import of the package means.
func (u *sourcePackage) Import(path string) (*types.Package, error) {
	if to, ok := u.resolved[path]; ok {
		path = to
	}
	return u.set.Import(path)
}

// Import returns a package: typed from source where it is one of the sources, else
// from export data.
func (g *moduleSet) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if p := g.types[path]; p != nil && p.Complete() {
		return p, nil
	}
	if u := g.sources[path]; u != nil {
		if u.types != nil {
			return u.types, nil // with errors of its own, and so not complete
		}
		return nil, fmt.Errorf("import cycle through %s", path)
	}
	if g.importer != nil {
		return g.importer.Import(path)
	}
	if err := g.broken[path]; err != nil {
		return nil, err
	}
	file := g.exports[path]
	if file == "" {
		// Only what generated code imports beyond what its package does comes here late.
		pkgs, err := g.packages(exportMode, []string{path})
		if err == nil && len(pkgs) == 1 {
			file = pkgs[0].ExportFile
			err = packageError(pkgs[0])
		}
		if file == "" {
			if err == nil {
				err = fmt.Errorf("no type information for %s", path)
			}
			g.broken[path] = err
			return nil, err
		}
		g.exports[path] = file
	}
	p, err := g.readExport(path, file)
	if err != nil {
		g.broken[path] = err
		return nil, err
	}
	return p, nil
}

func (g *moduleSet) readExport(path, file string) (*types.Package, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	//lint:ignore SA1019 up to Go 1.27 export data comes inside an archive, which only NewReader opens
	r, err := gcexportdata.NewReader(bufio.NewReaderSize(f, 1<<16))
	if err != nil {
		return nil, fmt.Errorf("export data of %s: %w", path, err)
	}
	p, err := gcexportdata.Read(r, g.l.cfg.Fset, g.types, path)
	if err != nil {
		return nil, fmt.Errorf("export data of %s cannot be read; cachegen was built with %s, so build it again if the go command is newer: %w", path, runtime.Version(), err)
	}
	return p, nil
}

// packageError returns the first error that the go command has about a package.
func packageError(p *packages.Package) error {
	if len(p.Errors) == 0 {
		return nil
	}
	return errors.New(strings.TrimSpace(p.Errors[0].Msg))
}

func (l *loader) sizes() types.Sizes {
	arch := getenv(l.cfg.Env, "GOARCH")
	if arch == "" {
		arch = build.Default.GOARCH
	}
	return types.SizesFor("gc", arch)
}

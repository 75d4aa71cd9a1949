package load

import (
	"context"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/names"
	"github.com/cachegen/cachegen/generator/scan"
	"golang.org/x/sync/errgroup"
	"golang.org/x/tools/go/packages"
)

// loader is one call of Load.
type loader struct {
	cfg    Config
	ctx    context.Context
	parsed map[string]*scan.Annotated // by path

	mu    sync.Mutex
	diags []diag.Diagnostic
}

func (l *loader) report(ds ...diag.Diagnostic) {
	l.mu.Lock()
	l.diags = append(l.diags, ds...)
	l.mu.Unlock()
}

func (l *loader) load(dirs []string) ([]*Package, []diag.Diagnostic) {
	var all []*Package
	for _, g := range l.moduleSets(dirs) {
		all = append(all, g.load()...)
	}
	slices.SortFunc(all, func(a, b *Package) int { return strings.Compare(a.Dir, b.Dir) })
	return all, diag.Sort(l.diags)
}

// anchor returns the position of the first directive of a directory, where errors of
// the whole package are shown.
func (l *loader) anchor(dir string) token.Position {
	for _, p := range sorted(l.parsed) {
		a := l.parsed[p]
		if filepath.Dir(p) != dir {
			continue
		}
		if len(a.Funcs) > 0 {
			return a.Funcs[0].Directive.Pos
		}
	}
	return token.Position{Filename: dir}
}

// listing is the .go files of a directory, read and parsed, before it is known which of
// them the build configuration excludes.
type listing struct {
	files     []*File // hand-written ones that parse at least in part, tests included
	generated []string
}

// list reads a directory. Files that were parsed for their directives are not parsed
// again. Of directories without annotations, tests and function bodies are left out.
func (g *moduleSet) list(dir string, root bool) (*listing, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	ls := &listing{}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if !goFile(e.Name()) || !root && strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
			continue
		}
		if a := g.l.parsed[name]; a != nil && a.Syntax != nil && a.Source == "" {
			ls.files = append(ls.files, &File{name, a.Src, a.Syntax, a})
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if _, ours := scan.Source(src); ours || strings.HasSuffix(e.Name(), "_cachegen.go") && scan.HalfWritten(src) {
			ls.generated = append(ls.generated, name)
			continue
		}
		mode := parser.SkipObjectResolution
		if root {
			mode |= parser.ParseComments
		}
		// What is whole of a broken file is used; what is missing shows as a type error
		// where it matters. A file without a name has no directive.
		f, _ := parser.ParseFile(g.l.cfg.Fset, name, src, mode)
		if f == nil || f.Name == nil || f.Name.Name == "" || f.Name.Name == "_" {
			continue
		}
		if !root {
			dropBodies(f)
			src = nil
		}
		ls.files = append(ls.files, &File{name, src, f, nil})
	}
	return ls, nil
}

// dropBodies removes function bodies, which nobody reads, so that their memory is free.
func dropBodies(f *ast.File) {
	for fn := range names.Functions(f) {
		fn.Body = nil
	}
}

// load types the packages of the set.
func (g *moduleSet) load() []*Package {
	l := g.l
	listings := map[string]*listing{}
	frontier := map[string]bool{RuntimePath: true}
	roots := map[string]bool{}
	for _, d := range g.dirs {
		ls, err := g.list(d, true)
		if err != nil {
			l.report(diag.Errorf(l.anchor(d), diag.NotLoaded, "%v", err))
			continue
		}
		listings[d] = ls
		if p := g.pathOf(d); p != "" {
			roots[p] = true
		}
	}
	connecting := g.connecting(roots)
	metaDirs := slices.Clone(g.dirs)
	paths := sorted(connecting)
	between := make([]*listing, len(paths))
	var eg errgroup.Group
	eg.SetLimit(runtime.GOMAXPROCS(0))
	for i, p := range paths {
		eg.Go(func() (err error) { between[i], err = g.list(g.dirOf(p), false); return err })
	}
	if err := eg.Wait(); err != nil {
		l.report(diag.Errorf(l.anchor(g.dirs[0]), diag.NotLoaded, "%v", err))
		return nil
	}
	for i, p := range paths {
		listings[g.dirOf(p)] = between[i]
		metaDirs = append(metaDirs, g.dirOf(p))
	}
	for _, ls := range listings {
		for _, f := range ls.files {
			if strings.HasSuffix(f.Name, "_test.go") {
				continue
			}
			for _, p := range fileImports(f.Syntax) {
				if !roots[p] && !connecting[p] {
					frontier[p] = true
				}
			}
		}
	}

	if frontier["net/http"] { // handlers are bound by it: better asked for now than one by one
		frontier[CachePath+"/html"] = true
	}

	// Questions to the go command, two at once.
	var meta, exported []*packages.Package
	var uncompiled bool
	var metaErr, exportErr error
	var wg sync.WaitGroup
	wg.Go(func() { meta, metaErr = g.packages(metaMode, metaDirs) })
	wg.Go(func() { exported, uncompiled, exportErr = g.exported(sorted(frontier)) })
	wg.Wait()
	for _, err := range []error{metaErr, exportErr} {
		if err != nil {
			l.report(diag.Errorf(l.anchor(g.dirs[0]), diag.NotLoaded, "%s", goError(err)))
			return nil
		}
	}

	byDir := map[string]*packages.Package{}
	for _, p := range meta {
		byDir[realPath(packageDir(p))] = p
	}
	var pkgs []*Package
	for _, d := range metaDirs {
		ls := listings[d]
		if ls == nil {
			continue
		}
		if p := g.build(d, ls, byDir[realPath(d)], slices.Contains(g.dirs, d)); p != nil {
			pkgs = append(pkgs, p)
		}
	}
	if uncompiled {
		g.fromSource(exported)
	} else {
		g.exportData(exported)
	}
	g.typecheck()

	for _, p := range pkgs {
		l.report(p.checkSignatures()...)
	}
	if len(pkgs) > 0 {
		g.runtimePresent(pkgs[0])
	}
	return pkgs
}

// goError returns what the go command wrote, without what was wrapped around it.
func goError(err error) string {
	msg := err.Error()
	if _, stderr, ok := strings.Cut(msg, "stderr: "); ok {
		msg = stderr
	}
	return strings.TrimPrefix(strings.TrimSpace(msg), "go: ")
}

// packageDir returns where the files of a package are.
func packageDir(p *packages.Package) string {
	if p.Dir != "" {
		return p.Dir
	}
	for _, list := range [][]string{p.GoFiles, p.IgnoredFiles} {
		for _, f := range list {
			return filepath.Dir(f)
		}
	}
	return p.PkgPath
}

// build puts a package together from what is in its directory and what the go command
// says. The result is nil if it cannot be used, or has no annotations.
func (g *moduleSet) build(dir string, ls *listing, meta *packages.Package, root bool) *Package {
	l := g.l
	if meta == nil {
		if root {
			rel, err := filepath.Rel(g.dir, dir)
			if err != nil {
				rel = dir
			}
			l.report(diag.Errorf(l.anchor(dir), diag.NotLoaded, "the go command does not know the package in this directory").
				WithHint("see what it says: cd %s && go list ./%s", g.dir, filepath.ToSlash(rel)))
		}
		return nil
	}
	ignored := map[string]bool{}
	for _, f := range meta.IgnoredFiles {
		ignored[filepath.Base(f)] = true
	}
	p := &Package{ImportPath: meta.PkgPath, Dir: dir, Fset: l.cfg.Fset, Generated: ls.generated, Sizes: l.sizes(),
		unsound: map[*ast.FuncDecl]bool{}}
	if m := meta.Module; m != nil {
		p.Module, p.ModuleDir, p.GoVersion = m.Path, m.Dir, m.GoVersion
		if !m.Main && root {
			l.report(diag.Errorf(l.anchor(dir), diag.NotMain, "%s belongs to module %s, which is not the main module here", p.ImportPath, m.Path))
			return nil
		}
	}
	if own := g.pathOf(dir); own != "" && (!strings.Contains(p.ImportPath, "/") || filepath.IsAbs(p.ImportPath)) {
		p.ImportPath = own // the go command gives up the path of a package that it cannot read
	} else if root && own == "" && meta.Module == nil && (filepath.IsAbs(p.ImportPath) || build.IsLocalImport(p.ImportPath)) {
		// It belongs to no module that the go command looks at: nothing could import it.
		msg := "the go command takes this directory for no part of a module"
		if err := packageError(meta); err != nil {
			msg = err.Error()
		}
		l.report(diag.Errorf(l.anchor(dir), diag.NotLoaded, "%s", msg))
		return nil
	}
	var active, others []*File
	for _, f := range ls.files {
		switch {
		case strings.HasSuffix(f.Name, "_test.go"), ignored[filepath.Base(f.Name)]:
			others = append(others, f)
		default:
			active = append(active, f)
		}
	}
	p.Name, p.Syntax = g.clause(dir, active, root)
	if p.Name == "" { // nothing but excluded files, or several packages
		if len(active) == 0 && root {
			g.excluded(others)
			if len(meta.Errors) > 0 && len(others) == 0 {
				l.report(diag.Errorf(l.anchor(dir), diag.NotLoaded, "%s", packageError(meta)))
			}
		}
		return nil
	}
	for _, f := range others {
		if f.Syntax.Name.Name == p.Name {
			p.Other = append(p.Other, f)
		}
	}
	for _, f := range slices.Concat(p.Syntax, p.Other) {
		if f.Annotated != nil {
			p.Surfaces = append(p.Surfaces, f.Annotated.Surfaces...)
		}
	}
	goVersion := p.GoVersion
	if !root {
		g.addSource(p.ImportPath, dir, goVersion, p.Syntax, nil)
		return nil
	}
	g.excluded(others)
	p.source = g.addSource(p.ImportPath, dir, goVersion, p.Syntax, p)
	return p
}

// excluded warns of annotated files that the build configuration leaves out.
func (g *moduleSet) excluded(files []*File) {
	for _, f := range files {
		if f.Annotated != nil && len(f.Annotated.Funcs) > 0 {
			pos := f.Annotated.Funcs[0].Directive.Pos
			g.l.report(diag.Warnf(pos, diag.Excluded, "the present build configuration excludes %s", filepath.Base(f.Name)))
		}
	}
}

// clause returns the package's name and the files that have it. The name is that of the
// first annotated file.
func (g *moduleSet) clause(dir string, files []*File, root bool) (string, []*File) {
	name := ""
	for _, f := range files {
		if f.Annotated != nil && len(f.Annotated.Funcs) > 0 {
			name = f.Syntax.Name.Name
			break
		}
	}
	if name == "" && len(files) > 0 {
		name = files[0].Syntax.Name.Name
	}
	var same []*File
	for _, f := range files {
		if f.Syntax.Name.Name == name {
			same = append(same, f)
		} else if root {
			g.l.report(diag.Errorf(g.l.cfg.Fset.PositionFor(f.Syntax.Name.Pos(), false), diag.MixedPackages,
				"package %s in a directory of package %s", f.Syntax.Name.Name, name).
				WithRelated(g.l.cfg.Fset.PositionFor(same0(files, name), false), "package %s", name))
		}
	}
	return name, same
}

func same0(files []*File, name string) token.Pos {
	for _, f := range files {
		if f.Syntax.Name.Name == name {
			return f.Syntax.Name.Pos()
		}
	}
	return token.NoPos
}

// exported asks for export data. The go command compiles what its cache lacks, which is
// minutes in a large tree. When it has not answered after the configured patience, the
// packages come uncompiled, with all that they import, to be typed from source. What uses
// cgo is compiled all the same: its types cannot be known otherwise.
func (g *moduleSet) exported(paths []string) (pkgs []*packages.Package, uncompiled bool, err error) {
	ctx, cancel := context.WithTimeout(g.l.ctx, g.l.cfg.patience())
	defer cancel()
	pkgs, err = g.packagesUntil(ctx, exportMode, paths)
	if err == nil || ctx.Err() == nil || g.l.ctx.Err() != nil {
		return pkgs, false, err
	}
	if pkgs, err = g.packages(sourceMode, paths); err != nil {
		return nil, false, err
	}
	var cgo []string
	packages.Visit(pkgs, nil, func(p *packages.Package) {
		if p.Module != nil && slices.ContainsFunc(p.GoFiles, importsC) { // the standard library shows no C
			cgo = append(cgo, p.PkgPath)
		}
	})
	compiled, err := g.packages(sourceMode|packages.NeedExportFile, cgo)
	if err != nil {
		return nil, false, err
	}
	// With all that they import: no package may be typed from source whose types are in
	// export data.
	packages.Visit(compiled, nil, func(p *packages.Package) {
		if p.ExportFile != "" {
			g.exports[p.PkgPath] = p.ExportFile
		}
	})
	return pkgs, true, nil
}

// importsC reports whether a file uses cgo.
func importsC(name string) bool {
	f, _ := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
	return f != nil && slices.ContainsFunc(f.Imports, func(s *ast.ImportSpec) bool { return s.Path.Value == `"C"` })
}

// exportData takes over what the go command gave, and types from source what it could
// not compile.
func (g *moduleSet) exportData(exported []*packages.Package) {
	var missing []string
	for _, p := range exported {
		if p.ExportFile != "" {
			g.exports[p.PkgPath] = p.ExportFile
		} else if p.PkgPath != "unsafe" && g.sources[p.PkgPath] == nil {
			missing = append(missing, p.PkgPath)
		}
	}
	if len(missing) == 0 {
		return
	}
	slices.Sort(missing)
	pkgs, err := g.packages(sourceMode|packages.NeedExportFile, missing)
	if err != nil {
		for _, m := range missing {
			g.broken[m] = err
		}
		return
	}
	packages.Visit(pkgs, nil, func(p *packages.Package) {
		if p.ExportFile != "" && g.sources[p.PkgPath] == nil {
			g.exports[p.PkgPath] = p.ExportFile
		}
	})
	g.fromSource(pkgs)
}

// fromSource has packages typed from source, and what they import, unless there is export
// data of them.
func (g *moduleSet) fromSource(pkgs []*packages.Package) {
	packages.Visit(pkgs, nil, func(p *packages.Package) {
		switch {
		case p.PkgPath == "unsafe" || g.sources[p.PkgPath] != nil || g.exports[p.PkgPath] != "":
		case len(p.GoFiles) == 0:
			err := packageError(p)
			if err == nil {
				err = fmt.Errorf("no Go files in %s", p.PkgPath)
			}
			g.broken[p.PkgPath] = err
		default:
			u := g.addSource(p.PkgPath, packageDir(p), goVersionOf(p), nil, nil)
			u.names = p.GoFiles
			for path, imported := range p.Imports {
				u.imports = append(u.imports, imported.PkgPath)
				if path != imported.PkgPath {
					if u.resolved == nil {
						u.resolved = map[string]string{}
					}
					u.resolved[path] = imported.PkgPath
				}
			}
			slices.Sort(u.imports)
		}
	})
}

func goVersionOf(p *packages.Package) string {
	if p.Module != nil {
		return p.Module.GoVersion
	}
	return ""
}

// parse reads the files of a package that nobody annotated.
func (g *moduleSet) parse(names []string) []*File {
	var files []*File
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		f, _ := parser.ParseFile(g.l.cfg.Fset, name, src, parser.SkipObjectResolution)
		if f != nil && f.Name != nil && f.Name.Name != "" && f.Name.Name != "_" {
			dropBodies(f)
			files = append(files, &File{name, nil, f, nil})
		}
	}
	return files
}

// runtimePresent reports a module that cannot import the runtime.
func (g *moduleSet) runtimePresent(p *Package) {
	if _, err := g.Import(RuntimePath); err != nil {
		g.l.report(cannotImport(g.l.anchor(p.Dir), RuntimePath, err))
	}
}

// Missing reports the packages of cachegen that generated files import and the module cannot
// import. The runtime itself is left out: Load has reported it.
func (p *Package) Missing(outputs []Output) []diag.Diagnostic {
	if _, err := p.Import(RuntimePath); err != nil {
		return nil
	}
	ours := strings.TrimSuffix(RuntimePath, "runtime")
	missing := map[string]error{}
	for _, o := range outputs {
		f, _ := parser.ParseFile(token.NewFileSet(), o.Name, o.Src, parser.ImportsOnly)
		for _, path := range fileImports(f) {
			if _, err := p.Import(path); err != nil && strings.HasPrefix(path, ours) {
				missing[path] = err
			}
		}
	}
	var ds []diag.Diagnostic
	for _, path := range sorted(missing) {
		ds = append(ds, cannotImport(p.source.set.l.anchor(p.Dir), path, missing[path]))
	}
	return ds
}

// cannotImport words why a package of cachegen cannot be imported, and what to run.
func cannotImport(at token.Position, path string, err error) diag.Diagnostic {
	d := diag.Errorf(at, diag.NoRuntime, "generated code cannot import %s: %v", path, err)
	says := func(part string) bool { return strings.Contains(err.Error(), part) }
	switch {
	case says("-mod=vendor"), says("vendor/modules.txt"):
		d.Hint = "run: go mod vendor; or without vendoring: go get -tool github.com/cachegen/cachegen/cmd/cachegen"
	case !says("no required module") && !says("but not required") && !says("cannot find module") && !says("not in std"):
		d.Hint = "make it compile: go build " + path
	case path != RuntimePath:
		d.Hint = "run: go get " + path
	}
	return d
}

// checkSignatures reports the annotated signatures of a package that cannot be planned.
func (p *Package) checkSignatures() []diag.Diagnostic {
	var ds []diag.Diagnostic
	for _, f := range p.Syntax {
		if f.Annotated == nil || len(f.Annotated.Funcs) == 0 {
			continue
		}
		for _, fn := range f.Annotated.Funcs {
			if bad := p.signature(f, fn.Decl); len(bad) > 0 {
				ds = append(ds, bad...)
				p.unsound[fn.Decl] = true
			}
		}
	}
	return ds
}

// signature reports what cannot be resolved in one annotated signature.
func (p *Package) signature(f *File, decl *ast.FuncDecl) []diag.Diagnostic {
	obj, _ := p.Info.Defs[decl.Name].(*types.Func)
	if obj == nil {
		return []diag.Diagnostic{diag.Errorf(p.Position(decl.Name.Pos()), diag.InvalidSignature, "%s has no type: it may be declared twice", decl.Name.Name)}
	}
	path, bad := invalid(obj.Signature(), p.isCgoType)
	if !bad {
		return nil
	}
	from, to := decl.Pos(), decl.Type.End()
	var ds []diag.Diagnostic
	for _, e := range p.Errors {
		if from <= e.Pos && e.Pos < to {
			ds = append(ds, p.addImportCause(f, diag.Errorf(p.Position(e.Pos), diag.InvalidSignature, "in the signature of %s: %s", decl.Name.Name, e.Msg)))
		}
	}
	if c := usesC(decl.Type); c != nil && len(ds) == 0 {
		return []diag.Diagnostic{diag.Errorf(p.Position(c.Pos()), diag.InvalidSignature, "the signature of %s uses the C type C.%s", decl.Name.Name, c.Sel.Name).
			WithHint("convert to Go types inside the function")}
	}
	if len(ds) > 0 {
		return ds
	}
	if x := p.untyped(decl); x != nil {
		return []diag.Diagnostic{p.addImportCause(f, diag.Errorf(p.Position(x.Pos()), diag.InvalidSignature,
			"the type %s in the signature of %s cannot be resolved", types.ExprString(x), decl.Name.Name))}
	}
	d := diag.Errorf(p.Position(decl.Name.Pos()), diag.InvalidSignature, "the signature of %s holds a type that cannot be resolved: %s", decl.Name.Name, path)
	for _, e := range p.Errors {
		d = d.WithRelated(p.Position(e.Pos), "%s", e.Msg)
		if len(d.Related) == 3 {
			break
		}
	}
	return []diag.Diagnostic{p.addImportCause(f, d)}
}

// untyped returns the first type expression of a signature that itself cannot be
// resolved.
func (p *Package) untyped(decl *ast.FuncDecl) (found ast.Expr) {
	look := func(n ast.Node) bool {
		x, ok := n.(ast.Expr)
		if !ok || found != nil {
			return found == nil
		}
		switch x.(type) {
		case *ast.SelectorExpr, *ast.Ident:
			if t, ok := p.Info.Types[x]; ok && t.Type == types.Typ[types.Invalid] {
				found = x
			}
		}
		return found == nil
	}
	if decl.Recv != nil {
		ast.Inspect(decl.Recv, look)
	}
	ast.Inspect(decl.Type, look)
	return found
}

// addImportCause adds what is known about imports that failed.
func (p *Package) addImportCause(f *File, d diag.Diagnostic) diag.Diagnostic {
	for _, s := range f.Syntax.Imports {
		path := strings.Trim(s.Path.Value, "`\"")
		p.source.set.mu.Lock()
		err := p.source.set.broken[path]
		p.source.set.mu.Unlock()
		if err != nil {
			d = d.WithRelated(p.Position(s.Pos()), "import %s cannot be resolved: %v", path, err)
			d.Hint = diag.UnresolvedImport.Info().Hint
		}
	}
	return d
}

// usesC returns the first C.x in the expression of a type.
func usesC(x ast.Expr) (found *ast.SelectorExpr) {
	ast.Inspect(x, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && found == nil {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "C" {
				found = s
			}
		}
		return true
	})
	return found
}

// isCgoType reports whether the type of a field, or a named type, is written in terms of C at its
// declaration. Such types have no form here, and whoever needs to look into one says so.
func (p *Package) isCgoType(declared token.Pos) (is bool) {
	for _, f := range p.Syntax {
		if declared < f.Syntax.FileStart || declared >= f.Syntax.FileEnd {
			continue
		}
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			if n == nil || declared < n.Pos() || declared >= n.End() {
				return false
			}
			switch n := n.(type) {
			case *ast.Field:
				is = usesC(n.Type) != nil
			case *ast.TypeSpec:
				is = usesC(n.Type) != nil
			}
			return true
		})
	}
	return is
}

// invalid looks for a type that could not be resolved in what a signature is made of,
// and says where it is. Types for whose declaration known reports true are skipped.
func invalid(sig *types.Signature, known func(declared token.Pos) bool) (path string, bad bool) {
	seen := map[types.Type]bool{}
	var look func(t types.Type, at string, declared token.Pos) (string, bool)
	// Only below a field or a named type is there a declaration to ask about.
	tuple := func(vars *types.Tuple, at string, below bool) (string, bool) {
		for v := range vars.Variables() {
			name := v.Name()
			if name == "" {
				name = "_"
			}
			declared := token.NoPos
			if below {
				declared = v.Pos()
			}
			if p, bad := look(v.Type(), at+name, declared); bad {
				return p, true
			}
		}
		return "", false
	}
	look = func(t types.Type, at string, declared token.Pos) (string, bool) {
		if b, ok := t.(*types.Basic); ok {
			return at, b.Kind() == types.Invalid && !known(declared)
		}
		if seen[t] {
			return "", false
		}
		seen[t] = true
		switch t := t.(type) {
		case *types.Alias:
			return look(types.Unalias(t), at, declared)
		case *types.Named:
			for a := range t.TypeArgs().Types() {
				if p, bad := look(a, at, declared); bad {
					return p, true
				}
			}
			return look(t.Underlying(), at, t.Obj().Pos())
		case *types.Pointer:
			return look(t.Elem(), at, declared)
		case *types.Slice:
			return look(t.Elem(), at, declared)
		case *types.Array:
			return look(t.Elem(), at, declared)
		case *types.Chan:
			return look(t.Elem(), at, declared)
		case *types.Map:
			if p, bad := look(t.Key(), at, declared); bad {
				return p, true
			}
			return look(t.Elem(), at, declared)
		case *types.Struct:
			for f := range t.Fields() {
				if p, bad := look(f.Type(), at+"."+f.Name(), f.Pos()); bad {
					return p, true
				}
			}
		case *types.Signature:
			if p, bad := tuple(t.Params(), at+" ", declared.IsValid()); bad {
				return p, true
			}
			return tuple(t.Results(), at+" ", declared.IsValid())
		case *types.TypeParam:
			return look(t.Constraint(), at, declared)
		}
		return "", false
	}
	if r := sig.Recv(); r != nil {
		if p, bad := look(r.Type(), "the receiver", token.NoPos); bad {
			return p, true
		}
	}
	if p, bad := tuple(sig.Params(), "", false); bad {
		return p, true
	}
	return tuple(sig.Results(), "result ", false)
}

package rewrite

import (
	"context"
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/names"
	"github.com/cachegen/cachegen/generator/output"
	"github.com/cachegen/cachegen/generator/scan"
)

// EjectRequest says what to eject.
type EjectRequest struct {
	Dir        string   // where relative patterns start
	Env        []string // environment of the go command; nil for the process's
	BuildFlags []string // for the go command, such as -tags=x
	Targets    []string // functions, by their own or their wrappers' names, or patterns
	Tool       bool     // also drop what runs the command: the tool line of go.mod, //go:generate lines
}

func (r EjectRequest) goCommand() goCommand { return goCommand{r.Dir, r.Env, r.BuildFlags} }

// EjectResult is a Result with what has to be generated anew.
type EjectResult struct {
	Result
	Remaining []string        // directories in which annotated functions stay, to be generated anew
	Removed   []output.Change // generated files that nothing asks for any more
	live      *ejectUses      // what the rest of the code uses of what was generated
}

// ejection is one function on its way out.
type ejection struct {
	*function
	wrapper string
	to      string // the name it gets: its wrapper's, if that exists
}

// Eject works out the edits that make annotated functions plain ones. The declaration takes the
// name of its wrapper, so that callers of the wrapper call the function; what called the
// computation by its own name is rewritten, in every package of the module.
//
// Where other functions of a package stay annotated, the caller generates it anew with the
// changed files, and passes what came out to [EjectResult.Check].
func Eject(ctx context.Context, req EjectRequest) (*EjectResult, error) {
	res := &EjectResult{}
	found, ds, err := resolve(ctx, req.goCommand(), req.Targets, func(p *pkg, r candidate) bool {
		return r.in(p) || len(p.ejectable(r.recv, r.name)) > 0
	})
	if err != nil {
		return nil, err
	}
	res.Diagnostics = ds
	byFile := map[*source]*edits{}
	var todo []*ejection
	for _, p := range found.pkgs {
		for _, n := range found.named[p] {
			hits := p.ejectable(n.recv, n.name)
			if len(hits) == 0 {
				f := p.functions(p.all())[slices.IndexFunc(p.functions(p.all()), func(f *function) bool { return f.recv == n.recv && f.name == n.name })]
				res.report(diag.Errorf(f.pos(), diag.NotAnnotated, "%s has no directive", f))
			}
			todo = append(todo, hits...)
		}
		if found.whole[p] {
			for _, f := range p.functions(p.all()) {
				if len(directives(f.decl)) > 0 {
					todo = append(todo, p.ejection(f))
				}
			}
		}
	}
	todo = slices.CompactFunc(sortEjections(todo), func(a, b *ejection) bool { return a.decl == b.decl })
	todo = slices.DeleteFunc(todo, func(e *ejection) bool {
		if slices.Contains(e.pkg.other, e.src) {
			res.report(diag.Warnf(e.pos(), diag.ExcludedFile, "%s stays as it is: the present build configuration leaves its file out", e))
			return true
		}
		return false
	})
	gone := map[*ast.Comment]bool{}
	for _, e := range todo {
		ed := editsOf(byFile, e.src)
		cs := directives(e.decl)
		for _, c := range cs {
			gone[c] = true
		}
		ed.dropDirectives(e.decl, cs)
		if e.to != e.name {
			ed.renameIdent(e.decl.Name, e.to)
			ed.docWord(e.decl, e.name, e.to)
			res.Functions = append(res.Functions, fmt.Sprintf("%s.%s → %s", e.pkg.path, e.function, e.to))
		} else {
			res.Functions = append(res.Functions, fmt.Sprintf("%s.%s", e.pkg.path, e.function))
		}
		res.Dirs = append(res.Dirs, e.pkg.dir)
	}
	res.generated(found, gone)
	if err := res.references(ctx, req, todo, byFile); err != nil {
		return nil, err
	}
	finish(req.Dir, &res.Result, byFile)
	if len(found.named) == 0 && !diag.HasErrors(res.Diagnostics) {
		if err := res.modules(req, found.pkgs); err != nil {
			return nil, err
		}
	}
	return res, nil
}

func (r *Result) report(d diag.Diagnostic) { r.Diagnostics = append(r.Diagnostics, d) }

func editsOf(byFile map[*source]*edits, s *source) *edits {
	e := byFile[s]
	if e == nil {
		e = &edits{}
		byFile[s] = e
	}
	return e
}

func sortEjections(es []*ejection) []*ejection {
	slices.SortFunc(es, func(a, b *ejection) int {
		p, q := a.pos(), b.pos()
		if c := strings.Compare(p.Filename, q.Filename); c != 0 {
			return c
		}
		return p.Offset - q.Offset
	})
	return es
}

// ejectable lists the annotated functions that recv and name mean, by their own name or
// their wrapper's.
func (p *pkg) ejectable(recv, name string) []*ejection {
	var es []*ejection
	for _, f := range p.functions(p.all()) {
		if f.recv != recv || len(directives(f.decl)) == 0 {
			continue
		}
		if e := p.ejection(f); e.name == name || e.wrapper == name {
			es = append(es, e)
		}
	}
	return es
}

func (p *pkg) ejection(f *function) *ejection {
	e := &ejection{function: f, to: f.name}
	e.wrapper = wrapperName(f.name, nameOption(directives(f.decl)[0]))
	// Without a wrapper nothing can call it, and a function that was never behind one keeps
	// its name, unless it was given the suffix for one.
	if p.generates(f.recv, e.wrapper) || strings.HasSuffix(f.name, suffix) {
		e.to = e.wrapper
	}
	return e
}

// generates reports whether a generated file declares the function.
func (p *pkg) generates(recv, name string) bool {
	return slices.ContainsFunc(p.generated, func(g *genFile) bool {
		return mentions(g.disk, name) && slices.Contains(names.Declared(g.disk), names.Member{Recv: recv, Name: name})
	})
}

// generated sorts the generated files into those that go and those that are to be made
// anew.
func (r *EjectResult) generated(found *resolved, gone map[*ast.Comment]bool) {
	for _, p := range found.pkgs {
		stays := map[string]bool{} // base names of sources that keep a directive
		for _, f := range p.functions(p.all()) {
			for _, c := range directives(f.decl) {
				if !gone[c] {
					stays[filepath.Base(f.src.name)] = true
				}
			}
		}
		if len(stays) > 0 && slices.Contains(r.Dirs, p.dir) {
			r.Remaining = append(r.Remaining, p.dir)
		}
		for _, g := range p.generated {
			if stays[g.from] || !found.whole[p] && !slices.Contains(r.Dirs, p.dir) {
				continue
			}
			r.Removed = append(r.Removed, output.Change{Name: g.name, Old: g.disk})
			r.Dirs = append(r.Dirs, p.dir)
		}
	}
}

// ejectUses is what hand-written code uses of the packages concerned.
type ejectUses struct {
	objects map[object][]token.Position // uses by name, in hand-written files
	before  map[string][]object         // what generated files declare, by file
	kept    map[object]bool             // wrappers whose functions take their names
}

// references notes a rename for each reference to a computation that changes its name, and
// remembers what else is used of generated files.
func (r *EjectResult) references(ctx context.Context, req EjectRequest, todo []*ejection, byFile map[*source]*edits) error {
	r.live = &ejectUses{objects: map[object][]token.Position{}, before: map[string][]object{}, kept: map[object]bool{}}
	rename := map[object]*ejection{}
	idents := map[string]bool{}  // identifiers to look at
	wide := map[string]bool{}    // those of them that other packages can see
	renamed := map[string]bool{} // names of computations
	own := map[string]*pkg{}     // by directory
	for _, e := range todo {
		own[e.pkg.dir] = e.pkg
		r.live.kept[object{e.pkg.path, e.recv, e.to}] = true
		if e.to == e.name {
			continue
		}
		rename[object{e.pkg.path, e.recv, e.name}] = e
		idents[e.name], renamed[e.name] = true, true
		if e.decl.Name.IsExported() {
			wide[e.name] = true
		}
	}
	for _, e := range todo {
		for _, g := range e.pkg.generated {
			if _, ok := r.live.before[g.name]; ok {
				continue
			}
			r.live.before[g.name] = nil
			ms := names.Declared(g.disk)
			for _, m := range ms {
				if m.Recv != "" && slices.Contains(ms, names.Member{Name: m.Recv}) {
					continue // to use it takes a value of its type, and that is declared there too
				}
				o := object{e.pkg.path, m.Recv, m.Name}
				r.live.before[g.name] = append(r.live.before[g.name], o)
				if m.Name != "_" {
					idents[m.Name] = true
					if token.IsExported(m.Name) {
						wide[m.Name] = true
					}
				}
			}
		}
	}
	if len(idents) == 0 {
		return nil
	}
	// Which packages name any of it: those of the ejected functions, and what a scan of the
	// module's bytes finds.
	pkgs := map[string]*pkg{}
	for dir, p := range own {
		for _, s := range p.all() {
			if slices.ContainsFunc(sorted(idents), func(n string) bool { return mentions(s.text, n) }) {
				pkgs[dir] = p
			}
		}
	}
	if len(wide) > 0 {
		others, err := mentioning(ctx, req, sorted(wide), own)
		if err != nil {
			return err
		}
		maps.Copy(pkgs, others)
	}
	to := map[string]string{}
	for o, e := range rename {
		to[o.name] = e.to
	}
	u, err := loadUses(ctx, req.goCommand(), sorted(pkgs), true, func(n string) (string, bool) { return to[n], idents[n] })
	if err != nil {
		return err
	}
	for _, dir := range sorted(pkgs) {
		p := pkgs[dir]
		for _, s := range slices.Concat(p.files, p.tests) {
			r.referencesIn(p, s, u, idents, renamed, rename, byFile)
		}
		for _, s := range p.other {
			r.untyped(p, s, rename)
		}
	}
	return nil
}

func (r *EjectResult) referencesIn(p *pkg, s *source, u *uses, idents, renamed map[string]bool, rename map[object]*ejection, byFile map[*source]*edits) {
	for _, d := range s.file.Decls {
		for _, id := range identifiers(d, sorted(idents)...) {
			if fd, ok := d.(*ast.FuncDecl); ok && fd.Name == id {
				continue
			}
			o, ok := u.lookup(s, id)
			if !ok && renamed[id.Name] {
				r.report(diag.Errorf(s.pos(id.Pos()), diag.UnclearReference, "it cannot be told whether this %s is the function that changes its name", id.Name))
				continue
			}
			if e := rename[o]; e != nil {
				if at, ok := u.capturedAt(s, id); ok && e.recv == "" && !selected(d, id) {
					r.report(diag.Errorf(s.pos(id.Pos()), diag.NameTaken, "%s becomes %s, and that name means something else here", id.Name, e.to).
						WithRelated(at, "%s is declared here", e.to))
					continue
				}
				editsOf(byFile, s).renameIdent(id, e.to)
			} else if o != (object{}) {
				r.live.objects[o] = append(r.live.objects[o], s.pos(id.Pos()))
			}
		}
	}
}

// selected reports whether id is the name behind a dot.
func selected(d ast.Decl, id *ast.Ident) bool {
	found := false
	ast.Inspect(d, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel == id {
			found = true
		}
		return !found
	})
	return found
}

// untyped reports references in a file that the build configuration leaves out, where
// nothing can be told of types. A file that declares the name itself speaks of its own.
func (r *EjectResult) untyped(p *pkg, s *source, rename map[object]*ejection) {
	for _, e := range rename {
		declares := slices.ContainsFunc(p.functions([]*source{s}), func(f *function) bool { return f.name == e.name })
		if declares || p.path != e.pkg.path && !mentions(s.text, e.pkg.name) {
			continue
		}
		for _, id := range identifiers(s.file, e.name) {
			r.report(diag.Errorf(s.pos(id.Pos()), diag.UnclearReference, "%s is named in a file that the build configuration leaves out, and becomes %s", e.name, e.to).
				WithHint("rename it there by hand first, or run with the configuration that includes the file"))
		}
	}
}

// mentioning finds the packages of the main modules, other than those in own, that have one
// of the words in a file.
func mentioning(ctx context.Context, req EjectRequest, words []string, own map[string]*pkg) (map[string]*pkg, error) {
	modules, err := mainModules(ctx, req)
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, m := range modules {
		err := filepath.WalkDir(m, func(path string, d os.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			if path != m && scan.SkipDir(d.Name()) {
				return filepath.SkipDir
			}
			if own[path] != nil || slices.Contains(dirs, path) {
				return nil
			}
			files, err := goFiles(path)
			if err != nil {
				return err
			}
			for _, src := range files {
				if slices.ContainsFunc(words, func(w string) bool { return mentions(src, w) }) {
					dirs = append(dirs, path)
					break
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	// A directory may belong to a module that is not built here; then it has no say.
	slices.Sort(dirs)
	out := map[string]*pkg{}
	for _, d := range dirs {
		ps, err := loadPackages(ctx, req.goCommand(), []string{d})
		if err != nil {
			return nil, err
		}
		for _, p := range ps {
			if p.path != "" && len(p.all()) > 0 {
				out[p.dir] = p
			}
		}
	}
	return out, nil
}

// mainModules lists the directories of the modules that are worked on together: those of
// the workspace, or the one.
func mainModules(ctx context.Context, req EjectRequest) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}")
	cmd.Dir, cmd.Env = req.Dir, req.Env
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list -m: %w", err)
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' || r == '\r' }), nil
}

// Check compares what generated files declared with what they declare after, and
// refuses what would go away while it is used. generated holds the new content of files that are made anew,
// by path; files that are not in it are deleted if they are in Removed.
func (r *EjectResult) Check(generated map[string][]byte) {
	if r.live == nil {
		return
	}
	removed := map[string]bool{}
	for _, c := range r.Removed {
		removed[c.Name] = true
	}
	after := map[object]bool{}
	for _, name := range sorted(r.live.before) {
		src, anew := generated[name]
		if removed[name] {
			continue
		}
		for _, o := range r.live.before[name] {
			if !anew {
				after[o] = true
			}
		}
		for _, m := range names.Declared(src) {
			for _, o := range r.live.before[name] {
				if o.recv == m.Recv && o.name == m.Name {
					after[o] = true
				}
			}
		}
	}
	for _, name := range sorted(r.live.before) {
		for _, o := range r.live.before[name] {
			if after[o] || r.live.kept[o] {
				continue
			}
			for _, pos := range r.live.objects[o] {
				r.report(diag.Errorf(pos, diag.StillInUse, "%s is used here and goes away with the cache", o.name))
			}
		}
	}
	r.Diagnostics = diag.Sort(r.Diagnostics)
	if diag.HasErrors(r.Diagnostics) {
		r.Changes, r.Functions = nil, nil
	}
}

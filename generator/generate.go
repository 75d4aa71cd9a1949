package generator

import (
	"bytes"
	"context"
	"fmt"
	"go/token"
	"go/types"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/emit"
	"github.com/cachegen/cachegen/generator/load"
	"github.com/cachegen/cachegen/generator/model"
	"github.com/cachegen/cachegen/generator/output"
	"github.com/cachegen/cachegen/generator/scan"
	"golang.org/x/sync/errgroup"
)

// Request says what to generate.
type Request struct {
	Dir        string   // working directory, absolute; patterns are relative to it
	Patterns   []string // packages, as the go command names them; none for ./...
	Env        []string // for the go command; nil for that of the process
	BuildFlags []string // for the go command, such as -tags=x

	// Replace holds what hand-written files would be, by absolute path: a run over
	// edits that are not on disk yet. Nil for a file that is gone.
	Replace map[string][]byte
}

// File is one generated file.
type File struct {
	Path   string // absolute
	Source string // of the hand-written file, absolute; "" for an orphan
	Old    []byte // what is on disk; nil if there is nothing
	New    []byte // what should be; nil for an orphan
}

// Changed reports whether the file on disk is not what it should be. Line ends that a
// version control system made CRLF do not matter.
func (f *File) Changed() bool {
	if (f.Old == nil) != (f.New == nil) {
		return true
	}
	return !bytes.Equal(f.Old, f.New) && !bytes.Equal(bytes.ReplaceAll(f.Old, []byte("\r\n"), []byte("\n")), f.New)
}

// Result is what a run made. If its diagnostics hold an error, Files is incomplete and
// must not be written.
type Result struct {
	Files       []File        // all generated files, changed or not, sorted by path
	Funcs       []*model.Func // all functions that were planned, sorted by position
	Diagnostics []diag.Diagnostic

	Read      int      // .go files scanned
	Temporary []string // what runs that were killed may have left, for output.Sweep
	Sources   map[string][]byte
}

// Changes returns what must change on disk.
func (r *Result) Changes() []output.Change {
	var cs []output.Change
	for _, f := range r.Files {
		if f.Changed() {
			cs = append(cs, output.Change{Name: f.Path, Old: f.Old, New: f.New})
		}
	}
	return cs
}

// Failed reports whether the diagnostics hold an error.
func (r *Result) Failed() bool { return diag.HasErrors(r.Diagnostics) }

// Generate makes the files of all annotated functions in the requested packages. Faults
// of the code are in the result's diagnostics; the error is for a run that cannot
// be made, such as one over a directory that cannot be read.
func Generate(ctx context.Context, req Request) (*Result, error) {
	res := &Result{Sources: map[string][]byte{}}
	rs, ds := roots(ctx, req)
	res.Diagnostics = ds
	scanned, err := scan.Tree(ctx, rs)
	if err != nil {
		return nil, err
	}
	res.Read, res.Temporary = scanned.Read, scanned.Temporary
	for _, r := range scanned.Empty {
		res.Diagnostics = append(res.Diagnostics, diag.Errorf(token.Position{}, diag.BadPattern, "%s matches no Go file", r.Pattern))
	}
	scanned.Replace(req.Replace)
	fset := token.NewFileSet()
	annotated := annotate(fset, scanned.Files)
	for _, a := range annotated {
		res.Diagnostics = append(res.Diagnostics, a.Diagnostics...)
		res.Sources[a.Path] = a.Src
	}
	outputs := newOutputs(scanned.Files, annotated)

	if worth := worthLoading(annotated); len(worth) > 0 {
		pkgs, ds := load.Load(ctx, load.Config{Dir: req.Dir, Env: req.Env, BuildFlags: req.BuildFlags, Fset: fset}, worth)
		res.Diagnostics = append(res.Diagnostics, ds...)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		made := make([]made, len(pkgs))
		var eg errgroup.Group
		eg.SetLimit(runtime.GOMAXPROCS(0))
		for i, p := range pkgs {
			eg.Go(func() error { made[i] = generatePackage(p, outputs); return nil })
		}
		_ = eg.Wait()
		for i, m := range made {
			res.Files = append(res.Files, m.files...)
			res.Funcs = append(res.Funcs, m.funcs...)
			res.Diagnostics = append(res.Diagnostics, m.diags...)
			for _, f := range pkgs[i].Syntax {
				res.Sources[f.Name] = f.Src
			}
		}
	}
	res.Diagnostics = append(res.Diagnostics, model.CheckNested(res.Funcs)...)
	res.Files = append(res.Files, outputs.orphans()...)
	slices.SortFunc(res.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	res.Diagnostics = diag.Sort(res.Diagnostics)
	return res, nil
}

// annotate reads the candidates among files, several at once, and keeps their order.
func annotate(fset *token.FileSet, files []*scan.File) []*scan.Annotated {
	var candidates []*scan.File
	for _, f := range files {
		if f.Candidate {
			candidates = append(candidates, f)
		}
	}
	all := make([]*scan.Annotated, len(candidates))
	var eg errgroup.Group
	eg.SetLimit(runtime.GOMAXPROCS(0))
	for i, f := range candidates {
		eg.Go(func() error { all[i] = scan.Annotate(fset, f); return nil })
	}
	_ = eg.Wait()
	return all
}

// worthLoading returns the files of the directories in which a function is annotated.
func worthLoading(files []*scan.Annotated) []*scan.Annotated {
	dirs := map[string]bool{}
	for _, f := range files {
		if len(f.Funcs) > 0 {
			dirs[filepath.Dir(f.Path)] = true
		}
	}
	var worth []*scan.Annotated
	for _, f := range files {
		if dirs[filepath.Dir(f.Path)] {
			worth = append(worth, f)
		}
	}
	return worth
}

// outputs knows the generated files on disk.
type outputs struct {
	files   map[string]*scan.File // generated, or in the place of a generated file
	sources map[string]bool       // hand-written files with a directive, by the path of their output
}

func newOutputs(files []*scan.File, annotated []*scan.Annotated) *outputs {
	o := &outputs{map[string]*scan.File{}, map[string]bool{}}
	for _, f := range files {
		if f.Src != nil && (f.Source != "" || strings.HasSuffix(f.Path, "_cachegen.go")) {
			o.files[f.Path] = f
		}
	}
	for _, a := range annotated {
		if a.Directives > 0 {
			o.sources[emit.FileName(a.Path)] = true
		}
	}
	return o
}

// old returns what is on disk at path. The diagnostic is not nil if something is there
// that cachegen did not write.
func (o *outputs) old(path string, source token.Position) ([]byte, *diag.Diagnostic) {
	f := o.files[path]
	if f == nil {
		return nil, nil
	}
	if f.Source == "" && !scan.HalfWritten(f.Src) {
		d := diag.Errorf(token.Position{Filename: path, Line: 1, Column: 1}, diag.ForeignOutput,
			"%s is where code generated from %s belongs, and was not written by cachegen", filepath.Base(path), filepath.Base(source.Filename)).
			WithRelated(source, "the function to be cached")
		return nil, &d
	}
	if f.Src == nil {
		return []byte{}, nil
	}
	return f.Src, nil
}

// orphans returns the generated files whose source is gone or has no directive.
func (o *outputs) orphans() []File {
	var all []File
	for path, f := range o.files {
		if f.Source != "" && !o.sources[path] {
			all = append(all, File{Path: path, Old: f.Src})
		}
	}
	return all
}

// made is what one package gave.
type made struct {
	files []File
	funcs []*model.Func
	diags []diag.Diagnostic
}

// generatePackage plans and emits the annotated functions of a package.
func generatePackage(p *load.Package, o *outputs) (m made) {
	foreign := map[string]*diag.Diagnostic{} // by path of a file that cachegen did not write, where it would
	for _, f := range p.Syntax {
		if f.Annotated == nil {
			continue
		}
		for _, fn := range f.Annotated.Funcs {
			if !p.Sound(fn.Decl) {
				continue
			}
			plan, ds := model.Plan(p, f, fn.Decl, fn.Directive)
			if path := emit.FileName(f.Name); foreign[path] == nil {
				at := p.Position(fn.Decl.Name.Pos())
				if _, d := o.old(path, at); d != nil {
					foreign[path] = d
					m.diags = append(m.diags, *d)
				}
			}
			// What is declared there clashes with everything, and that is said.
			ds = slices.DeleteFunc(ds, func(d diag.Diagnostic) bool {
				return (d.Code == diag.NameClash || d.Code == diag.MemberClash) && len(d.Related) > 0 && foreign[d.Related[0].Pos.Filename] != nil
			})
			m.diags = append(m.diags, ds...)
			if plan != nil && !diag.HasErrors(ds) {
				m.funcs = append(m.funcs, plan)
			}
		}
	}
	m.diags = append(m.diags, model.CheckPackage(m.funcs)...)
	if diag.HasErrors(m.diags) || len(m.funcs) == 0 {
		return m
	}
	outs, err := emit.Package(p, m.funcs)
	if err != nil {
		m.diags = append(m.diags, diag.Errorf(m.funcs[0].Directive.Pos, diag.OutputAddsError, "%v", err))
		return m
	}
	changed := false
	for _, out := range outs {
		source, at := sourceOf(out.Name, m.funcs)
		old, foreign := o.old(out.Name, at)
		if foreign != nil {
			m.diags = append(m.diags, *foreign)
			continue
		}
		file := File{Path: out.Name, Source: source, Old: old, New: out.Src}
		changed = changed || file.Changed()
		m.files = append(m.files, file)
	}
	if !changed || diag.HasErrors(m.diags) {
		return m // what is on disk already cannot add an error
	}
	if _, err := p.Import(load.RuntimePath); err != nil {
		return m // that has been said, and nothing compiles without it
	}
	if ds := p.Missing(outs); len(ds) > 0 {
		m.diags = append(m.diags, ds...)
		return m
	}
	checked := p.Check(outs)
	for i, e := range checked.Errors {
		if i == maxSimilar {
			break
		}
		d := diag.Errorf(e.Pos, diag.OutputAddsError, "generated code would not compile: %s", e.Msg)
		if e.Line != "" { // the file is not on disk: show its line, and point at a source
			d.Message += "\n" + strings.TrimSpace(e.Line)
			_, d.Pos = sourceOf(e.Pos.Filename, m.funcs)
		}
		m.diags = append(m.diags, d)
	}
	for i, e := range checked.Uses {
		if i == maxSimilar {
			break
		}
		m.diags = append(m.diags, diag.Warnf(p.Position(e.Pos), diag.WrongUse, "%s", e.Msg))
	}
	m.diags = append(m.diags, typeErrors(p, checked.Stay)...)
	return m
}

// maxSimilar bounds the errors of one kind that are shown for a package.
const maxSimilar = 5

// sourceOf returns the hand-written file that a generated file is made from, and the
// position of its first annotated function.
func sourceOf(generated string, funcs []*model.Func) (string, token.Position) {
	for _, fn := range funcs {
		if emit.FileName(fn.File.Name) == generated {
			return fn.File.Name, fn.Pkg.Position(fn.Decl.Name.Pos())
		}
	}
	return "", token.Position{Filename: generated}
}

// typeErrors sums up the type errors that a package has with its generated files.
func typeErrors(p *load.Package, errs []types.Error) []diag.Diagnostic {
	var first *diag.Diagnostic
	n := 0
	for _, e := range errs {
		if name, ok := strings.CutPrefix(e.Msg, "undefined: "); ok {
			if strings.Contains(name, ".") {
				continue // of another package, which may be generated too
			}
		}
		if n++; first == nil {
			d := diag.Warnf(p.Position(e.Pos), diag.TypeErrors, "%s", e.Msg)
			first = &d
		}
	}
	if first == nil {
		return nil
	}
	if n > 1 {
		first.Message += fmt.Sprintf(" (and %d more type errors in package %s)", n-1, p.Name)
	}
	return []diag.Diagnostic{*first}
}

// Source returns the text of a hand-written file that the run has read, or nil.
func (r *Result) Source(path string) []byte { return r.Sources[path] }

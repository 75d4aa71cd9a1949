package rewrite

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/token"
	"regexp"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/directive"
	"github.com/cachegen/cachegen/generator/names"
	"github.com/cachegen/cachegen/generator/output"
)

const suffix = names.UncachedSuffix

// AdoptRequest says what to adopt.
type AdoptRequest struct {
	Dir        string         // where relative patterns start
	Env        []string       // environment of the go command; nil for the process's
	BuildFlags []string       // for the go command, such as -tags=x
	Targets    []string       // ./pkg.Func, ./pkg.Type.Method, Func, or a pattern
	Kind       directive.Kind // of the directive to add
	KindGiven  bool           // the kind was asked for, not assumed
	Options    []string       // options of the directive to add, each "name=value" or "name"
	Recursive  bool           // references to the function in its own body stay with the wrapper
}

// Result is the outcome of an adopt or eject. Its changes must not be made if Diagnostics
// holds an error.
type Result struct {
	Changes     []output.Change // of hand-written files, sorted by name
	Dirs        []string        // directories of the packages concerned, sorted
	Functions   []string        // what was renamed, "old → new" with the import path, sorted
	Diagnostics []diag.Diagnostic
	Notes       []string // what to know and to do by hand, in full sentences
}

// Adopt returns the edits that rename functions and give their names to wrappers. It generates
// nothing: the caller generates with the changed files in place of those on disk, and commits
// both together. The error is of the go command or of reading files; what is wrong with the
// request or the source is in the diagnostics.
func Adopt(ctx context.Context, req AdoptRequest) (*Result, error) {
	res := &Result{}
	text, ds := directiveText(req)
	if diag.HasErrors(ds) {
		res.Diagnostics = ds
		return res, nil
	}
	found, ds, err := resolve(ctx, goCommand{req.Dir, req.Env, req.BuildFlags}, req.Targets, func(p *pkg, r candidate) bool {
		return r.in(p) || len(p.ejectable(r.recv, r.name)) > 0
	})
	if err != nil {
		return nil, err
	}
	res.Diagnostics = ds
	a := &adoption{req: req, text: text, res: res, byFile: map[*source]*edits{}}
	var todo []*function
	for _, p := range found.pkgs {
		for _, n := range found.named[p] {
			if f := a.named(p, n); f != nil && !slices.ContainsFunc(todo, func(g *function) bool { return g.decl == f.decl }) {
				todo = append(todo, f)
			}
		}
		if found.whole[p] {
			if len(req.Options) > 0 || req.KindGiven {
				a.report(diag.Errorf(token.Position{Filename: p.dir}, diag.AdoptOptions,
					"options are for functions that are named, and a pattern takes every annotated one with the directive that it has").
					WithHint("name the functions as ./pkg.Func, or leave the options out"))
				continue
			}
			for _, f := range p.functions(p.files) {
				if needsAdopt(f) && !slices.ContainsFunc(todo, func(g *function) bool { return g.decl == f.decl }) {
					todo = append(todo, f)
				}
			}
		}
	}
	todo = slices.DeleteFunc(todo, func(f *function) bool { return !a.adoptable(f) })
	if diag.HasErrors(res.Diagnostics) || len(todo) == 0 {
		res.Diagnostics = diag.Sort(res.Diagnostics)
		return res, nil
	}
	if err := a.edit(ctx, todo); err != nil {
		return nil, err
	}
	finish(req.Dir, res, a.byFile)
	return res, nil
}

// directiveText writes the directive that the command line asks for and shows that it
// can be read.
func directiveText(req AdoptRequest) (string, []diag.Diagnostic) {
	var b strings.Builder
	b.WriteString("//cache:" + req.Kind.String())
	for _, o := range req.Options {
		name, value, has := strings.Cut(o, "=")
		if name == "name" {
			return "", []diag.Diagnostic{diag.Errorf(token.Position{}, diag.AdoptOptions,
				"name= has no meaning here: the wrapper gets the function's name").WithHint("leave it out")}
		}
		b.WriteByte(' ')
		b.WriteString(name)
		if has {
			b.WriteString("=" + directive.Quote(value))
		}
	}
	_, ds := directive.Parse(b.String(), token.Position{})
	for i := range ds {
		ds[i].Pos = token.Position{}
		ds[i].Message = "command line: " + ds[i].Message
	}
	return b.String(), ds
}

// needsAdopt reports whether an annotated function has no name for its wrapper: it is
// exported, without the suffix and without name=.
func needsAdopt(f *function) bool {
	if !f.decl.Name.IsExported() || strings.HasSuffix(f.name, suffix) {
		return false
	}
	cs := directives(f.decl)
	return len(cs) > 0 && nameOption(cs[0]) == ""
}

func nameOption(c *ast.Comment) string {
	d, _ := directive.Parse(c.Text, token.Position{})
	if d == nil {
		return ""
	}
	return d.Options.Name
}

// wrapperName returns the name of the wrapper of an annotated function. Where it has none, which
// the generator refuses, that is the function's own.
func wrapperName(name, option string) string { return cmp.Or(names.Wrapper(name, option), name) }

type adoption struct {
	req    AdoptRequest
	text   string
	res    *Result
	byFile map[*source]*edits
}

func (a *adoption) report(d diag.Diagnostic) { a.res.Diagnostics = append(a.res.Diagnostics, d) }

func (a *adoption) edits(s *source) *edits {
	e := a.byFile[s]
	if e == nil {
		e = &edits{}
		a.byFile[s] = e
	}
	return e
}

// named finds the declaration of a function that the command line names.
func (a *adoption) named(p *pkg, n named) *function {
	is := func(f *function) bool { return f.recv == n.recv && f.name == n.name }
	var hits []*function
	for _, f := range p.functions(p.all()) {
		if is(f) && f.src.file.Name.Name == p.name {
			hits = append(hits, f)
		}
	}
	if len(hits) == 0 { // in an external test package
		for _, f := range p.functions(p.tests) {
			if is(f) {
				hits = append(hits, f)
			}
		}
	}
	if len(hits) == 0 { // a wrapper
		e := p.ejectable(n.recv, n.name)[0]
		a.report(diag.Errorf(e.pos(), diag.AnnotatedAlready, "%s is annotated, and its wrapper is %s", e, candidate{recv: n.recv, name: n.name}).
			WithHint("there is nothing to do"))
		return nil
	}
	f := hits[0]
	if len(hits) > 1 {
		d := diag.Errorf(f.pos(), diag.SeveralDeclarations, "%s is declared %d times, for several build configurations", f, len(hits))
		for _, g := range hits[1:] {
			d = d.WithRelated(g.pos(), "and here")
		}
		a.report(d)
		return nil
	}
	if slices.Contains(p.other, f.src) {
		a.report(diag.Errorf(f.pos(), diag.ExcludedFile, "%s is in a file that the present build configuration leaves out", f))
		return nil
	}
	if cs := directives(f.decl); len(cs) > 0 {
		at := f.src.pos(cs[0].Pos())
		switch name := nameOption(cs[0]); {
		case name != "":
			a.report(diag.Errorf(at, diag.AnnotatedAlready, "%s is annotated, and its wrapper is %s", f, name).
				WithHint("remove name= for the wrapper to take the function's own name"))
			return nil
		case strings.HasSuffix(f.name, suffix):
			a.report(diag.Errorf(at, diag.AnnotatedAlready, "%s is annotated, and its wrapper is %s", f, wrapperName(f.name, "")).
				WithHint("there is nothing to do"))
			return nil
		case !f.decl.Name.IsExported():
			a.report(diag.Errorf(at, diag.AnnotatedAlready, "%s is annotated, and its wrapper is %s", f, wrapperName(f.name, "")).
				WithHint("remove the directive to adopt %s under its own name", f))
			return nil
		case len(a.req.Options) > 0 || a.req.KindGiven:
			a.report(diag.Errorf(at, diag.AnnotatedAlready, "%s has a directive, and the command line gives another", f).
				WithHint("leave the options out, and edit the directive in the source"))
			return nil
		}
	}
	return f
}

// withheld are compiler directives of functions that cannot be put behind another one.
var withheld = regexp.MustCompile(`^//(go:(linkname|nosplit|systemstack|nowritebarrier\w*|yeswritebarrierrec|wasmimport|wasmexport|uintptrescapes|uintptrkeepalive|cgo_\w+)\b|export )`)

var testFunc = regexp.MustCompile(`^(Test|Benchmark|Fuzz|Example)(\P{Ll}|$)`)

// adoptable reports whether a function can be adopted. If not, it says why.
func (a *adoption) adoptable(f *function) bool {
	no := func(format string, args ...any) bool {
		a.report(diag.Errorf(f.pos(), diag.CannotAdopt, "%s", fmt.Sprintf(format, args...)))
		return false
	}
	test := strings.HasSuffix(f.src.name, "_test.go")
	switch {
	case f.pkg.foreign[f.src.name]:
		a.report(diag.Errorf(f.pos(), diag.CannotAdopt, "%s is in a generated file, and the next run of its generator would undo the change", f).
			WithHint("adopt a function written by hand that calls it"))
		return false
	case test && f.recv == "" && testFunc.MatchString(f.name):
		return no("%s is run by go test under that name", f)
	case test:
		return no("%s is in a test file, which gets no wrappers", f)
	case f.recv == "" && f.name == "main" && f.pkg.name == "main":
		return no("main is the program")
	case f.recv == "" && f.name == "init":
		return no("init is run by Go and cannot be called")
	case f.name == "_":
		return no("a function called _ cannot be called")
	case f.recv == "_" || f.recv == "?":
		return no("the receiver of %s has no type that can be named", f.name)
	case f.decl.Body == nil:
		return no("%s has no body here: it is written in assembly or linked from elsewhere", f)
	}
	for _, i := range f.src.file.Imports {
		if i.Path.Value == `"C"` {
			a.report(diag.Errorf(f.pos(), diag.CannotAdopt, "%s is in a file that imports C", f).
				WithHint("rename it to %s%s by hand and put //cache:%s above it", f.name, suffix, a.req.Kind))
			return false
		}
	}
	for _, g := range f.src.file.Comments {
		for _, c := range g.List {
			inDoc := f.decl.Doc != nil && f.decl.Doc.Pos() <= c.Pos() && c.End() <= f.decl.Doc.End()
			if inDoc && withheld.MatchString(c.Text) {
				return no("%s has %s, which ties it to its name or to how it is compiled", f, strings.Fields(c.Text)[0])
			}
			w := strings.Fields(c.Text)
			if f.recv == "" && len(w) > 1 && (w[0] == "//go:linkname" || w[0] == "//export") && w[1] == f.name {
				return no("%s has %s, which ties it to its name", f, w[0])
			}
		}
	}
	uncached := f.name + suffix
	if at, ok := f.pkg.declares(f.recv, uncached); ok {
		a.report(diag.Errorf(f.pos(), diag.NameTaken, "%s would be called %s, and that name is taken", f, uncached).
			WithRelated(at, "%s is here", uncached))
		return false
	}
	if ids := identifiers(f.decl, uncached); len(ids) > 0 {
		a.report(diag.Errorf(f.src.pos(ids[0].Pos()), diag.NameTaken, "%s would be called %s, and it uses that name itself", f, uncached))
		return false
	}
	if f.decl.Doc != nil {
		if c := f.decl.Doc.List[0].Text; firstWordOf(c) == uncached {
			a.report(diag.Errorf(f.pos(), diag.NameTaken, "the doc comment of %s speaks of %s", f, uncached))
			return false
		}
	}
	return true
}

func firstWordOf(comment string) string {
	i, j := firstWord(comment)
	return comment[i:j]
}

// edit notes the edits of every function, once it is known what their own names in
// their bodies mean.
func (a *adoption) edit(ctx context.Context, todo []*function) error {
	typed := map[string]bool{}
	renamed := map[string]bool{}
	for _, f := range todo {
		renamed[f.name] = true
		if f.recv != "" || len(selfNames(f)) > 0 {
			typed[f.pkg.dir] = true
		}
	}
	u := &uses{}
	if len(typed) > 0 {
		var err error
		u, err = loadUses(ctx, goCommand{a.req.Dir, a.req.Env, a.req.BuildFlags}, sorted(typed), false, func(n string) (string, bool) { return n + suffix, renamed[n] })
		if err != nil {
			return err
		}
	}
	for _, f := range todo {
		to := f.name + suffix
		if f.recv != "" {
			if o := u.member(f.pkg.path, f.recv, to); o != nil {
				a.report(diag.Errorf(f.pos(), diag.NameTaken, "%s would be called %s.%s, and %s has a member of that name", f, f.recv, to, f.recv))
				continue
			}
		}
		e := a.edits(f.src)
		e.renameIdent(f.decl.Name, to)
		e.docWord(f.decl, f.name, to)
		if len(directives(f.decl)) == 0 {
			e.addDirective(f.decl, a.text)
		}
		a.res.Functions = append(a.res.Functions, fmt.Sprintf("%s.%s → %s", f.pkg.path, f, to))
		a.res.Dirs = append(a.res.Dirs, f.pkg.dir)
		if a.req.Recursive {
			continue
		}
		self := object{f.pkg.path, f.recv, f.name}
		for _, id := range selfNames(f) {
			o, ok := u.lookup(f.src, id)
			switch {
			case !ok:
				a.report(diag.Errorf(f.src.pos(id.Pos()), diag.UnclearReference, "it cannot be told whether this is %s, which is to be renamed", f))
			case o == self:
				e.renameIdent(id, to)
			}
		}
	}
	return nil
}

// selfNames lists the identifiers in a body that are called as the function is.
func selfNames(f *function) []*ast.Ident { return identifiers(f.decl.Body, f.name) }

// finish applies the edits of all files, sorts what there is to say, and leaves no
// change where there is an error.
func finish(dir string, res *Result, byFile map[*source]*edits) {
	for s, e := range byFile {
		out, err := s.apply(e)
		if err == nil {
			res.Changes = append(res.Changes, output.Change{Name: s.name, Old: s.disk, New: out})
			if formatted(s.disk) && !formatted(out) {
				res.Notes = append(res.Notes, relative(dir, s.name)+" is no longer as gofmt has it, for what gofmt would change now could not be undone; run gofmt -w if that matters more")
			}
			continue
		}
		pos := token.Position{Filename: s.name, Line: 1}
		what := "the file cannot be edited safely: "
		var de *declError
		if errors.As(err, &de) {
			pos, what = de.pos, "this declaration cannot be edited safely: "
		}
		d := diag.Errorf(pos, diag.NoRoundTrip, "%s%v", what, err)
		if !errors.Is(err, errFormat) {
			d = d.WithHint("rename the function by hand")
		}
		res.Diagnostics = append(res.Diagnostics, d)
	}
	res.Diagnostics = diag.Sort(res.Diagnostics)
	res.Changes = output.Sort(res.Changes)
	slices.Sort(res.Functions)
	slices.Sort(res.Notes)
	slices.Sort(res.Dirs)
	res.Dirs = slices.Compact(res.Dirs)
	if diag.HasErrors(res.Diagnostics) {
		res.Changes, res.Functions = nil, nil
	}
}

// formatted reports whether gofmt would leave the source alone.
func formatted(src []byte) bool {
	out, err := format.Source(src)
	return err == nil && bytes.Equal(out, src)
}

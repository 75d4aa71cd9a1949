package scan

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	goscanner "go/scanner"
	"go/token"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/directive"
)

// Func is an annotated function.
type Func struct {
	Decl      *ast.FuncDecl
	Directive *directive.Directive
}

// Annotated is a file with what its //cache: comments say.
type Annotated struct {
	*File
	Syntax      *ast.File // nil if the file does not parse
	Funcs       []Func    // with a directive that has no errors, in the order of the file
	Surfaces    []*directive.Surface
	Directives  int // //cache:data and //cache:resource that stand on a function, good or bad
	Diagnostics []diag.Diagnostic
}

// Annotate reads the comments of a candidate. It is safe to call it for several files at
// once with one file set.
func Annotate(fset *token.FileSet, file *File) *Annotated {
	a := &Annotated{File: file}
	syntax, err := parser.ParseFile(fset, file.Path, file.Src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		a.broken(err)
		return a
	}
	a.Syntax = syntax
	w := &walker{a: a, fset: fset, owner: map[*ast.CommentGroup]*ast.FuncDecl{},
		generated: ast.IsGenerated(syntax), test: strings.HasSuffix(file.Path, "_test.go")}
	for _, d := range syntax.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Doc != nil {
			w.owner[f.Doc] = f
		}
	}
	first := map[*ast.FuncDecl]token.Position{}
	for _, g := range syntax.Comments {
		for _, c := range g.List {
			w.comment(g, c, first)
		}
	}
	a.Diagnostics = diag.Sort(a.Diagnostics)
	return a
}

// Position returns where pos really is, whatever //line comments say.
func Position(fset *token.FileSet, pos token.Pos) token.Position {
	return fset.PositionFor(pos, false)
}

type walker struct {
	a         *Annotated
	fset      *token.FileSet
	owner     map[*ast.CommentGroup]*ast.FuncDecl
	generated bool
	test      bool
}

func (w *walker) report(d diag.Diagnostic) { w.a.Diagnostics = append(w.a.Diagnostics, d) }

// wrong reports what directive.Classify found wrong.
func wrong(f directive.Found, pos token.Position) diag.Diagnostic {
	pos.Offset += f.Offset
	pos.Column += f.Offset
	d := diag.Errorf(pos, f.Code, "%s", f.Message)
	if f.Warning {
		d.Severity = diag.Warning
	}
	if f.Hint != "" {
		d.Hint = f.Hint
	}
	return d
}

func (w *walker) comment(g *ast.CommentGroup, c *ast.Comment, first map[*ast.FuncDecl]token.Position) {
	pos := Position(w.fset, c.Slash)
	if strings.HasPrefix(c.Text, "/*") {
		w.a.Diagnostics = append(w.a.Diagnostics, block(w.a.Src, pos, w.owner[g] != nil)...)
		return
	}
	found := directive.Classify(c.Text)
	switch found.Class {
	case directive.Wrong:
		w.report(wrong(found, pos))
	case directive.SurfaceLine:
		if g != w.a.Syntax.Doc {
			w.report(diag.Errorf(pos, diag.MisplacedSurface, "//cache:surface does not stand in a package doc comment"))
			return
		}
		s, ds := directive.ParseSurface(c.Text, pos)
		w.a.Diagnostics = append(w.a.Diagnostics, ds...)
		if s != nil {
			w.a.Surfaces = append(w.a.Surfaces, s)
		}
	case directive.Function:
		fn := w.owner[g]
		if fn == nil {
			w.report(w.misplaced(g, c, pos))
			return
		}
		what := "function " + fn.Name.Name
		switch {
		case w.test:
			w.report(diag.Errorf(pos, diag.DirectiveInTest, "%s is annotated in a test file", what))
			return
		case w.generated:
			w.report(diag.Errorf(pos, diag.DirectiveInGenerated, "%s is annotated in a generated file", what))
			return
		}
		w.a.Directives++
		if p, again := first[fn]; again {
			w.report(diag.Errorf(pos, diag.TwoDirectives, "%s has two directives", what).WithRelated(p, "the first one"))
			return
		}
		first[fn] = pos
		d, ds := directive.Parse(c.Text, pos)
		w.a.Diagnostics = append(w.a.Diagnostics, ds...)
		if d != nil {
			w.a.Funcs = append(w.a.Funcs, Func{fn, d})
		}
	}
}

// misplaced says where a directive stands that documents no function.
func (w *walker) misplaced(g *ast.CommentGroup, c *ast.Comment, pos token.Position) diag.Diagnostic {
	f := w.a.Syntax
	at := func(format string, args ...any) diag.Diagnostic {
		return diag.Errorf(pos, diag.NotOnFunction, "the directive "+format, args...)
	}
	if g.End() <= f.Package {
		return at("stands above the package clause")
	}
	var next ast.Decl
	for _, d := range f.Decls {
		if d.Pos() > c.Slash {
			next = d
			break
		}
		if c.Slash < d.End() {
			return w.inside(d, g, pos)
		}
	}
	// A comment behind a declaration, on its line, belongs to it and not to the next one.
	line := pos.Line
	for _, d := range f.Decls {
		if d.End() <= c.Slash && Position(w.fset, d.End()).Line == line {
			return at("stands behind %s", describe(d))
		}
	}
	switch d := next.(type) {
	case nil:
		return at("stands at the end of the file, above nothing")
	case *ast.FuncDecl:
		what := "function"
		if d.Recv != nil {
			what = "method"
		}
		return diag.Errorf(pos, diag.DetachedDirective, "the directive is separated from %s %s and does not count", what, d.Name.Name).
			WithRelated(Position(w.fset, d.Pos()), "%s %s", what, d.Name.Name)
	default:
		e := at("stands on %s", describe(d))
		if strings.HasSuffix(e.Message, holdsLiteral) {
			e.Hint = literalHint
		}
		return e
	}
}

const (
	holdsLiteral = ", which holds a function literal"
	literalHint  = "function literals cannot be cached: declare a function and annotate it"
)

// inside says where in a declaration a directive stands.
func (w *walker) inside(d ast.Decl, g *ast.CommentGroup, pos token.Position) diag.Diagnostic {
	where := "inside " + describe(d)
	hint := ""
	ast.Inspect(d, func(n ast.Node) bool {
		if n == nil || g.End() < n.Pos() && !documents(n, g) || n.End() < g.Pos() {
			return false
		}
		switch n := n.(type) {
		case *ast.InterfaceType:
			where = "inside an interface"
			hint = "annotate the methods that implement it"
		case *ast.StructType:
			where = "inside a struct"
		case *ast.FuncLit:
			where = "inside a function literal"
			hint = literalHint
		case *ast.ValueSpec:
			for _, v := range n.Values {
				if _, ok := v.(*ast.FuncLit); ok && n.Doc == g {
					where = "on a variable that holds a function literal"
					hint = literalHint
				}
			}
		}
		return true
	})
	e := diag.Errorf(pos, diag.NotOnFunction, "the directive stands %s", where)
	if hint != "" {
		e.Hint = hint
	}
	return e
}

// documents reports whether g is the doc comment of n, which comes before it.
func documents(n ast.Node, g *ast.CommentGroup) bool {
	switch n := n.(type) {
	case *ast.ValueSpec:
		return n.Doc == g
	case *ast.TypeSpec:
		return n.Doc == g
	case *ast.Field:
		return n.Doc == g
	}
	return false
}

func describe(d ast.Decl) string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv != nil {
			return "method " + d.Name.Name
		}
		return "function " + d.Name.Name
	case *ast.GenDecl:
		name := ""
		if len(d.Specs) == 1 {
			switch s := d.Specs[0].(type) {
			case *ast.TypeSpec:
				name = " " + s.Name.Name
			case *ast.ValueSpec:
				name = " " + s.Names[0].Name
				if len(s.Values) == 1 {
					if _, ok := s.Values[0].(*ast.FuncLit); ok {
						return "variable" + name + holdsLiteral
					}
				}
			}
		}
		switch d.Tok {
		case token.IMPORT:
			return "an import declaration"
		case token.CONST:
			return strings.TrimSpace("constant" + name)
		case token.TYPE:
			return strings.TrimSpace("type" + name)
		default:
			return strings.TrimSpace("variable" + name)
		}
	}
	return "a declaration"
}

// block looks at the lines of the /* comment at pos.
func block(src []byte, pos token.Position, doc bool) []diag.Diagnostic {
	var ds []diag.Diagnostic
	text := src[pos.Offset:]
	if end := bytes.Index(text, []byte("*/")); end >= 0 {
		text = text[:end]
	}
	for i, line := range bytes.Split(text, []byte("\n")) {
		trimmed := strings.TrimLeft(string(line), " \t")
		found := directive.ClassifyBlock(strings.TrimRight(trimmed, "\r"), doc || i == 0)
		if found.Class == directive.Wrong {
			at := pos
			if i > 0 {
				at.Line += i
				at.Column = 1
			}
			at.Column += len(line) - len(trimmed)
			at.Offset += len(line) - len(trimmed)
			ds = append(ds, wrong(found, at))
		}
		pos.Offset += len(line) + 1
	}
	return ds
}

// maxSyntaxErrors is how many syntax errors of one file are shown.
const maxSyntaxErrors = 3

// broken handles a file that does not parse: what is in it is found in its tokens, and
// if that is a directive, the syntax errors are errors here.
func (a *Annotated) broken(err error) {
	var s goscanner.Scanner
	fset := token.NewFileSet() // positions must not depend on what the parser did with its own
	tf := fset.AddFile(a.Path, -1, len(a.Src))
	s.Init(tf, a.Src, nil, goscanner.ScanComments)
	_, generated := Source(a.Src)
	hit := false
	for {
		p, tok, lit := s.Scan()
		if tok == token.EOF {
			break
		}
		if tok != token.COMMENT {
			continue
		}
		pos := Position(fset, p)
		if strings.HasPrefix(lit, "/*") {
			a.Diagnostics = append(a.Diagnostics, block(a.Src, pos, false)...)
			continue
		}
		found := directive.Classify(strings.TrimRight(lit, "\r"))
		switch found.Class {
		case directive.Wrong:
			a.Diagnostics = append(a.Diagnostics, wrong(found, pos))
		case directive.Function, directive.SurfaceLine:
			hit = true
			if found.Class == directive.Function {
				a.Directives++
				_, ds := directive.Parse(lit, pos)
				a.Diagnostics = append(a.Diagnostics, ds...)
			}
		}
	}
	if hit && !generated {
		a.Diagnostics = append(a.Diagnostics, SyntaxErrors(a.Path, a.Src, err)...)
	}
	a.Diagnostics = diag.Sort(a.Diagnostics)
}

// SyntaxErrors turns what the parser said of an annotated file into diagnostics.
func SyntaxErrors(path string, src []byte, err error) []diag.Diagnostic {
	var list goscanner.ErrorList
	if !errors.As(err, &list) {
		return []diag.Diagnostic{diag.Errorf(token.Position{Filename: path}, diag.DoesNotParse, "%v", err)}
	}
	var ds []diag.Diagnostic
	for i, e := range list {
		if i == maxSyntaxErrors {
			break
		}
		// The parser adjusts positions by //line comments; the offset stays true.
		d := diag.Errorf(atOffset(path, src, e.Pos.Offset), diag.DoesNotParse, "%s", e.Msg)
		if more := len(list) - maxSyntaxErrors; i == maxSyntaxErrors-1 && more > 0 {
			d.Message += fmt.Sprintf(" (and %d more)", more)
		}
		ds = append(ds, d)
	}
	return ds
}

// atOffset returns the position of a byte of a file.
func atOffset(path string, src []byte, offset int) token.Position {
	offset = min(max(offset, 0), len(src))
	before := src[:offset]
	return token.Position{
		Filename: path, Offset: offset,
		Line:   bytes.Count(before, []byte("\n")) + 1,
		Column: offset - (bytes.LastIndexByte(before, '\n') + 1) + 1,
	}
}

// Dirs returns the directories of the files, sorted, each once.
func Dirs(files []*Annotated) []string {
	var dirs []string
	for _, f := range files {
		dirs = append(dirs, filepath.Dir(f.Path))
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

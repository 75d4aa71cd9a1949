package rewrite

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/scanner"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dave/dst"
	"github.com/dave/dst/decorator"
)

var bom = []byte("\xef\xbb\xbf")

// source is a file as the editor sees it: parsed from text without byte order mark and
// with LF line ends. Lines and, but for the first line of a file with a mark,
// columns are those of the file on disk.
type source struct {
	name string // absolute
	disk []byte // what the file holds
	text []byte // what was parsed
	fset *token.FileSet
	file *ast.File
}

// parseSource parses the content of a file into fset.
func parseSource(fset *token.FileSet, name string, disk []byte) (*source, error) {
	text := bytes.TrimPrefix(disk, bom)
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	f, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return &source{name: name, disk: disk, text: text, fset: fset, file: f}, nil
}

// pos is where p stands in the file, whatever //line comments say.
func (s *source) pos(p token.Pos) token.Position { return s.fset.PositionFor(p, false) }

// edits is what is to change in one file. Its zero value changes nothing.
type edits struct {
	rename map[*ast.Ident]string            // new name of an identifier
	word   map[*ast.FuncDecl][2]string      // first word of a doc comment, from and to
	add    map[*ast.FuncDecl]string         // directive to add, with its slashes
	drop   map[*ast.FuncDecl][]*ast.Comment // directives to drop
}

func (e *edits) renameIdent(id *ast.Ident, to string) {
	if e.rename == nil {
		e.rename = map[*ast.Ident]string{}
	}
	e.rename[id] = to
}

func (e *edits) docWord(d *ast.FuncDecl, from, to string) {
	if e.word == nil {
		e.word = map[*ast.FuncDecl][2]string{}
	}
	e.word[d] = [2]string{from, to}
}

func (e *edits) addDirective(d *ast.FuncDecl, text string) {
	if e.add == nil {
		e.add = map[*ast.FuncDecl]string{}
	}
	e.add[d] = text
}

func (e *edits) dropDirectives(d *ast.FuncDecl, cs []*ast.Comment) {
	if e.drop == nil {
		e.drop = map[*ast.FuncDecl][]*ast.Comment{}
	}
	e.drop[d] = append(e.drop[d], cs...)
}

func (e *edits) empty() bool {
	return len(e.rename) == 0 && len(e.add) == 0 && len(e.drop) == 0
}

// Reasons why a declaration does not survive being printed.
var (
	errFormat = errors.New("gofmt would format it otherwise")
	errPlaces = errors.New("its comments would change their places")
)

// declError says which declaration an edit failed for.
type declError struct {
	pos token.Position
	err error
}

func (e *declError) Error() string { return e.err.Error() }
func (e *declError) Unwrap() error { return e.err }

// apply returns what the file holds after the edits. The errors are *declError, or say
// that the file as a whole does not survive.
func (s *source) apply(e *edits) (_ []byte, err error) {
	if e.empty() {
		return s.disk, nil
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the source does not survive being taken apart: %v", r)
		}
	}()

	touched := s.touched(e)
	base, edited, err := s.print(e)
	if err != nil {
		return nil, err
	}
	baseRanges, err := declRanges(base)
	if err != nil {
		return nil, err
	}
	newRanges, err := declRanges(edited)
	if err != nil {
		return nil, err
	}
	if len(baseRanges) != len(s.file.Decls) || len(newRanges) != len(s.file.Decls) {
		return nil, errors.New("the source does not survive being taken apart: declarations are lost")
	}

	lines := linesOf(bytes.TrimPrefix(s.disk, bom))
	textLines, baseLines, newLines := linesOf(s.text), linesOf(base), linesOf(edited)
	var out bytes.Buffer
	if bytes.HasPrefix(s.disk, bom) {
		out.Write(bom)
	}
	next := 0 // the first line that is not yet written
	for _, i := range touched {
		d := s.file.Decls[i]
		r := s.declRange(d)
		b, n := baseRanges[i], newRanges[i]
		doc := slices.EqualFunc(textLines[r.first-1:r.code-1], baseLines[b.first-1:b.code-1], sameLine)
		code := slices.EqualFunc(textLines[r.code-1:r.last], baseLines[b.code-1:b.last], sameLine)
		// gofmt breaks a function on one line that has become too long, and does not join it
		// again: it stays on its line.
		line := r.code == r.last && (n.code != n.last || b.code != b.last)
		if !doc || !code && !line {
			return nil, &declError{s.pos(d.Pos()), s.whyNot(i, textLines[r.first-1:r.last])}
		}
		end, err := lineEnd(lines[r.first-1 : r.last])
		if err != nil {
			return nil, &declError{s.pos(d.Pos()), err}
		}
		if r.first-1 < next {
			return nil, &declError{s.pos(d.Pos()), errFormat} // two declarations on a line
		}
		for _, l := range lines[next : r.first-1] {
			out.Write(l)
		}
		now := slices.Clone(newLines[n.first-1 : n.last])
		if line {
			now = append(now[:n.code-n.first], s.renamed(d, r, e)...)
		}
		for j, l := range now {
			out.Write(bytes.TrimSuffix(l, []byte("\n")))
			if j < len(now)-1 || bytes.HasSuffix(lines[r.last-1], []byte("\n")) {
				out.WriteString(end)
			}
		}
		next = r.last
	}
	for _, l := range lines[next:] {
		out.Write(l)
	}
	if err := s.verify(out.Bytes(), e); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// whyNot tells what gofmt would change in declaration i from what only this package's
// way of printing does.
func (s *source) whyNot(i int, lines [][]byte) error {
	clean, err := format.Source(s.text)
	if err != nil {
		return errFormat
	}
	rs, err := declRanges(clean)
	if err != nil || i >= len(rs) || !slices.EqualFunc(lines, linesOf(clean)[rs[i].first-1:rs[i].last], sameLine) {
		return errFormat
	}
	return errPlaces
}

// touched lists the indexes of the declarations that the edits are in.
func (s *source) touched(e *edits) []int {
	var is []int
	for i, d := range s.file.Decls {
		fd, _ := d.(*ast.FuncDecl)
		hit := fd != nil && (e.add[fd] != "" || len(e.drop[fd]) > 0)
		for id := range e.rename {
			hit = hit || d.Pos() <= id.Pos() && id.Pos() < d.End()
		}
		if hit {
			is = append(is, i)
		}
	}
	return is
}

// print returns the file as dst prints it before and after the edits.
func (s *source) print(e *edits) (base, edited []byte, err error) {
	// The same positions in a file set that has not heard of //line comments.
	tf := s.fset.File(s.file.Pos())
	fset := token.NewFileSet()
	plain := fset.AddFile(s.name, tf.Base(), tf.Size())
	plain.SetLinesForContent(s.text)

	dec := decorator.NewDecorator(fset)
	f, err := dec.DecorateFile(s.file)
	if err != nil {
		return nil, nil, err
	}
	var b bytes.Buffer
	if err := decorator.NewRestorer().Fprint(&b, f); err != nil {
		return nil, nil, err
	}
	for id, to := range e.rename {
		n, ok := dec.Dst.Nodes[id].(*dst.Ident)
		if !ok {
			return nil, nil, &declError{s.pos(id.Pos()), errors.New("its place in the tree is lost")}
		}
		n.Name = to
	}
	for _, d := range s.file.Decls {
		ad, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		n, ok := dec.Dst.Nodes[ad].(*dst.FuncDecl)
		if !ok {
			return nil, nil, &declError{s.pos(ad.Pos()), errors.New("its place in the tree is lost")}
		}
		lead, doc := splitDoc(n.Decs.Start)
		if w, ok := e.word[ad]; ok && len(doc) > 0 {
			doc = slices.Clone(doc)
			doc[0] = renameFirstWord(doc[0], w[0], w[1])
		}
		for _, c := range e.drop[ad] {
			doc = dropLine(doc, c.Text)
		}
		if text := e.add[ad]; text != "" {
			doc = addLine(doc, text)
		}
		n.Decs.Start.Replace(append(slices.Clone(lead), doc...)...)
	}
	var a bytes.Buffer
	if err := decorator.NewRestorer().Fprint(&a, f); err != nil {
		return nil, nil, err
	}
	return b.Bytes(), a.Bytes(), nil
}

// verify shows that out is the source with the identifiers renamed: the tokens are the
// same, in number and in kind, and differ in text where a rename is and nowhere else.
func (s *source) verify(out []byte, e *edits) error {
	type change struct{ from, to string }
	at := map[int]change{}
	tf := s.fset.File(s.file.Pos())
	for id, to := range e.rename {
		at[tf.Offset(id.Pos())] = change{id.Name, to}
	}
	left := len(at)
	a, b := newTokens(s.text), newTokens(out)
	for {
		off, tok, lit := a.next()
		_, tok2, lit2 := b.next()
		want := lit
		if c, ok := at[off]; ok && tok == token.IDENT && lit == c.from {
			want = c.to
			left--
		}
		if tok != tok2 || want != lit2 {
			return errors.New("the edited source has other tokens than it should have")
		}
		if tok == token.EOF {
			break
		}
	}
	if left != 0 {
		return errors.New("the edited source lacks a rename")
	}
	if _, err := parser.ParseFile(token.NewFileSet(), s.name, out, parser.SkipObjectResolution); err != nil {
		return fmt.Errorf("the edited source does not parse: %w", err)
	}
	return nil
}

type tokens struct {
	s    scanner.Scanner
	file *token.File
}

func newTokens(src []byte) *tokens {
	t := &tokens{file: token.NewFileSet().AddFile("", -1, len(src))}
	t.s.Init(t.file, src, func(token.Position, string) {}, 0)
	return t
}

// next returns a token with its offset. The text of a semicolon that the end of a line
// stands for is not told from that of the end of the file.
func (t *tokens) next() (int, token.Token, string) {
	pos, tok, lit := t.s.Scan()
	if tok == token.SEMICOLON {
		lit = ""
	}
	return t.file.Offset(pos), tok, lit
}

// renamed returns the lines of a declaration below its doc comment, with the identifiers
// renamed in place.
func (s *source) renamed(d ast.Decl, r lineRange, e *edits) [][]byte {
	tf := s.fset.File(s.file.Pos())
	lines := linesOf(s.text)
	at := 0
	for _, l := range lines[:r.code-1] {
		at += len(l)
	}
	ids := slices.SortedFunc(maps.Keys(e.rename), func(a, b *ast.Ident) int { return int(a.Pos() - b.Pos()) })
	var out []byte
	for _, id := range ids {
		if id.Pos() < d.Pos() || id.Pos() >= d.End() {
			continue
		}
		off := tf.Offset(id.Pos())
		out = append(append(out, s.text[at:off]...), e.rename[id]...)
		at = off + len(id.Name)
	}
	end := 0
	for _, l := range lines[:r.last] {
		end += len(l)
	}
	return linesOf(append(out, s.text[at:end]...))
}

// lineRange is a span of lines, counted from 1, both ends included; code is the first of
// them that is no doc comment.
type lineRange struct{ first, code, last int }

// declRange is where a declaration stands with its doc comment, in whole lines.
func (s *source) declRange(d ast.Decl) lineRange {
	start := d.Pos()
	var doc *ast.CommentGroup
	switch d := d.(type) {
	case *ast.FuncDecl:
		doc = d.Doc
	case *ast.GenDecl:
		doc = d.Doc
	}
	if doc != nil {
		start = doc.Pos()
	}
	return lineRange{s.pos(start).Line, s.pos(d.Pos()).Line, s.pos(d.End()).Line}
}

func declRanges(src []byte) ([]lineRange, error) {
	s, err := parseSource(token.NewFileSet(), "", src)
	if err != nil {
		return nil, fmt.Errorf("the printed source does not parse: %w", err)
	}
	rs := make([]lineRange, len(s.file.Decls))
	for i, d := range s.file.Decls {
		rs[i] = s.declRange(d)
	}
	return rs, nil
}

// linesOf cuts after each LF; every line but perhaps the last ends with one.
func linesOf(b []byte) [][]byte { return slices.Collect(bytes.Lines(b)) }

// sameLine compares lines but for the end, which the last line of a file may lack.
func sameLine(a, b []byte) bool {
	return bytes.Equal(bytes.TrimSuffix(a, []byte("\n")), bytes.TrimSuffix(b, []byte("\n")))
}

// lineEnd is the end that all of the lines have.
func lineEnd(lines [][]byte) (string, error) {
	crlf, lf := 0, 0
	for _, l := range lines {
		switch {
		case bytes.HasSuffix(l, []byte("\r\n")):
			crlf++
		case bytes.HasSuffix(l, []byte("\n")):
			lf++
		}
	}
	switch {
	case crlf > 0 && lf > 0:
		return "", errors.New("its lines end partly in CRLF and partly in LF")
	case crlf > 0:
		return "\r\n", nil
	}
	return "\n", nil
}

// splitDoc parts what stands before a function into what is detached from it and
// its doc comment, line by line.
func splitDoc(start dst.Decorations) (lead, doc []string) {
	all := start.All()
	i := len(all)
	for i > 0 && (all[i-1] != "\n" || i > 1 && strings.HasPrefix(all[i-2], "/*")) {
		i-- // the line end behind a block comment parts nothing
	}
	return all[:i], all[i:]
}

// directiveLike tells comments that gofmt keeps apart from the text of a doc comment.
var directiveLike = regexp.MustCompile(`^//([a-z0-9]+:[a-z0-9]|line |extern |export )`)

// addLine adds a directive to a doc comment as gofmt wants it: at the end, after an
// empty line where there is text.
func addLine(doc []string, text string) []string {
	doc = slices.Clone(doc)
	if n := len(doc); n > 0 && strings.HasPrefix(doc[n-1], "//") && !directiveLike.MatchString(doc[n-1]) {
		doc = append(doc, "//")
	}
	return append(doc, text)
}

// dropLine takes a directive out of a doc comment, and the empty line above it if that is
// left at the end. It undoes addLine.
func dropLine(doc []string, text string) []string {
	i := slices.Index(doc, text)
	if i < 0 {
		return doc
	}
	doc = slices.Delete(slices.Clone(doc), i, i+1)
	if i == len(doc) && i > 0 && doc[i-1] == "//" {
		doc = doc[:i-1]
	}
	return doc
}

// firstWord returns where the first word of a comment's text starts and ends, a word
// being an identifier.
func firstWord(comment string) (start, end int) {
	i := 2
	for i < len(comment) {
		r, n := utf8.DecodeRuneInString(comment[i:])
		if !unicode.IsSpace(r) && r != '*' {
			break
		}
		i += n
	}
	j := i
	for j < len(comment) {
		r, n := utf8.DecodeRuneInString(comment[j:])
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		j += n
	}
	return i, j
}

func renameFirstWord(comment, from, to string) string {
	i, j := firstWord(comment)
	if comment[i:j] != from {
		return comment
	}
	return comment[:i] + to + comment[j:]
}

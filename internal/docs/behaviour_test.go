package docs

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const doesNotApply = "does not apply: "

var (
	rowName    = regexp.MustCompile(`^[A-Z]{2,4}-\d\d$`)
	rowNames   = regexp.MustCompile(`^[A-Z]{2,4}-\d\d(,[A-Z]{2,4}-\d\d)*$`)
	rowComment = regexp.MustCompile(`\bRows: ((?:[A-Z]{2,4}-\d\d[,.]\s*)+)`)
	rowLine    = regexp.MustCompile(`(?m)^\| ([A-Z]{2,4}-\d\d) \| (.+?) \| (.*?) ?\| (.*?) ?\|$`)
)

// shown is a test that says of itself that it shows some rows.
type shown struct {
	test string // or the archive
	file string // from the root, with slashes
}

func (s shown) link() string { return fmt.Sprintf("[%s](../%s)", s.test, s.file) }

// rowsShown returns the tests of each row, of all modules of the repository: of subtests
// whose names are nothing but names of rows, of tests with "Rows:" in their comments, and of
// txtar archives with "Rows:" in theirs.
func rowsShown(t *testing.T, known map[string]bool) map[string][]shown {
	found := map[string][]shown{}
	add := func(file, test, rows string) {
		for _, id := range strings.FieldsFunc(rows, func(r rune) bool { return strings.ContainsRune(", .\r\n/", r) }) {
			if s := (shown{test, filepath.ToSlash(file)}); !slices.Contains(found[id], s) {
				found[id] = append(found[id], s)
			}
		}
	}
	top := root(t)
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(top, path)
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if strings.HasPrefix(d.Name(), ".") && name != "." {
				return filepath.SkipDir
			}
		case strings.HasSuffix(path, ".txtar"):
			src, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			comment, _, _ := bytes.Cut(src, []byte("\n-- "))
			for _, m := range rowComment.FindAllSubmatch(append(comment, '\n'), -1) {
				add(name, filepath.Base(path), string(m[1]))
			}
		case strings.HasSuffix(path, "_test.go") && !strings.Contains(path, "testdata"):
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			for _, decl := range f.Decls {
				fn, ok := decl.(*ast.FuncDecl)
				if !ok || !strings.HasPrefix(fn.Name.Name, "Test") && !strings.HasPrefix(fn.Name.Name, "Benchmark") {
					continue
				}
				for _, m := range rowComment.FindAllStringSubmatch(strings.ReplaceAll(fn.Doc.Text(), "\n", " "), -1) {
					add(name, fn.Name.Name, m[1])
				}
				ast.Inspect(fn.Body, func(n ast.Node) bool {
					l, ok := n.(*ast.BasicLit)
					if !ok || l.Kind != token.STRING {
						return true
					}
					s, err := strconv.Unquote(l.Value)
					if first, _, _ := strings.Cut(s, ","); err == nil && rowNames.MatchString(s) && sectionOf(known, first) {
						add(name, fn.Name.Name, s)
					}
					return true
				})
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// sectionOf reports whether known has rows with the letters of id, so that UTF-16 is no row.
func sectionOf(known map[string]bool, id string) bool {
	letters, _, _ := strings.Cut(id, "-")
	for k := range known {
		if strings.HasPrefix(k, letters+"-") {
			return true
		}
	}
	return false
}

// TestEveryBehaviourHasATest compares the rows of docs/behaviour.md with the tests that show
// them.
func TestEveryBehaviourHasATest(t *testing.T) {
	file := filepath.Join(root(t), "docs", "behaviour.md")
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(src)
	known := map[string]bool{}
	for _, m := range rowLine.FindAllStringSubmatch(text, -1) {
		if known[m[1]] {
			t.Errorf("%s stands twice", m[1])
		}
		known[m[1]] = true
	}
	for line := range strings.Lines(text) {
		if cells := strings.Split(line, "|"); len(cells) > 1 && rowName.MatchString(strings.TrimSpace(cells[1])) && !rowLine.MatchString(strings.TrimSpace(line)) {
			t.Errorf("no row of four cells: %s", line)
		}
	}
	if len(known) < 150 {
		t.Fatalf("docs/behaviour.md has %d rows", len(known))
	}
	found := rowsShown(t, known)
	for _, id := range slices.Sorted(maps.Keys(found)) {
		if !known[id] {
			t.Errorf("%s in %s names %s, which is no row of docs/behaviour.md", found[id][0].test, found[id][0].file, id)
		}
	}
	want := rowLine.ReplaceAllStringFunc(text, func(line string) string {
		m := rowLine.FindStringSubmatch(line)
		id, last := m[1], m[4]
		var links []string
		for _, s := range found[id] {
			links = append(links, s.link())
		}
		slices.Sort(links)
		switch reason, none := strings.CutPrefix(last, doesNotApply); {
		case none && len(links) > 0:
			t.Errorf("%s has a test, %s, although it does not apply: %s", id, links[0], reason)
		case none && reason == "":
			t.Errorf("%s does not say why it does not apply", id)
		case none:
			links = []string{last}
		case len(links) == 0:
			t.Errorf("%s has neither a test nor a reason why it does not apply", id)
		}
		return fmt.Sprintf("| %s | %s | %s | %s |", id, m[2], m[3], strings.Join(links, ", "))
	})
	switch {
	case want == text:
	case *update && !t.Failed():
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Error("the tests in docs/behaviour.md are not those of the repository; run: go test ./internal/docs -run Behaviour -update")
	}
}

package cachert

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// behaviours are the rows of the list of behaviours, by section; between the numbers that
// are not there, the list has none.
var behaviours = []struct {
	section string
	rows    []int
}{
	{"CORE", []int{1, 2, 3, 5, 6, 7, 8, 9, 11}},
	{"KEY", []int{1, 2, 3, 4, 5, 6, 7, 9, 10, 11}},
	{"HASH", []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15, 16, 18, 20, 21, 22, 23, 24, 26, 27, 28, 30, 31, 33, 34, 35, 36, 37, 38, 39, 40, 41}},
	{"ERR", []int{1, 2, 3, 4, 5, 6, 7}},
	{"TTL", []int{1, 2, 3, 5, 6, 7, 8, 10, 11}},
	{"LRU", []int{1, 3, 4, 5, 6, 7}},
	{"DISK", []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20}},
	{"MEM", []int{2, 3, 4, 5, 6}},
	{"CLR", []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14}},
	{"CON", []int{1, 2, 3, 4, 7, 8, 9}},
	{"VAL", []int{1, 2}},
	{"REL", []int{2, 3, 4, 5, 6, 7}},
	{"REP", []int{1, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14}},
	{"WID", []int{1, 2, 3, 5, 6, 7, 8, 9}},
	{"SPN", []int{1, 2, 3, 4}},
	{"STA", []int{1, 3, 4}},
	{"BG", []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14}},
	{"TRAP", []int{1, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29}},
}

// notHere are the rows that have no test, or whole sections of them, and why.
var notHere = map[string]string{
	"DISK":    "there is no second level yet",
	"MEM":     "there is no second level yet",
	"ERR-04":  "there is no store that could refuse a configuration",
	"TRAP-17": "there are no cache files",
	"TRAP-18": "nothing is written to a disk",
	"STA-04":  "statistics are a Go value; there is no endpoint",
	"BG-04":   "an entry knows when it ends, not when it was stored",
	"BG-06":   "a mode is part of the program: another one is another process",
}

// TestEveryRowHasATest looks through the tests of the module for the rows of the list of
// behaviours. A row is named by a text that holds nothing but names of rows, "CLR-03" or
// "CON-01,CON-02", or in the comment of a txtar archive after "Rows:".
func TestEveryRowHasATest(t *testing.T) {
	found := map[string]string{}
	names := regexp.MustCompile(`^[A-Z]+-\d\d(,[A-Z]+-\d\d)*$`)
	list := regexp.MustCompile(`(?m)^Rows: ((?:[A-Z]+-\d\d[,.]\s+)+)`)
	add := func(path, rows string) {
		for _, id := range strings.FieldsFunc(rows, func(r rune) bool { return strings.ContainsRune(", .\r\n", r) }) {
			found[id] = path
		}
	}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		switch {
		case strings.HasSuffix(path, ".txtar"):
			src, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			comment, _, _ := bytes.Cut(src, []byte("\n-- "))
			if m := list.FindSubmatch(append(comment, '\n')); m != nil {
				add(path, string(m[1]))
			}
		case strings.HasSuffix(path, "_test.go") && !strings.Contains(path, "testdata"):
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if d, ok := n.(*ast.GenDecl); ok && d.Tok == token.VAR && filepath.Base(path) == "rows_test.go" {
					return false // the lists above
				}
				if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
					if s, err := strconv.Unquote(l.Value); err == nil && names.MatchString(s) {
						add(path, s)
					}
				}
				return true
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, b := range behaviours {
		for _, n := range b.rows {
			id := fmt.Sprintf("%s-%02d", b.section, n)
			all = append(all, id)
			why := notHere[id] + notHere[b.section]
			switch where := found[id]; {
			case where == "" && why == "":
				t.Errorf("%s has no test", id)
			case where != "" && why != "":
				t.Errorf("%s has a test in %s, although %s", id, where, why)
			}
		}
	}
	for id, where := range found {
		if !slices.Contains(all, id) {
			t.Errorf("%s names %s, which is no row of the list", where, id)
		}
	}
}

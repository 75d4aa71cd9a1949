package diag

import (
	"bytes"
	"encoding/json"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

func at(file string, line, col int) token.Position {
	return token.Position{Filename: file, Line: line, Column: col}
}

func TestEveryCodeHasATitleAndAWayOut(t *testing.T) {
	for _, i := range Codes() {
		if i.Title == "" || i.Hint == "" || !strings.HasPrefix(string(i.Code), "CG") || strings.HasSuffix(i.Title, ".") || strings.HasSuffix(strings.TrimSuffix(i.Hint, "..."), ".") {
			t.Errorf("%+v", i)
		}
	}
}

func TestSortDropsRepetitions(t *testing.T) {
	a := Errorf(at("a.go", 2, 1), UnknownOption, "x")
	b := Errorf(at("a.go", 1, 9), UnknownOption, "x")
	c := Errorf(at("a.go", 1, 9), DuplicateOption, "x")
	got := Sort([]Diagnostic{a, c, b, a, b})
	if len(got) != 3 || got[0].Code != b.Code || got[1].Code != c.Code || got[2].Pos != a.Pos {
		t.Errorf("%v", got)
	}
	if HasErrors([]Diagnostic{Warnf(at("a.go", 1, 1), Excluded, "x")}) {
		t.Error("a warning is an error")
	}
}

// TestSortKeepsEveryRelatedPlace: two functions lead to the same line of a helper, and a
// reader has to be told of both.
func TestSortKeepsEveryRelatedPlace(t *testing.T) {
	d := Errorf(at("helper.go", 3, 1), UnknownOption, "x")
	a := d.WithRelated(at("a.go", 1, 1), "a leads there")
	b := d.WithRelated(at("b.go", 1, 1), "b leads there")
	got := Sort([]Diagnostic{b, a, a, d})
	if len(got) != 1 || len(got[0].Related) != 2 || len(a.Related)+len(b.Related) != 2 {
		t.Errorf("%v", got)
	}
}

func render(t *testing.T, f Format, src string, ds ...Diagnostic) string {
	t.Helper()
	var b bytes.Buffer
	r := Renderer{Root: filepath.FromSlash("/mod"), Version: "v1", Source: func(string) []byte { return []byte(src) }}
	if err := r.Render(&b, f, ds); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTextShowsThePlace(t *testing.T) {
	src := "package a\n\tx := \"ä\" + y\n" + strings.Repeat("long ", 100) + "\n"
	file := filepath.FromSlash("/mod/a.go")
	for _, c := range []struct {
		d    Diagnostic
		want string
	}{
		{Errorf(at(file, 2, 14), UnknownOption, "m").WithHint("h"), "a.go:2:14: m [CG1102]\n\t\tx := \"ä\" + y\n\t\t           ^\n\th\n"},
		{Warnf(at(file, 2, 1), UnknownOption, "two\nlines").WithHint(""), "a.go:2:1: warning: two\n\tlines [CG1102]\n\t\tx := \"ä\" + y\n\t^\n"},
		{Errorf(token.Position{}, BadPattern, "m").WithHint("h"), "cachegen: m [CG2002]\n\th\n"},
		{Errorf(at(file, 99, 1), UnknownOption, "m").WithHint("h").WithRelated(at(file, 1, 2), "there"), "a.go:99:1: m [CG1102]\n\th\n\ta.go:1:2: there\n"},
		{Errorf(at(filepath.FromSlash("/mod2/b.go"), 1, 0), UnknownOption, "m").WithHint("h"), "../mod2/b.go:1: m [CG1102]\n\th\n"},
	} {
		if got := filepath.ToSlash(render(t, Text, src, c.d)); got != c.want {
			t.Errorf("got\n%s\nwant\n%s", got, c.want)
		}
	}
	long := render(t, Text, src, Errorf(at(file, 3, 251), UnknownOption, "m"))
	lines := strings.Split(long, "\n")
	if len(lines[1]) > maxExcerpt+1 || lines[1][len(lines[2])-1:][:4] != "long" {
		t.Errorf("the caret does not point at the word:\n%s", long)
	}
}

func TestGitHubEscapes(t *testing.T) {
	d := Errorf(at(filepath.FromSlash("/mod/a,b:c%.go"), 1, 2), UnknownOption, "50%%\nnext").WithHint("")
	want := "::error file=a%2Cb%3Ac%25.go,line=1,col=2,title=cachegen CG1102%3A unknown option::50%25%0Anext\n"
	if got := render(t, GitHub, "", d); got != want {
		t.Errorf("got %q", got)
	}
}

func TestSARIFIsValid(t *testing.T) {
	d := Errorf(at(filepath.FromSlash("/mod/sub dir/a.go"), 1, 6), UnknownOption, "m").
		WithRelated(at(filepath.FromSlash("/mod/b.go"), 3, 1), "there")
	var log sarifLog
	out := render(t, SARIF, "\"ää\"x\n", d, Warnf(token.Position{}, BadPattern, "n"))
	if err := json.Unmarshal([]byte(out), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if log.Version != "2.1.0" || run.ColumnKind != "unicodeCodePoints" || len(run.Results) != 2 || len(run.Tool.Driver.Rules) != 2 {
		t.Fatalf("%s", out)
	}
	// Without a place it comes first.
	if r := run.Results[0]; r.Level != "warning" || len(r.Locations) != 0 || run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
		t.Errorf("%+v", r)
	}
	r := run.Results[1]
	loc := r.Locations[0].Physical
	// Byte column 6 is the fourth code point.
	if loc.Artifact.URI != "sub%20dir/a.go" || loc.Artifact.BaseID != "%SRCROOT%" || loc.Region.StartColumn != 4 || run.Tool.Driver.Rules[r.RuleIndex].ID != "CG1102" {
		t.Errorf("%+v", loc)
	}
	if len(r.Related) != 1 || r.Related[0].Message.Text != "there" || r.Related[0].Physical.Artifact.URI != "b.go" {
		t.Errorf("%+v", r.Related)
	}
}

func TestJSONIsADocumentEvenWhenEmpty(t *testing.T) {
	if got := render(t, JSON, ""); got != "{\n  \"diagnostics\": []\n}\n" {
		t.Errorf("%q", got)
	}
}

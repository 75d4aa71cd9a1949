package docs

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generator/directive"
)

var update = flag.Bool("update", false, "rewrite the generated parts of README.md and docs")

// root is the repository.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func readme(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// run runs a command in dir and returns what it prints.
func run(t *testing.T, dir string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s in %s: %v\n%s", name, strings.Join(args, " "), dir, err, out)
	}
	return string(out)
}

// long leaves a test to the full run.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it builds programs; go test without -short runs it")
	}
	t.Parallel()
}

// TestDirectivesTableIsCurrent keeps the table of options in the README what the option structs say.
func TestDirectivesTableIsCurrent(t *testing.T) {
	const begin, end = "<!-- directives: go test ./internal/docs -run Directives -update -->\n", "<!-- /directives -->"
	text := readme(t)
	i, j := strings.Index(text, begin), strings.Index(text, end)
	if i < 0 || j < i {
		t.Fatalf("README.md has no part between %q and %q", begin, end)
	}
	want := "\n" + directive.Table() + "\n"
	if text[i+len(begin):j] == want {
		return
	}
	if !*update {
		t.Fatal("the table of directives in README.md is stale; run: go test ./internal/docs -run Directives -update")
	}
	text = text[:i+len(begin)] + want + text[j:]
	if err := os.WriteFile(filepath.Join(root(t), "README.md"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestFiveMinutesWorkAsWritten does what the README tells a newcomer to do, in a module of its own.
func TestFiveMinutesWorkAsWritten(t *testing.T) {
	long(t)
	text := readme(t)
	blocks := regexp.MustCompile("(?ms)^ *```go\n(.*?)^ *```$").FindAllStringSubmatch(text, -1)
	var source, calls string
	for _, b := range blocks {
		code := regexp.MustCompile("(?m)^   ").ReplaceAllString(b[1], "")
		switch {
		case strings.HasPrefix(code, "package prices\n"):
			source = code
		case strings.Contains(code, "prices.FetchQuotesCache"):
			calls = code
		}
	}
	if source == "" || calls == "" {
		t.Fatal("README.md shows no package prices, or no calls of it")
	}
	dir := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// go get -tool, as far as it goes for a version that is not published.
	write("go.mod", "module example.com/shop\n\ngo 1.26\n\nrequire github.com/cachegen/cachegen v0.0.0\n\nreplace github.com/cachegen/cachegen => "+root(t)+"\n\ntool github.com/cachegen/cachegen/cmd/cachegen\n")
	sum, err := os.ReadFile(filepath.Join(root(t), "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	write("go.sum", string(sum))
	write("prices/prices.go", source)
	write("main.go", "package main\n\nimport (\n\t\"context\"\n\t\"fmt\"\n\n\t\"example.com/shop/prices\"\n)\n\nfunc main() {\n\tctx := context.Background()\n"+
		calls+"\tfmt.Println(len(quotes), err)\n}\n")
	run(t, dir, "go", "mod", "tidy")
	run(t, dir, "go", "generate", "./...")
	run(t, dir, "go", "vet", "./...")
	if out := run(t, dir, "go", "run", "."); !strings.Contains(out, "2 <nil>") {
		t.Errorf("the program of the README prints\n%s", out)
	}
	run(t, dir, "go", "tool", "cachegen", "check", "./...")
	if out := run(t, dir, "go", "tool", "cachegen", "list"); !strings.Contains(out, "fetchQuotes") {
		t.Errorf("list does not show fetchQuotes:\n%s", out)
	}
	run(t, dir, "go", "tool", "cachegen", "explain", "./prices.fetchQuotes")
}

// TestModulesBesideThisOnePass runs the tests of the modules beside this one, and checks that the
// wrappers that are committed there are what would be generated.
func TestModulesBesideThisOnePass(t *testing.T) {
	long(t)
	tool := filepath.Join(t.TempDir(), "cachegen")
	run(t, root(t), "go", "build", "-o", tool, "./cmd/cachegen")
	for _, m := range []string{"examples", "bench"} {
		t.Run(m, func(t *testing.T) {
			dir := filepath.Join(root(t), m)
			run(t, dir, tool, "check", "./...")
			t.Log(run(t, dir, "go", "test", "./..."))
		})
	}
}

// TestSalesPrintsWhatTheREADMEShows compares the answers and the verdicts that the README shows with those that
// the example gives. Times are not compared.
func TestSalesPrintsWhatTheREADMEShows(t *testing.T) {
	long(t)
	columns := regexp.MustCompile(`\s{2,}`)
	rows := func(text string) (rows [][]string) {
		for line := range strings.Lines(text) {
			if c := columns.Split(strings.TrimSpace(line), 4); len(c) == 4 {
				rows = append(rows, []string{c[0], c[1], c[3]})
			}
		}
		return rows
	}
	_, shown, ok := strings.Cut(readme(t), "```\nquestion ")
	if !ok {
		t.Fatal("README.md does not show the output of the sales example")
	}
	shown, _, _ = strings.Cut("question "+shown, "```")
	want := rows(shown)
	got := rows(run(t, filepath.Join(root(t), "examples"), "go", "run", "./sales"))
	if len(want) < 5 || len(want) != len(got) {
		t.Fatalf("README.md shows %d rows, the example prints %d", len(want), len(got))
	}
	for i := range want {
		if strings.Join(want[i], "|") != strings.Join(got[i], "|") {
			t.Errorf("README.md shows %q, the example prints %q", want[i], got[i])
		}
	}
}

// TestNoPathOfThisMachineIsCommitted keeps paths of one machine out of what is committed.
func TestNoPathOfThisMachineIsCommitted(t *testing.T) {
	out, err := exec.Command("git", "-C", root(t), "grep", "-lF", root(t)+string(filepath.Separator)).Output()
	if err == nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("files with the path of this working copy in them:\n%s", out)
	}
}

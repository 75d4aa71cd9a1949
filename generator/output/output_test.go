package output

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// patch applies a unified diff as the patch command does, with no fuzz.
func patch(t *testing.T, old, diff string) string {
	t.Helper()
	src := linesOf([]byte(old))
	var out strings.Builder
	at := 0
	lines := linesOf([]byte(diff))
	for i := 2; i < len(lines); i++ {
		l := lines[i]
		if strings.HasPrefix(l, "@@") {
			var start, n int
			if c, _ := fmt.Sscanf(l, "@@ -%d,%d", &start, &n); c < 2 {
				n = 1
			}
			if n > 0 {
				start--
			}
			for ; at < start; at++ {
				out.WriteString(src[at])
			}
			continue
		}
		text := l[1:]
		if i+1 < len(lines) && strings.HasPrefix(lines[i+1], `\ No newline`) {
			text = strings.TrimSuffix(text, "\n")
		}
		switch l[0] {
		case ' ', '-':
			if at >= len(src) || src[at] != text {
				t.Fatalf("diff line %d %q does not fit the source\n%s", i, l, diff)
			}
			if l[0] == ' ' {
				out.WriteString(text)
			}
			at++
		case '+':
			out.WriteString(text)
		}
	}
	for ; at < len(src); at++ {
		out.WriteString(src[at])
	}
	return out.String()
}

func TestDiffAppliedToTheOldTextGivesTheNew(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		var b strings.Builder
		for range r.IntN(60) {
			fmt.Fprintf(&b, "line %d\n", r.IntN(9))
		}
		s := b.String()
		if r.IntN(4) == 0 {
			s = strings.TrimSuffix(s, "\n")
		}
		return s
	}
	for range 2000 {
		a, b := text(), text()
		d := Diff("x", Change{Old: []byte(a), New: []byte(b)})
		if a == b {
			if d != "" {
				t.Fatalf("equal texts have a diff: %q", d)
			}
			continue
		}
		if got := patch(t, a, d); got != b {
			t.Fatalf("diff of\n%q\nand\n%q\ngives\n%q\n%s", a, b, got, d)
		}
	}
}

func TestDiffIsShortAndHasContext(t *testing.T) {
	old := "a\nb\nc\nd\ne\nf\ng\nh\n"
	got := Diff("x.go", Change{Old: []byte(old), New: []byte(strings.Replace(old, "e\n", "E\n", 1))})
	want := "--- a/x.go\n+++ b/x.go\n@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := Diff("x.go", Change{New: []byte("a\n")}); got != "--- /dev/null\n+++ b/x.go\n@@ -0,0 +1 @@\n+a\n" {
		t.Errorf("new file: %q", got)
	}
	if got := Diff("x.go", Change{Old: []byte("a\n")}); got != "--- a/x.go\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n" {
		t.Errorf("removed file: %q", got)
	}
}

func TestCommitIsAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	name := func(s string) string { return filepath.Join(dir, s) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(name("a"), []byte("old a"), 0o640))
	must(os.WriteFile(name("b"), []byte("edited"), 0o600))
	err := Commit([]Change{
		{name("a"), []byte("old a"), []byte("new a")},
		{name("b"), []byte("old b"), []byte("new b")},
		{name("c"), nil, []byte("new c")},
	})
	if err == nil || !strings.Contains(err.Error(), "edited meanwhile") {
		t.Errorf("got error %v", err)
	}
	if got, _ := os.ReadFile(name("a")); string(got) != "old a" {
		t.Errorf("a was changed to %q", got)
	}
	must(Commit([]Change{
		{name("a"), []byte("old a"), []byte("new a")},
		{name("b"), []byte("edited"), nil},
		{name("c"), nil, []byte("new c")},
	}))
	if got, _ := os.ReadFile(name("a")); !bytes.Equal(got, []byte("new a")) {
		t.Errorf("a is %q", got)
	}
	if info, err := os.Stat(name("a")); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode of a is %v, %v", info.Mode(), err)
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 2 {
		t.Errorf("left over: %v", entries)
	}
}

// What a run leaves that is killed before it renames is nothing that git would take.
func TestGitIgnoresWhatIsStaged(t *testing.T) {
	dir := t.TempDir()
	git := func(args ...string) string {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	git("init", "-q")
	temp, err := stage(filepath.Join(dir, "a_cachegen.go"), []byte("package a\n"), 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if got := git("status", "--porcelain"); got != "" {
		t.Errorf("git sees %s", got)
	}
	unstage(temp)
	if entries, _ := os.ReadDir(dir); len(entries) != 1 { // .git
		t.Errorf("%v is left", entries)
	}
}

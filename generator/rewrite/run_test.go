package rewrite

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/output"
)

// scratch writes a module that sees this one's runtime.
func scratch(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	repo, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(repo, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	_, requires, _ := strings.Cut(string(mod), "\nrequire")
	sum, err := os.ReadFile(filepath.Join(repo, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	files["go.mod"] = "module example.com/m\n\ngo 1.26.0\n\nrequire github.com/cachegen/cachegen v0.0.0\n\nreplace github.com/cachegen/cachegen => " + repo + "\n\nrequire" + requires
	files["go.sum"] = string(sum)
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// tree reads every file below dir.
func tree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		all[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func same(t *testing.T, when string, was, now map[string][]byte) {
	t.Helper()
	for name := range was {
		if !bytes.Equal(was[name], now[name]) {
			t.Errorf("%s: %s is now\n%s", when, name, now[name])
		}
	}
	for name := range now {
		if _, ok := was[name]; !ok {
			t.Errorf("%s: %s is left behind", when, name)
		}
	}
}

func TestEjectUndoesAdopt(t *testing.T) {
	dir := scratch(t, map[string]string{
		"a/a.go": `package a

// F is.
func F(x int) int {
	if x > 0 {
		return F(x - 1)
	}
	return x
}

// G is.
func G(s []string) map[string]int { return map[string]int{s[0]: F(1)} }
`,
		"b/b.go": "package b\n\nimport \"example.com/m/a\"\n\nvar X = a.F(1)\n",
	})
	start := tree(t, dir)
	ctx := context.Background()
	res, err := AdoptAndGenerate(ctx, AdoptRequest{Dir: dir, Targets: []string{"./a.F", "./a.G"}, Options: []string{"ttl=5m"}})
	if err != nil || diag.HasErrors(res.Diagnostics) {
		t.Fatal(err, res.Diagnostics)
	}
	if len(res.Changes) != 2 {
		t.Fatalf("%d changes, want the source and what is generated from it", len(res.Changes))
	}
	if err := output.Commit(res.Changes); err != nil {
		t.Fatal(err)
	}
	adopted := tree(t, dir)
	made := string(adopted[filepath.Join(dir, "a", "a_cachegen.go")])
	for _, want := range []string{"func F(x int) int {", "func G(s []string) map[string]int {"} {
		if !strings.Contains(made, want) {
			t.Errorf("the generated file lacks %q", want)
		}
	}

	// One of two: the other's wrapper is made anew without it.
	one, err := EjectAndGenerate(ctx, EjectRequest{Dir: dir, Targets: []string{"./a.F"}})
	if err != nil || diag.HasErrors(one.Diagnostics) {
		t.Fatal(err, one.Diagnostics)
	}
	if err := output.Commit(one.Changes); err != nil {
		t.Fatal(err)
	}
	made = string(tree(t, dir)[filepath.Join(dir, "a", "a_cachegen.go")])
	if strings.Contains(made, "func F(") || !strings.Contains(made, "func G(") {
		t.Errorf("after ejecting F, the generated file is\n%s", made)
	}

	rest, err := EjectAndGenerate(ctx, EjectRequest{Dir: dir, Targets: []string{"./..."}})
	if err != nil || diag.HasErrors(rest.Diagnostics) {
		t.Fatal(err, rest.Diagnostics)
	}
	if err := output.Commit(rest.Changes); err != nil {
		t.Fatal(err)
	}
	same(t, "after eject", start, tree(t, dir))
}

// TestWrappersOfOneRunNeedEachOther shows that a package may need wrappers that the same run
// makes in another, also where that shows only when its own wrappers are there.
func TestWrappersOfOneRunNeedEachOther(t *testing.T) {
	dir := scratch(t, map[string]string{
		"a/a.go": `package a

type T struct{ N int }

//cache:data recv=key
func (t T) Value() int { return t.N }

type Valuer interface{ Value() int }

//cache:data
func Make(n int) (T, error) { return T{n}, nil }
`,
		"b/b.go": `package b

import "example.com/m/a"

//cache:data
func First() []a.T { return nil }

func Sum() (n int) {
	for _, x := range First() {
		value := x
		n += value.Value()
		var v a.Valuer = x
		n += v.Value()
		t, _ := a.Make(n)
		n += t.N
	}
	return n
}
`,
	})
	res, err := AdoptAndGenerate(context.Background(), AdoptRequest{Dir: dir, Targets: []string{"./..."}})
	if err != nil || len(res.Diagnostics) > 0 || len(res.Functions) != 3 {
		t.Errorf("%v, %v, %v", err, res.Functions, res.Diagnostics)
	}
}

// TestRefusalOfTheGeneratorChangesNothing shows that what the generator says of adopted code stands at places
// that are on disk, and that nothing changes then.
func TestRefusalOfTheGeneratorChangesNothing(t *testing.T) {
	dir := scratch(t, map[string]string{
		"a/a.go": "package a\n\n// F is.\nfunc F(x int) int { return x }\n\n// G is.\nfunc G(c chan int) int { return 0 }\n",
	})
	start := tree(t, dir)
	res, err := AdoptAndGenerate(context.Background(), AdoptRequest{Dir: dir, Targets: []string{"./a.F", "./a.G"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Changes) != 0 || len(res.Diagnostics) != 1 {
		t.Fatalf("%d changes, diagnostics %v", len(res.Changes), res.Diagnostics)
	}
	if d := res.Diagnostics[0]; d.Code != diag.Unkeyable || d.Pos.Line != 7 {
		t.Errorf("said at line %d: %s %s", d.Pos.Line, d.Code, d.Message)
	}
	same(t, "after a refusal", start, tree(t, dir))
}

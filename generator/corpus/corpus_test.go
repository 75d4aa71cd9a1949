package corpus

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"go/version"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/cachegen/cachegen/generator"
	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/emit"
	"github.com/cachegen/cachegen/generator/model"
)

var update = flag.Bool("update", false, "write the messages of refused cases, and those that warn, into them")

var only = flag.String("cases", "", "try only the cases whose names match this `regexp`")

// is is the package that cases compare with.
const is = `// Package is compares, and panics when wrong.
package is

import (
	"fmt"
	"reflect"
)

// Equal panics unless got and want are deeply equal.
func Equal(got, want any) {
	if !reflect.DeepEqual(got, want) {
		panic(fmt.Sprintf("got %#v, want %#v", got, want))
	}
}

// True panics unless ok.
func True(ok bool, what string) {
	if !ok {
		panic("not true: " + what)
	}
}

// Panics returns what f panics with, and panics if it does not.
func Panics(f func()) (v any) {
	defer func() {
		if v = recover(); v == nil {
			panic("did not panic")
		}
	}()
	f()
	return nil
}
`

type kase struct {
	name string
	path string
	ar   *txtar.Archive
	want int // index of the file want, -1 when there is none
}

func cases(t *testing.T) []*kase {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "..", "testdata", "corpus", "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	match := regexp.MustCompile(*only)
	var ks []*kase
	for _, p := range paths {
		if !match.MatchString(strings.TrimSuffix(filepath.Base(p), ".txtar")) {
			continue
		}
		ar, err := txtar.ParseFile(p)
		if err != nil {
			t.Fatal(err)
		}
		k := &kase{name: strings.TrimSuffix(filepath.Base(p), ".txtar"), path: p, ar: ar}
		if i := slices.IndexFunc(ar.Files, func(f txtar.File) bool { return f.Name == "needs" }); i >= 0 {
			if needs := strings.TrimSpace(string(ar.Files[i].Data)); version.Compare(runtime.Version(), needs) < 0 {
				t.Run(k.name, func(t *testing.T) { t.Skipf("it needs %s, and this is %s", needs, runtime.Version()) })
				continue
			}
		}
		k.want = slices.IndexFunc(ar.Files, func(f txtar.File) bool { return f.Name == "want" })
		ks = append(ks, k)
	}
	return ks
}

// sample returns one in n cases: what a run with -short has time for.
func sample(ks []*kase, n int) (some []*kase) {
	for i := 0; i < len(ks); i += n {
		some = append(some, ks[i])
	}
	return some
}

// module writes a module with these cases and returns its folder.
func module(t *testing.T, ks []*kase) string {
	t.Helper()
	dir := t.TempDir()
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(mod), "\n")
	write(t, dir, "go.mod", fmt.Sprintf("module corpus\n%s\nrequire github.com/cachegen/cachegen v0.0.0\n\nreplace github.com/cachegen/cachegen => %s\n", rest, root))
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "go.sum", string(sum))
	write(t, dir, "is/is.go", is)
	for _, k := range ks {
		for _, f := range k.ar.Files {
			if f.Name != "want" && f.Name != "warns" {
				write(t, dir, filepath.Join(k.name, f.Name), string(f.Data))
			}
		}
	}
	return dir
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	name = filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// environment is that of the go commands of these tests. Without the folder in it, what is
// compiled is in the build cache when the same code is in another temporary folder.
func environment() []string {
	return append(os.Environ(), "GOFLAGS=-mod=mod -trimpath -ldflags=-w", "GOWORK=off")
}

func generate(t *testing.T, dir string, patterns ...string) *generator.Result {
	t.Helper()
	res, err := generator.Generate(context.Background(), generator.Request{Dir: dir, Env: environment(), Patterns: patterns})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// describe writes a diagnostic of a case, with all that a user is told.
func describe(dir string, d diag.Diagnostic) string {
	place := func(file string, line, col int) string {
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			rel = file
		}
		return fmt.Sprintf("%s:%d:%d", filepath.ToSlash(rel), line, col)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %s\n", place(d.Pos.Filename, d.Pos.Line, d.Pos.Column), d.Code, d.Message)
	fmt.Fprintf(&b, "\t%s\n", d.Hint)
	for _, r := range d.Related {
		fmt.Fprintf(&b, "\t%s: %s\n", place(r.Pos.Filename, r.Pos.Line, r.Pos.Column), r.Message)
	}
	return b.String()
}

func run(t *testing.T, dir string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = environment()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestCachedCasesAnswerRight(t *testing.T) {
	t.Parallel()
	ks := slices.DeleteFunc(cases(t), func(k *kase) bool { return k.want >= 0 })
	if testing.Short() && *only == "" {
		ks = sample(ks, 4)
	}
	dir := module(t, ks)
	res := generate(t, dir)
	warned := map[string]string{}
	for _, d := range res.Diagnostics {
		if d.Severity == diag.Error {
			t.Errorf("unexpected: %s", describe(dir, d))
			continue
		}
		name := caseOf(t, dir, d)
		warned[name] += describe(filepath.Join(dir, name), d)
	}
	if res.Failed() {
		return
	}
	for _, k := range ks {
		i := slices.IndexFunc(k.ar.Files, func(f txtar.File) bool { return f.Name == "warns" })
		if i >= 0 {
			k.says(t, &k.ar.Files[i], warned[k.name])
		} else if warned[k.name] != "" {
			t.Errorf("%s: unexpected: %s", k.name, warned[k.name])
		}
	}
	for _, f := range res.Files {
		if err := os.WriteFile(f.Path, f.New, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("again", func(t *testing.T) { again(t, res) })

	var main bytes.Buffer
	main.WriteString("package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n\n")
	for i, k := range ks {
		fmt.Fprintf(&main, "\tc%d \"corpus/%s\"\n", i, k.name)
	}
	main.WriteString(")\n\nfunc main() {\n\tswitch os.Args[1] {\n")
	for i, k := range ks {
		fmt.Fprintf(&main, "\tcase %q:\n\t\tc%d.Check()\n", k.name, i)
	}
	main.WriteString("\tdefault:\n\t\tpanic(os.Args[1])\n\t}\n\tfmt.Println(\"checked\")\n}\n")
	write(t, dir, "driver/main.go", main.String())

	if !testing.Short() {
		// With -trimpath, vet may look for the cgo files of an earlier run's directory, which
		// its result in the build cache names.
		rest := []string{"vet", "-composites=false", "./driver", "./is"}
		for _, k := range ks {
			if strings.HasPrefix(k.name, "cgo") {
				run(t, dir, "go", "vet", "-trimpath=false", "-composites=false", "./"+k.name+"/...")
			} else {
				rest = append(rest, "./"+k.name+"/...")
			}
		}
		run(t, dir, "go", rest...)
	}
	exe := filepath.Join(dir, "driver.exe")
	run(t, dir, "go", "build", "-o", exe, "./driver")
	if t.Failed() {
		return
	}
	for _, k := range ks {
		t.Run(k.name, func(t *testing.T) {
			if out := run(t, dir, exe, k.name); !strings.HasSuffix(out, "checked\n") {
				t.Errorf("ended early:\n%s", out)
			} else if strings.Contains(out, "has changed since the wrapper was generated") {
				t.Errorf("the runtime sees other types than the generator did:\n%s", out)
			}
		})
	}
}

// again writes every package down twenty times more, from functions in another order.
func again(t *testing.T, res *generator.Result) {
	times := 20
	if testing.Short() {
		times = 2
	}
	made := map[string][]byte{}
	for _, f := range res.Files {
		made[f.Path] = f.New
	}
	packages := map[string][]*model.Func{}
	for _, f := range res.Funcs {
		packages[f.Pkg.ImportPath] = append(packages[f.Pkg.ImportPath], f)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for path, funcs := range packages {
		for range times {
			r.Shuffle(len(funcs), func(i, j int) { funcs[i], funcs[j] = funcs[j], funcs[i] })
			outs, err := emit.Package(funcs[0].Pkg, funcs)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range outs {
				if !bytes.Equal(o.Src, made[o.Name]) {
					t.Fatalf("%s: %s differs between two runs", path, filepath.Base(o.Name))
				}
			}
		}
	}
}

func TestRefusedCasesSayWhy(t *testing.T) {
	t.Parallel()
	ks := slices.DeleteFunc(cases(t), func(k *kase) bool { return k.want < 0 })
	dir := module(t, ks)
	res := generate(t, dir)
	said := map[string]string{}
	for _, d := range res.Diagnostics {
		name := caseOf(t, dir, d)
		said[name] += describe(filepath.Join(dir, name), d)
	}
	for _, k := range ks {
		t.Run(k.name, func(t *testing.T) {
			if said[k.name] == "" {
				t.Fatal("it was not refused")
			}
			k.says(t, &k.ar.Files[k.want], said[k.name])
		})
	}
}

// caseOf returns the name of the case that a diagnostic is about.
func caseOf(t *testing.T, dir string, d diag.Diagnostic) string {
	t.Helper()
	rel, err := filepath.Rel(dir, d.Pos.Filename)
	if err != nil {
		t.Fatal(err)
	}
	name, _, _ := strings.Cut(filepath.ToSlash(rel), "/")
	return name
}

// says compares what was said of a case with its file of messages, or updates that.
func (k *kase) says(t *testing.T, want *txtar.File, got string) {
	t.Helper()
	if got == string(want.Data) {
		return
	}
	if *update {
		want.Data = []byte(got)
		if err := os.WriteFile(k.path, txtar.Format(k.ar), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s: said:\n%s\nwant:\n%s", k.name, got, want.Data)
}

package corpus

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

var freeze = flag.String("freeze", "", "keep the corpus cases of the frozen ones, with the wrappers of now, as this `version`, such as v3")

var frozenDir = filepath.Join("..", "..", "testdata", "frozen")

// frozenCases are the cases of the corpus that are kept with the wrappers of an interface
// version. Together they call what wrappers of that version can call of the runtime;
// freezing fails if they do not.
var frozenCases = strings.Fields(`plain-function methods generics handles copies key-kinds own-keys cycles-and-sharing
	option-functions blank-fields-that-forbid-comparing slices-of-foreign-slices shared-through-structs
	shadowed-nil-and-true shadowed-predeclared initialisation draw-writer draw-handler draw-components draw-datastar draw-widgets
	draw-holes draw-nested draw-options draw-surface-of-ones-own memogen-nested-pointer`)

// TestFrozenWrappersStillWork builds the wrappers of earlier interface versions, exactly as they were
// generated, with the runtime of now, and beside wrappers of now in one program: so it is
// with libraries that have been published with their wrappers.
func TestFrozenWrappersStillWork(t *testing.T) {
	t.Parallel()
	if *freeze != "" {
		freezeCases(t, *freeze)
	}
	versions, err := os.ReadDir(frozenDir)
	if err != nil || len(versions) == 0 {
		t.Fatalf("no version: %v", err)
	}
	for _, v := range versions {
		t.Run(v.Name(), func(t *testing.T) {
			old := archives(t, filepath.Join(frozenDir, v.Name()))
			if testing.Short() {
				old = sample(old, 8)
			}
			dir := module(t, old)
			// The same functions with wrappers of now, beside them.
			now := filepath.Join(dir, "now")
			for _, k := range cases(t) {
				if k.name == "plain-function" || k.name == "draw-writer" {
					for _, f := range k.ar.Files {
						write(t, now, filepath.Join(k.name, f.Name), string(f.Data))
					}
				}
			}
			res := generate(t, dir, "./now/...")
			if res.Failed() {
				t.Fatal(res.Diagnostics)
			}
			for _, f := range res.Files {
				if err := os.WriteFile(f.Path, f.New, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			var imports, calls strings.Builder
			for i, k := range old {
				fmt.Fprintf(&imports, "\tc%d \"corpus/%s\"\n", i, k.name)
				fmt.Fprintf(&calls, "\tcase %q:\n\t\tc%d.Check()\n", k.name, i)
			}
			write(t, dir, "driver/main.go", `package main

import (
	"fmt"
	"os"

	plain "corpus/now/plain-function"
	writer "corpus/now/draw-writer"
`+imports.String()+`)

func main() {
	switch os.Args[1] {
	case "now":
		plain.Check()
		writer.Check()
`+calls.String()+`	default:
		panic(os.Args[1])
	}
	fmt.Println("checked")
}
`)
			exe := filepath.Join(dir, "driver.exe")
			run(t, dir, "go", "build", "-o", exe, "./driver")
			if t.Failed() {
				return
			}
			for _, name := range append([]string{"now"}, names(old)...) {
				t.Run(name, func(t *testing.T) {
					if out := run(t, dir, exe, name); !strings.HasSuffix(out, "checked\n") {
						t.Errorf("ended early:\n%s", out)
					}
				})
			}
		})
	}
}

// entryPoint finds what a generated file names of the runtime and its adapters.
var entryPoint = regexp.MustCompile(`\b(?:cache|predeclared|html|web|templ|gomponents|datastar)\.[A-Z]\w*`)

func names(ks []*kase) []string {
	var all []string
	for _, k := range ks {
		all = append(all, k.name)
	}
	return all
}

// archives returns the cases in a folder.
func archives(t *testing.T, dir string) []*kase {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases in %s: %v", dir, err)
	}
	var ks []*kase
	for _, p := range paths {
		ar, err := txtar.ParseFile(p)
		if err != nil {
			t.Fatal(err)
		}
		ks = append(ks, &kase{name: strings.TrimSuffix(filepath.Base(p), ".txtar"), path: p, ar: ar, want: -1})
	}
	return ks
}

// freezeCases writes the cases with their generated files into the folder of a version. It
// fails if wrappers of the rest of the corpus call anything that these do not: then a case
// that does is to be frozen, too.
func freezeCases(t *testing.T, version string) {
	ks := slices.DeleteFunc(cases(t), func(k *kase) bool { return k.want >= 0 })
	dir := module(t, ks)
	res := generate(t, dir)
	if res.Failed() {
		t.Fatal(res.Diagnostics)
	}
	frozen, missing := map[string]bool{}, map[string]string{}
	for _, f := range res.Files {
		rel, err := filepath.Rel(dir, f.Path)
		if err != nil {
			t.Fatal(err)
		}
		name, file, _ := strings.Cut(filepath.ToSlash(rel), "/")
		keep := slices.Contains(frozenCases, name)
		for _, call := range entryPoint.FindAllString(string(f.New), -1) {
			if keep {
				frozen[call] = true
			} else {
				missing[call] = name
			}
		}
		for _, k := range ks {
			if keep && k.name == name {
				k.ar.Files = append(k.ar.Files, txtar.File{Name: file, Data: f.New})
			}
		}
	}
	for call, name := range missing {
		if !frozen[call] {
			t.Errorf("no frozen wrapper calls %s, as one of %s does", call, name)
		}
	}
	if !frozen["cache.Generated"+strings.TrimPrefix(version, "v")] {
		t.Errorf("the wrappers of now are not of version %s", version)
	}
	for _, k := range ks {
		if slices.Contains(frozenCases, k.name) {
			write(t, frozenDir, filepath.Join(version, filepath.Base(k.path)), string(txtar.Format(k.ar)))
		}
	}
}

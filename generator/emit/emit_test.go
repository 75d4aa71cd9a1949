package emit

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/load"
	"github.com/cachegen/cachegen/generator/model"
	"github.com/cachegen/cachegen/generator/scan"
)

// stdlib stands for the packages that the functions of the tests import, so that nothing need
// be loaded.
var stdlib = map[string]string{
	"time":    "package time\ntype Time struct { wall uint64; ext int64; loc *Location }\ntype Location struct { name string }\ntype Duration int64\n",
	"context": "package context\nimport \"time\"\ntype Context interface { Deadline() (time.Time, bool); Done() <-chan struct{}; Err() error; Value(key any) any }\n",
	"value":   "package value\ntype Value struct { V int }\n",
}

type importer struct {
	fset *token.FileSet
	made map[string]*types.Package
}

func (im importer) Import(path string) (*types.Package, error) {
	if p := im.made[path]; p != nil {
		return p, nil
	}
	src, ok := stdlib[path]
	if !ok {
		return nil, fmt.Errorf("no package %s", path)
	}
	f, err := parser.ParseFile(im.fset, "/src/"+path+"/x.go", src, 0)
	if err != nil {
		return nil, err
	}
	p, err := (&types.Config{Importer: im}).Check(path, im.fset, []*ast.File{f}, nil)
	im.made[path] = p
	return p, err
}

// withoutBody finds the functions of the tests, which have none.
var withoutBody = regexp.MustCompile(`(?m)^func .*[^{}\n]$`)

// written returns what is generated of the annotated functions in files, by the name of the
// source.
func written(t *testing.T, files map[string]string) map[string]string {
	t.Helper()
	dir := t.TempDir() // where planning reads once more what stands in files
	pkg := &load.Package{ImportPath: "example.com/m", Name: "m", Dir: dir, Module: "example.com/m", ModuleDir: dir,
		Fset: token.NewFileSet(), Sizes: types.SizesFor("gc", "amd64"),
		Info: &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{}}}
	var syntax []*ast.File
	for name, src := range files {
		text := []byte("package m\n\n" + withoutBody.ReplaceAllString(src, "$0 { panic(0) }"))
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o666); err != nil {
			t.Fatal(err)
		}
		a := scan.Annotate(pkg.Fset, &scan.File{Path: path, Src: text})
		if len(a.Diagnostics) > 0 || a.Syntax == nil {
			t.Fatalf("%s: %v", name, a.Diagnostics)
		}
		pkg.Syntax = append(pkg.Syntax, &load.File{Name: a.Path, Src: a.Src, Syntax: a.Syntax, Annotated: a})
		syntax = append(syntax, a.Syntax)
	}
	var err error
	if pkg.Types, err = (&types.Config{Importer: importer{pkg.Fset, map[string]*types.Package{}}, IgnoreFuncBodies: true}).Check("example.com/m", pkg.Fset, syntax, pkg.Info); err != nil {
		t.Fatal(err)
	}
	var funcs []*model.Func
	for _, f := range pkg.Syntax {
		for _, fn := range f.Annotated.Funcs {
			plan, ds := model.Plan(pkg, f, fn.Decl, fn.Directive)
			if diag.HasErrors(ds) {
				t.Fatalf("%s: %v", fn.Decl.Name.Name, ds)
			}
			funcs = append(funcs, plan)
		}
	}
	outs, err := Package(pkg, funcs)
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]string{}
	for _, o := range outs {
		made[strings.TrimSuffix(filepath.Base(o.Name), "_cachegen.go")+".go"] = string(o.Src)
	}
	return made
}

// space is what gofmt may put anywhere.
var space = regexp.MustCompile(`\s+`)

func squeezed(s string) string { return space.ReplaceAllString(s, " ") }

func TestWrappers(t *testing.T) {
	for _, c := range []struct {
		name     string
		src      string
		has      []string // white space aside
		hasNot   []string
		maxLines int // of the file after its imports, blank ones not counted
	}{
		{
			name: "a key of what can be compared is a literal",
			src:  "//cache:data ttl=10m max=1000\nfunc price(id int64, name string) (float64, error)",
			has: []string{
				"// If this line does not compile, price's signature has changed: run go tool cachegen ./...\nvar _ func(int64, string) (float64, error) = price",
				"h := cachevalue.HashUint64(cachevalue.HashStart(), uint64(k.id)) return cachevalue.HashString(h, k.name)",
				"var priceSite = cachert.New[priceKey, float64](nil, cachert.Options{",
				"TTL: 10 * time.Minute,",
				"k := priceKey{id, name} h := k.hash() if v := priceSite.Get(h, &k); v != nil { return *v, nil } return priceSite.Do(h, k, priceCall(id, name))",
				"// Price is price, cached; see [PriceCache].",
				"// PriceHandle is the type of [PriceCache].\ntype PriceHandle struct{}",
				"func (PriceHandle) Peek(id int64, name string) (value float64, ok bool) {",
				"func (PriceHandle) Prime(id int64, name string, value float64) {",
			},
			hasNot:   []string{"keyErr", "priceKeyOf", "struct { }", "_ := ", "unsafe"},
			maxLines: 59,
		},
		{
			name: "nothing in the key is hashed or made",
			src:  "//cache:data ttl=1h\nfunc settings() int",
			has: []string{
				"cachert.New[cachert.None, int](nil, cachert.Options{", "TTL: time.Hour,",
				"if v := settingsSite.Get(0, &cachert.None{}); v != nil { return *v } return cachert.Must(settingsSite.Do(0, cachert.None{}, settingsCall()))",
				"func (SettingsHandle) Forget() { settingsSite.Forget(0, cachert.None{}) }",
			},
			hasNot:   []string{"Key", "hash", "HashStart", "panic"},
			maxLines: 43,
		},
		{
			name:     "a digest that cannot fail has no error",
			src:      "//cache:data\nfunc mean(xs []float64) float64",
			has:      []string{"type meanKey struct{ digest cachevalue.Digest }", "func meanKeyOf(xs []float64) meanKey { e := cachevalue.NewEncoder() cachevalue.EncodeFloats(e, xs) return meanKey{e.Sum()} }"},
			hasNot:   []string{"keyErr", "Uncached", "Part("},
			maxLines: 64,
		},
		{
			name: "a digest that can fail is not asked for",
			src:  "//cache:data\nfunc mean(n int, xs []any) float64",
			has: []string{
				"func meanKeyOf(n int, xs []any) (meanKey, error) {", `e.Part("xs")`, "digest, err := e.Digest() return meanKey{n, digest}, err",
				"k, keyErr := meanKeyOf(n, xs) h := k.hash() if keyErr == nil { if v := meanSite.Get(h, &k); v != nil {",
				"meanCall(n, xs, keyErr)", "Uncached: keyErr,",
				"if keyErr == nil { meanSite.Forget(k.hash(), k) }",
			},
		},
		{
			name:   "an odd map can be too large for a key",
			src:    "type P struct { X, Y float64 }\n\n//cache:data\nfunc area(ps map[P]int) int",
			has:    []string{"(areaKey, error)"},
			hasNot: []string{"Sum()"},
		},
		{
			name:   "a map of strings cannot",
			src:    "//cache:data\nfunc area(ps map[string][]int) int",
			has:    []string{"e.Sum()"},
			hasNot: []string{"keyErr"},
		},
		{
			name:   "a value can lie too deep in itself",
			src:    "type List struct { Next *List }\n\n//cache:data\nfunc length(l *List) int",
			has:    []string{"(lengthKey, error)"},
			hasNot: []string{"Sum()"},
		},
		{
			name: "a copy is an expression where it needs to remember nothing",
			src:  "type Row struct { Tags []string }\n\n//cache:data max-bytes=1MiB\nfunc rows(n int) ([]Row, error)",
			has: []string{
				"cachert.New[rowsKey, []Row]((*rowsKey)(nil), cachert.Options{", "MaxBytes: 1 << 20,",
				"func (*rowsKey) Copy(to, from any) error { *to.(*[]Row) = fCopyRowSlice(nil, *from.(*[]Row)) return nil }",
				"func (*rowsKey) Size(v any, z *cachevalue.Sizer) int64 { return cachevalue.SizeSlice(z, *v.(*[]Row), fSizeRow) }",
				"return fCopyRowSlice(nil, *v), nil",
				"// If this does not compile, Row has changed: run go tool cachegen ./...\nvar _ = (*struct{ Tags []string })((*Row)(nil))",
			},
			hasNot:   []string{"unsafe", "NewCopier", "rowsOps"},
			maxLines: 78,
		},
		{
			name: "and a method where it does",
			src:  "type Node struct { Next *Node }\n\n//cache:data\nfunc head(n int) *Node",
			has:  []string{"c := cachevalue.NewCopier(\"example.com/m\")", "return c.Done()", "var w *Node _ = k.Copy(&w, v) // it has been copied before"},
		},
		{
			name: "results are called as the function calls them",
			src:  "import \"context\"\n\ntype Store struct{}\n\n//cache:data recv=ignore\nfunc (s *Store) load(ctx context.Context, id int) (name string, n int, err error)",
			has: []string{
				"type storeLoadResult struct { name string n int }",
				"func (s *Store) Load(ctx context.Context, id int) (name string, n int, err error) {",
				"v, err := storeLoadSite.Do(h, k, storeLoadCall(s, ctx, id)) return v.name, v.n, err",
				"r := v.(*storeLoadResult) r.name, r.n, err = s.load(ctx, id) return err",
				"func (StoreLoadHandle) Peek(id int) (name string, n int, ok bool) {",
				"storeLoadSite.Prime(k.hash(), k, storeLoadResult{name, n})",
			},
			hasNot: []string{"err_", "_load"},
		},
		{
			name:   "results without names are values",
			src:    "//cache:data\nfunc pair(id int) (string, int, error)",
			has:    []string{"type pairResult struct { value string value2 int }", "Peek(id int) (value string, value2 int, ok bool)"},
			hasNot: []string{"r0"},
		},
		{
			name: "a context without a name is called ctx",
			src:  "import \"context\"\n\n//cache:data\nfunc load(_ context.Context, _ int) int",
			has:  []string{"func Load(ctx context.Context, p1 int) int {"},
		},
		{
			name: "an error alone",
			src:  "//cache:data errors=1m\nfunc check(id int) error",
			has: []string{
				"cachert.New[checkKey, cachert.None](nil,", "ErrorTTL: time.Minute,",
				"_, err := checkSite.Do(h, k, checkCall(id)) return err", "return check(id)",
				"return cachert.PeekError(checkSite, k.hash(), k)",
			},
			hasNot: []string{"checkResult"},
		},
		{
			name: "type parameters",
			src:  "//cache:data\nfunc pick[T comparable](id int, t T) T",
			has: []string{
				"func _[T comparable]() { var _ func(int, T) T = pick[T] }",
				"return cachert.Instance[pickKey[T], T](&pickSites, (*pickKey[T])(nil), func() cachert.Options { return cachert.Options{",
				"k.id = id k.t, err = cachevalue.AtomOf(t) return k, cachevalue.InPart(err, \"t\")",
				"func PickCache[T comparable]() PickHandle[T] { return PickHandle[T]{} }",
				"// PickHandle is what [PickCache] returns.\ntype PickHandle[T comparable] struct{}",
			},
			hasNot:   []string{"pickOptions", "&pickKey"},
			maxLines: 90,
		},
		{
			name: "a resource",
			src:  "type DB struct{}\n\nfunc (*DB) Close() error\n\n//cache:resource release=Close\nfunc open(path string) (*DB, error)",
			has: []string{
				"func (*openKey) Release(v any) { if r := *v.(**DB); r != nil { _ = r.Close() } }",
				"func (*openKey) Ident(v any) any { return *v.(**DB) }",
				"Grace: 30 * time.Second, Resource: true, ErrorResult: cachert.HasError, })",
				"func (OpenHandle) Acquire(path string) (value *DB, done func(), err error) {",
				"return openSite.Acquire(k.hash(), k, openCall(path))",
			},
			maxLines: 65,
		},
		{
			name:   "an ignored parameter",
			src:    "type DB struct{ n int }\n\n//cache:data\nfunc settings(_db *DB) (n int)",
			has:    []string{"func Settings(_db *DB) (n int) {", "func (SettingsHandle) Peek() (n int, ok bool) {", "settingsSite.Do(0, cachert.None{}, settingsCall(_db))"},
			hasNot: []string{"HasError", "err error"},
		},
		{
			name: "shadowed names",
			src: "import \"context\"\n\ntype time struct{}\n\ntype cache int\n\ntype any int\n\nfunc cachert()\n\nfunc cachevalue()\n\n" +
				"//cache:data ttl=90s\nfunc load(context context.Context, value []int, k, h, v string) (err int, ok error)",
			has: []string{
				`cachert_ "github.com/cachegen/cachegen/runtime"`, `cachevalue_ "github.com/cachegen/cachegen/runtime/value"`,
				"TTL: 90 * time_.Second,",
			},
		},
		{
			name: "durations",
			src:  "import \"context\"\n\n//cache:data ttl=36h stale=1500ms errors=61m timeout=7us\nfunc load(ctx context.Context, id int) (int, error)",
			has:  []string{"TTL: 36 * time.Hour,", "Stale: 1500 * time.Millisecond,", "ErrorTTL: 61 * time.Minute,", "Timeout: 7 * time.Microsecond,"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := written(t, map[string]string{"f.go": c.src})["f.go"]
			for _, want := range c.has {
				if !strings.Contains(squeezed(got), squeezed(want)) {
					t.Errorf("lacks %s", want)
				}
			}
			for _, no := range c.hasNot {
				if _, body, _ := strings.Cut(got, "const _ = "); strings.Contains(body, no) {
					t.Errorf("has %s", no)
				}
			}
			_, body, _ := strings.Cut(got, "Generated3\n")
			n := 0
			for line := range strings.Lines(body) {
				if strings.TrimSpace(line) != "" {
					n++
				}
			}
			if c.maxLines > 0 && n > c.maxLines {
				t.Errorf("%d lines, and %d would do", n, c.maxLines)
			}
			if t.Failed() {
				t.Log(got)
			}
		})
	}
}

// The page that goes through a generated file shows one as it is.
func TestPageShowsWhatIsGenerated(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "generated-code.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```go\n")
	if len(blocks) != 3 {
		t.Fatalf("%d blocks of Go", len(blocks)-1)
	}
	src, _, _ := strings.Cut(blocks[1], "```")
	want, _, _ := strings.Cut(blocks[2], "```")
	_, src, _ = strings.Cut(src, "package prices\n\n")
	got := written(t, map[string]string{"quotes.go": src})["quotes.go"]
	got = strings.ReplaceAll(strings.ReplaceAll(got, "package m\n", "package prices\n"), "example.com/m.", "example.com/prices.")
	if got != want {
		t.Errorf("docs/generated-code.md shows:\n%s\nand this is generated:\n%s", want, got)
	}
}

// Two files of a package, or a file and a function, never call two things alike.
func TestHelperNames(t *testing.T) {
	row := "type Row struct { Tags []string }\n\ntype CopyRow struct { Tags []string }\n\ntype Key struct { Tags []string }\n\n"
	made := written(t, map[string]string{
		"a.go":      row + "//cache:data\nfunc fa(n int) map[int]CopyRow\n\n//cache:data\nfunc aCopy(n int) map[int]Key",
		"a_copy.go": "//cache:data\nfunc fb(n int) map[int]Row",
		"aCopy.go":  "//cache:data\nfunc fc(n int) map[int]Row",
		"a_1.go":    "//cache:data\nfunc fd(n int) map[int]Row",
		"a1.go":     "//cache:data\nfunc fe(n int) map[int]Row",
		"9.go":      "//cache:data\nfunc ff(n int) map[int]Row",
		"my_row.go": "//cache:data\nfunc fg(n int) map[int]Row",
	})
	declared := regexp.MustCompile(`(?m)^(?:func|type|var) (\w+)`)
	in := map[string]string{}
	for file, text := range made {
		for _, m := range declared.FindAllStringSubmatch(text, -1) {
			if m[1] == "_" {
				continue
			}
			if in[m[1]] != "" {
				t.Errorf("%s is declared in %s and in %s", m[1], in[m[1]], file)
			}
			in[m[1]] = file
			if strings.Contains(m[1], "_") {
				t.Errorf("%s: %s is not in mixed caps", file, m[1])
			}
		}
	}
	for _, name := range []string{"aCopyCopyRow", "myRowCopyRow", "aCopyKey", "aCopyKey2"} {
		if in[name] == "" {
			t.Errorf("no %s: %v", name, in)
		}
	}
}

// What a further declaration of a function is called is said in one place: no two suffixes
// can make one name of two functions'.
func TestSuffixes(t *testing.T) {
	for _, a := range suffixes {
		for _, b := range suffixes {
			if a != b && strings.HasSuffix(a, b) {
				t.Errorf("%s ends in %s", a, b)
			}
		}
	}
	if !slices.Contains(suffixes, "Key") {
		t.Error("no Key")
	}
}

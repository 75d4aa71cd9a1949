package model

import (
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/load"
)

// exported gives the types of a few packages of the standard library.
var exported = sync.OnceValues(func() (types.Importer, error) {
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}", "context", "io", "net/http", "time").Output()
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		files[path] = file
	}
	return importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		if files[path] == "" {
			return nil, errors.New("no export data for " + path)
		}
		return os.Open(files[path])
	}), nil
})

// planned plans the only annotated function of a package that begins with these imports.
func planned(t *testing.T, src string) (*Func, []diag.Diagnostic) {
	t.Helper()
	imports, err := exported()
	if err != nil {
		t.Fatal(err)
	}
	head := "package p\n\nimport (\n"
	for _, path := range []string{"context", "io", "net/http", "time"} {
		if strings.Contains(src, path[strings.LastIndexByte(path, '/')+1:]+".") {
			head += fmt.Sprintf("\t%q\n", path)
		}
	}
	p, err := load.Memory("example.com/p", map[string]string{"p.go": head + ")\n\n" + src}, imports)
	if err != nil {
		t.Fatal(err)
	}
	file := p.Syntax[0]
	if len(file.Annotated.Funcs) != 1 {
		t.Fatalf("%d functions are annotated", len(file.Annotated.Funcs))
	}
	fn := file.Annotated.Funcs[0]
	return Plan(p, file, fn.Decl, fn.Directive)
}

// What is in the key, how, and why the rest is not.
func TestKeys(t *testing.T) {
	for src, want := range map[string]string{
		"//cache:data\nfunc f(a int, b string) int { return 0 }":                                           "a exact, b exact",
		"//cache:data\nfunc f(a float64, b []int) int { return 0 }":                                        "a float bits, b digest",
		"//cache:data\nfunc f(a time.Time, b any) int { return 0 }":                                        "a time, b dynamic",
		"//cache:data\nfunc f(ctx context.Context, a int) int { return 0 }":                                "ctx: a context never is, a exact",
		"//cache:data\nfunc f(_ int, _b int) int { return 0 }":                                             ": it has no name, _b: its name starts with _",
		"//cache:data key=a\nfunc f(a, b int) int { return 0 }":                                            "a exact, b: key= leaves it out",
		"//cache:data ignore=a\nfunc f(a func(), b int) int { return 0 }":                                  "a: ignore=, b exact",
		"//cache:data hash=a:h\nfunc f(a func()) int { return 0 }\nfunc h(func()) int { return 0 }":        "a function",
		"//cache:data scope=session\nfunc f(ctx context.Context) int { return 0 }":                         "session, ctx: a context never is",
		"type T struct{ n int }\n//cache:data recv=key\nfunc (t T) f() int { return 0 }":                   "t exact",
		"type T struct{ n int }\n//cache:data recv=ignore\nfunc (t T) f() int { return 0 }":                "t: recv=ignore",
		"type T struct{ n int }\n//cache:data recv=identity\nfunc (t *T) f() int { return 0 }":             "t identity",
		"type T struct{ n []int }\n//cache:data\nfunc f(t T, u *int) int { return 0 }":                     "t digest, u digest",
		"//cache:data\nfunc f(w io.Writer, a int) {}":                                                      "w: it is drawn on, a exact",
		"//cache:data\nfunc f(w io.Writer, hole func(io.Writer)) { hole(w) }":                              "w: it is drawn on, hole: a hole",
		"//cache:data scope=global\nfunc f(w http.ResponseWriter, r *http.Request) { r.FormValue(\"q\") }": "w: it is drawn on, r: the inputs that are read of it are",
		"//cache:data\nfunc f[T any](a T) int { return 0 }":                                                "a dynamic",
	} {
		f, ds := planned(t, src)
		if diag.HasErrors(ds) {
			t.Errorf("%s:\n%v", src, ds)
			continue
		}
		var got []string
		how := map[*Param]string{}
		for _, p := range f.Key.Parts {
			if p.Param == nil {
				got = append(got, p.How)
			}
			how[p.Param] = p.How
		}
		for _, q := range f.All() {
			if q.InKey != (q.Why == "") {
				t.Errorf("%s: %s is in the key: %v, and why not: %q", src, q.Name, q.InKey, q.Why)
			}
			if q.InKey {
				got = append(got, q.Name+" "+how[q])
			} else {
				got = append(got, q.Name+": "+q.Why)
			}
		}
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("%s:\n%s, want %s", src, s, want)
		}
	}
}

// What callers share of a result.
func TestSharingOfResults(t *testing.T) {
	for src, want := range map[string]Sharing{
		"//cache:data\nfunc f() string { return \"\" }":                                            Immutable,
		"//cache:data\nfunc f() []int { return nil }":                                              Copied,
		"//cache:data\nfunc f() (any, error) { return nil, nil }":                                  Copied,
		"//cache:data copy=share\nfunc f() []int { return nil }":                                   SharedByOption,
		"//cache:resource\nfunc f() *int { return nil }":                                           SharedResource,
		"//cache:data copy=c\nfunc f() []int { return nil }\nfunc c(x []int) []int { return x }":   CopiedByFunc,
		"type T struct{ a, b int }\n//cache:data\nfunc f() T { return T{} }":                       Immutable,
		"type T struct{ next *T }\n//cache:data\nfunc f() T { return T{} }":                        Copied,
		"//cache:data\nfunc f(ctx context.Context) (time.Time, error) { return time.Time{}, nil }": Immutable,
	} {
		f, ds := planned(t, src)
		if diag.HasErrors(ds) || len(f.Results) != 1 || f.Results[0].How != want {
			t.Errorf("%s:\n%v, %v", src, f.Results, ds)
		}
	}
}

// Whether a computation may run apart from its caller, and what is copied for it.
func TestDetachedComputations(t *testing.T) {
	for src, want := range map[string]bool{
		"//cache:data\nfunc f(a []int) int { return 0 }":                                                                     false,
		"//cache:data\nfunc f(ctx context.Context, a []int) int { return 0 }":                                                true,
		"//cache:data detach=off\nfunc f(ctx context.Context, a []int) int { return 0 }":                                     false,
		"//cache:data hash=a:h\nfunc f(ctx context.Context, a chan int) int { return 0 }\nfunc h(chan int) int { return 0 }": false,
		"//cache:data\nfunc f(ctx context.Context, w io.Writer) {}":                                                          false,
	} {
		f, ds := planned(t, src)
		if diag.HasErrors(ds) || f.Opts.Detach != want {
			t.Errorf("%s:\n%v, %v", src, f.Opts.Detach, ds)
		}
		for _, q := range f.Params {
			if q.Apart && !f.Opts.Detach {
				t.Errorf("%s:\n%s is copied for a computation that stays with its caller", src, q.Name)
			}
		}
	}
}

// What is refused, and why.
func TestRefusals(t *testing.T) {
	for src, want := range map[string]diag.Code{
		"//cache:data\nfunc F() int { return 0 }":                                                      diag.ExportedImpl,
		"//cache:data\nfunc _f() int { return 0 }":                                                     diag.NoExportedName,
		"//cache:data\nfunc f() {}":                                                                    diag.NoResults,
		"//cache:data\nfunc f() error { return nil }":                                                  diag.OnlyError,
		"//cache:data\nfunc f(c chan int) int { return 0 }":                                            diag.Unkeyable,
		"//cache:data\nfunc f() chan int { return nil }":                                               diag.StreamResult,
		"//cache:data\nfunc f() func() { return nil }":                                                 diag.Uncopyable,
		"type T struct{}\n//cache:data\nfunc (T) f() int { return 0 }":                                 diag.RecvMissing,
		"//cache:data ignore=b\nfunc f(a int) int { return 0 }":                                        diag.UnknownParam,
		"//cache:data timeout=1s\nfunc f(a int) int { return 0 }":                                      diag.NeedsContext,
		"//cache:data\nfunc f[C context.Context](c C) int { return 0 }":                                diag.Unkeyable,
		"//cache:data\nfunc f(_o []context.Context) any { return _o[0].Value(1) }":                     diag.HiddenContext,
		"func F() {}\n//cache:data\nfunc f() int { return 0 }":                                         diag.NameClash,
		"//cache:data\nfunc f(w http.ResponseWriter, r *http.Request) {}":                              diag.HandlerScope,
		"//cache:data\nfunc f(ctx context.Context, r *http.Request) any { return r.Context() == ctx }": diag.TwoContexts,
	} {
		_, ds := planned(t, src)
		if len(ds) != 1 || ds[0].Code != want || ds[0].Severity != diag.Error {
			t.Errorf("%s:\n%v", src, ds)
		}
	}
}

// How a result is copied: what in it needs no copy is left alone, and what may be shared in it
// is remembered.
func TestCopyPlans(t *testing.T) {
	for typ, want := range map[string]string{
		"[]int":                       "slice",
		"[][]int":                     "slice(slice)",
		"map[string]*int":             "map(pointer*)",
		"struct{ A int; B []string }": "struct(slice)",
		"[2]int":                      "none",
		"[2][]int":                    "array(slice)",
		"any":                         "any",
		"*time.Location":              "none",
		"struct{ P, Q *int }":         "struct(pointer*, pointer*)",
	} {
		f, ds := planned(t, "//cache:data\nfunc f() (x "+typ+") { return }")
		if diag.HasErrors(ds) {
			t.Errorf("%s: %v", typ, ds)
			continue
		}
		if got := describeCopy(f.Results[0].Copy); got != want {
			t.Errorf("%s: %s, want %s", typ, got, want)
		}
	}
}

func describeCopy(c *Copy) string {
	if c == nil || c.Kind == CopyNone {
		return "none"
	}
	s := map[CopyKind]string{CopySlice: "slice", CopyArray: "array", CopyMap: "map", CopyPointer: "pointer", CopyStruct: "struct", CopyAny: "any", CopyMethod: "method"}[c.Kind]
	if c.Memo {
		s += "*"
	}
	var inner []string
	for _, f := range c.Fields {
		inner = append(inner, describeCopy(f.Copy))
	}
	for _, e := range []*Copy{c.MapKey, c.Elem} {
		if e != nil && e.Kind != CopyNone {
			inner = append(inner, describeCopy(e))
		}
	}
	if len(inner) > 0 {
		s += "(" + strings.Join(inner, ", ") + ")"
	}
	return s
}

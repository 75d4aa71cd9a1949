package main

// Types that are edited after the wrappers were generated. Whatever is edited and wherever
// the type stands, a program that builds must answer as the uncached functions do.

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// edit is one way to change a type called T0, T1 and so on; % stands for its name.
type edit struct {
	name          string
	before, after string
	// breaks: code that uses the fields as they were stops compiling, so no release of a
	// dependency has such a change.
	breaks bool
	// silent: the generated code is right as it is.
	silent bool
	// more: it is tried with arguments and results that are copied, and with shared results
	// that are sized.
	more bool
	// dynamic: it is read by reflection from the start where it is another module's.
	dynamic bool
	// uncached: there can be no key or no copy any more.
	uncached bool
}

var edits = []edit{
	{name: "nothing", before: "type % struct { A int; L []string }", after: "type % struct { A int; L []string }", silent: true},
	{name: "a field of a comparable struct", before: "type % struct { X, Y int }", after: "type % struct { X, Y, Z int }"},
	{name: "a pointer in a comparable struct", before: "type % struct { X int }", after: "type % struct { X int; P *string }"},
	{name: "a slice in a comparable struct", before: "type % struct { X int }", after: "type % struct { X int; S []string }"},
	{name: "a float in a comparable struct", before: "type % struct { X int }", after: "type % struct { X int; F float64 }"},
	{name: "a field", before: "type % struct { Tables []string }", after: "type % struct { Tables []string; Tenant string }", more: true},
	{name: "a hidden field", before: "type % struct { Tables []string }", after: "type % struct { Tables []string; tenant string }"},
	{name: "a hidden slice", before: "type % struct { Name string }", after: "type % struct { Name string; tenants [][]string }", uncached: true, more: true},
	{name: "a map in an immutable result", before: "type % struct { Name string }", after: "type % struct { Name string; M map[string][]string }", more: true},
	{name: "order", before: "type % struct { A string; B []int }", after: "type % struct { B []int; A string }", silent: true},
	{name: "order of one kind", before: "type % struct { A, B string; L []int }", after: "type % struct { B, A string; L []int }", silent: true},
	{name: "a name", before: "type % struct { A string; L []int }", after: "type % struct { B string; L []int }", breaks: true},
	{name: "int to string", before: "type % struct { A int32; L []int }", after: "type % struct { A string; L []int }", breaks: true},
	{name: "int to float", before: "type % struct { A int64; L []int }", after: "type % struct { A float64; L []int }", breaks: true},
	{name: "value to pointer", before: "type % struct { P S%; L []int }\ntype S% struct{ N int }", after: "type % struct { P *S%; L []int }\ntype S% struct{ N int }", breaks: true},
	{name: "interface to struct", before: "type % struct { V any; L []int }", after: "type % struct { V S%; L []int }\ntype S% struct{ N []string }"},
	{name: "what a named type is", before: "type % struct { N N%; L []int }\ntype N% int64", after: "type % struct { N N%; L []int }\ntype N% float64"},
	{name: "what the parameter's type is", before: "type % int64", after: "type % float64", breaks: true},
	{name: "a method CacheKey of a number", before: "type % int64", after: "type % int64\nfunc (v %) CacheKey() string { return probe.Dump(v) }", uncached: true},
	{name: "a method CacheKey", before: "type % struct { A string; L []int }", after: "type % struct { A string; L []int }\nfunc (v %) CacheKey() [2]string { return [2]string{probe.Dump(v), probe.Epoch()} }"},
	{name: "no method CacheKey", before: "type % struct { S%; L []int }\ntype S% struct { A string }\nfunc (v %) CacheKey() string { return probe.Dump(v) }\nfunc (v S%) CacheKey() string { return v.A }",
		after: "type % struct { S%; L []int }\ntype S% struct { A string }\nfunc (v S%) CacheKey() string { return v.A }", uncached: true},
	{name: "a field of an embedded type", before: "type % struct { S%; L []int }\ntype S% struct { A string }", after: "type % struct { S%; L []int }\ntype S% struct { A string; B []string }"},
	{name: "a field behind an alias", before: "type % = struct { L []string }", after: "type % = struct { L []string; N float64 }", dynamic: true},
	{name: "a field behind an alias of a comparable struct", before: "type % = struct { A string }", after: "type % = struct { A string; N *int }", dynamic: true},
	{name: "another type behind an alias", before: "type % struct { F A%; L []int }\ntype A% = N%\ntype N% int64\ntype M% float64", after: "type % struct { F A%; L []int }\ntype A% = M%\ntype N% int64\ntype M% float64"},
	{name: "a field of a recursive type", before: "type % struct { Name string; Kids []*% }", after: "type % struct { Name string; Kids []*%; Notes map[string]string }", more: true},
	{name: "a field in an array", before: "type % struct { Two [2]S% }\ntype S% struct { A string }", after: "type % struct { Two [2]S% }\ntype S% struct { A string; B []string }"},
	{name: "a field in a map", before: "type % map[string][]S%\ntype S% struct { A string }", after: "type % map[string][]S%\ntype S% struct { A string; B []string }"},
	{name: "a field of an anonymous struct", before: "type % struct { Two []struct { A string } }", after: "type % struct { Two []struct { A string; B []string } }", dynamic: true},
	{name: "a field of a generic type", before: "type % = G%[string]\ntype G%[T any] struct { V T; L []T }", after: "type % = G%[string]\ntype G%[T any] struct { V T; L []T; N map[string]T }"},
	{name: "a channel", before: "type % struct { A string; L []int }", after: "type % struct { A string; L []int; C chan int }", uncached: true},
	{name: "a method Clone", before: "type % struct { L []string }", after: "type % struct { L []string }\nfunc (v %) Clone() % { v.L = append([]string(nil), v.L...); return v }", silent: true},
}

// probePackage fills, prints and changes values of any type.
const probePackage = `
-- probe/probe.go --
// Package probe fills, prints and changes values.
package probe

import (
	"fmt"
	"hash/fnv"
	"io"
	"reflect"
	"sort"
	"strings"
	"unsafe"
)

var epoch int

// Epoch is a text that Advance changes.
func Epoch() string { return fmt.Sprint(epoch) }

func Advance() { epoch++ }

// Make returns a T with every part set, and another value at the leaf with this number.
func Make[T any](change int) (v T) {
	n := 0
	fill(reflect.ValueOf(&v).Elem(), &n, change, 0)
	return v
}

func Leaves[T any]() (n int) {
	var v T
	fill(reflect.ValueOf(&v).Elem(), &n, -1, 0)
	return n
}

func open(v reflect.Value) reflect.Value { return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem() }

func fill(v reflect.Value, n *int, change, depth int) {
	v = open(v)
	x := 7 + *n
	if *n == change {
		x += 1000
	}
	switch v.Kind() {
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(x))
		*n++
	case reflect.Float64:
		v.SetFloat(float64(x%1000) + 1/float64(x))
		*n++
	case reflect.String:
		v.SetString(strings.Repeat(fmt.Sprint(x, " "), 100))
		*n++
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		if depth > 4 {
			v.SetLen(0)
		}
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n, change, depth+1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(k, n, change, depth+1)
		fill(e, n, change, depth+1)
		v.SetMapIndex(k, e)
	case reflect.Pointer:
		if depth < 5 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), n, change, depth+1)
		}
	case reflect.Interface:
		v.Set(reflect.ValueOf([]string{fmt.Sprint(x)}))
		*n++
	case reflect.Chan:
		v.Set(reflect.MakeChan(v.Type(), 0))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n, change, depth+1)
		}
	}
}

// Dump is the content of v as text, without addresses.
func Dump(v any) string {
	var b strings.Builder
	dump(&b, reflect.ValueOf(v))
	return b.String()
}

// Sum stands for the content of v, in few bytes.
func Sum(v any) string {
	h := fnv.New64a()
	io.WriteString(h, Dump(v))
	return fmt.Sprint(h.Sum64())
}

func dump(b *strings.Builder, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		b.WriteString("{")
		for i := range v.NumField() {
			b.WriteString(v.Type().Field(i).Name + ":")
			dump(b, v.Field(i))
		}
		b.WriteString("}")
	case reflect.Slice, reflect.Array:
		b.WriteString("[")
		for i := range v.Len() {
			dump(b, v.Index(i))
		}
		b.WriteString("]")
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			b.WriteString("nil")
		} else {
			b.WriteString("*")
			dump(b, v.Elem())
		}
	case reflect.Map:
		var all []string
		for i := v.MapRange(); i.Next(); {
			var e strings.Builder
			dump(&e, i.Key())
			e.WriteString("=")
			dump(&e, i.Value())
			all = append(all, e.String())
		}
		sort.Strings(all)
		fmt.Fprint(b, all)
	case reflect.Chan:
		b.WriteString("chan")
	default:
		fmt.Fprint(b, v)
		b.WriteString(" ")
	}
}

// Scramble changes everything that v refers to.
func Scramble(v any) { p := reflect.New(reflect.TypeOf(v)); p.Elem().Set(reflect.ValueOf(v)); scramble(p.Elem()) }

func scramble(v reflect.Value) {
	v = open(v)
	switch v.Kind() {
	case reflect.String:
		v.SetString("scrambled")
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(-1)
	case reflect.Float64:
		v.SetFloat(-1)
	case reflect.Struct:
		for i := range v.NumField() {
			scramble(v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			scramble(v.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			scramble(v.Elem())
		}
	case reflect.Interface:
		if s, ok := v.Interface().([]string); ok {
			s[0] = "scrambled"
		}
	case reflect.Map:
		for i := v.MapRange(); i.Next(); {
			e := reflect.New(v.Type().Elem()).Elem()
			e.Set(i.Value())
			scramble(e)
		}
		v.Clear()
	}
}

// Check holds a cached function with keys of T, and one with keys that have Ts within and
// results that do, against what the uncached ones give.
func Check[T any](name string, key func(T) string, within func(map[string][]*T) (string, T)) {
	wrong := func(what string, got, want string) {
		if got != want {
			fmt.Printf("%s: %s: got %.300s want %.300s\n", name, what, got, want)
		}
	}
	same := Dump(Make[T](-1))
	for i := -1; i < Leaves[T](); i++ {
		for range 2 {
			v := Make[T](i)
			wrong(fmt.Sprint("key ", i), key(v), Dump(v))
			w := map[string][]*T{"a": {&v, &v}}
			s, c := within(w)
			wrong(fmt.Sprint("key within ", i), s, Sum(w))
			wrong("copy", Dump(c), same)
			Scramble(c)
		}
	}
}

// Size complains where the bytes of a result do not count.
func Size[T any](name string, entries int, bytes int64) {
	if least := int64(entries * len(Dump(Make[T](-1))) * 8 / 10); bytes < least {
		fmt.Printf("%s: size %d, at least %d\n", name, bytes, least)
	}
}
`

// functions are those of a package that has wrappers, for each edit.
func functions(list []int, typ func(i int) string) string {
	var b strings.Builder
	for _, i := range list {
		fmt.Fprintf(&b, `
//cache:data
func key%[1]d(v %[2]s) string { return probe.Dump(v) }

//cache:data max-bytes=1GiB
func within%[1]d(v map[string][]*%[2]s) (string, %[2]s) {
	return probe.Sum(v), probe.Make[%[2]s](-1)
}

func check%[1]d() {
	probe.Check(%[3]q, Key%[1]d, Within%[1]d)
	s := Within%[1]dCache.Stats()
	probe.Size[%[2]s](%[3]q, s.Entries, s.Bytes)
	fmt.Println(%[3]q, "hits", Key%[1]dCache.Stats().Hits > 0, s.Hits > 0)
	if _, asks := any(probe.Make[%[2]s](-1)).(interface{ CacheKey() [2]string }); asks {
		probe.Advance()
		runs := Key%[1]dCache.Stats().Loads
		if Key%[1]d(probe.Make[%[2]s](-1)); Key%[1]dCache.Stats().Loads == runs {
			fmt.Println(%[3]q, "does not ask CacheKey")
		}
	}
}
`, i, typ(i), edits[i].name)
		if !edits[i].more {
			continue
		}
		fmt.Fprintf(&b, `
//cache:data
func later%[1]d(ctx context.Context, v %[2]s) string { return probe.Dump(v) }

//cache:data
func copy%[1]d(n int) %[2]s { return probe.Make[%[2]s](-1) }

//cache:data copy=share max-bytes=1GiB
func share%[1]d(n int) %[2]s { return probe.Make[%[2]s](-1) }

func init() {
	more = append(more, func() {
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		later := func(v %[2]s) string { return Later%[1]d(ctx, v) }
		probe.Check(%[3]q+", apart", later, func(w map[string][]*%[2]s) (string, %[2]s) { return probe.Sum(w), Copy%[1]d(1) })
		Share%[1]d(1)
		t := Share%[1]dCache.Stats()
		probe.Size[%[2]s](%[3]q+", shared", t.Entries, t.Bytes)
	})
}
`, i, typ(i), edits[i].name)
	}
	b.WriteString("\nvar more []func()\n\n// Check checks all.\nfunc Check() {\n\tfor _, f := range more {\n\t\tf()\n\t}\n")
	for _, i := range list {
		fmt.Fprintf(&b, "\tcheck%d()\n", i)
	}
	b.WriteString("}\n")
	return b.String()
}

func declarations(list []int, after bool) string {
	var b strings.Builder
	for _, i := range list {
		text := edits[i].before
		if after {
			text = edits[i].after
		}
		fmt.Fprintf(&b, "// %s\n%s\n\n", edits[i].name, strings.ReplaceAll(text, "%", fmt.Sprintf("T%d", i)))
	}
	return b.String()
}

// choose returns the numbers of the edits that are wanted.
func choose(want func(e edit) bool) (list []int) {
	for i, e := range edits {
		if want(e) {
			list = append(list, i)
		}
	}
	return list
}

// uses keeps imports used.
const uses = "var _ = probe.Dump\n\n"

// right runs the program, and complains of all that it prints that should not be there.
func (m *module) right(list []int, log bool, args ...string) {
	m.t.Helper()
	o := m.run(m.env, "go", append([]string{"run", "-ldflags=-s -w"}, args...)...)
	if o.code != 0 {
		m.t.Fatalf("does not build or run: %v", o)
	}
	said := map[string]bool{}
	for line := range strings.Lines(o.stdout) {
		said[strings.TrimSpace(line)] = true
		if !strings.Contains(line, " hits ") {
			m.t.Errorf("wrong: %s", line)
		}
	}
	for _, i := range list {
		e := edits[i]
		if !e.uncached && !said[e.name+" hits true true"] {
			m.t.Errorf("not cached: %s", e.name)
		}
		told := strings.Contains(o.err, fmt.Sprintf("T%d has changed since the wrapper was generated", i)) ||
			strings.Contains(o.err, fmt.Sprintf("T%d[string] has changed since the wrapper was generated", i))
		if log && !e.silent && !e.dynamic && !told {
			m.t.Errorf("nothing is said of the edit %q: %s", e.name, o.err)
		}
	}
	if !log && strings.Contains(o.err, "has changed") {
		m.t.Errorf("says of types that did not change: %s", o.err)
	}
}

// The application requires a new release of what its library walks. Nobody can run the tool
// in the library.
func TestTypeOfAnUpgradedDependencyIsReadByReflection(t *testing.T) {
	long(t)
	t.Parallel()
	list := choose(func(e edit) bool { return !e.breaks })
	dep := func(after bool) string {
		v := "N"
		if after {
			v = "T" // for T = N, nothing changes
		}
		return "package dep\n\nimport (\n\t\"example.com/probe\"\n)\n\n" + uses + declarations(list, after) +
			"type N int64\n\ntype Number interface{ ~int64 | ~float64 }\n\ntype Amount[T Number] struct { V " + v + "; L []T }\n"
	}
	m := newModule(t, probePackage+`
-- main.go --
package main

import "example.com/lib"

func main() { lib.Check() }
-- probe/go.mod --
module example.com/probe

go 1.26.0
-- dep/go.mod --
module example.com/dep

go 1.26.0

require example.com/probe v0.0.0
-- dep/dep.go --
`+dep(false)+`
-- lib/go.mod --
module example.com/lib

go 1.26.0

require (
	example.com/dep v0.0.0
	example.com/probe v0.0.0
	github.com/cachegen/cachegen v0.0.0
)

replace (
	example.com/dep => ../dep
	example.com/probe => ../probe
	github.com/cachegen/cachegen => `+filepath.ToSlash(repository(t))+`
)
-- lib/lib.go --
package lib

import (
	"context"
	"fmt"

	"example.com/dep"
	"example.com/probe"
)

`+functions(list, func(i int) string { return fmt.Sprintf("dep.T%d", i) }))
	m.write("lib/instances.go", `package lib

import (
	"fmt"

	"example.com/dep"
	"example.com/probe"
)

//cache:data
func total[T dep.Number](a dep.Amount[T]) string { return probe.Dump(a) }

//cache:data
func amount[T dep.Number](n int) dep.Amount[T] { return probe.Make[dep.Amount[T]](-1) }

func init() { more = append(more, instance[dep.N], instance[float64]) }

func instance[T dep.Number]() {
	for i := -1; i < probe.Leaves[dep.Amount[T]](); i++ {
		a := probe.Make[dep.Amount[T]](i)
		if got, want := Total(a), probe.Dump(a); got != want {
			fmt.Printf("instance %T: got %s want %s\n", a, got, want)
		}
	}
	want := probe.Dump(probe.Make[dep.Amount[T]](-1))
	for range 3 {
		a := Amount[T](1)
		if got := probe.Dump(a); got != want {
			fmt.Printf("copy of instance %T: got %s want %s\n", a, got, want)
		}
		probe.Scramble(a)
	}
}
`)
	m.write("go.mod", strings.ReplaceAll(m.gomod("example.com/app"), "replace ", "require (\n\texample.com/lib v0.0.0\n\texample.com/dep v0.0.0\n\texample.com/probe v0.0.0\n)\n\nreplace (\n\texample.com/lib => ./lib\n\texample.com/dep => ./dep\n\texample.com/probe => ./probe\n)\n\nreplace "))
	m.must("-C", "lib", "./...")
	m.right(list, false, ".")
	m.write("dep/dep.go", dep(true))
	m.right(list, true, ".")
	if o := m.cachegen("check", "-C", "lib", "./..."); o.code == 0 {
		t.Errorf("check does not notice: %v", o)
	}
}

// The type is another one in another build configuration, in which the tool never ran.
func TestTypeOfAnotherBuildConfigurationIsReadByReflection(t *testing.T) {
	long(t)
	t.Parallel()
	list := choose(func(e edit) bool {
		return !e.breaks && (e.more || e.name == "a field of a comparable struct" || e.name == "nothing")
	})
	types := func(constraint string, after bool) string {
		return "//go:build " + constraint + "\n\npackage main\n\nimport (\n\t\"example.com/m/probe\"\n)\n\n" + uses + declarations(list, after)
	}
	m := newModule(t, probePackage+`
-- types.go --
`+types("!other", false)+`
-- other.go --
`+types("other", true)+`
-- main.go --
package main

import (
	"context"
	"fmt"

	"example.com/m/probe"
)

func main() { Check() }
`+functions(list, func(i int) string { return fmt.Sprintf("T%d", i) }))
	m.must()
	m.right(list, false, ".")
	m.right(list, true, "-tags", "other", ".")
	m.env = append(m.env, "GOFLAGS=-tags=other")
	if o := m.cachegen("check"); o.code == 0 {
		t.Errorf("check does not notice: %v", o)
	}
}

// The type is edited in the module, in the package of the wrappers or in another one, and
// the tool is not run.
func TestTypeEditedInTheModuleStopsCompiling(t *testing.T) {
	long(t)
	t.Parallel()
	for _, place := range []string{"same package", "another package"} {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			list := choose(func(e edit) bool { return true })
			file, qualifier, imp := "lib/types.go", "", ""
			if place != "same package" {
				file, qualifier, imp = "dep/types.go", "dep.", "\t\"example.com/m/dep\"\n"
			}
			types := func(after bool) string {
				return "package " + filepath.Dir(file) + "\n\nimport (\n\t\"example.com/m/probe\"\n)\n\n" + uses + declarations(list, after)
			}
			m := newModule(t, probePackage+"-- "+file+" --\n"+types(false)+`
-- main.go --
package main

import "example.com/m/lib"

func main() { lib.Check() }
-- lib/lib.go --
package lib

import (
	"context"
	"fmt"

`+imp+`	"example.com/m/probe"
)

`+functions(list, func(i int) string { return fmt.Sprintf("%sT%d", qualifier, i) }))
			m.must()
			if lib := m.read("lib/lib_cachegen.go"); strings.Contains(lib, "cache.Layout") {
				t.Error("the runtime compares types that the compiler can compare")
			}
			m.write(file, types(true))
			o := m.run(m.env, "go", "build", "-gcflags=-e", "./lib")
			lines := strings.Split(m.read("lib/lib_cachegen.go"), "\n")
			broken := map[string]bool{} // types whose comparison does not compile, by the comment above it
			for line := range strings.Lines(o.err) {
				var n int
				_, rest, _ := strings.Cut(line, "lib_cachegen.go:")
				fmt.Sscanf(rest, "%d:", &n)
				for ; n > 0 && n <= len(lines) && lines[n-1] != ""; n-- {
					if name, ok := strings.CutPrefix(lines[n-1], "// If this does not compile, "); ok {
						name, _, _ = strings.Cut(name, " has changed:")
						name = strings.TrimPrefix(name, qualifier)
						name, _, _ = strings.Cut(name, "[")
						broken[strings.TrimLeft(name, "SNAGM")] = true
						break
					}
				}
			}
			for _, i := range list {
				want := !edits[i].silent || strings.HasPrefix(edits[i].name, "order")
				if got := broken[fmt.Sprintf("T%d", i)]; got != want {
					t.Errorf("%s: the comparison stops compiling: %t, want %t", edits[i].name, got, want)
				}
			}
			if o := m.cachegen("check"); o.code == 0 {
				t.Errorf("check does not notice: %v", o)
			}
			if t.Failed() {
				t.Log(o.err)
			}
		})
	}
}

// Types whose declarations differ by system or machine: what was generated on one compiles
// on all.
func TestWrappersCompileOnOtherSystems(t *testing.T) {
	long(t)
	t.Parallel()
	m := newModule(t, `
-- conf_linux.go --
package m

type conf struct{ Name string }

type number = int32

type count = uint64

type inner struct{ N int }
-- conf_windows.go --
package m

type conf struct {
	Name  string
	Paths []string
}

type number = int64

type count = int8

type inner struct{ N, M int }
-- m.go --
package m

import (
	"math/bits"
	"net/http"
	"syscall"
	"time"
	"unsafe"
)

const wordSize = 4 << (^uint(0) >> 63)

type word [wordSize]byte

type words struct {
	A [unsafe.Sizeof(uintptr(0))]byte
	B [bits.UintSize]string
	W word
}

type outer struct {
	I inner
	N number
	M []count
	K map[count]count
	T time.Duration
	C conf
}

//cache:data
func exact(c conf, n number, w word) conf { return c }

//cache:data
func counts(n count, b string) count { return n }

//cache:data
func mixed(o *outer, w words, t syscall.Timeval) (outer, words) { return *o, w }

//cache:data max-bytes=1MiB
func cookies(c []http.Cookie, s syscall.Signal) []http.Cookie { return c }
`)
	m.env = append(m.env, "GOOS=linux", "GOARCH=amd64")
	m.must()
	// Another release of Go may have other fields.
	if text := m.read("m_cachegen.go"); strings.Contains(text, "MaxAge") || strings.Contains(text, "Usec") {
		t.Error("what is generated lists the fields of a struct of the standard library")
	}
	for _, system := range []string{"linux/amd64", "windows/amd64", "linux/386"} {
		goos, goarch, _ := strings.Cut(system, "/")
		for _, err := range typeErrors(t, m.dir, append(os.Environ(), append(m.env, "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")...)) {
			t.Errorf("%s: %v", system, err)
		}
	}
}

// typeErrors checks the package in dir as the compiler would. All that it imports is read
// from source, without the bodies of functions: to compile that for another system takes
// minutes.
func typeErrors(t *testing.T, dir string, env []string) []packages.Error {
	t.Helper()
	all, err := packages.Load(&packages.Config{
		Dir: dir,
		Env: env,
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedDeps |
			packages.NeedTypes | packages.NeedTypesSizes | packages.NeedSyntax | packages.NeedTypesInfo | packages.NeedModule,
		ParseFile: func(fset *token.FileSet, name string, src []byte) (*ast.File, error) {
			f, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
			if f != nil && filepath.Dir(name) != dir {
				for _, d := range f.Decls {
					if d, ok := d.(*ast.FuncDecl); ok {
						d.Body = nil
					}
				}
			}
			return f, err
		},
	}, ".")
	if err != nil || len(all) != 1 || all[0].Types == nil || all[0].Types.Scope().Lookup("Exact") == nil {
		t.Fatalf("%v %v", all, err)
	}
	return all[0].Errors
}

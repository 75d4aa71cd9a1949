package docs

import (
	"fmt"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const modulePath = "github.com/cachegen/cachegen"

// room is some packages that may import the same things.
type room struct {
	name     string
	packages []string // from the root; with /... for all below
	imports  []string // rooms, beside itself
	outside  []string // modules, beside the standard library
}

// rooms are the rules of docs/architecture.md. A package is in the first room that names it.
var rooms = []room{
	{name: "the command", packages: []string{"cmd/cachegen"}, imports: []string{"the generator"},
		outside: []string{"github.com/spf13/cobra", "golang.org/x/tools"}},
	{name: "the generator", packages: []string{"generator/..."}, imports: []string{"templates"},
		outside: []string{"github.com/dave/dst", "golang.org/x/mod", "golang.org/x/sync", "golang.org/x/tools"}},
	{name: "templates", packages: []string{"templates"}},
	{name: "for people", packages: []string{"cache"}, imports: []string{"the engine", "the contract"}},
	{name: "the contract", packages: []string{"cache/surface"}},
	{name: "for tests of users", packages: []string{"cache/cachetest"}, imports: []string{"the contract", "the engine", "values", "isolation"}},
	{name: "adapters", packages: []string{"cache/..."}, imports: []string{"the contract"},
		outside: []string{"github.com/a-h/templ", "github.com/starfederation/datastar-go"}},
	{name: "the engine", packages: []string{"runtime"}, imports: []string{"values", "the contract", "isolation"}},
	{name: "values", packages: []string{"runtime/value", "runtime/predeclared"}},
	{name: "for older wrappers", packages: []string{"runtime/..."}, imports: []string{"adapters", "the engine", "the contract"},
		outside: []string{"github.com/starfederation/datastar-go"}},
	{name: "isolation", packages: []string{"internal/isolate"}},
	{name: "checks", packages: []string{"internal/..."}, imports: []string{"the generator", "values"},
		outside: []string{"golang.org/x/mod", "golang.org/x/sync", "golang.org/x/tools"}},
}

func roomOf(pkg string) *room {
	for i := range rooms {
		for _, p := range rooms[i].packages {
			if below, ok := strings.CutSuffix(p, "/..."); p == pkg || ok && (pkg == below || strings.HasPrefix(pkg, below+"/")) {
				return &rooms[i]
			}
		}
	}
	return nil
}

// pkg is one package of the module.
type pkg struct {
	path     string // from the root
	synopsis string
	imports  []string // of the module, from the root
	outside  []string // neither of the module nor of the standard library
}

// allPackages reads the packages of the module, without their tests and whatever their
// build constraints are.
func allPackages(t *testing.T) map[string]*pkg {
	t.Helper()
	top := root(t)
	all := map[string]*pkg{}
	err := filepath.WalkDir(top, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(top, file)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if _, err := os.Stat(filepath.Join(file, "go.mod")); err == nil && rel != "." || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && rel != "." {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(rel))
		p := all[dir]
		if p == nil {
			p = &pkg{path: dir}
			all[dir] = p
		}
		if text := f.Doc.Text(); text != "" {
			p.synopsis = new(doc.Package).Synopsis(text)
		}
		for _, i := range f.Imports {
			if i.Name != nil && i.Name.Name == "_" {
				continue // cmd/cachegen/vendor.go: what generated code imports, for go mod vendor
			}
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			first, _, _ := strings.Cut(name, "/")
			switch own, ok := strings.CutPrefix(name, modulePath+"/"); {
			case ok && !slices.Contains(p.imports, own):
				p.imports = append(p.imports, own)
			case !ok && strings.Contains(first, ".") && !slices.Contains(p.outside, name):
				p.outside = append(p.outside, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		slices.Sort(p.imports)
		slices.Sort(p.outside)
	}
	return all
}

// TestArrowsBetweenRoomsAreAllowed fails for an import that the rules of the rooms do not allow.
func TestArrowsBetweenRoomsAreAllowed(t *testing.T) {
	for _, p := range allPackages(t) {
		r := roomOf(p.path)
		if r == nil {
			t.Errorf("package %s is in no room", p.path)
			continue
		}
		for _, i := range p.imports {
			if to := roomOf(i); to != r && (to == nil || !slices.Contains(r.imports, to.name)) {
				t.Errorf("%s imports %s: the room %q has no arrow there", p.path, i, r.name)
			}
		}
		for _, o := range p.outside {
			if !slices.ContainsFunc(r.outside, func(m string) bool { return o == m || strings.HasPrefix(o, m+"/") }) {
				t.Errorf("%s imports %s: the room %q does not use that module", p.path, o, r.name)
			}
		}
	}
}

// TestRuntimeNeedsNoOtherModule has the go command say what a program with wrappers links.
func TestRuntimeNeedsNoOtherModule(t *testing.T) {
	if testing.Short() {
		t.Skip("TestArrowsBetweenRoomsAreAllowed says it of direct imports")
	}
	for _, p := range []string{"./cache", "./runtime", "./cache/html", "./cache/web"} {
		for _, dep := range strings.Fields(run(t, root(t), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", p)) {
			if !strings.HasPrefix(dep, modulePath+"/") {
				t.Errorf("%s links %s", p, dep)
			}
		}
	}
}

// picture draws the packages in their rooms. An arrow that others make superfluous is left
// out: of a → b → c and a → c, the last.
func picture(all map[string]*pkg) string {
	reaches := map[string]map[string]bool{}
	var reach func(p string) map[string]bool
	reach = func(p string) map[string]bool {
		if r, ok := reaches[p]; ok {
			return r
		}
		r := map[string]bool{}
		reaches[p] = r
		for _, i := range all[p].imports {
			r[i] = true
			maps.Copy(r, reach(i))
		}
		return r
	}
	id := func(p string) string { return strings.NewReplacer("/", "_", "-", "_").Replace(p) }
	var b strings.Builder
	b.WriteString("```mermaid\nflowchart TD\n")
	names := slices.Sorted(maps.Keys(all))
	for i, r := range rooms {
		var in []string
		for _, p := range names {
			if roomOf(p) == &rooms[i] && drawn(all[p]) {
				in = append(in, p)
			}
		}
		if len(in) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\tsubgraph room%d[\"%s\"]\n", i, r.name)
		for _, p := range in {
			fmt.Fprintf(&b, "\t\t%s[\"%s\"]\n", id(p), p)
		}
		b.WriteString("\tend\n")
	}
	for _, p := range names {
		if !drawn(all[p]) {
			continue
		}
		for _, i := range all[p].imports {
			if !slices.ContainsFunc(all[p].imports, func(via string) bool { return reach(via)[i] }) {
				fmt.Fprintf(&b, "\t%s --> %s\n", id(p), id(i))
			}
		}
	}
	b.WriteString("```\n")
	return b.String()
}

// drawn reports whether a package is in the picture: checks are not, nor what nothing imports
// and imports nothing.
func drawn(p *pkg) bool {
	return roomOf(p.path) != nil && roomOf(p.path).name != "checks" && (len(p.imports) > 0 || path.Base(p.path) != "corpus")
}

// table says in a line what each package is.
func table(all map[string]*pkg) string {
	var b strings.Builder
	b.WriteString("| room | package | what it is |\n|---|---|---|\n")
	for i, r := range rooms {
		for _, p := range slices.Sorted(maps.Keys(all)) {
			if roomOf(p) == &rooms[i] {
				fmt.Fprintf(&b, "| %s | [%s](../%s) | %s |\n", r.name, p, p, strings.ReplaceAll(all[p].synopsis, "|", "\\|"))
			}
		}
	}
	return b.String()
}

// rules writes the rules of the rooms down.
func rules() string {
	var b strings.Builder
	b.WriteString("| room | imports | modules |\n|---|---|---|\n")
	for _, r := range rooms {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", r.name, strings.Join(r.imports, ", "), strings.Join(r.outside, ", "))
	}
	return b.String()
}

// TestArchitecturePageIsCurrent keeps the picture and the tables of docs/architecture.md what the code is.
func TestArchitecturePageIsCurrent(t *testing.T) {
	all := allPackages(t)
	for _, p := range all {
		if p.synopsis == "" {
			t.Errorf("package %s has no comment", p.path)
		}
	}
	file := filepath.Join(root(t), "docs", "architecture.md")
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := string(src)
	for name, text := range map[string]string{"picture": picture(all), "packages": table(all), "rules": rules()} {
		begin, end := "<!-- "+name+": go test ./internal/docs -run Architecture -update -->\n", "<!-- /"+name+" -->"
		i, j := strings.Index(want, begin), strings.Index(want, end)
		if i < 0 || j < i {
			t.Fatalf("docs/architecture.md has no part between %q and %q", begin, end)
		}
		want = want[:i+len(begin)] + "\n" + text + "\n" + want[j:]
	}
	if want == string(src) {
		return
	}
	if !*update {
		t.Fatal("docs/architecture.md does not show the packages that there are; run: go test ./internal/docs -run Architecture -update")
	}
	if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestFilesNamedInProseAreThere fails when a page names a file or a folder that is not there.
func TestFilesNamedInProseAreThere(t *testing.T) {
	code := regexp.MustCompile("`([^`\n]+)`|\\]\\(([^)#\\s]+)")
	listing := regexp.MustCompile("(?ms)^```.*?^```$")
	pages, err := filepath.Glob(filepath.Join(root(t), "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"} {
		pages = append(pages, filepath.Join(root(t), name))
	}
	checked := 0
	for _, page := range pages {
		src, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range code.FindAllStringSubmatch(listing.ReplaceAllString(string(src), ""), -1) {
			base, name := root(t), m[1]
			switch {
			case m[2] != "" && !strings.Contains(m[2], ":"):
				base, name = filepath.Dir(page), m[2]
			case m[2] != "" || !ofTheRepository.MatchString(name):
				continue
			}
			checked++
			if found, _ := filepath.Glob(filepath.Join(base, filepath.FromSlash(name))); len(found) == 0 {
				t.Errorf("%s names %s, which is not there", filepath.Base(page), name)
			}
		}
	}
	if checked < 20 {
		t.Errorf("the pages name %d files", checked)
	}
}

// ofTheRepository matches what can only be a file or a folder of this repository.
var ofTheRepository = regexp.MustCompile(`^(\.ci|\.github|bench|cache|cmd|docs|examples|frameworks|generator|internal|runtime|templates|testdata)/[\w./*-]*$`)

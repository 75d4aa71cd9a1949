package names

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"testing"
)

func TestReceiverIsNamed(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "", `package p
func f()
func (T) f()
func (t *T) f()
func (t *(T)) f()
func (t T[A]) f()
func (t *T[A, B]) f()
func () f()
func (t *p.T) f()
`, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"", "T", "T", "T", "T", "T", "", "?"}
	if len(f.Decls) != len(want) {
		t.Fatalf("%d declarations", len(f.Decls))
	}
	for i, d := range f.Decls {
		if got := Receiver(d.(*ast.FuncDecl)); got != want[i] {
			t.Errorf("declaration %d: %q, want %q", i, got, want[i])
		}
	}
}

func TestNearestNameIsProposed(t *testing.T) {
	candidates := []string{"ttl", "tags", "max-bytes", "LoadSales", "LoadSale"}
	for s, want := range map[string]string{
		"tttl": "ttl", "tll": "ttl", "lodasales": "LoadSales", "loadsal": "LoadSale", "max_bytes": "max-bytes",
		"xyz": "", "": "", "t": "", "score": "",
	} {
		if got, _ := Nearest(s, candidates); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
	if _, d := Nearest("ttl", candidates); d != 0 {
		t.Errorf("the same name is %d away", d)
	}
}

func TestWrapper(t *testing.T) {
	for _, c := range []struct{ name, option, want string }{
		{"loadSales", "", "LoadSales"}, {"loadSales", "Sales", "Sales"}, {"LoadSalesUncached", "", "LoadSales"},
		{"loadUncached", "", "load"}, {"Uncached", "", ""}, {"LoadSales", "", ""}, {"LoadSales", "Sales", "Sales"},
		{"_title", "", ""}, {"ärger", "", "Ärger"}, {"世界", "", ""},
	} {
		if got := Wrapper(c.name, c.option); got != c.want {
			t.Errorf("%s with name=%q: %q, want %q", c.name, c.option, got, c.want)
		}
	}
}

func TestDeclarationsEndWhenTheReaderDoes(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "", "package p\nimport \"x\"\nvar a, b int\ntype T int\nfunc (T) m()\nconst c = 1\n", 0)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 6 {
		var got []string
		for d := range Declarations(f) {
			if len(got) == n {
				break
			}
			got = append(got, d.String())
		}
		if want := []string{"a", "b", "T", "T.m", "c"}[:min(n, 5)]; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
}

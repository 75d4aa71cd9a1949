package load_test

import (
	"go/parser"
	"go/token"
	"testing"

	"github.com/cachegen/cachegen/generator/load"
)

// TestAssertionsAreSeenInText: bodies in which a context may be asked for its dynamic type are
// found without types, whatever way the context took through the package.
func TestAssertionsAreSeenInText(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       bool
	}{
		{"parameter", `ctx.(*My)`, true},
		{"conversion", `any(ctx).(*My)`, true},
		{"variable", `c := ctx; c.(*My)`, true},
		{"function of several arguments", `pick(1, ctx).(*My)`, true},
		{"one of several results", `c, _ := pick(1, ctx); c.(*My)`, true},
		{"declared, one of several results", `var c, _ = pick(1, ctx); c.(*My)`, true},
		{"generic function", `pick[int](1, ctx).(*My)`, true},
		{"request", `r.Context().(*My)`, true},
		{"another function", `look(ctx)`, true},
		{"value of the context", `ctx.Value(1).(*My)`, false},
		{"result of another package", `db.Query(ctx, 1).(*My)`, false},
		{"another parameter", `x.(*My)`, false},
		{"second of two", `c, x := ctx, 1; x.(*My)`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			look := ""
			if c.name == "another function" {
				look = "func look(x any) { x.(*My) }\n"
			}
			src := "package p\n" + look +
				"func pick(n int, c any) (any, int) { return c, n }\n" +
				"func f(ctx context.Context, r *http.Request, x any) { " + c.body + " }\n"
			f, err := parser.ParseFile(token.NewFileSet(), "p.go", src, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			p := &load.Package{Syntax: []*load.File{{Syntax: f}}}
			if got := p.Assertions().OnContext; got != c.want {
				t.Errorf("OnContext is %v, want %v", got, c.want)
			}
		})
	}
}

// TestAssertionsToContextsAreSeenInText: so are bodies that ask a value whether it is a context
// or a request, or something that holds one.
func TestAssertionsToContextsAreSeenInText(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       bool
	}{
		{"context", `x.(context.Context)`, true},
		{"request", `x.(*http.Request)`, true},
		{"alias", `x.(scope)`, true},
		{"struct that holds one", `x.(*server)`, true},
		{"struct that holds a holder", `x.([]*outer)`, true},
		{"switch", `switch x.(type) { case nil, *server: }`, true},
		{"interface", `x.(interface{ Value(any) any })`, true},
		{"string", `x.(string)`, false},
		{"struct that holds none", `x.(*plain)`, false},
		{"switch without one", `switch x.(type) { case nil, *plain: }`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := `package p
type outer struct { s *server }
type server struct { ctx scope }
type scope = context.Context
type plain struct { n int }
func f(x any) { ` + c.body + ` }
`
			f, err := parser.ParseFile(token.NewFileSet(), "p.go", src, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			p := &load.Package{Syntax: []*load.File{{Syntax: f}}}
			if got := p.Assertions().ToContext; got != c.want {
				t.Errorf("ToContext is %v, want %v", got, c.want)
			}
		})
	}
}

package corpus

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

var (
	pageSeed = flag.Uint64("pages", 1, "seed of the random pages")
	pageKeep = flag.String("pages-keep", "", "folder to keep the random pages in")
)

// pageWriter writes random programs of drawing functions that call each other, with
// conditional widgets, holes, early errors and panics, inputs of requests and a user in
// the context. A program draws each of its pages with and without the cache.
type pageWriter struct {
	r     *rand.Rand
	kinds []string
	b     strings.Builder
	self  int    // the function that is being written
	kind  string // its kind
	asks  bool   // it asks for inputs
	depth int
	tmp   int
}

// The kinds of functions: what they take besides n.
var pageKinds = map[string]struct{ params, args, results string }{
	"handler":  {"w http.ResponseWriter, r *http.Request", "w, r", ""},
	"writer":   {"ctx context.Context, w io.Writer, n int", "ctx, w, n", "error"},
	"holed":    {"ctx context.Context, w io.Writer, n int, children func(io.Writer) error", "ctx, w, n, children", "error"},
	"fragment": {"w io.Writer, r *http.Request, n int", "w, r, n", "error"},
	"data":     {"ctx context.Context, n int", "ctx, n", "(string, error)"},
	"bare":     {"w io.Writer, n int", "w, n", "error"},
	"events":   {"sse *datastar.ServerSentEventGenerator, n int, children func(*datastar.ServerSentEventGenerator) error", "sse, n, children", "error"},
}

func (p *pageWriter) chance(percent int) bool { return p.r.IntN(100) < percent }

func (p *pageWriter) line(format string, args ...any) { fmt.Fprintf(&p.b, format+"\n", args...) }

func (p *pageWriter) program(n int) string {
	names := []string{"handler", "handler", "writer", "writer", "holed", "fragment", "data", "bare", "events"}
	for range n {
		p.kinds = append(p.kinds, names[p.r.IntN(len(names))])
	}
	p.kinds[0], p.kinds[1] = "handler", "events"
	var body strings.Builder
	for i, k := range p.kinds {
		p.self, p.kind, p.asks = i, k, false
		p.b.Reset()
		p.block(3 + p.r.IntN(4))
		text := p.b.String()
		d := "//cache:data"
		if k == "handler" {
			d += " scope=global"
		}
		if k != "bare" && (p.asks || strings.Contains(text, "call") || p.chance(30)) {
			d += " widgets"
			if p.chance(20) {
				d += " variants=3"
			}
		}
		if k != "bare" && p.chance(60) {
			d += " hash=ctx:userOf"
		}
		if p.chance(20) {
			d += " max=4"
		}
		form := pageKinds[k]
		fmt.Fprintf(&body, "%s\nfunc p%d(%s) %s {\n\truns.Add(1)\n%s", d, i, form.params, form.results, text)
		switch form.results {
		case "error":
			body.WriteString("\treturn nil\n")
		case "(string, error)":
			fmt.Fprintf(&body, "\treturn fmt.Sprint(%d, n, out), nil\n", i)
		}
		fmt.Fprintf(&body, "}\n\nfunc call%d(%s) %s {\n", i, form.params, form.results)
		if form.results == "" {
			fmt.Fprintf(&body, "\tif cached {\n\t\tP%d(%s)\n\t} else {\n\t\tp%d(%s)\n\t}\n}\n\n", i, form.args, i, form.args)
		} else {
			fmt.Fprintf(&body, "\tif cached {\n\t\treturn P%d(%s)\n\t}\n\treturn p%d(%s)\n}\n\n", i, form.args, i, form.args)
		}
	}
	return body.String()
}

func (p *pageWriter) block(n int) {
	if p.kind == "data" && p.depth == 0 {
		p.line("var out string")
	}
	p.depth++
	for range n {
		p.statement()
	}
	p.depth--
}

// print writes a statement that draws an expression.
func (p *pageWriter) print(expr string) {
	switch p.kind {
	case "data":
		p.line("out += fmt.Sprint(%s, \" \")", expr)
	case "events":
		p.line("_ = sse.PatchElements(fmt.Sprint(%s))", expr)
	default:
		p.line("fmt.Fprint(w, %s, \" \")", expr)
	}
}

func (p *pageWriter) ctx() string {
	switch p.kind {
	case "handler", "fragment":
		return "r.Context()"
	case "events":
		return "sse.Context()"
	case "bare":
		return ""
	}
	return "ctx"
}

func (p *pageWriter) input() string {
	p.asks = true
	return fmt.Sprintf("cache.Input(%s, \"i%d\")", p.ctx(), p.r.IntN(4))
}

func (p *pageWriter) fail(text string) {
	switch pageKinds[p.kind].results {
	case "error":
		p.line("return errors.New(%q)", text)
	case "(string, error)":
		p.line("return out, errors.New(%q)", text)
	default:
		p.line("w.Header().Set(\"X-Fail\", %q)\nreturn", text)
	}
}

func (p *pageWriter) statement() {
	hasN := p.kind != "handler"
	hasR := p.kind == "handler" || p.kind == "fragment"
	switch c := p.r.IntN(100); {
	case c < 15 && hasN:
		p.print(fmt.Sprintf("\"<%d \", n", p.self))
	case c < 30 && p.ctx() != "":
		p.print(p.input())
	case c < 44 && p.ctx() != "" && p.depth < 4:
		p.line("if %s == \"%d\" {", p.input(), 1+p.r.IntN(3))
		p.block(1 + p.r.IntN(2))
		if p.chance(25) {
			p.fail(fmt.Sprint("early ", p.self))
		} else if p.chance(10) {
			p.line("panic(\"p%d\")", p.self)
		}
		p.line("}")
	case c < 56 && hasR:
		p.print([]string{`r.FormValue("f0")`, `r.URL.Query()["f1"]`, `r.Header.Get("Accept-Language")`, `r.Method`}[p.r.IntN(4)])
	case c < 66 && p.ctx() != "":
		p.print("userOf(" + p.ctx() + ")")
	case c < 69 && p.kind == "handler":
		p.line("w.Header().Set(\"X-%d\", r.FormValue(\"f0\"))", p.self)
	case c < 75 && (p.kind == "holed" || p.kind == "events"):
		p.line("if children != nil {\nif err := children(%s); err != nil {\nreturn err\n}\n}", map[string]string{"holed": "w", "events": "sse"}[p.kind])
	default:
		p.call()
	}
}

// call writes the call of a later function that can be called from here.
func (p *pageWriter) call() {
	var fit []int
	for j := p.self + 1; j < len(p.kinds); j++ {
		k := p.kinds[j]
		ok := map[string][]string{
			"handler":  {"handler", "writer", "holed", "fragment", "data", "bare"},
			"fragment": {"writer", "holed", "fragment", "data", "bare"},
			"writer":   {"writer", "holed", "data", "bare"},
			"holed":    {"writer", "holed", "data", "bare"},
			"data":     {"data"},
			"bare":     {"bare"},
			"events":   {"events", "data"},
		}[p.kind]
		if slices.Contains(ok, k) {
			fit = append(fit, j)
		}
	}
	if len(fit) == 0 {
		p.print(fmt.Sprint("\".\", ", p.self))
		return
	}
	j := fit[p.r.IntN(len(fit))]
	n := fmt.Sprint(p.r.IntN(3))
	p.tmp++
	hole := func(w string) string {
		saved, asked := p.b.String(), p.asks
		if p.chance(15) {
			return "nil"
		}
		p.b.Reset()
		// What a hole draws is that of the function around it.
		kind, self := p.kind, p.self
		if kind == "handler" {
			p.kind = "fragment" // on an io.Writer
		}
		p.block(1)
		text := p.b.String()
		p.b.Reset()
		p.b.WriteString(saved)
		if strings.Contains(text, "return") {
			p.asks, text = asked, ""
		}
		p.kind, p.self = kind, self
		return fmt.Sprintf("func(%s) error {\n%sreturn nil\n}", w, text)
	}
	check := func(format string, args ...any) {
		p.line("if err := "+format+"; err != nil {", args...)
		p.print("\"error: \", err")
		p.line("}")
	}
	switch p.kinds[j] {
	case "handler":
		p.line("call%d(w, r)", j)
	case "writer":
		check("call%d(%s, w, %s)", j, p.ctx(), n)
	case "holed":
		h := hole("w io.Writer")
		check("call%d(%s, w, %s, %s)", j, p.ctx(), n, h)
	case "fragment":
		check("call%d(w, r, %s)", j, n)
	case "data":
		p.line("s%d, err%d := call%d(%s, %s)", p.tmp, p.tmp, j, p.ctx(), n)
		p.print(fmt.Sprintf("s%d, err%d", p.tmp, p.tmp))
	case "bare":
		check("call%d(w, %s)", j, n)
	case "events":
		h := hole("sse *datastar.ServerSentEventGenerator")
		if h == "nil" {
			h = "func(*datastar.ServerSentEventGenerator) error { return nil }"
		}
		check("call%d(sse, %s, %s)", j, n, h)
	}
}

const pageDriver = `
var (
	cached bool
	runs   atomic.Int64
)

type userKey struct{}

func userOf(ctx context.Context) string { s, _ := ctx.Value(userKey{}).(string); return s }

type request struct {
	query  string
	lang   string
	user   string
	post   bool
	events bool
}

func draw(q request) (out string) {
	w := httptest.NewRecorder()
	defer func() {
		if p := recover(); p != nil {
			out = fmt.Sprint("panic ", p, " after ", w.Body.String())
		}
	}()
	r := httptest.NewRequest("GET", "/?"+q.query, nil)
	if q.post {
		r = httptest.NewRequest("POST", "/", strings.NewReader(q.query))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept-Language", q.lang)
	r = r.WithContext(context.WithValue(r.Context(), userKey{}, q.user))
	h := http.Handler(http.HandlerFunc(call0))
	if q.events {
		h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sse := datastar.NewSSE(w, r)
			err := call1(sse, 1, func(sse *datastar.ServerSentEventGenerator) error {
				return sse.PatchElements(userOf(sse.Context()))
			})
			_ = sse.PatchElements(fmt.Sprint(err))
		})
	}
	web.Middleware(h).ServeHTTP(w, r)
	head := w.Result().Header
	head.Del("Age") // a replay says how old it is
	head.Del("Date")
	return fmt.Sprint(w.Code, head, w.Body.String())
}

func random(r *rand.Rand) request {
	var q []string
	for _, name := range []string{"i0", "i1", "i2", "i3", "f0", "f1"} {
		if v := r.IntN(4); v > 0 {
			q = append(q, fmt.Sprint(name, "=", v))
		}
	}
	return request{
		query: strings.Join(q, "&"), lang: []string{"de", "en"}[r.IntN(2)], user: []string{"ann", "bob"}[r.IntN(2)],
		post: r.IntN(12) == 0, events: r.IntN(3) == 0,
	}
}

// broken reports whether something on the page failed. Who waits for a computation that
// fails is told so, and does not see what had been drawn by then.
func broken(page string) bool {
	return strings.HasPrefix(page, "panic") || strings.Contains(page, "error: ") || strings.Contains(page, "early ")
}

func Check() {
	r := rand.New(rand.NewPCG(1, 2))
	var qs []request
	want := map[request]string{}
	for range 400 {
		q := random(r)
		qs = append(qs, q)
		want[q] = draw(q)
	}
	plain := runs.Swap(0)
	cached = true
	check := func(r *rand.Rand, alone bool) {
		for range 3 {
			for _, i := range r.Perm(len(qs)) {
				if !alone && broken(want[qs[i]]) {
					continue
				}
				if got := draw(qs[i]); got != want[qs[i]] {
					panic(fmt.Sprintf("%+v:\nwith the cache    %s\nwithout the cache %s", qs[i], got, want[qs[i]]))
				}
			}
		}
	}
	check(r, true)
	if 2*runs.Load() > 3*plain {
		fmt.Printf("%d runs with the cache, %d without\n", runs.Load(), 3*plain)
	}
	var wg sync.WaitGroup
	failed := make(chan any, 4)
	for i := range 4 {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					failed <- p
				}
			}()
			check(rand.New(rand.NewPCG(uint64(i), 3)), false)
		})
	}
	wg.Wait()
	close(failed)
	for p := range failed {
		panic(p)
	}
}
`

// Random pages look the same with and without the cache, one after the other and at once.
func TestRandomPagesLookTheSame(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds thousands of lines; TestInterpretedPagesLookTheSame has random pages too")
	}
	t.Parallel()
	programs, functions := 3, 20
	var ks []*kase
	for i := range programs {
		p := &pageWriter{r: rand.New(rand.NewPCG(uint64(i), *pageSeed))}
		text := "package pages\n\nimport (\n\t\"context\"\n\t\"errors\"\n\t\"fmt\"\n\t\"io\"\n\t\"math/rand/v2\"\n\t\"net/http\"\n\t\"net/http/httptest\"\n\t\"strings\"\n\t\"sync\"\n\t\"sync/atomic\"\n\n" +
			"\t\"github.com/starfederation/datastar-go/datastar\"\n\n\t\"github.com/cachegen/cachegen/cache\"\n\t\"github.com/cachegen/cachegen/cache/web\"\n)\n\nvar _ = errors.New\n\n" +
			p.program(functions) + pageDriver
		ks = append(ks, &kase{name: fmt.Sprintf("pages%d", i), ar: &txtar.Archive{Files: []txtar.File{{Name: "case.go", Data: []byte(text)}}}, want: -1})
	}
	dir := module(t, ks)
	if *pageKeep != "" {
		for _, k := range ks {
			write(t, *pageKeep, k.name+".go", string(k.ar.Files[0].Data))
		}
	}
	res := generate(t, dir)
	for _, d := range res.Diagnostics {
		t.Errorf("unexpected: %s", describe(dir, d))
	}
	if t.Failed() {
		return
	}
	for _, f := range res.Files {
		if err := os.WriteFile(f.Path, f.New, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var main strings.Builder
	main.WriteString("package main\n\nimport (\n\t\"fmt\"\n\n")
	for i, k := range ks {
		fmt.Fprintf(&main, "\tc%d \"corpus/%s\"\n", i, k.name)
	}
	main.WriteString(")\n\nfunc main() {\n")
	for i := range ks {
		fmt.Fprintf(&main, "\tc%d.Check()\n", i)
	}
	main.WriteString("\tfmt.Println(\"checked\")\n}\n")
	write(t, dir, "driver/main.go", main.String())
	exe := filepath.Join(dir, "driver.exe")
	run(t, dir, "go", "build", "-o", exe, "./driver")
	if t.Failed() {
		return
	}
	if out := run(t, dir, exe); !strings.HasSuffix(out, "checked\n") {
		t.Errorf("ended early:\n%s", out)
	}
}

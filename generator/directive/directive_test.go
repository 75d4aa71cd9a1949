package directive

import (
	"bytes"
	"flag"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generator/diag"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the expected messages in testdata")

// TestMessages reads one file for each thing that can be wrong with a directive, with
// the exact message.
func TestMessages(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	seen := map[diag.Code]bool{}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if len(a.Files) != 2 || a.Files[0].Name != "directive" || a.Files[1].Name != "want" {
				t.Fatal("the case needs a directive and a want section")
			}
			line := strings.TrimSuffix(string(a.Files[0].Data), "\n")
			d, ds := Parse(line, token.Position{Filename: "a.go", Line: 1, Column: 1})
			if d != nil || len(ds) == 0 {
				t.Fatalf("%s was accepted: %+v", line, d)
			}
			for _, x := range ds {
				seen[x.Code] = true
			}
			var got bytes.Buffer
			r := diag.Renderer{Source: func(string) []byte { return a.Files[0].Data }}
			if err := r.Render(&got, diag.Text, ds); err != nil {
				t.Fatal(err)
			}
			if *update {
				a.Files[1].Data = got.Bytes()
				if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want := string(a.Files[1].Data); got.String() != want {
				t.Errorf("got\n%s\nwant\n%s", got.String(), want)
			}
		})
	}
	// Every contradictory pair has a case.
	for _, c := range diag.Codes() {
		if strings.HasPrefix(string(c.Code), "CG15") && !seen[c.Code] {
			t.Errorf("no case for %s, %s", c.Code, c.Title)
		}
	}
}

func TestParse(t *testing.T) {
	type opts = Options
	day := 24 * time.Hour
	for _, c := range []struct {
		text string
		want Options
	}{
		{`//cache:data`, opts{}},
		{`//cache:data ttl=10m`, opts{TTL: 10 * time.Minute}},
		{"//cache:data\tttl=1h30m \t max=5  ", opts{TTL: 90 * time.Minute, Max: 5}},
		{`//cache:data ttl=1d12h stale=2w`, opts{TTL: 36 * time.Hour, Stale: 14 * day}},
		{`//cache:data ttl=1.5h`, opts{TTL: 90 * time.Minute}},
		{`//cache:data ttl=0.1s`, opts{TTL: 100 * time.Millisecond}},
		{`//cache:data ttl=5µs`, opts{TTL: 5 * time.Microsecond}},
		{`//cache:data ttl=1ns`, opts{TTL: 1}},
		{`//cache:data ttl=TokenTTL`, opts{TTLFunc: "TokenTTL"}},
		{`//cache:data ttl=auth.TokenTTL`, opts{TTLFunc: "auth.TokenTTL"}},
		{`//cache:data ttl=1m jitter=12.5%`, opts{TTL: time.Minute, Jitter: 0.125}},
		{`//cache:data max-bytes=64MiB`, opts{MaxBytes: 64 << 20}},
		{`//cache:data max-bytes=1.5GiB`, opts{MaxBytes: 3 << 29}},
		{`//cache:data max-bytes=100MB`, opts{MaxBytes: 100_000_000}},
		{`//cache:data max-bytes=9223372036854774784B`, opts{MaxBytes: 9223372036854774784}},
		{`//cache:data errors=30s`, opts{Errors: 30 * time.Second}},
		{`//cache:data errors=30s,IsNotFound`, opts{Errors: 30 * time.Second, ErrorsFunc: "IsNotFound"}},
		{`//cache:data "errors=30s, db.IsNotFound"`, opts{Errors: 30 * time.Second, ErrorsFunc: "db.IsNotFound"}},
		{`//cache:data key=a,b`, opts{Key: []string{"a", "b"}}},
		{`//cache:data key="a, b"`, opts{Key: []string{"a", "b"}}},
		{`//cache:data ignore=_db,ζ`, opts{Ignore: []string{"_db", "ζ"}}},
		{`//cache:data ctx=ignore recv=identity copy=share`, opts{CtxIgnore: true, Recv: "identity", Copy: "share"}},
		{`//cache:data ctx=ignore:requestKey,trace.Key`, opts{CtxKeys: []FuncRef{"requestKey", "trace.Key"}}},
		{`//cache:data copy=CloneSales`, opts{Copy: "CloneSales"}},
		{`//cache:data scope=session detach=off name=Load`, opts{Scope: "session", DetachOff: true, Name: "Load"}},
		{`//cache:data widgets variants=7`, opts{Widgets: true, Variants: 7}},
		{`//cache:data spinner="Loading… \"it\""`, opts{Spinner: `Loading… "it"`}},
		{`//cache:data "spinner=Loading it"`, opts{Spinner: "Loading it"}},
		{`//cache:data spinner=off`, opts{Spinner: "off"}},
		{`//cache:data tags=sales,user:{id}`, opts{Tags: []string{"sales", "user:{id}"}}},
		{`//cache:data keep=Good validate=v.Check timeout=5s wait=30s`, opts{Keep: "Good", Validate: "v.Check", Timeout: 5 * time.Second, Wait: 30 * time.Second}},
		{`//cache:resource release=Close grace=1m`, opts{Release: "Close", Grace: time.Minute}},
		{`//cache:resource release=shut`, opts{Release: "shut"}},
	} {
		d, ds := Parse(c.text, token.Position{Filename: "a.go", Line: 3, Column: 1, Offset: 40})
		if d == nil {
			t.Errorf("%s: %v", c.text, ds)
			continue
		}
		if !reflect.DeepEqual(d.Options, c.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", c.text, d.Options, c.want)
		}
		if want := strings.HasPrefix(c.text, "//cache:resource"); (d.Kind == Resource) != want {
			t.Errorf("%s: kind %v", c.text, d.Kind)
		}
		for name, at := range d.At {
			if got := c.text[at.Column-1:]; !strings.HasPrefix(strings.TrimPrefix(got, `"`), name) || at.Offset != 40+at.Column-1 || at.Line != 3 {
				t.Errorf("%s: option %s is said to be at %v, where %q stands", c.text, name, at, got)
			}
		}
	}
}

func TestHashKeepsParameterAndPlace(t *testing.T) {
	const text = `//cache:data hash=order:OrderID hash=ctx:auth.User`
	d, ds := Parse(text, token.Position{Line: 1, Column: 1})
	if d == nil {
		t.Fatal(ds)
	}
	var got []string
	for _, h := range d.Options.Hash {
		got = append(got, h.Param, string(h.Func), text[h.Pos.Column-1:h.Pos.Column+3])
	}
	if want := []string{"order", "OrderID", "hash", "ctx", "auth.User", "hash"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Durations of all sizes keep their value to the nanosecond where that is a whole one.
func TestDurationsAreExact(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"9223372036854775807ns": 9223372036854775807,
		"106751d":               106751 * 24 * time.Hour,
		"1.000000001s":          time.Second + 1,
		"0.000000001s":          1,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("%s: got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "1", "0", "0s", "-1s", "1x", "s", "1..5s", ".s", "1s1", "99999999999999999999h", "106752d", "9223372036854775807ns1ns", "1e3s", "+1s", "1 s", "0.0000000001s"} {
		if got, err := parseDuration(text); err == nil {
			t.Errorf("%q was accepted as %v", text, got)
		}
	}
}

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		text  string
		class Class
		want  string // part of the message or of the hint
	}{
		{"//cache:data", Function, ""},
		{"//cache:resource ttl=1m", Function, ""},
		{"//cache:surface *ui.Page=x.Bind", SurfaceLine, ""},
		{"//cache:dta", Wrong, "did you mean //cache:data?"},
		{"//cache:cached ttl=1m", Wrong, "unknown directive //cache:cached"},
		{"//cache: data ttl=1m", Wrong, "no space after the colon"},
		{"//cache:Data", Wrong, "lower case"},
		{"//cache:", Wrong, "names none"},
		{"//cache: newCache(),", Wrong, "names none"},
		{"// cache:data", Wrong, "no space after //"},
		{"//  cache:data ttl=10m", Wrong, "no space after //"},
		{"//\tcache:resource", Wrong, "no space after //"},
		{"// Cache:data", Wrong, "no space after //"},
		{"//Cache:data", Wrong, "lower case"},
		{"//CACHE:DATA ttl=1m", Wrong, "lower case"},
		{"//cache :data", Wrong, "around the colon"},
		{"//cache : resource", Wrong, "around the colon"},
		{"// cache: data ttl=1m", Wrong, "no space after //"},
		{"//cachegen:data", Wrong, "the directive is //cache:data"},
		// Prose.
		{"// cache: data of one region is kept", Prose, ""},
		{"// cache:database holds it", Prose, ""},
		{"// the directive //cache:data is described elsewhere", Prose, ""},
		{"// //cache:data ttl=1m", Prose, ""},
		{"// http://cache:8080/data", Prose, ""},
		{"//go:generate cache:data", Prose, ""},
		{"// cache-data: x", Prose, ""},
		{"//nocache:data", Prose, ""},
		{"// Cache: the one that everybody shares", Prose, ""},
	} {
		f := Classify(c.text)
		if f.Class != c.class || !strings.Contains(f.Message+" "+f.Hint, c.want) {
			t.Errorf("%s: got %+v", c.text, f)
		}
	}
}

// The tags of Options, the parsers and the doc comments speak of the same options.
func TestOptionsAreComplete(t *testing.T) {
	if len(table) != len(setters) {
		t.Errorf("%d options in the table and %d parsers", len(table), len(setters))
	}
	for _, o := range table {
		if setters[o.name] == nil {
			t.Errorf("option %s has no parser", o.name)
		}
	}
	for _, h := range AllHelp() {
		if !strings.HasSuffix(h.Text, ".") {
			t.Errorf("option %s has the help %q", h.Name, h.Text)
		}
		// What the help shows must be accepted, alone or with what it needs.
		for _, form := range strings.Split(h.Form, "|") {
			kind := "data"
			if !h.Data {
				kind = "resource"
			}
			text := "//cache:" + kind + " " + h.Name
			if form != "" {
				text += "=" + form
			}
			text += map[string]string{"stale": " ttl=1m", "jitter": " ttl=1m", "grace": " release=Close", "variants": " widgets"}[h.Name]
			if d, ds := Parse(text, token.Position{Line: 1, Column: 1}); d == nil {
				t.Errorf("the help shows %s: %v", text, ds)
			}
		}
	}
	for _, name := range []string{"persist", "version"} {
		if strings.Contains(Table(), "`"+name) {
			t.Errorf("the help shows %s, which is not available", name)
		}
	}
}

func TestSurface(t *testing.T) {
	s, ds := ParseSurface("//cache:surface *ui.Page=adapter.Bind", token.Position{Line: 1, Column: 1})
	if s == nil || s.Type != "*ui.Page" || s.Bind != "adapter.Bind" {
		t.Errorf("got %+v, %v", s, ds)
	}
	for _, text := range []string{"//cache:surface", "//cache:surface X", "//cache:surface X=", "//cache:surface =B", "//cache:surface X=B Y=C", "//cache:surface **X=B"} {
		if s, ds := ParseSurface(text, token.Position{Line: 1, Column: 1}); s != nil || len(ds) == 0 {
			t.Errorf("%s was accepted: %+v", text, s)
		}
	}
}

func TestNearest(t *testing.T) {
	for in, want := range map[string]string{
		"tll": "ttl", "TTL": "ttl", "maxbytes": "max-bytes", "max_bytes": "max-bytes", "max_entries": "max",
		"igore": "ignore", "relase": "release", "receiver": "recv", "frobnicate": "", "x": "",
		"hash_funcs": "hash", "show_spinner": "spinner", "experimental_allow_widgets": "widgets",
	} {
		if got := nearest(in, optionNames); got != want {
			t.Errorf("nearest(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzParse checks that whatever the text is, the result is a directive in range or
// errors inside the line; and that a directive's options, written again, mean the same.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, name := range files {
		a, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(strings.TrimSpace(string(a.Files[0].Data)))
	}
	f.Add(`//cache:data ttl=1d2h spinner="a b" "tags=x{id},y" hash=a:b.C max-bytes=1.5GiB`)
	f.Add("//cache:resource release=Close\tgrace=1.5s keep=K \"")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, "\n\r") || !strings.HasPrefix(text, "//") {
			return
		}
		found := Classify(text)
		if strings.HasPrefix(text, "//cache:") && found.Class == Prose {
			t.Fatalf("%q is neither used nor reported", text)
		}
		if found.Class == Wrong && (found.Message == "" || found.Offset > len(text)) {
			t.Fatalf("%q: %+v", text, found)
		}
		if found.Class != Function {
			return
		}
		d, ds := Parse(text, token.Position{Line: 1, Column: 1})
		for _, x := range ds {
			if x.Pos.Column < 1 || x.Pos.Column > len(text)+1 || x.Message == "" || x.Hint == "" {
				t.Fatalf("%q: diagnostic %+v", text, x)
			}
		}
		if (d == nil) != diag.HasErrors(ds) {
			t.Fatalf("%q: %v with %v", text, d, ds)
		}
		if d == nil {
			return
		}
		o := d.Options
		if o.TTL < 0 || o.Stale < 0 || o.Max < 0 || o.MaxBytes < 0 || o.Jitter < 0 || o.Jitter >= 1 || o.Errors < 0 || o.Grace < 0 || o.Timeout < 0 || o.Wait < 0 || o.Variants < 0 {
			t.Fatalf("%q: out of range: %+v", text, o)
		}
		// Quoting every argument changes nothing.
		args, problems := scanArgs(text, len("//cache:")+len(d.Kind.String()))
		if len(problems) > 0 {
			t.Fatalf("%q: %v", text, problems)
		}
		again := "//cache:" + d.Kind.String()
		for _, a := range args {
			again += " " + a.name
			if a.hasValue {
				again += "=" + Quote(a.value)
			}
		}
		d2, ds2 := Parse(again, token.Position{Line: 1, Column: 1})
		if d2 == nil {
			t.Fatalf("%q, written again as %q: %v", text, again, ds2)
		}
		for i := range o.Hash {
			o.Hash[i].Pos, d2.Options.Hash[i].Pos = token.Position{}, token.Position{}
		}
		if !reflect.DeepEqual(o, d2.Options) {
			t.Fatalf("%q and %q differ: %+v, %+v", text, again, o, d2.Options)
		}
	})
}

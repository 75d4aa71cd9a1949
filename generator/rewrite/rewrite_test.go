package rewrite

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/directive"
	"github.com/cachegen/cachegen/generator/output"
)

var update = flag.Bool("update", false, "write what comes out into the cases")

// A case is a txtar archive. Its comment holds commands, one a line:
//
//	crlf FILE, bom FILE      convert a file before anything is done
//	env NAME=VALUE           for the go command
//	adopt ARGS, eject ARGS   run, and apply what comes out unless there is an error
//	back                     eject everything: the files must be as at the start
//	generated FILE           delete it before the next command, as if never made
//
// A file "want/NAME" is what NAME must hold after the last command, or after the last one
// before back; "want.txt" is everything that was said.
func TestAdoptAndEjectByteForByte(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for i, file := range files {
		if testing.Short() && i%8 != 0 {
			continue // a sample; the full run has them all
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			runCase(t, file)
		})
	}
}

type caseRun struct {
	t     *testing.T
	dir   string
	env   []string
	start map[string][]byte
	said  strings.Builder
	wants map[string][]byte
}

func runCase(t *testing.T, file string) {
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := &caseRun{t: t, dir: dir, env: append(os.Environ(), "GOWORK=", "GOFLAGS=-mod=mod", "GOPROXY=off"), start: map[string][]byte{}, wants: map[string][]byte{}}
	for _, f := range ar.Files {
		if name, ok := strings.CutPrefix(f.Name, "want/"); ok || f.Name == "want.txt" {
			c.wants[name] = f.Data
			continue
		}
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		c.write(path, f.Data)
	}
	if _, ok := c.start[filepath.Join(dir, "go.mod")]; !ok {
		c.write(filepath.Join(dir, "go.mod"), []byte("module example.com/m\n\ngo 1.26\n"))
	}
	checked := false
	for line := range strings.Lines(string(ar.Comment)) {
		args := strings.Fields(line)
		if len(args) == 0 || strings.HasPrefix(args[0], "#") {
			continue
		}
		switch args[0] {
		case "crlf":
			p := filepath.Join(dir, args[1])
			c.write(p, bytes.ReplaceAll(c.read(p), []byte("\n"), []byte("\r\n")))
		case "bom":
			p := filepath.Join(dir, args[1])
			c.write(p, append([]byte("\xef\xbb\xbf"), c.read(p)...))
		case "mixed": // lines with the word CR, and those below them, end in CRLF
			p := filepath.Join(dir, args[1])
			i := bytes.Index(c.read(p), []byte(" CR\n"))
			b := bytes.Clone(c.read(p))
			c.write(p, append(b[:i+3:i+3], append([]byte("\r\n"), b[i+4:]...)...))
		case "env":
			c.env = append(c.env, args[1])
		case "adopt":
			c.adopt(args[1:])
		case "eject":
			c.eject(args[1:])
		case "back":
			c.check(file, ar)
			checked = true
			c.eject([]string{"./..."})
			for name, was := range c.start {
				if now := c.read(name); !bytes.Equal(now, was) {
					t.Errorf("after eject %s is not what it was before adopt:\n%s\n--- it was:\n%s", name, now, was)
				}
			}
		default:
			t.Fatalf("unknown command %q", line)
		}
	}
	if !checked {
		c.check(file, ar)
	}
}

func (c *caseRun) read(name string) []byte {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	return b
}

func (c *caseRun) write(name string, b []byte) {
	c.start[name] = b
	if err := os.WriteFile(name, b, 0o666); err != nil {
		c.t.Fatal(err)
	}
}

// flags takes what is no target and no option off the arguments.
func (c *caseRun) flags(args []string) (rest []string, set map[string]bool) {
	set = map[string]bool{}
	for _, a := range args {
		if strings.HasPrefix(a, "--") {
			set[a] = true
		} else {
			rest = append(rest, a)
		}
	}
	return rest, set
}

func (c *caseRun) adopt(args []string) {
	rest, set := c.flags(args)
	req := AdoptRequest{Dir: c.dir, Env: c.env, Recursive: set["--recursive"], KindGiven: set["--data"] || set["--resource"]}
	if set["--resource"] {
		req.Kind = directive.Resource
	}
	for _, a := range rest {
		if IsOption(a) {
			req.Options = append(req.Options, a)
		} else {
			req.Targets = append(req.Targets, a)
		}
	}
	res, err := Adopt(context.Background(), req)
	if err != nil {
		c.t.Fatal(err)
	}
	c.apply(res, nil)
}

func (c *caseRun) eject(args []string) {
	rest, set := c.flags(args)
	res, err := Eject(context.Background(), EjectRequest{Dir: c.dir, Env: c.env, Targets: rest, Tool: set["--tool"]})
	if err != nil {
		c.t.Fatal(err)
	}
	res.Check(nil)
	c.apply(&res.Result, res.Removed)
}

func (c *caseRun) apply(res *Result, removed []output.Change) {
	r := diag.Renderer{Root: c.dir}
	for _, d := range res.Diagnostics {
		pos := r.Path(d.Pos.Filename)
		fmt.Fprintf(&c.said, "%s:%d:%d: %s %s\n", filepath.ToSlash(pos), d.Pos.Line, d.Pos.Column, d.Code, strings.ReplaceAll(d.Message, c.dir, "DIR"))
		if d.Hint != "" {
			fmt.Fprintf(&c.said, "\t%s\n", d.Hint)
		}
		for _, rel := range d.Related {
			fmt.Fprintf(&c.said, "\t%s:%d:%d: %s\n", filepath.ToSlash(r.Path(rel.Pos.Filename)), rel.Pos.Line, rel.Pos.Column, rel.Message)
		}
	}
	for _, f := range res.Functions {
		fmt.Fprintln(&c.said, f)
	}
	for _, n := range res.Notes {
		fmt.Fprintln(&c.said, "note:", n)
	}
	if diag.HasErrors(res.Diagnostics) {
		if len(res.Changes) > 0 {
			c.t.Error("changes beside an error")
		}
		return
	}
	if err := output.Commit(append(res.Changes, removed...)); err != nil {
		c.t.Error(err)
	}
}

func (c *caseRun) check(file string, ar *txtar.Archive) {
	got := map[string][]byte{"want.txt": []byte(c.said.String())}
	for name, was := range c.start {
		if now := c.read(name); !bytes.Equal(now, was) {
			rel, _ := filepath.Rel(c.dir, name)
			text := bytes.TrimPrefix(now, bom)
			if crlf, lf := bytes.Count(text, []byte("\r\n")), bytes.Count(text, []byte("\n")); crlf > 0 && bytes.Count(was, []byte("\r\n")) == bytes.Count(was, []byte("\n")) && crlf != lf {
				c.t.Errorf("%s: %d of %d line ends are CRLF", rel, crlf, lf)
			}
			if bytes.HasPrefix(was, bom) != bytes.HasPrefix(now, bom) {
				c.t.Errorf("%s: the byte order mark changed", rel)
			}
			got["want/"+filepath.ToSlash(rel)] = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
		}
	}
	if *update {
		var files []txtar.File
		for _, f := range ar.Files {
			if f.Name != "want.txt" && !strings.HasPrefix(f.Name, "want/") {
				files = append(files, f)
			}
		}
		for _, name := range sorted(got) {
			if len(got[name]) > 0 || name != "want.txt" {
				files = append(files, txtar.File{Name: name, Data: got[name]})
			}
		}
		ar.Files = files
		if err := os.WriteFile(file, txtar.Format(ar), 0o666); err != nil {
			c.t.Fatal(err)
		}
		return
	}
	for name, want := range c.wants {
		if name != "want.txt" {
			name = "want/" + name
		}
		if !bytes.Equal(got[name], want) {
			c.t.Errorf("%s:\n%s\n--- want:\n%s", name, got[name], want)
		}
		delete(got, name)
	}
	for name, g := range got {
		if len(g) > 0 {
			c.t.Errorf("%s is not in the case:\n%s", name, g)
		}
	}
}

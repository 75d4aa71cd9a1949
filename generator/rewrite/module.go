package rewrite

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/cachegen/cachegen/generator/directive"
	"github.com/cachegen/cachegen/generator/output"
	"github.com/cachegen/cachegen/generator/scan"
)

// toolPath is the command as a tool line of go.mod names it.
const toolPath = "github.com/cachegen/cachegen/cmd/cachegen"

// modulePath begins the import paths of the packages that cached code imports.
const modulePath = "github.com/cachegen/cachegen/"

// modules looks at the modules that packages were ejected from by patterns. Where nothing is
// annotated any more, it drops what runs the command, if that is asked for, and notes what
// else speaks of cachegen.
func (r *EjectResult) modules(req EjectRequest, pkgs []*pkg) error {
	var roots []string
	for _, p := range pkgs {
		if root := scan.FindUp(p.dir, "go.mod"); root != "" && !slices.Contains(roots, root) {
			roots = append(roots, root)
		}
	}
	for _, root := range roots {
		if err := r.module(req, root); err != nil {
			return err
		}
	}
	return nil
}

func (r *EjectResult) module(req EjectRequest, root string) error {
	changed := map[string]output.Change{}
	for _, c := range r.Changes {
		changed[c.Name] = c
	}
	var notes []string
	var more []output.Change
	annotated := ""
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != root && (scan.SkipDir(d.Name()) || scan.FindUp(path, "go.mod") == path) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		c, ok := changed[path]
		if !ok {
			src, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			c = output.Change{Name: path, Old: src, New: src}
		}
		if madeByUs.Match(head(c.Old)) {
			return nil
		}
		m := mentionsIn(req, path, c.New)
		notes = append(notes, m.notes...)
		if annotated == "" {
			annotated = m.annotated
		}
		if req.Tool && len(m.generate) > 0 {
			c.New = withoutLines(c.New, m.generate)
			more = append(more, c)
		} else {
			for _, l := range m.generate {
				notes = append(notes, fmt.Sprintf("%s:%d runs cachegen", relative(req.Dir, path), l+1))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if annotated != "" {
		if req.Tool {
			r.Notes = append(r.Notes, annotated+" is still annotated, so "+relative(req.Dir, filepath.Join(root, "go.mod"))+" keeps its tool line")
		}
		return nil
	}
	r.Notes = append(r.Notes, notes...)
	tool, err := r.toolLine(req, filepath.Join(root, "go.mod"))
	if err != nil {
		return err
	}
	more = append(more, tool...)
	for _, c := range more {
		r.Changes = slices.DeleteFunc(r.Changes, func(o output.Change) bool { return o.Name == c.Name })
	}
	r.Changes = output.Sort(append(r.Changes, more...))
	return nil
}

// toolLine drops the tool line of a go.mod, or notes it.
func (r *EjectResult) toolLine(req EjectRequest, name string) ([]output.Change, error) {
	src, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	f, err := modfile.Parse(name, src, nil)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(f.Tool, func(t *modfile.Tool) bool { return t.Path == toolPath }) {
		return nil, nil
	}
	if !req.Tool {
		r.Notes = append(r.Notes, fmt.Sprintf("%s still has the line \"tool %s\"; eject --tool drops it, and //go:generate lines that run it", relative(req.Dir, name), toolPath))
		return nil, nil
	}
	if err := f.DropTool(toolPath); err != nil {
		return nil, err
	}
	f.Cleanup()
	out, err := f.Format()
	if err != nil {
		return nil, err
	}
	r.Notes = append(r.Notes, "the tool line is gone from "+relative(req.Dir, name)+"; run go mod tidy to drop what only it needed")
	return []output.Change{{Name: name, Old: src, New: out}}, nil
}

// mentioned is what a hand-written file says of cachegen.
type mentioned struct {
	annotated string // where a directive stands, "" if there is none
	generate  []int  // lines that run the command, counted from 0
	notes     []string
}

// runsCachegen matches what the go command takes for an order to run cachegen.
var runsCachegen = regexp.MustCompile(`^//go:generate[ \t]+(go[ \t]+(tool|run)[ \t]+)?(` + regexp.QuoteMeta(toolPath) + `(@\S+)?|(\S*/)?cachegen)([ \t]|$)`)

func mentionsIn(req EjectRequest, path string, src []byte) (m mentioned) {
	if !bytes.Contains(src, []byte("cache")) {
		return m
	}
	for i, l := range bytes.Split(src, []byte("\n")) {
		at := fmt.Sprintf("%s:%d", relative(req.Dir, path), i+1)
		t := string(bytes.TrimSpace(l))
		class := directive.Prose
		if strings.HasPrefix(t, "//") {
			class = directive.Classify(t).Class
		}
		switch {
		case runsCachegen.MatchString(string(bytes.TrimRight(l, "\r"))):
			m.generate = append(m.generate, i)
		case class == directive.Function && m.annotated == "":
			m.annotated = at
		case class == directive.SurfaceLine:
			m.notes = append(m.notes, at+" binds a surface for functions that are no longer annotated: "+t)
		case strings.Contains(t, `"`+modulePath) && (strings.HasPrefix(t, "import ") || strings.HasSuffix(t, `"`)):
			m.notes = append(m.notes, at+" imports a package of cachegen: "+t)
		}
	}
	return m
}

// withoutLines drops lines, counted from 0, and of the blank lines around each all but one.
func withoutLines(src []byte, drop []int) []byte {
	lines := bytes.SplitAfter(src, []byte("\n"))
	blank := func(i int) bool { return len(bytes.TrimSpace(lines[i])) == 0 }
	for _, i := range slices.Backward(drop) {
		end := i + 1
		if i > 0 && blank(i-1) && (end == len(lines) || blank(end)) {
			i--
		}
		lines = slices.Delete(lines, i, end)
	}
	return bytes.Join(lines, nil)
}

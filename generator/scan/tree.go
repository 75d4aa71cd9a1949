package scan

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/cachegen/cachegen/generator/output"
	"golang.org/x/mod/modfile"
)

// Root is a directory to look at.
type Root struct {
	Pattern string // what it was called when it was asked for
	Dir     string // absolute
	Below   bool   // also the directories below it
	// Match, if not nil, says which directories count, by their slash-separated path
	// relative to Dir ("" for Dir itself).
	Match func(rel string) bool
}

// File is a file that may hold a directive, or that cachegen wrote.
type File struct {
	Path      string // absolute
	Src       []byte
	Candidate bool   // its bytes may hold a directive
	Source    string // base name of the file that it was generated from; "" if it was not
}

// Result is what a scan found.
type Result struct {
	Files []*File // sorted by path
	Read  int     // how many .go files were read
	Bytes int64   // and how much that was
	Empty []Root  // those without any .go file

	// What runs that were killed may have left: paths whose names output.Temporary knows.
	Temporary []string
}

// Tree scans roots. Directories under two roots are read once. The first error of
// reading a file or a directory ends it, since a file that cannot be read may hold a
// directive.
func Tree(ctx context.Context, roots []Root) (*Result, error) {
	s := &scanner{ctx: ctx, seen: map[string]bool{}, matched: make([]bool, len(roots))}
	s.cond = sync.NewCond(&s.mu)
	for i, r := range roots {
		s.push(task{dir: r.Dir, root: r, index: i, ignore: ignored(r)})
	}
	workers := max(4, 2*runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for range workers {
		wg.Go(s.work)
	}
	wg.Wait()
	if s.err != nil {
		return nil, s.err
	}
	for i, r := range roots {
		if !s.matched[i] {
			s.result.Empty = append(s.result.Empty, r)
		}
	}
	slices.SortFunc(s.result.Files, func(a, b *File) int { return strings.Compare(a.Path, b.Path) })
	return &s.result, nil
}

// ignored returns the directories that the ignore lines of the module's go.mod name.
func ignored(r Root) *ignore {
	if !r.Below {
		return nil
	}
	dir := FindUp(r.Dir, "go.mod")
	if dir == "" {
		return nil
	}
	data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return nil
	}
	f, err := modfile.ParseLax("go.mod", data, nil)
	if err != nil || len(f.Ignore) == 0 {
		return nil
	}
	ig := &ignore{module: dir}
	for _, i := range f.Ignore {
		if p, rooted := strings.CutPrefix(i.Path, "./"); rooted {
			ig.rooted = append(ig.rooted, strings.TrimSuffix(p, "/"))
		} else {
			ig.anywhere = append(ig.anywhere, strings.TrimSuffix(i.Path, "/"))
		}
	}
	return ig
}

// FindUp returns the nearest directory, from dir upwards, that has a file of this name, or "".
func FindUp(dir, name string) string {
	for {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode().IsRegular() {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

// ignore holds the ignore lines of a go.mod.
type ignore struct {
	module   string
	rooted   []string // relative to the module, with everything below
	anywhere []string // at any depth, with everything below
}

func (ig *ignore) has(dir string) bool {
	if ig == nil {
		return false
	}
	rel, err := filepath.Rel(ig.module, dir)
	if err != nil {
		return false
	}
	rel = filepath.ToSlash(rel)
	if slices.Contains(ig.rooted, rel) {
		return true
	}
	for _, a := range ig.anywhere {
		if rel == a || strings.HasSuffix(rel, "/"+a) {
			return true
		}
	}
	return false
}

// task is a directory to read.
type task struct {
	dir    string
	root   Root
	index  int // of the root
	ignore *ignore
}

// scanner is a pool of workers over a stack of directories.
type scanner struct {
	ctx context.Context

	mu      sync.Mutex
	cond    *sync.Cond
	stack   []task
	busy    int
	seen    map[string]bool // directories whose files were read
	matched []bool          // by root: it has a .go file
	err     error
	result  Result
}

func (s *scanner) push(ts ...task) {
	if len(ts) == 0 {
		return
	}
	s.mu.Lock()
	s.stack = append(s.stack, ts...)
	s.mu.Unlock()
	s.cond.Broadcast()
}

func (s *scanner) work() {
	buf := make([]byte, 64<<10)
	for {
		s.mu.Lock()
		for len(s.stack) == 0 && s.busy > 0 && s.err == nil {
			s.cond.Wait()
		}
		if len(s.stack) == 0 || s.err != nil {
			s.mu.Unlock()
			s.cond.Broadcast()
			return
		}
		t := s.stack[len(s.stack)-1]
		s.stack = s.stack[:len(s.stack)-1]
		s.busy++
		s.mu.Unlock()

		found, below, read, size, err := s.directory(t, &buf)

		s.mu.Lock()
		s.busy--
		s.result.Files = append(s.result.Files, found...)
		s.result.Read += read
		s.result.Bytes += size
		if err == nil {
			err = s.ctx.Err()
		}
		if err != nil && s.err == nil {
			s.err = err
		}
		s.stack = append(s.stack, below...)
		s.mu.Unlock()
		s.cond.Broadcast()
	}
}

// directory reads the .go files of one directory and lists those below it.
func (s *scanner) directory(t task, buf *[]byte) (found []*File, below []task, read int, size int64, err error) {
	entries, err := os.ReadDir(t.dir)
	if err != nil {
		return nil, nil, 0, 0, err
	}
	if t.dir != t.root.Dir {
		for _, e := range entries {
			if e.Name() == "go.mod" && !e.IsDir() { // a module of its own
				return nil, nil, 0, 0, nil
			}
		}
	}
	for _, e := range entries {
		if name := e.Name(); t.root.Below && e.IsDir() && !SkipDir(name) {
			if sub := filepath.Join(t.dir, name); !t.ignore.has(sub) {
				below = append(below, task{sub, t.root, t.index, t.ignore})
			}
		}
	}
	if t.root.Match != nil {
		rel, err := filepath.Rel(t.root.Dir, t.dir)
		if err != nil {
			return nil, nil, 0, 0, err
		}
		if rel == "." {
			rel = ""
		}
		if !t.root.Match(filepath.ToSlash(rel)) {
			return nil, below, 0, 0, nil
		}
	}
	var goFiles []fs.DirEntry
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".go") && name[0] != '_' && name[0] != '.' {
			goFiles = append(goFiles, e)
		}
	}
	s.mu.Lock()
	again := s.seen[t.dir]
	s.seen[t.dir] = true
	s.matched[t.index] = s.matched[t.index] || len(goFiles) > 0
	if !again {
		for _, e := range entries {
			if output.Temporary(e.Name()) {
				s.result.Temporary = append(s.result.Temporary, filepath.Join(t.dir, e.Name()))
			}
		}
	}
	s.mu.Unlock()
	if again {
		return nil, below, 0, 0, nil
	}
	for _, e := range goFiles {
		name := e.Name()
		path := filepath.Join(t.dir, name)
		if e.Type()&fs.ModeSymlink != 0 {
			if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
				continue // dangling, or to a directory: the go command ignores it too
			}
		} else if !e.Type().IsRegular() {
			continue
		}
		src, err := readInto(path, buf)
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone since the directory was listed
		}
		if err != nil {
			return nil, nil, 0, 0, err
		}
		read++
		size += int64(len(src))
		f := &File{Path: path}
		f.Source, _ = Source(src)
		f.Candidate = f.Source == "" && mayHold(src)
		if f.Candidate || f.Source != "" || strings.HasSuffix(name, "_cachegen.go") {
			f.Src = slices.Clone(src)
			found = append(found, f)
		}
	}
	return found, below, read, size, nil
}

// SkipDir reports whether the go command leaves a directory of this name out of "...".
func SkipDir(name string) bool {
	return name[0] == '_' || name[0] == '.' || name == "testdata" || name == "vendor"
}

// readInto reads a file into buf, which it may replace by a larger one.
func readInto(path string, buf *[]byte) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n := 0
	for {
		if n == len(*buf) {
			*buf = append(*buf, make([]byte, len(*buf))...)
		}
		m, err := f.Read((*buf)[n:])
		n += m
		if err == io.EOF {
			return (*buf)[:n], nil
		}
		if err != nil {
			return nil, err
		}
	}
}

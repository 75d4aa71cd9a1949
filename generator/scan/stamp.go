package scan

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Stamp tells one state of a file from another without reading it.
type Stamp struct {
	Modified time.Time
	Size     int64
}

// Stamps returns the stamps of the files below roots on which what is generated depends: .go
// files, in the directories that Tree reads, and go.mod, go.sum and go.work in the directories
// from there upwards. What cannot be read is left out: Tree says so when its turn comes.
func Stamps(roots []Root) map[string]Stamp {
	all := map[string]Stamp{}
	add := func(path string) {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			all[path] = Stamp{info.ModTime(), info.Size()}
		}
	}
	for _, r := range roots {
		for dir := r.Dir; ; dir = filepath.Dir(dir) {
			for _, name := range []string{"go.mod", "go.sum", "go.work"} {
				add(filepath.Join(dir, name))
			}
			if filepath.Dir(dir) == dir {
				break
			}
		}
		ig := ignored(r)
		_ = filepath.WalkDir(r.Dir, func(path string, e fs.DirEntry, err error) error {
			name := filepath.Base(path)
			switch {
			case err != nil:
				return fs.SkipDir
			case !e.IsDir():
				if strings.HasSuffix(name, ".go") && name[0] != '_' && name[0] != '.' {
					add(path)
				}
				return nil
			case path == r.Dir:
				return nil
			case !r.Below || SkipDir(name) || ig.has(path):
				return fs.SkipDir
			}
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil { // a module of its own
				return fs.SkipDir
			}
			return nil
		})
	}
	return all
}

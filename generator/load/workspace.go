package load

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/generator/scan"
	"golang.org/x/mod/modfile"
)

// WorkFile returns the go.work file that counts in a directory, or "". env is the environment
// of the go command; nil stands for that of the process.
func WorkFile(dir string, env []string) string {
	switch file := getenv(env, "GOWORK"); file {
	case "off":
		return ""
	case "", "auto":
		if d := scan.FindUp(dir, "go.work"); d != "" {
			return filepath.Join(d, "go.work")
		}
		return ""
	default:
		return file
	}
}

// WorkModules returns the directories of the modules that a go.work file uses; nil if it
// cannot be read, about which the go command has more to say.
func WorkModules(file string) []string {
	if file == "" {
		return nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	w, err := modfile.ParseWork(file, data, nil)
	if err != nil {
		return nil
	}
	dirs := []string{}
	for _, u := range w.Use {
		dir := filepath.FromSlash(u.Path)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(filepath.Dir(file), dir)
		}
		dirs = append(dirs, dir)
	}
	return dirs
}

// SameDir reports whether two paths name one directory.
func SameDir(a, b string) bool {
	return filepath.Clean(a) == filepath.Clean(b) || realPath(a) == realPath(b)
}

// realPath returns a path without symbolic links.
func realPath(p string) string {
	if r, err := filepath.EvalSymlinks(p); err == nil {
		return r
	}
	return filepath.Clean(p)
}

func getenv(env []string, key string) string {
	if env == nil {
		return os.Getenv(key)
	}
	for _, kv := range slices.Backward(env) {
		if v, ok := strings.CutPrefix(kv, key+"="); ok {
			return v
		}
	}
	return ""
}

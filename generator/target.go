package generator

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/cachegen/cachegen/generator/model"
)

// Target is a function as it is named on a command line: ./pkg.Func, ./pkg.Type.Method,
// example.com/module/pkg.Func, or Func alone for any package below.
type Target struct {
	Pattern string // of packages
	Name    string // "Func" or "Type.Method"; "" for all
}

// ParseTarget reads the name of a function. A dot may also belong to a path: what is a
// directory is one.
func ParseTarget(dir, arg string) Target {
	arg = filepath.ToSlash(arg)
	if info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(arg))); err == nil && info.IsDir() || strings.Contains(arg, "...") {
		return Target{Pattern: arg}
	}
	slash := strings.LastIndexByte(arg, '/') + 1
	base := arg[slash:]
	if slash == 0 && !strings.Contains(base, ".") {
		return Target{"./...", base}
	}
	// The longest part of the last element that is a package.
	parts := strings.Split(base, ".")
	for i := len(parts) - 1; i >= 1; i-- {
		p := arg[:slash] + strings.Join(parts[:i], ".")
		if info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(p))); err == nil && info.IsDir() && isDirPattern(p) {
			return Target{p, strings.Join(parts[i:], ".")}
		}
	}
	if slash == 0 { // pkg.Func, Type.Method or pkg.Type.Method, of any package below
		return Target{"./...", base}
	}
	return Target{arg[:slash] + parts[0], strings.Join(parts[1:], ".")}
}

// Find returns the functions that the target names, by the name of the function or of
// its wrapper.
func (t Target) Find(res *Result) []*model.Func {
	var found []*model.Func
	for _, f := range res.Funcs {
		for _, name := range []string{f.Name, f.Wrapper} {
			full := name
			if f.RecvBase != nil {
				full = f.RecvBase.Name() + "." + name
			}
			if t.Name == "" || t.Name == name || t.Name == full || t.Name == f.Pkg.Name+"."+full {
				found = append(found, f)
				break
			}
		}
	}
	return found
}

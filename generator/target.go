package generator

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/cachegen/cachegen/generator/model"
)

// Target is what an argument of a command line may mean: the packages that a pattern
// matches, or a function of theirs.
type Target struct {
	Pattern string
	Name    string // "Func" or "Type.Method"; "" for all
}

var pointerReceiver = regexp.MustCompile(`\(\*?([\pL_][\pL\pN_]*)\)`)

// Targets lists what arg may mean, in the order to try: ./pkg.Func, ./pkg.Type.Method, a
// pattern, or Func and Type.Method for the package in dir. Paths have dots too, so that
// example.com/a.b.C is C of example.com/a.b, or method b.C of example.com/a.
func Targets(dir, arg string) []Target {
	arg = plainTarget(arg)
	if strings.Contains(arg, "...") || arg == "." || arg == ".." {
		return []Target{{Pattern: arg}}
	}
	slash := strings.LastIndexByte(arg, '/') + 1
	parts := strings.Split(arg[slash:], ".")
	n := len(parts)
	pattern := func(n int) string {
		if p := arg[:slash] + strings.Join(parts[:n], "."); p != "" {
			return strings.TrimSuffix(p, "/")
		}
		return "."
	}
	var all []Target
	if isDir(dir, arg) || n == 1 && slash > 0 {
		all = append(all, Target{Pattern: arg})
	}
	if n >= 2 {
		all = append(all, Target{pattern(n - 1), parts[n-1]})
	}
	if n <= 2 && slash == 0 {
		all = append(all, Target{".", arg})
	}
	if n >= 3 {
		all = append(all, Target{pattern(n - 2), parts[n-2] + "." + parts[n-1]})
	}
	return all
}

// ParseTarget decides what arg means, by which directories exist, for commands that look at
// annotated functions. A name without a path is looked for in all packages below dir.
func ParseTarget(dir, arg string) Target {
	all := Targets(dir, arg)
	for _, t := range all {
		if t.Name == "" || t.Pattern != "." && isDirPattern(t.Pattern) && isDir(dir, t.Pattern) {
			return t
		}
	}
	if arg = plainTarget(arg); !strings.Contains(arg, "/") {
		return Target{"./...", arg}
	}
	return all[len(all)-1]
}

// plainTarget is arg with slashes, and Type for (*Type).
func plainTarget(arg string) string {
	return pointerReceiver.ReplaceAllString(filepath.ToSlash(arg), "$1")
}

func isDir(dir, name string) bool {
	info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name)))
	return err == nil && info.IsDir()
}

// Find returns the functions that the target names, by the name of the function or of
// its wrapper. A method's type may be left out, also behind the package's name.
func (t Target) Find(res *Result) []*model.Func {
	var found []*model.Func
	for _, f := range res.Funcs {
		for _, name := range []string{f.Name, f.Wrapper} {
			full := name
			if f.RecvBase != nil {
				full = f.RecvBase.Name() + "." + name
			}
			if t.Name == "" || t.Name == name || t.Name == full || t.Name == f.Pkg.Name+"."+full || t.Name == f.Pkg.Name+"."+name {
				found = append(found, f)
				break
			}
		}
	}
	return found
}

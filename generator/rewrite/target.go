package rewrite

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/directive"
)

// target is what one argument of the command line may mean: a pattern alone, or
// a pattern and a function of the package that it matches.
type target struct {
	arg     string
	readers []reading // in the order in which they are tried
}

type reading struct{ pattern, recv, name string }

var pointerRecv = regexp.MustCompile(`\(\*?([\pL_][\pL\pN_]*)\)`)

// readTarget lists what arg may mean. Import paths have dots too, so that example.com/a.b.C
// is C of example.com/a.b, or method b.C of example.com/a.
func readTarget(dir, arg string) target {
	t := target{arg: arg}
	arg = pointerRecv.ReplaceAllString(filepath.ToSlash(arg), "$1")
	if strings.Contains(arg, "...") || arg == "." || arg == ".." {
		t.readers = []reading{{pattern: arg}}
		return t
	}
	slash := strings.LastIndexByte(arg, '/') + 1
	lead, base := arg[:slash], arg[slash:]
	parts := strings.Split(base, ".")
	n := len(parts)
	local := func(recv, name string) {
		if slash == 0 {
			t.readers = append(t.readers, reading{".", recv, name})
		}
	}
	if st, err := os.Stat(filepath.Join(dir, filepath.FromSlash(arg))); err == nil && st.IsDir() || n == 1 && slash > 0 {
		t.readers = append(t.readers, reading{pattern: arg})
	}
	if n == 1 {
		local("", parts[0])
	}
	if n >= 2 {
		t.readers = append(t.readers, reading{pattern: patternOf(lead, parts[:n-1]), name: parts[n-1]})
	}
	if n == 2 {
		local(parts[0], parts[1])
	}
	if n >= 3 {
		t.readers = append(t.readers, reading{patternOf(lead, parts[:n-2]), parts[n-2], parts[n-1]})
	}
	return t
}

func patternOf(lead string, parts []string) string {
	p := lead + strings.Join(parts, ".")
	if p == "" {
		return "."
	}
	return strings.TrimSuffix(p, "/")
}

// resolved is what the command line's targets turned out to be.
type resolved struct {
	pkgs  []*pkg
	named map[*pkg][]named // functions named one by one
	whole map[*pkg]bool    // packages matched by a pattern
}

type named struct{ arg, recv, name string }

// has reports whether some hand-written file declares what r names.
func (r reading) in(p *pkg) bool {
	if r.name == "" {
		return true
	}
	return slices.ContainsFunc(p.functions(p.all()), func(f *function) bool { return f.recv == r.recv && f.name == r.name })
}

// resolve finds the packages of the targets. found says whether a package has what a
// reading names; it may know more names than the source has.
func resolve(ctx context.Context, g goCommand, args []string, found func(*pkg, reading) bool) (*resolved, []diag.Diagnostic, error) {
	res := &resolved{named: map[*pkg][]named{}, whole: map[*pkg]bool{}}
	var ds []diag.Diagnostic
	byDir := map[string]*pkg{}
	cache := map[string][]*pkg{}
	load := func(pattern string) ([]*pkg, error) {
		if ps, ok := cache[pattern]; ok {
			return ps, nil
		}
		if strings.HasPrefix(pattern, ".") && !strings.Contains(pattern, "...") {
			if _, err := os.Stat(filepath.Join(g.dir, filepath.FromSlash(pattern))); err != nil {
				return nil, nil
			}
		}
		ps, err := loadPackages(ctx, g, []string{pattern})
		if err != nil {
			return nil, err
		}
		for i, p := range ps {
			if old, ok := byDir[p.dir]; ok {
				ps[i] = old
			} else {
				byDir[p.dir] = p
				res.pkgs = append(res.pkgs, p)
			}
		}
		cache[pattern] = ps
		return ps, nil
	}
	for _, arg := range args {
		t := readTarget(g.dir, arg)
		var near *pkg
		var missing string
		hit := false
		for _, r := range t.readers {
			ps, err := load(r.pattern)
			if err != nil {
				return nil, nil, err
			}
			for _, p := range ps {
				if len(p.all()) == 0 {
					continue
				}
				near, missing = p, r.name
				if !found(p, r) {
					continue
				}
				hit = true
				if r.name == "" {
					res.whole[p] = true
				} else if n := (named{arg, r.recv, r.name}); !slices.Contains(res.named[p], n) {
					res.named[p] = append(res.named[p], n)
				}
			}
			if hit {
				break
			}
		}
		switch {
		case hit || strings.Contains(arg, "..."):
		case near != nil:
			d := diag.Diagnostic{Code: diag.NoTarget, Message: "package " + near.path + " declares no function " + missing + " (" + arg + ")", Hint: diag.NoTarget.Info().Hint}
			d.Pos.Filename = near.dir
			ds = append(ds, d)
		default:
			d := diag.Diagnostic{Code: diag.NoTarget, Message: "no package is found for " + arg, Hint: diag.NoTarget.Info().Hint}
			ds = append(ds, d)
		}
	}
	slices.SortFunc(res.pkgs, func(a, b *pkg) int { return strings.Compare(a.dir, b.dir) })
	return res, ds, nil
}

// IsOption reports whether an argument of the command line is an option of a directive
// rather than a function or a pattern.
func IsOption(arg string) bool {
	name, _, has := strings.Cut(arg, "=")
	return has && !strings.ContainsAny(name, "./") || slices.ContainsFunc(directive.AllHelp(), func(h directive.Help) bool {
		return h.Form == "" && h.Name == arg
	})
}

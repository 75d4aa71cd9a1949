package rewrite

import (
	"context"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/generator"
	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/directive"
	"github.com/cachegen/cachegen/generator/names"
)

// candidate is one of the things that an argument of the command line may mean: a pattern
// alone, or a pattern and a function of the package that it matches.
type candidate struct{ pattern, recv, name string }

func (r candidate) String() string { return names.Member{Recv: r.recv, Name: r.name}.String() }

// candidates lists what arg may mean, in the order to try.
func candidates(dir, arg string) []candidate {
	var all []candidate
	for _, t := range generator.Targets(dir, arg) {
		recv, name, method := strings.Cut(t.Name, ".")
		if !method {
			recv, name = "", t.Name
		}
		all = append(all, candidate{t.Pattern, recv, name})
	}
	return all
}

// resolved is what the command line's targets turned out to be.
type resolved struct {
	pkgs  []*pkg
	named map[*pkg][]named // functions named one by one
	whole map[*pkg]bool    // packages matched by a pattern
}

type named struct{ arg, recv, name string }

// has reports whether some hand-written file declares what r names.
func (r candidate) in(p *pkg) bool {
	if r.name == "" {
		return true
	}
	return slices.ContainsFunc(p.functions(p.all()), func(f *function) bool { return f.recv == r.recv && f.name == r.name })
}

// like returns the function or wrapper of the package whose name is nearest to what r
// names.
func (p *pkg) like(r candidate) string {
	var all []string
	for _, f := range p.functions(p.all()) {
		all = append(all, f.String())
		if len(directives(f.decl)) > 0 {
			all = append(all, names.Member{Recv: f.recv, Name: p.ejection(f).wrapper}.String())
		}
	}
	near, _ := names.Nearest(r.String(), all)
	return near
}

// resolve finds the packages of the targets. found says whether a package has what a
// candidate names; it may know more names than the source has.
func resolve(ctx context.Context, g goCommand, args []string, found func(*pkg, candidate) bool) (*resolved, []diag.Diagnostic, error) {
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
		var near *pkg
		var missing candidate
		hit, matched := false, false
		for _, r := range candidates(g.dir, arg) {
			ps, err := load(r.pattern)
			if err != nil {
				return nil, nil, err
			}
			matched = matched || len(ps) > 0
			for _, p := range ps {
				if len(p.all()) == 0 {
					continue
				}
				near, missing = p, r
				if !found(p, r) {
					continue
				}
				hit = true
				if !p.main {
					ds = append(ds, diag.Errorf(token.Position{Filename: p.dir}, diag.NotMain, "%s is not in the main module", p.path))
					continue
				}
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
		case hit || matched && strings.Contains(arg, "..."):
		case near != nil:
			d := diag.Errorf(token.Position{Filename: near.dir}, diag.NoTarget, "package %s declares no function %s (%s)", near.path, missing, arg)
			if like := near.like(missing); like != "" {
				d = d.WithHint("did you mean %s?", like)
			}
			ds = append(ds, d)
		default:
			d := diag.Errorf(token.Position{}, diag.NoTarget, "no package is found for %s", arg)
			if root, _, all := strings.Cut(arg, "..."); all {
				if hint := generator.WorkspaceHint(filepath.Join(g.dir, filepath.FromSlash(root)), g.env); hint != "" {
					d = d.WithHint("%s", hint)
				}
			}
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

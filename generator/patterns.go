package generator

import (
	"cmp"
	"context"
	"fmt"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/load"
	"github.com/cachegen/cachegen/generator/scan"
)

// roots turns package patterns into directories to scan. Patterns that name
// directories are resolved here; import paths are asked of the go command.
func roots(ctx context.Context, req Request) ([]scan.Root, []diag.Diagnostic) {
	patterns := req.Patterns
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	var all []scan.Root
	var ds []diag.Diagnostic
	bad := func(format string, args ...any) *diag.Diagnostic {
		ds = append(ds, diag.Errorf(token.Position{}, diag.BadPattern, format, args...))
		return &ds[len(ds)-1]
	}
	var paths []string
	for _, p := range patterns {
		if !isDirPattern(p) {
			if strings.HasSuffix(p, ".go") {
				bad("%s is a file; packages are generated as a whole", p).Hint = "name its directory: ./" + filepath.ToSlash(filepath.Dir(p))
				continue
			}
			paths = append(paths, p)
			continue
		}
		root, rel := p, ""
		if i := strings.Index(p, "..."); i >= 0 {
			root = p[:i]
			if j := strings.LastIndexAny(root, `/\`); j >= 0 {
				root, rel = p[:j], p[j+1:]
			}
			if root == "" {
				root = "/"
			}
		}
		dir := filepath.FromSlash(root)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(req.Dir, dir)
		}
		info, err := os.Stat(dir)
		switch {
		case err != nil:
			bad("%s: no such directory", p)
			continue
		case !info.IsDir():
			bad("%s is a file; packages are generated as a whole", p).Hint = "name its directory: " + filepath.ToSlash(filepath.Dir(p))
			continue
		}
		r := scan.Root{Dir: filepath.Clean(dir), Below: rel != ""}
		if rel != "" && rel != "..." {
			r.Match = matcher(rel)
		}
		if why, hint := outside(r.Dir, req.Env); why != "" {
			bad("%s matches no package: %s", p, why).Hint = hint
			continue
		}
		r.Pattern = p
		all = append(all, r)
	}
	if len(paths) > 0 {
		found, more := byImportPath(ctx, req, paths)
		all = append(all, found...)
		ds = append(ds, more...)
	}
	return all, ds
}

// isDirPattern reports whether the go command takes a pattern for a directory.
func isDirPattern(p string) bool {
	s := filepath.ToSlash(p)
	return s == "." || s == ".." || strings.HasPrefix(s, "./") || strings.HasPrefix(s, "../") || filepath.IsAbs(p)
}

// matcher returns the function that matches directories as the go command does: "..."
// is any string, and "/..." at the end also the empty one.
func matcher(pattern string) func(string) bool {
	re := regexp.QuoteMeta(filepath.ToSlash(pattern))
	re = strings.ReplaceAll(re, `\.\.\.`, `.*`)
	if s, ok := strings.CutSuffix(re, `/.*`); ok {
		re = s + `(/.*)?`
	}
	return regexp.MustCompile(`^` + re + `$`).MatchString
}

// outside says why the go command takes a directory for no part of a module that it is to look
// at, and what to do about it. It returns "" for a directory that is part of one.
func outside(dir string, env []string) (why, hint string) {
	module := scan.FindUp(dir, "go.mod")
	work := load.WorkFile(cmp.Or(module, dir), env)
	uses := load.WorkModules(work)
	switch {
	case module == "" && len(uses) > 0:
		return "the directory is part of a workspace and of no module", WorkspaceHint(dir, env)
	case module == "":
		return "the directory is in no module", "run cachegen in a module; go mod init makes one"
	case work != "" && uses != nil && !slices.ContainsFunc(uses, func(u string) bool { return load.SameDir(u, module) }):
		return fmt.Sprintf("the module in %s is none of those that %s uses", module, work),
			"run go work use in its directory, or set GOWORK=off"
	}
	return "", ""
}

// WorkspaceHint returns what to write instead of "..." in a directory of a workspace that
// belongs to no module, and "" elsewhere.
func WorkspaceHint(dir string, env []string) string {
	if scan.FindUp(dir, "go.mod") != "" {
		return ""
	}
	var below, all string
	for _, u := range load.WorkModules(load.WorkFile(dir, env)) {
		rel, err := filepath.Rel(dir, u)
		if err != nil {
			continue
		}
		name := " " + filepath.ToSlash(rel) + "/..."
		if filepath.IsLocal(rel) {
			name = " ./" + filepath.ToSlash(rel) + "/..."
			below += name
		}
		all += name
	}
	if all == "" {
		return ""
	}
	return "name its modules:" + cmp.Or(below, all)
}

// byImportPath asks the go command where packages are.
func byImportPath(ctx context.Context, req Request, paths []string) ([]scan.Root, []diag.Diagnostic) {
	var ds []diag.Diagnostic
	pkgs, err := load.List(ctx, load.Config{Dir: req.Dir, Env: req.Env, BuildFlags: req.BuildFlags}, paths)
	if err != nil {
		return nil, []diag.Diagnostic{diag.Errorf(token.Position{}, diag.BadPattern, "%v", err)}
	}
	var all []scan.Root
	for _, p := range pkgs {
		dir := p.Dir
		switch {
		case len(p.GoFiles)+len(p.IgnoredFiles) == 0:
			msg := "no Go files"
			if len(p.Errors) > 0 {
				msg = strings.TrimSpace(p.Errors[0].Msg)
			}
			d := diag.Errorf(token.Position{}, diag.BadPattern, "%s: %s", p.PkgPath, msg)
			if fi, err := os.Stat(filepath.Join(req.Dir, p.PkgPath)); err == nil && fi.IsDir() {
				d.Hint = fmt.Sprintf("for the directory write ./%s", filepath.ToSlash(p.PkgPath))
			}
			ds = append(ds, d)
			continue
		case p.Module == nil || !p.Module.Main:
			ds = append(ds, diag.Errorf(token.Position{}, diag.NotMain, "%s is not in the main module", p.PkgPath))
			continue
		case dir == "":
			dir = filepath.Dir(slices.Concat(p.GoFiles, p.IgnoredFiles)[0])
		}
		all = append(all, scan.Root{Dir: dir, Pattern: p.PkgPath})
	}
	return all, ds
}

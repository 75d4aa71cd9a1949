package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/format"
	goversion "go/version"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

const cachegen = "github.com/cachegen/cachegen"

// goVersion is what tortured modules are set to, unless they need more: generated code may
// use what it has.
const goVersion = "1.26.0"

// needsNewer says that a module cannot be taken with the Go that torture is built with, whose
// type checker reads no newer language.
type needsNewer struct{ version string }

func (e *needsNewer) Error() string { return "the module needs Go " + e.version }

var needed = regexp.MustCompile(`requires go >= ([0-9][0-9a-z.]*)`)

// newerThan reports whether a version of the language or of Go is newer than this program's.
func newerThan(version string) bool {
	return strings.HasPrefix(runtime.Version(), "go") && goversion.Compare("go"+version, runtime.Version()) > 0
}

// copyIn brings the module into the scratch directory and lets it see cachegen's runtime.
func (m *module) copyIn() error {
	// Without the patterns: the go command takes three dots in a directory for one.
	m.dir = filepath.Join(m.o.scratch, regexp.MustCompile(`[^A-Za-z0-9.@-]+`).ReplaceAllString(m.path, "_"))
	if err := os.RemoveAll(m.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(m.dir, 0o777); err != nil {
		return err
	}
	if pkg, ok := strings.CutPrefix(m.path, "std:"); ok {
		if err := m.copyStd(pkg); err != nil {
			return err
		}
	} else if err := m.copyModule(); err != nil {
		return err
	}
	mod := filepath.Join(m.dir, "go.mod")
	if _, err := os.Stat(mod); err != nil {
		path, _, _ := strings.Cut(m.path, "@")
		if err := os.WriteFile(mod, []byte("module "+path+"\n"), 0o666); err != nil {
			return err
		}
	}
	if err := m.freeOfNeighbours(); err != nil {
		return err
	}
	// Modules leave out what only their tests need. A test whose imports cannot be had fails.
	_, _, _, _ = m.command("go", "mod", "tidy", "-e")
	version, err := m.goLine()
	if err != nil {
		return err
	}
	if newerThan(version) {
		return &needsNewer{version}
	}
	if goversion.Compare("go"+version, "go"+goVersion) < 0 {
		version = goVersion
	}
	_, errs, _, err := m.command("go", "mod", "edit", "-go="+version, "-toolchain=none", "-require="+cachegen+"@v0.0.0", "-replace="+cachegen+"="+m.o.repo)
	if err != nil {
		return fmt.Errorf("go mod edit: %w: %s", err, errs)
	}
	return nil
}

// goLine returns the version that go.mod says, after its dependencies have had their say.
func (m *module) goLine() (string, error) {
	out, errs, _, err := m.command("go", "mod", "edit", "-json")
	var mod struct{ Go string }
	if err == nil {
		err = json.Unmarshal(out, &mod)
	}
	if err != nil {
		if n := needed.FindSubmatch(errs); n != nil {
			return string(n[1]), nil
		}
		return "", fmt.Errorf("go mod edit: %w: %s", err, errs)
	}
	if mod.Go == "" {
		return goVersion, nil
	}
	return mod.Go, nil
}

// freeOfNeighbours drops replacements by directories: a module of a repository of several
// refers to its neighbours, which are not in the module cache.
func (m *module) freeOfNeighbours() error {
	out, errs, _, err := m.command("go", "mod", "edit", "-json")
	var mod struct {
		Replace []struct {
			Old, New struct{ Path, Version string }
		}
	}
	if err == nil {
		err = json.Unmarshal(out, &mod)
	}
	if err != nil {
		return fmt.Errorf("go mod edit: %w: %s", err, errs)
	}
	for _, r := range mod.Replace {
		if r.New.Version != "" {
			continue
		}
		old := r.Old.Path
		if r.Old.Version != "" {
			old += "@" + r.Old.Version
		}
		if _, errs, _, err := m.command("go", "mod", "edit", "-dropreplace="+old); err != nil {
			return fmt.Errorf("go mod edit: %w: %s", err, errs)
		}
	}
	return nil
}

func (m *module) copyModule() error {
	cmd := exec.Command("go", "mod", "download", "-json", m.path)
	cmd.Dir = os.TempDir()
	out, err := cmd.Output()
	var d struct{ Dir, Error string }
	e := json.Unmarshal(out, &d)
	if n := needed.FindStringSubmatch(d.Error); n != nil {
		return &needsNewer{n[1]}
	}
	if e != nil || d.Error != "" || err != nil {
		return errors.Join(fmt.Errorf("go mod download %s: %s", m.path, d.Error), err)
	}
	return m.copyTree(d.Dir, m.dir, true)
}

// signed is the line that keeps a generator's file from being annotated. Here such code is
// wanted: it is large and strange.
var signed = regexp.MustCompile(`(?m)^// Code generated (.*) DO NOT EDIT\.`)

var importsC = regexp.MustCompile(`(?m)^import "C"`)

// copyTree copies a directory, makes it writable, and formats its Go files, since what gofmt
// would format otherwise is refused by adopt, and that is not what is looked for.
func (m *module) copyTree(from, to string, below bool) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if d.IsDir() {
			if rel != "." && !below && d.Name() != "testdata" && !strings.Contains(filepath.ToSlash(rel), "testdata/") {
				return filepath.SkipDir
			}
			return os.MkdirAll(target, 0o777)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, ".go") && !strings.Contains(filepath.ToSlash(rel), "testdata/") {
			m.cgo = m.cgo || importsC.Match(b)
			b = signed.ReplaceAll(b, []byte("// Code once generated $1"))
			if f, err := format.Source(b); err == nil {
				b = f
			}
		}
		return os.WriteFile(target, b, 0o666)
	})
}

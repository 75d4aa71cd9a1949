// Package output brings changed files to disk, all or none ([Commit]), or shows how they
// differ ([Diff]).
//
// What it promises: a reader of a file sees its old content or its new one, never a
// part; a run that fails leaves every file as it was; a file whose content stays the
// same is not touched.
package output

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Change is one file before and after. Old is nil for a file that is new, New for one that
// goes away.
type Change struct {
	Name     string // absolute path
	Old, New []byte
}

// Sort orders changes by name and drops those that change nothing.
func Sort(cs []Change) []Change {
	cs = slices.DeleteFunc(cs, func(c Change) bool {
		return (c.Old == nil) == (c.New == nil) && bytes.Equal(c.Old, c.New)
	})
	slices.SortFunc(cs, func(a, b Change) int { return strings.Compare(a.Name, b.Name) })
	return cs
}

// ErrMeanwhile is in an error of Commit that is due to a file that has changed since it was
// read: another run may find it otherwise.
var ErrMeanwhile = errors.New("run again")

// Commit brings every file to its new content, or, when it returns an error, leaves every file as
// it was. New content stands complete beside its file before the first file is
// replaced; a file that is not what Old says has been edited meanwhile and stops the
// commit, unless it is what New says already: two runs over the same sources may meet.
// Mode bits are kept, and symbolic links are followed.
func Commit(changes []Change) (err error) {
	type staged struct {
		path, temp string
		old        []byte
		mode       fs.FileMode
	}
	var todo []staged
	defer func() {
		for _, s := range todo {
			if s.temp != "" {
				unstage(s.temp)
			}
		}
	}()
	for _, c := range changes {
		s := staged{path: c.Name, mode: 0o644}
		if real, err := filepath.EvalSymlinks(c.Name); err == nil {
			s.path = real
		}
		now, err := os.ReadFile(s.path)
		switch {
		case err == nil && c.New != nil && bytes.Equal(now, c.New), errors.Is(err, fs.ErrNotExist) && c.New == nil:
			continue
		case err == nil && c.Old == nil:
			return fmt.Errorf("%s has appeared meanwhile; %w", c.Name, ErrMeanwhile)
		case err == nil && !bytes.Equal(now, c.Old):
			return fmt.Errorf("%s has been edited meanwhile; %w", c.Name, ErrMeanwhile)
		case errors.Is(err, fs.ErrNotExist) && c.Old != nil:
			return fmt.Errorf("%s has gone meanwhile; %w", c.Name, ErrMeanwhile)
		case err == nil:
			fi, err := os.Stat(s.path)
			if err != nil {
				return err
			}
			s.mode, s.old = fi.Mode().Perm(), now
		case !errors.Is(err, fs.ErrNotExist) || c.Old != nil:
			return err
		}
		if c.New != nil {
			if s.temp, err = stage(s.path, c.New, s.mode); err != nil {
				return fmt.Errorf("nothing was changed: %w", err)
			}
		}
		todo = append(todo, s)
	}
	for i, s := range todo {
		if s.temp != "" {
			err = os.Rename(s.temp, s.path)
		} else {
			err = os.Remove(s.path)
		}
		if err == nil {
			continue
		}
		errs := []error{fmt.Errorf("nothing was changed: %w", err)}
		for _, d := range todo[:i] {
			if err := restoreFile(d.path, d.old, d.mode); err != nil {
				errs[0] = fmt.Errorf("some files are changed and could not be put back: %w", errs[0])
				errs = append(errs, err)
			}
		}
		return errors.Join(errs...)
	}
	return nil
}

// tempPrefix begins the names of directories in which new content waits. They stand beside
// the files that they are for, so that a rename is all that is left to do.
const tempPrefix = ".cachegen-"

// stage writes content to a file in a directory of its own beside path and returns its name.
// Git ignores all of that directory, should the process be killed: the pattern in it means
// its own file, too.
func stage(path string, content []byte, mode fs.FileMode) (string, error) {
	dir, err := os.MkdirTemp(filepath.Dir(path), fmt.Sprintf("%s%d-*", tempPrefix, os.Getpid()))
	if err != nil {
		return "", err
	}
	temp := filepath.Join(dir, filepath.Base(path))
	err = os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("*\n"), 0o644)
	if err == nil {
		err = os.WriteFile(temp, content, mode)
	}
	if err == nil {
		err = os.Chmod(temp, mode)
	}
	if err != nil {
		unstage(temp)
		return "", err
	}
	return temp, nil
}

// unstage removes what stage has made.
func unstage(temp string) { os.RemoveAll(filepath.Dir(temp)) }

// Temporary reports whether a name is one that runs give to what waits to be renamed.
func Temporary(name string) bool { return strings.HasPrefix(name, tempPrefix) }

// Sweep removes what runs that were killed have left at these paths, whose names are
// Temporary. What belongs to a process that lives stays.
func Sweep(paths []string) {
	for _, p := range paths {
		name, ours := strings.CutPrefix(filepath.Base(p), tempPrefix)
		pid, _, dir := strings.Cut(name, "-")
		n, err := strconv.Atoi(pid)
		if !ours || err != nil || dir && alive(n) {
			continue
		}
		if dir {
			os.RemoveAll(p)
		} else if fi, err := os.Lstat(p); err == nil && fi.Mode().IsRegular() {
			os.Remove(p) // of an earlier version, which had files for it
		}
	}
}

// alive reports whether there is a process of this id.
func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	defer p.Release()
	if runtime.GOOS == "windows" {
		return true // it was found
	}
	err = p.Signal(syscall.Signal(0))
	return err == nil || errors.Is(err, fs.ErrPermission)
}

func restoreFile(path string, old []byte, mode fs.FileMode) error {
	if old == nil {
		return os.Remove(path)
	}
	temp, err := stage(path, old, mode)
	if err != nil {
		return err
	}
	defer unstage(temp)
	return os.Rename(temp, path)
}

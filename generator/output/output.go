// Package output is what may be done with changed files: bring them to disk, all or
// none ([Commit]), or show how they differ ([Diff]).
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
	"slices"
	"strings"
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

// Commit brings every file to its new content, or, when it returns an error, leaves every file as
// it was. New content stands complete beside its file before the first file is
// replaced; a file that is not what Old says has been edited meanwhile and stops the
// commit. Mode bits are kept, and symbolic links are followed.
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
				os.Remove(s.temp)
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
		case err == nil && c.Old == nil:
			return fmt.Errorf("%s has appeared meanwhile; run again", c.Name)
		case err == nil && !bytes.Equal(now, c.Old):
			return fmt.Errorf("%s has been edited meanwhile; run again", c.Name)
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

// stage writes content beside path and returns its name.
func stage(path string, content []byte, mode fs.FileMode) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".cachegen-*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Close(), os.Chmod(f.Name(), mode))
	if err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

func restoreFile(path string, old []byte, mode fs.FileMode) error {
	if old == nil {
		return os.Remove(path)
	}
	temp, err := stage(path, old, mode)
	if err != nil {
		return err
	}
	return os.Rename(temp, path)
}

package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// child is a command that is run as often as is asked for.
type child struct {
	dir  string
	env  []string // added to that of the process
	args []string
}

func command(dir string, env []string, args ...string) *child { return &child{dir, env, args} }

// usage is what a process and its children cost.
type usage struct {
	wall, cpu time.Duration
	memory    int64 // bytes, of the largest of them
}

func (c *child) run() error { _, err := c.usage(); return err }

// output returns what the command prints.
func (c *child) output() (string, error) {
	out, _, err := c.start()
	return out, err
}

func (c *child) usage() (usage, error) {
	_, u, err := c.start()
	return u, err
}

func (c *child) start() (string, usage, error) {
	cmd := exec.Command(c.args[0], c.args[1:]...)
	cmd.Dir, cmd.Env = c.dir, append(os.Environ(), append(c.env, "PWD="+c.dir)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	start := time.Now()
	err := cmd.Run()
	u := usage{wall: time.Since(start)}
	if err != nil {
		text := errs.String() + out.String()
		return "", u, fmt.Errorf("%s: %w\n%s", strings.Join(c.args[:min(4, len(c.args))], " "), err, text[:min(4000, len(text))])
	}
	u.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.memory = int64(r.Maxrss) << 10
	}
	return out.String(), u, nil
}

// inTurn runs the commands one after the other, all of them n times, and once before for
// the caches.
func inTurn(n int, commands ...*child) ([]usage, error) {
	best := make([]usage, len(commands))
	for round := range n + 1 {
		for i, c := range commands {
			u, err := c.usage()
			if err != nil {
				return nil, err
			}
			b := &best[i]
			switch {
			case round == 0:
			case round == 1:
				*b = u
			default:
				b.wall, b.cpu, b.memory = min(b.wall, u.wall), min(b.cpu, u.cpu), max(b.memory, u.memory)
			}
		}
	}
	return best, nil
}

// readCommand as the first argument makes this program read a tree and end.
const readCommand = "read-tree"

// readTree reads the .go files that the go command would look at, several at once.
func readTree(root string) error {
	var eg errgroup.Group
	eg.SetLimit(2 * runtime.GOMAXPROCS(0))
	err := goFiles(root, func(path string) error {
		eg.Go(func() error { _, err := os.ReadFile(path); return err })
		return nil
	})
	if e := eg.Wait(); err == nil {
		err = e
	}
	return err
}

// goFiles calls do for the .go files of a module, in those directories that "..." matches.
func goFiles(root string, do func(path string) error) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name := d.Name()
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (name == "testdata" || name == "vendor" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")):
			return filepath.SkipDir
		case d.Type().IsRegular() && strings.HasSuffix(name, ".go"):
			return do(path)
		}
		return nil
	})
}

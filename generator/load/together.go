package load

import (
	"go/build/constraint"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Together reports whether some build compiles both files of the package. It returns true
// where that is hard to find out.
func (p *Package) Together(a, b *File) bool {
	if a == b {
		return true
	}
	return satisfiable(
		Constraint(p.Fset, filepath.Base(a.Name), a.Syntax),
		Constraint(p.Fset, filepath.Base(b.Name), b.Syntax),
	)
}

// maxFreeTags bounds how many tags, such as those that a user gives to the go command, are
// tried in all combinations.
const maxFreeTags = 8

// satisfiable reports whether all of the constraints hold in some build: for one system, one
// architecture, one compiler, one version of Go, and any set of other tags.
func satisfiable(constraints ...string) bool {
	var all []constraint.Expr
	mentioned := map[string]bool{}
	for _, c := range constraints {
		if c == "" {
			continue
		}
		x, err := constraint.Parse("//go:build " + c)
		if err != nil {
			return true
		}
		all = append(all, x)
		tagsOf(x, mentioned)
	}
	systems, archs, compilers, versions := []string{""}, []string{""}, []string{""}, []int{0}
	var free []string
	for tag := range mentioned {
		minor, isVersion := minorOf(tag)
		switch {
		case goos[tag] || tag == "unix":
			systems = keysOf(goos)
		case goarch[tag]:
			archs = keysOf(goarch)
		case tag == "gc" || tag == "gccgo":
			compilers = []string{"gc", "gccgo"}
		case isVersion:
			versions = append(versions, minor)
		default:
			free = append(free, tag)
		}
	}
	if len(free) > maxFreeTags {
		return true
	}
	for _, system := range systems {
		for _, arch := range archs {
			for _, compiler := range compilers {
				for _, version := range versions {
					for set := range 1 << len(free) {
						holds := func(tag string) bool {
							switch i := slices.Index(free, tag); {
							case i >= 0:
								return set>>i&1 == 1
							case tag == "unix":
								return unix[system]
							case goos[tag]:
								return tag == system || tag == impliedBy[system]
							}
							if minor, ok := minorOf(tag); ok {
								return minor <= version
							}
							return tag == arch || tag == compiler
						}
						if !slices.ContainsFunc(all, func(x constraint.Expr) bool { return !x.Eval(holds) }) {
							return true
						}
					}
				}
			}
		}
	}
	return false
}

// tagsOf adds the tags that a constraint mentions.
func tagsOf(x constraint.Expr, tags map[string]bool) {
	switch x := x.(type) {
	case *constraint.AndExpr:
		tagsOf(x.X, tags)
		tagsOf(x.Y, tags)
	case *constraint.OrExpr:
		tagsOf(x.X, tags)
		tagsOf(x.Y, tags)
	case *constraint.NotExpr:
		tagsOf(x.X, tags)
	case *constraint.TagExpr:
		tags[x.Tag] = true
	}
}

// minorOf returns 21 for the tag go1.21, which holds in that version of Go and all later ones.
func minorOf(tag string) (int, bool) {
	rest, ok := strings.CutPrefix(tag, "go1.")
	n, err := strconv.Atoi(rest)
	return n, ok && err == nil
}

func keysOf(m map[string]bool) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	return all
}

var (
	// unix are the systems for which the tag unix holds, as go/build has them.
	unix = set("aix android darwin dragonfly freebsd hurd illumos ios linux netbsd openbsd solaris")

	// impliedBy is the tag of another system that holds for a system too, as go/build has it.
	impliedBy = map[string]string{"android": "linux", "illumos": "solaris", "ios": "darwin"}
)

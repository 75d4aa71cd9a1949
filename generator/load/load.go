// Package load turns annotated directories into typed packages, at the least cost
// that typing them allows.
package load

import (
	"go/ast"
	"go/token"
	"go/types"
)

// Package is one package that has annotated files, parsed and type-checked without
// function bodies, tolerant of errors that do not touch an annotated signature.
// Files that cachegen generated are known by name and package clause only: they are
// not in Syntax, and what they declare is not in Types.
type Package struct {
	ImportPath string
	Name       string
	Dir        string
	Fset       *token.FileSet
	Syntax     []*File // hand-written files of the present build configuration, sorted
	Other      []*File // hand-written files that it excludes, parsed, not typed
	Generated  []string
	Types      *types.Package
	Info       *types.Info
	Sizes      types.Sizes
	Errors     []types.Error // type errors, bodies not included
	Module     string        // module path, "" outside a module
	ModuleDir  string
	GoVersion  string // as in go.mod, "1.26"; "" when unknown
}

// File is one source file of a package.
type File struct {
	Name   string // absolute path
	Src    []byte
	Syntax *ast.File
}

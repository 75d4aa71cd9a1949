package load

import (
	"context"
	"go/ast"
	"go/token"
	"go/types"
	"sync"
	"time"

	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/directive"
	"github.com/cachegen/cachegen/generator/scan"
)

// RuntimePath is the import path of the package that generated code calls.
const RuntimePath = "github.com/cachegen/cachegen/runtime"

// CachePath is the import path of the package that people call.
const CachePath = "github.com/cachegen/cachegen/cache"

// SurfacePath is the import path of the contract of adapters.
const SurfacePath = CachePath + "/surface"

// Package is one package that has annotated files, parsed and type-checked without
// function bodies, tolerant of errors that do not touch an annotated signature.
// Files that cachegen generated are known by name only: they are not in Syntax, and
// what they declare is not in Types.
type Package struct {
	ImportPath string
	Name       string
	Dir        string
	Fset       *token.FileSet
	Syntax     []*File // hand-written files of the present build configuration, sorted
	Other      []*File // further hand-written files of the package: excluded ones and tests; parsed, not typed
	Generated  []string
	Types      *types.Package
	Info       *types.Info
	Sizes      types.Sizes
	Errors     []types.Error // type errors, bodies not included
	Module     string        // module path, "" outside a module
	ModuleDir  string
	GoVersion  string // as in go.mod, "1.26"; "" when unknown
	Surfaces   []*directive.Surface

	source  *sourcePackage
	unsound map[*ast.FuncDecl]bool // annotated, with signatures that cannot be planned
	full    sync.Once
	body    Bodies
	named   sync.Once
	names   Names
	declCache
	asserted struct {
		once sync.Once
		Assertions
	}
}

// File is one source file of a package.
type File struct {
	Name      string // absolute path
	Src       []byte
	Syntax    *ast.File
	Annotated *scan.Annotated // nil if it holds no //cache: comment
}

// Position returns where pos is in its file, whatever //line comments say.
func (p *Package) Position(pos token.Pos) token.Position { return p.Fset.PositionFor(pos, false) }

// Sound reports whether the signature of an annotated function is fully typed. If not, the
// diagnostics of Load say why.
func (p *Package) Sound(decl *ast.FuncDecl) bool { return !p.unsound[decl] }

// Import returns the types of a package that this one imports or that its generated
// code may import, such as "time". It is safe for concurrent use.
func (p *Package) Import(path string) (*types.Package, error) { return p.source.set.Import(path) }

// Bodies is a package typed with its function bodies.
type Bodies struct {
	Types *types.Package
	Info  *types.Info
	Errs  []types.Error
}

// Bodies type-checks the package once more, with function bodies, on first use. Its
// objects are distinct from those of Types and Info, for the same syntax: compare
// positions or names, not objects. It is safe for concurrent use.
func (p *Package) Bodies() *Bodies {
	p.full.Do(func() {
		p.body.Info = newInfo()
		p.body.Types, p.body.Errs = p.check(p.body.Info, nil)
	})
	return &p.body
}

// Config says how to load.
type Config struct {
	Dir        string   // working directory, absolute
	Env        []string // for the go command; nil for that of the process
	BuildFlags []string // for the go command, such as -tags=x
	Fset       *token.FileSet

	// Patience is how long to wait for the go command to compile what annotated packages
	// import, before their types come from source. 0 stands for twenty seconds.
	Patience time.Duration
}

func (c Config) patience() time.Duration {
	if c.Patience == 0 {
		return 20 * time.Second
	}
	return c.Patience
}

// Load types the packages of the annotated files. The packages are sorted by directory;
// those that could not be loaded are missing, and the diagnostics say why.
func Load(ctx context.Context, cfg Config, files []*scan.Annotated) ([]*Package, []diag.Diagnostic) {
	l := &loader{cfg: cfg, ctx: ctx, parsed: map[string]*scan.Annotated{}}
	for _, f := range files {
		l.parsed[f.Path] = f
	}
	return l.load(scan.Dirs(files))
}

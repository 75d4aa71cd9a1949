package diag

import (
	"fmt"
	"go/token"
	"slices"
)

// Code names a kind of diagnostic. Codes are stable: a code is never given to
// another kind of finding, and scripts may match on them.
//
// The first digit says which part of the generator speaks: CG1 the text of a directive (CG15 options
// that contradict each other), CG2 loading and files, CG3 names and signatures,
// CG4 keys, CG5 values, CG6 drawing functions, CG7 rewriting of source, CG9 a fault of
// cachegen itself.
type Code string

// Info is what is declared of a code.
type Info struct {
	Code  Code
	Title string // what kind of finding it is, a short phrase
	Hint  string // what to do next, unless the diagnostic says something more precise
}

var declared = map[Code]Info{}

// declare makes a code known. A code that is declared twice is a fault of the
// program and stops it at start-up.
func declare(c Code, title, hint string) Code {
	if _, ok := declared[c]; ok {
		panic(fmt.Sprintf("diag: code %s is declared twice", c))
	}
	declared[c] = Info{c, title, hint}
	return c
}

// Info returns what was declared of the code.
func (c Code) Info() Info { return declared[c] }

// Codes returns every declared code, sorted.
func Codes() []Info {
	all := make([]Info, 0, len(declared))
	for _, i := range declared {
		all = append(all, i)
	}
	slices.SortFunc(all, func(a, b Info) int {
		if a.Code < b.Code {
			return -1
		}
		return 1
	})
	return all
}

// Errorf makes an error at pos, with the hint that the code declares.
func Errorf(pos token.Position, c Code, format string, args ...any) Diagnostic {
	return Diagnostic{Pos: pos, Severity: Error, Code: c, Message: fmt.Sprintf(format, args...), Hint: c.Info().Hint}
}

// Warnf makes a warning at pos, with the hint that the code declares.
func Warnf(pos token.Position, c Code, format string, args ...any) Diagnostic {
	d := Errorf(pos, c, format, args...)
	d.Severity = Warning
	return d
}

// WithHint returns d with a hint of its own instead of the one that its code declares.
func (d Diagnostic) WithHint(format string, args ...any) Diagnostic {
	d.Hint = fmt.Sprintf(format, args...)
	return d
}

// WithRelated returns d with one more related place.
func (d Diagnostic) WithRelated(pos token.Position, format string, args ...any) Diagnostic {
	d.Related = append(slices.Clip(d.Related), Related{pos, fmt.Sprintf(format, args...)})
	return d
}

// The text of directives.
var (
	UnknownDirective = declare("CG1001", "unknown directive",
		"the directives are //cache:data, //cache:resource and //cache:surface; for prose, put a space after //")
	MalformedDirective = declare("CG1002", "comment that is almost a directive",
		"write //cache:data or //cache:resource, in lower case and without spaces; for prose, put a space after //")
	BlockDirective = declare("CG1003", "directive inside a /* */ comment",
		"write it on a line of its own that starts with //cache:")
	NotOnFunction = declare("CG1004", "directive that is not on a function",
		"put it directly above a function or method declaration, as a line of its doc comment")
	DetachedDirective = declare("CG1005", "directive separated from its function",
		"remove the blank line between the directive and the function")
	TwoDirectives = declare("CG1006", "two directives on one function",
		"keep one of them")
	DirectiveInTest = declare("CG1007", "directive in a test file",
		"move the function into a file that is not a test")
	DirectiveInGenerated = declare("CG1008", "directive in a generated file",
		"the next run of that file's generator would drop it: annotate a function written by hand that calls this one")
	MisplacedSurface = declare("CG1009", "//cache:surface outside a package doc comment",
		"put it into the comment directly above the package clause")
	MalformedArgument = declare("CG1101", "text that is no option",
		`options are separated by spaces and written name, name=value or name="a value with spaces"`)
	UnknownOption = declare("CG1102", "unknown option",
		"run cachegen help directives for the list")
	DuplicateOption = declare("CG1103", "option given twice",
		"keep one of them")
	WrongKind = declare("CG1104", "option of the other directive",
		"remove it or use the other directive")
	BadValue = declare("CG1105", "option with a value that it does not take",
		"run cachegen help directives for what it takes")
	OptionNotAvailable = declare("CG1106", "option that is not available",
		"remove it")
)

// Options that contradict each other, a code for each pair.
var (
	StaleWithoutTTL = declare("CG1501", "stale without ttl",
		"add ttl=, after which the old result is stale, or remove stale")
	JitterWithoutTTL = declare("CG1502", "jitter without ttl",
		"add ttl=, which jitter spreads, or remove jitter")
	GraceWithoutRelease = declare("CG1503", "grace without release",
		"add release=, which grace delays, or remove grace")
	VariantsWithoutWidgets = declare("CG1504", "variants without widgets",
		"add widgets, whose outcomes variants bounds, or remove variants")
	KeyWithIgnore = declare("CG1505", "key with ignore",
		"keep key, which alone says what counts, or keep ignore")
	HashOfIgnored = declare("CG1506", "hash of an ignored parameter",
		"remove the parameter from ignore, or remove hash")
	HashNotInKey = declare("CG1507", "hash of a parameter that key leaves out",
		"add the parameter to key, or remove hash")
	HashCtxWithCtxIgnore = declare("CG1508", "hash=ctx with ctx=ignore",
		"keep ctx=ignore, or keep hash=ctx:Func and name the keys that do not matter: ctx=ignore:Key")
	StaleWithDetachOff = declare("CG1509", "stale with detach=off",
		"remove one of them")
	StaleWithWidgets = declare("CG1510", "stale with widgets",
		"remove one of them")
	TagOfIgnored = declare("CG1511", "tag made of an ignored parameter",
		"remove the parameter from ignore, or from the tag")
	TagNotInKey = declare("CG1512", "tag made of a parameter that key leaves out",
		"add the parameter to key, or remove it from the tag")
)

// Files and packages.
var (
	DoesNotParse = declare("CG2001", "annotated file that does not parse",
		"correct the syntax error: nothing is generated from a file that does not parse")
	BadPattern = declare("CG2002", "pattern that matches no package",
		"name packages as the go command does: ./..., ./sub, example.com/module/sub")
	NotLoaded = declare("CG2003", "package that the go command cannot load",
		"correct what go list says about it")
	Excluded = declare("CG2004", "annotated file that the build configuration excludes",
		"its generated file is left as it is; run cachegen also with the GOOS, GOARCH, CGO_ENABLED or --tags that include it")
	UnresolvedImport = declare("CG2005", "import that cannot be resolved",
		"add the module with go get, or correct the import path")
	InvalidSignature = declare("CG2006", "annotated signature with a type that cannot be resolved",
		"correct the type: its name, its import, or the code that declares it")
	TypeErrors = declare("CG2007", "package with type errors",
		"if they concern more than generated names, go build shows them all")
	NoRuntime = declare("CG2008", "module that does not require cachegen",
		"run: go get -tool github.com/cachegen/cachegen/cmd/cachegen")
	ForeignOutput = declare("CG2009", "file in the place of a generated one that cachegen did not write",
		"rename or remove it")
	OutputAddsError = declare("CG2010", "generated code that would not compile",
		"nothing was written; if the cause is not in your code, it is a fault of cachegen: please report it with the function's signature")
	MixedPackages = declare("CG2011", "directory with several packages",
		"give all files of the directory one package clause")
	NotMain = declare("CG2012", "package outside the main module",
		"run cachegen in the module that the package belongs to")
	WrongUse = declare("CG2013", "use of generated code that does not compile",
		"correct it; go doc shows what the generated functions and handles take")
)

// Generated files that are not what they should be.
var (
	Stale = declare("CG2101", "stale generated file",
		"run: go tool cachegen ./...")
	Missing = declare("CG2102", "missing generated file",
		"run: go tool cachegen ./...")
	Orphan = declare("CG2103", "generated file without a source",
		"run: go tool cachegen ./..., which removes it")
)

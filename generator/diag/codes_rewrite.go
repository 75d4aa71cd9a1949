package diag

// Codes of adopt and eject.
var (
	// CodeTarget: what was named on the command line is not there, or is not one thing.
	CodeTarget = declare("CG701", "no such function", "name it as ./pkg.Func or ./pkg.Type.Method, or give a package pattern for all annotated functions")
	// CodeSeveral: a function is declared in files of several build configurations.
	CodeSeveral = declare("CG702", "declared for several build configurations", "rename the declarations by hand and annotate each")
	// CodeUnfit: a function that can have no wrapper under its own name.
	CodeUnfit = declare("CG703", "cannot be adopted", "move what is to be cached into a function of its own and adopt that")
	// CodeAnnotated: a function carries a directive already, or none where one is needed.
	CodeAnnotated = declare("CG704", "directive there already", "edit the directive in the source")
	// CodeTaken: the name that the computation would get is in use.
	CodeTaken = declare("CG705", "name in use", "rename one of the two")
	// CodeRoundTrip: a declaration does not survive being taken apart and printed.
	CodeRoundTrip = declare("CG706", "source does not survive a round trip", "run gofmt -w on the file first")
	// CodeInUse: what eject would take away is still used.
	CodeInUse = declare("CG707", "still in use", "remove the use first")
	// CodeUnclear: a reference whose type is not known.
	CodeUnclear = declare("CG708", "reference cannot be resolved", "make the package compile first, or rename by hand")
	// CodeOptions: options on the command line that do not fit what is asked.
	CodeOptions = declare("CG709", "options do not fit", "see cachegen adopt --help")
	// CodeExcluded: a file that the present build configuration leaves out.
	CodeExcluded = declare("CG710", "excluded by build constraints", "run again with the GOOS, GOARCH, CGO_ENABLED or GOFLAGS=-tags= that include it")
)

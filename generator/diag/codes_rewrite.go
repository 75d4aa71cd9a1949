package diag

// Adopt and eject.
var (
	NoTarget = declare("CG7001", "no such function",
		"name it as ./pkg.Func or ./pkg.Type.Method, or give a package pattern for its annotated functions")
	SeveralDeclarations = declare("CG7002", "function declared for several build configurations",
		"rename the declarations to FuncUncached by hand and annotate each")
	CannotAdopt = declare("CG7003", "function that cannot be adopted",
		"move what is to be cached into a function of its own and adopt that")
	AnnotatedAlready = declare("CG7004", "function that is annotated already",
		"edit the directive in the source")
	NameTaken = declare("CG7005", "name that the computation would get is in use",
		"rename what has it")
	NoRoundTrip = declare("CG7006", "source that does not survive a round trip",
		"run gofmt -w on the file first")
	StillInUse = declare("CG7007", "generated name that is still used",
		"remove the use first")
	UnclearReference = declare("CG7008", "reference whose type is not known",
		"make the package compile first, or rename by hand")
	AdoptOptions = declare("CG7009", "command line that does not fit",
		"see the help of the command")
	ExcludedFile = declare("CG7010", "file that the build configuration leaves out",
		"run again with the GOOS, GOARCH, CGO_ENABLED or GOFLAGS=-tags=… that include it")
	NotAnnotated = declare("CG7011", "function that is not annotated",
		"name an annotated function or its wrapper")
)

package diag

// Codes of names and signatures (CG3), keys (CG4), values (CG5), and of drawing
// functions that cannot be planned (CG64).
var (
	ExportedImpl = declare("CG3001", "exported function without the suffix Uncached",
		"run go tool cachegen adopt on it, rename it, or say name=")
	NoExportedName = declare("CG3002", "name that cannot be exported", "say what the cached function is called: name=SomeName")
	BadName        = declare("CG3003", "name that no wrapper can have", "choose another name with name=")
	NameClash      = declare("CG3004", "generated name that is taken", "choose another name with name=")
	MemberClash    = declare("CG3005", "wrapper named like a field or method of the receiver", "choose another name with name=")
	NoBody         = declare("CG3006", "function without a body", "write a Go function that calls it, and annotate that")
	SpecialFunc    = declare("CG3007", "function that the go command or the linker calls", "move what is worth caching into a function of its own, and annotate that")
	NoResults      = declare("CG3008", "function without a result", "return what it computes; a function that only has effects must not be cached")
	OnlyError      = declare("CG3009", "function whose only result is an error", "if all that it does is to find the error, add errors=30s, for how long it is kept; nil is kept, too. A function that only has effects must not be cached")
	RecvMissing    = declare("CG3010", "method without recv=", "say what the receiver is to the cache: recv=key, recv=identity or recv=ignore")
	RecvOnFunc     = declare("CG3011", "recv= on a function", "remove it: a function has no receiver")
	RecvIdentity   = declare("CG3012", "receiver that cannot be told by its identity", "use recv=key or recv=ignore, or make it a function of what it needs")
	Unresolved     = declare("CG3013", "type that is not known", "make the signature compile; generated files may not declare types that it needs")
	LocalType      = declare("CG3014", "type that generated code cannot name", "use an exported type of a package that can be imported")
	TooDeep        = declare("CG3016", "type nested too deep", "give a part of it a name with a type declaration")

	UnknownParam  = declare("CG3101", "option that names no parameter", "use the name of a parameter")
	UnknownFunc   = declare("CG3102", "option that names no function", "declare it in this package, or import its package in this file")
	WrongFunc     = declare("CG3103", "function with a signature that does not fit the option", "change the function's parameters and results")
	NoSuchMethod  = declare("CG3104", "option that names a method that the value does not have", "name a function that takes the value")
	NeedsContext  = declare("CG3105", "option that needs a context", "add a context.Context as the first parameter")
	BadTagParam   = declare("CG3106", "tag made of something that is no string, integer or bool", "use a parameter of such a type that is in the key")
	StaleBorrows  = declare("CG3107", "stale= with arguments that cannot outlive the call", "remove stale=, or ignore or replace the parameter")
	NeedsError    = declare("CG3108", "errors= on a function without an error result", "remove errors=, or return an error")
	OneResult     = declare("CG3109", "option that needs exactly one result", "return one value, and an error if need be")
	IgnoresKeyArg = declare("CG3110", "key= or ignore= of something that is never in the key by itself", "remove it")
	NoValue       = declare("CG3111", "option about a value that there is not", "remove it")
	NoContextKey  = declare("CG3113", "ctx=ignore: of something that is no context key", "name the type of the key, or a variable or constant that is the key")
	Outlives      = declare("CG3114", "result that outlives one that it was made of", "pass on the context of the body to the goroutines that it starts, so that ttl, tags and session of what they call count for its result")
	HashedTwice   = declare("CG3112", "two hash= of one parameter", "keep one of them, and let its function return a struct of both parts")

	Unkeyable     = declare("CG4001", "parameter that cannot be in a key", "ignore it, or say its key with hash=")
	KeyNotOwn     = declare("CG4002", "hash= with a result that cannot be in a key", "return plain data: strings, numbers, structs of them")
	HiddenContext = declare("CG4003", "context that comes with an ignored parameter",
		"take a context.Context as a parameter of its own and read that one, which the cache watches; or pass what is read of it as an argument; or, if it does not matter to the result, say ctx=ignore")
	AssertedContext = declare("CG4004", "context that is asked for its dynamic type",
		"put what is needed into the context with context.WithValue, and read it with ctx.Value; or ask before the cached function is called, and pass the answer as an argument")
	Uncopyable   = declare("CG5001", "result that cannot be copied", "say copy=share, copy=Func, or make it a //cache:resource")
	StreamResult = declare("CG5002", "result that is used up by its first reader", "return what it yields, as a slice or bytes")
	IdentityPin  = declare("CG5003", "result that keeps the receiver alive", "use recv=key or recv=ignore, or return something that does not refer to the receiver")
	LockResult   = declare("CG5004", "result with a lock or buffer in it that must not be copied", "return a pointer")

	SurfaceUnsupported = declare("CG6040", "function that draws", "return what is to be drawn (bytes, a string) and write it outside of the cached function")
)

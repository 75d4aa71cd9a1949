package diag

const useInput = `ask for it with cache.Input(ctx, name) and say widgets in the directive, or read it before the cached function and pass it as an argument`

// Codes of functions that draw or that are given a request.
var (
	// CodeInputName: an input of the request is read under a name that is not constant.
	CodeInputName = declare("CG6001", "input under a name that is not constant", useInput)
	// CodeInputBody: the body of the request is read as a stream.
	CodeInputBody = declare("CG6002", "request body is read", "read it before the cached function and pass what it says as an argument; for form fields, files and signals use r.FormValue, r.FormFile or cache.Input(ctx, name)")
	// CodeInputHanded: the request is handed to something that cannot be followed.
	CodeInputHanded = declare("CG6003", "request is handed elsewhere", "pass what is needed of it instead, such as r.Context() or r.URL.Path, or "+useInput)
	// CodeInputStored: the request may outlive the call.
	CodeInputStored = declare("CG6004", "request is stored", "keep what is needed of it in a variable of the function instead, or "+useInput)
	// CodeInputAll: all inputs of a kind are read at once, or one that stands for no name.
	CodeInputAll = declare("CG6005", "request is read as a whole", "read the inputs that matter one by one under constant names, or "+useInput)
	// CodeInputChanged: the body changes the request.
	CodeInputChanged = declare("CG6006", "request is changed", "change the request before the cached function is called")
	// CodeInputCredentials: the body reads credentials.
	CodeInputCredentials = declare("CG6007", "credentials are read", "check them before the cached function is called, and pass who it is as an argument")
	// CodeInputUnparsed: r.Form is read where nothing fills it.
	CodeInputUnparsed = declare("CG6008", "form is not parsed", "call r.ParseForm first, or use r.FormValue")
	// CodeInputBuilds: a function that is handed the request exists for several builds.
	CodeInputBuilds = declare("CG6009", "function differs between build configurations", "read the request in a function that is the same in all of them")
	// CodeInputUnclear: an expression that uses the request has no type.
	CodeInputUnclear = declare("CG6010", "use of the request cannot be understood", "make the package compile, or pass what is needed of the request instead")

	// CodeSurfaceElsewhere: the body draws to something that is no parameter.
	CodeSurfaceElsewhere = declare("CG6020", "draws to something that is no parameter", "make it a parameter of the function, so that what is drawn can be drawn again")
	// CodeSurfaceKept: the body keeps what it draws to beyond the call.
	CodeSurfaceKept = declare("CG6021", "keeps what it draws to", "keep it in a variable of the function only")
	// CodeSurfaceHijack: the body takes over the connection.
	CodeSurfaceHijack = declare("CG6022", "takes over the connection", "remove the directive: what is sent this way cannot be sent again")
	// CodeSurfaceCookie: the body sets a cookie.
	CodeSurfaceCookie = declare("CG6023", "sets a cookie", "set it before the cached function is called: a cookie belongs to one user, and what the function draws to all")

	// CodeSurfaceHeader: the body reads what stands in the header of the response.
	CodeSurfaceHeader = declare("CG6024", "header of the response is read", "read it before the cached function is called, and pass what it says as an argument: what stands there by then is one request's, and the function does not see it")

	// CodeSurfaceAsserted: the body asks what else its writer is.
	CodeSurfaceAsserted = declare("CG6025", "writer is asserted to be something else", "ask before the cached function is called, and pass the answer as an argument: the function draws on a writer of the cache's, which can flush and set deadlines, and is nothing else")

	// CodeHandlerScope: a handler without scope=.
	CodeHandlerScope = declare("CG6041", "handler without scope=", "say scope=global if every user gets the same page for the same inputs, or scope=session to keep one for each session")
	// CodeTwoSurfaces: more than one place to draw on, or more than one request.
	CodeTwoSurfaces = declare("CG6042", "more than one place to draw on", "draw on one, and write the other outside of the cached function")
	// CodeDrawOption: an option of drawing functions on another one.
	CodeDrawOption = declare("CG6043", "option of drawing functions", "remove it, or take an io.Writer or another surface to draw on")
	// CodeDrawStale: stale= on a function that draws or is given a request.
	CodeDrawStale = declare("CG6044", "stale= on a function that draws", "remove stale=, or compute the data in a cached function of its own, with stale=, and draw it in this one")
	// CodeComponent: a result that is drawn when it is rendered, in a shape that cannot be cached.
	CodeComponent = declare("CG6045", "result that draws when it is rendered", "return one component and nothing else")
	// CodeBind: a //cache:surface line that cannot be used.
	CodeBind = declare("CG6046", "surface that cannot be bound", "write //cache:surface TYPE=pkg.Bind with a type and a function that this file can name")
	// CodeWidgets: an input is asked for without the option widgets.
	CodeWidgets = declare("CG6047", "input without the option widgets", "add widgets to the directive, or pass the value as an argument")
	// CodeDrawValidate: validate= takes what a drawing function is called with.
	CodeDrawValidate = declare("CG6048", "validate= with the arguments of a drawing function", "take the results alone, or the context and the results")
	// CodeTwoContexts: a function that takes a context reads that of its request too.
	CodeTwoContexts = declare("CG6049", "two contexts", "read the context that the function takes, and have callers make it of r.Context(); or take the request alone")
	// CodeHoles: too many parameters that the caller draws with.
	CodeHoles = declare("CG6050", "too many parameters to draw with", "take a struct of fewer, or draw some of it in functions of their own")
	// CodeSurfaceResult: a result that can be drawn on.
	CodeSurfaceResult = declare("CG6051", "result that can be drawn on", "draw all of it before the function returns: what is drawn on it later would be missing when the result is served")
)

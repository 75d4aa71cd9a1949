package diag

const useInput = `ask for it with cache.Input(ctx, name) and say widgets in the directive, or read it before the cached function and pass it as an argument`

// Codes of functions that draw or that are given a request.
var (
	// InputName: an input of the request is read under a name that is not constant.
	InputName = declare("CG6001", "input under a name that is not constant", useInput)
	// InputBody: the body of the request is read as a stream.
	InputBody = declare("CG6002", "request body is read", "read it before the cached function and pass what it says as an argument; for form fields, files and signals use r.FormValue, r.FormFile or cache.Input(ctx, name)")
	// InputHanded: the request is handed to something that cannot be followed.
	InputHanded = declare("CG6003", "request is handed elsewhere", "pass what is needed of it instead, such as r.Context() or r.URL.Path, or "+useInput)
	// InputStored: the request may outlive the call.
	InputStored = declare("CG6004", "request is stored", "keep what is needed of it in a variable of the function instead, or "+useInput)
	// InputAll: all inputs of a kind are read at once, or one that stands for no name.
	InputAll = declare("CG6005", "request is read as a whole", "read the inputs that matter one by one under constant names, or "+useInput)
	// InputChanged: the body changes the request.
	InputChanged = declare("CG6006", "request is changed", "change the request before the cached function is called")
	// InputCredentials: the body reads credentials.
	InputCredentials = declare("CG6007", "credentials are read", "check them before the cached function is called, and pass who it is as an argument")
	// InputUnparsed: r.Form is read where nothing fills it.
	InputUnparsed = declare("CG6008", "form is not parsed", "call r.ParseForm first, or use r.FormValue")
	// InputBuilds: a function that is handed the request exists for several builds.
	InputBuilds = declare("CG6009", "function differs between build configurations", "read the request in a function that is the same in all of them")
	// InputUnclear: an expression that uses the request has no type.
	InputUnclear = declare("CG6010", "use of the request cannot be understood", "make the package compile, or pass what is needed of the request instead")

	// SurfaceElsewhere: the body draws to something that is no parameter.
	SurfaceElsewhere = declare("CG6020", "draws to something that is no parameter", "make it a parameter of the function, so that what is drawn can be drawn again")
	// SurfaceKept: the body keeps what it draws to beyond the call.
	SurfaceKept = declare("CG6021", "keeps what it draws to", "keep it in a variable of the function only")
	// SurfaceHijack: the body takes over the connection.
	SurfaceHijack = declare("CG6022", "takes over the connection", "remove the directive: what is sent this way cannot be sent again")
	// SurfaceCookie: the body sets a cookie.
	SurfaceCookie = declare("CG6023", "sets a cookie", "set it before the cached function is called: a cookie belongs to one user, and what the function draws to all")

	// SurfaceHeader: the body reads what stands in the header of the response.
	SurfaceHeader = declare("CG6024", "header of the response is read", "read it before the cached function is called, and pass what it says as an argument: what stands there by then is one request's, and the function does not see it")

	// SurfaceAsserted: the body asks what else its writer is.
	SurfaceAsserted = declare("CG6025", "writer is asserted to be something else", "ask before the cached function is called, and pass the answer as an argument: the function draws on a writer of the cache's, which can flush and set deadlines, and is nothing else")

	// HandlerScope: a handler without scope=.
	HandlerScope = declare("CG6041", "handler without scope=", "say scope=global if every user gets the same page for the same inputs, or scope=session to keep one for each session")
	// TwoSurfaces: more than one place to draw on, or more than one request.
	TwoSurfaces = declare("CG6042", "more than one place to draw on", "draw on one, and write the other outside of the cached function")
	// DrawOption: an option of drawing functions on another one.
	DrawOption = declare("CG6043", "option of drawing functions", "remove it, or take an io.Writer or another surface to draw on")
	// DrawStale: stale= on a function that draws or is given a request.
	DrawStale = declare("CG6044", "stale= on a function that draws", "remove stale=, or compute the data in a cached function of its own, with stale=, and draw it in this one")
	// Component: a result that is drawn when it is rendered, in a shape that cannot be cached.
	Component = declare("CG6045", "result that draws when it is rendered", "return one component and nothing else")
	// Bind: a //cache:surface line that cannot be used.
	Bind = declare("CG6046", "surface that cannot be bound", "write //cache:surface TYPE=pkg.Bind with a type and a function that this file can name")
	// Widgets: an input is asked for without the option widgets.
	Widgets = declare("CG6047", "input without the option widgets", "add widgets to the directive, or pass the value as an argument")
	// DrawValidate: validate= takes what a drawing function is called with.
	DrawValidate = declare("CG6048", "validate= with the arguments of a drawing function", "take the results alone, or the context and the results")
	// TwoContexts: a function that takes a context reads that of its request too.
	TwoContexts = declare("CG6049", "two contexts", "read the context that the function takes, and have callers make it of r.Context(); or take the request alone")
	// Holes: too many parameters that the caller draws with.
	Holes = declare("CG6050", "too many parameters to draw with", "take a struct of fewer, or draw some of it in functions of their own")
	// SurfaceResult: a result that can be drawn on.
	SurfaceResult = declare("CG6051", "result that can be drawn on", "draw all of it before the function returns: what is drawn on it later would be missing when the result is served")
)

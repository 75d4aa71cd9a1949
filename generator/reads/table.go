package reads

import (
	"github.com/cachegen/cachegen/generator/diag"
)

// kinds is a set of what a tracked value may be.
type kinds uint16

const (
	kRequest        kinds = 1 << iota // *http.Request
	kURL                              // its URL
	kQuery                            // url.Values of its query
	kForm                             // its Form
	kPostForm                         // its PostForm
	kHeader                           // its Header
	kSurface                          // where the function draws: followed, hardly restricted
	kResponseHeader                   // the header of the response: written, not read

	kInput = kRequest | kURL | kQuery | kForm | kPostForm | kHeader
)

// each calls f for every member of k.
func (k kinds) each(f func(kinds)) {
	for b := kRequest; b <= kResponseHeader; b <<= 1 {
		if k&b != 0 {
			f(b)
		}
	}
}

func (k kinds) String() string {
	switch k {
	case kRequest:
		return "the request"
	case kURL:
		return "the request's URL"
	case kQuery:
		return "the request's query"
	case kForm:
		return "the request's form"
	case kPostForm:
		return "the request's post form"
	case kHeader:
		return "the request's header"
	}
	if k == kResponseHeader {
		return "the response's header"
	}
	return "what is drawn to"
}

// use says what a field or method of a tracked value gives away.
type use struct {
	call   bool      // a method: it must be called on the spot
	reads  []Input   // what is read
	named  Kind      // what is read under the name that is the first argument
	derive kinds     // the result is tracked as this
	parse  bool      // fills the form; its error is an input
	isNil  bool      // only whether it is nil may be asked
	refuse diag.Code // not allowed
}

func field(k Kind) use                { return use{reads: []Input{{Kind: k}}} }
func method(k Kind) use               { return use{call: true, reads: []Input{{Kind: k}}} }
func headerOf(name string) use        { return use{call: true, reads: []Input{{Header, name}}} }
func named(k Kind) use                { return use{call: true, named: k} }
func refused(c diag.Code) use         { return use{refuse: c} }
func all(names string, u use) members { return members{}.add(names, u) }

// members says it of every field and method of a type that is known; the others are
// refused.
type members map[string]use

func (m members) add(names string, u use) members {
	for name := range fieldsSeq(names) {
		m[name] = u
	}
	return m
}

// table holds the members of everything that is tracked: net/http and net/url as of
// Go 1.27. What a later release adds is refused until it stands here.
var table = map[kinds]members{
	kRequest: all("Context", use{call: true}).
		add("WithContext Clone", use{call: true, derive: kRequest}).
		add("URL", use{derive: kURL}).
		add("Header", use{derive: kHeader}).
		add("Form", use{derive: kForm}).
		add("PostForm", use{derive: kPostForm}).
		add("FormValue", named(Form)).
		add("PostFormValue", named(PostForm)).
		add("PathValue", named(PathPart)).
		add("Cookie CookiesNamed", named(Cookie)).
		add("FormFile", named(File)).
		add("ParseForm ParseMultipartForm", use{call: true, parse: true}).
		add("Method", field(Method)).
		add("Host", field(Host)).
		add("RemoteAddr", field(Remote)).
		add("RequestURI", field(URI)).
		add("Proto ProtoMajor ProtoMinor", field(Proto)).
		add("ProtoAtLeast", method(Proto)).
		add("ContentLength", field(Length)).
		add("Pattern", field(Pattern)).
		add("TLS", use{isNil: true, reads: []Input{{Kind: TLS}}}).
		add("UserAgent", headerOf("User-Agent")).
		add("Referer", headerOf("Referer")).
		add("Body GetBody MultipartReader MultipartForm Trailer TransferEncoding", refused(diag.InputBody)).
		add("BasicAuth", refused(diag.InputCredentials)).
		add("AddCookie SetBasicAuth SetPathValue", refused(diag.InputChanged)).
		add("Cookies Write WriteProxy Response Close Cancel", refused(diag.InputAll)),

	kURL: all("Query", use{call: true, derive: kQuery}).
		add("Path", field(Path)).
		add("EscapedPath", method(Escaped)).
		add("RawQuery", field(RawQuery)).
		add("Scheme Opaque User Host RawPath Fragment RawFragment ForceQuery OmitHost", field(URL)).
		add("String RequestURI Redacted EscapedFragment Hostname Port IsAbs JoinPath Parse ResolveReference MarshalBinary AppendBinary", method(URL)).
		add("UnmarshalBinary", refused(diag.InputChanged)),

	// Query makes a new map at each call: changing it changes nothing else.
	kQuery:    values(Query).add("Encode", method(RawQuery)).add("Set Add Del", use{call: true}),
	kForm:     values(Form).add("Encode", refused(diag.InputAll)),
	kPostForm: values(PostForm).add("Encode", refused(diag.InputAll)),

	// What a middleware has put there belongs to the request that is being answered.
	kSurface: all("Header", use{call: true, derive: kResponseHeader}),
	kResponseHeader: all("Set Add Del", use{call: true}).
		add("Get Values Clone Write WriteSubset", refused(diag.SurfaceHeader)),

	kHeader: all("Get Values", named(Header)).
		add("Set Add Del", refused(diag.InputChanged)).
		add("Clone Write WriteSubset", refused(diag.InputAll)),
}

// values is what url.Values give away when they hold fields of kind k.
func values(k Kind) members {
	return all("Get Has", named(k)).add("Set Add Del", refused(diag.InputChanged))
}

// indexed is what m["name"] reads.
var indexed = map[kinds]Kind{kQuery: Query, kForm: Form, kPostForm: PostForm, kHeader: Header}

const (
	datastarPath = "github.com/starfederation/datastar-go/datastar"
	runtimePath  = "github.com/cachegen/cachegen/runtime"
	cachePath    = "github.com/cachegen/cachegen/cache"
)

// knownCallee is what a function reads of a request that it is handed: one of net/http or of
// Datastar, by full name and index of the argument.
type knownCallee struct {
	fn  string
	arg int
}

// conditional are the headers that decide between 200, 206, 304, 412 and 416.
var conditional = []Input{
	{Kind: Method},
	{Header, "If-Match"}, {Header, "If-Modified-Since"}, {Header, "If-None-Match"},
	{Header, "If-Range"}, {Header, "If-Unmodified-Since"}, {Header, "Range"},
}

var handedTo = map[knownCallee][]Input{
	{"net/http.NotFound", 1}:     {},
	{"net/http.Redirect", 1}:     {{Kind: Method}, {Kind: Escaped}},
	{"net/http.ServeContent", 1}: conditional,
	{"net/http.ServeFile", 1}:    append([]Input{{Kind: Path}, {Kind: RawQuery}}, conditional...),
	{"net/http.ServeFileFS", 1}:  append([]Input{{Kind: Path}, {Kind: RawQuery}}, conditional...),

	{datastarPath + ".NewSSE", 1}: {{Kind: Proto}, {Header, "Accept-Encoding"}},
	{"(*" + datastarPath + ".ServerSentEventGenerator).ReplaceURLQuerystring", 0}: {{Kind: URL}},
}

// readsContext are those of them that look at the context of the request.
var readsContext = map[string]bool{datastarPath + ".NewSSE": true}

// ReadSignals decodes into its second argument: what is read is said by its type.
const readSignals = datastarPath + ".ReadSignals"

// tracedInputs are the functions that ask the cache while the body runs: what they read is
// traced, not listed.
var tracedInputs = map[string]bool{
	cachePath + ".Input": true, cachePath + ".InputValues": true, cachePath + ".InputFiles": true,
	runtimePath + ".Input": true, runtimePath + ".InputValues": true, runtimePath + ".InputFiles": true,
}

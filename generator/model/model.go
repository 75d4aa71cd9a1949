package model

import (
	"go/ast"
	"go/types"
	"time"

	"github.com/cachegen/cachegen/generator/directive"
	"github.com/cachegen/cachegen/generator/load"
)

// Func is one annotated function or method, planned. It refers to the package that it
// was planned in and is valid as long as that is.
type Func struct {
	Pkg       *load.Package
	File      *load.File
	Decl      *ast.FuncDecl
	Directive *directive.Directive
	Obj       *types.Func
	Sig       *types.Signature

	ID      string // what the runtime knows it by: import path, receiver type, name
	Site    string // "store/sales.go", relative to the module, for messages
	Name    string // of the annotated function
	Wrapper string // of the cached function that is generated
	Handle  string // of the variable (a function, for generic functions) that controls the cache
	// HandleType is the type of Handle, or of what it returns.
	HandleType string
	Base       string // what the names of its unexported declarations start with; unique in the package

	Recv       *Param             // nil for functions
	RecvBase   *types.TypeName    // the receiver's type name, nil for functions
	TypeParams []*types.TypeParam // those of the receiver, then the function's own
	Params     []*Param           // without the receiver
	Variadic   bool
	Ctx        *Param // the context.Context among Params, or nil
	Results    []*Result
	HasErr     bool // a trailing error follows Results

	Key      KeyPlan
	Layout   Layout
	Identity bool // recv=identity: the receiver's address is a part of the key

	Resource bool
	Session  bool // the session id is a part of the key

	Opts Options

	Draw *Draw // nil for functions that neither draw nor take a request

	Doc []string // lines of the wrapper's doc comment, without "//"
}

// All returns the receiver, if there is one, and the parameters.
func (f *Func) All() []*Param {
	if f.Recv == nil {
		return f.Params
	}
	return append([]*Param{f.Recv}, f.Params...)
}

// Param is one parameter, or the receiver.
type Param struct {
	Name  string // "" when it has none or is blank
	Type  types.Type
	Index int // in Params; -1 for the receiver
	InKey bool
	Why   string // why it is not in the key, as in "not in the key: ignore="; "" if it is
	// Args says what the miss path does with the parameter before the body may run
	// apart from its caller: nil when it can be handed over as it is.
	Args  *Copy
	Apart bool        // so it does, and Args says how
	Root  *LayoutRoot // of what Args copies; nil where its types are fixed
	Var   *types.Var
}

// Result is one result, the trailing error not counted.
type Result struct {
	Name string // "" when it has none or is blank
	Type types.Type
	Copy *Copy // how a caller gets a value of its own; nil for resources and copy=share
	Size *Size // how it is weighed; nil without max-bytes

	How    Sharing
	Copied bool        // Copy says how, also where it is nil since nothing need be copied
	Root   *LayoutRoot // of what Copy copies; nil where its types are fixed
}

// Sharing says what callers have of a result in common.
type Sharing int

const (
	Copied         Sharing = iota // nothing: each has a copy, the first included
	CopiedByFunc                  // nothing: copy=Func makes the copies
	Immutable                     // the value, in which nothing can be changed
	SharedResource                // the value, which is a resource
	SharedByOption                // the value, which copy=share says they do not change
)

// String returns the one word that lists show: copied, immutable or shared.
func (s Sharing) String() string {
	switch s {
	case Immutable:
		return "immutable"
	case SharedResource, SharedByOption:
		return "shared"
	}
	return "copied"
}

// Options are the options of the directive in the form that generated code needs.
// Functions have been found and their signatures checked.
type Options struct {
	TTL, Stale, ErrorTTL, Timeout, Wait, Grace time.Duration
	Jitter                                     float64
	Max                                        int
	MaxBytes                                   int64
	Detach                                     bool
	TrackContext                               bool
	CtxKeys                                    []*CtxKey // of ctx=ignore:

	TTLFunc   *Use // func(results…) time.Duration
	Keep      *Use // func(results…) bool
	KeepError *Use // func(error) bool
	CopyFunc  *Use // func(results…) results…
	Validate  *Validate
	Release   *Use // func(result) or a method of it

	Tags    []string
	ArgTags []ArgTag
}

// Use is a function that generated code calls for an option.
type Use struct {
	Func   *types.Func
	Import string // import path when the function is another package's, "" for this one's
	Method bool   // called as a method of its first argument
	Ptr    bool   // the method has a pointer receiver and its first argument is a value
	Err    bool   // its last result is an error
}

// CtxKey is a key of the context that does not matter: all keys of a type, or one value.
type CtxKey struct {
	Type   types.Type // nil for a value
	Value  types.Object
	Import string // import path when the value is another package's
}

// Validate is the function of validate=, and what it takes.
type Validate struct {
	Use
	Ctx  bool // the context comes first
	Args bool // the arguments follow the results
	Bool bool // its first result says whether the value is good
}

// ArgTag is a tag that is made from arguments: its pieces, one after the other.
type ArgTag []TagPiece

// TagPiece is constant text, or the text of a parameter.
type TagPiece struct {
	Text  string
	Param *Param // nil for constant text
}

// KeyPlan is how the key of a call is made.
type KeyPlan struct {
	Parts []*KeyPart // in order: session, receiver, context, parameters
}

// KeyPart is one part of a key.
type KeyPart struct {
	Param *Param // nil for the session
	Hash  *Use   // hash=: the part is what this function makes of the parameter
	Plan  *Key
	How   string // one word: exact, float bits, time, dynamic, identity, session, digest or function
	// Lent is set where the body gets memory of the caller's that it could change.
	Lent bool
	Root *LayoutRoot // nil where the types of the part are fixed
}

// Exact reports whether all parts are exact, so that the key needs no digest.
func (k *KeyPlan) Exact() bool {
	for _, p := range k.Parts {
		if !p.Plan.Kind.Exact() {
			return false
		}
	}
	return true
}

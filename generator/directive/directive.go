// Package directive is the grammar of //cache: comments.
package directive

import (
	"go/token"
	"time"
)

// Kind is which of the two directives a function carries.
type Kind int

const (
	// Data is //cache:data: every caller gets a value of its own.
	Data Kind = iota
	// Resource is //cache:resource: every caller gets the same value.
	Resource
)

// FuncRef names a Go function in an option, as it was written: "Name", "pkg.Name"
// with an import of the file, or "" when the option was not given.
type FuncRef string

// Directive is one parsed //cache: line. What it says has been checked as far as
// text allows: values are in range and no two options contradict each other. Whether
// names exist and have the right type is the planner's to say.
type Directive struct {
	Kind    Kind
	Pos     token.Position            // of the comment
	Options Options                   // values; the zero value of a field is "not given"
	At      map[string]token.Position // where each given option stands, by name
}

// Has reports whether the option was given.
func (d *Directive) Has(name string) bool { _, ok := d.At[name]; return ok }

// Hash is hash=param:Func.
type Hash struct {
	Param string // a parameter's name, or "ctx"
	Func  FuncRef
}

// Options holds every option of both directives. Which of them a directive accepts,
// and their help, is in the option table (see Table).
type Options struct {
	TTL        time.Duration
	TTLFunc    FuncRef
	Jitter     float64 // a fraction: 0.1 for 10%
	Stale      time.Duration
	Max        int
	MaxBytes   int64
	Errors     time.Duration
	ErrorsFunc FuncRef
	Keep       FuncRef
	Timeout    time.Duration
	Wait       time.Duration
	Key        []string
	Ignore     []string
	Hash       []Hash
	CtxIgnore  bool
	Recv       string // "", "key", "identity", "ignore"
	Copy       string // "", "auto", "share", or a FuncRef
	Validate   FuncRef
	Release    string // "", "Close", or a FuncRef
	Grace      time.Duration
	Scope      string // "", "global", "session"
	Tags       []string
	Widgets    bool
	Variants   int
	Spinner    string // "", "off" or the text
	DetachOff  bool
	Name       string
}

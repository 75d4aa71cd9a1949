package directive

import (
	"go/token"
)

// Kind is which of the two directives a function carries.
type Kind int

const (
	// Data is //cache:data: every caller gets a value of its own.
	Data Kind = iota
	// Resource is //cache:resource: every caller gets the same value.
	Resource
)

// String returns the word after "//cache:".
func (k Kind) String() string {
	if k == Resource {
		return "resource"
	}
	return "data"
}

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
	Text    string                    // the line as written, without line end
}

// Has reports whether the option was given.
func (d *Directive) Has(name string) bool { _, ok := d.At[name]; return ok }

// Position returns where the option stands, or the directive itself when the option
// was not given.
func (d *Directive) Position(name string) token.Position {
	if p, ok := d.At[name]; ok {
		return p
	}
	return d.Pos
}

// Hash is hash=param:Func.
type Hash struct {
	Param string // a parameter's name, or "ctx"
	Func  FuncRef
	Pos   token.Position
}

// Surface is one //cache:surface line of a package doc comment: values of Type are
// bound by Bind.
type Surface struct {
	Type string // as written: "Type", "*Type", "pkg.Type" or "*pkg.Type"
	Bind FuncRef
	Pos  token.Position
}

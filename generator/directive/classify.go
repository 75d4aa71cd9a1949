package directive

import (
	"fmt"
	"go/ast"
	"regexp"
	"strings"

	"github.com/cachegen/cachegen/generator/diag"
)

// Class is what a comment is to this package.
type Class int

const (
	// Prose is a comment that has nothing to do with directives.
	Prose Class = iota
	// Function is //cache:data or //cache:resource.
	Function
	// SurfaceLine is //cache:surface.
	SurfaceLine
	// Wrong is a comment that was meant as a directive and is none; Found.Code says why.
	Wrong
)

// Found is what [Classify] says of one comment.
type Found struct {
	Class   Class
	Code    diag.Code // of Wrong
	Message string    // of Wrong
	Hint    string    // of Wrong; "" for the code's own
	Warning bool      // of Wrong: it may also be commented-out code
	Offset  int       // of Wrong: byte in the text that the message is about
}

// known are the directives that exist.
var known = []string{"data", "resource", "surface"}

// near matches what somebody may have meant as a directive: the groups are blanks before
// the tool's name, the name, blanks around the colon, the word after it, and the rest.
var near = regexp.MustCompile(`^//([ \t]*)([cC](?:ache|ACHE)(?i:gen)?)([ \t]*):([ \t]*)([A-Za-z0-9_-]*)(.*)$`)

// options matches the rest of a line that goes on like a directive.
var optionsFollow = regexp.MustCompile(`^[ \t]+"?[A-Za-z][A-Za-z_-]*=`)

// Classify says what the line comment text, which starts with "//" and has no line end,
// is. A comment of the other form (/* … */) is prose here; see [ClassifyBlock].
func Classify(text string) Found {
	if d, ok := ast.ParseDirective(1, text); ok && d.Tool == "cache" {
		switch d.Name {
		case "data", "resource":
			return Found{Class: Function}
		case "surface":
			return Found{Class: SurfaceLine}
		}
		f := Found{Class: Wrong, Code: diag.UnknownDirective, Offset: len("//cache:"),
			Message: fmt.Sprintf("unknown directive //cache:%s", d.Name)}
		if n := nearest(d.Name, known); n != "" {
			f.Hint = fmt.Sprintf("did you mean //cache:%s?", n)
		}
		return f
	}
	m := near.FindStringSubmatchIndex(text)
	if m == nil {
		return Found{}
	}
	group := func(i int) string { return text[m[2*i]:m[2*i+1]] }
	indent, tool, before, after, word, rest := group(1), group(2), group(3), group(4), group(5), group(6)
	name := meant(word)
	ends := rest == "" || rest[0] == ' ' || rest[0] == '\t'

	if strings.HasPrefix(text, "//cache:") {
		// Not a directive for Go, but the bytes are there: always reported.
		f := Found{Class: Wrong, Code: diag.MalformedDirective, Offset: len("//cache:")}
		switch {
		case name != "" && ends && after != "":
			f.Message = fmt.Sprintf("a directive has no space after the colon: %q", "//cache:"+after+word)
			f.Hint = fmt.Sprintf("write //cache:%s", name)
		case name != "" && ends:
			f.Message = fmt.Sprintf("a directive's name is in lower case: %q", "//cache:"+word)
			f.Hint = fmt.Sprintf("write //cache:%s", name)
		default:
			f.Message = "the comment starts like a directive and names none"
			f.Warning = true
		}
		return f
	}
	if name == "" || !ends {
		return Found{}
	}
	// Words like "// cache: data of one region" are prose; what has no blank around the
	// colon, or goes on with options, or ends there, is not.
	spaced := before != "" || after != ""
	if indent != "" && spaced && strings.TrimSpace(rest) != "" && !optionsFollow.MatchString(rest) {
		return Found{}
	}
	f := Found{Class: Wrong, Code: diag.MalformedDirective, Offset: 2 + len(indent), Hint: fmt.Sprintf("write //cache:%s", name)}
	switch {
	case strings.EqualFold(tool, "cachegen"):
		f.Message = fmt.Sprintf("the directive is //cache:%s, not //%s:%s", name, tool, word)
	case indent != "":
		f.Offset = 2
		f.Message = fmt.Sprintf("a directive has no space after //: %q", text[:m[11]])
	case before != "" || after != "":
		f.Message = fmt.Sprintf("a directive has no space around the colon: %q", text[:m[11]])
	default:
		f.Message = fmt.Sprintf("a directive is written in lower case: %q", text[:m[11]])
	}
	return f
}

// inBlock matches a directive written inside a /* comment.
var inBlock = regexp.MustCompile(`^(?:/\*|//|\*)?[ \t]*[cC](?:ache|ACHE)(?i:gen)?[ \t]*:[ \t]*(?i:data|resource|surface)(?:[ \t*]|$)`)

// ClassifyBlock says what one line of a /* comment is, its leading blanks removed. doc
// says whether the comment documents a function: elsewhere it may be code that was
// commented out, which is a warning.
func ClassifyBlock(line string, doc bool) Found {
	directive := strings.HasPrefix(line, "//cache:")
	if !directive && !inBlock.MatchString(line) {
		return Found{}
	}
	return Found{
		Class:   Wrong,
		Code:    diag.BlockDirective,
		Message: "a directive inside /* */ does not count",
		Warning: directive && !doc,
	}
}

// meant returns the directive that word stands for, whatever its case, or is a slip of
// the pen away from; "" if none.
func meant(word string) string {
	w := strings.ToLower(word)
	for _, n := range known {
		if w == n {
			return n
		}
	}
	return ""
}

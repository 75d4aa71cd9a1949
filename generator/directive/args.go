package directive

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cachegen/cachegen/generator/diag"
)

// arg is one argument of a directive. Offsets are bytes of the comment's text.
type arg struct {
	name     string
	nameAt   int
	value    string
	valueAt  int // of the value's first byte; inside the quotes of a quoted one
	hasValue bool
	raw      bool // value stands in the text byte for byte, so offsets inside it are known
	reported bool // its value was already found wrong
}

// problem is something wrong at a byte of the comment's text.
type problem struct {
	at      int
	code    diag.Code
	message string
	hint    string
}

// scanArgs splits text[from:] into arguments. It goes on after a problem with the next
// blank, so that one slip does not hide another.
func scanArgs(text string, from int) (args []arg, problems []problem) {
	bad := func(at int, hint, format string, a ...any) {
		problems = append(problems, problem{at, diag.MalformedArgument, fmt.Sprintf(format, a...), hint})
	}
	i := from
	skipWord := func() {
		for i < len(text) && !blank(text[i]) {
			i++
		}
	}
	for {
		for i < len(text) && blank(text[i]) {
			i++
		}
		if i == len(text) {
			return args, problems
		}
		start := i
		if strings.HasPrefix(text[i:], "//") {
			bad(i, "put the remark on a comment line of its own", "a directive takes no remark behind its options")
			return args, problems
		}
		if text[i] == '"' { // "name=quoted value"
			q, content, at, ok := quoted(text, i)
			if !ok {
				bad(i, `end it with "`, "quoted option has no closing quote or a bad escape")
				return args, problems
			}
			i += len(q)
			a := arg{name: content, nameAt: at, raw: q[1:len(q)-1] == content}
			if n, v, ok := strings.Cut(content, "="); ok {
				a.name, a.value, a.valueAt, a.hasValue = n, v, at+len(n)+1, true
			}
			if i < len(text) && !blank(text[i]) {
				bad(i, "put a space there", "text follows a closing quote")
				skipWord()
				continue
			}
			if !validName(a.name) {
				bad(start, `write name=value or name="a value with spaces"`, "%s names no option", q)
				continue
			}
			args = append(args, a)
			continue
		}
		for i < len(text) && nameByte(text[i]) {
			i++
		}
		a := arg{name: text[start:i], nameAt: start, raw: true}
		if i == start { // no name
			if text[i] == '=' && len(args) > 0 && !args[len(args)-1].hasValue {
				last := &args[len(args)-1]
				last.reported = true
				i++
				value := ""
				for i < len(text) && blank(text[i]) {
					i++
				}
				if v := i; v < len(text) {
					skipWord()
					value = text[v:i]
				}
				bad(start, fmt.Sprintf("write %s=%s", last.name, value), "a space around = of option %s", last.name)
				continue
			}
			if text[i] == '=' {
				bad(i, "write name=value without spaces", "= without an option")
			} else {
				r, _ := utf8.DecodeRuneInString(text[i:])
				bad(i, "options are separated by spaces and written name, name=value or name=\"a value with spaces\"", "unexpected %q", r)
			}
			skipWord()
			continue
		}
		if i == len(text) || blank(text[i]) {
			args = append(args, a)
			continue
		}
		if text[i] != '=' {
			r, _ := utf8.DecodeRuneInString(text[i:])
			hint := "options are separated by spaces and written name, name=value or name=\"a value with spaces\""
			at := i
			skipWord()
			if r == ':' {
				hint = "write " + a.name + "=" + text[at+1:i]
			}
			bad(at, hint, "unexpected %q after %s", r, a.name)
			a.reported = true
			args = append(args, a)
			continue
		}
		i++
		a.hasValue, a.valueAt = true, i
		if i < len(text) && text[i] == '"' { // name="quoted value"
			q, content, at, ok := quoted(text, i)
			if !ok {
				bad(i, `end it with "`, "the value of %s has no closing quote or a bad escape", a.name)
				return args, problems
			}
			i += len(q)
			a.value, a.valueAt, a.raw = content, at, q[1:len(q)-1] == content
			if i < len(text) && !blank(text[i]) {
				bad(i, "put a space there", "text follows the closing quote of %s", a.name)
				skipWord()
				continue
			}
			args = append(args, a)
			continue
		}
		for i < len(text) && !blank(text[i]) && text[i] != '"' {
			i++
		}
		a.value = text[a.valueAt:i]
		if i < len(text) && text[i] == '"' {
			bad(i, fmt.Sprintf("quote the whole value: %s=\"…\"", a.name), "a quote in the middle of the value of %s", a.name)
			// The rest of the line may be inside the quotes: nothing more can be told.
			return args, problems
		}
		switch next := firstWord(text[i:]); {
		case strings.HasSuffix(a.value, ",") && a.value != ",":
			bad(i-1, "write it without the comma: options are separated by spaces, and lists have no spaces", "the value of %s ends with a comma", a.name)
			a.reported = true
		case a.value == "" && next != "" && !strings.ContainsAny(next, "=\"/") && !isOption(next):
			bad(i, fmt.Sprintf("write %s=%s", a.name, next), "a space behind = of option %s", a.name)
			a.reported = true
			i += strings.Index(text[i:], next) + len(next)
		}
		args = append(args, a)
	}
}

func firstWord(s string) string {
	s = strings.TrimLeft(s, " \t")
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		s = s[:i]
	}
	return s
}

func isOption(name string) bool {
	_, ok := lookup(name)
	return ok
}

// quoted reads the double-quoted Go string at text[i]. It returns it as written and what
// it holds, and where that starts.
func quoted(text string, i int) (q, content string, at int, ok bool) {
	q, err := strconv.QuotedPrefix(text[i:])
	if err != nil {
		return "", "", 0, false
	}
	content, err = strconv.Unquote(q)
	if err != nil {
		return "", "", 0, false
	}
	return q, content, i + 1, true
}

func blank(b byte) bool { return b == ' ' || b == '\t' }

func nameByte(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '-' || b == '_'
}

func validName(s string) bool {
	for i := range len(s) {
		if !nameByte(s[i]) {
			return false
		}
	}
	return s != ""
}

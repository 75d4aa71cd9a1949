package directive

import (
	"fmt"
	"go/ast"
	"go/token"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/cachegen/cachegen/generator/diag"
)

// set gives an option its value. What it returns is about the value.
type set func(o *Options, value string) *valueError

// setters parse the value of each option. That they and the tags of [Options] speak of
// the same options is checked by a test.
var setters = map[string]set{
	"ttl": func(o *Options, v string) (err *valueError) {
		if startsName(v) {
			o.TTLFunc, err = parseFunc(v)
			return err
		}
		o.TTL, err = parseDuration(v)
		return err
	},
	"jitter":    func(o *Options, v string) (err *valueError) { o.Jitter, err = parsePercent(v); return },
	"stale":     func(o *Options, v string) (err *valueError) { o.Stale, err = parseDuration(v); return },
	"max":       func(o *Options, v string) (err *valueError) { o.Max, err = parseCount(v); return },
	"max-bytes": func(o *Options, v string) (err *valueError) { o.MaxBytes, err = parseSize(v); return },
	"errors": func(o *Options, v string) (err *valueError) {
		d, f, two := strings.Cut(v, ",")
		if two {
			trimmed := strings.TrimLeft(f, " \t")
			if o.ErrorsFunc, err = parseFunc(trimmed); err != nil {
				err.at += len(v) - len(trimmed)
				return err
			}
		}
		if startsName(d) {
			return badValue("write how long errors are kept first, as in errors=30s,"+d, "%q is no duration", d)
		}
		o.Errors, err = parseDuration(d)
		return err
	},
	"keep":    func(o *Options, v string) (err *valueError) { o.Keep, err = parseFunc(v); return },
	"timeout": func(o *Options, v string) (err *valueError) { o.Timeout, err = parseDuration(v); return },
	"wait":    func(o *Options, v string) (err *valueError) { o.Wait, err = parseDuration(v); return },
	"key":     func(o *Options, v string) (err *valueError) { o.Key, err = parseParams(v); return },
	"ignore":  func(o *Options, v string) (err *valueError) { o.Ignore, err = parseParams(v); return },
	"hash":    setHash,
	"ctx":     setCtx,
	"recv":    func(o *Options, v string) *valueError { return oneOf(&o.Recv, v, "key", "identity", "ignore") },
	"copy": func(o *Options, v string) *valueError {
		return oneOfOrFunc(&o.Copy, v, "auto", "share")
	},
	"validate": func(o *Options, v string) (err *valueError) { o.Validate, err = parseFunc(v); return },
	"release":  func(o *Options, v string) *valueError { return oneOfOrFunc(&o.Release, v, "Close") },
	"grace":    setGrace,
	"scope":    func(o *Options, v string) *valueError { return oneOf(&o.Scope, v, "global", "session") },
	"tags":     func(o *Options, v string) (err *valueError) { o.Tags, err = parseTags(v); return },
	"widgets":  func(o *Options, _ string) *valueError { o.Widgets = true; return nil },
	"variants": func(o *Options, v string) (err *valueError) { o.Variants, err = parseCount(v); return },
	"spinner":  setSpinner,
	"detach":   func(o *Options, v string) *valueError { o.DetachOff = true; return oneOf(nil, v, "off") },
	"name":     setName,
}

// later are options that are known and cannot be had.
var later = map[string]string{
	"persist": "persist= is not available in this version: entries live in memory only",
	"version": "version= is not available in this version: it belongs to persist=, and entries live in memory only",
}

func startsName(v string) bool {
	return v != "" && (v[0] == '_' || 'a' <= v[0] && v[0] <= 'z' || 'A' <= v[0] && v[0] <= 'Z')
}

func setHash(o *Options, v string) *valueError {
	const hint = "write hash=parameter:Func, as in hash=order:OrderID, or hash=ctx:Func"
	p, f, ok := strings.Cut(v, ":")
	if !ok {
		return badValue(hint, "%q names no function for its parameter", v)
	}
	if !token.IsIdentifier(p) || p == "_" {
		return badValue(hint, "%q is no parameter name", p)
	}
	ref, err := parseFunc(f)
	if err != nil {
		err.at += len(p) + 1
		return err
	}
	o.Hash = append(o.Hash, Hash{Param: p, Func: ref})
	return nil
}

func setCtx(o *Options, v string) *valueError {
	what, keys, some := strings.Cut(v, ":")
	const hint = "write ctx=ignore, or name what the keys are, types or variables or constants, as in ctx=ignore:requestKey,trace.Key"
	if what != "ignore" {
		return badValue(hint, "%q is none of its values", v)
	}
	if !some {
		o.CtxIgnore = true
		return nil
	}
	at := len("ignore:")
	for ref := range strings.SplitSeq(keys, ",") {
		var err *valueError
		key, bad := parseFunc(ref)
		switch {
		case bad != nil:
			err = badValue(hint, "%q is no name of a key", ref)
		case slices.Contains(o.CtxKeys, key):
			err = badValue("name each key once", "%s is named twice", key)
		}
		if err != nil {
			err.at = at
			return err
		}
		o.CtxKeys = append(o.CtxKeys, key)
		at += len(ref) + 1
	}
	return nil
}

func setGrace(o *Options, v string) (err *valueError) {
	o.Grace, err = parseDuration(v)
	if err != nil && o.Grace == 0 && strings.Trim(v, "0nsumhdw.") == "" {
		err.hint = "to release a value at once, say grace=1ns"
	}
	return err
}

func setSpinner(o *Options, v string) *valueError {
	if strings.TrimSpace(v) == "" {
		return badValue(`write spinner="Loading…", or spinner=off for none`, "the text is empty")
	}
	o.Spinner = v
	return nil
}

func setName(o *Options, v string) *valueError {
	if !token.IsIdentifier(v) || v == "_" || v == "init" || v == "main" {
		h := "write the name of the wrapper to be generated, as in name=LoadSales"
		if token.IsKeyword(v) {
			return badValue(h, "%s is a keyword of Go", v)
		}
		return badValue(h, "%q cannot be the name of a function", v)
	}
	o.Name = v
	return nil
}

func oneOf(p *string, v string, allowed ...string) *valueError {
	if !slices.Contains(allowed, v) {
		hint := "it takes " + strings.Join(allowed, ", ")
		if n := nearest(v, allowed); n != "" && len(allowed) > 1 {
			hint = fmt.Sprintf("did you mean %s? it takes %s", n, strings.Join(allowed, ", "))
		}
		return badValue(hint, "%q is none of its values", v)
	}
	if p != nil {
		*p = v
	}
	return nil
}

func oneOfOrFunc(p *string, v string, allowed ...string) *valueError {
	if !slices.Contains(allowed, v) {
		if _, err := parseFunc(v); err != nil {
			err.hint = fmt.Sprintf("write %s or a function's name", strings.Join(allowed, ", "))
			return err
		}
	}
	*p = v
	return nil
}

// option is what the tags of [Options] say of one option.
type option struct {
	name     string
	form     string
	field    string
	data     bool
	resource bool
	flag     bool // takes no value
}

// table lists the options in the order of the fields.
var table = func() []option {
	var all []option
	t := reflect.TypeFor[Options]()
	for i := range t.NumField() {
		f := t.Field(i)
		name, ok := f.Tag.Lookup("option")
		if !ok {
			continue
		}
		on := f.Tag.Get("on")
		all = append(all, option{
			name: name, form: f.Tag.Get("form"), field: f.Name,
			data: on != "resource", resource: on != "data",
			flag: f.Tag.Get("form") == "",
		})
	}
	return all
}()

var optionNames = func() []string {
	var all []string
	for _, o := range table {
		all = append(all, o.name)
	}
	return all
}()

func lookup(name string) (option, bool) {
	for _, o := range table {
		if o.name == name {
			return o, true
		}
	}
	return option{}, false
}

// advance returns the position of the byte that lies n bytes behind pos on its line.
func advance(pos token.Position, n int) token.Position {
	pos.Offset += n
	pos.Column += n
	return pos
}

// Parse reads the directive in text: one comment from its "//" on, without line end,
// that stands at pos and that [Classify] called a Function. The directive is nil if any
// of the diagnostics is an error.
func Parse(text string, pos token.Position) (*Directive, []diag.Diagnostic) {
	head, ok := ast.ParseDirective(1, text)
	if !ok || head.Tool != "cache" || head.Name != "data" && head.Name != "resource" {
		return nil, []diag.Diagnostic{diag.Errorf(pos, diag.MalformedDirective, "%q is no cache directive", text)}
	}
	d := &Directive{Pos: pos, At: map[string]token.Position{}, Text: text}
	if head.Name == "resource" {
		d.Kind = Resource
	}
	args, problems := scanArgs(text, len("//cache:")+len(head.Name))
	var ds []diag.Diagnostic
	for _, p := range problems {
		e := diag.Errorf(advance(pos, p.at), p.code, "%s", p.message)
		if p.hint != "" {
			e.Hint = p.hint
		}
		ds = append(ds, e)
	}
	tainted := map[string]bool{} // options whose value is unknown: no contradictions from them
	for _, a := range args {
		at := advance(pos, a.nameAt)
		o, known := lookup(a.name)
		if !known {
			if a.reported {
				continue // one message is enough
			}
			ds = append(ds, unknownOption(a, at))
			continue
		}
		// valueFirst is where the value starts: exact only if nothing in it was escaped.
		where := func(n int) token.Position {
			if !a.raw {
				n = 0
			}
			return advance(pos, a.valueAt+n)
		}
		if first, again := d.At[o.name]; again && o.name != "hash" {
			ds = append(ds, diag.Errorf(at, diag.DuplicateOption, "option %s is given twice", o.name).
				WithHint("keep one of them").WithRelated(first, "the first %s", o.name))
			continue
		}
		if _, again := d.At[o.name]; !again {
			d.At[o.name] = at
		}
		if d.Kind == Data && !o.data || d.Kind == Resource && !o.resource {
			other := Resource
			if d.Kind == Resource {
				other = Data
			}
			ds = append(ds, diag.Errorf(at, diag.WrongKind, "option %s belongs to //cache:%s", o.name, other).
				WithHint("%s", wrongKindHint[o.name]).WithRelated(pos, "the directive is //cache:%s", d.Kind))
			tainted[o.name] = true
			continue
		}
		switch {
		case a.reported:
			tainted[o.name] = true
			continue
		case o.flag && a.hasValue:
			ds = append(ds, diag.Errorf(where(0), diag.BadValue, "option %s takes no value", o.name).WithHint("write %s alone", o.name))
			continue
		case !o.flag && (!a.hasValue || a.value == ""):
			at := at
			if a.hasValue {
				at = where(0)
			}
			ds = append(ds, diag.Errorf(at, diag.BadValue, "option %s needs a value", o.name).WithHint("write it without spaces, as in %s", example(o)))
			tainted[o.name] = true
			continue
		}
		before := len(d.Options.Hash)
		if err := setters[o.name](&d.Options, a.value); err != nil {
			e := diag.Errorf(where(err.at), diag.BadValue, "%s: %s", o.name, err.message)
			if err.hint != "" {
				e.Hint = err.hint
			}
			ds = append(ds, e)
			tainted[o.name] = true
		}
		if len(d.Options.Hash) > before {
			h := &d.Options.Hash[before]
			h.Pos = at
			for _, earlier := range d.Options.Hash[:before] {
				if earlier.Param == h.Param {
					ds = append(ds, diag.Errorf(at, diag.DuplicateOption, "option hash is given twice for %s", h.Param).
						WithHint("keep one of them").WithRelated(earlier.Pos, "the first hash=%s", h.Param))
				}
			}
		}
	}
	if len(problems) == 0 { // else an option may be given that could not be read
		ds = append(ds, contradictions(d, tainted)...)
	}
	ds = diag.Sort(ds)
	if diag.HasErrors(ds) {
		return nil, ds
	}
	return d, ds
}

var wrongKindHint = map[string]string{
	"max-bytes": "resources are bounded by max=",
	"copy":      "a resource is shared by all callers; use //cache:data for values of their own",
	"release":   "data has nothing to release; use //cache:resource for values that must be closed",
	"grace":     "data has nothing to release; use //cache:resource for values that must be closed",
}

func unknownOption(a arg, at token.Position) diag.Diagnostic {
	if why, ok := later[a.name]; ok {
		return diag.Errorf(at, diag.OptionNotAvailable, "%s", why)
	}
	e := diag.Errorf(at, diag.UnknownOption, "unknown option %s", strconv.Quote(a.name))
	if n := nearest(a.name, optionNames); n != "" {
		e.Hint = fmt.Sprintf("did you mean %s?", n)
		if o, _ := lookup(n); !o.flag {
			e.Hint = fmt.Sprintf("did you mean %s, as in %s?", n, example(o))
		}
	}
	return e
}

// example shows how an option is written.
func example(o option) string {
	if o.flag {
		return o.name
	}
	first, _, _ := strings.Cut(o.form, "|")
	return o.name + "=" + first
}

// ParseSurface reads a //cache:surface line; text and pos are as for [Parse].
func ParseSurface(text string, pos token.Position) (*Surface, []diag.Diagnostic) {
	const prefix = "//cache:surface"
	const hint = "write //cache:surface TYPE=pkg.Bind, as in //cache:surface *ui.Page=adapter.Bind"
	rest := strings.TrimLeft(text[len(prefix):], " \t")
	at := len(text) - len(rest)
	rest = strings.TrimRight(rest, " \t\r")
	typ, bind, ok := strings.Cut(rest, "=")
	if !ok || strings.ContainsAny(rest, " \t") {
		return nil, []diag.Diagnostic{diag.Errorf(advance(pos, at), diag.MalformedArgument, "//cache:surface takes one TYPE=pkg.Bind").WithHint("%s", hint)}
	}
	if _, err := parseFunc(strings.TrimPrefix(typ, "*")); err != nil {
		return nil, []diag.Diagnostic{diag.Errorf(advance(pos, at), diag.BadValue, "%q is no type name", typ).WithHint("%s", hint)}
	}
	ref, err := parseFunc(bind)
	if err != nil {
		return nil, []diag.Diagnostic{diag.Errorf(advance(pos, at+len(typ)+1), diag.BadValue, "%s", err.message).WithHint("%s", hint)}
	}
	return &Surface{Type: typ, Bind: ref, Pos: pos}, nil
}

package generator

import (
	"fmt"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/cachegen/cachegen/generator/emit"
	"github.com/cachegen/cachegen/generator/model"
)

// Entry is what there is to list about one cached function.
type Entry struct {
	Func      string     `json:"func"` // import path, receiver type and name of the annotated function
	Wrapper   string     `json:"wrapper"`
	Handle    string     `json:"handle"`
	Kind      string     `json:"kind"` // data or resource
	File      string     `json:"file"` // relative to the module, with forward slashes
	Line      int        `json:"line"`
	Key       []KeyEntry `json:"key"`
	Results   []Held     `json:"results"`
	Directive string     `json:"directive"`
}

// KeyEntry is one part of a key.
type KeyEntry struct {
	Name string `json:"name"`
	Type string `json:"type"`
	How  string `json:"how"` // exact, float bits, time, dynamic, identity, session, digest or function
}

// Held is how one result is kept.
type Held struct {
	Type string `json:"type"`
	How  string `json:"how"` // copied, immutable or shared
}

// List describes the functions of a result, in their order.
func List(res *Result) []Entry {
	list := []Entry{}
	for _, f := range res.Funcs {
		e := Entry{Func: f.ID, Wrapper: f.Wrapper, Handle: f.Handle, Kind: f.Directive.Kind.String(),
			Line: f.Directive.Pos.Line, Directive: f.Directive.Text, Key: []KeyEntry{}, Results: []Held{}}
		e.File, _, _ = strings.Cut(f.Site, ":")
		for _, p := range f.Key.Parts {
			e.Key = append(e.Key, KeyEntry{partName(p), partType(f, p), p.How})
		}
		for _, r := range f.Results {
			e.Results = append(e.Results, Held{typeText(f, r.Type), r.How.String()})
		}
		list = append(list, e)
	}
	return list
}

// ListTable shows a list for people.
func ListTable(list []Entry) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	if len(list) > 0 {
		fmt.Fprintln(w, "FUNCTION\tWRAPPER\tKEY\tRESULTS\tDIRECTIVE")
	}
	for _, e := range list {
		var key, results []string
		for _, k := range e.Key {
			key = append(key, k.Name+" "+k.Type)
		}
		for _, r := range e.Results {
			results = append(results, r.How)
		}
		slices.Sort(results)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", e.Func, e.Wrapper, orDash(strings.Join(key, ", ")), orDash(strings.Join(slices.Compact(results), ", ")), e.Directive)
	}
	_ = w.Flush() // to memory
	return b.String()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func typeText(f *model.Func, t types.Type) string {
	return types.TypeString(t, types.RelativeTo(f.Obj.Pkg()))
}

func partName(p *model.KeyPart) string {
	switch {
	case p.Param == nil:
		return "session"
	case p.Param.Index < -1:
		return "context"
	case p.Param.Index < 0 && p.Param.Name == "":
		return "receiver"
	}
	return p.Param.Name
}

func partType(f *model.Func, p *model.KeyPart) string {
	switch {
	case p.Param == nil:
		return "string"
	case p.Plan != nil && p.Plan.Type != nil:
		return typeText(f, p.Plan.Type)
	}
	return typeText(f, p.Param.Type)
}

// Explain says in full how a function is cached, and why so.
func Explain(f *model.Func) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s", f.ID)
	file, _, _ := strings.Cut(f.Site, ":")
	line("  annotated at %s:%d: %s", file, f.Directive.Pos.Line, f.Directive.Text)
	line("  callers use %s; %s controls the cache; both are in %s", f.Wrapper, f.Handle, filepath.Base(emit.FileName(f.File.Name)))

	line("")
	line("Key")
	if len(f.Key.Parts) == 0 {
		line("  nothing but the function itself")
	}
	for _, p := range f.Key.Parts {
		line("  %s %s: %s", partName(p), partType(f, p), explainPart(p))
	}
	for _, p := range excluded(f) {
		line("  %s", p)
	}

	explainDraw(f, line)

	if len(f.Results) > 0 || f.HasErr {
		line("")
		line("Results")
	}
	for i, r := range f.Results {
		name := r.Name
		if name == "" {
			name = fmt.Sprintf("result %d", i+1)
		}
		line("  %s %s: %s", name, typeText(f, r.Type), explainHeld(f, r))
	}
	if f.HasErr {
		if len(f.Results) == 0 && f.Draw == nil {
			line("  no error: kept as values are")
		}
		switch {
		case f.Opts.ErrorTTL > 0 && f.Opts.KeepError != nil:
			line("  error: kept for %v where %s says so", f.Opts.ErrorTTL, f.Directive.Options.ErrorsFunc)
		case f.Opts.ErrorTTL > 0:
			line("  error: kept for %v", f.Opts.ErrorTTL)
		default:
			line("  error: given to the callers that waited, and not kept")
		}
	}

	line("")
	line("Lifetime")
	switch {
	case f.Opts.TTL > 0:
		line("  fresh for %v", f.Opts.TTL)
	case f.Opts.TTLFunc != nil:
		line("  fresh for as long as %s says", f.Directive.Options.TTLFunc)
	default:
		line("  fresh until evicted or cleared")
	}
	if f.Opts.Stale > 0 {
		line("  then served stale for %v while it is refreshed", f.Opts.Stale)
	}
	if f.Opts.Max > 0 {
		line("  at most %d entries", f.Opts.Max)
	} else {
		line("  any number of entries")
	}
	if f.Opts.MaxBytes > 0 {
		line("  at most %d bytes of values", f.Opts.MaxBytes)
	}

	line("")
	line("Computation")
	if f.Opts.Detach {
		line("  goes on when its caller gives up, for as long as anyone waits")
	} else {
		line("  runs on its caller's goroutine, with the caller's context")
	}
	for _, p := range f.Key.Parts {
		switch {
		case p.Param == nil:
		case p.Param.Args != nil:
			line("  works on a copy of %s: what it changes there reaches no caller", partName(p))
		case p.Lent:
			line("  is handed the caller's own %s: if the body changes it, the result is not kept", partName(p))
		}
	}
	switch {
	case f.Opts.TrackContext:
		line("  values that it reads from its context count: a result that depends on one is not kept,")
		line("  and one that depends on there being none is for contexts without such a value")
		for _, part := range f.Key.Parts {
			if part.Param == f.Ctx && part.Hash != nil {
				line("  it may read what %s reads, which is in the key", part.Hash.Func.Name())
			}
		}
		if keys := f.Directive.Options.CtxKeys; len(keys) > 0 {
			var names []string
			for _, k := range keys {
				names = append(names, string(k))
			}
			line("  values of these keys do not matter: %s", strings.Join(names, ", "))
		}
	case f.Directive.Options.CtxIgnore:
		line("  values that it reads from its context do not matter (ctx=ignore)")
	}
	return b.String()
}

// explainDraw says what a drawing function draws on and which inputs count.
func explainDraw(f *model.Func, line func(string, ...any)) {
	d := f.Draw
	if d == nil {
		return
	}
	line("")
	line("Drawing")
	switch {
	case d.Component != nil:
		line("  the output of the %s that it returns is kept, not the value", typeText(f, d.Result))
	case d.Surface != nil:
		line("  its output on %s is kept and replayed", orBlank(d.Surface.Name))
	default:
		line("  it draws nowhere")
	}
	if d.Handler {
		line("  only GET and HEAD are cached; other methods pass through")
	}
	for _, r := range d.Reads {
		line("  input that counts: %s", r)
	}
	for _, h := range d.Holes {
		line("  hole: %s draws anew each time", orBlank(h.Param.Name))
	}
	if d.Widgets {
		line("  the widgets that the body reads count")
		if d.Variants > 0 {
			line("  at most %d outcomes for each key", d.Variants)
		}
	}
}

func orBlank(name string) string {
	if name == "" {
		return "_"
	}
	return name
}

func explainPart(p *model.KeyPart) string {
	if p.Hash != nil {
		return "the result of " + p.Hash.Func.Name()
	}
	switch p.How {
	case "session":
		return "the session id of the context"
	case "identity":
		return "which instance it is; its entries are freed with it"
	case "float bits":
		return "by its bits; all NaNs count as one"
	case "time":
		return "instant and zone, without the monotonic part"
	case "dynamic":
		return "type and content, known when the program runs"
	case "exact":
		return "as it is, compared with =="
	}
	return "its content, encoded without ambiguity and kept as a digest of 128 bits under a secret of the process" + because(p.Plan)
}

// because names what inside a type keeps it from being compared with ==.
func because(k *model.Key) string {
	what := map[model.KeyKind]string{
		model.KeySlice: "a slice", model.KeyBytes: "a byte slice", model.KeyMap: "a map", model.KeyPointer: "a pointer",
		model.KeyAny: "an interface", model.KeyTime: "a time", model.KeyOwn: "its method CacheKey", model.KeyComplex: "a complex number",
		model.KeyFloat32: "a float", model.KeyFloat64: "a float",
	}
	if w := what[k.Kind]; w != "" {
		return "; it is " + w
	}
	seen := map[*model.Key]bool{}
	var find func(k *model.Key, path string) (string, string)
	find = func(k *model.Key, path string) (string, string) {
		if k == nil || seen[k] {
			return "", ""
		}
		seen[k] = true
		if w := what[k.Kind]; w != "" {
			return path, w
		}
		for _, f := range k.Fields {
			if p, w := find(f.Key, path+"."+f.Name); w != "" {
				return p, w
			}
		}
		return find(k.Elem, path+"[]")
	}
	if p, w := find(k, ""); w != "" {
		return "; " + strings.TrimPrefix(p, ".") + " is " + w
	}
	return ""
}

// excluded says of each parameter that is not in the key why.
func excluded(f *model.Func) []string {
	var all []string
	for _, p := range f.All() {
		if p.Why == "" {
			continue
		}
		name := p.Name
		switch {
		case name != "":
		case p == f.Recv:
			name = "receiver"
		case p == f.Ctx:
			name = "context"
		default:
			name = orBlank(name)
		}
		all = append(all, fmt.Sprintf("%s %s: not in the key: %s", name, typeText(f, p.Type), p.Why))
	}
	return all
}

func explainHeld(f *model.Func, r *model.Result) string {
	switch r.How {
	case model.SharedResource:
		return "shared by all callers: it is a resource"
	case model.CopiedByFunc:
		return "copied for each caller, the first included, by " + f.Directive.Options.Copy
	case model.SharedByOption:
		return "shared by all callers: copy=share"
	case model.Immutable:
		return "shared by all callers: nothing in it can be changed"
	}
	held := "copied for each caller, the first included"
	path, why := mutable(r.Copy)
	switch {
	case why == "":
	case path == "":
		held += ": it is " + why
	default:
		held += fmt.Sprintf(": %s is %s", path, why)
	}
	if at := undecided(r.Copy); at != "" {
		name := r.Name
		if name == "" {
			name = "result"
		}
		held += fmt.Sprintf("; what %s%s holds is known only when the program runs: if it cannot be copied, the result is not kept, which is logged", name, at)
	}
	return held
}

// undecided returns the way to the first part of a value below its top of which only the
// runtime knows whether it can be copied, "" if there is none.
func undecided(c *model.Copy) string {
	seen := map[*model.Copy]bool{}
	var find func(c *model.Copy, path string) string
	find = func(c *model.Copy, path string) string {
		if c == nil || seen[c] {
			return ""
		}
		seen[c] = true
		if c.Kind == model.CopyAny && types.IsInterface(c.Type) {
			return path
		}
		for _, f := range c.Fields {
			if p := find(f.Copy, path+"."+f.Name); p != "" {
				return p
			}
		}
		step := ""
		switch c.Kind {
		case model.CopySlice, model.CopyArray:
			step = "[i]"
		case model.CopyMap:
			if p := find(c.MapKey, path+"[key]"); p != "" {
				return p
			}
			step = "[key]"
		}
		return find(c.Elem, path+step)
	}
	return find(c, "")
}

// mutable names the first thing in a value that callers could change.
func mutable(c *model.Copy) (path, why string) {
	seen := map[*model.Copy]bool{}
	var find func(c *model.Copy, path string) (string, string)
	find = func(c *model.Copy, path string) (string, string) {
		if c == nil || seen[c] {
			return "", ""
		}
		seen[c] = true
		switch c.Kind {
		case model.CopySlice:
			return path, "a slice"
		case model.CopyMap:
			return path, "a map"
		case model.CopyPointer:
			return path, "a pointer"
		case model.CopyAny:
			if n, ok := types.Unalias(c.Type).(*types.Named); ok && !types.IsInterface(n) {
				return path, "of the type " + n.String() + ", whose parts are found when the program runs"
			}
			return path, "a value of a type that is known only when the program runs"
		case model.CopyMethod:
			return path, "of a type with a method " + c.Method
		}
		for _, f := range c.Fields {
			if p, w := find(f.Copy, path+"."+f.Name); w != "" {
				return p, w
			}
		}
		return find(c.Elem, path+"[]")
	}
	path, why = find(c, "")
	return strings.TrimPrefix(path, "."), why
}

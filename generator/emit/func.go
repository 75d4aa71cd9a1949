package emit

import (
	"bytes"
	"cmp"
	"fmt"
	"go/types"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/cachegen/cachegen/generator/model"
	"github.com/cachegen/cachegen/templates"
)

var texts = template.Must(template.ParseFS(templates.FS, "*.tmpl"))

// view is what the template of a function is given: text that is ready to be put down.
type view struct {
	Impl, ImplValue, FuncType, Title              string
	Wrapper, Handle, HandleType                   string
	Key, Result, Site, Sites, Call, SiteOf        string
	K, V                                          string // the types of keys and values, with type arguments
	Generic                                       bool
	TDecl, TArgs, FuncTDecl, FuncTArgs            string
	OwnKey                                        bool // the key has a type of its own
	Fields                                        []field
	Hash, KeyOf                                   string // methods and functions, whole
	CanFail                                       bool   // some arguments have no key
	KeyParams, KeyParamsComma                     string
	KeyMade, KeyArg                               string // the statement that makes a key; hash and key as arguments
	KeyGood, KeyBad                               string // conditions, where CanFail
	Values                                        []value
	Copies, Copier                                bool // a result is copied; with a Copier, which can fail
	Copy, Unpack, Size, TTLFunc, Keep, KeepError  string
	Release                                       string
	Ident, Session, HasOps                        bool
	Ops                                           string
	KeyTags, CallTags, Owner, Lent, Validate      string
	Keyed, IgnoredTypes, IgnoredValues            string
	Opts, Doc                                     []string
	Recv, Params, ParamsWithRecv                  string
	Results, PlainResults                         string
	CallParams, CopyArgs, CallFields, CallEnd     string
	Run, RunCtx, RunResult                        string
	Ctx                                           string
	Found, Return, Do, Refresh, Acquire, Mentions string
	HasErr                                        bool
	Layout, LayoutTypes, LayoutOf                 string
	LayoutTexts                                   []string
	ID                                            string
	LayoutCopies, ArgsErr                         bool
	drawView

	Cache, Public, Value, Error, Uint64, Int64, Bool, Any, String, Duration, Context, Module, True, False string
}

type field struct{ Name, Type string }

// value is one result: where it is in a value of several, and what a parameter or a result
// of the handle's methods is called.
type value struct{ Field, Type, Peek string }

// local finds the locals of generated text.
var local = regexp.MustCompile(`§([a-zA-Z]+[0-9]*)`)

// settle gives the locals of a text names that are not in taken.
func settle(text string, taken scope) string {
	s := taken.clone()
	named := map[string]string{}
	return local.ReplaceAllStringFunc(text, func(m string) string {
		l := strings.TrimPrefix(m, "§")
		if _, ok := named[l]; !ok {
			named[l] = s.local(l)
		}
		return named[l]
	})
}

// writer writes one function.
type writer struct {
	n    *names
	h    *helpers
	f    *model.Func
	v    view
	used scope // every name that a local could capture, and those of parameters
	name map[*model.Param]string
	res  []string // names of results in the wrapper, or nil
	err  string   // and of the error
	// keyOf is the function that makes a key, where an expression cannot.
	keyOf string
	// exact holds, for parameters that stand in the key as they are, where.
	exact map[*model.Param]string
}

func (h *helpers) function(f *model.Func) string {
	w := &writer{n: h.n, h: h, f: f, name: map[*model.Param]string{}, used: scope{}, exact: map[*model.Param]string{}}
	for r := range h.n.refs {
		w.used[r] = true
	}
	w.names()
	w.types()
	w.layout()
	w.values()
	w.key()
	w.ops()
	w.options()
	w.calls()
	if f.Draw != nil {
		w.draw()
	}
	var b bytes.Buffer
	if err := texts.ExecuteTemplate(&b, "func.tmpl", &w.v); err != nil {
		panic(err) // the templates are constant
	}
	return settle(b.String(), w.used)
}

func (w *writer) names() {
	f, n, v := w.f, w.n, &w.v
	avoid := map[string]bool{}
	for _, p := range params(f) {
		avoid[p.Name] = true
	}
	for _, r := range f.Results {
		avoid[r.Name] = true
	}
	for _, tp := range f.TypeParams {
		avoid[tp.Obj().Name()] = true
	}
	gen := func(suffix string) string { return n.fresh(f.Base+suffix, avoid) }
	v.Key, w.keyOf, v.Result, v.Site, v.Sites = gen("Key"), gen("KeyOf"), gen("Result"), gen("Site"), gen("Sites")
	v.Call, v.Reads, v.Layout = gen("Call"), gen("Reads"), gen("Layout")
	v.Impl, v.Wrapper, v.Handle, v.HandleType = f.Name, f.Wrapper, f.Handle, f.HandleType
	v.Title = f.Wrapper
	if f.RecvBase != nil {
		v.Title = f.RecvBase.Name() + "." + f.Wrapper
	}
	for _, g := range []string{v.Key, w.keyOf, v.Result, v.Site, v.Sites, v.Call, v.HandleType, v.Reads, v.Layout, v.Handle} {
		w.used[g] = true
	}
	if f.Recv == nil {
		w.used[f.Wrapper] = true
		w.used[n.own(f.Name)] = true
	}

	// Parameters keep their names unless something that the text refers to has it.
	params := params(f)
	give := func(name, otherwise string) string {
		if name == "" {
			name = otherwise
		}
		return w.used.local(name)
	}
	for _, tp := range f.TypeParams {
		name := tp.Obj().Name()
		if name == "_" {
			name = "T"
		}
		n.tparams[tp] = w.used.local(name)
	}
	for _, p := range params {
		otherwise := "recv"
		switch {
		case p == f.Ctx:
			otherwise = "ctx"
		case p.Index >= 0:
			otherwise = fmt.Sprintf("p%d", p.Index)
		}
		w.name[p] = give(p.Name, otherwise)
	}
	w.drawNames()
	allNamed := len(f.Results) > 0
	for _, r := range f.Results {
		allNamed = allNamed && r.Name != ""
	}
	if allNamed {
		for _, r := range f.Results {
			w.res = append(w.res, give(r.Name, ""))
		}
		if f.HasErr {
			name := f.Sig.Results().At(len(f.Results)).Name()
			if name == "_" {
				name = ""
			}
			if name = cmp.Or(name, "err"); name == "err" && !w.used[name] {
				w.err = name // and it is what the locals for errors are called
			} else {
				w.err = give(name, "")
			}
		}
	}
	v.HasErr = f.HasErr
	v.Doc = f.Doc
}

func (w *writer) types() {
	f, n, v := w.f, w.n, &w.v
	v.Cache = strings.TrimSuffix(n.cache("X"), "X")
	v.Public = strings.TrimSuffix(n.public("X"), "X")
	v.Value = strings.TrimSuffix(n.value("X"), "X")
	v.Error, v.Uint64, v.Int64 = n.predeclared("error"), n.predeclared("uint64"), n.predeclared("int64")
	v.True, v.False = "true", "false"
	if n.top["true"] {
		v.True = "1 == 1"
	}
	if n.top["false"] {
		v.False = "1 != 1"
	}
	v.Bool, v.Any, v.String = n.predeclared("bool"), n.predeclared("any"), n.predeclared("string")
	v.Context = n.std("context", "Context")
	v.Module = f.Pkg.Module
	if v.Module == "" {
		v.Module = f.Pkg.ImportPath
	}
	v.Generic = len(f.TypeParams) > 0
	v.TDecl, v.TArgs = w.typeParams(f.TypeParams)
	v.FuncTDecl, v.FuncTArgs = w.typeParams(f.TypeParams[f.Sig.RecvTypeParams().Len():])
	w.h.decl, w.h.args = v.TDecl, v.TArgs
	v.SiteOf = v.Site
	if v.Generic {
		v.SiteOf = v.Site + v.TArgs + "()"
	}

	var b strings.Builder
	b.WriteString("func")
	sig := f.Sig
	if f.Recv != nil {
		// Of a method, the type of the method expression.
		vars := []*types.Var{types.NewParam(0, nil, "", f.Recv.Type)}
		for p := range sig.Params().Variables() {
			vars = append(vars, p)
		}
		n.signature(&b, types.NewSignatureType(nil, nil, nil, types.NewTuple(vars...), sig.Results(), sig.Variadic()))
		v.ImplValue = "(" + n.typ(f.Recv.Type) + ")." + f.Name + v.FuncTArgs
		v.Recv = "(" + w.name[f.Recv] + " " + n.typ(f.Recv.Type) + ") "
	} else {
		n.signature(&b, sig)
		v.ImplValue = n.own(f.Name) + v.FuncTArgs
	}
	v.FuncType = b.String()
}

// typeParams writes type parameters as they are declared, and as arguments.
func (w *writer) typeParams(ps []*types.TypeParam) (decl, args string) {
	if len(ps) == 0 {
		return "", ""
	}
	var ds, as []string
	for _, tp := range ps {
		ds = append(ds, w.n.tparams[tp]+" "+w.n.typ(tp.Constraint()))
		as = append(as, w.n.tparams[tp])
	}
	return "[" + strings.Join(ds, ", ") + "]", "[" + strings.Join(as, ", ") + "]"
}

// list writes parameters. The last one of a variadic function is written as such only
// where dots is set.
func (w *writer) list(ps []*model.Param, dots bool) string {
	var s []string
	for _, p := range ps {
		t := w.n.typ(p.Type)
		if dots && w.variadic(p) {
			t = "..." + w.n.typ(p.Type.(*types.Slice).Elem())
		}
		s = append(s, w.name[p]+" "+t)
	}
	return strings.Join(s, ", ")
}

func (w *writer) variadic(p *model.Param) bool {
	return w.f.Variadic && p.Index == len(w.f.Params)-1
}

func (w *writer) args(ps []*model.Param) string {
	var s []string
	for _, p := range ps {
		s = append(s, w.name[p])
	}
	return strings.Join(s, ", ")
}

func (w *writer) notNil(x string, pointer bool) string {
	if w.n.top["nil"] {
		pre := w.n.imported(predeclaredPath, "predeclared")
		if pointer {
			return "!" + pre + ".IsNil(" + x + ")"
		}
		return pre + ".Failed(" + x + ")"
	}
	return x + " != nil"
}

func (w *writer) isOK(x string) string {
	if w.n.top["nil"] {
		return "!" + w.notNil(x, false)
	}
	return x + " == nil"
}

func (w *writer) noError() string {
	if w.n.top["nil"] {
		return w.n.imported(predeclaredPath, "predeclared") + ".Nil[" + w.v.Error + "]()"
	}
	return "nil"
}

// keyParams returns the parameters that the key is made from.
func (w *writer) keyParams() []*model.Param {
	f := w.f
	var ps []*model.Param
	all := params(f)
	if f.Ctx != nil && f.Ctx.Index < -1 {
		all = append([]*model.Param{f.Ctx}, all...)
	}
	for _, p := range all {
		if p.InKey || p == f.Ctx && f.Session {
			ps = append(ps, p)
		}
	}
	return ps
}

// layout writes what the function takes for granted of types: what the compiler checks,
// and what the runtime does.
func (w *writer) layout() {
	v := &w.v
	for _, p := range w.f.Layout.Pins {
		w.h.pin(p)
	}
	if len(w.f.Layout.Roots) == 0 {
		v.Layout = ""
		return
	}
	var ts []string
	for _, r := range w.f.Layout.Roots {
		ts = append(ts, w.n.typ(r.Type))
		text := r.Text
		if r.Exact {
			text = "!" + text
		}
		v.LayoutTexts = append(v.LayoutTexts, text)
	}
	v.ID = w.f.ID
	v.LayoutTypes = "(*func(" + strings.Join(ts, ", ") + "))(" + w.untypedNil() + ")"
	v.LayoutOf = v.Layout
	if v.Generic { // each instance has its own
		v.LayoutOf += ".Of(" + v.LayoutTypes + ")"
	}
	for _, r := range w.f.Results {
		v.LayoutCopies = v.LayoutCopies || r.Root != nil
	}
}

// untypedNil returns an expression that converts to any pointer type and is nil.
func (w *writer) untypedNil() string {
	if w.n.top["nil"] {
		return w.n.std("unsafe", "Pointer") + "(" + w.n.predeclared("uintptr") + "(0))"
	}
	return "nil"
}

// methods are what a key can have beside its fields.
var methods = []string{"hash", "Copy", "Size", "TTL", "Keep", "KeepError", "Release", "Ident", "Tags", "Session", "Keyed", "Ignores"}

func (w *writer) key() {
	f, n, v := w.f, w.n, &w.v
	ps := w.keyParams()
	v.KeyParams = w.list(ps, false)
	v.KeyParamsComma = v.KeyParams
	if v.KeyParams != "" {
		v.KeyParamsComma += ", "
	}

	// A key is a literal of exprs; or, where there are statements to be run before,
	// or parts that can fail one by one, what a function returns.
	fields := scope{}
	for _, m := range methods {
		fields[m] = true
	}
	var hash, before, encoded, dynamic strings.Builder
	var atoms [][2]string // what sets one, and the error that it gave
	var exprs []string
	hasDigest, drifts := false, false
	for i, part := range f.Key.Parts {
		plan := part.Plan
		add := func(name, typ, expr string) string {
			name = fields.local(name)
			v.Fields = append(v.Fields, field{name, typ})
			exprs = append(exprs, expr)
			return "§k." + name
		}
		if plan.Kind == model.KeySession {
			k := add("session", n.predeclared("string"), "§session")
			fmt.Fprintf(&before, "§session, §ok := %s(%s)\nif !§ok {\nreturn §k, %s\n}\n", n.cache("SessionOf"), w.name[f.Ctx], n.cache("ErrNoSession"))
			fmt.Fprintf(&hash, "§h = %s(§h, %s)\n", n.value("HashString"), k)
			v.CanFail, v.Session = true, true
			continue
		}
		x := w.name[part.Param]
		name := part.Param.Name
		if name == "" {
			name = x
		}
		if plan.Kind == model.KeyIdentity {
			k := add(name, n.std("weak", "Pointer")+"["+n.typ(types.Unalias(part.Param.Type).(*types.Pointer).Elem())+"]", n.std("weak", "Make")+"("+x+")")
			fmt.Fprintf(&hash, "§h = %s(§h, %s)\n", n.value("HashComparable"), k)
			v.Owner = n.cache("OwnerOf") + "(" + x + ")"
			continue
		}
		if part.Hash != nil {
			x = w.use(part.Hash, x)
			if !plan.Kind.Exact() || plan.Kind == model.KeyAny || !model.Nameable(plan.Type, n.pkg) {
				made := fmt.Sprintf("§x%d", i)
				fmt.Fprintf(&before, "%s := %s\n", made, x)
				x = made
			}
		}
		whole := x
		for plan.Kind == model.KeyOwn {
			x, plan = x+".CacheKey()", plan.Elem
		}
		if plan.Kind.Exact() && plan.Kind != model.KeyAny && plan.Kind != model.KeyTime && !model.Nameable(plan.Type, n.pkg) {
			plan = &model.Key{Kind: model.KeyAny, Type: plan.Type}
		}
		switch plan.Kind {
		case model.KeyFloat32:
			k := add(name, n.predeclared("uint32"), n.value("FloatKey32")+"("+w.h.to("float32", plan.Type, x)+")")
			fmt.Fprintf(&hash, "§h = %s(§h, %s(%s))\n", n.value("HashUint64"), n.predeclared("uint64"), k)
		case model.KeyFloat64:
			k := add(name, n.predeclared("uint64"), n.value("FloatKey64")+"("+w.h.to("float64", plan.Type, x)+")")
			fmt.Fprintf(&hash, "§h = %s(§h, %s)\n", n.value("HashUint64"), k)
		case model.KeyTime:
			k := add(name, n.value("TimeKey"), n.value("TimeKeyOf")+"("+w.h.time(plan.Type, x)+")")
			fmt.Fprintf(&hash, "§h = %s(§h, &%s)\n", n.value("HashTime"), k)
		case model.KeyAny:
			k := add(name, n.value("Atom"), "")
			atoms = append(atoms, [2]string{k + ", §err = " + n.value("AtomOf") + "(" + x + ")", n.value("InPart") + "(§err, " + strconv.Quote(name) + ")"})
			fmt.Fprintf(&hash, "§h = %s(§h, &%s)\n", n.value("HashAtom"), k)
			v.CanFail = true
		default:
			if plan.Kind.Exact() {
				k := add(name, n.typ(plan.Type), x)
				w.hash(&hash, plan, k, 0)
				if part.Hash == nil && plan == part.Plan {
					w.exact[part.Param] = k
				}
				continue
			}
			hasDigest = true
			fmt.Fprintf(&encoded, "§e.Part(%q)\n", name)
			encoded.WriteString(w.h.encode(plan, x, 0))
			fmt.Fprintf(&dynamic, "§e.Part(%q)\n%s(§e, %s)\n", name, n.value("EncodeOf"), whole)
			drifts = drifts || part.Root != nil
			v.CanFail = v.CanFail || part.Root != nil || w.canFail(plan, map[*model.Key]bool{})
		}
	}
	if hasDigest {
		name := fields.local("digest")
		v.Fields = append(v.Fields, field{name, n.value("Digest")})
		exprs = append(exprs, "§digest")
		fmt.Fprintf(&hash, "§h = %s(§h, &§k.%s)\n", n.value("HashDigest"), name)
	}
	w.drawKey(fields, &hash)
	if v.HoleField != "" {
		exprs = append(exprs, "0")
	}

	v.K, v.KeyArg = n.cache("None"), "0, "+n.cache("None")+"{}"
	if v.OwnKey = len(v.Fields) > 0 || v.Generic || w.hasOps(); v.OwnKey {
		v.K = v.Key + v.TArgs
		v.KeyArg = "0, " + v.K + "{}"
	}
	if len(v.Fields) > 0 {
		v.KeyArg = "§k.hash(), §k"
		v.Hash = w.hashMethod(hash.String())
	}
	v.KeyGood, v.KeyBad = w.isOK("§keyErr"), w.notNil("§keyErr", false)

	var body strings.Builder
	switch {
	case v.Layout == "":
	case drifts:
		body.WriteString("§held := " + v.LayoutOf + ".Holds(" + v.LayoutTypes + ")\n")
	default:
		body.WriteString(v.LayoutOf + ".Holds(" + v.LayoutTypes + ")\n")
	}
	oneByOne := v.Session || len(atoms) > 0 // a key that could not be made whole has what could
	body.WriteString(before.String())
	if oneByOne {
		for i, x := range exprs {
			if x != "" && x != "§digest" {
				fmt.Fprintf(&body, "§k.%s = %s\n", v.Fields[i].Name, x)
			}
		}
		for i, a := range atoms {
			if i == len(atoms)-1 && !hasDigest {
				body.WriteString(a[0] + "\nreturn §k, " + a[1] + "\n")
				break
			}
			body.WriteString("if " + a[0] + "; " + w.notNil("§err", false) + " {\nreturn §k, " + a[1] + "\n}\n")
		}
	}
	if hasDigest {
		body.WriteString("§e := " + n.value("NewEncoder") + "()\n")
		text := encoded.String()
		if !v.CanFail {
			text = parts.ReplaceAllString(text, "") // for errors
		}
		if drifts {
			body.WriteString("if §held {\n" + text + "} else {\n" + dynamic.String() + "}\n")
		} else {
			body.WriteString(text)
		}
	}
	results := v.K
	switch {
	case oneByOne:
		results = "(§k " + v.K + ", §err " + v.Error + ")"
		if hasDigest {
			fmt.Fprintf(&body, "§k.%s, §err = §e.Digest()\n", v.Fields[slices.Index(exprs, "§digest")].Name)
			body.WriteString("return §k, §err\n")
		} else if len(atoms) == 0 {
			body.WriteString("return §k, " + w.noError() + "\n")
		}
	case v.CanFail:
		results = "(" + v.K + ", " + v.Error + ")"
		body.WriteString("§digest, §err := §e.Digest()\nreturn " + v.K + "{" + strings.Join(exprs, ", ") + "}, §err\n")
	default:
		literal := strings.ReplaceAll(v.K+"{"+strings.Join(exprs, ", ")+"}", "§digest", "§e.Sum()")
		if body.Len() == 0 {
			if len(v.Fields) > 0 {
				v.KeyMade = "§k := " + literal + "\n"
			}
			return
		}
		body.WriteString("return " + literal + "\n")
	}
	v.KeyOf = "func " + w.keyOf + v.TDecl + "(" + v.KeyParams + ") " + results + " {\n" + body.String() + "}\n"
	call := w.keyOf + v.TArgs + "(" + w.args(ps) + ")\n"
	switch {
	case v.CanFail:
		v.KeyMade = "§k, §keyErr := " + call
	case len(v.Fields) > 0:
		v.KeyMade = "§k := " + call
	default: // for its Layout alone
		v.KeyMade = call
	}
}

// parts finds what names the parts of a key for errors.
var parts = regexp.MustCompile(`(?m)^§e\.Part\(.*\)\n`)

// canFail reports whether there are values that cannot be encoded by plan: what is found out
// by reflection may be a function, a value can lie too deep in itself, and a map that must be
// sorted can be too large.
func (w *writer) canFail(k *model.Key, seen map[*model.Key]bool) bool {
	if seen[k] || k.Inferred || anyBasic(k) || !model.Nameable(k.Type, w.n.pkg) {
		return true
	}
	seen[k] = true
	defer delete(seen, k)
	switch k.Kind {
	case model.KeyAny:
		return true
	case model.KeyMap:
		return k.MapKey.Kind > model.KeyString || w.canFail(k.MapKey, seen) || w.canFail(k.Elem, seen)
	}
	for _, f := range k.Fields {
		if w.canFail(f.Key, seen) {
			return true
		}
	}
	return k.Elem != nil && w.canFail(k.Elem, seen)
}

// hashMethod writes the method hash of a key, of statements each of which adds to §h.
func (w *writer) hashMethod(text string) string {
	start := w.n.value("HashStart") + "()"
	head := "func (§k *" + w.v.K + ") hash() " + w.v.Uint64 + " {"
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if first, ok := strings.CutPrefix(lines[0], "§h = "); ok {
		lines[0] = "§h := " + strings.Replace(first, "(§h, ", "("+start+", ", 1)
	} else if text == "" {
		lines[0] = "§h := " + start
	} else {
		lines = append([]string{"§h := " + start}, lines...)
	}
	last := len(lines) - 1
	if x, ok := strings.CutPrefix(lines[last], "§h := "); ok {
		if one := head + " return " + x + " }"; len(one) <= 130 {
			return one + "\n"
		}
		lines[last] = "return " + x
	} else if x, ok := strings.CutPrefix(lines[last], "§h = "); ok {
		lines[last] = "return " + x
	} else {
		lines = append(lines, "return §h")
	}
	return head + "\n" + strings.Join(lines, "\n") + "\n}\n"
}

// hash writes statements that add an exact value to the hash §h.
func (w *writer) hash(b *strings.Builder, k *model.Key, x string, depth int) {
	n := w.n
	switch k.Kind {
	case model.KeyBool:
		fmt.Fprintf(b, "§h = %s(§h, %s)\n", n.value("HashBool"), w.h.to("bool", k.Type, x))
	case model.KeyInt, model.KeyUint:
		fmt.Fprintf(b, "§h = %s(§h, %s)\n", n.value("HashUint64"), w.h.to("uint64", k.Type, x))
	case model.KeyString:
		fmt.Fprintf(b, "§h = %s(§h, %s)\n", n.value("HashString"), w.h.to("string", k.Type, x))
	case model.KeyExactArray:
		if k.Type.Underlying().(*types.Array).Len() == 0 {
			return // the compiler fails at a loop over it
		}
		if k.Type.Underlying().(*types.Array).Len() > 8 && k.Elem.Kind <= model.KeyUint {
			// Cheaper in one piece.
			fmt.Fprintf(b, "§h = %s(§h, %s)\n", n.value("HashComparable"), x)
			return
		}
		i := fmt.Sprintf("§i%d", depth)
		var inner strings.Builder
		w.hash(&inner, k.Elem, x+"["+i+"]", depth+1)
		if inner.Len() > 0 { // elements may be empty structs
			fmt.Fprintf(b, "for %s := range %s {\n%s}\n", i, x, inner.String())
		}
	case model.KeyExactStruct:
		for _, f := range k.Fields {
			w.hash(b, f.Key, x+"."+f.Name, depth)
		}
	}
}

// use writes the call of a function that an option names.
func (w *writer) use(u *model.Use, args ...string) string {
	if u.Method {
		if strings.HasPrefix(args[0], "*") {
			args[0] = "(" + args[0] + ")"
		}
		return args[0] + "." + u.Func.Name() + "(" + strings.Join(args[1:], ", ") + ")"
	}
	return w.funcName(u) + "(" + strings.Join(args, ", ") + ")"
}

func (w *writer) funcName(u *model.Use) string {
	if u.Import != "" {
		return w.n.imported(u.Import, u.Func.Pkg().Name()) + "." + u.Func.Name()
	}
	return w.n.own(u.Func.Name())
}

// fields returns the results in what x points to.
func (w *writer) fields(x string) []string {
	if len(w.f.Results) == 1 {
		return []string{"*" + x}
	}
	var s []string
	for _, v := range w.v.Values {
		s = append(s, x+"."+v.Field)
	}
	return s
}

// unpack returns the results in what §v, an any, points to, and the statement that they need
// before them.
func (w *writer) unpack() (before string, results []string) {
	if len(w.f.Results) > 1 {
		before = "§r := §v.(*" + w.v.V + ")\n"
		return before, w.fields("§r")
	}
	return "", w.fields("§v.(*" + w.v.V + ")")
}

// copied writes copies of the results xs that need none of their own memory for it.
func (w *writer) copied(xs []string) []string {
	var out []string
	for i, r := range w.f.Results {
		x := xs[i]
		if r.Copy != nil {
			x = w.h.copyOf(r.Copy, x)
		}
		out = append(out, x)
	}
	return out
}

func (w *writer) values() {
	f, n, v := w.f, w.n, &w.v
	taken := scope{}
	for i, r := range f.Results {
		val := value{Field: r.Name, Type: n.typ(r.Type)}
		if val.Field == "" {
			val.Field = "value"
			if i > 0 {
				val.Field += strconv.Itoa(i + 1)
			}
		}
		val.Peek = "§" + val.Field
		val.Field = taken.local(val.Field)
		if w.res != nil {
			val.Peek = w.res[i]
		}
		v.Values = append(v.Values, val)
		if r.Copy != nil {
			v.Copies = true
			v.Copier = v.Copier || r.Copy.Copier
		}
	}
	switch len(v.Values) {
	case 0:
		v.V = n.cache("None")
	case 1:
		v.V = v.Values[0].Type
	default:
		v.V = v.Result + v.TArgs
	}
	// What is returned.
	var types []string
	for i, val := range v.Values {
		if w.res != nil {
			types = append(types, w.res[i]+" "+val.Type)
		} else {
			types = append(types, val.Type)
		}
	}
	var plain []string
	for _, val := range v.Values {
		plain = append(plain, val.Type)
	}
	if f.HasErr {
		plain = append(plain, v.Error)
		if w.res != nil {
			types = append(types, w.err+" "+v.Error)
		} else {
			types = append(types, v.Error)
		}
	}
	v.Results, v.PlainResults = "("+strings.Join(types, ", ")+")", "("+strings.Join(plain, ", ")+")"
	if len(plain) == 1 {
		v.PlainResults = plain[0]
		if w.res == nil {
			v.Results = plain[0]
		}
	}
}

// hasOps reports whether the key has methods.
func (w *writer) hasOps() bool {
	o := &w.f.Opts
	for _, u := range []*model.Use{o.TTLFunc, o.Keep, o.KeepError, o.CopyFunc, o.Release} {
		if u != nil {
			return true
		}
	}
	sized, keyed := false, false
	for _, r := range w.f.Results {
		sized = sized || r.Size != nil
	}
	for _, p := range w.f.Key.Parts {
		keyed = keyed || p.Param != nil && p.Param == w.f.Ctx && p.Hash != nil
	}
	return sized || keyed || w.v.Copies || w.v.LayoutCopies || w.v.Session || len(o.CtxKeys) > 0 || w.keyTags()
}

// keyTags reports whether some tags can be made from the key.
func (w *writer) keyTags() bool {
	for _, tag := range w.f.Opts.ArgTags {
		if w.tagInKey(tag) {
			return true
		}
	}
	return false
}

func (w *writer) tagInKey(tag model.ArgTag) bool {
	for _, piece := range tag {
		if piece.Param != nil && w.exact[piece.Param] == "" {
			return false
		}
	}
	return true
}

func (w *writer) ops() {
	f, v := w.f, &w.v
	o := &f.Opts
	v.HasOps = w.hasOps()
	unpack, all := w.unpack()
	v.Unpack = unpack
	w.copies()
	size := ""
	for i, r := range f.Results {
		if r.Size == nil {
			continue
		}
		if size != "" {
			size += " + "
		}
		size += w.h.sizeOf(r.Size, all[i], "§z")
	}
	v.Size = size
	if o.TTLFunc != nil {
		v.Duration = w.n.std("time", "Duration")
		v.TTLFunc = w.use(o.TTLFunc, all...)
	}
	if o.Keep != nil {
		v.Keep = w.v.Bool + "(" + w.use(o.Keep, all...) + ")"
	}
	if o.KeepError != nil {
		v.KeepError = w.use(o.KeepError, "§err")
	}
	if o.Release != nil {
		x, guard := all[0], ""
		if o.Release.Method && nillable(f.Results[0].Type) && !w.n.top["nil"] {
			x, guard = "§r", "if §r := "+all[0]+"; §r != nil {\n"
		}
		call := w.use(o.Release, x)
		if o.Release.Err {
			call = "_ = " + call
		}
		v.Release = call
		if guard != "" {
			v.Release = guard + call + "\n}"
		}
		switch f.Results[0].Type.Underlying().(type) {
		case *types.Pointer, *types.Interface: // the runtime ignores an identity that cannot be compared
			v.Ident = true
		}
	}
	var keyTags, callTags []string
	for _, tag := range o.ArgTags {
		inKey := w.tagInKey(tag)
		var terms []string
		for _, piece := range tag {
			switch {
			case piece.Param == nil:
				terms = append(terms, strconv.Quote(piece.Text))
			case inKey:
				terms = append(terms, w.text(piece.Param.Type, w.exact[piece.Param]))
			default:
				terms = append(terms, w.text(piece.Param.Type, w.name[piece.Param]))
			}
		}
		if inKey {
			keyTags = append(keyTags, strings.Join(terms, " + "))
		} else {
			callTags = append(callTags, strings.Join(terms, " + "))
		}
	}
	v.KeyTags, v.CallTags = strings.Join(keyTags, ", "), strings.Join(callTags, ", ")
	for _, part := range f.Key.Parts {
		if part.Param != nil && part.Param == f.Ctx && part.Hash != nil {
			v.Keyed = w.use(part.Hash, "§ctx")
		}
	}
	var ignored, values []string
	for _, k := range o.CtxKeys {
		switch {
		case k.Type != nil:
			ignored = append(ignored, w.n.typ(k.Type))
		case k.Import != "":
			values = append(values, w.n.imported(k.Import, k.Value.Pkg().Name())+"."+k.Value.Name())
		default:
			values = append(values, w.n.own(k.Value.Name()))
		}
	}
	for i, x := range values {
		values[i] = "§key == " + v.Any + "(" + x + ")"
	}
	v.IgnoredTypes, v.IgnoredValues = strings.Join(ignored, ", "), strings.Join(values, " || ")
	v.Ops = w.nilOf(v.Any)
	if v.HasOps && w.n.top["nil"] {
		v.Ops = w.nilOf("*" + v.K)
	} else if v.HasOps {
		v.Ops = "(*" + v.K + ")(nil)"
	}

	var blanks, funcs []string
	for _, u := range []*model.Use{o.TTLFunc, o.Keep, o.KeepError, o.CopyFunc, o.Release} {
		if u != nil && !v.Generic && !u.Method && u.Import == "" && u.Func.Signature().TypeParams().Len() == 0 {
			blanks, funcs = append(blanks, "_"), append(funcs, w.funcName(u))
		}
	}
	if len(funcs) > 0 {
		v.Mentions = strings.Join(blanks, ", ") + " = " + strings.Join(funcs, ", ")
	}
}

// copies writes the body of the method Copy, and what the wrapper gives on a hit.
func (w *writer) copies() {
	f, n, v := w.f, w.n, &w.v
	give := func(xs []string) string {
		if f.HasErr {
			xs = append(xs, w.noError())
		}
		return "return " + strings.Join(xs, ", ")
	}
	hit := w.fields("§v")
	nilCopier := func(text string) string { // of a copy that needs to remember nothing
		return strings.ReplaceAll(text, "§c", w.nilOf("*"+n.value("Copier")))
	}
	from, to := "§from.(*"+v.V+")", "*§to.(*"+v.V+")"
	before := ""
	if len(v.Values) > 1 {
		before, from = "§r := "+from+"\n", "§r"
	}
	literal := func(xs []string) string {
		if len(xs) == 1 {
			return xs[0]
		}
		return v.V + "{" + strings.Join(xs, ", ") + "}"
	}
	byMethod := false
	done := "return " + w.noError()
	switch c := f.Opts.CopyFunc; {
	case c != nil && len(hit) == 1:
		v.Copy = to + " = " + w.use(c, w.fields(from)...) + "\n" + done
		v.Return = give([]string{w.use(c, hit...)})
	case c != nil:
		byMethod = true
		v.Copy = "§r, §w := §from.(*" + v.V + "), §to.(*" + v.V + ")\n" +
			strings.Join(w.fields("§w"), ", ") + " = " + w.use(c, w.fields("§r")...) + "\n" + done
	case v.Copier:
		byMethod = true
		v.Copy = "§c := " + n.value("NewCopier") + "(" + strconv.Quote(v.Module) + ")\n" +
			before + to + " = " + literal(w.copied(w.fields(from))) + "\nreturn §c.Done()"
	case v.Copies || v.LayoutCopies:
		byMethod = v.LayoutCopies
		v.Copy = nilCopier(before + to + " = " + literal(w.copied(w.fields(from))) + "\n" + done)
		v.Return = nilCopier(give(w.copied(hit)))
	default:
		v.Return = give(hit)
	}
	if byMethod {
		key := "§k"
		if len(v.Fields) == 0 {
			key = "(&" + v.K + "{})"
		}
		out := []string{"§w"}
		if len(hit) > 1 {
			out = w.fields("§w")
		}
		v.Return = "var §w " + v.V + "\n_ = " + key + ".Copy(&§w, §v) // it has been copied before\n" + give(out)
	}
}

// give writes what returns the results of x, a call of Do or Refresh.
func (w *writer) give(x string) string {
	f, n := w.f, w.n
	switch out := w.fields("§v"); {
	case len(out) == 1 && f.HasErr:
		return "return " + x
	case len(out) == 1:
		return "return " + n.cache("Must") + "(" + x + ")"
	case len(out) == 0:
		return "_, §err := " + x + "\nreturn §err"
	case f.HasErr:
		return "§v, §err := " + x + "\nreturn " + strings.Join(append(out, "§err"), ", ")
	default:
		return "§v := " + n.cache("Must") + "(" + x + ")\nreturn " + strings.Join(out, ", ")
	}
}

// text writes the text of a string, integer or bool.
func (w *writer) text(t types.Type, x string) string {
	info := t.Underlying().(*types.Basic).Info()
	switch {
	case info&types.IsString != 0:
		return w.h.to("string", t, x)
	case info&types.IsBoolean != 0:
		return w.n.std("strconv", "FormatBool") + "(" + w.h.to("bool", t, x) + ")"
	case info&types.IsUnsigned != 0:
		return w.n.std("strconv", "FormatUint") + "(" + w.h.to("uint64", t, x) + ", 10)"
	}
	return w.n.std("strconv", "FormatInt") + "(" + w.h.to("int64", t, x) + ", 10)"
}

func (w *writer) options() {
	f, v := w.f, &w.v
	o := &f.Opts
	add := func(format string, args ...any) { v.Opts = append(v.Opts, fmt.Sprintf(format, args...)) }
	add("Func: %q, Site: %q,", f.ID, f.Site)
	duration := func(name string, d time.Duration) {
		if d > 0 {
			add("%s: %s,", name, w.duration(d))
		}
	}
	duration("TTL", o.TTL)
	duration("Stale", o.Stale)
	duration("ErrorTTL", o.ErrorTTL)
	duration("Timeout", o.Timeout)
	duration("Wait", o.Wait)
	duration("Grace", o.Grace)
	if o.Jitter > 0 {
		add("Jitter: %s,", strconv.FormatFloat(o.Jitter, 'g', -1, 64))
	}
	if o.Max > 0 {
		add("Max: %d,", o.Max)
	}
	if o.MaxBytes > 0 {
		add("MaxBytes: %s,", bytesOf(o.MaxBytes))
	}
	if len(o.Tags) > 0 {
		var tags []string
		for _, t := range o.Tags {
			tags = append(tags, strconv.Quote(t))
		}
		add("Tags: []%s{%s},", w.v.String, strings.Join(tags, ", "))
	}
	if v.Layout != "" {
		if v.Generic {
			add("Layout: %s,", v.LayoutOf)
		} else {
			add("Layout: &%s,", v.Layout)
		}
	}
	// What follows from the function stands in one line.
	var rest []string
	flag := func(name string, on bool) {
		if on {
			rest = append(rest, name+": "+v.True)
		}
	}
	flag("Resource", f.Resource)
	flag("Detach", o.Detach)
	flag("TrackContext", o.TrackContext)
	flag("Session", f.Session)
	if f.Draw == nil { // of a function that draws, each call says so
		says := "NoError"
		if f.HasErr {
			says = "HasError"
		}
		rest = append(rest, "ErrorResult: "+w.n.cache(says))
	}
	if len(rest) > 0 {
		add("%s,", strings.Join(rest, ", "))
	}
}

// bytesOf writes a number of bytes as people write them.
func bytesOf(n int64) string {
	for _, shift := range []int{30, 20, 10} {
		if n%(1<<shift) == 0 {
			return fmt.Sprintf("%d << %d", n>>shift, shift)
		}
	}
	return strconv.FormatInt(n, 10)
}

// duration writes d in the largest unit of which it is a multiple.
func (w *writer) duration(d time.Duration) string {
	units := []struct {
		d    time.Duration
		name string
	}{{time.Hour, "Hour"}, {time.Minute, "Minute"}, {time.Second, "Second"}, {time.Millisecond, "Millisecond"}, {time.Microsecond, "Microsecond"}, {1, "Nanosecond"}}
	i := 0
	for d%units[i].d != 0 {
		i++
	}
	unit := w.n.std("time", units[i].name)
	if n := d / units[i].d; n != 1 {
		return fmt.Sprintf("%d * %s", n, unit)
	}
	return unit
}

func (w *writer) calls() {
	f, n, v := w.f, w.n, &w.v
	all := params(f)
	v.Params = w.list(f.Params, true)
	v.ParamsWithRecv = w.list(all, true)
	v.CallParams = w.list(all, false)
	args := w.args(all)
	if v.CanFail {
		join := func(a, b string) string { return strings.TrimPrefix(a+", "+b, ", ") }
		v.CallParams, args = join(v.CallParams, "§keyErr "+v.Error), join(args, "§keyErr")
	}
	call := v.Call + v.TArgs + "(" + args + ")"
	v.Found = w.notNil("§v", true)
	v.RunCtx = "_"
	if f.Ctx != nil {
		v.Ctx = w.name[f.Ctx]
		v.RunCtx = v.Ctx
	}

	// Copies of the arguments, for a computation apart from the caller.
	var copies strings.Builder
	copier := false
	drifts, apart := false, ""
	for _, p := range all {
		if p.Apart {
			drifts = drifts || p.Root != nil
			apart += w.name[p] + " = " + n.value("CopyOf") + "(§c, " + w.name[p] + ")\n"
		}
		if p.Args != nil {
			copier = copier || p.Args.Copier
			fmt.Fprintf(&copies, "%s = %s\n", w.name[p], w.h.copyOf(p.Args, w.name[p]))
		}
	}
	text := copies.String()
	if !copier {
		text = strings.ReplaceAll(text, "§c", w.nilOf("*"+n.value("Copier")))
	}
	switch {
	case copier:
		v.CopyArgs = "§c := " + n.value("NewCopier") + "(" + strconv.Quote(v.Module) + ")\n" + text + "_ = §c.Done()\n"
	default:
		v.CopyArgs = text
	}
	uncached := ""
	if v.CanFail {
		uncached = "Uncached: §keyErr,\n"
	}
	if drifts {
		v.ArgsErr = true
		declare, set := "var §keyErr "+v.Error+"\n", "§keyErr = §c.Apart()\n"
		if v.CanFail {
			declare, set = "", "if §argErr := §c.Apart(); "+v.KeyGood+" {\n§keyErr = §argErr\n}\n"
		}
		uncached = "Uncached: §keyErr,\n"
		v.CopyArgs = declare + "if " + v.LayoutOf + ".Held() {\n" + v.CopyArgs + "} else {\n" +
			"§c := " + n.value("NewCopier") + "(" + strconv.Quote(v.Module) + ")\n" + apart + set + "}\n"
	}

	unpack, left := w.unpack()
	v.Run, v.RunResult = w.run(unpack, left, w.call(nil))
	v.Do = w.give(v.SiteOf + ".Do(" + v.KeyArg + ", " + call + ")")
	if len(v.Fields) > 0 && f.Opts.Validate == nil {
		v.Do = w.give(v.SiteOf + ".Do(§h, §k, " + call + ")")
	}
	v.Refresh = w.give(v.SiteOf + ".Refresh(" + v.KeyArg + ", " + call + ")")
	if f.Opts.Release != nil {
		v.Acquire = w.acquire(v.SiteOf + ".Acquire(" + v.KeyArg + ", " + call + ")")
	}

	v.Lent = w.lent()

	if val := f.Opts.Validate; val != nil {
		var args []string
		if val.Ctx && !val.Method {
			args = append(args, "§ctx")
		}
		args = append(args, left...)
		if val.Ctx && val.Method {
			args = append(args, "§ctx")
		}
		dots := ""
		if val.Args {
			for _, p := range f.Params {
				if p != f.Ctx {
					args = append(args, w.name[p])
				}
			}
		}
		x := w.use(&val.Use, args...) + dots
		switch {
		case val.Bool && val.Err:
			v.Validate = "§good, §err := " + x + "\nreturn " + v.Bool + "(§good), §err"
		case val.Bool:
			v.Validate = "return " + v.Bool + "(" + x + "), " + w.noError()
		default:
			v.Validate = "§err := " + x + "\nreturn " + w.isOK("§err") + ", §err"
		}
		v.Validate = "Validate: func(§ctx " + v.Context + ", §v " + v.Any + ") (" + v.Bool + ", " + v.Error + ") {\n" + unpack + v.Validate + "\n},\n"
	}

	fields := uncached
	if v.CallTags != "" {
		fields += "Tags: []" + v.String + "{" + v.CallTags + "},\n"
	}
	if v.Owner != "" {
		fields += "Owner: " + v.Owner + ",\n"
	}
	fields += v.Lent + v.Validate
	switch {
	case v.Ctx != "" && fields != "":
		fields = "\nCtx: " + v.Ctx + ",\n" + fields
	case v.Ctx != "":
		fields = "Ctx: " + v.Ctx + ", "
	case fields != "":
		fields = "\n" + fields
	}
	v.CallFields = fields
	if strings.HasPrefix(fields, "\n") {
		v.CallEnd = ",\n"
	}
}

// run writes the body of Run: a call of the function, of whose results those but the error
// are left where left says.
func (w *writer) run(before string, left []string, call string) (body, result string) {
	switch {
	case w.f.HasErr && len(left) == 0:
		return "return " + call, w.v.Error
	case w.f.HasErr:
		return before + strings.Join(append(left[:len(left):len(left)], "§err"), ", ") + " = " + call + "\nreturn §err", "(§err " + w.v.Error + ")"
	case len(left) > 0:
		call = strings.Join(left, ", ") + " = " + call
	}
	return before + call + "\nreturn " + w.noError(), w.v.Error
}

// acquire writes what returns the results of x, a call of Acquire.
func (w *writer) acquire(x string) string {
	out := []string{"§v"}
	if len(w.f.Results) > 1 {
		out = w.fields("§v")
	}
	out = append(out, "§free")
	switch {
	case w.f.HasErr && len(w.f.Results) == 1:
		return "return " + x
	case w.f.HasErr:
		return "§v, §free, §err := " + x + "\nreturn " + strings.Join(append(out, "§err"), ", ")
	}
	return "§v, §free, §err := " + x + "\nif " + w.notNil("§err", false) + " {\n" + w.n.predeclared("panic") + "(§err)\n}\nreturn " + strings.Join(out, ", ")
}

// lent writes the field of a call that lists what the body could change for its caller.
func (w *writer) lent() string {
	var args []string
	for _, part := range w.f.Key.Parts {
		if !part.Lent {
			continue
		}
		name := part.Param.Name
		if part.Param == w.f.Recv {
			name = strings.TrimSpace("the receiver " + name)
		}
		encode := w.h.encode(part.Plan, w.name[part.Param], 0)
		if part.Root != nil {
			encode = w.n.value("EncodeOf") + "(§e, " + w.name[part.Param] + ")\n"
		}
		if one := strings.TrimSuffix(encode, "\n"); !strings.Contains(one, "\n") {
			encode = " " + one + " "
		} else {
			encode = "\n" + encode
		}
		args = append(args, fmt.Sprintf("{Name: %q, Encode: func(§e *%s) {%s}}", name, w.n.value("Encoder"), encode))
	}
	switch len(args) {
	case 0:
		return ""
	case 1:
		return "Arguments: []" + w.n.cache("Argument") + "{" + args[0] + "},\n"
	}
	return "Arguments: []" + w.n.cache("Argument") + "{\n" + strings.Join(args, ",\n") + ",\n},\n"
}

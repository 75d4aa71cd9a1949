package emit

import (
	"bytes"
	"fmt"
	"go/types"
	"regexp"
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
	Impl, ImplValue, FuncType, Title                                           string
	Wrapper, Handle                                                            string
	Key, KeyOf, Result, CopyOf, Ops, Site, Sites, Options                      string
	Miss, Call, HandleType, SiteOf                                             string
	Generic                                                                    bool
	TDecl, TArgs, FuncTDecl, FuncTArgs                                         string
	Fields                                                                     []field
	Hash, Clone, Make                                                          string
	CanFail                                                                    bool
	KeyParams, KeyParamsComma, KeyArgs                                         string
	Values                                                                     []value
	Copier, Copies, UsesC, UsesZ                                               bool
	CopyFunc, Size, TTLFunc, Keep, KeepError, Release                          string
	Ident, Session, HasOps                                                     bool
	NoOps                                                                      string
	KeyTags, CallTags, Owner, Lent, Validate                                   string
	Keyed, IgnoredTypes, IgnoredValues                                         string
	Opts, Doc                                                                  []string
	Recv, Params, ParamsWithRecv, FuncParams, FuncParamsBare                   string
	Results, PlainResults                                                      string
	CallArgs, CallArgsBare, CopyArgs, Run, RunCtx                              string
	Ctx                                                                        string
	Found, WhyOK, WhyFailed, Failed, Return, Got, Give, GiveAcquired, Mentions string
	HasErr                                                                     bool
	Layout, LayoutTypes, LayoutOf                                              string
	LayoutTexts                                                                []string
	ID                                                                         string
	LayoutCopies, CopyErr, ArgsErr                                             bool
	drawView

	Cache, Public, Value, Error, Uint64, Int64, Bool, Any, String, Duration, Context, Unsafe, Module, True, False string
}

type field struct{ Name, Type string }

type value struct{ Field, Type, Copy, Peek, Prime string }

// local finds the locals of generated text.
var local = regexp.MustCompile(`§([a-z]+[0-9]*)`)

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
	w.key()
	w.values()
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
	v.Key, v.KeyOf, v.Result, v.CopyOf, v.Ops = gen("Key"), gen("KeyOf"), gen("Result"), gen("Copy"), gen("Ops")
	v.Site, v.Sites, v.Options = gen("Site"), gen("Sites"), gen("Options")
	v.Miss, v.Call, v.HandleType, v.Reads = gen("Miss"), gen("Call"), gen("Handle"), gen("Reads")
	v.Layout = gen("Layout")
	v.Impl, v.Wrapper, v.Handle = f.Name, f.Wrapper, f.Handle
	v.Title = f.Wrapper
	if f.RecvBase != nil {
		v.Title = f.RecvBase.Name() + "." + f.Wrapper
	}
	for _, g := range []string{v.Key, v.KeyOf, v.Result, v.CopyOf, v.Ops, v.Site, v.Sites, v.Options, v.Miss, v.Call, v.HandleType, v.Reads, v.Layout, v.Handle} {
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
		if p.Index >= 0 {
			otherwise = fmt.Sprintf("p%d", p.Index)
		}
		w.name[p] = give(p.Name, otherwise)
	}
	w.drawNames()
	allNamed := len(f.Results) > 0
	for _, r := range f.Results {
		allNamed = allNamed && r.Name != ""
	}
	for _, r := range f.Results {
		if allNamed {
			w.res = append(w.res, give(r.Name, ""))
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

func (w *writer) key() {
	f, n, v := w.f, w.n, &w.v
	ps := w.keyParams()
	v.KeyParams, v.KeyArgs = w.list(ps, false), w.args(ps)
	v.KeyParamsComma = v.KeyParams
	if v.KeyParams != "" {
		v.KeyParamsComma += ", "
	}

	fields := scope{"hash": true, "own": true}
	var hash, clone, exact, atoms, encoded, dynamic strings.Builder
	hasDigest, drifts := false, false
	for i, part := range f.Key.Parts {
		plan := part.Plan
		if plan.Kind == model.KeySession {
			name := fields.local("session")
			v.Fields = append(v.Fields, field{name, n.predeclared("string")})
			fmt.Fprintf(&exact, "§s, §ok := %s(%s)\nif !§ok {\n§err = %s\nreturn\n}\n§k.%s = §s\n", n.cache("SessionOf"), w.name[f.Ctx], n.cache("ErrNoSession"), name)
			fmt.Fprintf(&hash, "§h = %s(§h, §k.%s)\n", n.value("HashString"), name)
			fmt.Fprintf(&clone, "§k.%s = %s(§k.%s)\n", name, n.std("strings", "Clone"), name)
			v.CanFail, v.Session = true, true
			continue
		}
		x := w.name[part.Param]
		name := part.Param.Name
		if name == "" {
			name = x
		}
		if plan.Kind == model.KeyIdentity {
			name = fields.local(name)
			v.Fields = append(v.Fields, field{name, n.std("weak", "Pointer") + "[" + n.typ(types.Unalias(part.Param.Type).(*types.Pointer).Elem()) + "]"})
			fmt.Fprintf(&exact, "§k.%s = %s(%s)\n", name, n.std("weak", "Make"), x)
			fmt.Fprintf(&hash, "§h = %s(§h, §k.%s)\n", n.value("HashComparable"), name)
			v.Owner = n.cache("OwnerOf") + "(" + x + ")"
			continue
		}
		if part.Hash != nil {
			made := fmt.Sprintf("§x%d", i)
			fmt.Fprintf(&exact, "%s := %s\n", made, w.use(part.Hash, x))
			x = made
		}
		whole := x
		for plan.Kind == model.KeyOwn {
			x, plan = x+".CacheKey()", plan.Elem
		}
		if plan.Kind.Exact() && plan.Kind != model.KeyAny && plan.Kind != model.KeyTime && !model.Nameable(plan.Type, n.pkg) {
			plan = &model.Key{Kind: model.KeyAny, Type: plan.Type}
		}
		set := func(typ, expr string) string {
			name = fields.local(name)
			v.Fields = append(v.Fields, field{name, typ})
			fmt.Fprintf(&exact, "§k.%s = %s\n", name, expr)
			return "§k." + name
		}
		switch plan.Kind {
		case model.KeyFloat32:
			k := set(n.predeclared("uint32"), n.value("FloatKey32")+"("+w.h.to("float32", plan.Type, x)+")")
			fmt.Fprintf(&hash, "§h = %s(§h, %s(%s))\n", n.value("HashUint64"), n.predeclared("uint64"), k)
		case model.KeyFloat64:
			k := set(n.predeclared("uint64"), n.value("FloatKey64")+"("+w.h.to("float64", plan.Type, x)+")")
			fmt.Fprintf(&hash, "§h = %s(§h, %s)\n", n.value("HashUint64"), k)
		case model.KeyTime:
			k := set(n.value("TimeKey"), n.value("TimeKeyOf")+"("+w.h.time(plan.Type, x)+")")
			fmt.Fprintf(&hash, "§h = %s(§h, &%s)\n", n.value("HashTime"), k)
		case model.KeyAny:
			part := strings.TrimPrefix(name, "§")
			name = fields.local(name)
			v.Fields = append(v.Fields, field{name, n.value("Atom")})
			fmt.Fprintf(&atoms, "if §k.%s, §err = %s(%s); %s {\n§err = %s(§err, %q)\nreturn\n}\n", name, n.value("AtomOf"), x, w.notNil("§err", false), n.value("InPart"), part)
			fmt.Fprintf(&hash, "§h = %s(§h, &§k.%s)\n", n.value("HashAtom"), name)
			fmt.Fprintf(&clone, "§k.%s = §k.%s.Clone()\n", name, name)
			v.CanFail = true
		default:
			if plan.Kind.Exact() {
				k := set(n.typ(plan.Type), x)
				w.hash(&hash, plan, k, 0)
				w.clone(&clone, plan, k, 0)
				if part.Hash == nil && plan == part.Plan {
					w.exact[part.Param] = k
				}
				continue
			}
			hasDigest = true
			fmt.Fprintf(&encoded, "§e.Part(%q)\n", strings.TrimPrefix(name, "§"))
			encoded.WriteString(w.h.encode(plan, x, 0))
			fmt.Fprintf(&dynamic, "§e.Part(%q)\n%s(§e, %s)\n", strings.TrimPrefix(name, "§"), n.value("EncodeOf"), whole)
			drifts = drifts || part.Root != nil
		}
	}
	w.drawKey(fields, &hash)
	v.Make = exact.String() + atoms.String()
	if hasDigest {
		name := fields.local("digest")
		v.Fields = append(v.Fields, field{name, n.value("Digest")})
		v.Make += "§e := " + n.value("NewEncoder") + "()\n"
		if drifts {
			v.Make += "if §held {\n" + encoded.String() + "} else {\n" + dynamic.String() + "}\n"
		} else {
			v.Make += encoded.String()
		}
		v.Make += "§k." + name + ", §err = §e.Digest()\n"
		fmt.Fprintf(&hash, "§h = %s(§h, &§k.%s)\n", n.value("HashDigest"), name)
		v.CanFail = true
	}
	switch {
	case v.Layout == "":
	case drifts:
		v.Make = "§held := " + v.LayoutOf + ".Holds(" + v.LayoutTypes + ")\n" + v.Make
	default:
		v.Make = v.LayoutOf + ".Holds(" + v.LayoutTypes + ")\n" + v.Make
	}
	v.Hash, v.Clone = hash.String(), clone.String()
	v.Failed = w.notNil("§err", false)
	v.WhyOK, v.WhyFailed = w.isOK("§why"), w.notNil("§why", false)
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

// clone writes statements that replace the strings in an exact value by copies.
func (w *writer) clone(b *strings.Builder, k *model.Key, x string, depth int) {
	switch k.Kind {
	case model.KeyString:
		s := w.n.std("strings", "Clone") + "(" + w.h.to("string", k.Type, x) + ")"
		if b, ok := k.Type.(*types.Basic); !ok || b.Kind() != types.String {
			s = w.n.typ(k.Type) + "(" + s + ")"
		}
		fmt.Fprintf(b, "%s = %s\n", x, s)
	case model.KeyExactArray:
		if k.Type.Underlying().(*types.Array).Len() == 0 {
			return
		}
		var inner strings.Builder
		i := fmt.Sprintf("§i%d", depth)
		w.clone(&inner, k.Elem, x+"["+i+"]", depth+1)
		if inner.Len() > 0 {
			fmt.Fprintf(b, "for %s := range %s {\n%s}\n", i, x, inner.String())
		}
	case model.KeyExactStruct:
		for _, f := range k.Fields {
			w.clone(b, f.Key, x+"."+f.Name, depth)
		}
	}
}

// use writes the call of a function that an option names.
func (w *writer) use(u *model.Use, args ...string) string {
	if u.Method {
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

// fields returns the results in the struct called x.
func (w *writer) fields(x string) []string {
	var s []string
	for i := range w.f.Results {
		s = append(s, fmt.Sprintf("%s.r%d", x, i))
	}
	return s
}

func (w *writer) values() {
	f, n, v := w.f, w.n, &w.v
	for i, r := range f.Results {
		val := value{Field: fmt.Sprintf("r%d", i), Type: n.typ(r.Type)}
		val.Copy = "§v." + val.Field
		if r.Copy != nil {
			v.Copies = true
			v.Copier = v.Copier || r.Copy.Copier
			val.Copy = w.h.copyOf(r.Copy, val.Copy)
			v.UsesC = v.UsesC || strings.Contains(val.Copy, "§c")
		}
		if w.res != nil {
			val.Peek = w.res[i]
		} else {
			val.Peek = "§" + val.Field
		}
		val.Prime = val.Peek
		v.Values = append(v.Values, val)
		if r.Size != nil {
			s := w.h.sizeOf(r.Size, "§v."+val.Field, "&§z")
			v.UsesZ = v.UsesZ || strings.Contains(s, "§z")
			if v.Size != "" {
				v.Size += " + "
			}
			v.Size += s
		}
	}
	v.Copies = v.Copies || v.LayoutCopies
	v.CopyErr = v.Copier || v.LayoutCopies
	if v.Size != "" {
		v.Unsafe = n.imported("unsafe", "unsafe") + "."
	}
	if c := f.Opts.CopyFunc; c != nil {
		v.CopyFunc = w.use(c, w.fields("§v")...)
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
			types = append(types, w.used.local("err")+" "+v.Error)
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

func (w *writer) ops() {
	f, v := w.f, &w.v
	o := &f.Opts
	all := w.fields("§v")
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
		call := w.use(o.Release, "§v.r0")
		if o.Release.Err {
			call = "_ = " + call
		}
		if o.Release.Method && nillable(f.Results[0].Type) && !w.n.top["nil"] {
			call = "if §v.r0 != nil {\n" + call + "\n}"
		}
		v.Release = call
		switch f.Results[0].Type.Underlying().(type) {
		case *types.Pointer, *types.Interface: // the runtime ignores an identity that cannot be compared
			v.Ident = true
		}
	}
	var keyTags, callTags []string
	for _, tag := range o.ArgTags {
		inKey := true
		for _, piece := range tag {
			inKey = inKey && (piece.Param == nil || w.exact[piece.Param] != "")
		}
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
	v.HasOps = v.Keyed+v.IgnoredTypes+v.IgnoredValues != "" || v.Copies || v.Ident || v.Session || v.CopyFunc+v.Size+v.TTLFunc+v.Keep+v.KeepError+v.Release+v.KeyTags != ""
	v.NoOps = w.nilOf(v.Any)

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
	add("Func: %q,", f.ID)
	add("Site: %q,", f.Site)
	flag := func(name string, on bool) {
		if on {
			add("%s: %s,", name, v.True)
		}
	}
	duration := func(name string, d time.Duration) {
		if d > 0 {
			add("%s: %d, // %s", name, int64(d), d)
		}
	}
	flag("Resource", f.Resource)
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
		add("MaxBytes: %d,", o.MaxBytes)
	}
	flag("Detach", o.Detach)
	flag("TrackContext", o.TrackContext)
	flag("Session", f.Session)
	if f.Draw == nil { // of a function that draws, each call says so
		says := "NoError"
		if f.HasErr {
			says = "HasError"
		}
		add("ErrorResult: %s,", w.n.cache(says))
	}
	if v.Layout != "" {
		if v.Generic {
			add("Layout: %s,", v.LayoutOf)
		} else {
			add("Layout: &%s,", v.Layout)
		}
	}
	if len(o.Tags) > 0 {
		var tags []string
		for _, t := range o.Tags {
			tags = append(tags, strconv.Quote(t))
		}
		add("Tags: []%s{%s},", w.v.String, strings.Join(tags, ", "))
	}
}

func (w *writer) calls() {
	f, n, v := w.f, w.n, &w.v
	all := params(f)
	v.Params = w.list(f.Params, true)
	v.ParamsWithRecv = w.list(all, true)
	v.FuncParamsBare = w.list(all, false)
	v.CallArgsBare = w.args(all)
	v.FuncParams, v.CallArgs = v.FuncParamsBare, v.CallArgsBare
	if len(all) > 0 {
		v.FuncParams += ", "
		v.CallArgs += ", "
	}
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
	switch {
	case copier:
		v.CopyArgs = "§c := " + n.value("NewCopier") + "(" + strconv.Quote(v.Module) + ")\n" + text + "_ = §c.Done()\n"
	case strings.Contains(text, "§c"):
		v.CopyArgs = "var §c *" + n.value("Copier") + "\n" + text
	default:
		v.CopyArgs = text
	}
	if drifts {
		v.ArgsErr = true
		v.CopyArgs = "var §why " + v.Error + "\nif " + v.LayoutOf + ".Held() {\n" + v.CopyArgs + "} else {\n" +
			"§c := " + n.value("NewCopier") + "(" + strconv.Quote(v.Module) + ")\n" + apart + "§why = §c.Apart()\n}\n"
	}

	// The computation.
	call := n.own(f.Name)
	if f.Recv != nil {
		call = w.name[f.Recv] + "." + f.Name
	}
	call += v.FuncTArgs
	var args []string
	for _, p := range f.Params {
		a := w.name[p]
		if w.variadic(p) {
			a += "..."
		}
		args = append(args, a)
	}
	left := w.fields("§v")
	if f.HasErr {
		left = append(left, "§err")
	}
	v.Run = strings.Join(left, ", ") + " = " + call + "(" + strings.Join(args, ", ") + ")"

	// What the wrapper gives on a hit, and after a computation.
	src := "§v"
	if v.Copier || v.Copies || v.CopyFunc != "" {
		v.Return = "§w := " + v.CopyOf + v.TArgs + "(§v)\n"
		if v.CopyErr {
			v.Return = "§w, _ := " + v.CopyOf + v.TArgs + "(§v) // has been copied before\n"
		}
		src = "§w"
	}
	out := w.fields(src)
	if f.HasErr {
		out = append(out, w.noError())
	}
	v.Return += "return " + strings.Join(out, ", ")

	out = w.fields("§v")
	v.Got = "§v, §err"
	if len(out) == 0 {
		v.Got = "_, §err"
	}
	if f.HasErr {
		v.Give = "return " + strings.Join(append(out, "§err"), ", ") + "\n"
		v.GiveAcquired = "return " + strings.Join(append(w.fields("§v"), "§free", "§err"), ", ")
	} else {
		fail := "if " + w.notNil("§err", false) + " {\n" + n.predeclared("panic") + "(§err)\n}\n"
		v.Give = fail + "return " + strings.Join(out, ", ") + "\n"
		v.GiveAcquired = fail + "return " + strings.Join(append(w.fields("§v"), "§free"), ", ")
	}

	v.Lent = w.lent()

	if val := f.Opts.Validate; val != nil {
		var args []string
		if val.Ctx && !val.Method {
			args = append(args, "§ctx")
		}
		args = append(args, w.fields("§v")...)
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
	}
}

// lent writes the field of a call that lists what the body could change for its caller.
func (w *writer) lent() string {
	var b strings.Builder
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
		fmt.Fprintf(&b, "{Name: %q, Encode: func(§e *%s) {\n%s}},\n", name, w.n.value("Encoder"), encode)
	}
	if b.Len() == 0 {
		return ""
	}
	return "Arguments: []" + w.n.cache("Argument") + "{\n" + b.String() + "},\n"
}

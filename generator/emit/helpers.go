package emit

import (
	"fmt"
	"go/types"
	"hash/crc32"
	"path/filepath"
	"strings"
	"unicode"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/cachegen/cachegen/generator/model"
)

// helpers are the functions of a file that encode, copy or weigh values of one type.
type helpers struct {
	n     *names
	stem  string
	funcs []string        // texts, in the order of first use
	used  map[string]bool // names
	enc   typeutil.Map    // types.Type → name
	copy  typeutil.Map
	size  typeutil.Map
	pinAt typeutil.Map // types.Type → index in pins

	aliases map[types.Object]bool // those in pins
	pins    []pinned

	// Of the function that is being written, for helpers of types that mention its type
	// parameters: "[K cmp.Ordered, V any]" and "[K, V]".
	decl, args string
}

func newHelpers(n *names, file string) *helpers {
	return &helpers{n: n, stem: identStem(file), used: map[string]bool{}, aliases: map[types.Object]bool{}}
}

// verbs are what helpers do with a value. A file's word of that name is marked, so that
// copyRow of the file a_copy.go is not taken for copyCopyRow of a.go.
var verbs = map[string]bool{"copy": true, "encode": true, "size": true}

// identStem makes an identifier in mixed caps of a file's name, another one for each name.
func identStem(file string) string {
	name := strings.TrimSuffix(filepath.Base(file), ".go")
	var b strings.Builder
	plain := true
	for i, word := range strings.Split(name, "_") {
		ok := word != "" && word[0] >= 'a' && word[0] <= 'z' && !(i > 0 && verbs[word])
		for _, r := range word {
			ok = ok && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9')
		}
		plain = plain && ok
		word = strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return r
			}
			return -1
		}, word)
		switch {
		case b.Len() > 0 && word != "":
			word = upper(word)
		case word != "" && !unicode.IsLetter([]rune(word)[0]):
			word = "file" + word
		case word != "":
			r := []rune(word)
			r[0] = unicode.ToLower(r[0])
			word = string(r)
		}
		b.WriteString(word)
	}
	stem := b.String()
	if stem == "" || !unicode.IsLower([]rune(stem)[0]) {
		stem = "file" + stem
	}
	if !plain {
		stem += fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(name)))
	}
	return stem
}

// name reserves a name for a helper of type t.
func (h *helpers) name(verb string, t types.Type) string {
	base := h.stem + upper(verb) + typeWord(t)
	name := h.n.fresh(base, h.n.locals)
	for i := 2; h.used[name] || h.n.made[name]; i++ {
		name = h.n.fresh(fmt.Sprintf("%s%d", base, i), h.n.locals)
	}
	h.used[name] = true
	return name
}

// generic returns what follows the name of a helper of type t in its declaration and
// in its uses.
func (h *helpers) generic(t types.Type) (decl, args string) {
	if mentionsParam(t, nil) {
		return h.decl, h.args
	}
	return "", ""
}

// typeWord names a type in a word: "Sale", "SaleSlice", "StringSaleMap".
func typeWord(t types.Type) string {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		w := upper(t.Obj().Name())
		for a := range t.TypeArgs().Types() {
			w += typeWord(a)
		}
		return w
	case *types.TypeParam:
		return upper(t.Obj().Name())
	case *types.Basic:
		return upper(strings.ReplaceAll(t.Name(), ".", ""))
	case *types.Pointer:
		return typeWord(t.Elem()) + "Ptr"
	case *types.Slice:
		return typeWord(t.Elem()) + "Slice"
	case *types.Array:
		return fmt.Sprintf("%sArray%d", typeWord(t.Elem()), t.Len())
	case *types.Map:
		return typeWord(t.Key()) + typeWord(t.Elem()) + "Map"
	case *types.Struct:
		return "Struct"
	}
	return "Value"
}

func upper(s string) string {
	r := []rune(s)
	r[0] = unicode.ToUpper(r[0])
	return string(r)
}

// mentionsParam reports whether a type parameter occurs in the spelling of t.
func mentionsParam(t types.Type, seen map[types.Type]bool) bool {
	if seen[t] {
		return false
	}
	if seen == nil {
		seen = map[types.Type]bool{}
	}
	seen[t] = true
	any := func(l *types.TypeList) bool {
		for a := range l.Types() {
			if mentionsParam(a, seen) {
				return true
			}
		}
		return false
	}
	switch t := t.(type) {
	case *types.TypeParam:
		return true
	case *types.Alias:
		return mentionsParam(types.Unalias(t), seen)
	case *types.Named:
		return any(t.TypeArgs())
	case *types.Pointer:
		return mentionsParam(t.Elem(), seen)
	case *types.Slice:
		return mentionsParam(t.Elem(), seen)
	case *types.Array:
		return mentionsParam(t.Elem(), seen)
	case *types.Chan:
		return mentionsParam(t.Elem(), seen)
	case *types.Map:
		return mentionsParam(t.Key(), seen) || mentionsParam(t.Elem(), seen)
	case *types.Struct:
		for f := range t.Fields() {
			if mentionsParam(f.Type(), seen) {
				return true
			}
		}
	case *types.Signature:
		for _, tuple := range []*types.Tuple{t.Params(), t.Results()} {
			for v := range tuple.Variables() {
				if mentionsParam(v.Type(), seen) {
					return true
				}
			}
		}
	case *types.Interface:
		for m := range t.Methods() {
			if mentionsParam(m.Type(), seen) {
				return true
			}
		}
		for e := range t.EmbeddedTypes() {
			if mentionsParam(e, seen) {
				return true
			}
		}
	}
	return false
}

// Pins.

// pinned is a type that the generated file compares with what it was made of.
type pinned struct {
	model.Pin
	decl string // type parameters
}

// pin notes that the generated file depends on a type.
func (h *helpers) pin(p model.Pin) {
	if a, ok := p.Type.(*types.Alias); ok {
		if !h.aliases[a.Obj()] {
			h.aliases[a.Obj()] = true
			h.pins = append(h.pins, pinned{p, ""})
		}
		return
	}
	if i, ok := h.pinAt.At(p.Type).(int); ok {
		h.pins[i].Keyed = h.pins[i].Keyed || p.Keyed
		h.pins[i].Own = h.pins[i].Own || p.Own
		return
	}
	decl, _ := h.generic(p.Type)
	h.pinAt.Set(p.Type, len(h.pins))
	h.pins = append(h.pins, pinned{p, decl})
}

// pinFuncs writes functions, never called, that stop compiling when a type changes.
func (h *helpers) pinFuncs() {
	n := h.n
	for _, p := range h.pins {
		var text string
		name := types.TypeString(p.Type, func(q *types.Package) string {
			if q == n.pkg {
				return ""
			}
			return q.Name()
		})
		switch t := p.Type.(type) {
		case *types.Alias:
			text = fmt.Sprintf("func _%s(§p *%s) *%s { return §p }\n", p.decl, n.typ(t), n.typ(t.Rhs()))
		case *types.Named:
			asked, body := "", fmt.Sprintf("_ = (*%s)(§p)\n", n.typ(withoutTags(t.Underlying())))
			if p.Keyed && embeddable(t) {
				with := "Unkeyed" // has a method CacheKey, which is ambiguous if the type has one
				if p.Own {
					with = "Keyed" // has one further in, which is ambiguous unless the type has its own
				}
				asked = fmt.Sprintf(", §q *struct {\n%s\n%s\n}", n.typ(t), n.value(with))
				body += "_ = §q.CacheKey\n"
			}
			text = fmt.Sprintf("func _%s(§p *%s%s) {\n%s}\n", p.decl, n.typ(t), asked, body)
			if p.decl == "" && asked == "" && !n.top["nil"] {
				text = fmt.Sprintf("var _ = (*%s)((*%s)(nil))\n", n.typ(withoutTags(t.Underlying())), n.typ(t))
			}
		}
		h.funcs = append(h.funcs, "// If this does not compile, "+name+" has changed: run go tool cachegen ./...\n"+text)
	}
}

// embeddable reports whether a type can be embedded beside a type with a method CacheKey,
// so that its own method shows.
func embeddable(n *types.Named) bool {
	switch u := n.Underlying().(type) {
	case *types.Pointer, *types.Interface:
		return false
	case *types.Struct:
		for f := range u.Fields() {
			if f.Name() == "CacheKey" {
				return false
			}
		}
	}
	return n.Obj().Name() != "Keyed" && n.Obj().Name() != "Unkeyed"
}

// withoutTags returns a struct without the tags of its fields, which do not matter.
func withoutTags(t types.Type) types.Type {
	s, ok := t.(*types.Struct)
	if !ok {
		return t
	}
	var fields []*types.Var
	for f := range s.Fields() {
		fields = append(fields, f)
	}
	return types.NewStruct(fields, nil)
}

// Encoding.

// encode returns statements that write x, a value of the planned type, to the encoder e.
func (h *helpers) encode(k *model.Key, x string, depth int) string {
	n := h.n
	if anyBasic(k) {
		return n.value("EncodeOf") + "(§e, " + x + ")\n"
	}
	switch k.Kind {
	case model.KeyBool:
		return "§e.Bool(" + h.to("bool", k.Type, x) + ")\n"
	case model.KeyInt:
		return "§e.Int(" + h.to("int64", k.Type, x) + ")\n"
	case model.KeyUint:
		return "§e.Uint(" + h.to("uint64", k.Type, x) + ")\n"
	case model.KeyFloat32:
		return "§e.Float32(" + h.to("float32", k.Type, x) + ")\n"
	case model.KeyFloat64:
		return "§e.Float64(" + h.to("float64", k.Type, x) + ")\n"
	case model.KeyComplex:
		if k.Type.Underlying().(*types.Basic).Kind() == types.Complex64 {
			return "§e.Complex64(" + h.to("complex64", k.Type, x) + ")\n"
		}
		return "§e.Complex128(" + h.to("complex128", k.Type, x) + ")\n"
	case model.KeyString, model.KeySession:
		return "§e.String(" + h.to("string", k.Type, x) + ")\n"
	case model.KeyBytes:
		if types.Identical(k.Type, types.NewSlice(types.Typ[types.Byte])) {
			return "§e.Bytes(" + x + ")\n"
		}
		return "§e.Bytes([]" + n.predeclared("byte") + "(" + x + "))\n"
	case model.KeyTime:
		return "§e.Time(" + h.time(k.Type, x) + ")\n"
	case model.KeyAny:
		if _, param := k.Type.(*types.TypeParam); !param && types.IsInterface(k.Type) {
			return "§e.Any(" + x + ")\n"
		}
		return n.value("EncodeOf") + "(§e, " + x + ")\n"
	}
	if named, ok := k.Type.(*types.Named); ok && !model.Nameable(k.Type, n.pkg) && named != nil {
		return n.value("EncodeOf") + "(§e, " + x + ")\n"
	}
	switch k.Kind {
	case model.KeySlice:
		switch {
		case anyBasic(k.Elem):
		case k.Elem.Kind == model.KeyInt, k.Elem.Kind == model.KeyUint:
			return n.value("EncodeInts") + "(§e, " + x + ")\n"
		case k.Elem.Kind == model.KeyFloat32, k.Elem.Kind == model.KeyFloat64:
			return n.value("EncodeFloats") + "(§e, " + x + ")\n"
		case k.Elem.Kind == model.KeyString:
			return n.value("EncodeStrings") + "(§e, " + x + ")\n"
		}
		return n.value("EncodeSlice") + "(§e, " + x + ", " + h.encoder(k.Elem) + ")\n"
	case model.KeyExactArray, model.KeyArray:
		if k.Type.Underlying().(*types.Array).Len() == 0 {
			return "" // the compiler fails at a loop over it
		}
		i := fmt.Sprintf("§i%d", depth)
		inner := h.encode(k.Elem, x+"["+i+"]", depth+1)
		if inner == "" { // elements are empty structs
			return ""
		}
		return fmt.Sprintf("for %s := range %s {\n%s}\n", i, x, inner)
	case model.KeyMap:
		return n.value("EncodeMap") + "(§e, " + x + ", " + h.encoder(k.MapKey) + ", " + h.encoder(k.Elem) + ")\n"
	case model.KeyPointer:
		if k.Elem.Kind == model.KeyOwn {
			// The method is called on the pointer: what it points to may hold a lock.
			return fmt.Sprintf("if %s {\n§e.Nil()\n} else {\n§e.NotNil()\n%s}\n", h.isNil(x), h.encode(k.Elem.Elem, x+".CacheKey()", depth+1))
		}
		return n.value("EncodePtr") + "(§e, " + x + ", " + h.encoder(k.Elem) + ")\n"
	case model.KeyOwn:
		return h.encode(k.Elem, x+".CacheKey()", depth+1)
	case model.KeyStruct, model.KeyExactStruct:
		if _, named := k.Type.(*types.Named); named {
			return h.encoder(k) + "(§e, " + x + ")\n"
		}
		return h.fields(k, x, depth)
	}
	panic(fmt.Sprintf("emit: no encoding for key kind %d of %s", k.Kind, k.Type))
}

// anyBasic reports whether a value is of an alias that stands for another basic type in
// another build configuration.
func anyBasic(k *model.Key) bool {
	_, ok := k.Type.(*types.Alias)
	return ok && k.Kind != model.KeyAny
}

func (h *helpers) fields(k *model.Key, x string, depth int) string {
	var b strings.Builder
	for _, f := range k.Fields {
		b.WriteString(h.encode(f.Key, x+"."+f.Name, depth))
	}
	return b.String()
}

// encoder returns an expression for the function that encodes values of the planned type.
func (h *helpers) encoder(k *model.Key) string {
	n := h.n
	if k.Inferred || !model.Nameable(k.Type, n.pkg) {
		return n.value("EncodeOf")
	}
	of := func(name string) string { return n.value(name) + "[" + n.typ(k.Type) + "]" }
	if anyBasic(k) {
		return of("EncodeOf")
	}
	switch k.Kind {
	case model.KeyBool:
		return of("EncodeBool")
	case model.KeyInt:
		return of("EncodeInt")
	case model.KeyUint:
		return of("EncodeUint")
	case model.KeyFloat32, model.KeyFloat64:
		return of("EncodeFloat")
	case model.KeyString:
		return of("EncodeString")
	case model.KeyAny:
		return of("EncodeOf")
	case model.KeyTime:
		if named, ok := k.Type.(*types.Named); ok && named.Obj().Name() == "Time" && named.Obj().Pkg().Path() == "time" {
			return n.value("EncodeTime")
		}
	}
	decl, args := h.generic(k.Type)
	if name, ok := h.enc.At(k.Type).(string); ok {
		return name + args
	}
	name := h.name("encode", k.Type)
	h.enc.Set(k.Type, name)
	at := len(h.funcs)
	h.funcs = append(h.funcs, "")
	var body string
	if k.Kind == model.KeyStruct || k.Kind == model.KeyExactStruct {
		body = h.fields(k, "§v", 0)
	} else {
		body = h.encode(k, "§v", 0)
	}
	h.funcs[at] = fmt.Sprintf("func %s%s(§e *%s, §v %s) {\n%s}\n", name, decl, n.value("Encoder"), n.typ(k.Type), body)
	return name + args
}

// to converts x of type t to a basic type.
func (h *helpers) to(basic string, t types.Type, x string) string {
	if b, ok := t.(*types.Basic); ok && b.Name() == basic {
		return x
	}
	return h.n.predeclared(basic) + "(" + x + ")"
}

// time converts x of type t to time.Time.
func (h *helpers) time(t types.Type, x string) string {
	if named, ok := t.(*types.Named); ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "time" {
		return x
	}
	return h.n.std("time", "Time") + "(" + x + ")"
}

func (h *helpers) isNil(x string) string {
	if h.n.top["nil"] {
		return h.n.imported(predeclaredPath, "predeclared") + ".IsNil(" + x + ")"
	}
	return x + " == nil"
}

// Copying.

// copyOf returns an expression for a copy of x. The copier is called c.
func (h *helpers) copyOf(k *model.Copy, x string) string {
	n := h.n
	switch k.Kind {
	case model.CopyNone:
		return x
	case model.CopySlice:
		if k.Elem.Kind == model.CopyNone {
			return n.value("CloneSlice") + "(" + x + ")"
		}
		if !k.Memo && h.chunked(k.Elem) && model.Nameable(k.Type, n.pkg) {
			return h.copier(k) + "(§c, " + x + ")"
		}
		return n.value("CopySlice") + "(§c, " + x + ", " + h.copier(k.Elem) + ")"
	case model.CopyMap:
		return n.value("CopyMap") + "(§c, " + x + ", " + h.copierOrNil(k.MapKey) + ", " + h.copierOrNil(k.Elem) + ")"
	case model.CopyPointer:
		return n.value("CopyPtr") + "(§c, " + x + ", " + h.copierOrNil(k.Elem) + ")"
	case model.CopyAny:
		if _, param := k.Type.(*types.TypeParam); !param && types.IsInterface(k.Type) {
			return n.value("CopyIface") + "(§c, " + x + ")"
		}
		return n.value("CopyOf") + "(§c, " + x + ")"
	case model.CopyStruct, model.CopyArray, model.CopyMethod:
		if !model.Nameable(k.Type, n.pkg) {
			return n.value("CopyOf") + "(§c, " + x + ")"
		}
		return h.copier(k) + "(§c, " + x + ")"
	}
	panic(fmt.Sprintf("emit: no copy for kind %d of %s", k.Kind, k.Type))
}

func (h *helpers) copierOrNil(k *model.Copy) string {
	if k.Kind == model.CopyNone {
		if !h.n.top["nil"] {
			return "nil"
		}
		t := h.n.typ(k.Type)
		return fmt.Sprintf("%s.Nil[func(*%s, %s) %s]()", h.n.imported(predeclaredPath, "predeclared"), h.n.value("Copier"), t, t)
	}
	return h.copier(k)
}

// chunked reports whether elements of a slice have slices of immutable elements as
// fields, for which one array can serve many.
func (h *helpers) chunked(k *model.Copy) bool {
	if k.Kind != model.CopyStruct || k.Copier {
		return false
	}
	for _, f := range k.Fields {
		if f.Copy.Kind == model.CopySlice && f.Copy.Elem.Kind == model.CopyNone && model.Nameable(f.Copy.Elem.Type, h.n.pkg) {
			return true
		}
	}
	return false
}

// copier returns an expression for the function that copies values of the planned type.
func (h *helpers) copier(k *model.Copy) string {
	n := h.n
	if k.Inferred || !model.Nameable(k.Type, n.pkg) {
		return n.value("CopyOf")
	}
	if k.Kind == model.CopyAny {
		if _, param := k.Type.(*types.TypeParam); !param && types.IsInterface(k.Type) {
			return n.value("CopyIface") + "[" + n.typ(k.Type) + "]"
		}
		return n.value("CopyOf") + "[" + n.typ(k.Type) + "]"
	}
	decl, args := h.generic(k.Type)
	if name, ok := h.copy.At(k.Type).(string); ok {
		return name + args
	}
	name := h.name("copy", k.Type)
	h.copy.Set(k.Type, name)
	at := len(h.funcs)
	h.funcs = append(h.funcs, "")
	var body strings.Builder
	switch k.Kind {
	case model.CopyStruct:
		for _, f := range k.Fields {
			fmt.Fprintf(&body, "§v.%s = %s\n", f.Name, h.copyOf(f.Copy, "§v."+f.Name))
		}
		body.WriteString("return §v\n")
	case model.CopyArray:
		fmt.Fprintf(&body, "for §i := range §v {\n§v[§i] = %s\n}\nreturn §v\n", h.copyOf(k.Elem, "§v[§i]"))
	case model.CopyMethod:
		if p, ok := k.Type.(*types.Pointer); ok {
			fmt.Fprintf(&body, "return %s(§c, §v, (%s).%s)\n", n.value("CopyBy"), n.typ(p), k.Method)
			break
		}
		if nillable(k.Type) {
			if h.n.top["nil"] {
				body.WriteString("if " + h.isNil("§v") + " {\nreturn §v\n}\n")
			} else {
				body.WriteString("if §v == nil {\nreturn §v\n}\n")
			}
		}
		body.WriteString("return §v." + k.Method + "()\n")
	case model.CopySlice:
		if k.Elem.Kind != model.CopyNone && !k.Memo && h.chunked(k.Elem) {
			h.chunks(&body, k)
			break
		}
		fallthrough
	default:
		body.WriteString("return " + h.copyOf(k, "§v") + "\n")
	}
	t := n.typ(k.Type)
	h.funcs[at] = fmt.Sprintf("func %s%s(§c *%s, §v %s) %s {\n%s}\n", name, decl, n.value("Copier"), t, t, body.String())
	return name + args
}

// chunks writes the copy of a slice of structs whose slices share few arrays.
func (h *helpers) chunks(b *strings.Builder, k *model.Copy) {
	fmt.Fprintf(b, "§w := %s(§v)\n", h.n.value("CloneSlice"))
	chunk := map[string]string{}
	for i, f := range k.Elem.Fields {
		if f.Copy.Kind == model.CopySlice && f.Copy.Elem.Kind == model.CopyNone && model.Nameable(f.Copy.Elem.Type, h.n.pkg) {
			s := fmt.Sprintf("§s%d", i)
			chunk[f.Name] = s
			fmt.Fprintf(b, "var %s %s[%s]\n", s, h.n.value("Chunk"), h.n.typ(f.Copy.Type.Underlying().(*types.Slice).Elem()))
		}
	}
	b.WriteString("for §i := range §w {\n")
	for _, f := range k.Elem.Fields {
		x := "§w[§i]." + f.Name
		if s, ok := chunk[f.Name]; ok {
			fmt.Fprintf(b, "%s = %s.Clone(%s)\n", x, s, x)
		} else {
			fmt.Fprintf(b, "%s = %s\n", x, h.copyOf(f.Copy, x))
		}
	}
	b.WriteString("}\nreturn §w\n")
}

func nillable(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Pointer, *types.Slice, *types.Map, *types.Interface, *types.Signature, *types.Chan:
		return true
	}
	return false
}

// Weighing.

// sizeOf returns an expression for the bytes that x refers to. The sizer is &z.
func (h *helpers) sizeOf(k *model.Size, x, z string) string {
	n := h.n
	switch k.Kind {
	case model.SizeNone:
		return "0"
	case model.SizeString:
		return n.value("SizeString") + "(" + z + ", " + x + ")"
	case model.SizeSlice:
		return n.value("SizeSlice") + "(" + z + ", " + x + ", " + h.sizer(k.Elem) + ")"
	case model.SizeMap:
		return n.value("SizeMap") + "(" + z + ", " + x + ", " + h.sizer(k.MapKey) + ", " + h.sizer(k.Elem) + ")"
	case model.SizePointer:
		return n.value("SizePtr") + "(" + z + ", " + x + ", " + h.sizer(k.Elem) + ")"
	case model.SizeAny:
		return n.value("SizeOf") + "(" + z + ", " + x + ")"
	}
	if !model.Nameable(k.Type, n.pkg) {
		return n.value("SizeOf") + "(" + z + ", " + x + ")"
	}
	return h.sizer(k) + "(" + z + ", " + x + ")"
}

// sizer returns an expression for the function that weighs values of the planned type.
func (h *helpers) sizer(k *model.Size) string {
	n := h.n
	if k.Kind == model.SizeNone {
		if !n.top["nil"] {
			return "nil"
		}
		return fmt.Sprintf("%s.Nil[func(*%s, %s) %s]()", n.imported(predeclaredPath, "predeclared"), n.value("Sizer"), n.typ(k.Type), n.predeclared("int64"))
	}
	if k.Inferred || !model.Nameable(k.Type, n.pkg) {
		return n.value("SizeOf")
	}
	switch k.Kind {
	case model.SizeString:
		return n.value("SizeString") + "[" + n.typ(k.Type) + "]"
	case model.SizeAny:
		return n.value("SizeOf") + "[" + n.typ(k.Type) + "]"
	}
	decl, args := h.generic(k.Type)
	if name, ok := h.size.At(k.Type).(string); ok {
		return name + args
	}
	name := h.name("size", k.Type)
	h.size.Set(k.Type, name)
	at := len(h.funcs)
	h.funcs = append(h.funcs, "")
	var body string
	switch k.Kind {
	case model.SizeStruct:
		var terms []string
		for _, f := range k.Fields {
			terms = append(terms, h.sizeOf(f.Size, "§v."+f.Name, "§z"))
		}
		if len(terms) == 0 {
			terms = []string{"0"}
		}
		body = "return " + strings.Join(terms, " + ") + "\n"
	case model.SizeArray:
		body = "var §n " + n.predeclared("int64") + "\nfor §i := range §v {\n§n += " + h.sizeOf(k.Elem, "§v[§i]", "§z") + "\n}\nreturn §n\n"
	default:
		body = "return " + h.sizeOf(k, "§v", "§z") + "\n"
	}
	h.funcs[at] = fmt.Sprintf("func %s%s(§z *%s, §v %s) %s {\n%s}\n", name, decl, n.value("Sizer"), n.typ(k.Type), n.predeclared("int64"), body)
	return name + args
}

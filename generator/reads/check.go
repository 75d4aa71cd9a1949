package reads

import (
	"go/ast"
	"go/token"
	"go/types"
	"net/textproto"
	"reflect"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/generator/diag"
	"github.com/cachegen/cachegen/generator/names"
)

func (f *finder) pos(n ast.Node) token.Position { return f.Fset.PositionFor(n.Pos(), false) }

func (f *finder) errorf(at ast.Node, c diag.Code, format string, args ...any) {
	f.diags = append(f.diags, diag.Errorf(f.pos(at), c, format, args...))
}

// read adds an input.
func (f *finder) read(at ast.Node, rs ...Input) {
	p := f.pos(at)
	for _, r := range rs {
		if old, ok := f.found.At[r]; !ok || comparePositions(p, old) < 0 {
			f.found.At[r] = p
		}
	}
}

// check looks at every use of what is tracked in one function.
func (f *finder) check(d *ast.FuncDecl) {
	f.builds(d)
	if d.Body == nil {
		return
	}
	if d == f.root {
		f.returns()
	}
	ast.Inspect(d.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			if v, ok := f.Info.Uses[n].(*types.Var); ok && f.kindOf[v] != 0 {
				f.kindOf[v].each(func(k kinds) { f.follow(n, k) })
				if f.kindOf[v]&kInput != 0 {
					f.captured(n, v)
				}
			}
			f.elsewhere(d, n)
		case *ast.CallExpr:
			f.call(n)
		case *ast.IndexExpr: // w.Header()["Set-Cookie"] = …
			if f.written(n) && isNamed(f.typeOf(n.X), "net/http", "Header") && f.isCookie(n.Index) {
				f.errorf(n, diag.SurfaceCookie, "%s is set", types.ExprString(n))
			}
		}
		return true
	})
}

// builds refuses a followed function that other build configurations declare too.
// The annotated function itself may: its generated file has the constraint of its own.
func (f *finder) builds(d *ast.FuncDecl) {
	if d == f.root {
		return
	}
	for o := range names.Functions(f.Other...) {
		if o.Name.Name == d.Name.Name && names.Receiver(o) == names.Receiver(d) {
			f.diags = append(f.diags, diag.Errorf(f.pos(d.Name), diag.InputBuilds,
				"%s is given the request, and is declared for other builds too", d.Name.Name).
				WithRelated(f.pos(o.Name), "declared here for other builds"))
		}
	}
}

// follow decides about one use of a tracked value, from the identifier outwards.
func (f *finder) follow(id *ast.Ident, k kinds) {
	var e ast.Expr = id
	for k != 0 {
		p, child := f.above(e)
		if call, ok := p.(*ast.CallExpr); ok && k == kSurface && call.Fun != child && f.converts(call) {
			e = call
			continue
		}
		sel, ok := p.(*ast.SelectorExpr)
		if !ok || sel.X != child {
			f.context(p, child, k)
			return
		}
		if k == kSurface && !f.givesHeader(sel) {
			return // drawing
		}
		e, k = f.member(sel, k)
	}
}

// member decides about a field or method of a tracked value. What it returns is tracked
// further.
func (f *finder) member(sel *ast.SelectorExpr, k kinds) (ast.Expr, kinds) {
	what := types.ExprString(sel)
	u, ok := table[k][sel.Sel.Name]
	if !ok {
		f.errorf(sel, diag.InputAll, "%s is not known to cachegen", what)
		return nil, 0
	}
	p, child := f.above(sel)
	if k == kRequest && sel.Sel.Name == "Context" {
		f.found.Contexts = append(f.found.Contexts, f.pos(sel))
	}
	switch {
	case sel.Sel.Name == "Body" && f.closes(p):
		return nil, 0 // what is read of it, is refused
	case u.refuse != "":
		f.errorf(sel, u.refuse, "%s: %s", what, u.refuse.Info().Title)
		return nil, 0
	case f.written(sel):
		f.errorf(sel, diag.InputChanged, "%s is assigned to, or its address is taken", what)
		return nil, 0
	case !u.call:
		if u.derive == kForm || u.derive == kPostForm {
			if !f.parsed {
				f.errorf(sel, diag.InputUnparsed, "%s is read, and nothing here parses the form", what)
			}
		}
		if u.isNil && !isNilTest(p) {
			f.errorf(sel, diag.InputAll, "%s is used for more than a comparison with nil", what)
			return nil, 0
		}
		f.read(sel, u.reads...)
		return sel, u.derive
	}
	call, ok := p.(*ast.CallExpr)
	if !ok || call.Fun != child {
		f.errorf(sel, diag.InputHanded, "%s is used as a function value", what)
		return nil, 0
	}
	if f.spawned(call) {
		f.errorf(sel, diag.InputStored, "%s runs in a goroutine of its own", what)
	}
	f.read(sel, u.reads...)
	if u.named != "" {
		f.name(call, what, u.named)
	}
	if u.parse && !f.discarded(call) {
		f.read(sel, Input{Kind: FormError})
	}
	return call, u.derive
}

// closes reports whether p calls the method Close of its operand.
func (f *finder) closes(p ast.Node) bool {
	sel, ok := p.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Close" {
		return false
	}
	call, child := f.above(sel)
	c, ok := call.(*ast.CallExpr)
	return ok && c.Fun == child
}

// name adds what a call reads under the name that is its first argument.
func (f *finder) name(call *ast.CallExpr, what string, k Kind) {
	if len(call.Args) == 0 {
		f.errorf(call, diag.InputUnclear, "%s has no argument", what)
		return
	}
	f.under(call.Args[0], what, k)
}

// under adds a read of kind k for every name that arg can be.
func (f *finder) under(arg ast.Expr, what string, k Kind) {
	names, bad := f.names(arg)
	if bad != nil {
		d := diag.Errorf(f.pos(arg), diag.InputName, "%s is asked for a name that is not constant: %s", what, types.ExprString(arg))
		if bad != arg && bad.Pos().IsValid() {
			d = d.WithRelated(f.pos(bad), "%s is not constant", types.ExprString(bad))
		}
		f.diags = append(f.diags, d)
		return
	}
	for _, n := range names {
		if k == Header {
			n = textproto.CanonicalMIMEHeaderKey(n)
		}
		f.read(arg, Input{k, n})
	}
}

// discarded reports whether nobody looks at the result of a call.
func (f *finder) discarded(call *ast.CallExpr) bool {
	p, _ := f.above(call)
	switch p := p.(type) {
	case *ast.ExprStmt, *ast.DeferStmt:
		return true
	case *ast.AssignStmt:
		return !slices.ContainsFunc(p.Lhs, func(e ast.Expr) bool {
			id, ok := e.(*ast.Ident)
			return !ok || id.Name != "_"
		})
	}
	return false
}

// spawned reports whether a call is that of a go statement.
func (f *finder) spawned(call *ast.CallExpr) bool {
	_, ok := f.parents[call].(*ast.GoStmt)
	return ok
}

// context decides about a tracked value that is the child of p, where p is no selector.
func (f *finder) context(p ast.Node, child ast.Expr, k kinds) {
	switch k {
	case kSurface:
		f.keeps(p, child)
		return
	case kResponseHeader:
		f.responseHeader(p, child)
		return
	}
	text := types.ExprString(child)
	stored := func(format string, args ...any) {
		f.errorf(child, diag.InputStored, format, args...)
	}
	switch p := p.(type) {
	case *ast.CallExpr:
		f.argument(p, child, k)
	case *ast.AssignStmt:
		if slices.Contains(p.Lhs, child) {
			return // a variable gets another value
		}
		i := slices.Index(p.Rhs, child)
		if len(p.Lhs) != len(p.Rhs) {
			f.errorf(child, diag.InputUnclear, "%s is assigned in a way that cachegen does not follow", text)
			return
		}
		f.assigned(p.Lhs[i], child, text)
	case *ast.ValueSpec:
		if i := slices.Index(p.Values, child); len(p.Names) == len(p.Values) {
			f.assigned(p.Names[i], child, text)
			return
		}
		f.errorf(child, diag.InputUnclear, "%s is assigned in a way that cachegen does not follow", text)
	case *ast.IndexExpr:
		kind, ok := indexed[k]
		switch {
		case !ok || p.X != child:
			f.errorf(child, diag.InputUnclear, "%s is used as an index", text)
		case f.written(p):
			if k != kQuery {
				f.errorf(p, diag.InputChanged, "%s is assigned to, or its address is taken", types.ExprString(p))
			}
		case kind == Header && !f.canonical(p.Index):
			f.errorf(p, diag.InputName, "%s is not the canonical form of a header's name and finds nothing that a client sent", types.ExprString(p.Index))
		default:
			f.under(p.Index, text, kind)
		}
	case *ast.BinaryExpr:
		if (k == kRequest || k == kURL) && isNilTest(p) {
			return
		}
		f.errorf(child, diag.InputAll, "%s is compared", text)
	case *ast.StarExpr:
		switch {
		case k == kURL && !f.written(p):
			f.read(child, Input{Kind: URL})
		case f.written(p):
			f.errorf(p, diag.InputChanged, "%s is assigned to, or its address is taken", types.ExprString(p))
		default:
			stored("%s is copied", k)
		}
	case *ast.RangeStmt:
		f.errorf(child, diag.InputAll, "%s is ranged over", text)
	case *ast.ExprStmt:
		// r.WithContext(ctx) alone does nothing.
	case *ast.ReturnStmt:
		stored("%s is returned", text)
	case *ast.SendStmt:
		stored("%s is sent on a channel", text)
	case *ast.CompositeLit, *ast.KeyValueExpr:
		stored("%s is put into a value", text)
	case *ast.UnaryExpr:
		stored("the address of %s is taken", text)
	case *ast.TypeAssertExpr:
		f.errorf(child, diag.InputHanded, "%s is asserted to be of a type", text)
	default:
		f.errorf(child, diag.InputUnclear, "%s is used in a way that cachegen does not follow", text)
	}
}

// assigned decides about a tracked value that becomes the value of to.
func (f *finder) assigned(to ast.Expr, child ast.Expr, text string) {
	id, ok := ast.Unparen(to).(*ast.Ident)
	if ok && id.Name == "_" {
		return
	}
	if ok {
		if v := f.local(id); v != nil && !f.results[v] {
			return
		}
	}
	f.errorf(child, diag.InputStored, "%s is stored in %s", text, types.ExprString(to))
}

func (f *finder) canonical(e ast.Expr) bool {
	names, bad := f.names(e)
	return bad != nil || !slices.ContainsFunc(names, func(n string) bool {
		return n != textproto.CanonicalMIMEHeaderKey(n)
	})
}

func isNilTest(p ast.Node) bool {
	b, ok := p.(*ast.BinaryExpr)
	if !ok || b.Op != token.EQL && b.Op != token.NEQ {
		return false
	}
	isNil := func(e ast.Expr) bool {
		id, ok := ast.Unparen(e).(*ast.Ident)
		return ok && id.Name == "nil"
	}
	return isNil(b.X) || isNil(b.Y)
}

// argument decides about a tracked value that is handed to a call.
func (f *finder) argument(call *ast.CallExpr, child ast.Expr, k kinds) {
	text, fun := types.ExprString(child), types.ExprString(call.Fun)
	i := slices.Index(call.Args, child)
	if i < 0 {
		f.errorf(child, diag.InputUnclear, "%s is called", text)
		return
	}
	if f.spawned(call) {
		f.errorf(child, diag.InputStored, "%s is handed to a goroutine", text)
		return
	}
	if tv, ok := f.Info.Types[call.Fun]; ok && tv.IsBuiltin() {
		if fun == "delete" || fun == "clear" {
			if k == kQuery {
				return
			}
			f.errorf(child, diag.InputChanged, "%s(%s) changes the request", fun, text)
		} else {
			f.errorf(child, diag.InputAll, "%s is handed to %s", text, fun)
		}
		return
	}
	if t := f.target(call); t != nil && f.bound[call] {
		if last := t.typ.Params.NumFields() - 1; isVariadic(t.typ) && i >= last {
			f.errorf(child, diag.InputHanded, "%s is handed to %s among any number of arguments", text, fun)
		}
		return // its parameter is followed
	}
	if fn := f.called(call); fn != nil && k == kRequest {
		switch reads, ok := handedTo[knownCallee{fn.FullName(), i}]; {
		case ok:
			f.read(child, reads...)
			if readsContext[fn.FullName()] {
				f.found.Contexts = append(f.found.Contexts, f.pos(child))
			}
			return
		case fn.FullName() == readSignals && i == 0 && len(call.Args) == 2:
			f.signals(call)
			return
		}
	}
	f.errorf(child, diag.InputHanded, "%s is handed to %s, which cachegen cannot follow", text, fun)
}

// signals adds what datastar.ReadSignals decodes: the fields of the struct, or everything.
func (f *finder) signals(call *ast.CallExpr) {
	into := f.typeOf(call.Args[1])
	if p, ok := types.Unalias(into).Underlying().(*types.Pointer); ok {
		into = p.Elem()
	}
	names, ok := jsonFields(into)
	if !ok {
		f.read(call, Input{Kind: Signal}, Input{Kind: Method})
		return
	}
	f.read(call, Input{Kind: Method}) // of HEAD, the body is decoded
	for _, n := range names {
		f.read(call, Input{Signal, n})
	}
}

// jsonFields returns the names that encoding/json fills in a struct; false if t is no
// struct, decodes itself, or embeds what cannot be told.
func jsonFields(t types.Type) ([]string, bool) {
	st, ok := t.Underlying().(*types.Struct)
	if !ok || decodesItself(t) {
		return nil, false
	}
	var names []string
	for i := range st.NumFields() {
		field := st.Field(i)
		tag := reflect.StructTag(st.Tag(i)).Get("json")
		name, _, _ := strings.Cut(tag, ",")
		switch {
		case tag == "-":
		case field.Embedded() && name == "":
			inner := field.Type()
			if p, ok := types.Unalias(inner).(*types.Pointer); ok {
				inner = p.Elem()
			}
			if _, isStruct := inner.Underlying().(*types.Struct); !isStruct {
				if field.Exported() {
					names = append(names, field.Name())
				}
				continue
			}
			if n, ok := types.Unalias(inner).(*types.Named); ok && n.Obj().Parent() == nil {
				return nil, false
			}
			more, ok := embedded(inner, 0)
			if !ok {
				return nil, false
			}
			names = append(names, more...)
		case !field.Exported():
		case name == "":
			names = append(names, field.Name())
		default:
			names = append(names, name)
		}
	}
	return names, true
}

// embedded is jsonFields for a struct that is embedded, which may embed itself.
func embedded(t types.Type, depth int) ([]string, bool) {
	if depth > 8 {
		return nil, false
	}
	st := t.Underlying().(*types.Struct)
	for i := range st.NumFields() {
		if st.Field(i).Embedded() {
			return nil, false // rare enough to count everything
		}
	}
	return jsonFields(t)
}

// decodesItself reports whether *t has a decoder of its own, of its own or promoted.
func decodesItself(t types.Type) bool {
	for _, m := range []string{"UnmarshalJSON", "UnmarshalText", "UnmarshalJSONFrom"} {
		if obj, _, _ := types.LookupFieldOrMethod(types.NewPointer(t), true, nil, m); obj != nil {
			if _, ok := obj.(*types.Func); ok {
				return true
			}
		}
	}
	return false
}

// captured refuses function literals that take a tracked variable of theirs out of the
// call: started as a goroutine, stored, returned.
func (f *finder) captured(id *ast.Ident, v *types.Var) {
	for n := f.parents[id]; n != nil; n = f.parents[n] {
		lit, ok := n.(*ast.FuncLit)
		if !ok {
			continue
		}
		if lit.Pos() <= v.Pos() && v.Pos() < lit.End() {
			return // its own
		}
		if why := f.escapes(lit); why != "" && !f.told[lit] {
			f.told[lit] = true
			f.diags = append(f.diags, diag.Errorf(f.pos(lit), diag.InputStored, "a function that uses %s is %s", v.Name(), why).
				WithRelated(f.pos(id), "%s is used here", v.Name()))
		}
	}
}

// escapes says how the value of a function literal leaves the call, "" if it does not.
// Being handed to a call is not leaving: what the text of the function reads is counted,
// whoever runs it.
func (f *finder) escapes(e ast.Expr) string {
	p, child := f.above(e)
	switch p := p.(type) {
	case *ast.CallExpr:
		if f.spawned(p) {
			return "run in a goroutine of its own"
		}
		if p.Fun == child {
			return ""
		}
		if tv, ok := f.Info.Types[p.Fun]; ok {
			switch {
			case tv.IsType() && isComponent(tv.Type):
				return "" // what it renders is the result
			case tv.IsType():
				return f.escapes(p)
			case tv.IsBuiltin():
				return "stored"
			}
		}
		return ""
	case *ast.AssignStmt:
		i := slices.Index(p.Rhs, child)
		if i < 0 || len(p.Lhs) != len(p.Rhs) {
			return "assigned"
		}
		return f.heldIn(p.Lhs[i])
	case *ast.ValueSpec:
		if i := slices.Index(p.Values, child); len(p.Names) == len(p.Values) {
			return f.heldIn(p.Names[i])
		}
		return "assigned"
	case *ast.ReturnStmt:
		return "returned"
	case *ast.ExprStmt:
		return ""
	case *ast.SelectorExpr:
		return "" // a method of a function type is called
	case *ast.SendStmt:
		return "sent on a channel"
	}
	return "stored"
}

// heldIn says how a function leaves the call through the variable that holds it.
func (f *finder) heldIn(to ast.Expr) string {
	id, ok := ast.Unparen(to).(*ast.Ident)
	if !ok {
		return "stored in " + types.ExprString(to)
	}
	if id.Name == "_" {
		return ""
	}
	v := f.local(id)
	if v == nil {
		return "stored in " + id.Name
	}
	if f.results[v] {
		return "returned"
	}
	for _, u := range f.uses[v] {
		p, child := f.above(u)
		if a, ok := p.(*ast.AssignStmt); ok && slices.Contains(a.Lhs, child) {
			continue
		}
		if why := f.escapes(u); why != "" {
			return why
		}
	}
	return ""
}

// isComponent reports whether t is a function type whose values are drawn.
func isComponent(t types.Type) bool {
	return isNamed(t, "github.com/a-h/templ", "ComponentFunc") || isNamed(t, "maragu.dev/gomponents", "NodeFunc") ||
		isNamed(t, "github.com/maragudk/gomponents", "NodeFunc")
}

// call looks at calls that no replay can repeat, whatever they are handed.
func (f *finder) call(call *ast.CallExpr) {
	fn := f.called(call)
	if fn == nil {
		return
	}
	switch name := fn.FullName(); name {
	case "net/http.SetCookie":
		f.errorf(call, diag.SurfaceCookie, "http.SetCookie is called")
	case "(net/http.Hijacker).Hijack", "(*net/http.ResponseController).Hijack":
		f.errorf(call, diag.SurfaceHijack, "%s is called", types.ExprString(call.Fun))
	case "(net/http.Header).Set", "(net/http.Header).Add":
		if len(call.Args) == 2 && f.isCookie(call.Args[0]) {
			f.errorf(call, diag.SurfaceCookie, "the header Set-Cookie is set")
		}
	default:
		if tracedInputs[name] {
			f.found.Traced = append(f.found.Traced, f.pos(call))
		}
	}
}

func (f *finder) isCookie(e ast.Expr) bool {
	tv, ok := f.Info.Types[e]
	return ok && tv.Value != nil && strings.EqualFold(strings.Trim(tv.Value.ExactString(), `"`), "Set-Cookie")
}

// keeps refuses that what is drawn to is stored where it outlives the call.
func (f *finder) keeps(p ast.Node, child ast.Expr) {
	switch p := p.(type) {
	case *ast.AssignStmt:
		if i := slices.Index(p.Rhs, child); i >= 0 && len(p.Lhs) == len(p.Rhs) {
			if base := f.outside(p.Lhs[i]); base != "" {
				f.errorf(child, diag.SurfaceKept, "%s is stored in %s", types.ExprString(child), types.ExprString(p.Lhs[i]))
			}
		}
	case *ast.SendStmt:
		if p.Value == child {
			f.errorf(child, diag.SurfaceKept, "%s is sent on a channel", types.ExprString(child))
		}
	case *ast.TypeAssertExpr:
		f.asserted(p, child)
	}
}

// outside names the variable, not of the annotated call alone, that e is a part of: one
// of the package, or the receiver or a parameter of the annotated function.
func (f *finder) outside(e ast.Expr) string {
	whole := true
	for {
		switch x := e.(type) {
		case *ast.ParenExpr:
			e = x.X
		case *ast.SelectorExpr:
			if id, ok := x.X.(*ast.Ident); ok {
				if _, ok := f.Info.Uses[id].(*types.PkgName); ok {
					return types.ExprString(x)
				}
			}
			e, whole = x.X, false
		case *ast.IndexExpr:
			e, whole = x.X, false
		case *ast.StarExpr:
			e, whole = x.X, false
		case *ast.Ident:
			v, ok := f.Info.ObjectOf(x).(*types.Var)
			if !ok {
				return ""
			}
			if v.Parent() == f.Types.Scope() {
				return v.Name()
			}
			if !whole && f.kindOf[v] == 0 && slices.Contains(f.params(f.root.Recv, f.root.Type.Params), v) {
				return v.Name()
			}
			return ""
		default:
			return ""
		}
	}
}

// elsewhere refuses drawing to something that is no parameter: id names a variable of a
// package or a field of a parameter whose type is one that is drawn to.
func (f *finder) elsewhere(d *ast.FuncDecl, id *ast.Ident) {
	v, ok := f.Info.Uses[id].(*types.Var)
	if !ok || !f.surface(v.Type()) || v.Pkg() != nil && v.Pkg().Path() == "io" && v.Name() == "Discard" {
		return
	}
	var e ast.Expr = id
	if sel, ok := f.parents[id].(*ast.SelectorExpr); ok && sel.Sel == id {
		e = sel
	}
	p, child := f.above(e)
	switch p := p.(type) {
	case *ast.SelectorExpr:
		if p.X != child {
			return
		}
	case *ast.CallExpr:
	default:
		return
	}
	if f.outside(e) == "" {
		return
	}
	f.errorf(e, diag.SurfaceElsewhere, "%s is drawn to", types.ExprString(e))
}

package main

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"
)

// judge says whether a signature must be cacheable. It is written against the documented
// rules alone and shares no code with the planner, so that the two can disagree. It is
// cautious: it says must only where the rules leave no doubt.
type judge struct {
	pkg *types.Package // whose unexported fields generated code can reach
}

// verdict is what the judge says of a function.
type verdict struct {
	must    bool
	draws   bool     // on a parameter
	request bool     // it answers requests, and the directive must say for whom
	err     bool     // its last result is an error
	values  int      // its other results
	context bool     // it takes one
	stays   bool     // its arguments can outlive the call
	keys    []string // parameters that are in the key, and have names
}

// verdict says whether a function with this signature has to be cached, its receiver left
// aside. Where it draws, [judge.drawing] has to be asked too.
func (j judge) verdict(sig *types.Signature) verdict {
	v := verdict{must: true, stays: sig.Recv() == nil}
	i := 0
	for p := range sig.Params().Variables() {
		i++
		switch {
		case isContext(p.Type()):
			v.context = v.context || i == 1
			v.must = v.must && i == 1 // another one than the first is nothing that the rules speak of
			continue
		case isNamed(p.Type(), "io.Writer"), isNamed(p.Type(), "net/http.ResponseWriter"):
			v.must = v.must && !v.draws && p.Name() != "_" && p.Name() != ""
			v.draws = true
			continue
		case isRequest(p.Type()):
			v.must = v.must && !v.request && p.Name() != "_" && p.Name() != ""
			v.request = true
			continue
		case strings.HasPrefix(p.Name(), "_"):
			continue // not in the key
		}
		v.stays = v.stays && j.copyable(p.Type(), nil)
		if v.must = v.must && j.keyable(p.Type(), nil); p.Name() != "" {
			v.keys = append(v.keys, p.Name())
		}
	}
	n := sig.Results().Len()
	v.err = n > 0 && isError(sig.Results().At(n-1).Type())
	if v.values = n; v.err {
		v.values--
	}
	for i := range v.values {
		v.must = v.must && j.copyable(sig.Results().At(i).Type(), nil)
	}
	// A request is only known to be read through where the function draws as well, and it
	// brings a context of its own.
	v.must = v.must && (n > 0 || v.draws) && !(v.request && (v.context || !v.draws))
	return v
}

// plainTurn is the turn without options, but for those without which nothing is kept.
const plainTurn = 8

// options returns the further options that the rules allow a data function, a set for each
// turn: each function gets one of them.
func (v verdict) options(turn int) []string {
	var all []string
	if v.values == 0 && v.err && !v.draws {
		all = append(all, "errors=30s") // without it nothing is kept
	}
	if v.request && v.draws {
		all = append(all, "scope=global")
	}
	set := func(when bool, options ...string) {
		if turn--; turn == -1 && when {
			all = append(all, options...)
		}
	}
	turn %= 9
	set(true, "ttl=10m", "jitter=10%")
	set(v.stays && !v.draws && !v.request, "ttl=1h", "stale=1d", "max=100")
	set(v.values > 0 || v.draws, "max-bytes=1MiB", "wait=30s")
	set(true, "tags=torture", "detach=off")
	set(v.err && len(all) == 0, "errors=1m")
	set(len(v.keys) > 1, fmt.Sprintf("ignore=%s", strings.Join(v.keys[:min(1, len(v.keys))], "")))
	set(len(v.keys) > 0, fmt.Sprintf("key=%s", strings.Join(v.keys[:min(1, len(v.keys))], "")))
	set(v.context, "timeout=5s", "ctx=ignore")
	return all // the ninth has none
}

// elsewhere reports whether a body mentions something that is drawn to and no variable of its
// own: a field of its receiver, say. To draw to that is refused, and no parameter shows it.
func elsewhere(info *types.Info, d *ast.FuncDecl) (found bool) {
	ast.Inspect(d.Body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			v, isVar := info.Uses[id].(*types.Var)
			found = found || isVar && !(v.Name() == "Discard" && v.Pkg() != nil && v.Pkg().Path() == "io") && (v.Pos() < d.Pos() || d.End() < v.Pos()) &&
				(isNamed(v.Type(), "io.Writer") || isNamed(v.Type(), "net/http.ResponseWriter"))
		}
		return !found
	})
	return found
}

// drawing reports whether a body uses what it draws on, and the request, in the plainest ways
// alone: it writes through fmt and io or by the writer's own methods, sets headers, and reads
// inputs by constant names. Any other use of them leaves room for doubt.
func (j judge) drawing(info *types.Info, d *ast.FuncDecl) bool {
	surface := map[types.Object]bool{}
	for _, f := range d.Type.Params.List {
		for _, n := range f.Names {
			if o := info.Defs[n]; o != nil && (isNamed(o.Type(), "io.Writer") || isNamed(o.Type(), "net/http.ResponseWriter") || isRequest(o.Type())) {
				surface[o] = true
			}
		}
	}
	constant := func(args []ast.Expr) bool {
		return len(args) > 0 && info.Types[args[0]].Value != nil
	}
	plain := map[*ast.Ident]bool{} // uses without doubt
	ok := true
	ast.Inspect(d.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.GoStmt, *ast.DeferStmt, *ast.SelectStmt:
			ok = false
		case *ast.CallExpr:
			f, isFunc := calleeOf(info, n)
			if !isFunc {
				return true
			}
			switch f.FullName() {
			case "fmt.Fprint", "fmt.Fprintf", "fmt.Fprintln", "io.WriteString", "net/http.Error":
				if id, isIdent := n.Args[0].(*ast.Ident); isIdent {
					plain[id] = true
				}
			case "(io.Writer).Write", "(net/http.ResponseWriter).Write", "(net/http.ResponseWriter).WriteHeader":
				plain[baseOf(n.Fun)] = true
			case "(net/http.Header).Set":
				if c, isCall := n.Fun.(*ast.SelectorExpr).X.(*ast.CallExpr); isCall && constant(n.Args) {
					if f, isFunc := calleeOf(info, c); isFunc && f.FullName() == "(net/http.ResponseWriter).Header" {
						plain[baseOf(c.Fun)] = true
					}
				}
			case "(*net/http.Request).FormValue", "(*net/http.Request).PathValue":
				plain[baseOf(n.Fun)] = constant(n.Args)
			}
		}
		return ok
	})
	ast.Inspect(d.Body, func(n ast.Node) bool {
		if id, isIdent := n.(*ast.Ident); isIdent && surface[info.Uses[id]] && !plain[id] {
			ok = false
		}
		return ok
	})
	return ok
}

// calleeOf returns the function or method that a call names.
func calleeOf(info *types.Info, c *ast.CallExpr) (*types.Func, bool) {
	var id *ast.Ident
	switch f := ast.Unparen(c.Fun).(type) {
	case *ast.Ident:
		id = f
	case *ast.SelectorExpr:
		id = f.Sel
	default:
		return nil, false
	}
	f, ok := info.Uses[id].(*types.Func)
	return f, ok
}

// baseOf returns x of x.f, nil if x is no name.
func baseOf(e ast.Expr) *ast.Ident {
	if s, ok := ast.Unparen(e).(*ast.SelectorExpr); ok {
		if id, ok := s.X.(*ast.Ident); ok {
			return id
		}
	}
	return nil
}

// seen is the path of named types from the root, so that recursive types end.
type seen struct {
	up *seen
	t  types.Type
}

func (s *seen) has(t types.Type) bool {
	for ; s != nil; s = s.up {
		if types.Identical(s.t, t) {
			return true
		}
	}
	return false
}

func (s *seen) depth() int {
	n := 0
	for ; s != nil; s = s.up {
		n++
	}
	return n
}

func (j judge) keyable(t types.Type, s *seen) bool {
	if s.depth() > 50 {
		return false
	}
	t = types.Unalias(t)
	switch t := t.(type) {
	case *types.Basic:
		return t.Kind() != types.UnsafePointer && t.Kind() != types.Invalid
	case *types.Named:
		if s.has(t) {
			return true
		}
		s = &seen{s, t}
		if known[pathOf(t)] {
			return true
		}
		if reads(t) || ofC(t) || handle(t) || says(t, "CacheKey") {
			return false
		}
		return j.keyable(t.Underlying(), s) // hidden fields too: the runtime reads them
	case *types.Pointer:
		return j.keyable(t.Elem(), s)
	case *types.Slice:
		return j.keyable(t.Elem(), s)
	case *types.Array:
		return j.keyable(t.Elem(), s)
	case *types.Map:
		return j.keyable(t.Key(), s) && j.keyable(t.Elem(), s)
	case *types.Struct:
		for f := range t.Fields() {
			if f.Name() == "_" {
				return false // what is in it cannot be seen
			}
			if !j.keyable(f.Type(), s) {
				return false
			}
		}
		return true
	case *types.TypeParam:
		return contentOnly(t.Constraint().Underlying().(*types.Interface))
	case *types.Interface:
		return contentOnly(t)
	}
	return false
}

func (j judge) copyable(t types.Type, s *seen) bool {
	if s.depth() > 50 {
		return false
	}
	t = types.Unalias(t)
	switch t := t.(type) {
	case *types.Basic:
		return t.Kind() != types.UnsafePointer && t.Kind() != types.Invalid
	case *types.Named:
		if s.has(t) {
			return true
		}
		s = &seen{s, t}
		if known[pathOf(t)] {
			return true
		}
		if reads(t) || ofC(t) || handle(t) {
			return false
		}
		if st, ok := t.Underlying().(*types.Struct); ok && t.Obj().Pkg() != j.pkg {
			for f := range st.Fields() {
				if !f.Exported() && !flat(f.Type()) {
					return false // it could be shared, and nobody here can reach it
				}
			}
		}
		return j.copyable(t.Underlying(), s)
	case *types.Pointer:
		if n, ok := types.Unalias(t.Elem()).(*types.Named); ok && reads(n) {
			return false
		}
		return j.copyable(t.Elem(), s)
	case *types.Slice:
		return j.copyable(t.Elem(), s)
	case *types.Array:
		return j.copyable(t.Elem(), s)
	case *types.Map:
		return j.copyable(t.Key(), s) && j.copyable(t.Elem(), s)
	case *types.Struct:
		for f := range t.Fields() {
			if f.Name() == "_" {
				return false
			}
			if !j.copyable(f.Type(), s) {
				return false
			}
		}
		return true
	case *types.TypeParam:
		return contentOnly(t.Constraint().Underlying().(*types.Interface))
	case *types.Interface:
		return contentOnly(t)
	}
	return false
}

// known are types with hidden fields of which it is said that their values can be in keys and
// are given out whole. Those that others only read are given out as they are.
var known = map[string]bool{
	"time.Time": true, "time.Location": true, "regexp.Regexp": true,
	"math/big.Int": true, "math/big.Float": true, "math/big.Rat": true,
	"net/netip.Addr": true, "net/netip.AddrPort": true, "net/netip.Prefix": true,
	"net/url.Values": true, "net/http.Header": true, "net/textproto.MIMEHeader": true, "net/url.URL": true, "net/url.Userinfo": true, "reflect.Type": true,
}

// handle reports whether a type of another package may stand for something outside of the
// program's memory, or for a place where goroutines meet: whatever belongs to packages that
// make such things, the known types aside, and what can be locked, closed or waited for.
func handle(t *types.Named) bool {
	if p := t.Obj().Pkg(); p != nil {
		top, rest, _ := strings.Cut(p.Path(), "/")
		switch top {
		case "sync", "os", "net", "database", "bufio", "log", "testing", "runtime", "syscall", "plugin", "context", "reflect", "unsafe", "iter", "unique", "weak":
			return true
		case "io", "crypto", "html", "text", "time", "math", "strings", "bytes", "hash", "compress", "archive", "embed":
			// Readers, templates, timers, sources, builders: in doubt a handle.
			_, isStruct := t.Underlying().(*types.Struct)
			return isStruct || rest == "fs" || types.IsInterface(t)
		}
	}
	return says(t, "Lock") || says(t, "Close") || says(t, "Wait") || says(t, "Unlock") || says(t, "Done")
}

// says reports whether values of the type, or pointers to them, have such a method.
func says(t *types.Named, name string) bool {
	o, _, _ := types.LookupFieldOrMethod(types.NewPointer(t), true, t.Obj().Pkg(), name)
	if types.IsInterface(t) {
		o, _, _ = types.LookupFieldOrMethod(t, true, t.Obj().Pkg(), name)
	}
	_, ok := o.(*types.Func)
	return ok
}

// flat reports whether a value of t has nothing in it that two values could share.
func flat(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Kind() != types.UnsafePointer && u.Kind() != types.Invalid
	case *types.Array:
		return flat(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			if n, ok := types.Unalias(f.Type()).(*types.Named); ok && handle(n) || !flat(f.Type()) {
				return false
			}
		}
		return true
	}
	return false
}

// contentOnly reports whether an interface asks for nothing that readers, writers, handles,
// iterators, components or locks have: its values are taken for data, by their dynamic type.
func contentOnly(t *types.Interface) bool {
	for m := range t.Methods() {
		for _, word := range []string{"Read", "Write", "Next", "Render", "Close", "Lock", "Unlock", "Done", "Open", "Begin", "Exec", "Query", "Serve", "RoundTrip", "Accept", "Handle", "Log", "Print"} {
			if strings.HasPrefix(m.Name(), word) {
				return false
			}
		}
	}
	return true
}

// reads reports whether values of the type are readers or writers, which are used up, or
// drawn to.
func reads(t *types.Named) bool {
	return says(t, "Read") || says(t, "Write") || says(t, "Next") || says(t, "Render")
}

// ofC reports whether cgo made the type from one of C.
func ofC(t *types.Named) bool { return strings.HasPrefix(t.Obj().Name(), "_Ctype_") }

func pathOf(t *types.Named) string {
	if t.Obj().Pkg() == nil {
		return t.Obj().Name()
	}
	return t.Obj().Pkg().Path() + "." + t.Obj().Name()
}

func isContext(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && pathOf(n) == "context.Context"
}

// isNamed reports whether t is the type of that path and no other that is declared from it.
func isNamed(t types.Type, path string) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && pathOf(n) == path
}

func isRequest(t types.Type) bool {
	p, ok := types.Unalias(t).(*types.Pointer)
	return ok && isNamed(p.Elem(), "net/http.Request")
}

func isError(t types.Type) bool { return types.Identical(t, types.Universe.Lookup("error").Type()) }

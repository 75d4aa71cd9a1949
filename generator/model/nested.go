package model

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/generator/diag"
)

// CheckNested warns of calls, in goroutines that the bodies of annotated functions start, of
// wrappers of others whose ttl, tags or session do not count for the result around, since no
// context is passed on that would carry them there, and which the function around does not have
// itself. What the body calls on its own goroutine counts whatever context it is given. It looks
// at the text of these bodies and nowhere else, and at types only where something is found. Where
// it cannot tell what is called or passed on, it is silent.
func CheckNested(funcs []*Func) []diag.Diagnostic {
	ended := map[string]map[wrapperOf]*Func{} // by the wrapper's name
	for _, f := range funcs {
		o := f.Opts
		if o.TTL == 0 && o.TTLFunc == nil && len(o.Tags)+len(o.ArgTags) == 0 && !f.Session {
			continue
		}
		if f.Draw != nil && f.Draw.Component != nil && f.Draw.Component.Ctx {
			continue // it gets its context when it is rendered
		}
		if ended[f.Wrapper] == nil {
			ended[f.Wrapper] = map[wrapperOf]*Func{}
		}
		w := wrapperOf{path: f.Pkg.ImportPath}
		if f.RecvBase != nil {
			w.recv = f.RecvBase.Name()
		}
		ended[f.Wrapper][w] = f
	}
	if len(ended) == 0 {
		return nil
	}
	var ds []diag.Diagnostic
	for _, f := range funcs {
		n := &nesting{f: f}
		for _, call := range callsApart(f.Decl.Body) {
			if named := ended[calledName(call)]; named != nil {
				if g := n.called(call, named); g != nil {
					ds = append(ds, n.check(call, g)...)
				}
			}
		}
	}
	return ds
}

// callsApart returns the calls in body that run on goroutines which body starts: by a go
// statement, or by a function literal that a method Go takes, as those of sync.WaitGroup and
// errgroup.Group do. Arguments are evaluated before that.
func callsApart(body ast.Node) (calls []*ast.CallExpr) {
	gather := func(in ast.Node) {
		ast.Inspect(in, func(node ast.Node) bool {
			if call, ok := node.(*ast.CallExpr); ok {
				calls = append(calls, call)
			}
			return true
		})
	}
	ast.Inspect(body, func(node ast.Node) bool {
		switch x := node.(type) {
		case *ast.GoStmt:
			for _, arg := range x.Call.Args {
				calls = append(calls, callsApart(arg)...)
			}
			if lit, ok := ast.Unparen(x.Call.Fun).(*ast.FuncLit); ok {
				gather(lit.Body)
			} else {
				calls = append(calls, x.Call)
			}
			return false
		case *ast.CallExpr:
			if sel, ok := x.Fun.(*ast.SelectorExpr); !ok || sel.Sel.Name != "Go" || len(x.Args) != 1 {
				return true
			}
			if lit, ok := ast.Unparen(x.Args[0]).(*ast.FuncLit); ok {
				gather(lit.Body)
				return false
			}
		}
		return true
	})
	return calls
}

// wrapperOf tells wrappers of one name apart.
type wrapperOf struct {
	path, recv string // recv is "" for functions
}

// nesting is about the calls in the body of one function.
type nesting struct {
	f       *Func
	carried map[string]bool // names of variables that may hold the context of the body
}

// callee returns what a call names, without type arguments.
func callee(call *ast.CallExpr) ast.Expr {
	switch x := ast.Unparen(call.Fun).(type) {
	case *ast.IndexExpr:
		return ast.Unparen(x.X)
	case *ast.IndexListExpr:
		return ast.Unparen(x.X)
	default:
		return x
	}
}

// calledName returns the name of what is called, "" if it has none.
func calledName(call *ast.CallExpr) string {
	switch x := callee(call).(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return x.Sel.Name
	}
	return ""
}

// called returns the function, of those given, whose wrapper is called. The types that it
// asks for know no wrappers.
func (n *nesting) called(call *ast.CallExpr, named map[wrapperOf]*Func) *Func {
	info := func() *types.Info { return n.f.Pkg.Bodies().Info }
	switch x := callee(call).(type) {
	case *ast.Ident:
		if g := named[wrapperOf{n.f.Pkg.ImportPath, ""}]; g != nil && info().Uses[x] == nil {
			return g
		}
	case *ast.SelectorExpr:
		if id, ok := x.X.(*ast.Ident); ok {
			if pkg, ok := info().Uses[id].(*types.PkgName); ok {
				return named[wrapperOf{pkg.Imported().Path(), ""}]
			}
		}
		return wrapperMethod(info().TypeOf(x.X), named, 3)
	}
	return nil
}

// wrapperMethod finds the function whose wrapper is a method of t, or of what t embeds.
func wrapperMethod(t types.Type, named map[wrapperOf]*Func, depth int) *Func {
	if t == nil || depth == 0 {
		return nil
	}
	t = types.Unalias(t)
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	if d, ok := t.(*types.Named); ok && d.Obj().Pkg() != nil {
		if g := named[wrapperOf{d.Obj().Pkg().Path(), d.Obj().Name()}]; g != nil {
			return g
		}
	}
	if st, ok := t.Underlying().(*types.Struct); ok {
		for field := range st.Fields() {
			if field.Embedded() {
				if g := wrapperMethod(field.Type(), named, depth-1); g != nil {
					return g
				}
			}
		}
	}
	return nil
}

// check warns of a call of g's wrapper if what ends the results of g does not reach those
// of the function around.
func (n *nesting) check(call *ast.CallExpr, g *Func) []diag.Diagnostic {
	f := n.f
	lost := lostOn(f, g)
	if len(lost) == 0 || n.passesOn(call, g) {
		return nil
	}
	own := f.Ctx != nil && f.Ctx.Name != "" || f.Draw != nil && f.Draw.Request != nil
	takes := g.Ctx != nil || g.Draw != nil && g.Draw.Request != nil
	name := types.ExprString(callee(call))
	var what, way string
	switch {
	case !takes && !own:
		what = fmt.Sprintf("%s takes no context, %s has none", name, f.title())
		way = fmt.Sprintf("take a context.Context in %s and in %s, and pass it on", g.title(), f.title())
	case !takes:
		what = fmt.Sprintf("%s takes no context", name)
		way = fmt.Sprintf("take a context.Context in %s, and pass on that of %s", g.title(), f.title())
	case !own:
		what = fmt.Sprintf("%s has no context of its own to call %s with", f.title(), name)
		way = fmt.Sprintf("take a context.Context in %s, and pass it on", f.title())
	default:
		what = fmt.Sprintf("%s is called with a context that is not that of %s", name, f.title())
		way = fmt.Sprintf("pass on the context of %s", f.title())
	}
	d := diag.Warnf(f.Pkg.Position(call.Pos()), diag.Outlives, "%s, and the call is on another goroutine: what %s returns is kept past %s of the result that went into it",
		what, f.title(), strings.Join(lost, " and "))
	return []diag.Diagnostic{d.WithHint("%s; or call it on the goroutine of the body; or say %s of %s itself", way, strings.Join(lost, " "), f.title()).
		WithRelated(g.Directive.Pos, "%s is cached here", g.title())}
}

// lostOn lists the options that end results of g and, where they do not count for the
// results of f, nothing of f's own does.
func lostOn(f, g *Func) []string {
	var lost []string
	switch {
	case f.Opts.TTLFunc != nil: // whoever writes such a function has thought of it
	case g.Opts.TTLFunc != nil && f.Opts.TTL == 0:
		lost = append(lost, "ttl="+string(g.Directive.Options.TTLFunc))
	case g.Opts.TTL > 0 && (f.Opts.TTL == 0 || f.Opts.TTL > g.Opts.TTL):
		lost = append(lost, "ttl="+short(g.Opts.TTL.String()))
	}
	var tags []string
	for _, t := range g.Opts.Tags {
		if !slices.Contains(f.Opts.Tags, t) {
			tags = append(tags, t)
		}
	}
	for _, t := range g.Opts.ArgTags {
		if !slices.ContainsFunc(f.Opts.ArgTags, func(u ArgTag) bool { return sameForm(t, u) }) {
			tags = append(tags, t.String())
		}
	}
	if len(tags) > 0 {
		lost = append(lost, "tags="+strings.Join(tags, ","))
	}
	if g.Session && !f.Session {
		lost = append(lost, "scope=session")
	}
	return lost
}

// short writes 1h for 1h0m0s.
func short(d string) string {
	if strings.HasSuffix(d, "m0s") {
		d = strings.TrimSuffix(d, "0s")
	}
	if strings.HasSuffix(d, "h0m") {
		d = strings.TrimSuffix(d, "0m")
	}
	return d
}

// sameForm reports whether two tags differ at most in whose parameters they are made of.
func sameForm(t, u ArgTag) bool {
	return slices.EqualFunc(t, u, func(a, b TagPiece) bool {
		return a.Text == b.Text && (a.Param == nil) == (b.Param == nil)
	})
}

// String writes the tag as the directive does.
func (t ArgTag) String() string {
	var b strings.Builder
	for _, p := range t {
		if p.Param != nil {
			b.WriteString("{" + p.Param.Name + "}")
		} else {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

// passesOn reports whether a call may hand on what the results of g's wrapper count with:
// the context of the body, the request that has it, or what the body draws on.
func (n *nesting) passesOn(call *ast.CallExpr, g *Func) bool {
	carriers := []*Param{g.Ctx}
	if g.Draw != nil {
		carriers = append(carriers, g.Draw.Request, g.Draw.Surface)
	}
	for _, q := range carriers {
		if q == nil {
			continue
		}
		args := call.Args
		if len(args) == len(g.Params) {
			args = args[q.Index : q.Index+1]
		}
		for _, a := range args {
			if n.mentions(a) {
				return true
			}
		}
	}
	return false
}

// mentions reports whether an expression has a name in it that may stand for what carries
// the context of the body. Any variable of that name will do: it is for a warning.
func (n *nesting) mentions(e ast.Node) (does bool) {
	if n.carried == nil {
		n.carried = map[string]bool{}
		n.carriers()
	}
	ast.Inspect(e, func(node ast.Node) bool {
		switch x := node.(type) {
		case *ast.Ident:
			does = does || n.carried[x.Name]
		case *ast.SelectorExpr: // s.ctx is not ctx
			does = does || n.mentions(x.X)
			return false
		}
		return !does
	})
	return does
}

// carriers gathers the names: of the parameters that carry a context, of function literals
// too, and of every variable that is set to something that is made of them.
func (n *nesting) carriers() {
	f := n.f
	for _, q := range f.Params {
		if isContext(q.Type) || f.Draw != nil && (q == f.Draw.Request || q == f.Draw.Surface) {
			n.carried[q.Name] = true
		}
	}
	delete(n.carried, "")
	set := func(to ast.Expr) {
		if id, ok := to.(*ast.Ident); ok && id.Name != "_" {
			n.carried[id.Name] = true
		}
	}
	for before := -1; before < len(n.carried); {
		before = len(n.carried)
		ast.Inspect(f.Decl.Body, func(node ast.Node) bool {
			switch x := node.(type) {
			case *ast.AssignStmt:
				for i, from := range x.Rhs {
					if !n.mentions(from) {
						continue
					}
					if len(x.Lhs) == len(x.Rhs) {
						set(x.Lhs[i])
						continue
					}
					for _, to := range x.Lhs {
						set(to)
					}
				}
			case *ast.ValueSpec:
				if slices.ContainsFunc(x.Values, func(e ast.Expr) bool { return n.mentions(e) }) {
					for _, id := range x.Names {
						set(id)
					}
				}
			case *ast.RangeStmt:
				if n.mentions(x.X) {
					set(x.Key)
					set(x.Value)
				}
			case *ast.FuncLit:
				for _, p := range x.Type.Params.List {
					if t := types.ExprString(p.Type); strings.HasSuffix(t, "Context") || strings.HasSuffix(t, "http.Request") {
						for _, id := range p.Names {
							set(id)
						}
					}
				}
			}
			return true
		})
	}
}

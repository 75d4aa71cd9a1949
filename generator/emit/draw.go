package emit

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cachegen/cachegen/generator/model"
)

// drawView is what the template of a drawing function is given besides.
type drawView struct {
	Draw            bool
	Reads           string // variable that holds ReadNames
	ReadNames       string
	Pass            string // statements that let a request pass through
	Component       string // the function type whose values are what is returned, or ""
	ComponentParams string
	CtxFrom         string // what the context is, where it is no parameter
	RenderPass      string // statements that let a rendering pass through
	Bind, Holes     string
	HoleField       string // of the key: which holes are nil
	HoleMasks       int    // how many values it has
	DrawBefore      string // what the call of Do is in
	DrawAfter       string
	DrawOpts        []string
}

// drawNames gives names to what only drawing functions have.
func (w *writer) drawNames() {
	f := w.f
	if f.Ctx != nil && f.Ctx.Index < -1 {
		w.name[f.Ctx] = w.used.local("ctx")
	}
}

// drawKey adds to the key which holes there are: a body can ask, and draws differently.
func (w *writer) drawKey(fields scope, hash *strings.Builder) {
	if w.f.Draw == nil || len(w.f.Draw.Holes) == 0 {
		return
	}
	v := &w.v
	v.HoleField = fields.local("absent")
	v.HoleMasks = 1 << len(w.f.Draw.Holes)
	v.Fields = append(v.Fields, field{v.HoleField, v.Uint64})
	fmt.Fprintf(hash, "§h = %s(§h, §k.%s)\n", w.n.value("HashUint64"), v.HoleField)
}

// draw writes what is particular to drawing functions.
func (w *writer) draw() {
	f, n, v, d := w.f, w.n, &w.v, w.f.Draw
	v.Draw = true
	if d.Widgets {
		v.DrawOpts = append(v.DrawOpts, "Widgets: "+v.True+",")
	}
	if d.Variants > 0 {
		v.DrawOpts = append(v.DrawOpts, fmt.Sprintf("Variants: %d,", d.Variants))
	}
	if d.Spinner != "" {
		v.DrawOpts = append(v.DrawOpts, fmt.Sprintf("Spinner: %s,", strconv.Quote(d.Spinner)))
	}

	// The inputs.
	inputs := w.nilOf(n.cache("Inputs"))
	if d.Request != nil {
		names := w.nilOf("[]" + v.String)
		if len(d.Reads) > 0 {
			var list []string
			for _, r := range d.Reads {
				list = append(list, strconv.Quote(r.String()))
			}
			v.ReadNames, names = strings.Join(list, ", "), v.Reads
			if len(v.ReadNames) > 80 {
				v.ReadNames = "\n" + strings.Join(list, ",\n") + ",\n"
			}
		}
		r := w.name[d.Request]
		inputs = w.adapter(model.Bind{Import: model.WebPath, Name: "Static"}) + "(" + r + ", " + names + ")"
		out := w.call(nil)
		pass := out + "\nreturn"
		if len(f.Results) > 0 || f.HasErr {
			pass = "return " + out
		}
		if d.Component == nil {
			v.Pass = "if !" + w.adapter(model.Bind{Import: model.WebPath, Name: "Cacheable"}) + "(" + r + ") {\n" + pass + "\n}"
		}
	}

	// The context.
	ctx := n.std("context", "Background") + "()"
	bctx := "_"
	if f.Ctx != nil {
		ctx, bctx = w.name[f.Ctx], "§bctx"
		v.Ctx = ctx
		switch f.Ctx.Index {
		case model.RequestContext:
			v.CtxFrom = w.name[d.Request] + ".Context()"
		case model.SurfaceContext:
			v.CtxFrom = w.name[d.Surface] + ".Context()"
		}
	}

	// What is drawn on.
	bind, outer := d.Bind, ""
	switch {
	case d.Component != nil:
		outer = "§out"
		v.Component = n.imported(d.Component.Import, d.Component.Package()) + "." + d.Component.Func
		v.ComponentParams = outer + " " + n.std("io", "Writer")
		if d.Component.Ctx {
			v.ComponentParams = ctx + " " + v.Context + ", " + v.ComponentParams
		}
		bind = d.Component.Bind
		render := outer
		if d.Component.Ctx {
			render = ctx + ", " + outer
		}
		if d.Request != nil {
			v.RenderPass = "!" + w.adapter(model.Bind{Import: model.WebPath, Name: "Cacheable"}) + "(" + w.name[d.Request] + ")"
		}
		if bind.Import == model.TemplPath {
			if v.RenderPass != "" {
				v.RenderPass += " || "
			}
			v.RenderPass += "!" + w.adapter(model.Bind{Import: model.TemplPath, Name: "Cacheable"}) + "(" + ctx + ")"
		}
		if v.RenderPass != "" {
			v.RenderPass = "if " + v.RenderPass + " {\nif §c := " + w.call(nil) + "; §c != " + w.nilOf(n.typ(d.Result)) + " {\nreturn §c.Render(" + render + ")\n}\nreturn " + w.noError() + "\n}"
		}
		v.Results = n.typ(d.Result)
	case d.Surface != nil:
		outer = w.name[d.Surface]
	}
	if outer == "" {
		v.Bind = fmt.Sprintf("%s, §s := %s(%s, %s)\n", bctx, w.adapter(bind), ctx, inputs)
	} else {
		v.Bind = fmt.Sprintf("%s, §b, §s := %s(%s, %s, %s)\n", bctx, w.adapter(bind), ctx, outer, inputs)
	}

	// What stands in for the parameters while the body runs.
	instead := map[*model.Param]string{}
	if d.Surface != nil {
		instead[d.Surface] = "§b"
	}
	if d.Request != nil {
		instead[d.Request] = w.name[d.Request]
		if f.Ctx != nil {
			instead[d.Request] += ".WithContext(" + ctx + ")"
		}
	}
	if len(d.Holes) > 0 {
		v.Holes = "var §holes " + n.cache("Holes") + "\n"
		for i, h := range d.Holes {
			fn, p := "BindHole", w.name[h.Param]
			if h.Err {
				fn = "BindHoleErr"
			}
			bound := fmt.Sprintf("§child%d", i)
			instead[h.Param] = bound
			v.Holes += fmt.Sprintf("%s := %s(&§holes, §s, %s, §b, %s)\nif %s {\n§k.%s |= %d\n}\n", bound, n.cache(fn), outer, p, w.isNil(p), v.HoleField, 1<<i)
		}
	}

	if bind.Import == model.TemplPath {
		v.Holes = "var §holes " + n.cache("Holes") + "\n" +
			"§with := " + w.adapter(model.Bind{Import: model.TemplPath, Name: "Children"}) + "(&§holes, §s, " + ctx + ", " + outer + ", §b)\n"
	}

	// The computation.
	call := w.call(instead)
	unpack, left := w.unpack()
	if d.Component != nil {
		render := "§b"
		if d.Component.Ctx {
			render = "§with(" + ctx + "), §b"
		}
		c, attribute := "if §c := "+call+"; §c != "+w.nilOf(n.typ(d.Result))+" {\n", w.attribute()
		v.Run, v.RunResult = c+attribute+"return §c.Render("+render+")\n}\nreturn "+w.noError(), v.Error
	} else {
		v.Run, v.RunResult = w.run(unpack, left, call)
	}
	v.RunCtx = "_"
	if f.Ctx != nil && strings.Contains(v.Run, ctx) {
		v.RunCtx = ctx
	}

	// What comes of it.
	noError := !f.HasErr && d.Component == nil
	switch out := w.fields("§v"); {
	case d.Component != nil, f.HasErr && len(left) == 0:
		v.DrawBefore, v.DrawAfter = "_, §err := ", "\nreturn §err"
	case f.HasErr && len(left) == 1:
		v.DrawBefore = "return "
	case f.HasErr:
		v.DrawBefore, v.DrawAfter = "§v, §err := ", "\nreturn "+strings.Join(append(out, "§err"), ", ")
	case len(left) == 0:
		v.DrawBefore, v.DrawAfter = n.cache("Must")+"(", ")"
	case len(left) == 1:
		v.DrawBefore, v.DrawAfter = "return "+n.cache("Must")+"(", ")"
	default:
		v.DrawBefore, v.DrawAfter = "§v := "+n.cache("Must")+"(", ")\nreturn "+strings.Join(out, ", ")
	}
	if len(f.Results) == 0 && !f.HasErr && d.Component == nil {
		v.Results = ""
	}

	fields := ""
	if v.Ctx != "" {
		fields = "Ctx: §bctx,\n"
	}
	fields += "Surface: §s,\n"
	if v.Holes != "" {
		fields += "Holes: &§holes,\n"
	}
	if v.CallTags != "" {
		fields += "Tags: []" + v.String + "{" + v.CallTags + "},\n"
	}
	if v.Owner != "" {
		fields += "Owner: " + v.Owner + ",\n"
	}
	if v.CanFail {
		fields += "Uncached: §keyErr,\n"
	}
	if noError {
		fields += "NoError: " + v.True + ",\n"
	}
	v.CallFields = fields + v.Lent + v.Validate
}

// attribute writes what refuses a gomponents attribute: it is drawn inside of a tag, and
// the cached function's result is taken for an element.
func (w *writer) attribute() string {
	c := w.f.Draw.Component
	if c.Ctx {
		return ""
	}
	g := w.n.imported(c.Import, c.Package())
	return fmt.Sprintf("if §t, §ok := §c.(interface{ Type() %s.NodeType }); §ok && §t.Type() == %s.AttributeType {\nreturn %s(%q)\n}\n",
		g, g, w.n.std("errors", "New"), w.f.ID+" returned an attribute, and only elements can be cached")
}

// call writes the call of the annotated function, with other expressions for some of its
// parameters.
func (w *writer) call(instead map[*model.Param]string) string {
	f := w.f
	fn := w.n.own(f.Name)
	if f.Recv != nil {
		fn = w.name[f.Recv] + "." + f.Name
	}
	fn += w.v.FuncTArgs
	var args []string
	for _, p := range f.Params {
		a := w.name[p]
		if x, ok := instead[p]; ok {
			a = x
		}
		if w.variadic(p) {
			a += "..."
		}
		args = append(args, a)
	}
	return fn + "(" + strings.Join(args, ", ") + ")"
}

// adapter names a function of an adapter.
func (w *writer) adapter(b model.Bind) string {
	if b.Import == "" {
		return w.n.own(b.Name)
	}
	return w.n.imported(b.Import, b.Package()) + "." + b.Name
}

// nilOf writes the nil of a type.
func (w *writer) nilOf(typ string) string {
	if w.n.top["nil"] {
		return w.n.imported(predeclaredPath, "predeclared") + ".Nil[" + typ + "]()"
	}
	return "nil"
}

// isNil writes whether a function is nil.
func (w *writer) isNil(x string) string {
	if w.n.top["nil"] {
		return w.n.std("reflect", "ValueOf") + "(" + x + ").IsNil()"
	}
	return x + " == nil"
}

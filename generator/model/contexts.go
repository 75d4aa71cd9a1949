package model

import (
	"go/token"
	"go/types"

	"github.com/cachegen/cachegen/generator/reads"
)

// contexts looks for contexts that reach the body past the key, in what is ignored, and for
// what the body asks of its context that the cache's own cannot answer.
func (p *planner) contexts() {
	f := p.f
	if ignored := p.ignored(); len(ignored) > 0 && !f.Directive.Options.CtxIgnore {
		p.ds = append(p.ds, p.source().HiddenContexts(f.Decl, ignored)...)
	}
	var given []token.Pos
	renamed := false // the text of the package does not show that it is a context
	give := func(v *types.Var) {
		given = append(given, v.Pos())
		renamed = renamed || types.Unalias(v.Type()) != v.Type()
	}
	if f.Ctx != nil && f.Ctx.Index >= 0 {
		give(f.Ctx.Var)
	}
	if f.Draw != nil && f.Draw.Request != nil {
		give(f.Draw.Request.Var)
	}
	if len(given) > 0 && (renamed || f.Pkg.Assertions().OnContext) {
		p.ds = append(p.ds, p.source().AssertedContexts(f.Decl, given)...)
	}
}

// ignored returns where the parameters, and the receiver, are declared that are not in the
// key and through which the body may get at a context.
func (p *planner) ignored() []token.Pos {
	f := p.f
	var all []token.Pos
	for _, q := range f.All() {
		if q.InKey || q == f.Ctx || q.Name == "" || q.Var == nil || f.Draw.outOfKey(q) {
			continue
		}
		if reads.ReachesContext(q.Type, p.pkg) || f.Pkg.Assertions().ToContext {
			all = append(all, q.Var.Pos())
		}
	}
	return all
}

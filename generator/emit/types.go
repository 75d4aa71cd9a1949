package emit

import (
	"fmt"
	"go/types"
	"strings"
)

// typ writes a type as the generated file must spell it.
func (n *names) typ(t types.Type) string {
	var b strings.Builder
	n.write(&b, t)
	return b.String()
}

// phantom reports whether the spelling of t mentions a type parameter that the type does
// not depend on: a function that knows the type need not have that parameter.
func phantom(t *types.Alias) bool {
	for a := range t.TypeArgs().Types() {
		if mentionsParam(a, nil) {
			return !mentionsParam(types.Unalias(t), nil)
		}
	}
	return false
}

func (n *names) write(b *strings.Builder, t types.Type) {
	switch t := t.(type) {
	case *types.Basic:
		if t.Kind() == types.UnsafePointer {
			b.WriteString(n.std("unsafe", "Pointer"))
			return
		}
		b.WriteString(n.predeclared(t.Name()))
	case *types.Alias:
		o := t.Obj()
		if o.Pkg() != nil && o.Pkg() != n.pkg && !o.Exported() || o.Pkg() == n.pkg && o.Parent() != n.pkg.Scope() || phantom(t) {
			n.write(b, types.Unalias(t))
			return
		}
		n.object(b, o)
		n.args(b, t.TypeArgs())
	case *types.Named:
		n.object(b, t.Obj())
		n.args(b, t.TypeArgs())
	case *types.TypeParam:
		if name, ok := n.tparams[t]; ok {
			b.WriteString(name)
			return
		}
		b.WriteString(t.Obj().Name())
	case *types.Pointer:
		b.WriteByte('*')
		n.write(b, t.Elem())
	case *types.Slice:
		b.WriteString("[]")
		n.write(b, t.Elem())
	case *types.Array:
		fmt.Fprintf(b, "[%d]", t.Len())
		n.write(b, t.Elem())
	case *types.Map:
		b.WriteString("map[")
		n.write(b, t.Key())
		b.WriteByte(']')
		n.write(b, t.Elem())
	case *types.Chan:
		switch t.Dir() {
		case types.SendOnly:
			b.WriteString("chan<- ")
		case types.RecvOnly:
			b.WriteString("<-chan ")
		default:
			b.WriteString("chan ")
		}
		b.WriteByte('(')
		n.write(b, t.Elem())
		b.WriteByte(')')
	case *types.Signature:
		b.WriteString("func")
		n.signature(b, t)
	case *types.Struct:
		b.WriteString("struct {")
		for i := range t.NumFields() {
			f := t.Field(i)
			if i > 0 {
				b.WriteByte(';')
			}
			b.WriteByte(' ')
			if !f.Embedded() {
				b.WriteString(f.Name() + " ")
			}
			n.write(b, f.Type())
			if tag := t.Tag(i); tag != "" {
				fmt.Fprintf(b, " %q", tag)
			}
		}
		b.WriteString(" }")
	case *types.Interface:
		n.iface(b, t)
	case *types.Union:
		for i := range t.Len() {
			if i > 0 {
				b.WriteString(" | ")
			}
			term := t.Term(i)
			if term.Tilde() {
				b.WriteByte('~')
			}
			n.write(b, term.Type())
		}
	default:
		panic(fmt.Sprintf("emit: cannot write type %T %s", t, t))
	}
}

func (n *names) object(b *strings.Builder, o *types.TypeName) {
	switch {
	case o.Pkg() == nil: // any, error, comparable
		b.WriteString(n.predeclared(o.Name()))
	case o.Pkg() == n.pkg:
		b.WriteString(n.own(o.Name()))
	default:
		b.WriteString(n.imported(o.Pkg().Path(), o.Pkg().Name()) + "." + o.Name())
	}
}

func (n *names) args(b *strings.Builder, l *types.TypeList) {
	if l.Len() == 0 {
		return
	}
	b.WriteByte('[')
	for i := range l.Len() {
		if i > 0 {
			b.WriteString(", ")
		}
		n.write(b, l.At(i))
	}
	b.WriteByte(']')
}

func (n *names) signature(b *strings.Builder, s *types.Signature) {
	b.WriteByte('(')
	for i := range s.Params().Len() {
		if i > 0 {
			b.WriteString(", ")
		}
		t := s.Params().At(i).Type()
		if s.Variadic() && i == s.Params().Len()-1 {
			b.WriteString("...")
			if sl, ok := t.(*types.Slice); ok {
				t = sl.Elem()
			}
		}
		n.write(b, t)
	}
	b.WriteByte(')')
	switch s.Results().Len() {
	case 0:
	case 1:
		b.WriteByte(' ')
		n.write(b, s.Results().At(0).Type())
	default:
		b.WriteString(" (")
		for i := range s.Results().Len() {
			if i > 0 {
				b.WriteString(", ")
			}
			n.write(b, s.Results().At(i).Type())
		}
		b.WriteByte(')')
	}
}

func (n *names) iface(b *strings.Builder, t *types.Interface) {
	if t.IsImplicit() && t.NumExplicitMethods() == 0 && t.NumEmbeddeds() == 1 {
		n.write(b, t.EmbeddedType(0)) // a constraint such as ~int | ~string
		return
	}
	b.WriteString("interface {")
	for i := range t.NumExplicitMethods() {
		m := t.ExplicitMethod(i)
		if i > 0 {
			b.WriteByte(';')
		}
		b.WriteString(" " + m.Name())
		n.signature(b, m.Signature())
	}
	for i := range t.NumEmbeddeds() {
		if i > 0 || t.NumExplicitMethods() > 0 {
			b.WriteByte(';')
		}
		b.WriteByte(' ')
		n.write(b, t.EmbeddedType(i))
	}
	b.WriteString(" }")
}

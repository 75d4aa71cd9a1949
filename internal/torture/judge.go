package main

import (
	"go/types"
	"strings"
)

// judge says whether a signature must be cacheable. It is written against the documented
// rules alone and shares no code with the planner, so that the two can disagree. It is
// cautious: it says must only where the rules leave no doubt.
type judge struct {
	pkg *types.Package // whose unexported fields generated code can reach
}

// must reports whether a function with this signature has to be cached, its receiver left
// aside.
func (j judge) must(sig *types.Signature) bool {
	n := 0
	for v := range sig.Params().Variables() {
		if v.Name() == "_" || isContext(v.Type()) {
			continue
		}
		if v.Name() != "" && v.Name()[0] == '_' {
			continue // not in the key
		}
		if !j.keyable(v.Type(), nil) {
			return false
		}
	}
	for v := range sig.Results().Variables() {
		n++
		if n == sig.Results().Len() && isError(v.Type()) {
			n--
			continue
		}
		if !j.copyable(v.Type(), nil) {
			return false
		}
	}
	return n > 0
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
		if st, ok := t.Underlying().(*types.Struct); ok && t.Obj().Pkg() != j.pkg && hidden(st) {
			return pathOf(t) == "time.Time"
		}
		if reads(t) || ofC(t) {
			return false
		}
		return j.keyable(t.Underlying(), s)
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
		return t.Constraint().Underlying().(*types.Interface).NumMethods() == 0
	case *types.Interface:
		return t.NumMethods() == 0 && !t.IsComparable() // any; others may be readers or surfaces
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
		if st, ok := t.Underlying().(*types.Struct); ok && t.Obj().Pkg() != j.pkg && hidden(st) {
			return pathOf(t) == "time.Time"
		}
		if reads(t) || ofC(t) {
			return false
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
		return t.Constraint().Underlying().(*types.Interface).NumMethods() == 0
	case *types.Interface:
		return t.NumMethods() == 0
	}
	return false
}

// hidden reports whether a struct of another package has fields that cannot be reached.
func hidden(st *types.Struct) bool {
	for f := range st.Fields() {
		if !f.Exported() {
			return true
		}
	}
	return false
}

// reads reports whether values of the type are readers or writers, which are used up, or
// drawn to.
func reads(t *types.Named) bool {
	for _, name := range []string{"Read", "Write", "Next", "Render"} {
		if o, _, _ := types.LookupFieldOrMethod(types.NewPointer(t), true, t.Obj().Pkg(), name); o != nil {
			if _, ok := o.(*types.Func); ok {
				return true
			}
		}
	}
	return false
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

func isError(t types.Type) bool { return types.Identical(t, types.Universe.Lookup("error").Type()) }

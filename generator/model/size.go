package model

import (
	"go/types"

	"golang.org/x/tools/go/types/typeutil"
)

// SizeKind says how the bytes that a value refers to are counted.
type SizeKind int

// The kinds of size.
const (
	SizeNone SizeKind = iota // it refers to nothing, or to nothing that can be counted
	SizeString
	SizeSlice
	SizeArray
	SizeMap
	SizePointer
	SizeStruct
	SizeAny // by the runtime
)

// Size is a node of a size plan. Plans of recursive types are cyclic.
type Size struct {
	Kind   SizeKind
	Type   types.Type
	Elem   *Size
	MapKey *Size
	Fields []SizeField // those of structs that refer to something

	// Inferred is set of a SizeAny whose type generated code must not spell.
	Inferred bool
}

// SizeField is one field of a struct.
type SizeField struct {
	Name string
	Size *Size
}

type sizePlanner struct {
	pkg   *types.Package
	decls *declarations
	done  typeutil.Map // types.Type → *Size
	owner *types.Named // the type whose parts are being planned, nil for those of a signature
}

// plan returns how values of t are weighed. It always can: what cannot be read from
// here, the runtime counts.
func (p *sizePlanner) plan(t types.Type) *Size {
	if p.decls.dynamic(t, p.owner) {
		return &Size{Kind: SizeAny, Type: t, Inferred: true}
	}
	outer := p.owner
	defer func() { p.owner = outer }()
	t = types.Unalias(t)
	if s, ok := p.done.At(t).(*Size); ok {
		return s
	}
	if n, ok := t.(*types.Named); ok {
		p.owner = n
	}
	s := &Size{Type: t}
	p.done.Set(t, s)
	if !refers(t) {
		return s
	}
	if _, ok := t.(*types.TypeParam); ok {
		s.Kind = SizeAny
		return s
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Info()&types.IsString != 0 {
			s.Kind = SizeString
		}
	case *types.Pointer:
		s.Kind, s.Elem = SizePointer, p.plan(u.Elem())
	case *types.Slice:
		s.Kind, s.Elem = SizeSlice, p.plan(u.Elem())
	case *types.Array:
		if u.Len() > 0 {
			s.Kind, s.Elem = SizeArray, p.plan(u.Elem())
		}
	case *types.Map:
		s.Kind, s.MapKey, s.Elem = SizeMap, p.plan(u.Key()), p.plan(u.Elem())
	case *types.Struct:
		if hiddenField(u, p.pkg) != nil || p.decls.stdStruct(t) {
			s.Kind = SizeAny
			return s
		}
		s.Kind = SizeStruct
		for f := range u.Fields() {
			if f.Name() != "_" && refers(f.Type()) {
				s.Fields = append(s.Fields, SizeField{f.Name(), p.plan(f.Type())})
			}
		}
	case *types.Interface:
		s.Kind = SizeAny
	}
	return s
}

// refers reports whether values of t refer to memory outside themselves that counts.
func refers(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Info()&types.IsString != 0
	case *types.Array:
		return refers(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			if f.Name() != "_" && refers(f.Type()) {
				return true
			}
		}
		return false
	case *types.Chan, *types.Signature:
		return false
	}
	return true
}

package value

// # What generated code takes for granted of types
//
// Generated code walks values field by field: to encode them, to copy them, to size them.
// It knows the fields as they were when it was generated. Where a type is declared in the
// module of the generated code, whatever the build configuration, the generated file holds a
// conversion that stops compiling when the type changes. Types of other modules, and types
// that differ by build configuration, can change where nobody can mend the generated code.
// For functions that walk such types it has a Layout:
//
//	var loadLayout = value.Layout{Func: "example.com/m.Load", Types: []string{"-{Tables:[]string;}"}}
//
// and asks it, each time before it walks a value,
//
//	if loadLayout.Holds((*func(dep.Query))(nil)) {
//		encQuery(e, q)
//	} else {
//		value.EncodeOf(e, q) // which sees the fields that there are
//	}
//
// The answer is settled once, before the first key of the function is made, and does not
// change: no two calls of a process have keys of different makes. The parameters of the
// function type are the types that are walked, and Types describes each as it was:
//
//	int; string; any; func; …    the kind of a type; any is an interface
//	*E  []E  [n]E  map[K]V       the length of an array does not matter; [0] stands alone
//	{A:T B:T}                    a struct, blank fields left out
//	-T  ~T                       a named type; with - one that has no method CacheKey
//	+T                           one with a method CacheKey, which returns a T
//	@0;                          the named type that was met first, or second, and so on
//	=path.Name;                  a type that is known by its name
//	i;  s;                       a struct in which nothing can be changed; that refers to no memory
//	t;                           a type declared from time.Time
//	?                            anything: whatever walks it finds out for itself
//	!T                           T, for a value that stands in the key as it is
//
// Where a value stands in the key as it is, there is no other way to make the key: a
// function for which that has changed is not cached.

import (
	"fmt"
	"log"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Layout holds what the generated code of one function takes for granted of types that can
// change without it. It belongs to the file that it was generated in, and is used by address.
type Layout struct {
	Func  string   // the function, as in Options
	Types []string // one for each parameter of the function type that Holds is given

	state atomic.Uint32
	why   error // why there are no keys; set before state is
	// size is sizeFound, set before state is. Reflection on methods, without which a
	// program is smaller, is linked only with code that calls Holds.
	size func(v reflect.Type, x any) int64
}

// Layouts holds what the generated code of a generic function takes for granted: a type can
// be what it was for some type arguments and not for others, so that each instance has a
// Layout.
type Layouts struct {
	Func  string   // as in Layout
	Types []string // as in Layout

	of sync.Map // reflect.Type of what Of is given → *Layout
}

// Of returns the Layout of one instance, for which of is what [Layout.Holds] is given.
func (l *Layouts) Of(of any) *Layout {
	t := reflect.TypeOf(of)
	x, ok := l.of.Load(t)
	if !ok {
		x, _ = l.of.LoadOrStore(t, &Layout{Func: l.Func, Types: l.Types})
	}
	return x.(*Layout)
}

// States of a Layout.
const (
	layoutUnknown uint32 = iota
	layoutHolds
	layoutChanged   // values are walked by what reflection finds
	layoutUnkeyable // so are they, and there is no key
)

// Holds reports whether the types are what they were. of is a nil pointer to a function
// type whose parameters are the types.
func (l *Layout) Holds(of any) bool { return l.state.Load() == layoutHolds || l.settle(of) }

// Held reports whether Holds has returned true.
func (l *Layout) Held() bool { return l.state.Load() == layoutHolds }

// settle finds out, at the first call, whether the types are what they were.
func (l *Layout) settle(of any) bool {
	if l.state.Load() != layoutUnknown {
		return l.Held()
	}
	layoutsMu.Lock()
	defer layoutsMu.Unlock()
	if l.state.Load() != layoutUnknown {
		return l.Held()
	}
	state := layoutHolds
	types := reflect.TypeOf(of).Elem()
	for i, want := range l.Types {
		want, exact := strings.CutPrefix(want, "!")
		t := types.In(i)
		r := layoutReader{rest: want, owner: t}
		change := r.match(t)
		if change == "" {
			continue
		}
		consequence := "its values are read by reflection, which is slower"
		if exact {
			consequence = "the function is not cached, since the type is a part of its key"
			state = layoutUnkeyable
			l.why = fmt.Errorf("type %s has changed since the wrapper was generated: %s; run go tool cachegen ./... in the module of the wrapper", r.owner, change)
		} else if state == layoutHolds {
			state = layoutChanged
		}
		seen := r.owner.String() + change
		if !layoutsTold[seen] || exact {
			layoutsTold[seen] = true
			log.Printf("cachegen: %s: type %s has changed since the wrapper was generated: %s; %s; run go tool cachegen ./... in the module of the wrapper, or ask its authors to", l.Func, typeName(r.owner), change, consequence)
		}
	}
	l.size = sizeFound
	l.state.Store(state)
	return state == layoutHolds
}

var (
	layoutsMu   sync.Mutex
	layoutsTold = map[string]bool{}
)

// Unkeyable returns why there can be no key, nil if there can. l may be nil.
func (l *Layout) Unkeyable() error {
	if l == nil || l.state.Load() != layoutUnkeyable {
		return nil
	}
	return l.why
}

// changed reports whether the types are known not to be what they were.
func (l *Layout) changed() bool { return l != nil && l.state.Load() > layoutHolds }

// Sizing returns the way to size values of type v: the generated function, or reflection where
// a type has changed. l may be nil.
func (l *Layout) Sizing(bytes func(v any) int64, v reflect.Type) func(any) int64 {
	if l == nil || bytes == nil {
		return bytes
	}
	return func(x any) int64 {
		if !l.changed() {
			return bytes(x)
		}
		return l.size(v, x)
	}
}

// sizeFound sizes a value of type v, to which x points, by what reflection finds.
func sizeFound(v reflect.Type, x any) int64 {
	var z Sizer
	d := dynOf(v)
	return int64(d.size) + extentElems(&z, d, reflect.ValueOf(x).UnsafePointer(), 1)
}

// CopyAll returns a copy of *v, all of it made by what reflection finds, for a function in
// the module home; see [Layout].
func CopyAll[V any](home string, v *V) (w V, err error) {
	c := NewCopier(home)
	w = CopyOf(c, *v)
	return w, c.Done()
}

// Unkeyed is embedded beside a type, in generated code that is never run, to see that the
// type has no method CacheKey: the name would be ambiguous.
type Unkeyed struct{}

// CacheKey is there to be ambiguous.
func (Unkeyed) CacheKey() {}

// Keyed is embedded beside a type to see that it has a method CacheKey of its own, and not
// by embedding: that would be ambiguous.
type Keyed struct{ Unkeyed }

// layoutReader compares a type with a description.
type layoutReader struct {
	rest  string
	named []reflect.Type
	owner reflect.Type // the innermost type with a name that is being compared
}

// match compares t with the description that comes next, and returns in what it is
// different, "" if in nothing.
func (r *layoutReader) match(t reflect.Type) string {
	switch {
	case r.skip("?"):
		return ""
	case r.skip("*"):
		return r.elem(t, reflect.Pointer)
	case r.skip("[]"):
		return r.elem(t, reflect.Slice)
	case r.skip("[n]"):
		return r.elem(t, reflect.Array)
	case r.skip("[0]"):
		if t.Kind() != reflect.Array || t.Len() != 0 {
			return fmt.Sprintf("it has the type %s, which was an array without elements", t)
		}
		return ""
	case r.skip("map["):
		if t.Kind() != reflect.Map {
			return otherKind(t, reflect.Map)
		}
		if change := r.match(t.Key()); change != "" {
			return change
		}
		r.skip("]")
		return r.match(t.Elem())
	case r.skip("{"):
		return r.fields(t)
	case r.skip("="):
		if name := r.word(); !sameName(t, name) {
			return fmt.Sprintf("it has the type %s, where %s was", t, name)
		}
		return ""
	case r.skip("@"):
		i, _ := strconv.Atoi(r.word())
		if i >= len(r.named) || r.named[i] != t {
			return fmt.Sprintf("it has the type %s, where another was", t)
		}
		return ""
	case r.skip("-"):
		return r.name(t, '-')
	case r.skip("~"):
		return r.name(t, '~')
	case r.skip("+"):
		return r.name(t, '+')
	case r.skip("i;"):
		if t.Kind() != reflect.Struct || !dynOf(t).frozen {
			return fmt.Sprintf("values of type %s can be changed, which they could not", t)
		}
		return ""
	case r.skip("s;"):
		if t.Kind() != reflect.Struct || dynOf(t).extent != nil {
			return fmt.Sprintf("values of type %s refer to memory, which they did not", t)
		}
		return ""
	case r.skip("t;"):
		if t.Kind() != reflect.Struct || !t.ConvertibleTo(reflect.TypeFor[time.Time]()) {
			return fmt.Sprintf("%s is no time any more", t)
		}
		return ""
	}
	switch kind := r.word(); {
	case kind == "any" && t.Kind() != reflect.Interface, kind != "any" && t.Kind().String() != kind:
		return fmt.Sprintf("it has the type %s, of kind %s, where %s was", t, t.Kind(), kind)
	}
	return ""
}

func (r *layoutReader) skip(s string) (ok bool) {
	r.rest, ok = strings.CutPrefix(r.rest, s)
	return ok
}

// word returns what comes before the next semicolon.
func (r *layoutReader) word() (w string) {
	w, r.rest, _ = strings.Cut(r.rest, ";")
	return w
}

func (r *layoutReader) elem(t reflect.Type, kind reflect.Kind) string {
	if t.Kind() != kind {
		return otherKind(t, kind)
	}
	return r.match(t.Elem())
}

func otherKind(t reflect.Type, kind reflect.Kind) string {
	return fmt.Sprintf("it has the type %s, of kind %s, where a %s was", t, t.Kind(), kind)
}

// name compares a type that has a name. The text after the sign describes its
// underlying type, or, after +, the result of its method CacheKey.
func (r *layoutReader) name(t reflect.Type, sign byte) string {
	if t.Name() == "" {
		return fmt.Sprintf("it has the type %s, where a type with a name was", t)
	}
	outer := r.owner
	r.owner = t
	r.named = append(r.named, t)
	inner := t
	if sign != '~' {
		m, own := ownMethod(t, cacheKeyName)
		own = own && t.Kind() != reflect.Interface && m.Type.NumIn() == 1 && m.Type.NumOut() == 1
		switch {
		case own && sign == '-':
			return "it has a method CacheKey, which it had not"
		case !own && sign == '+':
			return "its method CacheKey is gone"
		case own:
			inner = m.Type.Out(0)
		}
	}
	change := r.match(inner)
	if change == "" {
		r.owner = outer
	}
	return change
}

// fields compares a struct; its opening brace has been read.
func (r *layoutReader) fields(t reflect.Type) string {
	if t.Kind() != reflect.Struct {
		return otherKind(t, reflect.Struct)
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Name == "_" {
			continue
		}
		r.skip(" ")
		if strings.HasPrefix(r.rest, "}") {
			return "the field " + f.Name + " is new"
		}
		name, rest, _ := strings.Cut(r.rest, ":")
		if name != f.Name {
			if _, still := t.FieldByName(name); still {
				return "the field " + f.Name + " is new, or the order is another"
			}
			return "the field " + name + " is gone"
		}
		r.rest = rest
		if change := r.match(f.Type); change != "" {
			if r.owner == t || t.Name() == "" {
				change = "the field " + f.Name + ": " + change
			}
			return change
		}
	}
	r.skip(" ")
	if !r.skip("}") {
		name, _, _ := strings.Cut(r.rest, ":")
		return "the field " + name + " is gone"
	}
	return ""
}

// sameName reports whether t is called name, type arguments left out. The package of a
// program is called main, and in tests what it is imported as.
func sameName(t reflect.Type, name string) bool {
	own, _, _ := strings.Cut(t.Name(), "[")
	if t.PkgPath() == "" || own == "" {
		return t.String() == name
	}
	if t.PkgPath() == "main" {
		return strings.HasSuffix(name, "."+own)
	}
	return t.PkgPath()+"."+own == name
}

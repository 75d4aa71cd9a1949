package model

import (
	"go/types"
	"strings"

	"github.com/cachegen/cachegen/generator/reads"
)

// Reason says why a type cannot be in a key, or cannot be copied.
type Reason struct {
	Path   string     // what one would write to get at the part that is the reason: "cfg.DB"
	Type   types.Type // of that part
	Hidden types.Type // the struct of another package whose hidden field it is, or nil
	Why    string
}

// String returns the reason as a clause: "cfg.DB is *sql.DB, an open database".
func (r *Reason) clause(pkg *types.Package) string {
	if r.Type == types.Typ[types.Invalid] {
		return r.Path + " is " + r.Why
	}
	return r.Path + " is " + typeText(r.Type, pkg) + ", " + r.Why
}

// typeText writes a type as the user of package pkg would.
func typeText(t types.Type, pkg *types.Package) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == pkg {
			return ""
		}
		return p.Name()
	})
}

// fullName returns "path.Name" of a named type, without type arguments.
func fullName(n *types.Named) string {
	o := n.Obj()
	if o.Pkg() == nil {
		return o.Name()
	}
	return o.Pkg().Path() + "." + o.Name()
}

// methodOf finds the method that a value of type t, or its address, has, and reports
// whether the address is needed. Methods of embedded fields do not count: they tell
// about the field, not about the whole.
func methodOf(t types.Type, name string, pkg *types.Package) (m *types.Func, ptr bool) {
	if _, ok := t.(*types.Named); !ok {
		return nil, false
	}
	obj, index, _ := types.LookupFieldOrMethod(t, true, pkg, name)
	f, ok := obj.(*types.Func)
	if !ok || len(index) != 1 {
		return nil, false
	}
	recv := f.Signature().Recv()
	if recv == nil || types.IsInterface(t) {
		return nil, false
	}
	_, ptr = types.Unalias(recv.Type()).(*types.Pointer)
	return f, ptr
}

// accessible reports whether code of package pkg can name the field.
func accessible(f *types.Var, pkg *types.Package) bool {
	return f.Exported() || f.Pkg() == pkg
}

// hiddenField returns the first field of u that code of pkg cannot name, or nil.
// Blank fields have no content.
func hiddenField(u *types.Struct, pkg *types.Package) *types.Var {
	for f := range u.Fields() {
		if f.Name() != "_" && !accessible(f, pkg) {
			return f
		}
	}
	return nil
}

// handles are types of the standard library that stand for something outside the
// value: equal handles are the same handle, and no content tells them apart.
var handles = map[string]string{
	"context.Context":                   "a context",
	"crypto/tls.Conn":                   "a connection",
	"database/sql.Conn":                 "a database connection",
	"database/sql.DB":                   "an open database",
	"database/sql.Row":                  "an open query",
	"database/sql.Rows":                 "an open query",
	"database/sql.Stmt":                 "a prepared statement",
	"database/sql.Tx":                   "an open transaction",
	"html/template.Template":            "a parsed template",
	"io/fs.FS":                          "a file system, whose content can change",
	"io/fs.File":                        "an open file",
	"log.Logger":                        "a logger",
	"log/slog.Handler":                  "a logger",
	"log/slog.Logger":                   "a logger",
	"math/rand.Rand":                    "a source of random numbers",
	"math/rand/v2.Rand":                 "a source of random numbers",
	"net.Conn":                          "a connection",
	"net.Listener":                      "a listener",
	"net/http.Client":                   "an HTTP client",
	"net/http.Response":                 "an HTTP response with an open body",
	"net/http.RoundTripper":             "an HTTP transport",
	"net/http.Server":                   "a server",
	"net/http.Transport":                "an HTTP transport",
	"os.File":                           "an open file",
	"os.Process":                        "a running process",
	"os.Root":                           "an open directory",
	"os/exec.Cmd":                       "a command",
	"reflect.Value":                     "a reflect.Value, which can refer to anything",
	"testing.B":                         "a running benchmark",
	"testing.F":                         "a running fuzz test",
	"testing.T":                         "a running test",
	"testing.TB":                        "a running test",
	"text/template.Template":            "a parsed template",
	"time.Ticker":                       "a ticker",
	"time.Timer":                        "a timer",
	"strings.Builder":                   "a buffer that is being written",
	"bytes.Buffer":                      "a buffer, whose content changes as it is read and written",
	"io.Reader":                         "a reader, whose content is gone once it is read",
	"io.Writer":                         "a writer",
	"io.Closer":                         "a handle that can be closed",
	"google.golang.org/grpc.ClientConn": "a connection",
}

// opaque says what t is when values of t stand for something outside themselves, "" when
// they may be looked into. Pointers are looked through by the caller.
func opaque(t types.Type) string {
	switch u := t.Underlying().(type) {
	case *types.Signature:
		if isIterator(u) {
			return "an iterator, which yields its values once it is run"
		}
		return "a function, and functions cannot be compared"
	case *types.Chan:
		return "a channel"
	}
	named, ok := t.(*types.Named)
	if !ok {
		if i, ok := t.Underlying().(*types.Interface); ok {
			return opaqueInterface(i, t)
		}
		return ""
	}
	if why, ok := handles[fullName(named)]; ok {
		return why
	}
	if p := named.Obj().Pkg(); p != nil {
		switch path := p.Path(); {
		case path == "sync", path == "sync/atomic":
			return "a value of package " + path + ", which must not be copied"
		case path == "bufio":
			return "a buffered stream, whose content is gone once it is read"
		}
	}
	if i, ok := named.Underlying().(*types.Interface); ok {
		return opaqueInterface(i, t)
	}
	if isLock(t) {
		return "a lock, which must not be copied"
	}
	if isReader(t) {
		return "a reader, whose content is gone once it is read"
	}
	return ""
}

// opaqueInterface says what values of an interface type are, when its methods tell.
func opaqueInterface(_ *types.Interface, t types.Type) string {
	switch {
	case reads.IsContext(t):
		return "a context"
	case hasStreamMethod(t, "Read"):
		return "a reader, whose content is gone once it is read"
	case hasStreamMethod(t, "Write"):
		return "a writer"
	}
	return ""
}

// isReader reports whether t or *t has the method Read of io.Reader.
func isReader(t types.Type) bool {
	if hasStreamMethod(t, "Read") {
		return true
	}
	if _, ok := t.(*types.Named); ok && !types.IsInterface(t) {
		return hasStreamMethod(types.NewPointer(t), "Read")
	}
	return false
}

// isLock reports whether *t has methods Lock and Unlock, as locks have and types that
// say in this way that they must not be copied.
func isLock(t types.Type) bool {
	for _, name := range []string{"Lock", "Unlock"} {
		obj, index, _ := types.LookupFieldOrMethod(types.NewPointer(t), false, nil, name)
		f, ok := obj.(*types.Func)
		if !ok || len(index) != 1 || f.Signature().Params().Len()+f.Signature().Results().Len() > 0 {
			return false
		}
	}
	return true
}

// holdsLock reports whether a value of type t must not be copied because of a lock in it.
func holdsLock(t types.Type) bool { return immovable(t, "") != nil }

// immovable returns the part of a value of type t that must stay where it is, because it is
// a lock, an atomic or a buffer that another copy would go on using, or nil. What is behind
// pointers, slices and maps is no part of the value.
func immovable(t types.Type, path string) *Reason {
	t = types.Unalias(t)
	if n, ok := t.(*types.Named); ok {
		if isLock(t) {
			return &Reason{Path: path, Type: t, Why: "a lock, which must not be copied"}
		}
		if _, ok := n.Underlying().(*types.Struct); ok && n.Obj().Pkg() != nil {
			switch pkg := n.Obj().Pkg().Path(); pkg {
			case "sync", "sync/atomic":
				return &Reason{Path: path, Type: t, Why: "a value of package " + pkg + ", which must not be copied"}
			case "bufio":
				return &Reason{Path: path, Type: t, Why: "a buffered stream, whose copies would share its buffer"}
			}
			switch fullName(n) {
			case "strings.Builder", "bytes.Buffer":
				return &Reason{Path: path, Type: t, Why: "a buffer, which must not be copied"}
			}
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for f := range u.Fields() {
			if r := immovable(f.Type(), path+"."+f.Name()); r != nil {
				return r
			}
		}
	case *types.Array:
		return immovable(u.Elem(), path+"[i]")
	}
	return nil
}

// hasStreamMethod reports whether t has a method name([]byte) (int, error).
func hasStreamMethod(t types.Type, name string) bool {
	obj, _, _ := types.LookupFieldOrMethod(t, false, nil, name)
	f, ok := obj.(*types.Func)
	if !ok {
		return false
	}
	sig := f.Signature()
	if sig.Params().Len() != 1 || sig.Results().Len() != 2 {
		return false
	}
	return types.Identical(sig.Params().At(0).Type(), types.NewSlice(types.Typ[types.Byte])) &&
		types.Identical(sig.Results().At(0).Type(), types.Typ[types.Int]) && isError(sig.Results().At(1).Type())
}

// isIterator reports whether a function type is that of a range-over-func iterator.
func isIterator(s *types.Signature) bool {
	if s.Params().Len() != 1 || s.Results().Len() != 0 {
		return false
	}
	yield, ok := s.Params().At(0).Type().Underlying().(*types.Signature)
	return ok && yield.Params().Len() <= 2 && yield.Results().Len() == 1 &&
		types.Identical(yield.Results().At(0).Type(), types.Typ[types.Bool])
}

func isError(t types.Type) bool {
	return types.Identical(t, types.Universe.Lookup("error").Type())
}

func isContext(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && fullName(n) == "context.Context"
}

// importable reports whether code of package from may import path.
func importable(from, path string) bool {
	if path == from || path == "" {
		return true
	}
	// vendor folders of other modules never show in import paths; internal ones do.
	for i := len(path); i >= 0; {
		j := strings.LastIndex(path[:i], "internal")
		if j < 0 {
			return true
		}
		end := j + len("internal")
		if (j == 0 || path[j-1] == '/') && (end == len(path) || path[end] == '/') {
			root := strings.TrimSuffix(path[:j], "/")
			return root != "" && (from == root || strings.HasPrefix(from, root+"/"))
		}
		i = j
	}
	return true
}

// Nameable reports whether t can be written in package from: every named type in it is
// universal, of the package, or exported by a package that may be imported.
func Nameable(t types.Type, from *types.Package) bool {
	return writable(t, from, map[types.Type]bool{})
}

func writable(t types.Type, from *types.Package, seen map[types.Type]bool) bool {
	if seen[t] {
		return true
	}
	seen[t] = true
	object := func(o *types.TypeName) bool {
		return o.Pkg() == nil || o.Pkg() == from && o.Parent() == from.Scope() ||
			o.Pkg() != from && o.Exported() && o.Pkg().Name() != "main" && importable(from.Path(), o.Pkg().Path())
	}
	args := func(l *types.TypeList) bool {
		for a := range l.Types() {
			if !writable(a, from, seen) {
				return false
			}
		}
		return true
	}
	switch t := t.(type) {
	case *types.Alias:
		if object(t.Obj()) && args(t.TypeArgs()) {
			return true
		}
		return writable(types.Unalias(t), from, seen)
	case *types.Named:
		return object(t.Obj()) && args(t.TypeArgs())
	case *types.Pointer:
		return writable(t.Elem(), from, seen)
	case *types.Slice:
		return writable(t.Elem(), from, seen)
	case *types.Array:
		return writable(t.Elem(), from, seen)
	case *types.Chan:
		return writable(t.Elem(), from, seen)
	case *types.Map:
		return writable(t.Key(), from, seen) && writable(t.Elem(), from, seen)
	case *types.Struct:
		for f := range t.Fields() {
			if !accessible(f, from) || !writable(f.Type(), from, seen) {
				return false
			}
		}
	case *types.Signature:
		for v := range t.Params().Variables() {
			if !writable(v.Type(), from, seen) {
				return false
			}
		}
		for v := range t.Results().Variables() {
			if !writable(v.Type(), from, seen) {
				return false
			}
		}
	case *types.Interface:
		for m := range t.ExplicitMethods() {
			if !m.Exported() && m.Pkg() != from || !writable(m.Type(), from, seen) {
				return false
			}
		}
		for e := range t.EmbeddedTypes() {
			if !writable(e, from, seen) {
				return false
			}
		}
	case *types.Union:
		for term := range t.Terms() {
			if !writable(term.Type(), from, seen) {
				return false
			}
		}
	}
	return true
}

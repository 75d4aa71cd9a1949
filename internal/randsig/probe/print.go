package probe

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"
)

// ErrTooBig is what Print panics with when a value has too many paths to print.
var ErrTooBig = errors.New("value has too many paths to print")

const maxNodes = 4000

// Print returns the content of what p points to, as text in which nothing is lost but the
// payload of NaNs, monotonic clock readings and the sharing of memory that is no cycle.
// With asKey, types that have been registered as [Pool.Keyed] are printed as the key that
// they give.
func Print(p any, pool *Pool, asKey bool) string {
	w := printer{pool: pool, asKey: asKey}
	w.print(reflect.ValueOf(p).Elem())
	return w.b.String()
}

type ref struct {
	p   uintptr
	len int
	t   reflect.Type
}

type printer struct {
	b     strings.Builder
	path  []ref
	pool  *Pool
	asKey bool
	nodes int
}

// enter notes that the walk stands inside of r. A walk that comes by again writes how many
// references up its path that was, and does not go in.
func (w *printer) enter(r ref) bool {
	for i, q := range w.path {
		if q == r {
			fmt.Fprintf(&w.b, "^%d", len(w.path)-i)
			return false
		}
	}
	w.path = append(w.path, r)
	return true
}

func (w *printer) leave() { w.path = w.path[:len(w.path)-1] }

func (w *printer) print(v reflect.Value) {
	if w.nodes++; w.nodes > maxNodes {
		panic(ErrTooBig)
	}
	t := v.Type()
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		zone, offset := x.Zone()
		fmt.Fprintf(&w.b, "time(%d.%09d %q %q %d)", x.Unix(), x.Nanosecond(), x.Location(), zone, offset)
		return
	case *big.Int:
		fmt.Fprintf(&w.b, "int(%s)", x)
		return
	case *big.Rat:
		fmt.Fprintf(&w.b, "rat(%s)", x)
		return
	case *netip.Addr:
		fmt.Fprintf(&w.b, "addr(%s)", x)
		return
	}
	if w.asKey && w.pool.keyed[t] && !(t.Kind() == reflect.Pointer && v.IsNil()) {
		k := v.MethodByName("CacheKey").Call(nil)[0]
		w.b.WriteString("key:")
		w.print(loose(k))
		return
	}
	switch t.Kind() {
	case reflect.Bool:
		w.b.WriteString(strconv.FormatBool(v.Bool()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.b.WriteString(strconv.FormatInt(v.Int(), 10))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		w.b.WriteString(strconv.FormatUint(v.Uint(), 10))
	case reflect.Float32, reflect.Float64:
		w.float(v.Float())
	case reflect.Complex64, reflect.Complex128:
		w.float(real(v.Complex()))
		w.b.WriteByte('+')
		w.float(imag(v.Complex()))
	case reflect.String:
		w.b.WriteString(strconv.Quote(v.String()))
	case reflect.Slice:
		if v.IsNil() {
			w.b.WriteString("nil")
			return
		}
		if v.Len() > 0 && !w.enter(ref{v.Pointer(), v.Len(), t}) {
			return
		}
		w.b.WriteByte('[')
		w.list(v)
		w.b.WriteByte(']')
		if v.Len() > 0 {
			w.leave()
		}
	case reflect.Array:
		w.b.WriteByte('<')
		w.list(v)
		w.b.WriteByte('>')
	case reflect.Struct:
		w.b.WriteByte('{')
		fields(v, func(name string, f reflect.Value) {
			w.b.WriteString(name)
			w.b.WriteByte(':')
			w.print(f)
			w.b.WriteByte(' ')
		})
		w.b.WriteByte('}')
	case reflect.Map:
		if v.IsNil() {
			w.b.WriteString("nil")
			return
		}
		if !w.enter(ref{v.Pointer(), 0, t}) {
			return
		}
		w.b.WriteString("map[")
		for _, e := range w.entries(v) {
			w.b.WriteString(e.text)
			w.b.WriteByte(' ')
		}
		w.b.WriteByte(']')
		w.leave()
	case reflect.Pointer:
		if v.IsNil() {
			w.b.WriteString("nil")
			return
		}
		if !w.enter(ref{v.Pointer(), 0, t}) {
			return
		}
		w.b.WriteByte('&')
		w.print(v.Elem())
		w.leave()
	case reflect.Interface:
		if v.IsNil() {
			w.b.WriteString("nil")
			return
		}
		w.b.WriteString("(" + TypeName(v.Elem().Type()) + ")")
		w.print(loose(v.Elem()))
	case reflect.Chan, reflect.Func, reflect.UnsafePointer:
		fmt.Fprintf(&w.b, "%s", t)
	default:
		panic("probe: cannot print " + t.String())
	}
}

func (w *printer) list(v reflect.Value) {
	for i := range v.Len() {
		w.print(v.Index(i))
		w.b.WriteByte(',')
	}
}

func (w *printer) float(f float64) {
	if f != f {
		w.b.WriteString("NaN")
		return
	}
	w.b.WriteString("0x" + strconv.FormatUint(math.Float64bits(f), 16))
}

// entries returns the entries of a map ordered by their text.
func (w *printer) entries(v reflect.Value) []entry {
	var all []entry
	for it := v.MapRange(); it.Next(); {
		e := entry{key: loose(it.Key()), value: loose(it.Value())}
		sub := printer{pool: w.pool, asKey: w.asKey, path: w.path, nodes: w.nodes}
		sub.print(e.key)
		sub.b.WriteByte(':')
		sub.print(e.value)
		w.nodes = sub.nodes
		e.text = sub.b.String()
		all = append(all, e)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].text < all[j].text })
	return all
}

// sorted returns the entries of a map ordered by their text.
func sorted(pool *Pool, m reflect.Value) []entry {
	w := printer{pool: pool}
	return w.entries(m)
}

package interpreter

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/starfederation/datastar-go/datastar"

	"github.com/cachegen/cachegen/cache"
	"github.com/cachegen/cachegen/cache/cachetest"
	"github.com/cachegen/cachegen/cache/web"
)

var (
	cached bool         // calls go through the wrappers
	prog   [][]stmt     // the program: its functions, which call only those after them
	base   int          // what the functions of this program are called by, from here on
	root   int          // the wrapper of its first function
	runs   atomic.Int64 // bodies that ran
	visit  atomic.Value // what only the request that is being answered should see
)

type userKey struct{}

func userOf(ctx context.Context) string { s, _ := ctx.Value(userKey{}).(string); return s }

// stmt is one statement.
type stmt struct {
	op   int
	n    int    // which wrapper, which trick
	what string // text, name of a widget
	val  string // default, value to compare with
	fn   int
	kids bool
	sub  []stmt
}

const (
	opText = iota
	opBox
	opAsk     // draw a control, draw sub if it says val
	opCall    // a function, with sub as its children
	opHole    // the children
	opData    // what a function that draws nowhere returns
	opUser    // the user in the context
	opSession // the session that the context belongs to
	opTrick   // what only this canvas can do
	opFail    // an error, if the widget says val
	opPanic
	opReturn
	ops
)

func (s stmt) String() string {
	name := []string{"text", "box", "ask", "call", "hole", "data", "user", "session", "trick", "fail", "panic", "return"}[s.op]
	return fmt.Sprintf("%s(%d %s %s f%d %v %v)", name, s.n, s.what, s.val, s.fn, s.kids, s.sub)
}

// body runs function fn of the program. ctx is nil for a function that has none: calls of
// functions that draw nowhere do not count for it then, and it makes none.
func body(ctx context.Context, c canvas, fn int, kids func(canvas) error) (string, error) {
	runs.Add(1)
	out, err := run(ctx, c, prog[fn-base], kids)
	if err = returned(err); err != nil {
		return "", err
	}
	return fmt.Sprint("f", fn-base, ":", out), nil
}

var errReturn = errors.New("return")

// childError is an error of children. A replay ends with it, so no body may make another of
// it and go on.
type childError struct{ error }

// returned is err, unless that is of a return statement.
func returned(err error) error {
	if err == errReturn {
		return nil
	}
	return err
}

func run(ctx context.Context, c canvas, list []stmt, kids func(canvas) error) (out string, err error) {
	inside := func(sub []stmt) func(canvas) error {
		return func(c canvas) error {
			o, err := run(ctx, c, sub, kids)
			out += o
			return err
		}
	}
	calls := ctx
	if ctx == nil {
		calls = context.Background()
	}
	for _, s := range list {
		err = nil
		if ctx == nil && (s.op == opData || s.op == opUser || s.op == opSession) {
			continue
		}
		switch s.op {
		case opText:
			err = c.text(s.what)
		case opBox:
			err = c.box(s.what, inside(s.sub))
		case opAsk:
			v := c.ask(ctx, s.what, s.val)
			out += v
			if v == s.val {
				err = inside(s.sub)(c)
			}
		case opCall:
			var k func(canvas) error
			if s.kids {
				k = func(c canvas) error {
					if err := returned(inside(s.sub)(c)); err != nil {
						return childError{err}
					}
					return nil
				}
			}
			var v string
			if v, err = c.call(calls, s.n, base+s.fn, k); err != nil && s.n%2 == 0 && !errors.As(err, new(childError)) {
				err = c.text("error: " + err.Error())
			} else if err == nil {
				out += v
			}
		case opHole:
			if kids == nil {
				err = c.text("no children")
			} else {
				err = kids(c)
			}
		case opData:
			v := dataFuncs[s.n%len(dataFuncs)][which()](ctx)
			out += v
			err = c.text(v)
		case opUser:
			err = c.text("user " + userOf(ctx))
		case opSession:
			id, ok := cache.SessionOf(ctx)
			err = c.text(fmt.Sprint("session ", id, ok))
		case opTrick:
			err = c.trick(s.n, s.what, inside(s.sub))
		case opFail:
			if c.ask(ctx, s.what, "0") == s.val {
				err = errors.New("failed early")
			}
		case opPanic:
			if c.ask(ctx, s.what, "0") == s.val {
				panic("panic early")
			}
		case opReturn:
			err = errReturn
		}
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// writing writes random programs.
type writing struct{ *rand.Rand }

func (g writing) program() [][]stmt {
	p := make([][]stmt, 1+g.IntN(5))
	for i := range p {
		p[i] = g.list(i+1, len(p), 3)
	}
	return p
}

// list writes statements that call functions from first on.
func (g writing) list(first, funcs, depth int) (l []stmt) {
	for range 1 + g.IntN(4) {
		s := stmt{op: g.IntN(ops), n: g.IntN(1000), what: fmt.Sprint("w", g.IntN(3)), val: fmt.Sprint(g.IntN(3)), kids: g.IntN(2) == 0}
		switch s.op {
		case opText:
			s.what = fmt.Sprint("t", g.IntN(10))
			if g.IntN(20) == 0 {
				s.what = strings.Repeat(s.what+" ", 2000) // more than one part of a stream
			}
		case opFail, opPanic:
			if g.IntN(4) > 0 {
				continue
			}
			s.val = "2"
		case opReturn:
			if g.IntN(4) > 0 {
				continue
			}
		case opUser, opSession:
			if g.IntN(2) > 0 {
				continue
			}
		case opCall:
			if first >= funcs || depth == 0 {
				continue
			}
			s.fn = first + g.IntN(funcs-first)
			if s.kids {
				s.sub = g.list(s.fn+1, funcs, depth-1)
				if g.IntN(4) == 0 {
					s.sub = append(s.sub, stmt{op: opFail, what: "w0", val: "2"})
				}
			}
		case opBox, opAsk, opTrick:
			if depth > 0 {
				s.sub = g.list(first, funcs, depth-1)
			}
		}
		l = append(l, s)
	}
	return l
}

// A look is one user's look at the page.
type look struct {
	surface int
	user    string
	session string
	inputs  string // of the request, encoded
	visit   string
}

// see draws the page of the look, and returns all that there is to see.
func see(l look) (out string) {
	ctx := context.WithValue(context.Background(), userKey{}, l.user)
	if l.session != "" {
		ctx = cache.WithSession(ctx, l.session)
	}
	visit.Store(l.visit)
	q, _ := url.ParseQuery(l.inputs)
	if l.surface == 0 {
		s := &cachetest.Session{}
		for k, v := range q {
			s.Set(k, v[0])
			s.Set("sw0."+k, v[0])
		}
		sc := cachetest.NewScreen(s)
		defer func() { recovered(recover(), &out, sc.String) }()
		v, err := onPage{sc.Page()}.call(ctx, root, base, func(c canvas) error { return c.text("for " + l.user) })
		return fmt.Sprint(sc, v, err)
	}
	w := httptest.NewRecorder()
	screen := func() string {
		h := w.Result().Header
		h.Del("Age") // a replay says how old it is
		h.Del("Date")
		return fmt.Sprint(w.Code, h, w.Body)
	}
	defer func() { recovered(recover(), &out, screen) }()
	w.Header().Set("X-User", l.user)
	w.Header().Set("X-Add", "of "+l.user)
	w.Header().Set("X-Del", "of "+l.user) // deleting what is not there cannot be seen
	if l.user == "ann" {
		w.Header().Set("X-Set", "w1")
	}
	r := httptest.NewRequest("GET", "/?"+l.inputs, nil).WithContext(ctx)
	kids := func(c canvas) error { return c.text("for " + l.user) }
	web.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var v string
		var err error
		switch l.surface {
		case 1:
			v, err = onWriter{w}.call(r.Context(), root, base, kids)
		case 2:
			v, err = onResponse{w}.call(r.Context(), root, base, kids)
		case 3:
			v, err = onEvents{datastar.NewSSE(w, r)}.call(r.Context(), root, base, kids)
		default:
			handlerFuncs[l.surface%2][which()](w, r)
		}
		fmt.Fprint(w, v, err)
	})).ServeHTTP(w, r)
	return screen()
}

const surfaces = 6

func recovered(p any, out *string, screen func() string) {
	if p != nil {
		*out = fmt.Sprint("panic ", p, " after ", screen())
	}
}

// random returns a look of ann's or of bob's.
func (g writing) look(surface int) look {
	l := look{surface: surface, user: []string{"ann", "bob"}[g.IntN(2)], visit: fmt.Sprint("v", g.Uint32())}
	if g.IntN(4) > 0 {
		l.session = "s" + l.user
	}
	q := url.Values{}
	for _, name := range []string{"w0", "w1", "w2"} {
		if v := g.IntN(5); v < 3 {
			q.Set(name, fmt.Sprint(v))
		} else if v == 3 {
			q.Set(name, "")
		}
	}
	l.inputs = q.Encode()
	return l
}

// Check runs programs random programs, the first of which is that of seed, each on all
// surfaces: what is seen must be the same with the wrappers and without.
func Check(seed uint64, programs int) {
	var plain, through int64
	for i := range programs {
		g := writing{rand.New(rand.NewPCG(seed+uint64(i), 1))}
		prog = g.program()
		for surface := range surfaces {
			base, root = base+5, g.IntN(1000) // a program has at most five functions
			HandlerCache.Clear()
			SessionHandlerCache.Clear()
			a, b := g.alone(surface)
			plain, through = plain+a, through+b
			g.together(surface)
		}
	}
	if through*3 > plain*2 {
		fail("%d bodies ran, and without the wrappers %d", through, plain)
	}
	fmt.Printf("%d programs: %d bodies ran, and %d without the wrappers\n", programs, through, plain)
}

func fail(format string, args ...any) {
	fmt.Printf(format+"\n", args...)
	for i, f := range prog {
		fmt.Printf("f%d: %v\n", i, f)
	}
	os.Exit(1)
}

func draw(l look, through bool) string {
	cached = through
	return see(l)
}

// alone looks at the page one time after the other, while the world changes.
func (g writing) alone(surface int) (plain, through int64) {
	var known []look
	for range 12 {
		l := g.look(surface)
		if len(known) > 0 && g.IntN(2) == 0 {
			l = known[g.IntN(len(known))]
			l.visit = fmt.Sprint("v", g.Uint32())
		}
		known = append(known, l)
		switch g.IntN(8) {
		case 0:
			world[0].Add(1)
			cache.Invalidate(context.Background(), "w0")
		case 1:
			world[1].Add(1)
			cache.Invalidate(context.Background(), "all")
		}
		before := runs.Load()
		want := draw(l, false)
		between := runs.Load()
		got := draw(l, true)
		plain, through = plain+between-before, through+runs.Load()-between
		if got != want {
			fail("%+v\nwith the wrappers:\n%s\nwithout:\n%s", l, got, want)
		}
	}
	return plain, through
}

// together lets several users look at the page at once. Who waits for a computation that
// fails is told so, and does not see what had been drawn by then; and a cookie is of one
// request.
func (g writing) together(surface int) {
	var looks []look
	var wants []string
	for range 12 {
		l := g.look(surface)
		want := draw(l, false)
		if !strings.Contains(want, "early") && !strings.Contains(want, "visit=") {
			looks, wants = append(looks, l), append(wants, want)
		}
	}
	cached = true
	var wg sync.WaitGroup
	for i := range 3 {
		order := rand.New(rand.NewPCG(g.Uint64(), uint64(i))).Perm(len(looks))
		wg.Go(func() {
			for _, j := range order {
				if got := see(looks[j]); got != wants[j] {
					fail("at once, %+v\nwith the wrappers:\n%s\nwithout:\n%s", looks[j], got, wants[j])
				}
			}
		})
	}
	wg.Wait()
}

package cachetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/cachegen/cachegen/cache/surface"
	cachert "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/runtime/value"
)

// Adapter is what the suite has to know of a framework whose functions draw to a P.
type Adapter[P comparable] struct {
	// Bind is the adapter's.
	Bind func(context.Context, P, surface.Inputs) (context.Context, P, surface.Surface)
	// Run runs a page for the session and returns what its client sees in the end. The
	// session's values are the widgets' values, or the inputs of the request.
	Run func(s *Session, ctx context.Context, page func(ctx context.Context, p P)) string
	// Text draws a text.
	Text func(p P, text string) error
	// Box draws something around what body draws.
	Box func(p P, title string, body func(P) error) error
	// Ask draws a control, and returns its value, or deflt.
	Ask func(ctx context.Context, p P, name, deflt string) string
	// Defaults says that an untouched widget is the same as one set to its default;
	// else it is absent, which equals no value.
	Defaults bool
	// NoContext says that Ask needs no context.
	NoContext bool
}

// Conform runs the suite: the scripted pages, and as many random ones as programs says, or a
// tenth of that with -short.
func Conform[P comparable](t *testing.T, a Adapter[P], programs int) {
	if testing.Short() {
		programs /= 10
	}
	log.SetOutput(io.Discard) // the reasons why results are not kept
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	for _, s := range scripts {
		t.Run(s.name, func(t *testing.T) {
			if err := s.check(a.runner(s.prog)); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("at once", func(t *testing.T) {
		for seed := range programs / 10 {
			if err := checkAtOnce(a, uint64(seed)); err != nil {
				t.Fatal(err)
			}
		}
	})
	t.Run("random", func(t *testing.T) {
		for seed := range programs {
			if err := checkRandom(a, uint64(seed)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// program is a page and the functions it calls. Function i calls only those after it.
type program struct {
	funcs [][]stmt
	page  []stmt
}

// stmt is one statement; what its fields mean is up to op.
type stmt struct {
	op    op
	text  string // text, box title, name of a widget, argument
	deflt string
	fn    int
	bare  bool // a call without the context
	sub   []stmt
}

type op int

const (
	opText   op = iota
	opBox       // sub, in a box
	opAsk       // read the widget text
	opIf        // sub, if the widget text was read and is deflt
	opCall      // function fn with argument text, and sub as its children
	opHole      // the children
	opFail      // fail if the widget text was read and is deflt
	opUser      // draw the user in the context
	opReturn    // end the body early
)

func (s stmt) String() string {
	names := []string{"text", "box", "ask", "if", "call", "hole", "fail", "user", "return"}
	b := names[s.op]
	if s.op == opCall {
		b += fmt.Sprint(" f", s.fn)
		if s.bare {
			b += " bare"
		}
	}
	if s.text != "" {
		b += " " + s.text
	}
	if s.deflt != "" {
		b += "=" + s.deflt
	}
	if len(s.sub) > 0 {
		b += fmt.Sprint(" ", s.sub)
	}
	return b
}

// userKey is of no package, so that it does not pass for infrastructure.
var userKey any = struct{ user string }{}

var errScripted = errors.New("scripted failure")

var errReturn = errors.New("return")

// body is one activation of a list of statements.
type body[P comparable] struct {
	a    *Adapter[P]
	ctx  context.Context
	env  map[string]string
	kids func(P) error
	call func(b *body[P], p P, s stmt) (string, error)
	me   *activation // in the model
}

// run runs the statements on p. What it returns beside an error is "".
func (b *body[P]) run(p P, list []stmt) (out string, err error) {
	for _, s := range list {
		o := ""
		switch s.op {
		case opText:
			err = b.a.Text(p, s.text)
		case opBox:
			err = b.a.Box(p, s.text, func(p P) (err error) {
				o, err = b.run(p, s.sub)
				return err
			})
		case opAsk:
			b.me.read(s.text, s.deflt)
			o = b.a.Ask(b.ctx, p, s.text, s.deflt)
			b.env[s.text] = o
		case opIf:
			if b.env[s.text] == s.deflt {
				o, err = b.run(p, s.sub)
			}
		case opCall:
			if o, err = b.call(b, p, s); err == nil {
				err = b.a.Text(p, "→"+o)
			}
		case opHole:
			if b.kids != nil {
				err = b.kids(p)
			}
		case opFail:
			if b.env[s.text] == s.deflt {
				err = errScripted
			}
		case opUser:
			b.me.sawUser(b.ctx)
			o, _ = b.ctx.Value(userKey).(string)
			err = b.a.Text(p, "user "+o)
		case opReturn:
			err = errReturn
		}
		if err != nil {
			return "", err
		}
		out += o
	}
	return out, nil
}

// runBody runs the statements of a function.
func (b *body[P]) runBody(p P, arg string, list []stmt) (string, error) {
	out, err := b.run(p, list)
	if err == errReturn {
		return arg + ":early", nil
	}
	return arg + ":" + out, err
}

// runner runs one program with and without caching, and predicts what caching does.
type runner[P comparable] struct {
	a     Adapter[P]
	prog  program
	s     *Session // of the present step
	sites []*cachert.Drawn[confKey, string]
	mu    sync.Mutex
	runs  []int // bodies that ran; under mu

	model     map[confKey][]outcome
	predicted []int
}

type confKey struct {
	fn  int
	arg string
}

func (k *confKey) hash() uint64 {
	return value.HashString(value.HashUint64(value.HashStart(), uint64(k.fn)), k.arg)
}

// trace is what a body read, in order.
type trace []observation

type observation struct{ name, deflt, value string }

// outcome is what is kept in the model.
type outcome struct {
	reads  trace
	noUser bool // it is for contexts without a user
}

// activation is one call in the model.
type activation struct {
	real    bool // with caching the body would run
	outer   *activation
	reads   trace
	observe func(name, deflt string) string
	spoiled bool // its result would not be kept
	bare    bool // its context is not that of the activation around it
	noUser  bool // it asked for a user that its context does not have
}

func (m *activation) read(name, deflt string) {
	for ; m != nil; m = m.outer {
		if m.observe != nil {
			m.reads = append(m.reads, observation{name, deflt, m.observe(name, deflt)})
		}
	}
}

func (m *activation) spoil() {
	for ; m != nil; m = m.outer {
		m.spoiled = true
	}
}

// sawUser notes that the user in ctx was asked for.
func (m *activation) sawUser(ctx context.Context) {
	if ctx.Value(userKey) != nil {
		m.spoil()
		return
	}
	for ; m != nil; m = m.outer {
		if m.noUser = true; m.bare {
			return
		}
	}
}

func (a Adapter[P]) runner(prog program) *runner[P] {
	r := &runner[P]{a: a, prog: prog, model: map[confKey][]outcome{}}
	for i := range prog.funcs {
		r.sites = append(r.sites, cachert.NewDrawn[confKey, string](nil, cachert.DrawOptions{
			Options: cachert.Options{Func: fmt.Sprint("conform.f", i), Site: "conform.go", Max: 10000, TrackContext: true},
			Widgets: true, Variants: 1000,
		}))
	}
	r.runs, r.predicted = make([]int, len(prog.funcs)), make([]int, len(prog.funcs))
	return r
}

// page runs the page once.
func (r *runner[P]) page(s *Session, user string, call func(*body[P], P, stmt) (string, error), me *activation) string {
	var ended string
	ctx := context.WithValue(context.Background(), userKey, user)
	screen := r.a.Run(s, ctx, func(ctx context.Context, p P) {
		b := &body[P]{a: &r.a, ctx: ctx, env: map[string]string{}, call: call, me: me}
		out, err := b.run(p, r.prog.page)
		ended = fmt.Sprintf("\nvalue %q, error %v", out, err)
	})
	return screen + ended
}

// step runs the page once in each way and compares. The error says what differs.
func (r *runner[P]) step(s *Session, user string) error {
	r.s = s
	want := r.page(s, user, r.plain, &activation{real: true})
	got := r.page(s, user, r.cached, nil)
	if got != want {
		return fmt.Errorf("cached:\n%s\nuncached:\n%s\nsession %v, user %s\n%s", got, want, s.Values(), user, r.dump())
	}
	if fmt.Sprint(r.runs) != fmt.Sprint(r.predicted) {
		return fmt.Errorf("bodies ran %v times, predicted %v\nsession %v, user %s\n%s", r.runs, r.predicted, s.Values(), user, r.dump())
	}
	return nil
}

func (r *runner[P]) dump() string {
	var b strings.Builder
	for i, f := range r.prog.funcs {
		fmt.Fprintf(&b, "f%d: %v\n", i, f)
	}
	fmt.Fprintf(&b, "page: %v", r.prog.page)
	return b.String()
}

// cached makes a call as a generated wrapper does.
func (r *runner[P]) cached(b *body[P], p P, s stmt) (string, error) {
	ctx := b.ctx
	if s.bare && r.a.NoContext {
		ctx = context.Background()
	}
	k := confKey{s.fn, s.text}
	bctx, bp, bound := r.a.Bind(ctx, p, nil)
	var holes surface.Holes
	kids := surface.BindHoleErr(&holes, bound, p, bp, func(p P) error {
		_, err := b.run(p, s.sub)
		return err
	})
	return r.sites[s.fn].Do(k.hash(), k, &cachert.DrawCall{
		Ctx: bctx, Surface: bound, Holes: &holes,
		Run: func(ctx context.Context, v any) (err error) {
			r.mu.Lock()
			r.runs[s.fn]++
			r.mu.Unlock()
			inner := &body[P]{a: &r.a, ctx: ctx, env: map[string]string{}, kids: kids, call: r.cached}
			*v.(*string), err = inner.runBody(bp, s.text, r.prog.funcs[s.fn])
			return err
		},
	})
}

// plain makes a call without caching, and lets the model predict what caching would do.
func (r *runner[P]) plain(b *body[P], p P, s stmt) (string, error) {
	ctx := b.ctx
	if s.bare && r.a.NoContext {
		ctx = context.Background()
	}
	k := confKey{s.fn, s.text}
	me := &activation{
		outer: b.me, observe: r.observe, bare: s.bare && r.a.NoContext,
		real: b.me.real && !r.hit(k, ctx.Value(userKey) == nil),
	}
	if me.real {
		r.predicted[s.fn]++
	}
	inner := &body[P]{a: &r.a, ctx: ctx, env: map[string]string{}, call: r.plain, me: me}
	inner.kids = func(q P) error {
		if q != p {
			me.spoil() // a hole is on the surface of its function
		}
		_, err := b.run(q, s.sub)
		if err != nil {
			me.spoil()
		}
		return err
	}
	out, err := inner.runBody(p, s.text, r.prog.funcs[s.fn])
	if err != nil {
		me.spoil()
	}
	if me.real && !me.spoiled {
		r.model[k] = append(r.model[k], outcome{me.reads, me.noUser})
	}
	return out, err
}

// observe is what a read of the widget says now.
func (r *runner[P]) observe(name, deflt string) string {
	v, ok := r.s.Value(name)
	switch {
	case ok:
		return "=" + v
	case r.a.Defaults:
		return "=" + deflt
	}
	return "absent"
}

// hit reports whether an outcome of k is kept that was read as the widgets are now, and is
// of use to a context that has no user, or to all.
func (r *runner[P]) hit(k confKey, noUser bool) bool {
	for _, t := range r.model[k] {
		same := noUser || !t.noUser
		for _, o := range t.reads {
			same = same && r.observe(o.name, o.deflt) == o.value
		}
		if same {
			return true
		}
	}
	return false
}

// checkRandom makes a program and a history of two sessions from the seed, and checks it.
func checkRandom[P comparable](a Adapter[P], seed uint64) error {
	g := generator{rand.New(rand.NewPCG(seed, 1))}
	r := a.runner(g.program())
	sessions := []*Session{{}, {}}
	for step := range 8 {
		i := g.IntN(2)
		if g.IntN(2) == 0 {
			sessions[i].Set(widgets[g.IntN(len(widgets))], fmt.Sprint(g.IntN(3)))
		}
		if err := r.step(sessions[i], fmt.Sprint("u", i)); err != nil {
			return fmt.Errorf("seed %d, step %d: %w", seed, step, err)
		}
	}
	return nil
}

// checkAtOnce lets several users look at a random program at the same time, each of whom
// must see what he would see without caching.
func checkAtOnce[P comparable](a Adapter[P], seed uint64) error {
	g := generator{rand.New(rand.NewPCG(seed, 2))}
	shared := a.runner(g.program())
	errs := make(chan error, 6)
	for i := range cap(errs) {
		go func() {
			g := generator{rand.New(rand.NewPCG(seed, uint64(i)))}
			own := a.runner(shared.prog)
			own.s = &Session{}
			user := fmt.Sprint("u", i%2)
			for range 4 {
				own.s.Set(widgets[g.IntN(len(widgets))], fmt.Sprint(g.IntN(3)))
				want := own.page(own.s, user, own.plain, &activation{real: true})
				if got := own.page(own.s, user, shared.cached, nil); got != want {
					errs <- fmt.Errorf("seed %d, at once, cached:\n%s\nuncached:\n%s\nsession %v, user %s\n%s", seed, got, want, own.s.Values(), user, shared.dump())
					return
				}
			}
			errs <- nil
		}()
	}
	var err error
	for range cap(errs) {
		err = cmp.Or(err, <-errs)
	}
	return err
}

var widgets = []string{"w0", "w1", "w2", "w3"}

type generator struct{ *rand.Rand }

func (g generator) program() program {
	p := program{funcs: make([][]stmt, 1+g.IntN(4))}
	for i := range p.funcs {
		p.funcs[i] = g.list(i+1, len(p.funcs), 3, true)
	}
	p.page = g.list(0, len(p.funcs), 3, false)
	p.page = append(p.page, stmt{op: opCall, fn: 0, text: "a"})
	return p
}

// list makes statements that call functions from first on. early says that the body may
// end early there.
func (g generator) list(first, funcs, depth int, early bool) (l []stmt) {
	for range 1 + g.IntN(4) {
		w := g.IntN(len(widgets))
		s := stmt{op: op(g.IntN(int(opReturn) + 1)), text: widgets[w], deflt: fmt.Sprint(w % 2)}
		switch s.op {
		case opText:
			s.text, s.deflt = fmt.Sprint("t", g.IntN(100)), ""
		case opBox:
			if depth == 0 {
				continue
			}
			s.text, s.deflt = fmt.Sprint("b", g.IntN(100)), ""
			s.sub = g.list(first, funcs, depth-1, early)
		case opIf:
			if depth == 0 {
				continue
			}
			s.deflt = fmt.Sprint(g.IntN(3))
			s.sub = g.list(first, funcs, depth-1, early)
		case opCall:
			if first >= funcs || depth == 0 {
				continue
			}
			s.fn, s.text, s.deflt = first+g.IntN(funcs-first), string(rune('a'+g.IntN(2))), ""
			s.bare = g.IntN(4) == 0
			if g.IntN(2) == 0 {
				s.sub = g.list(s.fn+1, funcs, depth-1, false)
			}
		case opFail:
			if g.IntN(4) > 0 {
				continue
			}
			s.deflt = "2"
		case opUser:
			if g.IntN(4) > 0 {
				continue
			}
		case opReturn:
			if !early || g.IntN(3) > 0 {
				continue
			}
		}
		l = append(l, s)
	}
	return l
}

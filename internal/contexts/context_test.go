package contexts

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/a-h/templ"

	"github.com/cachegen/cachegen/cache/html"
	adapter "github.com/cachegen/cachegen/cache/templ"
	"github.com/cachegen/cachegen/cache/web"
	cachert "github.com/cachegen/cachegen/runtime"
)

var (
	contextPrograms = flag.Int("context-programs", 0, "how many programs the check of context values makes; 0: as many as usual")
	contextSeed     = flag.Uint64("context-seed", 0, "seed of the first program; 0: random")
)

// ctxKey is a key of the programs' contexts.
type ctxKey int

const (
	ctxKeys = 5
	// ctxAsked is a key that functions ask for whose value they do not show.
	ctxAsked ctxKey = ctxKeys
)

// A ctxProgram is a handful of functions that ask their contexts for values and call one
// another, each cached in one of the ways there are. What a call of one shows must be what
// the function shows without a cache.
type ctxProgram struct {
	funcs []*ctxFunc
	cold  bool // calls go past the caches
}

type ctxKind int

const (
	ctxData ctxKind = iota
	ctxDrawing
	ctxHandler
	ctxComponent
	ctxKinds
)

// ctxFunc is one function of a program.
type ctxFunc struct {
	id       int
	kind     ctxKind
	keyed    []ctxKey // what its hash=ctx: function asks for; nil: it has none
	fallback bool     // of these, up to the first that is there
	bare     bool     // and says its value alone: the cache key is the same for others
	ignored  ctxKey   // of ctx=ignore:; negative: none
	body     []ctxStep
	pause    time.Duration

	data  *cachert.Site[ctxCall, string]
	drawn *cachert.Drawn[ctxCall, struct{}]
}

// ctxCall is the key of a call.
type ctxCall struct {
	arg  int
	part string
}

func (k *ctxCall) hash() uint64 {
	return cachert.HashString(cachert.HashUint64(cachert.HashStart(), uint64(k.arg)), k.part)
}

type ctxOp int

const (
	opShow     ctxOp = iota // show the value of key
	opShowIf                // show the value of key, and of other if there is one
	opAsk                   // ask for the value of ctxAsked
	opNonce                 // show the page's nonce
	opChildren              // draw the children in the context
	opCall                  // call fn
	opCallWith              // call fn with a value under key
	opCallBare              // call fn with another context
	ctxOps
)

type ctxStep struct {
	op         ctxOp
	key, other ctxKey
	fn         int
}

func (s ctxStep) String() string {
	return fmt.Sprint([]string{"show", "showIf", "ask", "nonce", "children", "call", "callWith", "callBare"}[s.op], " ", int(s.key), " ", int(s.other), " f", s.fn)
}

func newCtxProgram(seed uint64) *ctxProgram {
	r := rand.New(rand.NewPCG(seed, 3))
	p := &ctxProgram{funcs: make([]*ctxFunc, 2+r.IntN(3))}
	for i := range p.funcs {
		f := &ctxFunc{id: i, kind: ctxKind(r.IntN(int(ctxKinds))), ignored: -1, pause: time.Duration(r.IntN(3)) * time.Second}
		if r.IntN(2) == 0 {
			for range 1 + r.IntN(2) {
				f.keyed = append(f.keyed, ctxKey(r.IntN(ctxKeys)))
			}
			f.fallback = r.IntN(2) == 0
		}
		if r.IntN(4) == 0 {
			f.ignored = ctxAsked
		}
		for range 1 + r.IntN(4) {
			s := ctxStep{op: ctxOp(r.IntN(int(ctxOps))), key: ctxKey(r.IntN(ctxKeys)), other: ctxKey(r.IntN(ctxKeys))}
			switch {
			case s.op >= opCall && i == len(p.funcs)-1:
				s.op = opShow
			case s.op >= opCall:
				s.fn = i + 1 + r.IntN(len(p.funcs)-1-i)
			}
			f.body = append(f.body, s)
		}
		if i == len(p.funcs)-1 && r.IntN(4) == 0 {
			// It declares that it does not matter which key the value is under. So it may
			// show that of the second key, which it does not always ask for.
			k := ctxKey(r.IntN(ctxKeys))
			f.keyed, f.fallback, f.bare = []ctxKey{k, (k + 1) % ctxKeys}, true, true
			for i := range f.body {
				for _, k := range []*ctxKey{&f.body[i].key, &f.body[i].other} {
					if *k == f.keyed[0] {
						*k = f.keyed[1]
					}
				}
			}
		}
		o := cachert.Options{Func: fmt.Sprint("context.f", i), Site: "context_test.go", TrackContext: true, Detach: f.kind == ctxData && r.IntN(2) == 0}
		if r.IntN(4) == 0 {
			o.TTL, o.Stale = 3*time.Second, 5*time.Second
		}
		if f.kind == ctxData {
			f.data = cachert.New[ctxCall, string](f, o)
		} else {
			o.Stale = 0
			f.drawn = cachert.NewDrawn[ctxCall, struct{}](f, cachert.DrawOptions{Options: o})
		}
		p.funcs[i] = f
	}
	return p
}

// part is the function of hash=ctx:.
func (f *ctxFunc) part(ctx context.Context) string {
	s := ""
	for _, k := range f.keyed {
		v := ctx.Value(k)
		if f.bare {
			s = ""
		}
		s += fmt.Sprintf("%T %s,", v, show(v))
		if f.fallback && v != nil {
			break
		}
	}
	return s
}

func (f *ctxFunc) Keyed(ctx context.Context) { f.part(ctx) }

func (f *ctxFunc) Ignores(key any) bool { return key == f.ignored }

// run is the function itself. It shows on w.
func (p *ctxProgram) run(ctx context.Context, w io.Writer, f *ctxFunc, arg int) {
	fmt.Fprint(w, "<", f.id, " ", arg)
	var children templ.Component
	if f.kind == ctxComponent { // takes its children at once, as templ's code does
		children = templ.GetChildren(ctx)
		ctx = templ.ClearChildren(templ.InitializeContext(ctx))
	}
	for i, s := range f.body {
		if i == 1 && !p.cold {
			time.Sleep(f.pause)
		}
		switch s.op {
		case opShow:
			fmt.Fprint(w, " ", s.key, "=", show(ctx.Value(s.key)))
		case opShowIf:
			v := ctx.Value(s.key)
			fmt.Fprint(w, " ", s.key, "=", show(v))
			if v != nil {
				fmt.Fprint(w, " ", s.other, "=", show(ctx.Value(s.other)))
			}
		case opAsk:
			ctx.Value(ctxAsked)
		case opNonce:
			fmt.Fprint(w, " nonce=", templ.GetNonce(ctx))
		case opChildren:
			children := children
			if f.kind != ctxComponent {
				children = templ.GetChildren(ctx)
			}
			_ = children.Render(ctx, w)
		case opCall:
			p.call(ctx, w, p.funcs[s.fn], arg)
		case opCallWith:
			p.call(context.WithValue(ctx, s.key, "set"), w, p.funcs[s.fn], arg)
		case opCallBare:
			p.call(context.Background(), w, p.funcs[s.fn], arg)
		}
	}
	fmt.Fprint(w, ">")
}

func show(v any) string {
	if s, ok := v.(*string); ok && s != nil {
		return *s
	}
	return fmt.Sprint(v)
}

// call calls f as the wrapper of its kind does, or itself.
func (p *ctxProgram) call(ctx context.Context, w io.Writer, f *ctxFunc, arg int) {
	k := func() ctxCall { return ctxCall{arg, f.part(ctx)} }
	draw := func(k ctxCall, bctx context.Context, s cachert.Surface, holes *cachert.Holes, body func(context.Context)) {
		if _, err := f.drawn.Do(k.hash(), k, &cachert.DrawCall{Ctx: bctx, Surface: s, Holes: holes, Run: func(ctx context.Context, _ any) error {
			body(ctx)
			return nil
		}}); err != nil {
			panic(err)
		}
	}
	switch f.kind {
	case ctxData:
		if p.cold {
			p.run(ctx, w, f, arg)
			return
		}
		k := k()
		h := k.hash()
		v := f.data.GetCtx(ctx, h, &k)
		if v == nil {
			got, err := f.data.Do(h, k, &cachert.Call{Ctx: ctx, Run: func(ctx context.Context, v any) error {
				var b strings.Builder
				p.run(ctx, &b, f, arg)
				*v.(*string) = b.String()
				return nil
			}})
			if err != nil {
				panic(err)
			}
			v = &got
		}
		io.WriteString(w, *v)
	case ctxDrawing:
		if p.cold {
			p.run(ctx, w, f, arg)
			return
		}
		k := k()
		bctx, bw, s := html.Bind(ctx, w, nil)
		draw(k, bctx, s, nil, func(ctx context.Context) { p.run(ctx, bw, f, arg) })
	case ctxHandler:
		rec := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(ctx, "GET", "/", nil)
		if p.cold {
			p.run(ctx, rec, f, arg)
		} else {
			k := k()
			bctx, bw, s := html.BindResponse(r.Context(), http.ResponseWriter(rec), web.Static(r, nil))
			draw(k, bctx, s, nil, func(ctx context.Context) { p.run(r.WithContext(ctx).Context(), bw, f, arg) })
		}
		io.Copy(w, rec.Body)
	case ctxComponent:
		c := templ.ComponentFunc(func(ctx context.Context, w io.Writer) error { p.run(ctx, w, f, arg); return nil })
		if p.cold || !adapter.Cacheable(ctx) {
			_ = c.Render(ctx, w)
			return
		}
		k := k()
		bctx, bw, s := adapter.Bind(ctx, w, nil)
		var holes cachert.Holes
		with := adapter.Children(&holes, s, ctx, w, bw)
		draw(k, bctx, s, &holes, func(ctx context.Context) { _ = c.Render(with(ctx), bw) })
	}
}

// ctxOfCaller returns the context of a caller as often as it is asked, since components
// change it, and what it has.
func ctxOfCaller(r *rand.Rand) (fresh func() context.Context, says string) {
	ctx := context.Background()
	for k := range ctxAsked + 1 {
		var v any
		switch r.IntN(8) {
		case 0, 1:
			v = "a"
		case 2:
			v = "b"
		case 3:
			v = (*string)(nil)
		case 4:
			s := fmt.Sprint("p", r.IntN(3))
			v = &s
		default:
			continue
		}
		ctx = context.WithValue(ctx, k, v)
		says += fmt.Sprint(" ", k, "=", show(v))
	}
	page := r.IntN(6)
	kid := fmt.Sprint("kid", r.IntN(2))
	switch page {
	case 0:
		says += " nonce"
	case 1:
		says += " " + kid
	}
	return func() context.Context {
		switch page {
		case 0:
			return templ.WithNonce(ctx, "n1")
		case 1:
			return templ.WithChildren(ctx, templ.Raw(kid))
		case 2:
			return templ.InitializeContext(ctx)
		}
		return ctx
	}, says
}

// checkContexts makes the program of the seed, and calls of it by several callers at a time.
func checkContexts(seed uint64) (broken string) {
	p := newCtxProgram(seed)
	cold := &ctxProgram{p.funcs, true}
	var wg sync.WaitGroup
	var mu sync.Mutex
	for c := range 3 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(100+c)))
			for range 12 {
				ctx, says := ctxOfCaller(r)
				f, arg := p.funcs[min(r.IntN(len(p.funcs)), r.IntN(len(p.funcs)))], r.IntN(2)
				time.Sleep(time.Duration(r.IntN(3)) * time.Second)
				var want, got strings.Builder
				cold.call(ctx(), &want, f, arg)
				p.call(ctx(), &got, f, arg)
				if got.String() != want.String() {
					mu.Lock()
					broken += fmt.Sprintf("\n\tf%d with%s: %s, without a cache %s", f.id, says, &got, &want)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	time.Sleep(time.Minute) // what is refreshed ends
	if broken != "" {
		for _, f := range p.funcs {
			broken += fmt.Sprintf("\n\tf%d kind %d, keyed %v %v %v, ignored %d: %v", f.id, f.kind, f.keyed, f.fallback, f.bare, f.ignored, f.body)
		}
	}
	return broken
}

// No caller is shown what another's context made of a result, in functions of all kinds that
// call one another.
func TestContextValuesAsWithoutACache(t *testing.T) {
	n := int64(*contextPrograms)
	if n == 0 {
		n = 500
		if testing.Short() {
			n = 50
		}
	}
	seed := *contextSeed
	if seed == 0 {
		seed = rand.Uint64N(1 << 40)
	}
	log.SetOutput(io.Discard) // the reasons why results are not kept
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	var made atomic.Int64
	t.Logf("%d programs from -context-seed=%d", n, seed)
	for i := made.Load(); i < n && !t.Failed(); i = made.Add(1) {
		synctest.Test(t, func(t *testing.T) {
			if broken := checkContexts(seed + uint64(i)); broken != "" {
				t.Errorf("program %d (-context-seed=%d) breaks the model:%s", i, seed+uint64(i), broken)
			}
		})
	}
}

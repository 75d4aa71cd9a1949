package cachert

import (
	"cmp"
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/cachegen/cachegen/cache/surface"
)

// # Drawing functions
//
// A function draws when one of its parameters is a place to draw to. Its wrapper has this
// shape; Bind comes from the adapter of the parameter's type:
//
//	var panelSite = cachert.NewDrawn[panelKey, int](nil, cachert.DrawOptions{
//		Options: cachert.Options{Func: "example.com/shop.panel", Site: "panel.go", TTL: 10 * time.Minute, Max: 10000, TrackContext: true},
//		Widgets: true, Variants: 100, Spinner: "Loading…",
//	})
//
//	func Panel(ctx context.Context, w io.Writer, region string, children func(io.Writer) error) (int, error) {
//		k := panelKey{region, 0}
//		bctx, b, s := html.Bind(ctx, w, nil)
//		var holes cachert.Holes
//		child := cachert.BindHoleErr(&holes, s, w, b, children)
//		if children == nil {
//			k.absent |= 1
//		}
//		return panelSite.Do(k.hash(), k, &cachert.DrawCall{
//			Ctx: bctx, Surface: s, Holes: &holes,
//			Run: func(ctx context.Context, v any) (err error) {
//				*v.(*int), err = panel(ctx, b, region, child)
//				return err
//			},
//		})
//	}
//
// Without a context Ctx is nil. Without an error result NoError is set, Run's error is nil,
// and the wrapper panics with the error of Do, which can only be a *CycleError: where the
// context ends while the call waits, Do runs the body, or draws nothing for a function
// without results whose caller has left. A handler
// reads its request through the inputs that its surface is bound with:
//
//	func Page(w http.ResponseWriter, r *http.Request) {
//		if !web.Cacheable(r) {
//			page(w, r)
//			return
//		}
//		ctx, b, s := html.BindResponse(r.Context(), w, web.Static(r, pageReads))
//		cachert.Must(pageSite.Do(0, cachert.None{}, &cachert.DrawCall{
//			Ctx: ctx, Surface: s, NoError: true,
//			Run: func(ctx context.Context, _ any) error {
//				page(b, r.WithContext(ctx))
//				return nil
//			},
//		}))
//	}

// DrawOptions describe one cached function that draws.
type DrawOptions struct {
	Options
	Widgets  bool   // the body may read widgets; else a result for which it did is not kept
	Variants int    // outcomes kept for each key; 0: as many as the bounds of the function allow
	Spinner  string // shown while it is computed; "": nothing
}

// DrawCall is one call of a drawing function, whose results are of type V.
type DrawCall struct {
	// Ctx is the context that Bind returned, nil for a function that takes none.
	Ctx     context.Context
	Surface surface.Surface
	Holes   *surface.Holes // nil: the function has none
	Tags    []string
	Owner   *Owner // as in Call
	// Run runs the body on what Bind returned, and sets v, a *V that is zero, to its results.
	Run func(ctx context.Context, v any) error
	// Validate is that of Call.
	Validate func(ctx context.Context, v any) (bool, error)
	// Uncached is that of Call.
	Uncached error
	// Arguments are those of Call.
	Arguments []Argument
	// NoError says that the function has no error result: that the place it draws to
	// failed is then for nobody to know.
	NoError bool
}

// Drawn is the cache of one drawing function. All its methods may be called from any
// goroutine.
//
// As a Site is a store, it is a drawn and nothing else.
type Drawn[K comparable, V any] struct{ drawn drawn }

// drawn is the engine behind one Drawn. It sits on a store whose entries are the nodes of
// tries, one trie for each key: see Path. So bounds, ttl, tags and Clear are the store's.
//
// Values are pointers in an any, *V, as in front.
type drawn struct {
	store *store // of entry[drawnKey[K], drawnVal]
	o     DrawOptions
	ops   ops // of the function's keys and values
	k, v  reflect.Type

	texts []keyText // the strings in the function's own keys
	plain bool      // values are shared by outcomes where they are equal

	hits                                                       counter
	misses, loads, failed, notKept, changed, unsteady, invalid atomic.Uint64
	logged, loggedUnsteady                                     atomic.Bool
	roots                                                      atomic.Pointer[[]Path] // that are known
	orphans                                                    atomic.Int64           // bytes of its leaves that count as such
}

// drawnKey is the key of a node. The path comes first, where it can be found for any K.
type drawnKey[K comparable] struct {
	path Path
	k    K
}

type drawnEntry[K comparable] = entry[drawnKey[K], drawnVal]

// pathOf returns the path of an entry of a drawn.
func pathOf(n *node) *Path { return &(*drawnEntry[struct{}])(unsafe.Pointer(n)).key.path }

// drawnVal is an entry: a question, or a leaf, or, handed to those who waited and never
// kept, neither: compute it for yourself.
type drawnVal struct {
	question *question
	out      *outcomes // of a root question
	leaf     *drawnLeaf
	unkept   *any // the value of such a computation, for its release
}

type drawnLeaf struct {
	v    any
	err  error
	tape *surface.Tape
	size int64
	out  *outcomes
	mark *leafMark // in out
	use  *leafUse  // nil: it is small
}

// NewDrawn makes the cache of one drawing function; ops is as for New.
func NewDrawn[K comparable, V any](ops any, o DrawOptions) *Drawn[K, V] {
	return (*Drawn[K, V])(unsafe.Pointer(newDrawn((*drawnEntry[K])(nil), equalKeys[drawnKey[K]], (*V)(nil), ops, &o)))
}

// DrawnInstance is Instance for a drawing function.
func DrawnInstance[K comparable, V any](s *Sites, ops any, o func() DrawOptions) *Drawn[K, V] {
	t := reflect.TypeOf((*entry[K, V])(nil))
	d, ok := s.m.Load(t)
	if !ok {
		d = s.instance(t, func() any {
			opts := o()
			return newDrawn((*drawnEntry[K])(nil), equalKeys[drawnKey[K]], (*V)(nil), ops, &opts)
		})
	}
	return (*Drawn[K, V])(unsafe.Pointer(d.(*drawn)))
}

// newDrawn is NewDrawn; of is a pointer to the type of entries, v one to that of values.
func newDrawn(of any, equal func(a, b *node) bool, v, user any, opts *DrawOptions) *drawn {
	o := *opts
	if o.Variants < 0 || o.Stale != 0 {
		panic("cachegen: " + o.Func + " (" + o.Site + "): a drawing function with stale, or with negative variants")
	}
	d := &drawn{o: o, ops: opsOf(user), v: reflect.TypeOf(v).Elem()}
	d.ops.bytes = o.Layout.Sizing(d.ops.bytes, d.v)
	text, plain := plainType(d.v)
	d.plain = text && plain && !o.Resource
	f := frontOf(reflect.TypeOf(of).Elem(), equal, d.entryOps())
	f.reach = &reach{result: d.v, shared: d.ops.copy == nil}
	k, _ := f.k.FieldByName("k")
	d.k = k.Type
	d.texts = textsIn(d.k)
	st := makeSite(f, o.Options)
	st.mu.Lock() // others see it already
	defer st.mu.Unlock()
	d.store, st.front.onLeft, st.front.atRoot, st.correct = st, d.left, d.atRoot, d.correct
	return d
}

// Do draws: again what is kept for k and for what the widgets say now, or by running
// the body. The caller owns the value that it gets.
//
// The error is that of the body, also when it is replayed for the function's errors=; or
// that of the place that is drawn to; or ctx's, if it ended while this call waited and the
// function has an error result; or a
// *CycleError.
func (d *Drawn[K, V]) Do(h uint64, k K, c *DrawCall) (V, error) {
	v := new(V)
	err := d.drawn.do(h, newNode(d.drawn.store, h, drawnKey[K]{k: k}), v, c)
	return *v, err
}

// Forget drops every outcome of k.
func (d *Drawn[K, V]) Forget(h uint64, k K) {
	d.drawn.forget(newNode(d.drawn.store, h, drawnKey[K]{k: k}))
}

// Clear drops every outcome of every key.
func (d *Drawn[K, V]) Clear() { d.drawn.store.clear() }

// Stats returns what was counted. Entries are the nodes of the tries, inner ones too.
func (d *Drawn[K, V]) Stats() Stats { return d.drawn.store.snapshot() }

// do is Drawn.Do. The walk moves at, an entry of the key, from path to path; v gets the
// caller's own value.
func (d *drawn) do(h uint64, at *node, v any, c *DrawCall) error {
	outer := outerDrawings(c.Ctx, c.Surface)
	w := drawWalk{
		d: d, c: c, h: h, at: at, v: v, outer: outer,
		ctx: enclosed(c.Ctx, outer),
		in:  inputsAround(c.Ctx, outer),
	}
	if cs, ok := c.Surface.(surface.ContextSurface); ok {
		w.drawsIn = cs.Context()
	}
	w.goTo(rootPath(c.Surface.Scope()))
	if c.Uncached == nil {
		c.Uncached = d.o.Layout.Unkeyable()
	}
	for c.Uncached == nil {
		n := d.store.hit(w.ctx, w.drawsIn, at)
		if n == nil {
			break
		}
		val := d.val(n)
		if val.question != nil {
			w.step(val.question)
			continue
		}
		if !w.borrow(val.leaf) {
			w.ca = callerOf(w.ctx)
			return w.crowded()
		}
		if err, ok := w.replay(val.leaf, nil); ok {
			d.hits.hit()
			return err
		}
		break
	}
	return w.miss()
}

// val returns what the entry n holds.
func (d *drawn) val(n *node) *drawnVal {
	return (*drawnVal)(unsafe.Add(unsafe.Pointer(n), d.store.front.valAt))
}

// node returns a new entry for the path of the key of n, whose hash is h.
func (d *drawn) node(h uint64, n *node, path Path) *node {
	m := d.store.front.again(n)
	*pathOf(m), m.hash = path, path.hash(h)
	return m
}

// correct replaces what the store counted for nodes by what was counted for calls.
func (d *drawn) correct(s *Stats) {
	s.Hits, s.Misses, s.Loads, s.Errors = d.hits.total(), d.misses.Load(), d.loads.Load(), d.failed.Load()
	s.NotKept, s.Changed, s.Unsteady, s.Invalid = d.notKept.Load(), d.changed.Load(), d.unsteady.Load(), d.invalid.Load()
}

// drawnGroup labels the entries of one key.
type drawnGroup struct {
	d *drawn
	k any // a K
}

func (d *drawn) group(n *node) drawnGroup {
	return drawnGroup{d, reflect.ValueOf(d.keyIn(pathOf(n))).Elem().Interface()}
}

// keyIn returns the function's own key, a *K, in the key that path begins.
func (d *drawn) keyIn(path *Path) any {
	return reflect.NewAt(d.k, d.keyAt(path)).Interface()
}

// keyAt is where that key is.
func (d *drawn) keyAt(path *Path) unsafe.Pointer {
	return unsafe.Add(unsafe.Pointer(path), unsafe.Sizeof(*path))
}

// forget drops every outcome of n's key: those that are found by the key's label, and after
// that, when no older computation can put them back any more, those at the roots.
func (d *drawn) forget(n *node) {
	h := n.hash
	d.store.forgetGroup(d.group(n))
	if roots := d.roots.Load(); roots != nil {
		for _, p := range *roots {
			d.store.forget(d.node(h, n, p), nil, false)
		}
	}
}

// rootsMax is how many roots are known at most. Most functions have one, since the surfaces
// that they draw to are of one scope.
const rootsMax = 8

// root returns the path of the root for surfaces of that scope, which is known from here on
// if it is one of the first. What stands at a root that is known is found there, and needs no
// label of its key: an entry that every key has.
func (d *drawn) root(scope string) Path {
	p := rootPath(scope)
	for {
		known := d.roots.Load()
		var more []Path
		if known != nil {
			if slices.Contains(*known, p) || len(*known) == rootsMax {
				return p
			}
			more = slices.Clone(*known)
		}
		if more = append(more, p); d.roots.CompareAndSwap(known, &more) {
			return p
		}
	}
}

// atRoot reports whether n is at a root that is known. Every computation of its key begins
// there, so that none comes to it late.
func (d *drawn) atRoot(n *node) bool {
	known := d.roots.Load()
	return known != nil && slices.Contains(*known, *pathOf(n))
}

// left is told of each entry that has left the store.
func (d *drawn) left(n *node) {
	l := d.val(n).leaf
	if l == nil {
		return
	}
	if l.use != nil {
		d.orphan(l)
	}
	if l.mark != nil {
		d.drop(l.out.hash, n, l.out.remove(l.mark))
	}
}

// drop drops the entries at the paths of the key of n, whose hash is h.
func (d *drawn) drop(h uint64, n *node, paths []Path) {
	for _, p := range paths {
		d.store.discard(d.node(h, n, p))
	}
}

// enclosed returns ctx with the computation that the call is part of, in case the function
// was not given the context of the function that called it.
func enclosed(ctx context.Context, outer []outerDrawing) context.Context {
	if len(outer) == 0 {
		return ctx
	}
	if cc := callOf(ctx); cc != nil && cc.frame != nil {
		return ctx
	}
	o := outer[len(outer)-1]
	if ctx == nil {
		ctx = context.Background()
	}
	return with(ctx, func(cc *callCtx) { cc.frame, cc.call = o.frame, o.call })
}

// drawWalk is one call on its way through the trie.
type drawWalk struct {
	d   *drawn
	c   *DrawCall
	h   uint64          // hash of the key
	at  *node           // of the key and the path where it stands; never in the store
	v   any             // gets the caller's value
	ctx context.Context // for the engine
	// drawsIn is the context that the surface's parameter carries, nil if it carries none.
	drawsIn context.Context
	in      surface.Inputs
	outer   []outerDrawing

	ca *caller
}

func (w *drawWalk) path() Path { return *pathOf(w.at) }

func (w *drawWalk) goTo(p Path) { *pathOf(w.at), w.at.hash = p, p.hash(w.h) }

// drop drops what is at path.
func (w *drawWalk) drop(path Path) { w.d.drop(w.h, w.at, []Path{path}) }

// step answers a question and goes on to where the answer leads.
func (w *drawWalk) step(q *question) {
	v, ok := lookUp(w.c.Surface, w.in, q.widget)
	r := surface.Read{Widget: q.widget, Default: q.deflt, Value: v, Set: ok}
	for _, o := range w.outer {
		o.tell(r)
	}
	w.goTo(w.path().after(&r))
}

// borrow says that the walk is about to replay l. It reports false if that would hold too
// much memory, should the client be slow. A call in another's computation draws on that
// one's surface.
func (w *drawWalk) borrow(l *drawnLeaf) bool {
	return l.use == nil || len(w.outer) > 0 || w.d.borrow(l)
}

// crowded runs the body for a client that nothing may be held for.
func (w *drawWalk) crowded() error {
	w.d.store.count(func(t *tally) { t.bypassed++ })
	return w.straight("a call that it made was not kept")
}

// replay draws the leaf, which has been borrowed. ok is false where it is of no use: it has
// been dropped then.
func (w *drawWalk) replay(l *drawnLeaf, f *flight) (err error, ok bool) {
	if l.use != nil && len(w.outer) == 0 {
		defer w.d.giveBack(l)
	}
	good := !l.tape.Spoiled()
	if good && f == nil && w.c.Validate != nil && l.err == nil {
		if good, err = w.valid(l); err != nil {
			return err, true
		}
	}
	if !good {
		w.drop(w.path())
		return nil, false
	}
	if l.mark != nil {
		l.mark.hit()
	}
	err = w.c.Surface.Replay(l.tape.WithHoles(w.c.Holes))
	if errors.Is(err, surface.ErrTape) {
		w.drop(w.path())
		return nil, false
	}
	_ = w.d.copyTo(w.v, l.v) // it has been copied before
	switch {
	case l.err != nil:
		err = l.err
	case w.c.NoError:
		err = nil
	}
	return err, true
}

// valid asks the call's validate about the leaf. Its error is a *CycleError.
func (w *drawWalk) valid(l *drawnLeaf) (bool, error) {
	st, n, c := w.d.store, w.d.node(w.h, w.at, w.path()), callerOf(w.ctx)
	if err := st.validating(n, c); err != nil {
		return false, err
	}
	around := st.validation(n, c)
	defer func() {
		st.mu.Lock()
		defer st.mu.Unlock()
		st.endValidation(around)
	}()
	defer around.enter().enter()
	ctx := w.c.Ctx
	if ctx != nil {
		var fr *frame
		if c.cc != nil {
			fr = c.cc.frame
		}
		ctx = newBodyCtx(ctx, fr, around, false)
	}
	ok, err := w.c.Validate(ctx, l.v)
	if !ok || err != nil {
		w.d.invalid.Add(1)
		return false, nil
	}
	return true, nil
}

// miss waits for a computation or runs one.
func (w *drawWalk) miss() error {
	d, st := w.d, w.d.store
	if sp, ok := w.c.Surface.(surface.Spinner); ok && d.o.Spinner != "" && len(w.outer) == 0 {
		defer sp.Spin(d.o.Spinner)()
	}
	w.ca = callerOf(w.ctx)
	w.ca.tags, w.ca.owner, w.ca.drawsIn = w.c.Tags, w.c.Owner, w.drawsIn
	switch {
	case w.ca.passes():
		st.count(func(t *tally) { t.bypassed++ })
		st.passed(w.at, w.ca)
		return w.straight("")
	case w.c.Uncached != nil:
		st.count(func(t *tally) { t.uncached++ })
		st.log(logUncached, "a call is not cached: %v", w.c.Uncached)
		w.ca.users.each(func(fr *frame) { fr.addTagsOf(facts{tags: w.c.Tags}, st.o.Tags) })
		return w.straight("a call that it made was not cached")
	}
	d.misses.Add(1)
	own(d.texts, d.keyAt(pathOf(w.at))) // what is kept is made with it
	st.label(w.at, w.ca)
	w.ca.inGroup(d.group(w.at))
	for {
		r, f := st.begin(d.node(w.h, w.at, w.path()), w.ca)
		var val *drawnVal
		if r.n != nil {
			val = d.val(r.n)
		}
		switch {
		case f != nil:
			return w.compute(f)
		case val == nil && w.c.NoError && w.ca.ctx != nil && w.ca.ctx.Err() != nil && !errors.As(r.err, new(*CycleError)):
			// This caller was waiting when its context ended, and the function cannot say
			// so. A client that has gone gets nothing. A caller that is past its deadline,
			// or wants the results, gets what the body makes of it.
			if w.d.v.Size() == 0 && errors.Is(w.ca.ctx.Err(), context.Canceled) {
				st.outside(w.ca, r)
				return nil
			}
			return w.straight("a call that it made was not kept")
		case val == nil:
			st.outside(w.ca, r)
			return r.err
		case val.question != nil:
			w.ca.giveBack(r)
			w.step(val.question)
		case val.leaf == nil:
			w.ca.giveBack(r)
			return w.straight("a call that it made was not kept")
		case !w.borrow(val.leaf):
			w.ca.giveBack(r)
			return w.crowded()
		default:
			if err, ok := w.replay(val.leaf, r.flight); ok {
				st.outside(w.ca, r)
				return err
			}
			w.ca.giveBack(r)
		}
	}
}

// straight runs the body for this caller alone. notKept says why the result of a
// computation around it is not kept, "" if it may be.
func (w *drawWalk) straight(notKept string) error {
	if notKept != "" {
		w.ca.users.each(func(fr *frame) { fr.notKept(notKept) })
	}
	dr := &drawing{surface: w.c.Surface, inputs: w.in, outer: w.outer, widgets: true}
	if cc := w.ca.cc; cc != nil {
		dr.frame, dr.call = cc.frame, cc.call
	}
	ctx := w.c.Ctx
	if ctx != nil {
		ctx = dr.bodyContext(ctx)
	}
	if cs, ok := w.c.Surface.(surface.ContextSurface); ok {
		cs.SetContext(dr.bodyContext(cs.Context()))
	}
	err := w.c.Run(ctx, w.v)
	if notKept != "" && err == nil && w.d.ops.let != nil {
		n := w.d.node(w.h, w.at, w.path())
		w.d.val(n).unkept = new(w.d.shared(w.v))
		w.d.store.handOut(n, false)
	}
	w.own(w.v)
	return err
}

// computation is one run of a body as it moves from path to path.
type computation struct {
	w     *drawWalk
	f     *flight         // at path; nil where another call has one there already
	last  *flight         // the latest that was not nil
	path  Path            // of f
	trail []Path          // inner nodes that the run has passed, the root first
	ctx   context.Context // the body's; nil: it has none

	// Of those who wait for it, from any goroutine.
	open           atomic.Pointer[flight] // f, or one that has ended
	closed, lonely atomic.Bool
}

// at sets f.
func (m *computation) at(f *flight) {
	m.f = f
	if f == nil {
		return
	}
	if m.open.Store(f); m.closed.Load() {
		f.shutOut(m.lonely.Load())
	}
}

// alone lets go of those who wait for the computation, wherever it has moved: they compute
// for themselves, and nobody waits for it from here on. lonely says that this holds for
// others of the key too, for as long as it runs.
func (m *computation) alone(lonely bool) {
	if lonely {
		m.lonely.Store(true)
	}
	m.closed.Store(true)
	if f := m.open.Load(); f != nil {
		f.shutOut(m.lonely.Load())
	}
}

// compute runs the body, whose flight f is at the path where the walk stands.
func (w *drawWalk) compute(f *flight) (err error) {
	d := w.d
	d.loads.Add(1)
	m := &computation{w: w, last: f, path: w.path()}
	m.at(f)
	f.lend(w.ca, -1) // it is the last one that is lent
	dr := &drawing{
		surface: w.c.Surface, inputs: w.in, outer: w.outer,
		frame: f.frame, call: f.call, widgets: d.o.Widgets, move: m.move, alone: m.alone,
		path: w.d.root(w.c.Surface.Scope()),
	}
	ctx := w.ctx
	if w.c.Ctx != nil {
		if t := d.o.Timeout; t > 0 {
			limited, cancel := context.WithTimeout(ctx, t)
			defer cancel()
			ctx = limited
		}
		ctx = dr.bodyContext(f.watchedCtx(ctx, false))
	}
	if w.c.Ctx != nil {
		m.ctx = ctx
	}
	cs, carries := w.c.Surface.(surface.ContextSurface)
	if carries {
		cs.SetContext(dr.bodyContext(f.watchedCtx(cs.Context(), true)))
	}
	f.moves = true

	var rec surface.Recording
	outerCall := f.call.enter()
	ended := false
	defer func() {
		outerCall.enter()
		if ended {
			return
		}
		p := recover()
		d.failed.Add(1)
		dr.end()
		if rec != nil {
			quietly(rec.Discard)
		}
		last := m.settle(dr.current())
		switch {
		case p == nil:
			last.endExit()
		case dr.holeError() != nil:
			last.endLeft(dr.holeError(), true)
		default:
			last.endPanic(p)
		}
		if dn, ok := w.c.Surface.(surface.Drainer); ok {
			quietly(func() { _ = dn.Drain() })
		}
		if p != nil {
			panic(p) // the identical value, with the trace of its origin
		}
	}()
	rec = w.c.Surface.Record()
	if r := surface.RecorderOf(w.c.Surface); r != nil {
		r.Attach(dr, d.pageMax())
	}
	if w.c.Holes != nil {
		w.c.Holes.Attach(dr)
	}
	if fs, ok := w.c.Surface.(surface.StaticReads); ok {
		for _, r := range fs.StaticReads() {
			dr.foresaw(r)
		}
	}
	args := before(w.c.Arguments)
	err = w.c.Run(ctx, w.v)
	if err != nil {
		d.failed.Add(1)
	}
	changed := args.changed()
	refused, hole := dr.end()
	tape, bad := rec.Commit()
	rec = nil
	if refused == nil {
		refused = cmp.Or(bad, hole) // how the body goes on may depend on what a hole says
	}
	if changed != "" && refused == nil {
		refused = errChanged
		d.changed.Add(1)
		d.store.logChange(changed)
	}
	left := hole != nil || w.c.Ctx != nil && w.c.Ctx.Err() != nil || carries && cs.Context().Err() != nil
	if left && err != nil || err == nil && w.unfinished(f.call, ctx) {
		m.leave(dr.current(), err, left)
	} else {
		m.finish(dr.current(), err, tape, refused)
	}
	ended = true
	outerCall.enter()
	if dn, ok := w.c.Surface.(surface.Drainer); ok {
		if e := dn.Drain(); e != nil && err == nil && !w.c.NoError {
			err = e
		}
	}
	return err
}

// unfinished is that of c, whose body ran with ctx, for a body that draws.
func (w *drawWalk) unfinished(c *call, ctx context.Context) bool {
	has := HasError
	if w.c.NoError {
		has = NoError
	}
	if w.c.Ctx == nil {
		ctx = nil // the body has been given none
	}
	cs, ok := w.c.Surface.(surface.ContextSurface)
	return c.unfinished(ctx, has) || ok && c.unfinished(cs.Context(), has)
}

// quietly runs f, whose panic is of no interest beside the one that goes on already.
func quietly(f func()) {
	defer func() { _ = recover() }()
	f()
}

// move is called when the body has read a widget at the path from, before it gets the
// value, which leads to the path to.
func (m *computation) move(from Path, r *surface.Read, to Path) {
	w := m.w
	m.trail = append(m.trail, from)
	if m.f != nil && m.path == from {
		f := m.f
		m.f = nil
		m.openNext(to) // or those whom the question wakes find nobody at work there
		m.ask(f, from, r)
		return
	}
	// A part of the way that the walk has gone already, or one where another call is
	// ahead. What stands there must be the same question.
	if have := m.peek(from); have != nil && have.question != nil && have.question.equal(r) {
		if m.f == nil {
			m.openNext(to)
		}
		return
	} else if have != nil && !m.left() {
		w.d.turned()
		w.drop(from)
	}
	f := m.openAt(from)
	if m.f == nil {
		m.openNext(to)
	}
	if f != nil {
		m.ask(f, from, r)
	}
}

// left reports whether the context of the body is done: then it may have ended early, or read
// something else, for that reason alone.
func (m *computation) left() bool {
	return m.ctx != nil && m.ctx.Err() != nil || m.w.drawsIn != nil && m.w.drawsIn.Err() != nil
}

func (d *drawn) turned() {
	d.unsteady.Add(1)
	if !d.loggedUnsteady.Swap(true) {
		d.store.log(logOnce, "it read another widget than before, after the same arguments and values: what it reads depends on something that the cache cannot see")
	}
}

// ask ends f, whose path is at, with the question that the body has asked there.
func (m *computation) ask(f *flight, at Path, r *surface.Read) {
	q := questionOf(r)
	q.size = m.w.d.besides(m.w) + int64(len(q.widget)+len(q.deflt))
	v := drawnVal{question: &q}
	if len(m.trail) == 1 {
		if have := m.peek(at); have != nil {
			v.out = have.out
		}
		if v.out == nil {
			v.out = &outcomes{hash: m.w.h}
		}
	}
	*m.w.d.val(f.n) = v
	f.end()
}

// peek returns the entry at path, nil if there is none for this caller.
func (m *computation) peek(path Path) *drawnVal {
	d := m.w.d
	if have := d.store.look(d.node(m.w.h, m.w.at, path)); have != nil && d.store.serves(m.w.ctx, m.w.drawsIn, have) {
		return d.val(have)
	}
	return nil
}

func (m *computation) openAt(path Path) *flight {
	ca := *m.w.ca
	ca.within, ca.nowait, ca.outer = m.last, true, nil
	_, f := m.w.d.store.begin(m.w.d.node(m.w.h, m.w.at, path), &ca)
	if f != nil {
		f.moves = true
		m.last = f
	}
	return f
}

// aside opens a flight at path beside what is there already.
func (m *computation) aside(path Path) *flight {
	n := m.w.d.node(m.w.h, m.w.at, path)
	ca := *m.w.ca
	ca.within = m.last
	st := m.w.d.store
	st.mu.Lock()
	defer st.mu.Unlock()
	f := st.start(n, &ca, clock())
	f.private = true
	return f
}

func (m *computation) openNext(path Path) {
	m.path = path
	m.at(m.openAt(path))
}

// settle returns the flight by which the run ends at path, and ends one that it has
// elsewhere: the body did not read what the walk had led it to expect.
func (m *computation) settle(path Path) *flight {
	if m.f != nil && m.path != path {
		f := m.f
		m.f = nil
		f.endLeft(nil, true)
	}
	if m.f == nil {
		if have := m.peek(path); have != nil && have.question != nil && !m.left() {
			m.w.d.turned() // it has ended where it used to read on
			m.w.drop(path)
		}
		m.openNext(path)
	}
	if m.f == nil {
		// Another call is at it, or has just done it.
		m.f = m.aside(path)
	}
	m.f.moves = false
	return m.f
}

// leave ends the run without a result for others: it ended with its context, or a hole failed.
// left says that it was its caller who left.
func (m *computation) leave(path Path, err error, left bool) {
	w, d := m.w, m.w.d
	f := m.settle(path)
	if err == nil && d.ops.let != nil {
		n := d.node(w.h, w.at, path)
		d.val(n).unkept = new(d.shared(w.v))
		d.store.handOut(n, false)
	}
	w.own(w.v)
	f.endLeft(err, left)
	d.store.outside(w.ca, found{flight: f, err: err})
}

// finish ends the run with what came of it.
func (m *computation) finish(path Path, err error, tape *surface.Tape, refused error) {
	w, d := m.w, m.w.d
	f := m.settle(path)
	f.erred = err != nil
	val := d.val(f.n)
	given := w.v
	if refused == nil && f.frame.shareable(d.o.Session, err != nil) {
		stored := reflect.New(d.v).Interface()
		refused = d.copyTo(stored, w.v) // it may be, or contain, an argument or a package variable
		if refused == nil {
			given = stored
			val.leaf = &drawnLeaf{v: stored, err: err, tape: tape}
			d.keep(m, val.leaf, path)
		}
	}
	if val.leaf == nil {
		f.frame.notKept("what it drew is not kept")
		f.refused, f.personal = true, surface.IsPersonal(refused)
		if err == nil {
			val.unkept = new(d.shared(w.v))
		}
		d.notKept.Add(1)
		if refused != nil && refused != errChanged && !d.logged.Swap(true) {
			d.store.log(logOnce, "its result is not kept: %v", refused)
		}
	}
	w.own(given)
	l := val.leaf
	f.lend(w.ca, 1)
	kept := f.end()
	if !kept && l != nil {
		d.notKept.Add(1)
		if l.use != nil {
			d.orphan(l)
		}
		if l.mark != nil {
			d.drop(w.h, w.at, l.out.remove(l.mark))
		}
	}
	if !kept && len(m.trail) > 1 {
		if root := m.peek(m.trail[0]); root != nil && root.out != nil {
			d.drop(w.h, w.at, root.out.barren(m.trail))
		}
	}
	d.store.outside(w.ca, found{flight: f})
}

// keep makes the leaf one of its key's outcomes.
func (d *drawn) keep(m *computation, l *drawnLeaf, path Path) {
	valueSize := d.sizeOf(l.v)
	beside := d.besides(m.w)
	if l.err != nil {
		beside += 2 * int64(len(text(l.err)))
	}
	whole := l.tape.Size()
	if whole >= useMin {
		l.use = &leafUse{bytes: whole}
	}
	l.size = whole + valueSize + beside
	if len(m.trail) == 0 {
		return
	}
	root := m.peek(m.trail[0])
	if root == nil || root.out == nil {
		return
	}
	l.out = root.out
	// What is shared counts for every leaf: another may be the last that holds it.
	fresh := l.out.intern(l.tape)
	l.size = fresh + (whole-fresh)/sharedPart + beside
	if d.plain && l.err == nil {
		p, fresh := l.out.internValue(plainDigest(reflect.ValueOf(l.v).Elem()), reflect.ValueOf(l.v).UnsafePointer())
		if !fresh {
			l.v, valueSize = reflect.NewAt(d.v, p).Interface(), valueSize/sharedPart
		}
	}
	l.size += valueSize
	mark, evict := l.out.add(path, m.trail, d.o.Variants)
	l.mark = mark
	d.drop(m.w.h, m.w.at, evict)
}

// copyTo makes *to a caller's own copy of *from.
func (d *drawn) copyTo(to, from any) error {
	if d.ops.copy != nil {
		return d.ops.copy(to, from)
	}
	reflect.ValueOf(to).Elem().Set(reflect.ValueOf(from).Elem())
	return nil
}

// own gives the caller of a body its own copy of *v, as a replay would. What cannot be
// copied is not kept, and is its caller's.
func (w *drawWalk) own(v any) {
	if w.d.ops.copy == nil {
		return
	}
	own := reflect.New(w.d.v)
	if w.d.ops.copy(own.Interface(), v) == nil {
		reflect.ValueOf(w.v).Elem().Set(own.Elem())
	}
}

// shared returns *v in memory that is not the caller's.
func (d *drawn) shared(v any) any {
	own := reflect.New(d.v)
	own.Elem().Set(reflect.ValueOf(v).Elem())
	return own.Interface()
}

func (d *drawn) sizeOf(v any) int64 {
	if d.ops.bytes == nil {
		return int64(d.v.Size())
	}
	return d.ops.bytes(v)
}

// entryOps are the ops of the store, made from those of the function: its keys are
// drawnKey[K], its values drawnVal.
func (d *drawn) entryOps() ops {
	o := ops{bytes: d.entrySize, ttl: d.entryTTL, keepValue: d.mayKeep}
	if d.ops.tagsOf != nil {
		o.tagsOf = func(k any) []string {
			return d.ops.tagsOf(d.keyIn((*Path)(reflect.ValueOf(k).UnsafePointer())))
		}
	}
	o.keyed, o.unread = d.ops.keyed, d.ops.unread
	if d.ops.let != nil {
		o.let = func(v any) {
			if r := v.(*drawnVal).resource(); r != nil {
				d.ops.let(r)
			}
		}
		o.identity = d.identity
	}
	return o
}

// sharedPart is the part of the bytes that leaves of a key share which counts for each of
// them: what is held is at most so many times what is counted, however few of them stay.
const sharedPart = 4

// What an entry takes beside what it holds: itself, its marks in the outcomes of its key,
// its places in tables and queues.
const (
	leafCost     = 600
	questionCost = 400
)

func (d *drawn) entrySize(v any) int64 {
	switch v := v.(*drawnVal); {
	case v.leaf != nil:
		return v.leaf.size + leafCost
	case v.question != nil:
		return v.question.size + questionCost
	}
	return 0
}

// besides is what an entry made in the walk w holds of the strings that belong to the call:
// in its key, its tags, its session.
func (d *drawn) besides(w *drawWalk) (n int64) {
	n = textBytes(d.texts, d.keyAt(pathOf(w.at)))
	for _, l := range w.ca.labels {
		n += int64(len(l.name))
	}
	return n
}

// text is what err says, "" if it cannot.
func text(err error) (s string) {
	defer func() { _ = recover() }()
	return err.Error()
}

// pageMax is how much one drawing may take of the function's bound on bytes, so that few of
// them cannot drive out all others. 0: the function has no such bound.
func (d *drawn) pageMax() int64 {
	d.store.mu.Lock()
	defer d.store.mu.Unlock()
	bound := d.store.policy.maxBytes
	if bound == 0 {
		return 0
	}
	return max(bound/8, min(bound, 1<<20))
}

func (d *drawn) entryTTL(v any) time.Duration {
	if l := v.(*drawnVal).leaf; l != nil {
		if l.err != nil {
			return d.o.ErrorTTL
		}
		if d.ops.ttl != nil {
			return d.ops.ttl(l.v)
		}
	}
	if ttl := time.Duration(d.store.ttl.Load()); ttl > 0 {
		return ttl
	}
	return math.MaxInt64
}

func (d *drawn) mayKeep(v any) bool {
	val := v.(*drawnVal)
	l := val.leaf
	switch {
	case val.question != nil:
		return true
	case l == nil:
		return false
	case l.err != nil:
		return d.o.ErrorTTL > 0 && (d.ops.keepErr == nil || d.ops.keepErr(l.err)) && !errors.As(l.err, new(*CycleError))
	}
	return d.ops.keepValue == nil || d.ops.keepValue(l.v)
}

// identity is that of the value in an entry: each entry that holds none is identical to
// itself alone.
func (d *drawn) identity(v any) any {
	if r := v.(*drawnVal).resource(); r != nil && d.ops.identity != nil {
		return d.ops.identity(r)
	}
	return v
}

// resource returns the value that v holds, nil if it holds none.
func (v *drawnVal) resource() any {
	if v.leaf != nil && v.leaf.err == nil {
		return v.leaf.v
	}
	if v.unkept == nil {
		return nil
	}
	return *v.unkept
}

package cache

import (
	"cmp"
	"context"
	"errors"
	"math"
	"reflect"
	"sync/atomic"
	"time"
	"unsafe"
)

// # Drawing functions
//
// A function draws when one of its parameters is a place to draw to. Its wrapper has this
// shape; Bind comes from the adapter of the parameter's type:
//
//	var panelSite = cache.NewDrawn[panelKey, panelResult](panelOps{}, cache.DrawOptions{
//		Options: cache.Options{Func: "example.com/shop.panel", TTL: 600_000_000_000, Max: 10000, TrackContext: true},
//		Widgets: true, Variants: 100, Spinner: "Loading…",
//	})
//
//	func Panel(ctx context.Context, w io.Writer, region string, children func(io.Writer) error) (int, error) {
//		k := panelKey{region: strings.Clone(region)}
//		bctx, bw, s := html.Bind(ctx, w, nil)
//		var holes cache.Holes
//		bchildren := cache.BindHoleErr(&holes, s, w, bw, children)
//		v, err := panelSite.Do(k.hash(), k, cache.DrawCall[panelResult]{
//			Ctx: bctx, Surface: s, Holes: &holes,
//			Run: func(ctx context.Context) (v panelResult, err error) {
//				v.r0, err = panel(ctx, bw, region, bchildren)
//				return
//			},
//		})
//		return v.r0, err
//	}
//
// Without a context Ctx is nil. Without an error result NoError is set, Run's error is nil,
// and the wrapper panics with the error of Do, which can only be a *CycleError. A handler
// reads its request through the inputs that its surface is bound with:
//
//	func Page(w http.ResponseWriter, r *http.Request) {
//		if !html.Cacheable(r) {
//			page(w, r)
//			return
//		}
//		bctx, bw, s := html.BindResponse(r.Context(), w, html.Static(r, []string{"path:id", "query:q"}))
//		_, err := pageSite.Do(cache.HashStart(), pageKey{}, cache.DrawCall[pageResult]{
//			Ctx: bctx, Surface: s, NoError: true,
//			Run: func(ctx context.Context) (v pageResult, err error) {
//				page(bw, r.WithContext(ctx))
//				return
//			},
//		})
//		if err != nil {
//			panic(err)
//		}
//	}

// DrawOptions describe one cached function that draws.
type DrawOptions struct {
	Options
	Widgets  bool   // the body may read widgets; else a result for which it did is not kept
	Variants int    // outcomes kept for each key; 0: as many as the bounds of the function allow
	Spinner  string // shown while it is computed; "": nothing
}

// DrawCall is one call of a drawing function.
type DrawCall[V any] struct {
	// Ctx is the context that Bind returned, nil for a function that takes none.
	Ctx     context.Context
	Surface Surface
	Holes   *Holes // nil: the function has none
	Tags    []string
	Owner   *Owner // as in Call
	// Run runs the body on what Bind returned.
	Run func(context.Context) (V, error)
	// Validate is that of Call.
	Validate func(context.Context, *V) (bool, error)
	// Uncached is that of Call.
	Uncached error
	// NoError says that the function has no error result: that the place it draws to
	// failed is then for nobody to know.
	NoError bool
}

// Drainer is a Surface that shows things later than they are drawn. Drain returns when
// everything is shown, with the error of the place where.
type Drainer interface{ Drain() error }

// Foreseer is a Surface that knows some of what the body reads before it runs. These
// reads count whether the body does them or not, and need no option.
type Foreseer interface{ Foreseen() []Read }

// Drawn is the cache of one drawing function. All its methods may be called from any
// goroutine.
//
// It sits on a Site whose entries are the nodes of tries, one trie for each key: see
// Path. So bounds, ttl, tags and Clear are the Site's.
type Drawn[K comparable, V any] struct {
	site *Site[drawnKey[K], drawnVal[V]]
	o    DrawOptions
	ops  drawnOps[K, V]

	hits                                              counter
	misses, loads, failed, notKept, unsteady, invalid atomic.Uint64
	logged, loggedUnsteady                            atomic.Bool
}

type drawnKey[K comparable] struct {
	k    K
	path Path
}

// drawnVal is an entry: a question, or a leaf, or, handed to those who waited and never
// kept, neither: compute it for yourself.
type drawnVal[V any] struct {
	question *question
	out      *outcomes // of a root question
	leaf     *drawnLeaf[V]
	unkept   *V // the value of such a computation, for its release
}

type drawnLeaf[V any] struct {
	v    *V
	err  error
	tape *Tape
	size int64
	out  *outcomes
	mark *leafMark // in out
}

// NewDrawn makes the cache of one drawing function; ops is as for New, and Digest(*V)
// (Digest, bool) may say when two values are equal, so that one of them is kept.
func NewDrawn[K comparable, V any](ops any, o DrawOptions) *Drawn[K, V] {
	if o.Variants < 0 || o.Stale != 0 {
		panic("cachegen: " + o.Func + " (" + o.Site + "): a drawing function with stale, or with negative variants")
	}
	d := &Drawn[K, V]{o: o}
	d.ops.find(ops)
	d.ops.d = d
	if d.ops.inner.release != nil {
		d.site = New[drawnKey[K], drawnVal[V]](releasingOps[K, V]{&d.ops}, o.Options)
	} else {
		d.site = New[drawnKey[K], drawnVal[V]](&d.ops, o.Options)
	}
	d.site.store.mu.Lock() // others see it already
	defer d.site.store.mu.Unlock()
	d.site.onLeft, d.site.store.correct = d.left, d.correct
	return d
}

// DrawnInstance is Instance for a drawing function.
func DrawnInstance[K comparable, V any](s *Sites, ops any, o func() DrawOptions) *Drawn[K, V] {
	t := reflect.TypeFor[Drawn[K, V]]()
	if v, ok := s.m.Load(t); ok {
		return v.(*Drawn[K, V])
	}
	s.making.Lock()
	defer s.making.Unlock()
	if v, ok := s.m.Load(t); ok {
		return v.(*Drawn[K, V])
	}
	d := NewDrawn[K, V](ops, o())
	s.m.Store(t, d)
	return d
}

// Do draws: again what is kept for k and for what the widgets say now, or by running
// the body. The caller owns the value that it gets.
//
// The error is that of the body, also when it is replayed for the function's errors=; or
// that of the place that is drawn to; or ctx's, if it ended while this call waited; or a
// *CycleError.
func (d *Drawn[K, V]) Do(h uint64, k K, c DrawCall[V]) (V, error) {
	outer := outerDrawings(c.Ctx, c.Surface)
	w := drawWalk[K, V]{
		d: d, c: &c, h: h, outer: outer,
		ctx: enclosed(c.Ctx, outer),
		in:  inputsAround(c.Ctx, outer),
		key: drawnKey[K]{k, rootPath(c.Surface.Scope())},
	}
	for c.Uncached == nil {
		val := d.site.GetCtx(w.ctx, w.key.path.hash(h), &w.key)
		if val == nil {
			break
		}
		if val.question != nil {
			w.step(val.question)
			continue
		}
		if v, err, ok := w.replay(val.leaf, nil); ok {
			d.hits.hit()
			return v, err
		}
		break
	}
	return w.miss()
}

// Forget drops every outcome of k.
func (d *Drawn[K, V]) Forget(h uint64, k K) { d.site.forgetGroup(drawnGroup[K, V]{d, k}) }

// Clear drops every outcome of every key.
func (d *Drawn[K, V]) Clear() { d.site.Clear() }

// Stats returns what was counted. Entries are the nodes of the tries, inner ones too.
func (d *Drawn[K, V]) Stats() Stats { return d.site.Stats() }

// correct replaces what the store counted for nodes by what was counted for calls.
func (d *Drawn[K, V]) correct(s *Stats) {
	s.Hits, s.Misses, s.Loads, s.Errors = d.hits.total(), d.misses.Load(), d.loads.Load(), d.failed.Load()
	s.NotKept, s.Unsteady, s.Invalid = d.notKept.Load(), d.unsteady.Load(), d.invalid.Load()
}

// drawnGroup labels the entries of one key.
type drawnGroup[K comparable, V any] struct {
	d *Drawn[K, V]
	k K
}

// left is told of each entry that has left the store.
func (d *Drawn[K, V]) left(k *drawnKey[K], v *drawnVal[V]) {
	if l := v.leaf; l != nil && l.mark != nil {
		d.drop(l.out.hash, k.k, l.out.remove(l.mark))
	}
}

// drop drops the entries of k, whose hash is h, at the paths.
func (d *Drawn[K, V]) drop(h uint64, k K, paths []Path) {
	for _, p := range paths {
		d.site.Forget(p.hash(h), drawnKey[K]{k, p})
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
type drawWalk[K comparable, V any] struct {
	d     *Drawn[K, V]
	c     *DrawCall[V]
	h     uint64
	ctx   context.Context // for the engine
	in    Inputs
	outer []outerDrawing
	key   drawnKey[K] // where it stands

	ca *caller
}

// step answers a question and goes on to where the answer leads.
func (w *drawWalk[K, V]) step(q *question) {
	v, ok := lookUp(w.c.Surface, w.in, q.widget)
	r := Read{Widget: q.widget, Default: q.deflt, Value: v, Set: ok}
	for _, o := range w.outer {
		o.tell(r)
	}
	w.key.path = w.key.path.after(&r)
}

// replay draws the leaf. ok is false where it is of no use: it has been dropped then.
func (w *drawWalk[K, V]) replay(l *drawnLeaf[V], f *flight) (v V, err error, ok bool) {
	good := !l.tape.spoiled.Load()
	if good && f == nil && w.c.Validate != nil && l.err == nil {
		if good, err = w.valid(l); err != nil {
			return v, err, true
		}
	}
	if !good {
		w.d.drop(w.h, w.key.k, []Path{w.key.path})
		return v, nil, false
	}
	if l.mark != nil {
		l.mark.hit()
	}
	var holes []func() error
	if w.c.Holes != nil {
		holes = w.c.Holes.draw
	}
	err = w.c.Surface.Replay(l.tape.with(holes))
	if errors.Is(err, ErrTape) {
		w.d.drop(w.h, w.key.k, []Path{w.key.path})
		return v, nil, false
	}
	if l.err != nil {
		return v, l.err, true
	}
	if w.c.NoError {
		err = nil
	}
	return w.d.ops.copyOf(l.v), err, true
}

// valid asks the call's validate about the leaf. Its error is a *CycleError.
func (w *drawWalk[K, V]) valid(l *drawnLeaf[V]) (bool, error) {
	st, n, c := w.d.site.store, w.node(), newCaller(w.ctx)
	n.hash = w.key.path.hash(w.h)
	if path := c.outer.within(st, n); path != nil && path[len(path)-1].validates {
		return false, cycle(c.outer, path[len(path)-1:])
	}
	around := &call{st: st, key: n, parent: c.outer, validates: true}
	defer around.ended.Store(true)
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
func (w *drawWalk[K, V]) miss() (v V, err error) {
	d, st := w.d, w.d.site.store
	if sp, ok := w.c.Surface.(Spinner); ok && d.o.Spinner != "" && len(w.outer) == 0 {
		defer sp.Spin(d.o.Spinner)()
	}
	w.ca = newCaller(w.ctx)
	w.ca.tags, w.ca.owner = w.c.Tags, w.c.Owner
	switch {
	case w.ca.passes():
		st.count(func(t *tally) { t.bypassed++ })
		st.passed(w.node(), w.ca)
		return w.straight("")
	case w.c.Uncached != nil:
		st.count(func(t *tally) { t.uncached++ })
		st.log(logUncached, "a call is not cached: %v", w.c.Uncached)
		return w.straight("a call that it made was not cached")
	}
	d.misses.Add(1)
	st.label(w.node(), w.ca)
	w.ca.inGroup(drawnGroup[K, V]{d, w.key.k})
	for {
		val, r, f := d.site.open(w.key.path.hash(w.h), w.key, w.ca)
		switch {
		case f != nil:
			return w.compute(f)
		case val == nil && errors.As(r.err, new(*CycleError)) && w.ca.outer.inHole():
			// Content that a computation of this key draws makes the same call. That is
			// no cycle, since the content is not part of the computation.
			m := &computation[K, V]{w: w}
			return w.compute(m.aside(w.key.path))
		case val == nil:
			st.outside(w.ca, r)
			return v, r.err
		case val.question != nil:
			w.step(val.question)
		case val.leaf == nil:
			return w.straight("a call that it made was not kept")
		default:
			if v, err, ok := w.replay(val.leaf, r.flight); ok {
				st.outside(w.ca, r)
				return v, err
			}
		}
	}
}

// straight runs the body for this caller alone. notKept says why the result of a
// computation around it is not kept, "" if it may be.
func (w *drawWalk[K, V]) straight(notKept string) (V, error) {
	if cc := w.ca.cc; notKept != "" && cc != nil && cc.frame != nil {
		cc.frame.notKept(notKept)
	}
	dr := &drawing{surface: w.c.Surface, inputs: w.in, outer: w.outer, widgets: true}
	if cc := w.ca.cc; cc != nil {
		dr.frame, dr.call = cc.frame, cc.call
	}
	ctx := w.c.Ctx
	if ctx != nil {
		ctx = dr.bodyContext(ctx)
	}
	if cs, ok := w.c.Surface.(ContextSurface); ok {
		cs.SetContext(dr.bodyContext(cs.Context()))
	}
	v, err := w.c.Run(ctx)
	if notKept != "" && err == nil && w.d.ops.inner.release != nil {
		n := w.node()
		entryOf[drawnKey[K], drawnVal[V]](n).val.unkept = &v
		w.d.site.store.handOut(n, false)
	}
	return v, err
}

// node returns a new entry of the key where the walk stands.
func (w *drawWalk[K, V]) node() *node {
	return &(&entry[drawnKey[K], drawnVal[V]]{key: w.key}).node
}

// computation is one run of a body as it moves from path to path.
type computation[K comparable, V any] struct {
	w     *drawWalk[K, V]
	f     *flight // at path; nil where another call has one there already
	last  *flight // the latest that was not nil
	path  Path    // of f
	trail []Path  // inner nodes that the run has passed, the root first
}

// compute runs the body, whose flight f is at the path where the walk stands.
func (w *drawWalk[K, V]) compute(f *flight) (v V, err error) {
	d := w.d
	d.loads.Add(1)
	m := &computation[K, V]{w: w, f: f, last: f, path: w.key.path}
	dr := &drawing{
		surface: w.c.Surface, inputs: w.in, outer: w.outer, rec: recorderOf(w.c.Surface),
		frame: f.frame, call: f.call, widgets: d.o.Widgets, move: m.move,
		path: rootPath(w.c.Surface.Scope()),
	}
	ctx := w.ctx
	if w.c.Ctx != nil {
		if t := d.o.Timeout; t > 0 {
			limited, cancel := context.WithTimeout(ctx, t)
			defer cancel()
			ctx = limited
		}
		ctx = dr.bodyContext(newBodyCtx(ctx, f.frame, f.call, d.o.TrackContext))
	}
	cs, carries := w.c.Surface.(ContextSurface)
	if carries {
		cs.SetContext(dr.bodyContext(newBodyCtx(cs.Context(), f.frame, f.call, d.o.TrackContext)))
	}
	f.moves = true

	var rec Recording
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
			last.endLeft(dr.holeError())
		default:
			last.endPanic(p)
		}
		if dn, ok := w.c.Surface.(Drainer); ok {
			quietly(func() { _ = dn.Drain() })
		}
		if p != nil {
			panic(p) // the identical value, with the trace of its origin
		}
	}()
	rec = w.c.Surface.Record()
	if dr.rec != nil {
		dr.rec.attach(dr, d.o.MaxBytes)
	}
	if w.c.Holes != nil {
		w.c.Holes.call.Store(dr)
	}
	if fs, ok := w.c.Surface.(Foreseer); ok {
		for _, r := range fs.Foreseen() {
			dr.foresaw(r)
		}
	}
	v, err = w.c.Run(ctx)
	if err != nil {
		d.failed.Add(1)
	}
	reads, refused, hole := dr.end()
	tape, bad := rec.Commit()
	rec = nil
	if refused == nil {
		refused = cmp.Or(bad, hole) // how the body goes on may depend on what a hole says
	}
	left := err != nil && (hole != nil || w.c.Ctx != nil && w.c.Ctx.Err() != nil || carries && cs.Context().Err() != nil)
	v = m.finish(dr.current(), left, v, err, tape, reads, refused)
	ended = true
	outerCall.enter()
	if dn, ok := w.c.Surface.(Drainer); ok {
		if e := dn.Drain(); e != nil && err == nil && !w.c.NoError {
			err = e
		}
	}
	return v, err
}

// quietly runs f, whose panic is of no interest beside the one that goes on already.
func quietly(f func()) {
	defer func() { _ = recover() }()
	f()
}

// move is called when the body has read a widget at the path from, before it gets the
// value, which leads to the path to.
func (m *computation[K, V]) move(from Path, r *Read, to Path) {
	w := m.w
	m.trail = append(m.trail, from)
	if m.f != nil && m.path == from {
		f := m.f
		m.f = nil
		w.d.site.end(f, nil, m.question(from, r), nil)
		m.open(to)
		return
	}
	// A part of the way that the walk has gone already, or one where another call is
	// ahead. What stands there must be the same question.
	if have := m.peek(from); have != nil && have.question != nil && have.question.equal(r) {
		if m.f == nil {
			m.open(to)
		}
		return
	} else if have != nil {
		w.d.turned()
		w.d.drop(w.h, w.key.k, []Path{from})
	}
	if f := m.openAt(from); f != nil {
		w.d.site.end(f, nil, m.question(from, r), nil)
	}
	if m.f == nil {
		m.open(to)
	}
}

func (d *Drawn[K, V]) turned() {
	d.unsteady.Add(1)
	if !d.loggedUnsteady.Swap(true) {
		d.site.store.log(logOnce, "it read another widget than before, after the same arguments and values: what it reads depends on something that the cache cannot see")
	}
}

func (m *computation[K, V]) question(at Path, r *Read) drawnVal[V] {
	q := questionOf(r)
	v := drawnVal[V]{question: &q}
	if len(m.trail) == 1 {
		if have := m.peek(at); have != nil {
			v.out = have.out
		}
		if v.out == nil {
			v.out = &outcomes{hash: m.w.h}
		}
	}
	return v
}

// peek returns the entry at path, nil if there is none.
func (m *computation[K, V]) peek(path Path) *drawnVal[V] {
	n := &entry[drawnKey[K], drawnVal[V]]{key: drawnKey[K]{m.w.key.k, path}}
	n.hash = path.hash(m.w.h)
	if have := m.w.d.site.store.peek(&n.node); have != nil {
		return &entryOf[drawnKey[K], drawnVal[V]](have).val
	}
	return nil
}

func (m *computation[K, V]) openAt(path Path) *flight {
	ca := *m.w.ca
	ca.within, ca.nowait, ca.outer = m.last, true, nil
	_, _, f := m.w.d.site.open(path.hash(m.w.h), drawnKey[K]{m.w.key.k, path}, &ca)
	if f != nil {
		f.moves = true
		m.last = f
	}
	return f
}

// aside opens a flight at path beside what is there already.
func (m *computation[K, V]) aside(path Path) *flight {
	n := &entry[drawnKey[K], drawnVal[V]]{key: drawnKey[K]{m.w.key.k, path}}
	n.hash = path.hash(m.w.h)
	ca := *m.w.ca
	ca.within = m.last
	st := m.w.d.site.store
	st.mu.Lock()
	defer st.mu.Unlock()
	f := st.start(&n.node, &ca, clock())
	f.private = true
	return f
}

func (m *computation[K, V]) open(path Path) {
	m.path = path
	m.f = m.openAt(path)
}

// settle returns the flight by which the run ends at path, and ends one that it has
// elsewhere: the body did not read what the walk had led it to expect.
func (m *computation[K, V]) settle(path Path) *flight {
	if m.f != nil && m.path != path {
		f := m.f
		m.f = nil
		f.endLeft(nil)
	}
	if m.f == nil {
		if have := m.peek(path); have != nil && have.question != nil {
			m.w.d.turned() // it has ended where it used to read on
			m.w.d.drop(m.w.h, m.w.key.k, []Path{path})
		}
		m.open(path)
	}
	if m.f == nil {
		// Another call is at it, or has just done it.
		m.f = m.aside(path)
	}
	m.f.moves = false
	return m.f
}

// finish ends the run with what came of it, and returns the caller's own value.
func (m *computation[K, V]) finish(path Path, left bool, v V, err error, tape *Tape, reads []Read, refused error) V {
	w, d := m.w, m.w.d
	f := m.settle(path)
	if left {
		f.endLeft(err)
		d.site.store.outside(w.ca, found{flight: f})
		return v
	}
	val := drawnVal[V]{}
	if refused == nil && f.frame.shareable(d.o.Session) {
		tape.reads = reads
		stored := new(V)
		*stored = d.ops.copyOf(&v) // v may be, or contain, an argument of the caller's
		val.leaf = &drawnLeaf[V]{v: stored, err: err, tape: tape}
		d.store(m, val.leaf, path)
	} else {
		f.frame.notKept("what it drew is not kept")
		if err == nil {
			val.unkept = &v
		}
		d.notKept.Add(1)
		if refused != nil && !d.logged.Swap(true) {
			d.site.store.log(logOnce, "its result is not kept: %v", refused)
		}
	}
	kept := d.site.end(f, nil, val, nil)
	if !kept && val.leaf != nil {
		d.notKept.Add(1)
		if l := val.leaf; l.mark != nil {
			d.drop(w.h, w.key.k, l.out.remove(l.mark))
		}
	}
	if !kept && len(m.trail) > 1 {
		if root := m.peek(m.trail[0]); root != nil && root.out != nil {
			d.drop(w.h, w.key.k, root.out.barren(m.trail))
		}
	}
	d.site.store.outside(w.ca, found{flight: f})
	return v
}

// store makes the leaf one of its key's outcomes.
func (d *Drawn[K, V]) store(m *computation[K, V], l *drawnLeaf[V], path Path) {
	valueSize := d.ops.sizeOf(l.v)
	l.size = l.tape.Size() + valueSize
	if len(m.trail) == 0 {
		return
	}
	root := m.peek(m.trail[0])
	if root == nil || root.out == nil {
		return
	}
	l.out = root.out
	l.size = l.out.intern(l.tape)
	if dg, ok := d.ops.digest(l.v); ok && l.err == nil {
		var fresh bool
		if l.v, fresh = internValue(l.out, dg, l.v); !fresh {
			valueSize = 0
		}
	}
	l.size += valueSize
	mark, evict := l.out.add(path, m.trail, d.o.Variants)
	l.mark = mark
	d.drop(m.w.h, m.w.key.k, evict)
}

// drawnOps are what a Site may do with an entry of a Drawn.
type drawnOps[K comparable, V any] struct {
	inner   ops[K, V]
	content interface{ Digest(*V) (Digest, bool) }
	d       *Drawn[K, V]
}

func (o *drawnOps[K, V]) find(ops any) {
	o.inner.copy, _ = ops.(interface{ Copy(*V) V })
	o.inner.size, _ = ops.(interface{ Size(*V) int64 })
	o.inner.ttl, _ = ops.(interface{ TTL(*V) time.Duration })
	o.inner.keep, _ = ops.(interface{ Keep(*V) bool })
	o.inner.keepError, _ = ops.(interface{ KeepError(error) bool })
	o.inner.release, _ = ops.(interface{ Release(*V) })
	o.inner.ident, _ = ops.(interface{ Ident(*V) any })
	o.inner.tags, _ = ops.(interface{ Tags(*K) []string })
	o.inner.session, _ = ops.(interface{ Session(*K) string })
	o.content, _ = ops.(interface{ Digest(*V) (Digest, bool) })
}

func (o *drawnOps[K, V]) copyOf(v *V) V {
	if o.inner.copy == nil {
		return *v
	}
	return o.inner.copy.Copy(v)
}

func (o *drawnOps[K, V]) sizeOf(v *V) int64 {
	if o.inner.size == nil {
		return int64(unsafe.Sizeof(*v))
	}
	return o.inner.size.Size(v)
}

// digest is the content address of a value, for data.
func (o *drawnOps[K, V]) digest(v *V) (Digest, bool) {
	if o.d.o.Resource {
		return Digest{}, false
	}
	if o.content != nil {
		return o.content.Digest(v)
	}
	if unsafe.Sizeof(*v) == 0 {
		return Digest{}, false
	}
	e := NewEncoder()
	e.Any(*v)
	dg, err := e.Digest()
	return dg, err == nil
}

// Size implements the method that New looks for.
func (o *drawnOps[K, V]) Size(v *drawnVal[V]) int64 {
	if v.leaf != nil {
		return v.leaf.size + 200
	}
	return 200
}

// TTL implements the method that New looks for.
func (o *drawnOps[K, V]) TTL(v *drawnVal[V]) time.Duration {
	if l := v.leaf; l != nil {
		if l.err != nil {
			return o.d.o.ErrorTTL
		}
		if o.inner.ttl != nil {
			return o.inner.ttl.TTL(l.v)
		}
	}
	if ttl := time.Duration(o.d.site.store.ttl.Load()); ttl > 0 {
		return ttl
	}
	return math.MaxInt64
}

// Keep implements the method that New looks for.
func (o *drawnOps[K, V]) Keep(v *drawnVal[V]) bool {
	l := v.leaf
	switch {
	case v.question != nil:
		return true
	case l == nil:
		return false
	case l.err != nil:
		return o.d.o.ErrorTTL > 0 && (o.inner.keepError == nil || o.inner.keepError.KeepError(l.err)) && !errors.As(l.err, new(*CycleError))
	}
	return o.inner.keep == nil || o.inner.keep.Keep(l.v)
}

// Tags implements the method that New looks for.
func (o *drawnOps[K, V]) Tags(k *drawnKey[K]) []string {
	if o.inner.tags == nil {
		return nil
	}
	return o.inner.tags.Tags(&k.k)
}

// releasingOps are drawnOps for values that have a release.
type releasingOps[K comparable, V any] struct{ *drawnOps[K, V] }

// Release implements the method that New looks for.
func (o releasingOps[K, V]) Release(v *drawnVal[V]) {
	if r := v.resource(); r != nil {
		o.inner.release.Release(r)
	}
}

// resource returns the value that v holds, nil if it holds none.
func (v *drawnVal[V]) resource() *V {
	if v.leaf != nil && v.leaf.err == nil {
		return v.leaf.v
	}
	return v.unkept
}

// Ident implements the method that New looks for: each entry that holds no value is
// identical to itself alone.
func (o releasingOps[K, V]) Ident(v *drawnVal[V]) any {
	if r := v.resource(); r != nil && o.inner.ident != nil {
		return o.inner.ident.Ident(r)
	}
	return v
}

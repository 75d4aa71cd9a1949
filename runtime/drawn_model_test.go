package cachert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachegen/cachegen/cache/surface"
)

// The model of functions that draw is, like that of all others, a set of claims about what a
// call may return. Their computations move from key to key with each widget that they read, so
// that who waits for one waits at several keys in turn, and events find it between them. Each
// run draws what it is made of; who gets its result is to see the same.
//
//	own       a value, and what is drawn, are those of a run of the called key, whole, of
//	          which each widget said what it says to the caller
//	events    a value was not computed before an event (Forget, Clear, a tag, the end of the
//	          session) that was complete before the call
//	nested    likewise for the tag of an inner function whose result went into the value,
//	          and for that result's ttl
//	fresh     a value is not past its ttl
//	keep      what keep=, errors= or the surface refuses is given to those alone who waited
//	errors    an error is that of a run during the call, or is kept; the end of a context
//	          is only told to the caller whose context it is
//	newer     who is served from the cache after another gets no value that was begun
//	          before the other's
//	one       no two runs of a key, of calls to which the widgets say the same, go on at once
//	kept      a result that nothing speaks against is served at once
//	          Of these two, which are about work done twice and not about values, it is known that
//	          a history in some thousands breaks them; they are held where -claim names them.
//	wait      who has waited for wait= computes for itself
//	bounds    there are never more entries, or bytes, or outcomes of a key, than the bounds say
//	idle      what has expired is freed, also when nobody calls
//	owner     nothing is kept of an owner that has gone
//
// That no call hangs is what the bubble sees to.

// drawnResult is the result of the functions in such a history.
type drawnResult struct{ id, run int }

// drawnRun is one run of a body, or of that of an inner function that draws nothing.
type drawnRun struct {
	id             int
	call           *drawnCall
	begin, end     int // numbers in the order of everything; end 0: still running
	started, ended time.Duration
	reads          []string // the widgets with what they said, in order
	drew           string
	inner          []int // the runs whose results went in
	err            error
	gave           bool
	keep           bool // what Keep, or KeepError, says of the result
	refused        bool // the surface could not record it, or a call that it made came to nothing
}

// kept reports whether the result may be given to others than those who waited.
func (r *drawnRun) kept() bool { return r.keep && !r.refused }

// saw is what the run was made of.
func (r *drawnRun) saw() string { return strings.Join(r.reads, " ") }

// drawnCall is what one call saw.
type drawnCall struct {
	id          int
	user        int
	says        map[string]string // what the widgets say to it
	bypass      bool
	owner       *modelOwner
	began, end  int
	started, at time.Duration
	value       drawnResult
	screen      string
	err         error
	panicked    any
	exited      bool
	gone        bool // its context had ended
}

func (c *drawnCall) String() string {
	return fmt.Sprintf("call of key %d [%d,%d] from %v to %v", c.id, c.began, c.end, c.started, c.at)
}

// drawnShape is what a history is about.
type drawnShape struct {
	nested bool // the body uses the result of another function
	panel  bool // which draws too, and reads a widget
	scoped bool // each session has its own results
	owned  bool // keys belong to an owner, which goes away now and then
	lasts  bool // Configure is called, with a ttl
	tight  bool // likewise, with bounds
	fickle bool // now and then the body reads other widgets than before
}

// drawnHistory is one history in the making.
type drawnHistory struct {
	t            *testing.T
	o            DrawOptions
	shape        drawnShape
	innerTTL     time.Duration
	names        *modelNames
	outer, panel *Drawn[testKey, drawnResult]
	inner        *testFunc[drawnResult]
	owners       modelOwners
	began        time.Time
	order        atomic.Int64
	fashion      atomic.Int64 // what a fickle body goes by
	mu           sync.Mutex
	runs         []drawnRun
	calls        []*drawnCall
	events       []modelEvent
	set          []setting
	broken       []string
	configuring  sync.Mutex // held while bounds change, and are looked at
	bounds       Override
}

func (h *drawnHistory) now() time.Duration { return time.Since(h.began) }
func (h *drawnHistory) next() int          { return int(h.order.Add(1)) }

func (h *drawnHistory) breaks(claim, format string, args ...any) {
	if (claim == "one" || claim == "kept") && *onlyClaim != claim+":" {
		return // work done twice: a few of a hundred thousand histories break them, see above
	}
	h.broken = append(h.broken, claim+": "+fmt.Sprintf(format, args...))
}

// drawnModelOps are the methods of the function.
type drawnModelOps struct{ h *drawnHistory }

func (o drawnModelOps) Tags(k any) []string { return []string{o.h.names.keys[k.(*testKey).id%100]} }

func (o drawnModelOps) Session(k any) string { return k.(*testKey).name }

func (o drawnModelOps) Keep(v any) bool { return o.h.keeps(v.(*drawnResult).run) }

func (o drawnModelOps) KeepError(err error) bool {
	var e *errRun
	return !errors.As(err, &e) || o.h.keeps(e.run)
}

func (h *drawnHistory) keeps(run int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.runs[run].keep
}

// modelScreen is what a function draws to, and says what the widgets say.
type modelScreen struct {
	surface.Recorder
	surface.RequestInputs
	to io.Writer
}

func (s *modelScreen) Scope() string             { return "screen" }
func (s *modelScreen) Record() surface.Recording { return s.Open(nil) }
func (s *modelScreen) Write(p []byte) (int, error) {
	if err := s.Stream("text", "", p); err != nil {
		return 0, err
	}
	return s.to.Write(p)
}
func (s *modelScreen) Replay(t *surface.Tape) error {
	return surface.Play(t, func(e *surface.Element) ([]byte, error) { return e.Data, nil }, func(p []byte) error {
		_, err := s.to.Write(p)
		return err
	})
}

// sayings are what the widgets say; one that is not there is absent.
type sayings map[string]string

func (s sayings) Value(widget string) ([]byte, bool) {
	v, ok := s[strings.TrimPrefix(widget, inputPrefix)]
	return surface.EncodeInput([]string{v}, nil), ok
}

func newDrawnHistory(t *testing.T, seed uint64) []string {
	r := shapeSource(seed)
	one := func(in int) bool { return r.IntN(in) == 0 }
	h := &drawnHistory{t: t, names: namesOf(seed), began: time.Now(), runs: make([]drawnRun, 1, 64)}
	h.shape = drawnShape{nested: one(2), panel: one(2), scoped: one(3), owned: one(4), lasts: one(4), tight: one(6), fickle: one(8)}
	h.o = DrawOptions{Widgets: true, Options: Options{
		Func: h.names.outerF, Site: "x", Tags: []string{h.names.outer}, Session: h.shape.scoped,
		TTL:      time.Duration(r.IntN(2)*5) * modelUnit,
		ErrorTTL: time.Duration(r.IntN(2)*2) * modelUnit,
	}}
	switch r.IntN(6) {
	case 0:
		h.o.Max = 4 + r.IntN(4)
	case 1:
		h.o.MaxBytes = 4000
	case 2:
		h.o.Variants = 1 + r.IntN(2)
	}
	if one(4) {
		h.o.Wait = modelUnit
	}
	h.set = []setting{{ttl: h.o.TTL}}
	h.bounds = Override{Max: h.o.Max, MaxBytes: h.o.MaxBytes}
	defer forgetOverrides(h.names.outer)
	h.outer = NewDrawn[testKey, drawnResult](drawnModelOps{h}, h.o)
	t.Cleanup(func() { retire(t, h.outer.drawn.store) })
	if h.shape.nested {
		o := Options{Func: h.names.innerF, Site: "x", Tags: []string{h.names.inner}, TTL: time.Duration(r.IntN(2)*3) * modelUnit}
		if h.innerTTL = o.TTL; h.shape.panel {
			h.panel = NewDrawn[testKey, drawnResult](nil, DrawOptions{Options: o, Widgets: true})
			t.Cleanup(func() { retire(t, h.panel.drawn.store) })
		} else {
			h.inner = newFunc[drawnResult](t, nil, o, nil)
		}
	}
	var wg sync.WaitGroup
	for range 2 + r.IntN(5) {
		own := rand.New(rand.NewPCG(r.Uint64(), 1))
		wg.Go(func() { h.act(own) })
	}
	wg.Wait()
	time.Sleep(20 * modelUnit) // what has a ttl ends
	synctest.Wait()
	if n := h.outer.Stats().Entries; n > 0 && h.o.TTL > 0 {
		h.breaks("idle", "%d entries are left", n)
	}
	return h.judge()
}

// act makes some calls and events, one after the other.
func (h *drawnHistory) act(r *rand.Rand) {
	for range 4 + r.IntN(20) {
		time.Sleep(time.Duration(r.IntN(4)) * modelUnit / 2)
		if *jostled {
			h.outer.drawn.store.jostle(r)
		}
		dice := r.IntN(1 << 24)
		c := &drawnCall{id: 1 + r.IntN(2), user: 1 + r.IntN(2), bypass: r.IntN(32) == 0, says: sayings{}}
		for _, w := range []string{"a", "b", "p"} {
			if v := r.IntN(3); v > 0 {
				c.says[w] = fmt.Sprint(v % 2)
			}
		}
		if h.shape.scoped {
			c.id += 100 * c.user
		}
		if h.shape.owned {
			c.owner = h.owners.borrow()
			c.id += ownerID * c.owner.n
		}
		switch r.IntN(20) {
		case 0, 1, 2, 3:
			h.event(r.IntN(16), c)
		case 4:
			c.owner.giveBack()
			c.owner = nil
			h.configure(r)
			h.ownerGoes()
		default:
			ctx, cancel := context.WithCancel(WithSession(context.Background(), h.names.sessions[c.user]))
			if r.IntN(4) == 0 {
				ctx, cancel = context.WithTimeout(ctx, time.Duration(r.IntN(5))*modelUnit/2)
			}
			if c.bypass {
				ctx = Bypass(ctx)
			}
			done := make(chan struct{})
			go func() { // which may exit
				defer close(done)
				h.make(ctx, c, dice)
			}()
			<-done
			cancel()
		}
		c.owner.giveBack()
	}
}

func (h *drawnHistory) key(id int) (uint64, testKey) {
	k := testKey{id: id}
	if s := sessionOf(id); s > 0 {
		k.name = h.names.sessions[s]
	}
	return uint64(id % 2), k
}

// make makes one call.
func (h *drawnHistory) make(ctx context.Context, c *drawnCall, dice int) {
	hash, k := h.key(c.id)
	screen := &strings.Builder{}
	c.started, c.began, c.exited = h.now(), h.next(), true
	defer func() {
		if p := recover(); p != nil {
			c.panicked, c.exited = p, false
		}
		c.at, c.end = h.now(), h.next()
		c.gone, c.screen = ctx.Err() != nil, screen.String()
		h.mu.Lock()
		defer h.mu.Unlock()
		h.calls = append(h.calls, c)
	}()
	s := &modelScreen{RequestInputs: surface.RequestInputs{Inputs: sayings(c.says)}, to: screen}
	c.value, c.err = h.outer.Do(hash, k, &DrawCall{
		Ctx: ctx, Surface: s, Tags: []string{h.names.calls}, Owner: c.owner.owner(),
		Run: func(ctx context.Context, v any) error { return h.body(ctx, c, s, v.(*drawnResult), dice) },
	})
	c.exited = false
}

// start enters a run.
func (h *drawnHistory) start(c *drawnCall, id int) (run int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.runs = append(h.runs, drawnRun{id: id, call: c, begin: h.next(), started: h.now(), keep: true})
	return len(h.runs) - 1
}

// stop enters its end; change sets what came of it.
func (h *drawnHistory) stop(run int, change func(*drawnRun)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := &h.runs[run]
	change(r)
	r.ended, r.end = h.now(), h.next()
}

// body reads widgets, the next as the ones before say, and draws. It does what dice say.
func (h *drawnHistory) body(ctx context.Context, c *drawnCall, s *modelScreen, v *drawnResult, dice int) (err error) {
	run := h.start(c, c.id)
	var own drawnRun
	defer func() {
		h.stop(run, func(r *drawnRun) {
			r.reads, r.drew, r.inner, r.gave, r.refused = own.reads, own.drew, own.inner, own.gave, own.refused
			r.err, r.keep = err, dice>>12%8 != 0
		})
	}()
	draw := func(what string) error {
		own.drew += what
		_, err := io.WriteString(s, what)
		return err
	}
	read := func(widget string) string {
		v, ok := InputValues(ctx, widget)
		said := "none"
		if ok {
			said = v[0]
		}
		own.reads = append(own.reads, widget+"="+said)
		draw(widget + "=" + said + " ")
		return said
	}
	work := func(n int) error {
		d := time.Duration(n) * modelUnit / 2
		if dice&1 == 0 {
			time.Sleep(d)
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(d):
			return nil
		}
	}
	draw(fmt.Sprintf("run %d of %d: ", run, c.id))
	asks := []string{"a", "b"}
	if h.shape.fickle && h.fashion.Load()%2 == 1 {
		asks = []string{"b", "a"}
	}
	if c.id%100 == 2 {
		asks = asks[:1]
	}
	at := dice >> 1 % 3 // where the inner function is called
	if h.shape.panel {
		at = c.id % 2 // always there, since it reads a widget
	}
	for i := 0; ; i++ {
		if h.shape.nested && at == i {
			if in := h.inside(ctx, c, s, &own, dice); in > 0 {
				own.inner = append(own.inner, in)
				draw(fmt.Sprintf("inner %d ", in))
			}
		}
		if err := work(dice >> (4 + 2*i) % 4); err != nil {
			return &errRun{run, err}
		}
		if i == len(asks) {
			break
		}
		if read(asks[i]) == "1" && i == 0 {
			break // no other widget
		}
	}
	switch dice >> 16 % 32 {
	case 1, 2, 3:
		return &errRun{run, errors.New("down")}
	case 4:
		panic(&errRun{run, errors.New("thrown")})
	case 5:
		runtime.Goexit()
	case 6, 7:
		own.refused = true
		s.Refuse(errors.New("it is somebody's"))
		draw("in vain ")
		if err := work(2); err != nil {
			return &errRun{run, err}
		}
	}
	own.gave = true
	*v = drawnResult{c.id, run}
	return nil
}

// inside calls the inner function and returns the run whose result it got, or 0.
func (h *drawnHistory) inside(ctx context.Context, c *drawnCall, s *modelScreen, own *drawnRun, dice int) int {
	id := innerID + c.id%100
	hash, k := h.key(id)
	var v drawnResult
	var err error
	switch {
	case h.panel != nil:
		drew := &strings.Builder{}
		in := &modelScreen{RequestInputs: s.RequestInputs, to: io.MultiWriter(s, drew)}
		in.Within(s)
		v, err = h.panel.Do(hash, k, &DrawCall{Ctx: cmp.Or(passedOn(ctx, dice>>21), context.Background()), Surface: in, Run: func(ctx context.Context, v any) error {
			run := h.start(c, id)
			defer h.stop(run, func(r *drawnRun) { r.gave = true })
			time.Sleep(modelUnit / 2)
			said, ok := InputValues(ctx, "p")
			fmt.Fprintf(in, "panel %d: p=%v %v ", run, said, ok)
			time.Sleep(time.Duration(dice>>20%2) * modelUnit / 2)
			*v.(*drawnResult) = drawnResult{id, run}
			return nil
		}})
		said, ok := c.says["p"]
		if read := "p=" + cmp.Or(said, "none"); ok == (said != "") && !slices.Contains(own.reads, read) {
			own.reads = append(own.reads, read)
		}
		own.drew += drew.String()
		if want := fmt.Sprintf("panel %d: p=[%s] %v ", v.run, said, ok); err == nil && drew.String() != want {
			h.mu.Lock()
			h.breaks("own", "%v was shown the panel %q, not %q", c, drew, want)
			h.mu.Unlock()
		}
	case h.inner != nil:
		if dice>>23 == 0 { // as wrappers do
			if v := h.inner.Get(hash, &k); v != nil {
				return v.run
			}
		}
		v, err = h.inner.Do(hash, k, typedCall[drawnResult]{Ctx: passedOn(ctx, dice>>21), Run: func(ctx context.Context) (drawnResult, error) {
			run := h.start(c, id)
			defer h.stop(run, func(r *drawnRun) { r.gave = true })
			time.Sleep(time.Duration(1+dice>>20%2) * modelUnit / 2)
			return drawnResult{id, run}, nil
		}})
	}
	if err != nil {
		own.refused = true
		return 0
	}
	return v.run
}

// event makes results outdated.
func (h *drawnHistory) event(dice int, c *drawnCall) {
	hash, k := h.key(c.id)
	e := modelEvent{begin: h.next()}
	switch {
	case dice < 5:
		e.what, e.id = "forget", c.id
		h.outer.Forget(hash, k)
	case dice < 6:
		e.what = "clear"
		h.outer.Clear()
	case dice < 8:
		e.what, e.key = "tag", c.id%100
		h.invalidate(tagLabel, h.names.keys[e.key])
	case dice < 9:
		e.what = "site tag"
		h.invalidate(tagLabel, h.names.outer)
	case dice < 10:
		e.what = "calls' tag"
		h.invalidate(tagLabel, h.names.calls)
	case dice < 12:
		e.what, e.session = "session", c.user
		h.invalidate(sessionLabel, h.names.sessions[c.user])
	case dice < 13:
		h.fashion.Add(1)
		return
	default:
		e.what, e.inner = "inner tag", true
		h.invalidate(tagLabel, h.names.inner)
	}
	e.end = h.next()
	h.mu.Lock()
	h.events = append(h.events, e)
	h.mu.Unlock()
	h.configuring.Lock()
	defer h.configuring.Unlock()
	h.checkBounds()
}

// invalidate is Invalidate, or EndSession, of the history's functions.
func (h *drawnHistory) invalidate(kind labelKind, name string) {
	in := []*store{h.outer.drawn.store}
	if h.panel != nil {
		in = append(in, h.panel.drawn.store)
	}
	if h.inner != nil {
		in = append(in, h.inner.store)
	}
	invalidate([]label{{kind: kind, name: name}}, in...)
}

// checkBounds is called with configuring held.
func (h *drawnHistory) checkBounds() {
	b, s := h.bounds, h.outer.Stats()
	if b.Max > 0 && s.Entries > b.Max || b.MaxBytes > 0 && s.Bytes > b.MaxBytes {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.breaks("bounds", "%d entries, %d bytes of %+v", s.Entries, s.Bytes, b)
	}
}

// configure calls Configure.
func (h *drawnHistory) configure(r *rand.Rand) {
	var o Override
	if h.shape.lasts {
		o.TTL = time.Duration(r.IntN(4)*2) * modelUnit
	}
	if h.shape.tight {
		o.Max, o.MaxBytes = r.IntN(2)*(3+r.IntN(5)), int64(r.IntN(2)*(3000+r.IntN(5000)))
	}
	if o == (Override{}) {
		return
	}
	h.configuring.Lock()
	defer h.configuring.Unlock()
	h.bounds.Max, h.bounds.MaxBytes = cmp.Or(o.Max, h.bounds.Max), cmp.Or(o.MaxBytes, h.bounds.MaxBytes)
	h.mu.Lock()
	h.set = append(h.set, setting{at: h.now(), ttl: cmp.Or(o.TTL, h.set[len(h.set)-1].ttl)})
	h.mu.Unlock()
	if err := Configure(h.names.outer, o); err != nil {
		h.mu.Lock()
		h.breaks("bounds", "Configure: %v", err)
		h.mu.Unlock()
	}
	h.checkBounds()
}

// ownerGoes lets the present owner of keys go.
func (h *drawnHistory) ownerGoes() {
	if !h.shape.owned {
		return
	}
	d := &h.outer.drawn
	left := h.owners.leave(d.store, func(n *node) bool {
		return d.keyIn(pathOf(n)).(*testKey).id/ownerID == h.owners.going
	})
	if left > 0 {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.breaks("owner", "%d entries of owner %d are left", left, h.owners.going)
	}
}

// judge returns the claims that the history breaks.
func (h *drawnHistory) judge() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.calls {
		before := len(h.broken)
		h.judgeCall(c)
		if len(h.broken) > before {
			h.explain(c)
			return h.broken
		}
	}
	return h.broken
}

func (h *drawnHistory) judgeCall(c *drawnCall) {
	if h.o.Wait > 0 && !c.exited {
		own := time.Duration(0)
		for i := 1; i < len(h.runs); i++ {
			if r := &h.runs[i]; r.call == c && r.id == c.id {
				own += r.ended - r.started
			}
		}
		if c.at-c.started > h.o.Wait+own {
			h.breaks("wait", "%v took %v", c, c.at-c.started)
		}
	}
	var bad *errRun
	p, _ := c.panicked.(error)
	switch {
	case c.exited:
	case errors.As(p, &bad) || errors.As(c.err, &bad):
		r := &h.runs[bad.run]
		during := r.ended >= c.started
		kept := h.o.ErrorTTL > 0 && c.panicked == nil && c.at-r.ended < h.o.ErrorTTL
		switch {
		case r.id != c.id || !during && !kept:
			h.breaks("errors", "%v got an error of run %d that ended at %d", c, bad.run, r.end)
		case !during && !r.kept():
			h.breaks("keep", "%v got an error of run %d that is not to be kept", c, bad.run)
		case endOfContext(bad) && !c.gone:
			h.breaks("errors", "%v got another's end of context, of run %d", c, bad.run)
		}
		h.judgeResult(c, bad.run)
	case c.panicked != nil || c.err != nil:
		if c.panicked != nil || !c.gone || !endOfContext(c.err) {
			h.breaks("errors", "%v got %v, %v out of nothing", c, c.err, c.panicked)
		}
	default:
		h.judgeResult(c, c.value.run)
		h.judgeAge(c)
	}
	h.judgeKept(c)
	h.judgeOne(c)
}

// lasting reports whether what is kept stays until an event, and no call computes beside
// another for a reason of its own. With a ttl a question ends before what is reached through it.
func (h *drawnHistory) lasting() bool {
	o, s := &h.o, &h.shape
	return o.Wait == 0 && o.TTL == 0 && o.Max == 0 && o.MaxBytes == 0 && o.Variants == 0 && !s.lasts && !s.tight && !s.fickle && (!s.nested || h.innerTTL == 0)
}

// undisturbed reports whether no event has concerned the run r, and what led to it, before the
// moment until.
func (h *drawnHistory) undisturbed(r *drawnRun, until int) bool {
	for i := range h.events {
		if e := &h.events[i]; e.end > r.call.began && e.begin < until && (e.inner || h.concerns(e, r)) {
			return false
		}
	}
	return true
}

// suits reports whether the widgets say to c what they said to r.
func (r *drawnRun) suits(c *drawnCall) bool {
	for _, read := range r.reads {
		if w, said, _ := strings.Cut(read, "="); said != cmp.Or(c.says[w], "none") {
			return false
		}
	}
	return true
}

// judgeKept finds calls that had to wait although there was a result for them.
func (h *drawnHistory) judgeKept(c *drawnCall) {
	if !h.lasting() || c.bypass || c.gone || c.exited || c.at == c.started && c.err == nil && c.panicked == nil {
		return
	}
	for i := 1; i < len(h.runs); i++ {
		r := &h.runs[i]
		if r.id != c.id || !r.gave || !r.kept() || r.call.bypass || r.call.gone || r.ended >= c.started || !r.suits(c) {
			continue
		}
		if !h.undisturbed(r, c.end) || h.caughtUp(r) {
			continue
		}
		h.breaks("kept", "%v was not served at once, although there was the result of run %d", c, i)
		return
	}
}

// caughtUp reports whether the run r may have come to where another was at work already: while
// that is there, nobody can wait for r, and what r asks there is not kept.
func (h *drawnHistory) caughtUp(r *drawnRun) bool {
	for i := 1; i < len(h.runs); i++ {
		if o := &h.runs[i]; o.id == r.id && o.begin < r.begin && o.ended >= r.started && !o.call.bypass && (len(o.reads) == 0 || o.reads[0] == r.reads[0]) {
			return true
		}
	}
	return false
}

// judgeOne finds runs of c that went on beside one that c could have waited for.
func (h *drawnHistory) judgeOne(c *drawnCall) {
	if !h.lasting() || c.bypass {
		return
	}
	for i := 1; i < len(h.runs); i++ {
		own := &h.runs[i]
		if own.call != c || own.id != c.id {
			continue
		}
		for j := 1; j < len(h.runs); j++ {
			r := &h.runs[j]
			if r.id != c.id || r.call == c || r.call.bypass || r.refused || r.started >= own.started || r.ended <= own.started || len(r.reads) == 0 || !r.suits(c) || !r.gave && !maps.Equal(r.call.says, c.says) {
				continue
			}
			if !h.undisturbed(r, own.begin) || h.caughtUp(r) {
				continue
			}
			h.breaks("one", "%v computed in run %d, beside run %d", c, i, j)
		}
	}
}

// judgeResult judges a result of the run, value or error, that c got.
func (h *drawnHistory) judgeResult(c *drawnCall, run int) {
	if run < 1 || run >= len(h.runs) {
		h.breaks("own", "%v got %v", c, c.value)
		return
	}
	r := &h.runs[run]
	if r.id != c.id || c.err == nil && c.panicked == nil && c.value.id != c.id || c.panicked == nil && c.screen != r.drew {
		h.breaks("own", "%v got %v of key %d and was shown %q, not %q", c, c.value, r.id, c.screen, r.drew)
	}
	for _, read := range r.reads {
		w, said, _ := strings.Cut(read, "=")
		if own := cmp.Or(c.says[w], "none"); own != said {
			h.breaks("own", "%v got the result of run %d, which saw %s, and to this call it is %s", c, run, read, own)
		}
	}
	if r.call != c && (r.call.bypass || c.bypass) {
		h.breaks("own", "%v got the result of run %d, and one of the two went past the cache", c, run)
	}
	for i := range h.events {
		e := &h.events[i]
		if e.end > c.began {
			continue
		}
		if !e.inner {
			if r.begin < e.begin && h.concerns(e, r) {
				h.breaks("events", "%v got the result of run %d, begun at %d, before the %s [%d,%d]", c, run, r.begin, e.what, e.begin, e.end)
			}
			continue
		}
		for _, in := range r.inner {
			if begin := h.runs[in].begin; begin < e.begin {
				h.breaks("nested", "%v got the result of run %d, made of run %d, begun at %d, before the %s [%d,%d]", c, run, in, begin, e.what, e.begin, e.end)
			}
		}
	}
}

func (h *drawnHistory) concerns(e *modelEvent, r *drawnRun) bool {
	return (e.id == 0 || e.id == r.id) && (e.key == 0 || e.key == r.id%100) && (e.session == 0 || e.session == sessionOf(r.id))
}

// judgeAge judges the age of the value that c got, and whether it was for others.
func (h *drawnHistory) judgeAge(c *drawnCall) {
	if c.value.run < 1 || c.value.run >= len(h.runs) {
		return
	}
	r := &h.runs[c.value.run]
	age := c.started - r.ended
	_, then := lifetimes(h.set, r.ended, r.ended)
	if then.ttl < never && age >= then.ttl {
		h.breaks("fresh", "%v got the value of run %d, %v old", c, c.value.run, age)
	}
	for _, in := range r.inner {
		if old := c.started - h.runs[in].ended; h.innerTTL > 0 && age > 0 && old >= h.innerTTL {
			h.breaks("nested", "%v got a value made of that of run %d, %v old", c, in, old)
		}
	}
	if age > 0 && !r.kept() {
		h.breaks("keep", "%v got the value of run %d, which is not to be kept", c, c.value.run)
	}
	if age <= 0 {
		return
	}
	for _, o := range h.calls {
		if o.value.run < 1 || o.end >= c.began {
			continue
		}
		// o got from the cache, before c began, the value of a run that was begun after r
		if n := &h.runs[o.value.run]; n.id == r.id && n.saw() == r.saw() && n.started > r.started && n.ended < o.started {
			h.breaks("newer", "%v got the value of run %d, after %v got that of run %d", c, c.value.run, o, o.value.run)
		}
	}
}

// explain adds all that was known of the call's key.
func (h *drawnHistory) explain(c *drawnCall) {
	say := func(format string, args ...any) { h.broken = append(h.broken, fmt.Sprintf("  "+format, args...)) }
	say("%+v", h.o)
	say("%+v, inner ttl %v", h.shape, h.innerTTL)
	say("%+v", *c)
	for i := 1; i < len(h.runs); i++ {
		if r := h.runs[i]; r.id == c.id || r.id == innerID+c.id%100 {
			by := r.call
			r.call = nil
			say("run %d: %+v, for %v", i, r, by)
		}
	}
	for _, e := range h.events {
		say("%+v", e)
	}
	say("configured: %+v", h.set)
}

// TestDrawnModel makes random histories of functions that draw and holds them to the model.
func TestDrawnModel(t *testing.T) {
	makeHistories(t, 3000, newDrawnHistory, func(uint64) bool { return false })
}

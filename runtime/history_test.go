package cachert

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var (
	histories = flag.Int("histories", 0, "how many histories the model check makes; 0: as many as usual")
	firstSeed = flag.Uint64("seed", 0, "seed of the first history; 0: random")
	jostled   = flag.Bool("jostle", false, "change the sizes of tables at random; a history in some ten thousands then breaks a claim about work done twice (one, two, kept)")
	onlyClaim = flag.String("claim", "", "the one claim that histories are held to; empty: all")
)

// shape is what a history is about. What the options of the function can say is there.
type shape struct {
	resource  bool // values have a release
	plain     bool // the function takes no context
	nested    bool // it uses the result of another cached function
	cyclic    bool // and that one sometimes uses its result
	lends     bool // and that one's values have a release
	scoped    bool // each session has its own results
	personal  bool // it may read a value of its caller's context, or a session's result
	validated bool // some calls validate
	shutdown  bool // somebody calls Shutdown
	sharp     bool // calls like to fall on the very moment of an expiry
	owned     bool // keys belong to an owner, which goes away now and then
	lasts     bool // Configure is called, with a ttl and a stale
	tight     bool // likewise, with bounds
}

func shapeOf(r *rand.Rand) (s shape) {
	one := func(in int) bool { return r.IntN(in) == 0 }
	s = shape{
		resource: one(3), plain: one(5), nested: one(3), cyclic: one(3), scoped: one(3),
		personal: one(8), validated: one(4), shutdown: one(16), sharp: one(3),
	}
	s.nested = s.nested && !s.resource
	s.cyclic = s.cyclic && s.nested && !s.scoped
	s.personal = s.personal && !s.plain && !s.scoped && !s.cyclic
	s.lends = one(2) && s.nested && !s.cyclic && !s.personal
	s.owned = one(4) && !s.nested && !s.personal
	s.lasts, s.tight = one(4), one(6)
	return s
}

func (s shape) options(r *rand.Rand) Options {
	o := Options{
		Detach: r.IntN(2) == 0, TrackContext: s.personal, Session: s.scoped,
		TTL:      time.Duration(r.IntN(2)*4) * modelUnit,
		ErrorTTL: time.Duration(r.IntN(2)*2) * modelUnit,
		Grace:    time.Duration(r.IntN(3)) * modelUnit / 2,
	}
	if o.TTL > 0 {
		o.Stale = time.Duration(r.IntN(2)*3) * modelUnit
		o.Jitter = float64(r.IntN(4)/3) / 2
	}
	switch r.IntN(4) {
	case 0:
		o.Max = 2
	case 1:
		o.MaxBytes = 2000
	}
	switch r.IntN(8) {
	case 0:
		o.Wait = modelUnit
	case 1:
		o.Timeout = modelUnit
	}
	return o
}

// innerID is added to the id of a key to make that of the inner function's.
const innerID = 1000

// sessionOf returns the number of the session that the key id belongs to, if any.
func sessionOf(id int) int { return id % innerID / 100 }

// ownerID times the number of its owner is added to the id of a key that has one.
const ownerID = 10_000

// modelNames are the names of tags and sessions, for no other history to have them.
type modelNames struct {
	keys     [4]string // tags
	sessions [3]string
	outer    string // tag of the function
	inner    string // likewise
	calls    string // tag that the calls give
	outerF   string
	innerF   string
}

func namesOf(seed uint64) *modelNames {
	p := fmt.Sprintf("%x:", seed)
	n := &modelNames{outer: p + "outer", inner: p + "inner", calls: p + "calls", outerF: p + "f", innerF: p + "g"}
	for i := range n.keys {
		n.keys[i] = fmt.Sprint(p, "key", i)
	}
	for i := range n.sessions {
		n.sessions[i] = fmt.Sprint(p, "session", i)
	}
	return n
}

// modelOps are the methods of the function.
type modelOps struct {
	m     *model
	names *modelNames
}

func (o modelOps) Tags(k *testKey) []string { return []string{o.names.keys[k.id%100]} }

func (o modelOps) Session(k *testKey) string { return k.name }

func (o modelOps) Keep(v **modelValue) bool {
	o.m.mu.Lock()
	defer o.m.mu.Unlock()
	return o.m.runs[(*v).run].keep
}

func (o modelOps) KeepError(err error) bool {
	var e *errRun
	if !errors.As(err, &e) {
		return true
	}
	o.m.mu.Lock()
	defer o.m.mu.Unlock()
	return o.m.runs[e.run].keep
}

func (o modelOps) Size(v **modelValue) int64 {
	if *v == nil {
		return 0
	}
	return int64((*v).run%3) * 300
}

type modelDataOps struct{ modelOps }

func (modelDataOps) Copy(v **modelValue) *modelValue {
	if *v == nil {
		return nil
	}
	w := **v
	return &w
}

type modelResourceOps struct{ modelOps }

func (o modelResourceOps) Release(v **modelValue) {
	o.m.mu.Lock()
	defer o.m.mu.Unlock()
	r := &o.m.runs[(*v).run]
	r.released++
	r.releasedAt = o.m.now()
}

// innerOps are those of the inner function, which draws nothing of the above.
type innerOps struct{}

func (innerOps) Copy(v **modelValue) *modelValue { return modelDataOps{}.Copy(v) }

func (innerOps) Session(k *testKey) string { return k.name }

// lentOps are those of an inner function that gives resources.
type lentOps struct{ m *model }

func (o lentOps) Release(v **modelValue) { modelResourceOps{modelOps{m: o.m}}.Release(v) }

// A history is a model in the making and what makes it.
type history struct {
	*model
	names        *modelNames
	outer, inner *testFunc[*modelValue]
	owners       modelOwners

	configuring sync.Mutex // held while bounds change, and are looked at
	bounds      Override   // that count
}

// shapeSource is the source of randomness of a history.
func shapeSource(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x9e3779b9)) }

// newHistory makes one history and returns the claims that it breaks.
func newHistory(t *testing.T, seed uint64) []string {
	r := shapeSource(seed)
	m := &model{runs: make([]modelRun, 1, 64), running: map[int]int{}, began: time.Now(), shape: shapeOf(r)}
	m.o = m.shape.options(r)
	h := &history{model: m, names: namesOf(seed)}
	m.o.Func, m.o.Tags = h.names.outerF, []string{h.names.outer}
	m.set = []setting{{ttl: m.o.TTL, stale: m.o.Stale}}
	h.bounds = Override{Max: m.o.Max, MaxBytes: m.o.MaxBytes}
	defer forgetOverrides(h.names.outer)
	ops := modelOps{m, h.names}
	if m.shape.resource {
		h.outer = newFunc[*modelValue](t, modelResourceOps{ops}, m.o, nil)
	} else {
		h.outer = newFunc[*modelValue](t, modelDataOps{ops}, m.o, nil)
	}
	if m.shape.nested || m.shape.personal {
		m.innerTTL = time.Duration(r.IntN(2)*3) * modelUnit
		var ops any = innerOps{}
		if m.shape.lends {
			ops = lentOps{m}
		}
		h.inner = newFunc[*modelValue](t, ops, Options{Func: h.names.innerF, Grace: m.innerGrace(), Tags: []string{h.names.inner}, TTL: m.innerTTL, Session: m.shape.personal}, nil)
	}
	var wg sync.WaitGroup
	for range 2 + r.IntN(5) {
		own := rand.New(rand.NewPCG(r.Uint64(), 1))
		wg.Go(func() { h.act(own) })
	}
	if m.shape.shutdown {
		down := time.Duration(r.IntN(20)) * modelUnit / 2
		patience := time.Duration(r.IntN(6)) * modelUnit
		wg.Go(func() {
			time.Sleep(down)
			h.shutDown(patience)
		})
	}
	wg.Wait()
	time.Sleep(20 * modelUnit) // what runs behind or alone ends, and what has a ttl
	synctest.Wait()
	if n := h.outer.Stats().Entries; n > 0 && (m.o.TTL > 0 || m.shape.shutdown) {
		m.breaks("idle", "%d entries of %+v are left", n, m.o)
	}
	h.outer.Clear()
	if h.inner != nil {
		h.inner.Clear()
	}
	time.Sleep(2 * modelUnit)
	synctest.Wait()
	return m.judge()
}

// act makes some calls, one after the other.
func (h *history) act(r *rand.Rand) {
	var expiry time.Duration // of a value that it was given
	for range 4 + r.IntN(20) {
		pause := time.Duration(r.IntN(4)) * modelUnit / 2
		if d := expiry - h.now(); h.shape.sharp && d > 0 && d < 8*modelUnit && r.IntN(2) == 0 {
			pause = d
		}
		time.Sleep(pause)
		if *jostled {
			h.outer.store.jostle(r)
		}
		key, dice, what := 1+r.IntN(3), r.IntN(1<<24), r.IntN(100)
		c := &modelCall{id: key, user: 1 + r.IntN(2), validates: h.shape.validated && r.IntN(2) == 0}
		if h.shape.scoped {
			c.id += 100 * c.user
		}
		if h.shape.owned && what < 80 {
			owner := h.owners.borrow()
			c.id, c.owner = c.id+ownerID*owner.n, owner
		}
		c.bypass = !h.shape.plain && r.IntN(32) == 0
		if what >= 80 {
			switch dice % 8 {
			case 0:
				h.configure(r)
			case 1:
				h.ownerGoes()
			case 2:
				h.overtake(key, c.user)
			default:
				h.event(what-80, key, c.user)
			}
			continue
		}
		ctx, cancel := h.context(r, c)
		hold := time.Duration(r.IntN(3)) * modelUnit
		if !mayExit(dice) {
			h.make(ctx, c, what, dice, hold)
		} else {
			done := make(chan struct{})
			go func() {
				defer close(done)
				h.make(ctx, c, what, dice, hold)
			}()
			<-done
		}
		cancel()
		c.owner.giveBack()
		if v := c.value; v.run > 0 && h.o.TTL > 0 {
			h.mu.Lock()
			expiry = h.runs[v.run].ended + h.o.TTL
			h.mu.Unlock()
			if dice&1 == 0 {
				expiry += h.o.Stale
			}
		}
	}
}

// context returns the context of c.
func (h *history) context(r *rand.Rand, c *modelCall) (context.Context, context.CancelFunc) {
	if h.shape.plain {
		return nil, func() {}
	}
	ctx := context.WithValue(WithSession(context.Background(), h.names.sessions[c.user]), userKey("user"), c.user)
	if c.bypass {
		ctx = Bypass(ctx)
	}
	if r.IntN(4) == 0 {
		return context.WithTimeout(ctx, time.Duration(r.IntN(3))*modelUnit)
	}
	return context.WithCancel(ctx)
}

func (h *history) key(id int) (uint64, testKey) {
	k := testKey{id: id}
	if s := sessionOf(id); s > 0 {
		k.name = h.names.sessions[s]
	}
	return uint64(id % 2), k // chains of several
}

// make makes one call of the outer function.
func (h *history) make(ctx context.Context, c *modelCall, what, dice int, hold time.Duration) {
	hash, k := h.key(c.id)
	h.mu.Lock()
	c.alone = c.bypass || h.shutdown != nil
	c.started, c.began, c.exited = h.now(), h.next(), true
	h.mu.Unlock()
	ended := func() {
		if c.end == 0 {
			c.at, c.end = h.now(), h.next()
		}
	}
	defer func() {
		if p := recover(); p != nil {
			c.panicked, c.exited = p, false
			if p == errValidation {
				c.inValidation = true
			}
		}
		ended()
		c.gone = ctx != nil && ctx.Err() != nil
		h.mu.Lock()
		defer h.mu.Unlock()
		h.calls = append(h.calls, c)
	}()
	got := func(v *modelValue, err error) {
		ended()
		c.err, c.exited = err, false
		if err != nil {
			return
		}
		if c.value = *v; !h.shape.resource {
			*v = modelValue{-1, -1, -1, -1, -1, -1} // it is the caller's own
			h.mu.Lock()
			given := c.given
			h.mu.Unlock()
			if given != nil && (given.run == c.value.run || given.run < 0) {
				if *given != c.value {
					h.mu.Lock()
					h.breaks("own", "a caller changed the value of the body of run %d", c.value.run)
					h.mu.Unlock()
				}
				*given = modelValue{-2, -2, -2, -2, -2, -2} // a package variable, say
			}
		}
	}
	call := h.call(ctx, c, c.id, dice)
	switch {
	case what < 20 && h.shape.resource:
		c.what = "acquire"
		v, done, err := h.outer.Acquire(hash, k, call)
		if c.acquired = true; err != nil {
			got(v, err)
			done()
			return
		}
		got(v, err)
		time.Sleep(hold)
		h.mu.Lock()
		if h.runs[v.run].released != 0 {
			h.breaks("release", "run %d's value was released while it was acquired", v.run)
		}
		h.mu.Unlock()
		c.handedBack = h.now()
		done()
		done()
	case what < 60:
		c.what = "load"
		if !c.validates && h.o.ErrorTTL == 0 {
			var v **modelValue
			if ctx == nil {
				v = h.outer.Get(hash, &k)
			} else {
				v = h.outer.GetCtx(ctx, hash, &k)
			}
			if v != nil {
				w := *v
				if !h.shape.resource {
					w = modelDataOps{}.Copy(v)
				}
				got(w, nil)
				return
			}
		}
		got(h.outer.Do(hash, k, call))
	case what < 68:
		c.what = "refresh"
		c.validates = false
		got(h.outer.Refresh(hash, k, call))
	default:
		c.what = "peek"
		c.exited, c.validates, c.bypass = false, false, false
		if v, ok := h.outer.Peek(hash, k); ok {
			got(v, nil)
		}
	}
}

func mayExit(dice int) bool { return dice>>8%32 == 5 || dice>>13%16 == 3 }

var errValidation = errors.New("a validation that panics")

// call is what the generated wrapper would hand over.
func (h *history) call(ctx context.Context, c *modelCall, id, dice int) typedCall[*modelValue] {
	since := h.now()
	call := typedCall[*modelValue]{
		Ctx: ctx, Tags: []string{h.names.calls}, Owner: c.owner.owner(),
		Run: func(ctx context.Context) (*modelValue, error) { return h.body(ctx, c, id, dice, since) },
	}
	if c.validates {
		call.Validate = func(_ context.Context, v **modelValue) (good bool, err error) {
			run := (*v).run
			if !h.shape.resource && (*v).again != run {
				return false, nil
			}
			if dice>>17%2 == 0 {
				time.Sleep(modelUnit / 2)
			}
			c.refused = append(c.refused, run)
			switch dice >> 13 % 16 {
			case 0, 1:
				return false, nil
			case 2:
				return true, errors.New("no answer")
			case 3:
				c.inValidation = true
				runtime.Goexit()
			case 4:
				panic(errValidation)
			}
			c.approved, c.refused = run, c.refused[:len(c.refused)-1]
			return true, nil
		}
	}
	return call
}

// body is the outer function. It does what dice say: it takes its time, honours its
// context or not, and ends in one of all ways.
func (h *history) body(ctx context.Context, c *modelCall, id, dice int, since time.Duration) (_ *modelValue, err error) {
	obeys := dice&64 != 0 && ctx != nil
	run := h.start(c, id, since, obeys)
	v := &modelValue{id: id, run: run, again: run}
	left, gave := true, false
	defer func() {
		h.stop(run, func(r *modelRun) {
			r.inner, r.user, r.err, r.left, r.gave = v.inner, v.user, err, left, gave
			r.keep = dice>>16%8 != 0
		})
	}()
	if h.shape.nested || h.shape.personal && dice&256 != 0 {
		if v.holds, err = h.inside(ctx, c, id, dice); err != nil {
			return nil, &errRun{run, err}
		}
		v.inner = v.holds
	}
	if h.shape.personal {
		switch {
		case v.inner != 0: // it is the session's
			v.user = c.user
		case dice&128 != 0:
			v.user, _ = ctx.Value(userKey("user")).(int)
		}
	}
	d := time.Duration(dice%3) * modelUnit
	if obeys {
		select {
		case <-ctx.Done():
			return nil, &errRun{run, ctx.Err()}
		case <-time.After(d):
		}
	} else if d > 0 {
		time.Sleep(d)
	}
	switch dice >> 8 % 32 {
	case 1, 2, 3:
		left = ctx != nil && ctx.Err() != nil
		return nil, &errRun{run, errors.New("down")}
	case 4:
		left = false
		panic(&errRun{run, errors.New("thrown")})
	case 5:
		runtime.Goexit()
	}
	h.mu.Lock()
	left, gave = c.cut && ctx != nil && ctx.Err() != nil, true
	c.given = v
	h.mu.Unlock()
	return v, nil
}

// inside calls the inner function and returns the run whose value it got, and an error if
// the call would wait for itself.
func (h *history) inside(ctx context.Context, c *modelCall, id, dice int) (run int, cycle error) {
	hash, k := h.key(id)
	k.id += innerID
	if h.shape.personal {
		k.name = h.names.sessions[c.user]
		if dice>>19%2 == 0 {
			ctx = Bypass(ctx)
		}
	}
	ctx = passedOn(ctx, dice>>20)
	if dice>>22%2 == 0 { // as wrappers do
		get := func() **modelValue { return h.inner.Get(hash, &k) }
		if ctx != nil {
			get = func() **modelValue { return h.inner.GetCtx(ctx, hash, &k) }
		}
		if v := get(); v != nil {
			return (*v).run, nil
		}
	}
	since := h.now()
	v, err := h.inner.Do(hash, k, typedCall[*modelValue]{Ctx: ctx, Run: func(ctx context.Context) (*modelValue, error) {
		id := k.id + 100*c.user
		if !h.shape.personal {
			id = k.id
		}
		run := h.start(c, id, since, false)
		defer h.stop(run, func(r *modelRun) { r.gave = true })
		time.Sleep(modelUnit / 2)
		if h.shape.cyclic && dice>>17%2 == 0 {
			if err := h.corner(ctx, c, sessionOf(id%innerID), dice); err != nil {
				return nil, err
			}
		}
		return &modelValue{id: id, run: run, again: run}, nil
	}})
	if errors.As(err, new(*CycleError)) {
		return 0, err
	}
	if err != nil {
		return 0, nil
	}
	return v.run, nil
}

// passedOn returns the context that a body calls another function with: its own, ctx, or one
// that has nothing of it, or none. The result counts for that of the body all the same. A call
// that goes past the cache has all those inside of it do so.
func passedOn(ctx context.Context, dice int) context.Context {
	switch {
	case ctx == nil || dice%2 == 0 || callOf(ctx).bypasses():
		return ctx
	case dice>>1%2 == 0:
		return context.Background()
	}
	return nil
}

// corner calls the outer function from the inner one, for the same key or for another, and
// returns an error if the call would wait for itself.
func (h *history) corner(ctx context.Context, c *modelCall, session, dice int) (cycle error) {
	defer func() { recover() }() // of the computation that it waited for
	around := &modelCall{what: "nested", id: 1 + dice>>18%3 + 100*session, user: c.user, bypass: c.bypass, alone: c.alone}
	hash, k := h.key(around.id)
	_, err := h.outer.Do(hash, k, h.call(ctx, around, around.id, dice%3|3<<16))
	if errors.As(err, new(*CycleError)) {
		return err
	}
	if endOfContext(err) {
		h.mu.Lock()
		c.cut = true
		h.mu.Unlock()
	}
	return nil
}

// event makes results outdated.
func (h *history) event(dice, key, user int) {
	id := key
	if h.shape.scoped {
		id += 100 * user
	}
	if h.shape.owned {
		owner := h.owners.borrow()
		defer owner.giveBack()
		id += ownerID * owner.n
	}
	hash, k := h.key(id)
	e := modelEvent{begin: h.next()}
	switch {
	case dice < 4 && h.shape.owned: // nothing is primed for an owner
		return
	case dice < 4:
		h.prime(hash, k, id)
		return
	case dice < 10:
		e.what, e.id = "forget", id
		h.outer.Forget(hash, k)
	case dice < 12:
		e.what = "clear"
		h.outer.Clear()
	case dice < 14:
		e.what, e.key = "tag", key
		h.invalidate(tagLabel, h.names.keys[key])
	case dice < 15:
		e.what = "site tag"
		h.invalidate(tagLabel, h.names.outer)
	case dice < 16:
		e.what, e.calls = "calls' tag", true
		h.invalidate(tagLabel, h.names.calls)
	case dice < 18:
		e.what, e.session = "session", user
		h.invalidate(sessionLabel, h.names.sessions[user])
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

// invalidate is Invalidate, or EndSession, of the history's functions: those of others live in
// other bubbles, where it is another time.
func (h *history) invalidate(kind labelKind, name string) {
	in := []*store{h.outer.store}
	if h.inner != nil {
		in = append(in, h.inner.store)
	}
	invalidate([]label{{kind: kind, name: name}}, in...)
}

// checkBounds is called with configuring held.
func (h *history) checkBounds() {
	b, s := h.bounds, h.outer.Stats()
	if b.Max > 0 && s.Entries > b.Max || b.MaxBytes > 0 && s.Bytes > b.MaxBytes {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.breaks("bounds", "%d entries, %d bytes of %+v", s.Entries, s.Bytes, b)
	}
}

// configure calls Configure, as an operator would who has changed his mind.
func (h *history) configure(r *rand.Rand) {
	var o Override
	if h.shape.lasts {
		o.TTL, o.Stale = time.Duration(r.IntN(4)*2)*modelUnit, time.Duration(r.IntN(3)*2)*modelUnit
	}
	if h.shape.tight {
		o.Max, o.MaxBytes = r.IntN(4), int64(r.IntN(2)*h.sizes()*(200+r.IntN(800)))
	}
	if o == (Override{}) {
		return
	}
	h.configuring.Lock()
	defer h.configuring.Unlock()
	h.mu.Lock()
	now := h.set[len(h.set)-1]
	h.mu.Unlock()
	refused := o.Stale > 0 && (h.o.Stale == 0 && !h.o.Detach || o.TTL == 0 && now.ttl == 0)
	if now.at = h.now(); !refused {
		now.ttl, now.stale = cmp.Or(o.TTL, now.ttl), cmp.Or(o.Stale, now.stale)
		h.bounds.Max, h.bounds.MaxBytes = cmp.Or(o.Max, h.bounds.Max), cmp.Or(o.MaxBytes, h.bounds.MaxBytes)
	}
	h.mu.Lock()
	h.set = append(h.set, now)
	h.mu.Unlock()
	if err := Configure(h.names.outer, o); (err != nil) != refused {
		h.mu.Lock()
		h.breaks("bounds", "Configure(%+v) of %+v: %v", o, h.o, err)
		h.mu.Unlock()
	}
	h.checkBounds()
}

// sizes is 1 where values have a size, and else 0.
func (h *history) sizes() int {
	if h.outer.store.front.bytes != nil {
		return 1
	}
	return 0
}

// forgetOverrides takes back what Configure was told of a name.
func forgetOverrides(name string) {
	stores.Lock()
	defer stores.Unlock()
	kept := overrides[:0:0]
	for _, o := range overrides {
		if o.name != name {
			kept = append(kept, o)
		}
	}
	overrides = kept
}

// overtake calls the inner function and makes its result outdated at once, while those who
// waited for it are being woken up.
func (h *history) overtake(key, user int) {
	if !h.shape.nested {
		return
	}
	around := &modelCall{what: "nested", id: key, user: user}
	if h.shape.scoped {
		around.id += 100 * user
	}
	h.mu.Lock()
	around.alone = h.shutdown != nil
	h.mu.Unlock()
	h.inside(WithSession(context.Background(), h.names.sessions[user]), around, around.id, 1<<17) // and it calls nothing
	h.event(19, key, user)
}

// ownerGoes lets the present owner of keys go, as the garbage collector would.
func (h *history) ownerGoes() {
	if !h.shape.owned {
		return
	}
	left := h.owners.leave(h.outer.store, func(n *node) bool {
		return (*testKey)(keyIn(n)).id/ownerID == h.owners.going
	})
	if left > 0 {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.breaks("owner", "%d entries of owner %d are left", left, h.owners.going)
	}
}

// modelOwners are the instances whose methods are called: one at a time, which the
// next follows.
type modelOwners struct {
	mu      sync.Mutex
	present *modelOwner
	leaving sync.Mutex
	going   int // under leaving
}

// modelOwner is one of them. Who holds an Owner of it keeps it from going.
type modelOwner struct {
	*modelOwners
	n     int
	users int
	drops []func()
}

// borrow returns the present one.
func (o *modelOwners) borrow() *modelOwner {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.present == nil {
		o.present = &modelOwner{modelOwners: o, n: o.going + 1}
	}
	o.present.users++
	return o.present
}

func (o *modelOwner) giveBack() {
	if o != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.users--
	}
}

func (o *modelOwner) owner() *Owner {
	if o == nil {
		return nil
	}
	return &Owner{ref: o, attach: func(drop func()) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.drops = append(o.drops, drop)
	}}
}

// leave lets the present one go when nobody has it any more, and returns how many entries of s
// are left of it.
func (o *modelOwners) leave(s *store, of func(*node) bool) (left int) {
	if !o.leaving.TryLock() {
		return 0
	}
	defer o.leaving.Unlock()
	o.mu.Lock()
	going := o.present
	o.present = nil
	if going != nil {
		o.going = going.n
	}
	o.mu.Unlock()
	if going == nil {
		return 0
	}
	for held := true; held; time.Sleep(modelUnit / 2) { // once more, for what a flight does at its end
		o.mu.Lock()
		held = going.users > 0
		o.mu.Unlock()
		s.mu.Lock()
		for _, f := range s.flights {
			for ; f != nil; f = f.next {
				held = held || f.rare != nil && f.rare.owner != nil && f.rare.owner.ref == any(going)
			}
		}
		s.mu.Unlock()
	}
	for _, drop := range going.drops {
		drop()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range []*queue{&s.policy.small, &s.policy.main} {
		for n := q.oldest; n != nil; n = n.newer {
			if of(n) {
				left++
			}
		}
	}
	return left
}

// prime makes an event that begins with it, and a run that ends with it.
func (h *history) prime(hash uint64, k testKey, id int) {
	h.mu.Lock()
	run, now := len(h.runs), h.now()
	h.runs = append(h.runs, modelRun{id: id, begin: math.MaxInt, started: now, ended: now, gave: true, keep: true})
	h.mu.Unlock()
	e := modelEvent{what: "prime", id: id, run: run, begin: h.next()}
	v := &modelValue{id: id, run: run, again: run}
	h.outer.Prime(hash, k, v)
	if !h.shape.resource {
		v.run = -1
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	e.end = h.next()
	h.runs[run].begin, h.runs[run].end = e.end, e.end
	h.events = append(h.events, e)
}

// shutDown ends all caches. No other history runs meanwhile.
func (h *history) shutDown(patience time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	h.mu.Lock()
	h.downAt[0] = h.now()
	h.shutdown = &modelEvent{begin: h.next()}
	h.mu.Unlock()
	err := Shutdown(ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.downErr = err
	h.downAt[1] = h.now()
	h.shutdown.end = h.next()
}

// makeHistories makes random histories, several at a time, and judges them: usually so many.
// one makes one, and single says that no other may be made meanwhile.
func makeHistories(t *testing.T, usual int64, one func(*testing.T, uint64) []string, single func(seed uint64) bool) {
	n := int64(*histories)
	switch {
	case n > 0:
	case testing.Short():
		n = 100
	case raceEnabled:
		n = 500
	default:
		n = usual
	}
	seed := *firstSeed
	if seed == 0 {
		seed = rand.Uint64N(1 << 40)
	}
	oldLogf, oldLimit := logf, refreshLimit
	logf = func(string, ...any) {}
	refreshLimit = 1 << 20
	t.Cleanup(func() { logf, refreshLimit = oldLogf, oldLimit })
	var made atomic.Int64
	var alone sync.RWMutex // Shutdown is of all caches
	t.Run("histories", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for i := made.Add(1) - 1; i < n && !t.Failed(); i = made.Add(1) - 1 {
					if broken := oneHistory(t, seed+uint64(i), one, single, &alone); breaksAny(broken, *onlyClaim) {
						made.Store(n)
						t.Errorf("history %d (-seed=%d) breaks the model:\n\t%s", i, seed+uint64(i), strings.Join(broken[:min(len(broken), 60)], "\n\t"))
					}
				}
			})
		}
	})
	t.Logf("%d histories from -seed=%d", n, seed)
}

// breaksAny reports whether one of the claims that a history breaks is meant.
func breaksAny(broken []string, claim string) bool {
	return slices.ContainsFunc(broken, func(b string) bool { return strings.HasPrefix(b, claim) })
}

// oneHistory makes the history of a seed in a bubble.
func oneHistory(t *testing.T, seed uint64, one func(*testing.T, uint64) []string, single func(seed uint64) bool, alone *sync.RWMutex) (broken []string) {
	defer func() {
		if p := recover(); p != nil {
			broken = append(broken, fmt.Sprint("hangs: ", p))
		}
	}()
	if single(seed) {
		alone.Lock()
		defer alone.Unlock()
		defer stopped.Store(false)
	} else {
		alone.RLock()
		defer alone.RUnlock()
	}
	synctest.Test(t, func(t *testing.T) { broken = one(t, seed) })
	return broken
}

package cachetest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"github.com/cachegen/cachegen/internal/isolate"
	cachert "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/runtime/value"
)

var (
	stormOps  = flag.Int("storm", 200_000, "how many operations the storm of calls and events makes")
	stormSeed = flag.Uint64("storm-seed", 0, "what the storm is drawn from; 0: another each time")
)

// TestStorm makes calls and events from 64 goroutines at once, of a few keys: of functions
// that draw with widgets, that run on their caller's goroutine and apart from it, that use
// another's result, that are given up at wait=, refreshed, cancelled, fail and panic, belong to
// sessions or to owners that go, and give resources with a release, which several keys share.
// Their bounds are configured meanwhile. Each value says how many events had begun when it was
// begun, so that each caller can tell whether it is older than an event which was complete
// before the call; and whose it is. By hand, for longer:
//
//	go test ./cache/cachetest -run Storm -storm 10000000 -timeout 0
func TestStorm(t *testing.T) {
	Isolate(t)
	log.SetOutput(io.Discard) // of those who wait in vain
	defer log.SetOutput(os.Stderr)
	seed := *stormSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	ops := int64(*stormOps)
	if testing.Short() {
		ops /= 20
	}
	s := newStorm(t)
	var made atomic.Int64
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(g)))
			for made.Add(1) <= ops && !t.Failed() {
				s.step(r)
			}
		})
	}
	wg.Wait()
	s.end()
	if t.Failed() {
		t.Logf("-storm-seed=%d, %d operations", seed, made.Load())
	}
}

const (
	stormKeys     = 4
	stormSessions = 3
	stormSome     = "storm:some" // a constant tag of some functions
)

func stormTag(k int) string     { return "storm:" + strconv.Itoa(k) }
func stormKey(k int) key        { return key{string(rune('a' + k))} }
func stormSession(s int) string { return "session" + strconv.Itoa(s) }

// stormValue is what functions of the storm return: which events had begun when it was begun, and
// when what it was made with was; and whose it is.
type stormValue struct {
	own, inner int64
	k          int
	session    string
	owner      int64
	conn       *stormConn
	mark       []int64 // the caller's own
}

func (o *stormValue) String() string {
	return fmt.Sprintf("%d:%d:%d:%s", o.own, o.inner, o.k, o.session)
}

func parsedStormValue(s string) (o stormValue) {
	f := strings.Split(s, ":")
	if len(f) == 4 {
		o.own, _ = strconv.ParseInt(f[0], 10, 64)
		o.inner, _ = strconv.ParseInt(f[1], 10, 64)
		o.k, _ = strconv.Atoi(f[2])
		o.session = f[3]
	}
	return o
}

// stormError is an error, or a panic, that says when it was begun.
type stormError struct{ stormValue }

func (e *stormError) Error() string { return "storm: " + e.String() }

// stormConn is a resource.
type stormConn struct {
	users    atomic.Int64 // who must not lose it
	released atomic.Bool
}

// stormOwner is an instance whose methods are cached with recv=identity.
type stormOwner struct {
	id  int64
	own [2][stormKeys]atomic.Int64 // of the two methods: the last Forget that was complete
	_   *int                       // it is no tiny object, which others might keep alive
}

type ownerKey struct {
	owner weak.Pointer[stormOwner]
	k     int
}

type (
	stormDataOps  struct{}               // copied
	stormSessOps  struct{ stormDataOps } // the key has the session
	stormConnOps  struct{ storm *storm } // has a release
	stormPageOps  struct{}               // likewise the session
	stormKeepErrs struct{ stormDataOps }
)

func (stormDataOps) Copy(to, from any) error {
	*to.(*stormValue) = *from.(*stormValue)
	to.(*stormValue).mark = slices.Clone(from.(*stormValue).mark)
	return nil
}
func (stormDataOps) Size(any) int64       { return 100 }
func (stormSessOps) Session(k any) string { _, s, _ := strings.Cut(k.(*key).arg, "|"); return s }
func (stormPageOps) Session(k any) string { _, s, _ := strings.Cut(k.(*key).arg, "|"); return s }
func (stormKeepErrs) KeepError(err error) bool {
	return errors.As(err, new(*stormError))
}
func (stormConnOps) Ident(v any) any { return v.(*stormValue).conn }
func (o stormConnOps) Release(v any) {
	c := v.(*stormValue).conn
	if n := c.users.Load(); n != 0 {
		o.storm.wrongly("a value is released that %d have acquired", n)
	}
	if c.released.Swap(true) {
		o.storm.wrongly("a value is released twice")
	}
	o.storm.released.Add(1)
}

// storm is what all operations share.
type storm struct {
	t       *testing.T
	version atomic.Int64 // events that have begun
	wrong   atomic.Int64
	fns     []*stormFn
	inner   *cachert.Site[key, stormValue]
	owners  [stormKeys]atomic.Pointer[stormOwner]
	ids     atomic.Int64

	conns, repos     *cachert.Site[ownerKey, stormValue]
	opened, released atomic.Int64
}

// stormFn is one function.
type stormFn struct {
	cachert.Options
	drawn bool
	// the last events that were complete: of the key itself, and of what it was made with
	own, tag [stormKeys][stormSessions]atomic.Int64
	call     func(ctx context.Context, r *rand.Rand, c stormCall) (stormValue, error)
	peek     func(c stormCall) (stormValue, bool)
	forget   func(c stormCall)
	clear    func()
	stats    func() cachert.Stats
	method   int  // of owners, from 1
	borrows  bool // it uses those
	bounds   sync.Mutex
}

// stormCall is what a call is made with.
type stormCall struct {
	k, session int
	owner      *stormOwner
	refresh    bool
}

func (s *storm) wrongly(format string, args ...any) {
	if s.wrong.Add(1) < 10 {
		s.t.Errorf(format, args...)
	}
}

func stormWork() {
	for range rand.IntN(3) {
		time.Sleep(time.Duration(rand.IntN(40)) * time.Microsecond)
	}
}

func raise(f *atomic.Int64, to int64) {
	for old := f.Load(); old < to && !f.CompareAndSwap(old, to); old = f.Load() {
	}
}

func newStorm(t *testing.T) *storm {
	s := &storm{t: t}
	for k := range s.owners {
		s.owners[k].Store(s.owner())
	}
	s.inner = cachert.New[key, stormValue](stormDataOps{}, cachert.Options{Func: "storm.inner", Site: "storm_test.go", Max: 100, ErrorResult: cachert.HasError})
	for _, o := range []cachert.Options{
		{Max: 100},
		{Max: 100, MaxBytes: 1000, Detach: true},
		{Max: 2, Detach: true, Wait: 50 * time.Microsecond, Tags: []string{stormSome}},
		{Max: 100, Wait: 20 * time.Microsecond, Tags: []string{stormSome}},
		{Max: 100, Session: true},
		{Max: 100, Detach: true, TTL: time.Millisecond, Stale: time.Second},
		{Max: 100, ErrorTTL: time.Millisecond},
	} {
		s.data(o, s.body)
	}
	cart := s.fns[4]
	foreign := s.data(cachert.Options{Max: 100, TrackContext: true}, func(ctx context.Context, r *rand.Rand, c stormCall) (o stormValue, err error) {
		if o, err = s.body(ctx, r, c); err != nil {
			return o, err
		}
		id, _ := cachert.SessionOf(ctx)
		c.session, _ = strconv.Atoi(id[len(id)-1:])
		o.session = id
		defer func() { // what cart ends with is as old as cart's
			if _, ok := recover().(*stormError); ok {
				err = &stormError{o}
			}
		}()
		in, err := cart.call(ctx, nil, c)
		if _, ok := errors.AsType[*stormError](err); ok {
			return o, &stormError{o}
		}
		o.session, o.inner = in.session, min(o.inner, in.inner)
		return o, err
	})
	foreign.Session = true // its results belong to sessions, though its key does not know
	s.pages()
	s.methods()
	return s
}

// body computes a result of a key.
func (s *storm) body(ctx context.Context, r *rand.Rand, c stormCall) (o stormValue, err error) {
	o.own, o.k = s.version.Load(), c.k
	in, err := s.innerOf(ctx, c.k)
	if err != nil {
		return o, err
	}
	o.inner = in.own
	stormWork()
	return o, ctx.Err()
}

func (s *storm) innerOf(ctx context.Context, k int) (stormValue, error) {
	return s.inner.Do(stormKey(k).hashed(), stormKey(k), &cachert.Call{Ctx: ctx, Tags: []string{stormTag(k)}, Run: func(_ context.Context, v any) error {
		n := s.version.Load()
		stormWork()
		*v.(*stormValue) = stormValue{own: n, inner: n, k: k}
		return nil
	}})
}

func (k key) hashed() uint64 { return k.hash() }

func (s *storm) add(f *stormFn) *stormFn {
	f.Func, f.Site = fmt.Sprint("storm.f", len(s.fns)), "storm_test.go"
	s.fns = append(s.fns, f)
	return f
}

// data adds a function whose results are data, with the wrapper that the generator writes.
func (s *storm) data(o cachert.Options, body func(context.Context, *rand.Rand, stormCall) (stormValue, error)) *stormFn {
	f := s.add(&stormFn{Options: o})
	f.ErrorResult = cachert.HasError
	keyOf := func(c stormCall) key { return stormKey(c.k) }
	var ops any = stormDataOps{}
	switch {
	case f.Session:
		ops = stormSessOps{}
		keyOf = func(c stormCall) key { return key{stormKey(c.k).arg + "|" + stormSession(c.session)} }
	case f.ErrorTTL > 0:
		ops = stormKeepErrs{}
	}
	site := cachert.New[key, stormValue](ops, f.Options)
	inKey := f.Session
	f.call = func(ctx context.Context, r *rand.Rand, c stormCall) (stormValue, error) {
		k := keyOf(c)
		do, fails := site.Do, -1
		if r != nil {
			fails = r.IntN(32)
		}
		if c.refresh {
			do = site.Refresh
		} else if v := site.GetCtx(ctx, k.hash(), &k); v != nil {
			o := stormValue{}
			stormDataOps{}.Copy(&o, v)
			return o, nil
		}
		return do(k.hash(), k, &cachert.Call{Ctx: ctx, Tags: []string{stormTag(c.k)}, Run: func(ctx context.Context, v any) error {
			o, err := body(ctx, rand.New(rand.NewPCG(rand.Uint64(), 0)), c)
			if inKey {
				o.session = stormSession(c.session)
			}
			switch {
			case err != nil:
				return err
			case fails == 0, f.ErrorTTL > 0 && 0 < fails && fails < 16:
				return &stormError{o}
			case fails == 16:
				panic(&stormError{o})
			}
			o.mark = []int64{o.own}
			*v.(*stormValue) = o
			return nil
		}})
	}
	f.peek = func(c stormCall) (stormValue, bool) { k := keyOf(c); return site.Peek(k.hash(), k) }
	f.forget = func(c stormCall) { k := keyOf(c); site.Forget(k.hash(), k) }
	f.clear, f.stats = site.Clear, site.Stats
	return f
}

// pages adds functions that draw.
func (s *storm) pages() {
	page := func(o cachert.DrawOptions, ops any, body func(context.Context, *Page, string) (stormValue, error)) *stormFn {
		f := s.add(&stormFn{Options: o.Options, drawn: true})
		o.Options, o.Widgets, o.Variants = f.Options, true, 100
		d := &fn{site: cachert.NewDrawn[key, string](ops, o)}
		d.body = func(ctx context.Context, p *Page, arg string) (string, error) {
			o, err := body(ctx, p, arg)
			if err != nil {
				return "", err
			}
			lang := p.Ask("text", "lang", "en")
			stormWork()
			p.Text(o.String() + " in " + lang)
			if lang == "de" {
				p.Ask("text", "more", "")
				stormWork()
			}
			return o.String() + " in " + lang, nil
		}
		keyOf := func(c stormCall) key {
			k := stormKey(c.k)
			if f.Session {
				k.arg += "|" + stormSession(c.session)
			}
			return k
		}
		f.call = func(ctx context.Context, r *rand.Rand, c stormCall) (stormValue, error) {
			lang := []string{"en", "de", "fr"}[r.IntN(3)]
			tab := &Session{}
			tab.Set("lang", lang)
			sc := NewScreen(tab)
			got, err := d.call(ctx, sc.Page(), keyOf(c).arg)
			if err != nil {
				return stormValue{}, err
			}
			if !strings.Contains(sc.String(), strconv.Quote(got)) {
				s.wrongly("it returned %q and drew %s", got, sc)
			}
			text, in, _ := strings.Cut(got, " in ")
			if in != lang {
				s.wrongly("a page in %s is shown where %s is set", in, lang)
			}
			return parsedStormValue(text), nil
		}
		f.forget = func(c stormCall) { k := keyOf(c); d.site.Forget(k.hash(), k) }
		f.clear, f.stats = d.site.Clear, d.site.Stats
		return f
	}
	k := func(arg string) int { return int(arg[0] - 'a') }
	within := func(ctx context.Context, arg string) (stormValue, error) {
		return s.body(ctx, nil, stormCall{k: k(arg)})
	}
	o := cachert.DrawOptions{Options: cachert.Options{Max: 10000, TrackContext: true}}
	page(o, nil, func(ctx context.Context, _ *Page, arg string) (stormValue, error) { return within(ctx, arg) })
	inside := function(func(ctx context.Context, p *Page, arg string) (string, error) {
		o, err := within(ctx, arg)
		p.Text(p.Ask("text", "lang", "en"))
		return o.String(), err
	})
	o.Wait = 50 * time.Microsecond
	page(o, nil, func(ctx context.Context, p *Page, arg string) (stormValue, error) {
		own := s.version.Load()
		v, err := inside.call(ctx, p, arg)
		o := parsedStormValue(v)
		o.own = own
		return o, err
	})
	o.Wait, o.Session = 0, true
	page(o, stormPageOps{}, func(ctx context.Context, _ *Page, arg string) (stormValue, error) {
		o, err := within(ctx, arg)
		o.session, _ = cachert.SessionOf(ctx)
		return o, err
	})
}

func (s *storm) owner() *stormOwner { return &stormOwner{id: s.ids.Add(1)} }

// hash is the same for all owners.
func (k *ownerKey) hash() uint64 { return value.HashUint64(value.HashStart(), uint64(k.k)) }

// methods adds two methods of owners: one opens connections, one makes a value with one.
func (s *storm) methods() {
	method := func(o cachert.Options, ops any, body func(ctx context.Context, w *stormOwner, c stormCall) (stormValue, error)) (*stormFn, *cachert.Site[ownerKey, stormValue]) {
		f := s.add(&stormFn{Options: o})
		f.Resource, f.ErrorResult = true, cachert.HasError
		site := cachert.New[ownerKey, stormValue](ops, f.Options)
		keyOf := func(c stormCall) ownerKey { return ownerKey{weak.Make(c.owner), c.k} }
		f.call = func(ctx context.Context, r *rand.Rand, c stormCall) (o stormValue, err error) {
			k := keyOf(c)
			own := &cachert.Call{Ctx: ctx, Owner: cachert.OwnerOf(c.owner), Tags: []string{stormTag(c.k)}, Run: func(ctx context.Context, v any) (err error) {
				*v.(*stormValue), err = body(ctx, c.owner, stormCall{k: c.k, owner: c.owner})
				return err
			}}
			switch {
			case c.refresh:
				return site.Refresh(k.hash(), k, own)
			case r != nil && f.method == 1:
				o, done, err := site.Acquire(k.hash(), k, own)
				if err == nil {
					o.conn.users.Add(1)
					defer done()
					defer o.conn.users.Add(-1)
					stormWork()
					if o.conn.released.Load() {
						s.wrongly("an acquired value has been released")
					}
				}
				return o, err
			}
			if v := site.GetCtx(ctx, k.hash(), &k); v != nil {
				return *v, nil
			}
			return site.Do(k.hash(), k, own)
		}
		f.peek = func(c stormCall) (stormValue, bool) { k := keyOf(c); return site.Peek(k.hash(), k) }
		f.forget = func(c stormCall) { k := keyOf(c); site.Forget(k.hash(), k) }
		f.clear, f.stats = site.Clear, site.Stats
		return f, site
	}
	// usable has the computation that is running lose nothing that it has got.
	usable := func(o stormValue, err error) {
		if stormWork(); err == nil && o.conn.released.Load() {
			s.wrongly("a value has been released under a computation that got it")
		}
	}
	var conn *stormFn
	conn, s.conns = method(cachert.Options{Max: 5, TrackContext: true}, stormConnOps{s}, func(ctx context.Context, w *stormOwner, c stormCall) (stormValue, error) {
		o, err := s.body(ctx, nil, c)
		if err != nil {
			return o, err
		}
		o.owner = w.id
		if c.k%2 == 1 && o.own%2 == 0 { // the same connection for two keys
			c.k--
			with, err := conn.call(ctx, nil, c)
			o.conn = with.conn
			usable(with, err)
			return o, err
		}
		s.opened.Add(1)
		o.conn = &stormConn{}
		return o, nil
	})
	conn.method = 1
	var repo *stormFn
	repo, s.repos = method(cachert.Options{Max: 100, Detach: true, Wait: time.Millisecond}, nil, func(ctx context.Context, w *stormOwner, c stormCall) (stormValue, error) {
		o, err := s.body(ctx, nil, c)
		if err != nil {
			return o, err
		}
		with, err := conn.call(ctx, nil, c)
		usable(with, err)
		o.owner, o.conn = with.owner, with.conn
		return o, err
	})
	repo.method = 2
	rows := s.data(cachert.Options{Max: 100}, func(ctx context.Context, r *rand.Rand, c stormCall) (stormValue, error) {
		o, err := s.body(ctx, r, c)
		if err != nil {
			return o, err
		}
		c.owner, c.refresh = s.owners[c.k].Load(), false
		with, err := repo.call(ctx, nil, c)
		usable(with, err)
		if with, ok := repo.peek(c); ok {
			usable(with, nil)
		}
		o.inner = min(o.inner, with.inner)
		return o, err
	})
	rows.borrows = true
}

// step does one thing.
func (s *storm) step(r *rand.Rand) {
	f := s.fns[r.IntN(len(s.fns))]
	c := stormCall{k: r.IntN(stormKeys), session: r.IntN(stormSessions), refresh: r.IntN(8) == 0}
	c.owner = s.owners[c.k].Load()
	at := c.session
	if !f.Session {
		at = 0
	}
	switch bg := context.Background(); r.IntN(20) {
	case 0:
		n := s.version.Add(1)
		f.forget(c)
		switch {
		case f.method > 0:
			raise(&c.owner.own[f.method-1][c.k], n)
			runtime.KeepAlive(c.owner)
		default:
			raise(&f.own[c.k][at], n)
		}
	case 1:
		n := s.version.Add(1)
		cachert.Invalidate(bg, stormTag(c.k))
		for _, f := range s.fns {
			for at := range stormSessions {
				raise(&f.tag[c.k][at], n)
				if !f.drawn { // those have the tag only through what they use
					raise(&f.own[c.k][at], n)
				}
			}
		}
	case 2:
		if r.IntN(4) == 0 {
			n := s.version.Add(1)
			f.clear()
			f.raiseAll(n)
		}
	case 3:
		n := s.version.Add(1)
		cachert.EndSession(bg, stormSession(c.session))
		for _, f := range s.fns {
			if f.Session {
				for k := range stormKeys {
					raise(&f.own[k][c.session], n)
				}
			}
		}
	case 4:
		if r.IntN(4) == 0 {
			n := s.version.Add(1)
			cachert.Invalidate(bg, stormSome)
			for _, f := range s.fns {
				if len(f.Tags) > 0 {
					f.raiseAll(n)
				}
			}
		}
	case 5:
		if r.IntN(8) == 0 {
			s.configure(f, r)
		}
	case 6:
		s.owners[c.k].Store(s.owner())
		if r.IntN(64) == 0 {
			runtime.GC()
		}
	case 7:
		if f.peek != nil {
			want := f.floor(c, at)
			if o, ok := f.peek(c); ok {
				s.check("Peek of "+f.Func, f, c, want, o)
			}
		}
	default:
		s.calls(f, c, at, r)
	}
}

// configure changes the bounds of a function, and holds it to them.
func (s *storm) configure(f *stormFn, r *rand.Rand) {
	f.bounds.Lock()
	defer f.bounds.Unlock()
	o := cachert.Override{Max: []int{1, 2, 100}[r.IntN(3)], TTL: []time.Duration{0, time.Millisecond, time.Second}[r.IntN(3)]}
	if f.method > 0 {
		o.TTL = 0 // their entries end with their owners
	}
	if f.MaxBytes > 0 {
		o.MaxBytes = []int64{250, 1000}[r.IntN(2)]
	}
	if f.Detach && o.TTL > 0 {
		o.Stale = time.Millisecond
	}
	if err := cachert.Configure(f.Func, o); err != nil {
		s.wrongly("%v", err)
	}
	for range 3 {
		if x := f.stats(); x.Entries > o.Max || o.MaxBytes > 0 && x.Bytes > o.MaxBytes {
			s.wrongly("%s holds %d entries of %d bytes, configured to %+v", f.Func, x.Entries, x.Bytes, o)
		}
		stormWork()
	}
}

// calls makes a call and looks at what it gives.
func (s *storm) calls(f *stormFn, c stormCall, at int, r *rand.Rand) {
	ctx, cancel := context.Background(), context.CancelFunc(func() {})
	if r.IntN(3) == 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(20+r.IntN(300))*time.Microsecond)
	} else if r.IntN(2) == 0 {
		ctx, cancel = context.WithCancel(ctx)
	}
	defer cancel()
	ctx = cachert.WithSession(ctx, stormSession(c.session))
	if r.IntN(64) == 0 && f.method == 0 && !f.borrows { // connections would be the caller's
		ctx = cachert.Bypass(ctx)
	}
	want := f.floor(c, at)
	defer func() {
		if e, ok := recover().(*stormError); ok {
			s.check("the panic of "+f.Func, f, c, want, e.stormValue)
		}
	}()
	o, err := f.call(ctx, r, c)
	if e, ok := errors.AsType[*stormError](err); ok {
		s.check("the error of "+f.Func, f, c, want, e.stormValue)
	} else if err == nil {
		s.check(f.Func, f, c, want, o)
		if len(o.mark) > 0 {
			if o.mark[0] != o.own {
				s.wrongly("%s gives a value that another caller has changed", f.Func)
			}
			o.mark[0] = -1
		}
	} else if ctx.Err() == nil {
		s.wrongly("%s: %v", f.Func, err)
	}
	runtime.KeepAlive(c.owner)
}

// floor returns the events that are complete by now.
func (f *stormFn) floor(c stormCall, at int) (want stormValue) {
	want.own, want.inner = f.own[c.k][at].Load(), f.tag[c.k][at].Load()
	if f.method > 0 {
		want.own = max(want.own, c.owner.own[f.method-1][c.k].Load())
	}
	return want
}

func (f *stormFn) raiseAll(n int64) {
	for k := range stormKeys {
		for at := range stormSessions {
			raise(&f.own[k][at], n)
		}
	}
}

func (s *storm) check(what string, f *stormFn, c stormCall, want, got stormValue) {
	if got.own < want.own || got.inner < want.inner {
		s.wrongly("%s of key %d got %d and %d, and events %d and %d were complete before", what, c.k, got.own, got.inner, want.own, want.inner)
	}
	if got.k != c.k || f.Session && got.session != stormSession(c.session) || f.method > 0 && got.owner != c.owner.id {
		s.wrongly("%s of key %d, session %d got what is of key %d, %s, owner %d", what, c.k, c.session, got.k, got.session, got.owner)
	}
}

// end holds the caches to what must be true when nothing happens any more: entries go with
// their owners, and each value that was opened is released.
func (s *storm) end() {
	t := s.t
	wait := func(what string, is func() bool) {
		for end := time.Now().Add(time.Minute); !is(); {
			if time.Now().After(end) {
				t.Error("never: ", what)
				return
			}
			runtime.Gosched()
		}
	}
	for _, f := range append(s.fns, &stormFn{stats: s.inner.Stats}) {
		wait("a computation ends: "+f.Func, func() bool { return f.stats().InFlight == 0 })
	}
	for k := range s.owners {
		s.owners[k].Store(nil)
	}
	wait("entries go with their owners", func() bool {
		runtime.GC()
		return s.conns.Stats().Entries+s.repos.Stats().Entries == 0
	})
	isolate.Reset() // which releases what rests
	if o, r := s.opened.Load(), s.released.Load(); o != r && !t.Failed() {
		t.Errorf("%d values were opened and %d released", o, r)
	}
}

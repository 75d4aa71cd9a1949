package cachert

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

// callKey is the type of the one key under which contexts carry what this package
// knows of them, so that a call asks its context once.
type callKey struct{ _ byte }

var ctxKey = &callKey{}

// callCtx is what a context carries. It does not change.
type callCtx struct {
	frame   *frame // of the computation that the context was given to
	call    *call  // likewise
	session string
	scoped  bool // session is set
	bypass  bool
}

// callOf returns what ctx carries, nil if nothing.
func callOf(ctx context.Context) *callCtx {
	if ctx == nil {
		return nil
	}
	cc, _ := ctx.Value(ctxKey).(*callCtx)
	return cc
}

func (cc *callCtx) bypasses() bool { return cc != nil && cc.bypass }

// with returns a context that carries a changed copy of what ctx carries.
func with(ctx context.Context, change func(*callCtx)) context.Context {
	var cc callCtx
	if old := callOf(ctx); old != nil {
		cc = *old
	}
	change(&cc)
	return context.WithValue(ctx, ctxKey, &cc)
}

// facts are what a result owes to what went into it, and passes on to a computation that
// uses it.
type facts struct {
	tags    []string
	session string // the session that the result belongs to, if scoped
	expires int64
	scoped  bool
	kept    bool
	failed  bool // it is an error, or came of one, that was not kept since errors are not, and for no other reason
	ones    bool // it may be of use to one caller alone: it came of a context value, or of another session
}

// users are the computations that a call counts for: the first is lent what the call gets.
type users [2]*frame

// usersOf returns the computations that use the result of a call: the one that runs on the
// goroutine where the call is made, outer's, and the one that the call's context belongs to.
// They are seldom two: a body that calls with a context of its own making, or one that it has
// stored, or of a function that takes none, uses the result no less than one that passes its
// context on; and a goroutine that a body has started has nothing of it but the context.
func usersOf(outer *call, cc *callCtx) (u users) {
	if outer.runs() {
		u[0] = outer.frame
	}
	switch {
	case cc == nil || cc.frame == u[0]:
	case u[0] == nil:
		u[0] = cc.frame
	default:
		u[1] = cc.frame
	}
	return u
}

// each calls f for each of them.
func (u users) each(f func(*frame)) {
	for _, fr := range u {
		if fr != nil {
			f(fr)
		}
	}
}

// A frame gathers what is known of one computation while it runs: the facts that count for
// it, and the events that concern it. Calls on its goroutine add to it, and calls with the
// computation's context, from any goroutine, until it is closed. Flights of one computation,
// which moves from key to key, share it.
type frame struct {
	// of its store, from the start to the end of the computation
	start  uint64  // number of the last event before it
	order  uint64  // how many computations the store had begun by then
	labels []label // from key and arguments
	next   *frame  // in the store's list, under its mu
	before *frame  // likewise

	mu     sync.Mutex
	closed bool
	mixed  bool   // results of more than one session went in
	hitBy  uint64 // earliest event since the start that concerns the computation; 0: none
	facts  facts
	rare   *rareFacts // nil: they have their zero values

	// set before the computation gets its context
	watched *bodyCtx // the context whose values count; nil: they do not
}

// rareFacts are those that most computations do not have: every miss pays for the size of
// its frame.
type rareFacts struct {
	reason  string // why the result must not be kept; "" if it may
	read    any    // the first key of a context value that counts
	lent    any    // the first key, covered by hash=ctx:, of a value that somebody may change; nil: none
	altered any    // the first such key whose value was another than hash=ctx: got; nil: none
	loans   []*holding
	when    conditions
	place   conditions // of when
}

// watched is what the reads of a computation's context are judged by.
type watched struct {
	st    *store     // of the function
	keyed *askedKeys // what its hash=ctx: asks the context for
}

// seldom returns the rare facts, to be set. mu is held.
func (f *frame) seldom() *rareFacts {
	if f.rare == nil {
		f.rare = &rareFacts{}
	}
	return f.rare
}

// open makes f the frame of a computation with that start.
func (f *frame) open(start uint64) {
	f.start, f.facts = start, facts{expires: never, kept: true}
}

// hit notes the event seq, which makes the computation outdated if it came after its start.
// The earliest event counts: calls that were made after it must not get the result.
func (f *frame) hit(seq uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note(seq)
}

func (f *frame) note(seq uint64) {
	if seq > f.start && (f.hitBy == 0 || seq < f.hitBy) {
		f.hitBy = seq
	}
}

// outdated returns the earliest event that makes the computation outdated, as far as is
// known; 0: there is none.
func (f *frame) outdated() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hitBy
}

// hasLabel reports whether an event of l concerns the computation, which is one of s, as far
// as is known.
func (f *frame) hasLabel(s *store, l label) bool {
	return slices.Contains(f.labels, l) || l.kind == tagLabel && (s.hasTag(l.name) || f.hasTag(l.name))
}

// add makes the facts of a result that the computation used count for it. tags are
// further tags of that result.
func (f *frame) add(x facts, tags []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	f.addTags(tags)
	f.addTags(x.tags)
	if x.scoped {
		f.addSession(x.session)
	}
	f.facts.expires = min(f.facts.expires, x.expires)
	f.facts.ones = f.facts.ones || x.ones
	switch {
	case x.kept:
	case x.failed:
		f.facts.failed = true // an error that comes of it may be kept; a value is made of what may pass
	default:
		f.drop("it used a result that was not kept")
	}
}

// addTagsOf is add for the tags alone, of a result that the computation waits for.
func (f *frame) addTagsOf(x facts, tags []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.addTags(tags)
		f.addTags(x.tags)
	}
}

func (f *frame) addTags(tags []string) {
	for _, t := range tags {
		if !slices.Contains(f.facts.tags, t) {
			f.facts.tags = append(f.facts.tags, t)
			f.gained(label{kind: tagLabel, name: t})
		}
	}
}

func (f *frame) addSession(id string) {
	if f.facts.scoped && f.facts.session != id {
		f.mixed = true
	}
	if !f.facts.scoped {
		f.gained(label{kind: sessionLabel, name: id})
	}
	f.facts.scoped, f.facts.session = true, id
}

// gained is called when an event of l would concern the computation from now on. Later events
// find it; one that is under way may have passed it, and what it read may be older.
func (f *frame) gained(l label) {
	if seq := underWay(l); seq != 0 {
		f.note(seq)
	}
}

func (f *frame) drop(reason string) {
	f.facts.kept = false
	if r := f.seldom(); r.reason == "" {
		r.reason = reason
	}
}

// notKept makes the computation's result one that is handed out and not kept.
func (f *frame) notKept(reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.drop(reason)
	}
}

// personal is notKept for a result that is not for those who wait either: it may be of
// use to the computation's owner alone.
func (f *frame) personal(reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.facts.ones = true
		f.drop(reason)
	}
}

// sawSession notes that the computation asked for its session.
func (f *frame) sawSession(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.addSession(id)
	}
}

// saw notes that the computation asked its context for the value of key, and was given v.
// place says that it was the context of the place that is drawn to.
func (f *frame) saw(key, v any, place bool) {
	if known(key) {
		return
	}
	comparable := reflect.ValueOf(key).Comparable()
	w := f.watched.watch
	if comparable && (w.st.front.ignores(key) || isIgnored(key)) {
		return
	}
	keyed := comparable && w.keyed.has(key) && (!place || same(v, f.watched.Context.Value(key)))
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.seldom()
	when := r.conditionsOf(place)
	switch {
	case f.closed || r.read != nil:
	case keyed && !w.keyed.got(key, v):
		if r.altered == nil {
			r.altered = key
		}
	case keyed:
		if r.lent == nil && !settled(v) {
			r.lent = key
		}
		r.when.addKeyed(key, v)
		when.addKeyed(key, v)
	case v != nil || !comparable:
		r.read = key
		f.drop("it read a value of its context")
	case slices.Contains(when.absent, key):
	case len(when.absent) < maxConditions:
		when.absent = append(when.absent, key)
	default:
		f.facts.ones = true
		f.drop("it depends on the absence of too many context values")
	}
}

// strayed returns the key of a context value of which the computation, whose call is c, may
// have been shown what belongs to another call; nil: there is none.
//
// Frameworks use the contexts of requests, and what they put there, again for the next
// request, as soon as a handler has returned (gin's and echo's contexts, chi's of a route):
// a computation that goes on by then, for those who wait or as a refresh, would put one
// user's result under another's key. A value that differs from what the functions of
// hash=ctx: got gives that away; what a pointer leads to may have changed unseen.
func (f *frame) strayed(c *call) any {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.rare == nil:
	case f.rare.altered != nil:
		return f.rare.altered
	case f.rare.lent != nil && c.outlives():
		return f.rare.lent
	}
	return nil
}

// sawPage notes that the computation asked for templ's memory of a page, which had
// neither nonce nor children.
func (f *frame) sawPage(key any, place bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.seldom().conditionsOf(place).page = key
	}
}

// conditionsOf returns where conditions are gathered.
func (r *rareFacts) conditionsOf(place bool) *conditions {
	if place {
		return &r.place
	}
	return &r.when
}

// hasTag reports whether t counts for the computation by now.
func (f *frame) hasTag(t string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Contains(f.facts.tags, t)
}

// gathered returns what counts for the computation by now, whether it comes from more
// than one session, and the key of the first context value that was read. last ends the
// gathering.
func (f *frame) gathered(last bool) (x facts, mixed bool, read any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = f.closed || last
	f.facts.tags = slices.Clip(f.facts.tags)
	if f.rare != nil {
		read = f.rare.read
	}
	return f.facts, f.mixed, read
}

// conditions returns what must be true of a context for the result to be of use, by now; nil
// if there is nothing.
func (f *frame) conditions() *conditions {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.rare
	if r == nil || r.when.empty() && r.place.empty() {
		return nil
	}
	when := r.when
	if !r.place.empty() {
		place := r.place
		when.place = &place
	}
	return &when
}

// bodyCtx is the context that a computation gets: its caller's, or one apart from it, with
// the frame in it.
type bodyCtx struct {
	context.Context
	cc     callCtx
	track  bool
	place  bool    // it is the context of the place that is drawn to
	watch  watched // of the frame
	memory pageMemory
}

func newBodyCtx(ctx context.Context, fr *frame, c *call, track bool) *bodyCtx {
	b := &bodyCtx{Context: ctx, track: track}
	if cc := callOf(ctx); cc != nil {
		b.cc = *cc
	}
	b.cc.frame, b.cc.call = fr, c
	return b
}

// watchedCtx returns the context that a computation gets for that of its caller, or for
// that of the place that it draws to.
func (f *flight) watchedCtx(ctx context.Context, place bool) *bodyCtx {
	b := newBodyCtx(ctx, f.frame, f.call, f.st.o.TrackContext)
	if f.st.o.TrackContext && f.frame.watched == nil {
		// What the computation asks its context for counts. ctx is its caller's.
		b.watch = watched{f.st, f.st.front.keysAsked(ctx)}
		f.frame.watched = b
	}
	b.place = place
	return b
}

func (b *bodyCtx) Value(key any) any {
	if key == any(ctxKey) {
		return &b.cc
	}
	if g, ok := key.(glanceKey); ok {
		return glance(b.Context, g.of)
	}
	v := b.Context.Value(key)
	if isPageMemory(key) {
		own, why := b.memory.of(v, b.cc.call)
		if pageKey.Load() == nil {
			pageKey.Store(key)
		}
		_, look := unnoticed.Load(goroutine())
		switch fr := b.cc.frame; {
		case fr == nil || look:
		case why != "":
			fr.personal(why)
		default:
			fr.sawPage(key, b.place)
		}
		return own
	}
	if b.track {
		b.cc.frame.saw(key, v, b.place)
	}
	return v
}

// String shows values of the context as well, as package context does: text that was made of
// them is its caller's alone.
func (b *bodyCtx) String() string {
	if b.track {
		b.cc.frame.personal("it turned its context into text, which shows values of it")
	}
	return fmt.Sprintf("%v.cachegen", b.Context)
}

// cancelKey is the key by which package context finds its own contexts.
var cancelKey = func() any {
	p := &keyProbe{done: make(chan struct{})}
	_, cancel := context.WithCancel(p)
	cancel()
	return p.key
}()

// keyProbe is a context that remembers what it was asked for.
type keyProbe struct {
	done chan struct{}
	key  any
}

func (p *keyProbe) Deadline() (time.Time, bool) { return time.Time{}, false }
func (p *keyProbe) Done() <-chan struct{}       { return p.done }
func (p *keyProbe) Err() error                  { return nil }
func (p *keyProbe) Value(key any) any {
	if p.key == nil {
		p.key = key
	}
	return nil
}

// infrastructure are the packages whose context values do not matter to a result: they
// carry a request through, and say nothing of whose it is. A path that ends in "/" stands
// for all that is below it.
var infrastructure = []string{
	"context", "internal/", "log/slog", "net/http", "net/http/httptrace", "net/http/internal/",
	"runtime/pprof", "runtime/trace",
	"github.com/cachegen/cachegen/cache", "github.com/cachegen/cachegen/cache/",
	"github.com/cachegen/cachegen/runtime", "github.com/cachegen/cachegen/runtime/",
	"github.com/DataDog/dd-trace-go/", "gopkg.in/DataDog/dd-trace-go.v1/",
	"github.com/aws/aws-xray-sdk-go/",
	"github.com/getsentry/sentry-go",
	"github.com/go-logr/logr",
	"github.com/newrelic/go-agent/",
	"github.com/rs/zerolog",
	"go.elastic.co/apm/",
	"go.opencensus.io/trace",
	"go.opentelemetry.io/contrib/instrumentation/", "go.opentelemetry.io/otel/trace",
	"golang.org/x/net/trace",
	"google.golang.org/grpc/stats",
}

// knownTypes remembers, by type of key, whether its package is infrastructure.
var knownTypes sync.Map // reflect.Type → bool

// known reports whether the context value of key does not matter to results.
func known(key any) bool {
	if key == nil || key == cancelKey {
		return true
	}
	t := reflect.TypeOf(key)
	if k, ok := knownTypes.Load(t); ok {
		return k.(bool)
	}
	named := t
	for named.Kind() == reflect.Pointer && named.Name() == "" {
		named = named.Elem()
	}
	path := named.PkgPath()
	k := path != "" && slices.ContainsFunc(infrastructure, func(i string) bool {
		return path == i || strings.HasSuffix(i, "/") && strings.HasPrefix(path, i)
	})
	knownTypes.Store(t, k)
	return k
}

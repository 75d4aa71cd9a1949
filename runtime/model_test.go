package cachert

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The model of the cache is a set of claims about what a call may return, given the
// computations that ran and the events that came before it. A history is what really
// happened when random calls were made from several goroutines at once, in a bubble where
// all times are small multiples of one unit, so that calls fall on the very moment of an
// expiry. Each history is judged by the claims:
//
//	own       a value is that of a computation of the called key, or of the caller's alone
//	          where it is made of what only this caller's context says or where the call
//	          went past the cache; no caller's change to its copy is in it, and none of
//	          the body's, which has its value still
//	events    a value was not computed, or stored, before an event (Forget, Clear, Prime, a
//	          tag, the end of the session) that was complete before the call
//	nested    likewise for the tag of an inner function whose result went into the value,
//	          and for that result's ttl
//	fresh     a value is not past its ttl, or ttl and stale; at the ttl it is past it
//	kept      a value that nothing speaks against is served at once, also where a refresh
//	          failed meanwhile or runs
//	stale     who is served a value past its ttl has it refreshed, or a refresh has failed
//	keep      what keep= or errors= refuse is given to those alone who waited for it
//	one       no two computations of a key run at once, but for who has waited for wait=
//	errors    an error is that of a computation that ran during the call, or is kept;
//	          the end of a context is only told to the caller whose context it is
//	newer     who is served from the cache after another gets no value that was begun before
//	          the other's
//	refresh   Refresh returns what was begun after it
//	two       no call waits for more than two computations that had a result, or three where
//	          the result may come of where a caller called from
//	leave     a computation is not cancelled while somebody waits for it
//	timeout   a computation's context ends at timeout=
//	wait      who has waited for wait= computes for itself
//	validate  a validating call is served no kept value that it did not approve, and nobody
//	          one that was refused before
//	release   every resource is released exactly once, not while it is acquired, and not
//	          before its grace
//	under     what an inner function lent to a value is not released while that is served,
//	          nor before its grace after that
//	bounds    there are never more entries, or bytes, than the bounds say
//	idle      what has expired is freed, also when nobody calls
//	owner     nothing is kept of an owner that has gone
//	shutdown  after Shutdown nothing is served from the cache, and nothing is left in it
//
// That no call hangs is what the bubble sees to.

// modelUnit is what all times in a history are multiples of, or halves.
const modelUnit = time.Second

// modelValue is the result of the functions in a history.
type modelValue struct {
	id    int // of the key that it was computed for
	run   int
	inner int // the run of the inner function that went in; 0: none
	user  int // whose context was read; 0: nobody's
	holds int // the run of the inner function whose value is in it
	again int // run once more: a caller that changes its copy changes all of it
}

// modelRun is one computation, or one Prime.
type modelRun struct {
	id             int
	call           *modelCall // that had it run; nil: a Prime
	begin, end     int        // numbers in the order of everything; end 0: still running
	started, ended time.Duration
	inner          int
	user           int
	err            error
	waited         bool // its caller had waited for wait=
	left           bool // it gave no result: its caller had gone, or it exited
	obeys          bool // it ends when its context does
	gave           bool // it gave a value
	keep           bool // what Keep, or KeepError, says of the result
	released       int
	releasedAt     time.Duration
}

// kept reports whether the result may be given to others than those who waited.
func (r *modelRun) kept() bool { return r.keep && r.user == 0 }

// modelEvent is an event that makes results outdated.
type modelEvent struct {
	what       string
	id         int // of the key; 0: all
	key        int // of the key in all sessions; 0: all
	session    int // 0: all
	run        int // of a Prime
	begin, end int
	inner      bool // of the inner function's tag
	calls      bool // of the tag that calls give: a Prime has none
}

// modelCall is what one call saw.
type modelCall struct {
	what         string
	id           int
	user         int
	began        int // numbers in the order of everything
	end          int
	started, at  time.Duration
	value        modelValue  // run 0: none
	given        *modelValue // what the latest body that it ran gave, and has still
	err          error
	panicked     any
	exited       bool
	gone         bool // its context had ended
	bypass       bool
	validates    bool
	approved     int // the run whose value it approved last
	refused      []int
	alone        bool // past the cache, under Bypass or after Shutdown
	handedBack   time.Duration
	acquired     bool
	inValidation bool // it panicked, or exited, there
	owner        *modelOwner
	cut          bool // a call inside of it came to nothing with the end of its context
}

// model is one history in the making.
type model struct {
	o        Options
	innerTTL time.Duration
	shape    shape
	began    time.Time
	order    atomic.Int64

	mu       sync.Mutex
	runs     []modelRun
	events   []modelEvent
	calls    []*modelCall
	broken   []string
	running  map[int]int      // computations by id, without those whose caller had waited
	shutdown *modelEvent      // nil: not called yet
	downAt   [2]time.Duration // when Shutdown began and ended
	downErr  error
	set      []setting // what Configure has set, after what the options say
}

// setting are the ttl and the stale that count from a time on.
type setting struct {
	at         time.Duration
	ttl, stale time.Duration
}

// lifetimes returns the least and the greatest ttl and stale that counted, of those set, at
// some moment between two times; a ttl of never stands for none.
func lifetimes(set []setting, from, to time.Duration) (least, most setting) {
	least, most = setting{ttl: never, stale: never}, setting{}
	for i, s := range set {
		if s.at > to || i+1 < len(set) && set[i+1].at < from {
			continue
		}
		if s.ttl == 0 {
			s.ttl = never
		}
		least.ttl, least.stale = min(least.ttl, s.ttl), min(least.stale, s.stale)
		most.ttl, most.stale = max(most.ttl, s.ttl), max(most.stale, s.stale)
	}
	return least, most
}

func (m *model) next() int { return int(m.order.Add(1)) }

func (m *model) now() time.Duration { return time.Since(m.began) }

func (m *model) breaks(claim, format string, args ...any) {
	m.broken = append(m.broken, claim+": "+fmt.Sprintf(format, args...))
}

// start enters a run for the key id.
func (m *model) start(c *modelCall, id int, since time.Duration, obeys bool) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	r := modelRun{id: id, call: c, started: now, obeys: obeys, keep: true}
	r.waited = m.o.Wait > 0 && now-since >= m.o.Wait
	if m.shutdown != nil {
		c.alone = true
	}
	if !r.waited && !c.alone {
		if m.running[id]++; m.running[id] > 1 && !m.shape.personal {
			m.breaks("one", "two computations of key %d at once", id)
		}
	}
	r.begin = m.next()
	m.runs = append(m.runs, r)
	return len(m.runs) - 1
}

// stop enters its end; change sets what came of it.
func (m *model) stop(run int, change func(*modelRun)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := &m.runs[run]
	if !r.waited && !r.call.alone {
		m.running[r.id]--
	}
	change(r)
	r.ended = m.now()
	r.end = m.next()
	if m.o.Timeout > 0 && r.obeys && !r.call.alone && !m.shape.nested && !m.shape.personal && r.ended-r.started > m.o.Timeout {
		m.breaks("timeout", "run %d of key %d took %v", run, r.id, r.ended-r.started)
	}
}

// errRun is the error of a run.
type errRun struct {
	run int
	err error
}

func (e *errRun) Error() string { return fmt.Sprintf("run %d: %v", e.run, e.err) }
func (e *errRun) Unwrap() error { return e.err }

func endOfContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// judge returns the claims that the history breaks.
func (m *model) judge() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	explained := false
	for _, c := range m.calls {
		before := len(m.broken)
		m.judgeCall(c)
		m.judgeKept(c)
		if !explained && len(m.broken) > before {
			explained = true
			m.explain(c)
		}
	}
	for i := 1; i < len(m.runs); i++ {
		before := len(m.broken)
		m.judgeRun(i)
		if r := &m.runs[i]; !explained && len(m.broken) > before && r.call != nil {
			explained = true
			m.explain(r.call)
		}
	}
	return m.broken
}

func (m *model) judgeCall(c *modelCall) {
	if m.o.Wait > 0 && !c.validates && !c.exited {
		own := time.Duration(0)
		for i := 1; i < len(m.runs); i++ {
			if r := &m.runs[i]; r.call == c && r.id == c.id {
				own += r.ended - r.started
			}
		}
		if c.at-c.started > m.o.Wait+own {
			m.breaks("wait", "%v took %v", c, c.at-c.started)
		}
	}
	switch {
	case c.exited || c.inValidation:
	case c.panicked != nil || c.err != nil:
		m.judgeError(c)
	default:
		m.judgeWaits(c)
		if c.value.run != 0 {
			m.judgeValue(c)
		}
	}
}

func (m *model) judgeError(c *modelCall) {
	var bad *errRun
	p, _ := c.panicked.(error)
	if !errors.As(p, &bad) && !errors.As(c.err, &bad) {
		cycle := m.shape.cyclic && errors.As(c.err, new(*CycleError))
		if !cycle && (c.panicked != nil || !c.gone || !endOfContext(c.err)) {
			m.breaks("errors", "%v got %v, %v out of nothing", c, c.err, c.panicked)
		}
		return
	}
	r := &m.runs[bad.run]
	during := r.end == 0 || r.ended >= c.started // it may have ended at this moment
	kept := m.o.ErrorTTL > 0 && c.panicked == nil && c.at-r.ended < m.o.ErrorTTL && !errors.As(bad, new(*CycleError))
	switch {
	case r.id != c.id || !during && !kept || r.call.bypass && r.call != c:
		m.breaks("errors", "%v got an error of run %d that ended at %d", c, bad.run, r.end)
	case !during && !r.kept():
		m.breaks("keep", "%v got an error of run %d that is not to be kept", c, bad.run)
	}
	timedOut := m.o.Timeout > 0 && r.ended-r.started >= m.o.Timeout
	if endOfContext(bad) && !c.gone && !timedOut {
		m.breaks("errors", "%v got another's end of context, of run %d", c, bad.run)
	}
	m.judgeEvents(c, bad.run)
}

// judgeWaits counts the computations that c waited for. The last ended when the call did;
// before that, one. What took no time may have come and gone without the call; and of
// several that ended at one moment it waited for one, which may be one that gave no result.
func (m *model) judgeWaits(c *modelCall) {
	if c.gone || c.what != "load" || c.validates || c.alone || m.o.Wait > 0 || m.shape.personal || m.shape.shutdown {
		return
	}
	var ended time.Duration
	results := 0
	for i := 1; i < len(m.runs); i++ {
		r := &m.runs[i]
		if r.call == nil || r.id != c.id || r.left || r.call.alone || r.ended <= c.started || r.ended >= c.at || r.ended == ended {
			continue
		}
		alone := true
		for j := 1; j < len(m.runs); j++ {
			if o := &m.runs[j]; o.id == r.id && o.left && o.ended == r.ended {
				alone = false
			}
		}
		if ended = r.ended; alone {
			results++
		}
	}
	if results > 2 || results > 1 && !m.shape.cyclic {
		m.breaks("two", "%v waited for %d computations", c, results+1)
	}
}

func (m *model) judgeValue(c *modelCall) {
	v := c.value
	if v.run < 0 || v.run >= len(m.runs) {
		m.breaks("own", "%v got %v, which another caller has changed", c, v)
		return
	}
	r := &m.runs[v.run]
	switch {
	case r.id != c.id || v.id != c.id || v.again != v.run:
		m.breaks("own", "%v got %v", c, v)
		return
	case v.user != 0 && v.user != c.user:
		m.breaks("own", "%v of user %d got %v", c, c.user, v)
	case r.call != c && (r.call != nil && r.call.bypass || c.bypass):
		m.breaks("own", "%v got the value of run %d, and one of the two went past the cache", c, v.run)
	}
	// A value is as old as it was when the call began at least: it may have been found then.
	age := c.started - r.ended
	_, then := lifetimes(m.set, r.ended, r.ended)
	_, now := lifetimes(m.set, c.started, c.at)
	life, stale := then.ttl, now.stale
	if c.what == "peek" {
		stale = 0
	}
	if life < never && age >= life+stale {
		m.breaks("fresh", "%v got the value of run %d, %v old", c, v.run, age)
	}
	if in := &m.runs[v.inner]; v.inner != 0 && m.innerTTL > 0 && r.ended < c.started && c.started-in.ended >= m.innerTTL+stale {
		m.breaks("nested", "%v got a value made of that of run %d, %v old", c, v.inner, c.started-in.ended)
	}
	if age > 0 && r.end != 0 && !r.kept() {
		m.breaks("keep", "%v got the value of run %d, which is not to be kept", c, v.run)
	}
	if c.what == "refresh" && r.begin < c.began {
		m.breaks("refresh", "%v got the value of run %d, begun at %d", c, v.run, r.begin)
	}
	if c.validates && age > 0 && c.approved != v.run {
		m.breaks("validate", "%v got the value of run %d and was not asked", c, v.run)
	}
	for _, o := range m.calls {
		if o.end < c.began && slices.Contains(o.refused, v.run) {
			m.breaks("validate", "%v got the value of run %d, refused by %v", c, v.run, o)
		}
	}
	if age > 0 {
		for _, o := range m.calls {
			// o got from the cache, before c began, the value of a run that was begun after r
			if n := &m.runs[max(o.value.run, 0)]; o.value.run > 0 && o.end < c.began && n.id == r.id && n.started > r.started && n.ended < o.started && o.what != "refresh" {
				m.breaks("newer", "%v got the value of run %d, after %v got that of run %d", c, v.run, o, o.value.run)
			}
		}
	}
	if d := m.shutdown; d != nil && d.end != 0 && c.began > d.end && r.call != c {
		m.breaks("shutdown", "%v got the value of run %d after it", c, v.run)
	}
	if life < never && age >= life && c.what == "load" && !c.validates && !c.alone && !m.refreshed(c, r) {
		m.breaks("stale", "%v got the value of run %d, %v old, and nobody refreshed it", c, v.run, age)
	}
	m.judgeEvents(c, v.run)
	m.judgeGrace(c, r)
	if in := &m.runs[v.holds]; m.shape.lends && in.released > 0 && !c.alone && !m.shape.shutdown && in.releasedAt < max(c.started, r.ended)+m.innerGrace() {
		m.breaks("under", "%v got a value that holds that of run %d, released at %v", c, v.holds, in.releasedAt)
	}
}

// innerGrace is how long what the inner function gave is kept from release.
func (m *model) innerGrace() time.Duration { return m.o.Grace }

// refreshed reports whether there was a computation after r by the end of c.
func (m *model) refreshed(c *modelCall, r *modelRun) bool {
	for i := 1; i < len(m.runs); i++ {
		if o := &m.runs[i]; o.id == r.id && o.call != nil && o.started <= c.at && (o.begin > r.end || o.ended >= c.at) {
			return true
		}
	}
	return m.shape.shutdown
}

// judgeGrace holds what a caller got without a lease, or gave back, to its grace.
func (m *model) judgeGrace(c *modelCall, r *modelRun) {
	if r.released == 0 || c.validates || c.alone || m.shape.shutdown {
		return
	}
	until := c.at
	if c.acquired {
		until = c.handedBack
	}
	if r.releasedAt < until+m.o.Grace {
		m.breaks("release", "%v got the value of run %d, released at %v", c, c.value.run, r.releasedAt)
	}
}

func (m *model) judgeEvents(c *modelCall, run int) {
	for i := range m.events {
		e := &m.events[i]
		if e.end > c.began || e.run == run {
			continue
		}
		begin, claim := m.runs[run].begin, "events"
		if e.inner {
			if m.runs[run].inner == 0 {
				continue
			}
			begin, claim = m.runs[m.runs[run].inner].begin, "nested"
		}
		if begin < e.begin && m.concerns(e, run) {
			m.breaks(claim, "%v got the result of run %d, begun at %d, before the %s [%d,%d]", c, run, begin, e.what, e.begin, e.end)
		}
	}
}

// concerns reports whether e is about the result of the run.
func (m *model) concerns(e *modelEvent, run int) bool {
	r := &m.runs[run]
	return (e.id == 0 || e.id == r.id) && (e.key == 0 || e.key == r.id%100) && (e.session == 0 || e.session == sessionOf(r.id)) && (!e.calls || r.call != nil)
}

// judgeKept finds calls that had to wait although there was a value for them.
func (m *model) judgeKept(c *modelCall) {
	s := m.shape
	if c.what != "load" && c.what != "peek" || c.bypass || c.gone || c.exited || m.o.Wait > 0 || m.o.Max > 0 || m.o.MaxBytes > 0 || s.tight ||
		s.validated || s.personal || s.shutdown || s.cyclic {
		return
	}
	last := 0
	for i := 1; i < len(m.runs); i++ {
		r := &m.runs[i]
		if r.id == c.id && r.end != 0 && r.gave && r.kept() && (r.call == nil || !r.call.alone) && r.ended <= c.started && r.end > m.runs[last].end {
			last = i
		}
	}
	r := &m.runs[last]
	if last == 0 || r.ended == c.started { // then it may not have been kept by then
		return
	}
	then, _ := lifetimes(m.set, r.ended, r.ended)
	since, _ := lifetimes(m.set, r.ended, c.at)
	life := then.ttl - time.Duration(float64(then.ttl)*m.o.Jitter)
	if c.what == "load" {
		life += since.stale
	}
	if then.ttl < never && c.started-r.ended >= life {
		return
	}
	begin := r.begin
	if r.call != nil {
		begin = r.call.began // the flight is older than its body's first line
	}
	if s.nested && r.call != nil {
		if r.inner == 0 {
			return
		}
		in := &m.runs[r.inner]
		if begin = min(begin, in.begin); m.innerTTL > 0 && c.started-in.ended >= m.innerTTL {
			return
		}
	}
	for i := range m.events {
		if e := &m.events[i]; e.end > begin && e.begin < c.end && e.run != last && m.concerns(e, last) {
			return
		}
	}
	if c.at != c.started || c.err != nil || c.panicked != nil || c.value.run == 0 {
		m.breaks("kept", "%v was not served at once, although there was the value of run %d", c, last)
	}
}

func (m *model) judgeRun(i int) {
	r := &m.runs[i]
	alone := r.call != nil && r.call.alone
	if m.shape.resource && r.id%ownerID < innerID || m.shape.lends && r.id >= innerID {
		want := r.gave
		switch {
		case r.released > 1, r.released > 0 && !want, r.released == 0 && want && !alone:
			m.breaks("release", "the value of run %d of key %d was released %d times: %+v", i, r.id, r.released, *r)
		}
		if m.shutdown != nil && m.downErr == nil && want && !alone && r.end != 0 && r.ended < m.downAt[0] && m.shutdown.end != 0 && r.releasedAt > m.downAt[1] {
			m.breaks("shutdown", "the value of run %d was released after it, at %v", i, r.releasedAt)
		}
	}
	if m.o.Detach && !m.shape.plain && errors.Is(r.err, context.Canceled) && m.o.Wait == 0 && !m.shape.nested && !m.shape.personal && !m.shape.shutdown && !alone {
		for _, c := range m.calls {
			if c.id == r.id && (c.what == "load" || c.what == "acquire") && !c.validates && !c.alone && c.started < r.started && r.started < r.ended && c.at > r.ended {
				m.breaks("leave", "run %d was cancelled while %v waited for it", i, c)
			}
		}
	}
}

func (c *modelCall) String() string {
	return fmt.Sprintf("%s of key %d [%d,%d] from %v to %v", c.what, c.id, c.began, c.end, c.started, c.at)
}

// explain adds all that was known of the call's key.
func (m *model) explain(c *modelCall) {
	say := func(format string, args ...any) { m.broken = append(m.broken, fmt.Sprintf("  "+format, args...)) }
	say("%+v", m.o)
	say("%+v, inner ttl %v", m.shape, m.innerTTL)
	say("%+v", *c)
	for i := 1; i < len(m.runs); i++ {
		if r := m.runs[i]; r.id == c.id || r.id == innerID+c.id {
			if r.call == nil {
				say("run %d, primed: %+v", i, r)
				continue
			}
			by := *r.call
			r.call = nil
			say("run %d: %+v, for %v, bypass %v, alone %v", i, r, &by, by.bypass, by.alone)
		}
	}
	for _, e := range m.events {
		say("%+v", e)
	}
	say("configured: %+v", m.set)
}

// TestModel makes random histories and holds them to the model.
func TestModel(t *testing.T) {
	makeHistories(t, 10_000, newHistory, func(seed uint64) bool { return shapeOf(shapeSource(seed)).shutdown })
}

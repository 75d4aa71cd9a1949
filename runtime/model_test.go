package cache

import (
	"context"
	"errors"
	"flag"
	"fmt"
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
)

// The model of the cache is a set of claims about what a call may return, given the
// computations that ran and the events that came before it. A history is what really
// happened when random calls were made from several goroutines at once, in a bubble where
// all times are small multiples of one unit, so that calls fall on the very moment of an
// expiry. Each history is judged by the claims:
//
//	own       a value is that of a computation of the called key, and no caller's change to
//	          its copy is in it
//	events    a value was not computed, or stored, before an event (Forget, Clear, Prime, a
//	          tag, the end of the session) that was complete before the call
//	nested    likewise for the tag of an inner function whose result went into the value
//	fresh     a value is not past its ttl, or ttl and stale; at the ttl it is past it
//	one       no two computations of a key run at once
//	errors    an error is that of a computation that ran during the call, or is kept;
//	          the end of a context is only told to the caller whose context it is
//	refresh   Refresh returns what was begun after it
//	two       no call waits for more than two computations that had a result
//	release   every resource is released exactly once, and not while it is acquired

var (
	histories = flag.Int("histories", 0, "how many histories the model check makes; 0: as many as usual")
	firstSeed = flag.Uint64("seed", 0, "seed of the first history; 0: random")
)

// modelRun is one computation, or one Prime.
type modelRun struct {
	key        int
	begin, end int       // numbers in the order of everything
	ended      time.Time // zero: still running
	inner      int       // the run whose value went in; 0: none
	err        error
	left       bool // it gave no result: its caller had gone, or it exited
	prime      bool
	released   int
}

// modelEvent is an event that makes results outdated.
type modelEvent struct {
	what       string
	key        int // 0: all
	run        int // of a Prime
	begin, end int
	inner      bool // of the inner function's tag
}

// modelCall is what one call saw.
type modelCall struct {
	what       string
	key        int
	run        int // whose value it got; 0: none
	value      []int
	err        error
	panicked   any
	exited     bool
	gone       bool // its context had ended
	begin, end int
	at         time.Time
	started    time.Time
}

// model is one history in the making.
type model struct {
	o     Options
	order atomic.Int64

	mu     sync.Mutex
	runs   []modelRun
	events []modelEvent
	calls  []modelCall
	broken []string
	busy   map[int]bool
}

const modelUnit = time.Second

func (m *model) now() int { return int(m.order.Add(1)) }

func (m *model) break_(format string, args ...any) {
	m.broken = append(m.broken, fmt.Sprintf(format, args...))
}

// start enters a run of key.
func (m *model) start(key int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.busy[key] {
		m.break_("one: two computations of key %d at once", key)
	}
	m.busy[key] = true
	m.runs = append(m.runs, modelRun{key: key, begin: m.now()})
	return len(m.runs) - 1
}

func (m *model) stop(run, inner int, err error, left bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := &m.runs[run]
	m.busy[r.key] = false
	r.inner, r.err, r.left, r.ended = inner, err, left, time.Now()
	r.end = m.now()
}

func (m *model) call(c modelCall) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, c)
}

func (m *model) event(e modelEvent) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = append(m.events, e)
}

// errRun is the error of a run.
type errRun struct {
	run int
	err error
}

func (e *errRun) Error() string { return fmt.Sprintf("run %d: %v", e.run, e.err) }
func (e *errRun) Unwrap() error { return e.err }

// modelBody is a computation that does what dice say: it takes its time, honours its
// context or not, and ends in one of all ways.
func (m *model) body(ctx context.Context, key int, dice int, inner func() int) (run int, err error) {
	run = m.start(key)
	in, left := 0, true
	defer func() { m.stop(run, in, err, left) }()
	if inner != nil {
		in = inner()
	}
	d := time.Duration(dice%3) * modelUnit
	if dice&64 != 0 {
		select {
		case <-ctx.Done():
			return run, &errRun{run, ctx.Err()}
		case <-time.After(d):
		}
	} else if d > 0 {
		time.Sleep(d)
	}
	switch dice >> 8 % 32 {
	case 1, 2, 3:
		left = ctx.Err() != nil
		return run, &errRun{run, errors.New("down")}
	case 4:
		left = false
		panic(&errRun{run, errors.New("thrown")})
	case 5:
		runtime.Goexit()
	}
	left = false
	return run, nil
}

// modelData is the result of the data functions: key, run, inner run, and the run again
// where a caller will change it.
type modelOps struct{}

func (modelOps) Copy(v *[]int) []int { return slices.Clone(*v) }

func (modelOps) Tags(k *testKey) []string { return []string{fmt.Sprint("key:", k.id)} }

func (modelOps) Session(*testKey) string { return "model" }

type modelHandle struct{ key, run int }

type modelHandleOps struct{ m *model }

func (o modelHandleOps) Release(v **modelHandle) {
	o.m.mu.Lock()
	defer o.m.mu.Unlock()
	o.m.runs[(*v).run].released++
}

// history makes one history and returns the claims that it breaks.
func history(t *testing.T, seed uint64) []string {
	r := rand.New(rand.NewPCG(seed, 0x9e3779b9))
	m := &model{runs: make([]modelRun, 1), busy: map[int]bool{}}
	m.o = Options{
		Func: "outer", Detach: r.IntN(2) == 0, Session: true, Tags: []string{"outer"},
		TTL:      time.Duration(r.IntN(2)*4) * modelUnit,
		ErrorTTL: time.Duration(r.IntN(2)*2) * modelUnit,
		Max:      r.IntN(2) * 2,
		Grace:    time.Duration(r.IntN(3)) * modelUnit / 2,
	}
	if m.o.TTL > 0 {
		m.o.Stale = time.Duration(r.IntN(2)*3) * modelUnit
	}
	resource := r.IntN(3) == 0
	nested := !resource && r.IntN(2) == 0

	inner := newFunc[[]int](t, modelOps{}, Options{Func: "inner", Tags: []string{"inner"}}, nil)
	innerRun := func(ctx context.Context, key int) func() int {
		if !nested {
			return nil
		}
		return func() int {
			v, err := inner.Do(uint64(key), testKey{id: 100 + key}, typedCall[[]int]{Ctx: ctx, Run: func(ctx context.Context) ([]int, error) {
				run := m.start(100 + key)
				time.Sleep(modelUnit / 2)
				m.stop(run, 0, nil, false)
				return []int{run}, nil
			}})
			if err != nil {
				return 0
			}
			return v[0]
		}
	}
	data := newFunc[[]int](t, modelOps{}, m.o, nil)
	handles := newFunc[*modelHandle](t, modelHandleOps{m}, m.o, nil)

	session := WithSession(context.Background(), "model")
	keyOf := func(key int) testKey { return testKey{id: key} }
	hashOf := func(key int) uint64 { return uint64(key % 2) } // chains of two
	dataCall := func(ctx context.Context, key, dice int) typedCall[[]int] {
		return typedCall[[]int]{Ctx: ctx, Run: func(ctx context.Context) ([]int, error) {
			run, err := m.body(ctx, key, dice, innerRun(ctx, key))
			m.mu.Lock()
			in := m.runs[run].inner
			m.mu.Unlock()
			return []int{key, run, in, run}, err
		}}
	}
	handleCall := func(ctx context.Context, key, dice int) typedCall[*modelHandle] {
		return typedCall[*modelHandle]{Ctx: ctx, Tags: []string{fmt.Sprint("key:", key)}, Run: func(ctx context.Context) (*modelHandle, error) {
			run, err := m.body(ctx, key, dice, nil)
			if err != nil {
				return nil, err
			}
			return &modelHandle{key, run}, nil
		}}
	}

	// one makes one call, on a goroutine of its own since it may exit.
	one := func(r *rand.Rand) {
		key, dice, what := 1+r.IntN(3), r.IntN(1<<13), r.IntN(100)
		ctx, cancel := context.WithCancel(session)
		if r.IntN(4) == 0 {
			cancel()
			ctx, cancel = context.WithTimeout(session, time.Duration(r.IntN(3))*modelUnit)
		}
		defer cancel()
		hold := time.Duration(r.IntN(3)) * modelUnit
		c := modelCall{key: key, exited: true, started: time.Now(), begin: m.now()}
		report := func() {
			if p := recover(); p != nil {
				c.panicked, c.exited = p, false
			}
			if c.end == 0 {
				c.end, c.at = m.now(), time.Now()
			}
			c.gone = ctx.Err() != nil
			m.call(c)
		}
		gotData := func(v []int, err error) {
			c.err, c.exited = err, false
			if err == nil {
				c.value, c.run = slices.Clone(v), v[1]
				v[0], v[1], v[2], v[3] = -1, -1, -1, -1 // it is the caller's own
			}
		}
		gotHandle := func(v *modelHandle, err error) {
			c.err, c.exited = err, false
			if err == nil {
				c.value, c.run = []int{v.key, v.run, 0, v.run}, v.run
			}
		}
		event := func(name string, key int, do func()) {
			e := modelEvent{what: name, key: key, inner: name == "inner tag", begin: m.now()}
			do()
			e.end = m.now()
			m.event(e)
		}
		switch {
		case what < 60:
			defer report()
			c.what = "load"
			k, h := keyOf(key), hashOf(key)
			switch {
			case !resource:
				if v := data.GetCtx(ctx, h, &k); v != nil && m.o.ErrorTTL == 0 {
					gotData(slices.Clone(*v), nil)
				} else {
					gotData(data.Do(h, k, dataCall(ctx, key, dice)))
				}
			case what < 30:
				v, done, err := handles.Acquire(h, k, handleCall(ctx, key, dice))
				c.end, c.at = m.now(), time.Now()
				gotHandle(v, err)
				if err == nil {
					time.Sleep(hold)
					m.mu.Lock()
					if m.runs[v.run].released != 0 {
						m.break_("release: run %d's value was released while it was acquired", v.run)
					}
					m.mu.Unlock()
				}
				done()
			default:
				gotHandle(handles.Do(h, k, handleCall(ctx, key, dice)))
			}
		case what < 70:
			defer report()
			c.what = "refresh"
			if resource {
				gotHandle(handles.Refresh(hashOf(key), keyOf(key), handleCall(ctx, key, dice)))
			} else {
				gotData(data.Refresh(hashOf(key), keyOf(key), dataCall(ctx, key, dice)))
			}
		case what < 75 && !resource:
			defer report()
			c.what, c.exited = "peek", false
			if v, ok := data.Peek(hashOf(key), keyOf(key)); ok {
				gotData(v, nil)
			}
		case what < 80 && !resource:
			// A Prime is an event that begins with it, and a run that ends with it.
			m.mu.Lock()
			run := len(m.runs)
			m.runs = append(m.runs, modelRun{key: key, prime: true, begin: int(^uint(0) >> 1)})
			m.mu.Unlock()
			e := modelEvent{what: "prime", key: key, run: run, begin: m.now()}
			v := []int{key, run, 0, run}
			m.mu.Lock()
			m.runs[run].ended = time.Now()
			m.mu.Unlock()
			data.Prime(hashOf(key), keyOf(key), v)
			v[1] = -1
			e.end = m.now()
			m.mu.Lock()
			m.runs[run].begin, m.runs[run].end = e.end, e.end
			m.mu.Unlock()
			m.event(e)
		case what < 86:
			event("forget", key, func() {
				data.Forget(hashOf(key), keyOf(key))
				handles.Forget(hashOf(key), keyOf(key))
			})
		case what < 90:
			event("clear", 0, func() {
				data.Clear()
				handles.Clear()
			})
		case what < 93:
			event("tag", key, func() { Invalidate(ctx, fmt.Sprint("key:", key)) })
		case what < 95:
			event("site tag", 0, func() { Invalidate(ctx, "outer") })
		case what < 97:
			event("session", 0, func() { EndSession(ctx, "model") })
		default:
			event("inner tag", 0, func() { Invalidate(ctx, "inner") })
		}
	}

	var wg sync.WaitGroup
	for range 2 + r.IntN(5) {
		own := rand.New(rand.NewPCG(r.Uint64(), 1))
		wg.Go(func() {
			for range 4 + own.IntN(20) {
				time.Sleep(time.Duration(own.IntN(4)) * modelUnit / 2)
				done := make(chan struct{})
				go func() {
					defer close(done)
					one(own)
				}()
				<-done
			}
		})
	}
	wg.Wait()
	time.Sleep(10 * modelUnit) // what runs behind or alone ends
	synctest.Wait()
	handles.Clear()
	time.Sleep(2 * modelUnit)
	synctest.Wait()
	return m.judge()
}

// judge returns the claims that the history breaks.
func (m *model) judge() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.calls {
		m.judgeCall(&m.calls[i])
	}
	for i := 1; i < len(m.runs); i++ {
		if r := &m.runs[i]; r.released > 1 {
			m.break_("release: run %d's value was released %d times", i, r.released)
		}
	}
	return m.broken
}

func (m *model) judgeCall(c *modelCall) {
	at := fmt.Sprintf("%s of key %d [%d,%d]", c.what, c.key, c.begin, c.end)
	var bad *errRun
	if p, ok := c.panicked.(error); ok && errors.As(p, &bad) || errors.As(c.err, &bad) {
		r := &m.runs[bad.run]
		during := r.end == 0 || !r.ended.Before(c.started) // it may have ended at this moment
		kept := m.o.ErrorTTL > 0 && c.panicked == nil && c.at.Sub(r.ended) < m.o.ErrorTTL
		if r.key != c.key || !during && !kept {
			m.break_("errors: %s got an error of run %d that ended at %d", at, bad.run, r.end)
		}
		if (errors.Is(bad, context.Canceled) || errors.Is(bad, context.DeadlineExceeded)) && !c.gone {
			m.break_("errors: %s got another's end of context, of run %d", at, bad.run)
		}
		m.judgeEvents(c, at, bad.run)
		return
	}
	if c.panicked != nil {
		m.break_("errors: %s panicked with %v", at, c.panicked)
		return
	}
	if c.err != nil {
		if !c.gone || !errors.Is(c.err, context.Canceled) && !errors.Is(c.err, context.DeadlineExceeded) {
			m.break_("errors: %s got %v out of nothing", at, c.err)
		}
		return
	}
	// The computation that it waited for last ended when the call did; before that, one. What
	// took no time may have come and gone without the call; and of several that ended at
	// one moment it waited for one, which may be one that gave no result.
	results := map[time.Time]bool{}
	for i := range m.runs {
		if r := &m.runs[i]; i > 0 && !r.prime && r.key == c.key && r.ended.After(c.started) && r.ended.Before(c.at) {
			if left, ok := results[r.ended]; r.left || !ok {
				results[r.ended] = r.left || left
			}
		}
	}
	maps.DeleteFunc(results, func(_ time.Time, left bool) bool { return left })
	if len(results) > 1 && !c.gone && c.what == "load" {
		m.break_("two: %s waited for %d computations", at, len(results)+1)
		m.explain(c)
	}
	if c.run == 0 {
		return
	}
	if c.run < 0 || c.run >= len(m.runs) {
		m.break_("own: %s got %v, which another caller has changed", at, c.value)
		return
	}
	r := &m.runs[c.run]
	if r.key != c.key || !slices.Equal(c.value, []int{c.key, c.run, c.value[2], c.run}) {
		m.break_("own: %s got %v", at, c.value)
		return
	}
	// A value is as old as it was when the call began at least: it may have been found then.
	if life := m.o.TTL; life > 0 {
		if c.what != "peek" {
			life += m.o.Stale
		}
		if age := c.started.Sub(r.ended); age >= life {
			m.break_("fresh: %s got the value of run %d, %v old", at, c.run, age)
		}
	}
	if c.what == "refresh" && r.begin < c.begin {
		m.break_("refresh: %s got the value of run %d, begun at %d", at, c.run, r.begin)
	}
	m.judgeEvents(c, at, c.run)
}

// explain adds all that was known of the call's key.
func (m *model) explain(c *modelCall) {
	m.break_("%+v", m.o)
	m.break_("from %s to %s", c.started.Format("05.000"), c.at.Format("05.000"))
	for i := range m.runs {
		if r := &m.runs[i]; r.key == c.key || r.key == 100+c.key {
			m.break_("run %d of %d: [%d,%d] ended %s, inner %d, error %v, left %v, prime %v", i, r.key, r.begin, r.end, r.ended.Format("05.000"), r.inner, r.err, r.left, r.prime)
		}
	}
	for _, e := range m.events {
		if e.key == c.key || e.key == 0 {
			m.break_("%s [%d,%d]", e.what, e.begin, e.end)
		}
	}
}

func (m *model) judgeEvents(c *modelCall, at string, run int) {
	for i := range m.events {
		e := &m.events[i]
		if e.end > c.begin || e.run == run {
			continue
		}
		begin, name := m.runs[run].begin, "events"
		switch {
		case e.inner:
			if m.runs[run].inner == 0 {
				continue
			}
			begin, name = m.runs[m.runs[run].inner].begin, "nested"
		case e.key != 0 && e.key != c.key:
			continue
		}
		if begin < e.begin {
			m.break_("%s: %s got the result of run %d, begun at %d, before the %s [%d,%d]", name, at, run, begin, e.what, e.begin, e.end)
		}
	}
}

// TestModel makes random histories and holds them to the model.
func TestModel(t *testing.T) {
	n := *histories
	switch {
	case n > 0:
	case raceEnabled || testing.Short():
		n = 300
	default:
		n = 3000
	}
	seed := *firstSeed
	if seed == 0 {
		seed = rand.Uint64N(1 << 40)
	}
	oldLogf := logf
	logf = func(string, ...any) {}
	t.Cleanup(func() { logf = oldLogf })
	calls := 0
	for i := range n {
		seed := seed + uint64(i)
		var broken []string
		synctest.Test(t, func(t *testing.T) { broken = history(t, seed) })
		calls++
		if len(broken) > 0 {
			t.Fatalf("history %d (-seed=%d) breaks the model:\n\t%s", i, seed, strings.Join(broken[:min(len(broken), 60)], "\n\t"))
		}
		if t.Failed() {
			t.Fatalf("history %d (-seed=%d)", i, seed)
		}
	}
	t.Logf("%d histories", calls)
}

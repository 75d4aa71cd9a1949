package cachert

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/cachegen/cachegen/runtime/value"
)

// userKey is a context key as a program of the user's has it: its type is not of this
// package, whose keys do not matter.
func userKey(name string) any { return struct{ name string }{name} }

// Without the watch over context values one user would get the other's page.
func TestContextValuesDoNotLeak(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		lines := logged(t)
		o.TrackContext = true
		page := func(ctx context.Context, _ int) (string, error) {
			ctx, cancel := context.WithTimeout(ctx, time.Hour) // whatever is in between
			defer cancel()
			return fmt.Sprint("page of ", ctx.Value(userKey("user"))), nil
		}
		f := newFunc(t, nil, o, page)
		outer := newFunc(t, nil, o, func(ctx context.Context, id int) (string, error) { return f.load(ctx, id) })
		for range 2 {
			for _, user := range []string{"ada", "bob"} {
				ctx, cancel := context.WithCancel(context.WithValue(context.Background(), userKey("user"), user))
				defer cancel()
				for _, f := range []*testFunc[string]{f, outer} {
					if v, err := f.load(ctx, 1); v != "page of "+user || err != nil {
						t.Errorf("%s got %q, %v", user, v, err)
					}
				}
			}
		}
		if s := f.Stats(); s.Entries != 0 || s.ContextReads == 0 || s.ContextReads != s.NotKept {
			t.Errorf("%+v", s)
		}
		if got := lines(); len(got) != 2 || !strings.Contains(got[0], "hash=ctx:Func") || !strings.Contains(got[0], "ctx=ignore") || !strings.Contains(got[0], `name:"user"`) {
			t.Errorf("%q", got)
		}
		o.TrackContext = false // ctx=ignore
		g := newFunc(t, nil, o, page)
		ctx := context.WithValue(context.Background(), userKey("user"), "ada")
		g.load(ctx, 1)
		if v, _ := g.load(context.Background(), 1); v != "page of ada" {
			t.Error(v)
		}
	})
}

func TestContextKeysOfInfrastructureAreNoInputs(t *testing.T) {
	runs := 0
	f := newFunc(t, nil, Options{TrackContext: true}, func(ctx context.Context, _ int) (int, error) {
		runs++
		sub, cancel := context.WithCancel(ctx) // asks for context's own key
		defer cancel()
		context.Cause(sub)
		context.AfterFunc(sub, func() {})()
		ctx.Value(http.ServerContextKey)
		ctx.Value(http.LocalAddrContextKey)
		return runs, nil
	})
	ctx, cancel := cancellable(t)
	defer cancel()
	for range 2 {
		if v, _ := f.load(ctx, 1); v != 1 {
			t.Errorf("run %d: an infrastructure's key counts", v)
		}
	}
	for key, want := range map[any]bool{cancelKey: true, http.ServerContextKey: true, userKey("x"): false, "text": false, 7: false} {
		if known(key) != want {
			t.Errorf("known(%v) = %v", key, !want)
		}
	}
}

// What counts for an inner result counts for the outer one, whether the inner call hits
// or misses.
func TestInnerResultsCountForTheOuterOne(t *testing.T) {
	for _, warm := range []bool{false, true} {
		t.Run(fmt.Sprintf("warm=%v", warm), func(t *testing.T) {
			eachWay(t, func(t *testing.T, o Options) {
				ctx, _ := cancellable(t)
				ctx = WithSession(ctx, "s1")
				runs := 0
				nest := func(in Options) (inner, outer *testFunc[int]) {
					inner = newFunc(t, nil, in, func(context.Context, int) (int, error) { return 1, nil })
					o := o
					o.TTL = 0
					outer = newFunc(t, nil, o, func(ctx context.Context, id int) (int, error) {
						runs++
						_, err := inner.load(ctx, id)
						return runs, err
					})
					if warm {
						inner.load(ctx, 1)
					}
					outer.load(ctx, 1)
					return inner, outer
				}
				kept := func(f *testFunc[int]) bool { _, ok := f.peek(1); return ok }

				_, outer := nest(Options{TTL: time.Minute})
				time.Sleep(time.Minute - 1)
				if !kept(outer) {
					t.Error("ttl: the outer entry went too early")
				}
				if time.Sleep(time.Nanosecond); kept(outer) {
					t.Error("ttl: the outer entry outlives the inner one")
				}
				if _, outer = nest(Options{Tags: []string{"inner"}}); !kept(outer) {
					t.Error("tags: the outer result is not kept")
				}
				if Invalidate(ctx, "inner"); kept(outer) {
					t.Error("tags: the outer entry does not have the inner one's tag")
				}
				if _, outer = nest(Options{Session: true}); kept(outer) {
					t.Error("session: a session's result is in an entry for all")
				}
				if own := newFunc(t, nil, Options{Session: true}, func(ctx context.Context, id int) (int, error) {
					id2, _ := SessionOf(ctx)
					return len(id2), nil
				}); true {
					if own.load(ctx, 1); !kept(own) {
						t.Error("session: a session's own entry is not kept")
					}
					if EndSession(ctx, "s1"); kept(own) {
						t.Error("session: its entry outlives it")
					}
				}
				asks := newFunc(t, nil, o, func(ctx context.Context, id int) (int, error) { SessionOf(ctx); return 1, nil })
				if asks.load(ctx, 1); kept(asks) {
					t.Error("session: SessionOf does not count")
				}
				if !warm {
					keepNot := newFunc(t, keepOps{}, Options{}, func(context.Context, int) (int, error) { return -1, nil })
					outer = newFunc(t, nil, o, func(ctx context.Context, id int) (int, error) { return keepNot.load(ctx, id) })
					if outer.load(ctx, 1); kept(outer) || kept(keepNot) {
						t.Error("keep: a result that is not kept is in one that is")
					}
				}
			})
		})
	}
}

type keepOps struct{}

func (keepOps) Keep(v *int) bool         { return *v >= 0 }
func (keepOps) TTL(v *int) time.Duration { return time.Duration(*v) * time.Second }
func (keepOps) KeepError(err error) bool { return err.Error() == "lasting" }
func (keepOps) Size(v *int) int64        { return int64(*v) }

func TestKeepGivesToWaiters(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		runs := 0
		f := newFunc(t, keepOps{}, o, func(context.Context, int) (int, error) { runs++; time.Sleep(time.Second); return -runs, nil })
		ctx, _ := cancellable(t)
		wantResults(t, callers(f, ctx, ctx)(), "-1", "-1")
		wantResults(t, callers(f, ctx)(), "-2")
	})
}

func TestTTLOfTheValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		f := newFunc(t, keepOps{}, Options{}, func(context.Context, int) (int, error) { runs++; return runs, nil })
		want(t, f, 1, 1)
		time.Sleep(time.Second)
		want(t, f, 1, 2) // after its 1 s
		time.Sleep(time.Second)
		want(t, f, 1, 2)
		time.Sleep(time.Second)
		want(t, f, 1, 3)
	})
}

func TestKeepErrorChooses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		text := "passing"
		f := newFunc(t, keepOps{}, Options{ErrorTTL: time.Minute}, func(context.Context, int) (int, error) { runs++; return 0, errors.New(text) })
		f.load(noCtx, 1)
		text = "lasting"
		f.load(noCtx, 1)
		text = "other"
		if _, err := f.load(noCtx, 1); err.Error() != "lasting" || runs != 2 {
			t.Error(err, runs)
		}
	})
}

func TestJitterSpreadsExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFunc(t, nil, Options{TTL: 100 * time.Second, Jitter: 0.1}, func(_ context.Context, id int) (int, error) { return id, nil })
		for i := range 1000 {
			f.load(noCtx, i)
		}
		left := func() (n int) {
			for i := range 1000 {
				if _, ok := f.peek(i); ok {
					n++
				}
			}
			return n
		}
		time.Sleep(90*time.Second - 1)
		if n := left(); n != 1000 {
			t.Errorf("%d of 1000 before the time of the first", n)
		}
		time.Sleep(5 * time.Second)
		if n := left(); n < 300 || n > 700 {
			t.Errorf("%d of 1000 in the middle", n)
		}
		time.Sleep(5*time.Second + 1)
		if n := left(); n != 0 {
			t.Errorf("%d of 1000 after the ttl", n)
		}
	})
}

func TestBytesStayBelowMaxBytes(t *testing.T) {
	f := newFunc(t, keepOps{}, Options{MaxBytes: 10_000}, func(_ context.Context, id int) (int, error) { return id, nil })
	for i := range 2000 {
		f.load(noCtx, i)
		if s := f.Stats(); s.Bytes > 10_000 {
			t.Fatalf("%+v", s)
		}
	}
	f.load(noCtx, 20_000)
	if _, ok := f.peek(20_000); ok || f.Stats().Entries == 0 {
		t.Error("an entry larger than the bound is kept, or drove out the rest")
	}
}

// What Configure remembers for functions that are not known yet is as good as all that it was
// told, in its order, and does not grow.
func TestConfigureRemembersWhatCounts(t *testing.T) {
	defer func(old []override) { overrides = old }(overrides)
	overrides = nil
	for i := 1; i <= 1000; i++ {
		for _, o := range []override{
			{"later.f", Override{TTL: time.Duration(i) * time.Hour, Max: i}},
			{"later", Override{Max: 2 * i, MaxBytes: 1 << 20}},
			{"later.f", Override{TTL: time.Minute}},
		} {
			if err := Configure(o.name, o.Override); !errors.Is(err, ErrUnknown) {
				t.Fatal(err)
			}
		}
	}
	if len(overrides) > 4 {
		t.Errorf("%d are remembered: %+v", len(overrides), overrides)
	}
	f := newFunc(t, keepOps{}, Options{Func: "later.f", TTL: time.Second, Tags: []string{"later"}}, counting(new(int)))
	if s := f.store; s.ttl.Load() != int64(time.Minute) || s.policy.max != 2000 || s.policy.maxBytes != 1<<20 {
		t.Errorf("ttl %v, %d entries, %d bytes", time.Duration(s.ttl.Load()), s.policy.max, s.policy.maxBytes)
	}
}

func TestConfigureChangesBoundsOfRunningCaches(t *testing.T) {
	defer func(old []override) { overrides = old }(overrides)
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		f := newFunc(t, nil, Options{Func: "conf.f", TTL: time.Hour, Max: 100, Tags: []string{"conf"}}, counting(&runs))
		for i := range 10 {
			f.load(noCtx, i)
		}
		if err := Configure("conf.f", Override{TTL: time.Minute}); err != nil {
			t.Error(err)
		}
		if err := Configure("conf", Override{Max: 5}); err != nil || f.Stats().Entries != 5 {
			t.Error(err, f.Stats())
		}
		f.Clear()
		want(t, f, 1, 11)
		time.Sleep(time.Minute)
		want(t, f, 1, 12)
		if err := Configure("conf.g", Override{TTL: time.Second}); !errors.Is(err, ErrUnknown) {
			t.Error(err)
		}
		g := newFunc(t, nil, Options{Func: "conf.g", TTL: time.Hour}, counting(&runs)) // known by now
		want(t, g, 1, 13)
		time.Sleep(time.Second)
		want(t, g, 1, 14)
		if err := Configure("conf.f", Override{TTL: -1}); err == nil || errors.Is(err, ErrUnknown) {
			t.Error(err)
		}
	})
}

func TestBypassNeitherReadsNorKeeps(t *testing.T) {
	eachWay(t, func(t *testing.T, o Options) {
		ops := newHandleOps()
		body, _ := making()
		f := newFunc(t, ops, o, body)
		ctx, _ := cancellable(t)
		kept, _ := f.load(ctx, 1)
		own, _ := f.load(Bypass(ctx), 1)
		leased, done, _ := f.acquire(Bypass(ctx), 1)
		if again, _ := f.load(ctx, 1); own == kept || leased == kept || again != kept {
			t.Error("Bypass does not go past the cache")
		}
		done()
		done()
		time.Sleep(time.Hour)
		if own.released.Load() != 0 || leased.released.Load() != 1 || kept.released.Load() != 0 {
			t.Error("under Bypass the caller owns what it gets, and ends what it acquired")
		}
	})
}

func TestSwitchedOffEveryCallRuns(t *testing.T) {
	defer func(old bool) { switchedOff = old }(switchedOff)
	switchedOff = true
	runs := 0
	f := newFunc(t, nil, Options{}, counting(&runs))
	want(t, f, 1, 1)
	want(t, f, 1, 2)
}

type identOps struct{ handleOps }

func (identOps) Ident(v **handle) any { return *v }

// An identical value that several entries keep is released when the last one goes.
func TestIdenticalValueIsReleasedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := &handle{id: 1}
		f := newFunc(t, identOps{newHandleOps()}, Options{Grace: time.Second}, func(context.Context, int) (*handle, error) { return one, nil })
		f.load(noCtx, 1)
		f.load(noCtx, 2)
		f.refresh(noCtx, 1) // replaced by itself
		f.forget(1)
		time.Sleep(time.Minute)
		if one.released.Load() != 0 {
			t.Fatal("released while another entry keeps it")
		}
		f.forget(2)
		time.Sleep(time.Second / 2)
		f.load(noCtx, 3) // kept again within its grace
		time.Sleep(time.Minute)
		if one.released.Load() != 0 {
			t.Fatal("released although it is kept again")
		}
		f.Clear()
		time.Sleep(time.Second)
		synctest.Wait()
		if one.released.Load() != 1 {
			t.Errorf("released %d times", one.released.Load())
		}
	})
}

// The entries of an instance go with it.
func TestEntriesOfAnInstanceGoWithIt(t *testing.T) {
	type instance struct{ _ [64]byte }
	s := newTyped[int, int](nil, Options{Func: "owner"})
	func() {
		p := &instance{}
		for i := range 3 {
			s.Do(uint64(i), i, typedCall[int]{Owner: OwnerOf(p), Run: func(context.Context) (int, error) { return i, nil }})
		}
		runtime.GC()
		if s.Stats().Entries != 3 {
			t.Error("the entries of a living instance are gone")
		}
		runtime.KeepAlive(p)
	}()
	for range 1000 {
		runtime.GC()
		if s.Stats().Entries == 0 {
			return
		}
		runtime.Gosched()
	}
	t.Error("the entries outlive their instance")
}

func TestInstancesShareNoEntries(t *testing.T) {
	var sites Sites
	made := 0
	opts := func() Options { made++; return Options{Func: fmt.Sprint("instance", made)} }
	a, b, c := Instance[int, string](&sites, nil, opts), Instance[int, string](&sites, nil, opts), Instance[int, int](&sites, nil, opts)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { Instance[string, int](&sites, nil, opts) })
	}
	wg.Wait()
	if a != b || any(a) == any(c) || made != 3 {
		t.Error(made)
	}
}

type eightOps struct{}

func (eightOps) Size(*int) int64 { return 8 }

// A million keys go through a cache with a bound, and never is more in it.
func TestBoundHoldsForAMillionKeys(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("millions of calls")
	}
	const weight = int64(unsafe.Sizeof(entry[int, int]{})) + 8
	for name, o := range map[string]Options{
		"max":               {Max: 10_000},
		"max-bytes":         {MaxBytes: 10_000 * weight},
		"max and max-bytes": {Max: 20_000, MaxBytes: 10_000 * weight},
	} {
		t.Run(name, func(t *testing.T) {
			o.Func, o.TTL = "million", time.Hour
			s := newTyped[int, int](eightOps{}, o)
			for i := range 1_000_000 {
				s.Do(value.HashUint64(value.HashStart(), uint64(i)), i, typedCall[int]{Run: func(context.Context) (int, error) { return i, nil }})
				if i%1000 == 0 || i < 20_000 {
					if x := s.Stats(); x.Entries > 10_000 || o.MaxBytes > 0 && x.Bytes > o.MaxBytes {
						t.Fatalf("after %d keys %d entries, %d bytes", i, x.Entries, x.Bytes)
					}
				}
			}
			s.store.check(t)
			if x := s.Stats(); x.Entries != 10_000 || x.Evicted != 990_000 {
				t.Errorf("%+v", x)
			}
		})
	}
}

// Memory of an entry with a key struct of 24 bytes, its text of 22 and a value of 32.
func TestEntryTakesNoMoreThanItsShare(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("a million entries")
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const n = 1_000_000
	before := heap()
	s := newTyped[benchKey, benchVal](nil, Options{Func: "memory", TTL: time.Hour, Max: 2 * n})
	for i := range n {
		k := benchKey{i, fmt.Sprintf("customer-%012d!", i)}
		s.Prime(k.hash(), k, benchVal{n: int64(i)})
	}
	per := float64(heap()-before) / n
	t.Logf("%.0f bytes for each of a million entries", per)
	if per > 187 { // what otter needs with a bound and a ttl
		t.Errorf("%.0f bytes for each entry", per)
	}
	runtime.KeepAlive(s)
}

func TestHitsAllocateNothing(t *testing.T) {
	s, keys := benchSite(t, Options{TTL: time.Hour, Max: 100}, 8)
	ctx := context.WithValue(context.Background(), userKey("a"), 1)
	if n := testing.AllocsPerRun(100, func() {
		k := keys[3]
		if s.Get(k.hash(), &k) == nil || s.GetCtx(ctx, k.hash(), &k) == nil {
			t.Fatal("a miss")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Statistics are exact up to a number, and near the truth beyond.
func TestStatsOfAHotFunctionAreNearTheTruth(t *testing.T) {
	s, keys := benchSite(t, Options{}, 1)
	k := keys[0]
	h := k.hash()
	for range 10_000 {
		s.Get(h, &k)
	}
	if n := s.Stats().Hits; n != 10_000 {
		t.Errorf("%d of 10000 hits", n)
	}
}

// taggedOps find tags and the session in the key.
type taggedOps struct{ sliceOps }

func (taggedOps) Tags(k *testKey) []string { return []string{fmt.Sprint("key:", k.id)} }
func (taggedOps) Session(*testKey) string  { return "primed" }

func TestTemplatedTagsOfThePrimed(t *testing.T) {
	f := newFunc(t, taggedOps{}, Options{Session: true}, func(context.Context, int) ([]int, error) { return []int{1}, nil })
	for _, drop := range []func(){
		func() { Invalidate(context.Background(), "key:1") },
		func() { EndSession(context.Background(), "primed") },
	} {
		f.prime(1, []int{7})
		f.prime(2, []int{8})
		if v, _ := f.peek(1); !slices.Equal(v, []int{7}) {
			t.Error(v)
		}
		if drop(); func() bool { _, ok := f.peek(1); return ok }() {
			t.Error("a primed entry has no tags of its key")
		}
	}
}

// An error that came of an inner function's error is kept where the outer one keeps errors:
// that the inner one keeps none is no reason against it. A value that was made in spite of
// the inner error is not kept: the error may pass.
func TestErrorOfAnInnerErrorIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("down")
		runs := map[string]int{}
		inner := newFunc(t, nil, Options{Func: "inner"}, func(context.Context, int) (int, error) {
			runs["inner"]++
			return 0, down
		})
		middle := newFunc(t, nil, Options{Func: "middle"}, func(ctx context.Context, id int) (int, error) {
			return inner.load(ctx, id)
		})
		outer := newFunc(t, nil, Options{Func: "outer", ErrorTTL: time.Minute}, func(ctx context.Context, id int) (int, error) {
			runs["outer"]++
			return middle.load(ctx, id)
		})
		fallback := newFunc(t, nil, Options{Func: "fallback", ErrorTTL: time.Minute}, func(ctx context.Context, id int) (int, error) {
			runs["fallback"]++
			if _, err := middle.load(ctx, id); err == nil {
				t.Error("no error")
			}
			return 7, nil
		})
		for range 2 {
			if _, err := outer.load(t.Context(), 1); err != down {
				t.Error(err)
			}
			if v, err := fallback.load(t.Context(), 1); v != 7 || err != nil {
				t.Error(v, err)
			}
		}
		if runs["outer"] != 1 || runs["fallback"] != 2 || runs["inner"] != 3 {
			t.Errorf("%v", runs)
		}
		time.Sleep(time.Minute)
		if _, err := outer.load(t.Context(), 1); err != down || runs["outer"] != 2 {
			t.Errorf("%v, %v", err, runs)
		}
	})
}

// The session of an inner function counts for an error as it does for a value.
func TestErrorOfASessionsErrorIsTheSessions(t *testing.T) {
	inner := newFunc(t, nil, Options{Func: "inner", Session: true}, func(ctx context.Context, _ int) (int, error) {
		id, _ := SessionOf(ctx)
		return 0, errors.New(id)
	})
	outer := newFunc(t, nil, Options{Func: "outer", ErrorTTL: time.Minute}, func(ctx context.Context, id int) (int, error) {
		return inner.load(ctx, id)
	})
	for _, id := range []string{"ann", "bob"} {
		if _, err := outer.load(WithSession(t.Context(), id), 1); err == nil || err.Error() != id {
			t.Errorf("%s gets the error of %v", id, err)
		}
	}
}

type hugeOps struct{}

func (hugeOps) Size(*int) int64 { return math.MaxInt64 }

// A size beyond all bounds is not one below them.
func TestHugeSizeIsNotKept(t *testing.T) {
	f := newFunc(t, hugeOps{}, Options{MaxBytes: 1000}, func(context.Context, int) (int, error) { return 1, nil })
	f.load(noCtx, 1)
	f.prime(2, 2)
	if s := f.Stats(); s.Entries != 0 {
		t.Errorf("%d entries are kept", s.Entries)
	}
}

// A kept error has no value that a validation could be asked about.
func TestKeptErrorIsNotValidated(t *testing.T) {
	f := newFunc(t, nil, Options{ErrorTTL: time.Minute}, func(context.Context, int) (*int, error) { return nil, context.DeadlineExceeded })
	c := f.call(noCtx, 1)
	c.Validate = func(_ context.Context, v **int) (bool, error) { return **v > 0, nil }
	k := testKey{id: 1}
	for range 2 {
		if _, err := f.Do(k.hash(), k, c); err != context.DeadlineExceeded {
			t.Error(err)
		}
	}
	if s := f.Stats(); s.Loads != 1 {
		t.Errorf("computed %d times", s.Loads)
	}
}

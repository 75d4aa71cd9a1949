package probe

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
)

// Case is one function under test. Arguments and results travel as pointers to structs; a
// trailing error result is in the field err.
type Case struct {
	Name      string
	Pool      *Pool
	Resource  bool     // results are shared, not copied
	Aliasing  bool     // results may contain arguments
	ErrKept   bool     // error results are kept
	Rounds    int      // how many arguments are tried
	Key       []string // fields of the arguments that must tell calls apart
	Ignored   []string // fields that must not
	Free      []string // fields that may or may not, and so do not change
	Changes   string   // the parameter that the body changes for its caller, by its name; "": none
	New       func() any
	Call, Raw func(args any) any // through the wrapper, and past it
	Runs      *Counter           // of the body
	Handle    *Handle            // nil: not tried
}

// Handle is what people do with a cache by hand. Each takes arguments of which only those
// in the key count.
type Handle struct {
	Forget func(args any)
	Peek   func(args any) (results any, ok bool)
	Prime  func(args, results any)
}

// Tally counts what was tried, so that a test can tell that it was not nothing.
type Tally struct {
	Calls, Hits, Misses, Skipped int
	Changed                      int // calls that changed an argument

	// What has been kept for each case of a name, by key: the result of the call that was
	// a miss. Where content decides, a later call with the same key may have been made from
	// arguments that share other pointers, or differ in what a type leaves out of its key.
	kept map[string]map[string]any
}

type failure string

// Check runs the experiment and returns the first thing that is wrong, or nil.
func (c *Case) Check(seed uint64, t *Tally) (err error) {
	if t.kept == nil {
		t.kept = map[string]map[string]any{}
	}
	if t.kept[c.Name] == nil {
		t.kept[c.Name] = map[string]any{}
	}
	k := checker{Case: c, tally: t, kept: t.kept[c.Name]}
	for i := range c.Rounds {
		seed := seed*1_000_003 + uint64(i)
		switch r := k.round(seed, 8).(type) {
		case nil:
		case failure:
			return fmt.Errorf("%s: seed %d: %s", c.Name, seed, r)
		default:
			if r == ErrTooBig {
				t.Skipped++
				continue
			}
			return fmt.Errorf("%s: seed %d: panic: %v", c.Name, seed, r)
		}
	}
	return nil
}

type checker struct {
	*Case
	tally *Tally
	kept  map[string]any // by key
}

// args returns the arguments of a seed, in memory of their own.
func (k *checker) args(seed uint64, alt bool) any {
	a := k.New()
	g := NewGen(k.Pool, seed)
	g.Alt = alt
	g.Fill(a)
	for _, name := range k.Free {
		open(reflect.ValueOf(a).Elem().FieldByName(name)).SetZero()
	}
	return a
}

// part prints the named fields.
func (k *checker) part(args any, names []string, asKey bool) string {
	w := printer{pool: k.Pool, asKey: asKey}
	fields(reflect.ValueOf(args).Elem(), func(name string, f reflect.Value) {
		if slices.Contains(names, name) {
			w.b.WriteString(name + "=")
			w.print(f)
			w.b.WriteByte(';')
		}
	})
	return w.b.String()
}

func (k *checker) fail(format string, a ...any) { panic(failure(fmt.Sprintf(format, a...))) }

// raw returns the results of the function itself and whether they are to be kept.
func (k *checker) raw(args any) (results any, keep bool) {
	results = k.Raw(args)
	f := reflect.ValueOf(results).Elem().FieldByName("err")
	return results, !f.IsValid() || f.IsNil() || k.ErrKept
}

// call calls the wrapper and checks whether the body ran, and the result.
func (k *checker) call(what string, args, want any, keep bool) any {
	key := k.part(args, k.Key, true)
	before := k.Runs.n
	got := k.Call(args)
	runs := k.Runs.n - before
	k.tally.Calls++
	expect := 1
	if first, ok := k.kept[key]; ok {
		expect, want = 0, first
		k.tally.Hits++
	} else {
		k.tally.Misses++
	}
	if runs != expect {
		verb := "a hit"
		if expect == 1 {
			verb = "a miss"
		}
		k.fail("%s: should be %s, but the body ran %d times; key %s", what, verb, runs, key)
	}
	if err := Same(k.Pool, want, got); err != nil {
		k.fail("%s: result differs from the uncached one at %v; key %s", what, err, key)
	}
	if keep {
		k.kept[key] = want
	}
	return got
}

func (k *checker) round(seed uint64, nudges int) (trouble any) {
	defer func() {
		if trouble = recover(); trouble == nil || trouble == ErrTooBig {
			return
		}
		if _, ok := trouble.(failure); !ok {
			trouble = fmt.Sprintf("%v\n%s", trouble, debug.Stack())
		}
	}()

	if k.Changes != "" {
		k.changing(seed)
		return nil
	}
	want, keep := k.raw(k.args(seed, false))
	if again, _ := k.raw(k.args(seed, true)); Same(k.Pool, want, again) != nil {
		panic(fmt.Sprintf("the body is not deterministic: %v", Same(k.Pool, want, again)))
	}

	args := k.args(seed, false)
	first := k.call("first call", args, want, keep)
	if !k.Resource {
		if s := Spill(Memory(first)); s != "" {
			k.fail("first call: %s", s)
		}
		if s := Overlap(Memory(args), Memory(first)); s != "" {
			k.fail("first call: the result shares memory with the arguments: %s", s)
		}
	}
	if !k.Resource || !k.Aliasing {
		Scribble(k.Pool, args)
	}
	second := k.call("equal arguments, after those of the first call were overwritten", k.args(seed, true), want, keep)
	a, b := Memory(first), Memory(second)
	switch {
	case k.Resource && keep && !equalMemory(a, b):
		k.fail("a resource's second result is not its first")
	case !k.Resource && keep && Overlap(a, b) != "":
		k.fail("two results share memory: %s", Overlap(a, b))
	case !k.Resource && Spill(b) != "":
		k.fail("second call: %s", Spill(b))
	}
	if !k.Resource {
		if err := Twins(k.Pool, first, second); err != nil && keep {
			k.fail("a miss can be told from a hit by the value at %v", err)
		}
		Scribble(k.Pool, first)
		Scribble(k.Pool, second)
		third := k.call("equal arguments, after both results were overwritten", k.args(seed, false), want, keep)
		Scribble(k.Pool, third)
	}

	if len(k.Ignored) > 0 {
		other, mixed := k.args(seed+1, false), k.args(seed, false)
		ov, mv := reflect.ValueOf(other).Elem(), reflect.ValueOf(mixed).Elem()
		for _, name := range k.Ignored {
			open(mv.FieldByName(name)).Set(open(ov.FieldByName(name)))
		}
		k.call("other values of ignored parameters", mixed, want, keep)
	}

	k.nudges(seed, nudges)
	last := k.call("the first arguments once more", k.args(seed, false), want, keep)
	if k.Handle != nil && keep {
		k.handle(seed, want, last)
	}
	return nil
}

// changing calls a function whose body changes an argument: the result is its caller's alone,
// whose argument is changed each time, and the author is told of which parameter.
func (k *checker) changing(seed uint64) {
	own := k.args(seed, false)
	before := k.part(own, k.Key, true)
	want, _ := k.raw(own)
	after := k.part(own, k.Key, true)
	if before == after { // there was nothing to change
		k.tally.Skipped++
		return
	}
	for i, what := range []string{"first call", "second call"} {
		args, runs := k.args(seed, i > 0), k.Runs.n
		got := k.Call(args)
		k.tally.Changed++
		if n := k.Runs.n - runs; n != 1 {
			k.fail("%s: the body, which changes %s, ran %d times; key %s", what, k.Changes, n, before)
		}
		if err := Same(k.Pool, want, got); err != nil {
			k.fail("%s: result differs from the uncached one at %v; key %s", what, err, before)
		}
		if have := k.part(args, k.Key, true); have != after {
			k.fail("%s: the arguments are %s after it, and %s after the uncached one", what, have, after)
		}
	}
	name, _, _ := strings.Cut(k.Name, " ")
	if !logs.saysChanged(name[strings.LastIndex(name, ".")+1:], k.Changes) {
		k.fail("nothing is logged of %s, which the body changes", k.Changes)
	}
}

// nudges calls with arguments that differ from those of the seed in one place.
func (k *checker) nudges(seed uint64, most int) {
	original := k.part(k.args(seed, false), k.Key, true)
	places := 0
	for k.nudged(seed, places) != nil {
		places++
	}
	rng := rand.New(rand.NewPCG(seed, 7))
	for i, place := range rng.Perm(places) {
		if i == most {
			return
		}
		want, keep := k.raw(k.nudged(seed, place))
		what := fmt.Sprintf("arguments changed in place %d, from %s", place, original)
		k.call(what, k.nudged(seed, place), want, keep)
		k.call(what+", again", k.nudged(seed, place), want, keep)
	}
}

func (k *checker) nudged(seed uint64, place int) any {
	a := k.args(seed, false)
	if len(k.Key) == 0 || !nudge(k.Pool, reflect.ValueOf(a).Elem(), place, k.Key) {
		return nil
	}
	return a
}

// handle tries what can be done with an entry by hand. last is a result of the last call.
func (k *checker) handle(seed uint64, want, last any) {
	key := k.part(k.args(seed, false), k.Key, true)
	peeked, ok := k.Handle.Peek(k.args(seed, true))
	if !ok {
		k.fail("Peek does not find an entry; key %s", key)
	}
	if err := Same(k.Pool, want, peeked); err != nil {
		k.fail("Peek: result differs from the uncached one at %v", err)
	}
	if !k.Resource {
		if s := Overlap(Memory(last), Memory(peeked)); s != "" {
			k.fail("Peek: %s", s)
		}
		Scribble(k.Pool, peeked)
	}
	k.Handle.Forget(k.args(seed, true))
	delete(k.kept, key)
	if _, ok := k.Handle.Peek(k.args(seed, false)); ok {
		k.fail("Peek finds an entry after Forget; key %s", key)
	}
	own, _ := k.raw(k.args(seed, false))
	k.Handle.Prime(k.args(seed, true), own)
	if !k.Resource {
		Scribble(k.Pool, own)
	}
	k.kept[key] = want
	k.call("after Prime", k.args(seed, false), want, true)
	k.Handle.Forget(k.args(seed, false))
	delete(k.kept, key)
	k.call("after Forget", k.args(seed, true), want, true)
}

func equalMemory(a, b []Region) bool {
	low := func(rs []Region) (all []uintptr) {
		for _, r := range rs {
			all = append(all, r.lo)
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	return slices.Equal(low(a), low(b))
}

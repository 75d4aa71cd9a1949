package directive

import "time"

// Options holds every option of both directives.
//
// A field with an option tag is an option: the tag holds its name, form how it is
// written, and on which directive takes it. The field's doc comment is what help and
// the documentation print. Fields without the tag carry a second part of the option
// above them.
type Options struct {
	// How long a result is fresh: a Go duration in which `d` and `w` may stand for days
	// and weeks, or a `func(V) time.Duration` for values that know it, such as tokens.
	// Without it a result is fresh until it is evicted or cleared.
	TTL     time.Duration `option:"ttl" form:"10m|Func"`
	TTLFunc FuncRef

	// Spreads expiry by up to this share of ttl, so that entries made together do not
	// end together. Needs ttl.
	Jitter float64 `option:"jitter" form:"10%"`

	// For so long after ttl the old result is served at once and refreshed behind it,
	// one refresh per key. Needs ttl; refused where the function draws.
	Stale time.Duration `option:"stale" form:"1h"`

	// How many entries are kept, over all sessions. 10000 for data unless it is given;
	// no bound for resources.
	Max int `option:"max" form:"1000"`

	// Bounds the memory of the kept values, by their deep size, and of what was drawn.
	// 64MiB where the function draws unless it is given, of which one page may take an
	// eighth, or 1MiB if that is more. Units: B, kB, MB, GB, TB and KiB, MiB, GiB, TiB.
	MaxBytes int64 `option:"max-bytes" form:"64MiB" on:"data"`

	// Keeps an error result for so long, if `Func(error) bool` says so where it is given.
	// Without it errors are not kept. The caller's own cancellation or deadline never is.
	// A function that returns an error alone needs it; nil is kept as a value is.
	Errors     time.Duration `option:"errors" form:"30s|30s,Func"`
	ErrorsFunc FuncRef

	// `func(results…) bool`: false means that the result is handed out and not kept.
	Keep FuncRef `option:"keep" form:"Func"`

	// Deadline of one computation, however long its callers would wait.
	Timeout time.Duration `option:"timeout" form:"5s"`

	// A caller that has waited so long for another's computation logs who holds the key
	// and computes for itself.
	Wait time.Duration `option:"wait" form:"30s"`

	// The parameters that make the key; all others are ignored. Without it every
	// parameter counts whose name does not start with `_`.
	Key []string `option:"key" form:"a,b"`

	// Parameters that do not count for the key.
	Ignore []string `option:"ignore" form:"c,d"`

	// The key part of parameter `p` is `Func(p)`, of any type that can be in a key.
	// `hash=ctx:Func` makes a part of the context a key: what `Func` asks the context for
	// may be read by the function. May be given once per parameter.
	Hash []Hash `option:"hash" form:"p:Func"`

	// Context values that the function reads do not matter to its result: all of them, or
	// with `ignore:` those whose keys it names, each by the type that the key has or by a
	// variable or constant that is the key.
	CtxIgnore bool `option:"ctx" form:"ignore|ignore:pkg.Key"`
	CtxKeys   []FuncRef

	// What a method's receiver is to the cache: a part of the key by value, one cache for
	// each instance, or nothing. Methods must say it.
	Recv string `option:"recv" form:"key|identity|ignore"`

	// How callers get values of their own: `auto` is a generated deep copy, none where a
	// value cannot be changed; with `share` callers promise not to change it; or a
	// `func(V) V`. Without it: auto.
	Copy string `option:"copy" form:"auto|share|Func" on:"data"`

	// Called on each hit with the kept value, which it must not change, and with the
	// context and the arguments if it takes them. False or an error drops the value and
	// computes it again.
	Validate FuncRef `option:"validate" form:"Func"`

	// Called once for every value that leaves the cache for whatever reason: a function
	// of the value, or `Close` for its method.
	Release string `option:"release" form:"Func|Close" on:"resource"`

	// How long release waits for callers that still hold the value. Needs release;
	// without it: 30s.
	Grace time.Duration `option:"grace" form:"30s" on:"resource"`

	// One cache for the process, or one for each session id in the context. Handlers
	// must say which; for all others it is global.
	Scope string `option:"scope" form:"global|session"`

	// Named groups that `cache.Invalidate` clears together. `user:{id}` takes the value of
	// the parameter id, which must be in the key.
	Tags []string `option:"tags" form:"sales,user:{id}"`

	// Allows input widgets in the function's body.
	Widgets bool `option:"widgets"`

	// Outcomes kept for each key when widgets are allowed: 100 of a resource unless it is
	// given; of data as many as `max` allows. Needs widgets.
	Variants int `option:"variants" form:"100"`

	// Shown while a result is computed, by surfaces that can; the outermost call's only.
	Spinner string `option:"spinner" form:"\"Loading…\"|off"`

	// The function never runs apart from its caller.
	DetachOff bool `option:"detach" form:"off"`

	// The wrapper's name, where it is not to be made from the function's.
	Name string `option:"name" form:"LoadSales"`
}

// Package cachert is for code that cachegen generates: it is the engine behind the wrappers.
// Programs call package cache, which stands in front of it.
//
// # Who calls what
//
// Generated code calls [New], [Instance], [NewDrawn], [DrawnInstance] and the methods of what
// they return, with [Options], [DrawOptions], [Call] and [DrawCall]; and package value for keys,
// copies and sizes. All of it belongs to the version of the interface that [Generated3] names.
//
// An adapter for a framework implements package surface, which this package and the adapters
// import; adapters do not import this one. Package web has what the adapters of frameworks over
// net/http share.
//
// # What it promises
//
//   - One computation of a key at a time, whatever the load. Who waits does so with its own
//     context; who gives up disturbs nobody. If the caller that computes leaves (it is
//     cancelled, its deadline passes, its goroutine exits), one of those who wait takes
//     over, and none is given the other's end of context.
//     Results that are for one caller alone are no reason to queue: after one that came of a
//     context value, calls whose contexts have such a value are computed each for itself,
//     until the result of one is for all.
//   - A body that has no error result cannot say that it stopped early. If its context is done
//     when it returns (its caller left, nobody waits any more, timeout=), what it returned is
//     its caller's alone: it is not kept, and one of those who wait takes over. A result that
//     it went into is its caller's alone as well. A body that has an error result and returns
//     nil says that its result is whole, and is believed, unless a cached call that it made was
//     cut short by the end of the same context. A caller that leaves, of a function that has no
//     error result, gets what the body makes of its ended context.
//   - A panic goes, as the identical value, to the caller that computes and to everyone who
//     waits. An error goes to everyone who waited for that computation. Neither is kept,
//     unless the directive says so of errors.
//   - What Forget, Clear, Invalidate or EndSession dropped does not come back: a computation
//     that was running gives its result to those who wait for it by then, it is not kept,
//     and no call made after the event gets it. Events of other tags and sessions do not
//     matter to it, and an older computation never takes the place of a newer one's result.
//     No call waits for more than two computations, those apart whose caller left.
//   - Every caller of a data function gets a copy, the one whose call computed it included, and
//     those under Bypass; what the body gave, and can still reach, is nobody's. What cannot be
//     copied is handed to its owner as it is, and not kept.
//   - A result is never served past its time, and the bounds on entries and bytes hold
//     exactly at all times.
//   - A call that would wait for itself gets a *CycleError, also over several goroutines: at
//     once where each call of the cycle is known to wait for the next, because it runs on that
//     one's goroutine or waits for its computation. A call on another goroutine, with the
//     context of a computation that it needs itself, may be one that nobody waits for. It waits
//     for a second, or for wait= if that is shorter; most such computations have ended by then.
//     If this one has not, the call computes for itself, and only if it comes to the same
//     point again inside of that it gets the error, after as long. So what a computation
//     starts and does not wait for gets a value, unless it takes its place in such a line twice;
//     and who joined a computation that ended with a *CycleError computes anew.
//   - What went into a result counts for it: tags, sessions, the shortest time and "not
//     kept" of cached calls that the computation made, on its goroutine with whatever
//     context, or none, and on others with its context.
//   - A result whose computation read a value of its context is handed out and not kept,
//     unless the directive makes that value part of the key or says that it does not matter:
//     it may belong to one user. Context keys of well-known infrastructure are no such values.
//     One that found nothing is kept for contexts that have nothing there either.
//   - Every value with a release is released exactly once, after its grace, and not while
//     Acquire has lent it or an identical value is kept; nor while a computation runs that
//     got it from its function, or a value is kept that was made with it and may hold it.
//   - A hit takes no lock that is held while anything is computed, allocates nothing, and
//     reads no precise clock. One exception allocates: where a body read a pointer or a struct
//     of its context that a function of hash=ctx: had asked for, a hit asks that function once
//     more.
//   - Nobody waits for another's client. A body that draws runs ahead of a client that is
//     slow. What is drawn and neither kept nor shown yet takes at most 256 MiB in the process
//     and 128 KiB for each call beside; beyond that the body waits for its client, and those
//     who wait for the result are let go before. So they are when it turns out that the
//     result will not be kept, and when the body runs on for 250 ms after it has flushed: that
//     is a stream. Results that leave the cache while clients are being shown them take at
//     most 256 MiB in the process beside the bounds of the functions.
//   - Nothing that was read of a request is kept, but by its digest.
//
// # What it touches
//
// Memory, and goroutines: one for each detached computation and for each refresh, of which
// there is a bounded number, one for each computation that draws to a connection, and one
// while the table of a function with many entries grows or shrinks; none in an idle process.
// Timers: one for each cache that holds something with an end, one while entries with a ttl
// are being hit, and one for each body that has flushed. It logs through package log what
// needs an author's attention, most of it once. It reads CACHEGEN from the environment: with
// off, every call goes straight through.
//
// # Hazards
//
//   - A computation that starts a goroutine, waits for it, and calls itself from there
//     without its context cannot be seen to wait for itself. It ends at wait=, if that is set.
//     With its context, each such call takes up to two seconds to end, and runs the body twice.
//   - A detached computation runs on when the caller that started it has left: it must not
//     read memory that its caller will use again. The generator sees to that for
//     arguments. A context that is used again for the next request is noticed by the
//     values that hash=ctx: covers: where they have changed, or could have unseen, since
//     they are no strings or numbers, the result is its owner's alone.
//   - A value that holds a resource keeps it from its release, whatever drops the resource
//     from its own cache: Forget of a database has the next call open another, and a kept
//     repository goes on with the old one, which stays open until the repository has
//     gone as well. Give both one tag, or drop both, where that is not meant. What a
//     computation gets on a goroutine that it starts, and without its context, is not seen,
//     and does not count for its result: Acquire such a resource. A result of which each
//     caller gets a copy, and whose type cannot hold the resource, such as rows that were
//     read from it, does not keep it.
//   - Which entry goes when a bound is reached depends on how often and how lately each was
//     asked for, and is not the order of last use (policy.go).
//   - A process that is stopped and continued (SIGSTOP, a virtual machine that is moved) may
//     serve an entry for as long past its ttl as its timers are late, less a tenth of a
//     second.
//   - Hits of functions that are called very often are counted in samples.
//   - Entries made inside of a testing/synctest bubble are of no use outside of it, and a
//     computation must not be waited for from another bubble: cachetest.Isolate gives a test,
//     or a bubble, caches of its own.
//
// # How it is built
//
// A Site is a store, which is compiled once for all functions, with a few methods that know
// the types; what the store has to know of them it asks its front (front.go). Read
// table.go (how a hit finds an entry), policy.go (who goes), flight.go (one computation at a
// time), events.go (what makes results outdated), frame.go (what counts for whom),
// conditions.go (what of a context counts), waits.go (who waits for whom), release.go,
// lend.go (which resources are under which values) and store.go, in this order.
package cachert

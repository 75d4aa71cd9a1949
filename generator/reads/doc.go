// Package reads finds what a function reads of the *http.Request that it is given,
// before the program runs: a request cannot be watched while it is read, so what
// counts for the key of a cached function must be known statically.
//
// # What it promises
//
// [Source.Find] either gives the complete set of inputs, as a sorted list of [Input],
// or says of every use that it cannot follow where it is, what it is, and what to do
// instead. It never gives a set that is too small. The set may be too large: it is
// that of the text, whatever the branches taken, and counts in full.
//
// # What it follows
//
//   - The parameter itself, local variables that hold it, what WithContext and Clone
//     make of it, and local variables that hold its URL, query, form or header.
//   - Function literals that stay in the function: called on the spot, deferred, held by
//     a local variable, or passed to a call. Their text counts, whenever they run.
//   - Functions and methods of the same package that are handed any of these (with
//     static dispatch), transitively, and wrappers that cachegen makes of them.
//   - A closed table of functions of net/http and of Datastar, whose reads are known.
//
// A name counts as constant if the compiler says so, and also if it is a local variable
// or a parameter whose every source, in the functions that are followed, is constant:
// so `intParam(r, "page", 1)` is understood.
//
// # What it refuses
//
// Names that are not constant; the body and everything that is parsed from it under no
// name; all inputs of a kind at once (ranging over a form); credentials; changes to the
// request; a request that is stored, returned, sent, captured by a goroutine or by a
// function that is kept, or handed to anything else. The way out is cache.Input, which
// asks the cache for the input, under any name, while the body runs.
//
// # Hazards
//
//   - Bodies are type-checked although wrappers of the same package may not exist yet:
//     names without an object are looked up among the wrappers, and a tracked value in
//     an expression without a type is refused, not ignored.
//   - A followed function may be declared a second time for other build constraints,
//     and read something else there: refused, since one generated file serves both.
//   - r.Form is nil before ParseForm, for the body and only for the body.
//   - The error of ParseForm is an input: it tells whether the query is well formed.
//   - JSON fields match names in any case, and types may decode themselves: what is read
//     into such a type is everything.
//
// The package is pure: syntax and types in, reads and diagnostics out.
package reads

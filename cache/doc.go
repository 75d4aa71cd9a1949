// Package cache is what programs call beside their cached functions: tags, sessions,
// inputs, configuration, statistics and the end of the process. A function becomes cached
// by a comment above it and a run of cachegen, which writes its wrapper and, for each
// wrapper, a handle to forget, peek at, prime, refresh and clear its results.
//
// # What there is
//
//   - [Invalidate] drops the results that carry a tag.
//   - [WithSession], [SessionOf] and [EndSession] are for functions with scope=session.
//   - [Input], [InputValues] and [InputFiles] read a request inside of a cached function
//     that draws. Each value that they read is an input of the function's result.
//   - [Bypass] makes calls go past the cache.
//   - [Configure] changes the bounds of functions at start-up, [AllStats] returns their
//     counts, [Shutdown] ends the caches and releases the resources in them.
//   - [IgnoreContextKey] names context values that matter to no result.
//   - [CycleError], [ErrUnknown] and [ErrClosed] are the errors that a caller can act on.
//
// Adapters for the places that functions draw to are in packages below this one, and what tests
// need in package cachetest. Package surface is for writing an adapter of one's own.
//
// All functions may be called from any goroutine.
package cache

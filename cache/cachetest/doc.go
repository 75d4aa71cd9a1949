// Package cachetest helps to test programs with cached functions, and adapters.
//
// Isolate gives a test caches of its own.
//
// Page is a surface in the manner of Streamlit, with containers, images and widgets, whose
// screen is a text to compare.
//
// Conform runs pages on an adapter's surface with and without caching: scripted ones and
// random ones, in two sessions, with changing widgets, cold and warm, nested, with holes
// and errors. What the client sees must be the same at each step, and the bodies must have
// run exactly as often as a model of the cache predicts.
package cachetest

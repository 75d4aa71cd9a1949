// Package web is what every adapter of an HTTP framework needs, whatever its functions draw
// to: the request as a source of inputs, and the rules by which a response may be kept.
//
// # Inputs
//
// A request cannot be watched while it is read, so what a function reads of it is either
// known to its wrapper (Reads, which the generator fills in from the constant names in the
// source), and then counts whether it is read or not, or read with cache.Input, and then
// counts when it is read. An absent input differs from an empty one, and a list of values
// is compared as a whole: in HTML a box that is not ticked is not sent, whatever it was
// drawn as. Middleware puts the request where cache.Input finds it.
//
// # Responses
//
// Cacheable says which requests may be answered from a cache. A View is the header that a
// body gets: it hides what others have put there, and tells what the body did; Before says
// what of the header is an input all the same. A Head is what was done, and Head.Unfit says
// why a response must not be kept: it sets a cookie, says no-store or private, varies by what
// tells users apart, declares a trailer, or is an error, a part, or of this moment only. Age
// says what a response says of its age when it is sent again.
package web

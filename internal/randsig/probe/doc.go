// Package probe judges cached functions from the outside. Programs that randsig writes
// import it; it knows nothing of how a cache makes keys or copies, so that the two can
// disagree.
//
// What it offers, all by reflection, unexported fields included:
//
//   - [Gen] fills values of any type from a seed, with shared and cyclic pointers, NaNs of
//     several payloads, negative zero, nil beside empty. The same seed gives an equal value
//     in memory of its own.
//   - [Print] is the content of a value as text: equal texts mean that a cache must treat
//     two values alike, different texts that it must not.
//   - [Same] compares two values including which pointers are shared.
//   - [Scribble] overwrites everything that can be reached from a value; [Nudge] changes it
//     in exactly one place.
//   - [Memory] and [Overlap] tell whether two values share memory that can be written.
//   - [Case] is one function under test and [Case.Check] the experiment.
//   - [Fake] is a cache made of these parts, with faults that can be switched on, to show
//     that each fault is found.
//
// Hazards. It reads and writes unexported fields through unsafe pointers, and so must never
// be pointed at values that others use. Print follows every path, so its cost can be
// exponential in the number of shared pointers; it gives up with [ErrTooBig].
package probe

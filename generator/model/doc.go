// Package model holds a cached function as data, and the planners that decide how
// it is cached: which parameters make its key and how, how its results are copied
// and weighed, which functions its options name, and what its generated
// declarations are called. All decisions are made here; package emit only writes
// them down.
//
// # Promises of a plan
//
//   - Two calls get one key only if every parameter in the key has the same value.
//     A part of a key is exact (compared with ==, allowed only where == means "same
//     content"), or encoded injectively and compared as a digest of the encoding.
//   - A caller of a data function can change whatever it was given without any other
//     caller seeing it: what is reachable from a result is immutable, or copied.
//   - A function for which this cannot be promised is refused, at the position of the parameter or result,
//     with the path of fields that leads to the reason and with the ways out.
//
// # Hazards that the planners know
//
//   - A comparable struct with a pointer, a channel or an interface inside is equal
//     by address, or panics: it is encoded by content, never compared with ==.
//   - Floats are not equal to themselves when they are NaN: a float that is a
//     parameter goes in as its bits, one inside a larger value is encoded.
//   - Blank fields are ignored by ==, and so by the key and by the copy.
//   - Types refer to themselves (through pointers, slices and maps), and values to
//     themselves: plans are graphs, and the functions written from them recurse with
//     a memo.
//   - A struct of another package may have fields that cannot be read from here.
//     It is exact if all of them compare by content; otherwise it needs a method or
//     an option of its own.
//   - A type can be spelled in this package only if it is exported and its package
//     can be imported from here; a type reached through fields need not be.
//
// Plans are pure: the same package gives the same plan, whatever else is planned.
package model

// Randsig writes random Go programs of annotated functions, has their wrappers generated,
// and finds out by running them whether they cache right. It answers one question: is there
// a function whose parameters can be keys and whose results can be copied, by what the
// documentation says, that is refused, or does not compile, or is cached wrongly?
//
//	go run ./internal/randsig -n 5000 -seed 7
//
// It composes types and signatures from what is promised to work and knows by construction
// what each function must do; it does not ask the generator. Every refusal is a failure.
// The whole program is one module, generated, vetted and built once; package probe runs in
// it and judges each function. See there for what is tried with each.
//
// Some bodies return arguments, or parts of them; of data each caller's result must be its own
// memory all the same. Some change an argument: that must be found at each call, the result not
// be kept, and the parameter be named in the log.
//
// -mode values writes one function per type, from the type to itself, and tries more
// values of each: the keys and copies of values alone.
//
// -fake writes wrappers of its own instead of running the generator, and -fault spoils
// them, to show that a fault would be found.
//
// -only p3.fn12,p3.fn14 keeps just these functions of a program (a failing one, say), and
// the types that they need. The same seed, -n and -mode make the same program.
//
// Hazards: nothing here may import the generator's planner or the runtime's encoders, or the
// judge would share the errors of the judged. A program is written for one version of the
// directive grammar; options that change what must be cached (errors=, key=, ignore=, recv=)
// are known to this package, others must not matter.
package main

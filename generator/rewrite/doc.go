// Package rewrite changes source that people wrote: adopt puts cachegen into code
// that exists, eject takes it out again.
//
// # What is promised
//
// Adopt renames a declaration to FuncUncached, lets its doc comment follow, adds the
// directive, and generates the wrapper that takes the old name; so every caller,
// function value, interface and test reaches the wrapper and none is edited. What the
// function calls itself by goes to the uncached name, unless that is asked to stay.
//
// Eject gives a declaration the name of its wrapper, rewrites what else refers to the
// computation, drops the directive and what was generated for it. Adopt and then
// eject gives back the same bytes.
//
// Both are everything or nothing. A diagnostic of severity error, of this package or of
// the generator, means that no file is to be changed; the commit (see package output) either brings every
// file to its new content or leaves every file as it was.
//
// # What may change
//
// Only whole top-level declarations that an edit touches, and in them only the
// renamed identifiers and the comments named above. This is shown for each file
// before anything is written, twice over: a declaration is taken from the printer only
// if printing it unedited gives the bytes that are in the file, and the tokens of the
// result must be those of the source but for the renamed identifiers. Everything
// outside a touched declaration is copied, never printed.
//
// github.com/dave/dst is used here and nowhere else: it keeps comments at their place
// while an identifier grows.
//
// # Hazards
//
//   - CRLF: dst drops the blank lines of such files, so it sees LF, and the line end
//     of the declaration is put back. Mixed ends within a declaration are refused.
//   - //line comments move the positions that dst counts lines with: it is given a
//     file set that does not know them.
//   - A declaration that gofmt would format otherwise does not round trip: refused.
//   - gofmt wants a blank line above a function with a comment. Where there was none,
//     none is added: it could not be told from one that was there.
//   - Shadowing: a body may have a variable of the function's name, or of its new
//     name. References are found by type, and refused where the new name would be
//     captured.
//   - Generic functions and methods are referred to by their origins.
//   - References through an interface are not self-calls: which method they reach is
//     decided when the program runs.
//   - A file of another build configuration is not typed, so it is only searched for
//     the names in question, and refused where it has them.
package rewrite

// Package scan finds directives: it turns directories into the few files that hold a
// //cache: comment or were written by cachegen, without the go command and without
// types.
//
// It promises:
//
//   - [Tree] reads every .go file under its roots once and looks at its bytes. A file
//     is parsed only if its bytes might hold a directive, so a tree without any costs
//     the reading.
//   - The directories that it walks are those that the go command walks for "...":
//     not testdata, vendor, those that start with "." or "_", nested modules, or what
//     an ignore line of go.mod names. Symbolic links to files are followed, those to
//     directories are not.
//   - [Annotate] uses or reports every comment of a file that is a directive or looks
//     like one. Text in strings does neither.
//   - Results are sorted and do not depend on the order in which files were read.
//
// It reads files and writes none. Files that the present build configuration excludes
// are found like all others: the loader decides which of them count.
//
// Hazards: a file that does not parse may still hold directives, which are found by
// scanning tokens; //line comments must not move positions; CRLF.
package scan

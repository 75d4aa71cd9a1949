// Package emit writes planned functions down as Go source.
//
// # What it promises
//
//   - One file x_cachegen.go for a source file x.go, gofmt'd, with the build constraint
//     of x.go, and nothing else: same plans, same bytes, in whatever order they come.
//   - What it writes compiles in the package that the plans were made in, whatever that
//     package, its imports and the annotated functions call their things.
//   - It decides nothing about caching; package model does.
//
// # Hazards of naming
//
// Generated code refers to five kinds of names, and user code can take any of them:
//
//   - Imports of the generated file: each gets a name that no file of the package
//     declares, that no parameter, result or type parameter of the file's functions
//     has, and that is not predeclared.
//   - Package-level names of its own: made from the function's name, so that they do not
//     depend on what else is annotated or on the build configuration; moved aside where
//     the package has such a name.
//   - Package-level names of the user's (types, the function itself): a parameter or type
//     parameter of that name would capture them, and is called something else in the
//     wrapper.
//   - Predeclared names: where the package declares one of its own (type string int),
//     package predeclared of the runtime has the real one under another name.
//   - Locals: none may be called like a parameter.
//
// Functions that copy, encode or weigh a type belong to the file: another file of the
// package has its own, so that no file depends on what another one's build constraint
// says.
package emit

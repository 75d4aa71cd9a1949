// Package directive is the grammar of //cache: comments: text in, a [Directive] or
// diagnostics out. It reads no file and knows no types.
//
// What it promises:
//
//   - [Classify] says of any comment line what it is: a directive, something that
//     was surely meant as one, or prose. It never guesses silently: what it calls
//     prose cannot be taken for a directive by a reader either.
//   - [Parse] either gives a directive whose values are in range and free of
//     contradictions, or says everything that is wrong with it at once, each with
//     the column where it stands.
//   - The options are the fields of [Options]. Their doc comments and tags are the
//     help ([Table]), so that parser, help and documentation cannot drift apart.
//
// Hazards that shape it:
//
//   - go/ast.ParseDirective recognises a directive, but its ParseArgs splits
//     spinner="a b" silently in two, so arguments are scanned here.
//   - A comment that is nearly a directive does nothing in Go, without a word. Each
//     such shape has its own message.
//   - Columns are bytes of the source line, as the compiler counts them.
//   - An option that is not given and one that is given its default are different:
//     only [Directive.Has] tells.
package directive

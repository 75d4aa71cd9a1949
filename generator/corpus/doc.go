// Package corpus runs the cases in testdata/corpus: one txtar archive for each hazard,
// named by the hazard.
//
// A case is the files of a package (and of packages below it) in a module called
// "corpus". Its comment says what the hazard is. There are two kinds:
//
//   - With a file called want, the case must be refused: want holds the messages, word
//     for word. Run the test with -update to write what is said now, and read it as a
//     user would.
//   - Without it, the case must be generated, must pass go vet, and its function Check
//     must not panic. Cases use package corpus/is to compare. No warning is given, or
//     those that the file warns holds word for word.
//
// All cases of a kind share one module, so that one run of the generator and one of the
// compiler serve for all. What is generated is also written down again twenty times from
// functions in another order each time, and must not differ by a byte.
package corpus

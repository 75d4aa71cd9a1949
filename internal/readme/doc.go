// Package readme holds the tests that keep README.md and the modules beside this one
// true: what the README shows is generated or run here, and one go test ./... covers
// the examples and the benchmarks too.
package readme

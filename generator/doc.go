// Package generator finds annotated functions and makes the files that cache them.
//
// [Generate] takes a request and returns files in memory and diagnostics. It reads files and
// runs the go command; it writes nothing. Package output writes, compares and prints the
// files.
//
// The packages, in the order in which a run uses them:
//
//	scan       bytes of a tree → files with directives
//	directive  text of a directive → options
//	load       directories → typed packages
//	model      typed function and options → plan
//	emit       plans of a file → source
//	diag       diagnostics, and their formats
//
// A tree without directives costs the scan and no more.
//
// The result of a run is a function of the files, the build configuration and the
// version of cachegen: no time, no random number, no order of maps or of goroutines
// enters it.
package generator

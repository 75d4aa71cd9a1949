// Package generator finds annotated functions and makes the files that cache them.
//
// [Generate] is the whole of it: a request in, files in memory and diagnostics out. It
// reads files and runs the go command; it writes nothing. What is done with the files,
// writing, comparing or printing, is package output's.
//
// The rooms, in the order in which a run passes through them:
//
//	scan       bytes of a tree → files with directives
//	directive  text of a directive → options
//	load       directories → typed packages
//	model      typed function and options → plan
//	emit       plans of a file → source
//	diag       what there is to say, and its formats
//
// A tree without directives costs the first of them and no more.
//
// The result of a run is a function of the files, the build configuration and the
// version of cachegen: no time, no random number, no order of maps or of goroutines
// enters it.
package generator

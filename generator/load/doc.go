// Package load turns annotated directories into typed packages, at the least cost that
// typing them allows.
//
// It promises:
//
//   - A [Package] has the syntax of its hand-written files, and types for everything
//     that they declare, function bodies apart. Files that cachegen wrote are known by
//     name only: what is in them, or whether they are damaged, does not matter.
//   - Errors that do not touch an annotated signature stop nothing. An annotated
//     signature with a type that cannot be resolved is reported, with the reason.
//   - Positions are those of the files as they are on disk.
//   - [Package.Check] says which errors a generated file would bring into the package.
//
// It runs the go command and reads files. It writes nothing.
//
// # Cost
//
// Metadata and export data come from golang.org/x/tools/go/packages, in two narrow
// requests that run side by side: the annotated packages with names and files only
// (which becomes go list -find), and export data for what they import, and for nothing
// else. The annotated packages themselves are never compiled for it: asking for their
// export data would compile them after each edit. Between annotated packages, and for
// the few packages that connect them, types come from source, since these may not
// compile until their wrappers exist; which these are is found by reading the import
// clauses of the modules at hand. Where export data cannot be had, because something
// does not compile, or because the build cache is empty and compiling takes too long, types
// come from source too. There is no Config.Overlay, one entry
// of which gives up all export data, and no mode that includes syntax, which runs cgo
// and hands out the rewritten files.
//
// # Hazards
//
//   - The build configuration decides which files count; those that it excludes are
//     parsed, so that names can be compared, and not typed.
//   - One map of packages is shared by all imports, so that a type is one object
//     wherever it is met. Packages that are typed from source enter it before any
//     export data that mentions them is read.
//   - A directory can belong to another module, or to a workspace, than its neighbour.
//   - The go command must not find two import paths for one directory: directories are
//     compared with symbolic links resolved.
//   - C.x has no type here (FakeImportC): signatures that mention it are refused, and fields
//     that do are for whoever has to look into them.
package load

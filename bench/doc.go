// Package bench measures cached functions, wrapper included, beside what they would
// otherwise be written with.
//
//	go run ./cmd/table            # everything, as markdown tables with ratios
//	go run ./cmd/table -run hit   # the tables whose name holds "hit"
//	go run ./cmd/growth           # binary size and compile time of each further function
//	go test -bench . ./...        # the same cases, one by one
//
// Absolute figures are of one machine at one moment; the tables are for their ratios.
// All cases of a table are measured in turn, many times for a short while, and the fastest
// of each counts: what else the machine does only ever adds to a figure, and what is short
// enough now and then escapes it. What makes garbage is measured for longer, a few times.
//
// The functions in funcs.go are annotated as a user would do it, and their wrappers
// are made by the generator.
package bench

package rewrite

import "github.com/cachegen/cachegen/generator/output"

// Change is one file before and after.
type Change = output.Change

func sortChanges(cs []Change) []Change { return output.Sort(cs) }

// Commit brings every file to its new content, or leaves every file as it was.
func Commit(changes []Change) error { return output.Commit(changes) }

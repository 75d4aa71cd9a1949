package diag

// Code names a kind of diagnostic. Codes are stable: a code is never given to
// another kind of finding, and scripts may match on them.
type Code string

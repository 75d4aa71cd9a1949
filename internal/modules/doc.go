// Package modules has the test of what docs/compatibility.md says of the module graph: what
// an application gets whose libraries have committed wrappers.
package modules

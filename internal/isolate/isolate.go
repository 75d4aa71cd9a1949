// Package isolate is the door through which package cachetest reaches what tests alone may
// do with the caches of a process.
package isolate

// Reset empties every cache of the process and sets its statistics to zero. Package cache
// sets it before anything can call it.
var Reset func()

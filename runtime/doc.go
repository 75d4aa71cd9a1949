// Package cache is the runtime of cachegen: what generated wrappers call, and what
// people call beside them (sessions, tags, configuration, statistics).
package cache

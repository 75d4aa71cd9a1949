// Package docs holds the tests that keep the prose of this repository true: what the README
// shows is generated or run here, each row of docs/behaviour.md has its test, the files that
// CONTRIBUTING.md names are there, docs/architecture.md shows the imports that packages have,
// and each exported identifier has a comment.
package docs

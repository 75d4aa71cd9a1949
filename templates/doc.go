// Package templates holds the text of generated files. Templates get what package emit
// prepared and decide nothing: whatever differs between two functions for a reason is
// decided in package model.
package templates

import "embed"

// FS holds the templates, *.tmpl.
//
//go:embed *.tmpl
var FS embed.FS

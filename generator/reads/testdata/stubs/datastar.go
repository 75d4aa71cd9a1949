// Package datastar is what the cases use of github.com/starfederation/datastar-go.
package datastar

import (
	"net/http"
	"net/url"
)

type ServerSentEventGenerator struct{}

type SSEOption func(*ServerSentEventGenerator)

func NewSSE(w http.ResponseWriter, r *http.Request, opts ...SSEOption) *ServerSentEventGenerator {
	return nil
}

func ReadSignals(r *http.Request, signals any) error { return nil }

func (*ServerSentEventGenerator) ReplaceURLQuerystring(r *http.Request, values url.Values) error {
	return nil
}

func (*ServerSentEventGenerator) PatchElements(s string) error { return nil }

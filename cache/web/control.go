package web

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// Control does for http.ResponseController what a writer can do besides being written to,
// and what leaves no trace on a page. Writers that stand in for another embed one: they must
// not have an Unwrap, by which a body would get past them, nor show the other by printing
// or encoding them.
type Control struct{ of http.ResponseWriter }

// ControlOf returns the Control of w.
func ControlOf(w http.ResponseWriter) Control { return Control{w} }

// SetReadDeadline is http.ResponseController's.
func (c Control) SetReadDeadline(t time.Time) error {
	return http.NewResponseController(c.of).SetReadDeadline(t)
}

// SetWriteDeadline is http.ResponseController's.
func (c Control) SetWriteDeadline(t time.Time) error {
	return http.NewResponseController(c.of).SetWriteDeadline(t)
}

// EnableFullDuplex is http.ResponseController's.
func (c Control) EnableFullDuplex() error {
	return http.NewResponseController(c.of).EnableFullDuplex()
}

// Flush flushes w. A writer that cannot is left alone.
func Flush(w io.Writer) (err error) {
	switch f := w.(type) {
	case interface{ FlushError() error }:
		err = f.FlushError()
	case http.ResponseWriter:
		err = http.NewResponseController(f).Flush()
	case interface{ Flush() error }:
		err = f.Flush()
	case http.Flusher:
		f.Flush()
	}
	if errors.Is(err, http.ErrNotSupported) {
		err = nil
	}
	return err
}

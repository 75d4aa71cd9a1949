package html

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	cache "github.com/cachegen/cachegen/runtime"
)

// The kinds of element on a tape.
const (
	kindBytes = "bytes" // a part of the stream
	kindFlush = "flush"
	kindHead  = "head" // status and headers, as head has them
)

// Writer stands in for the writer of one call. It may be written to by several
// goroutines. After the call has returned, writing to it fails with cache.ErrClosed.
type Writer struct {
	cache.Recorder
	in   cache.Inputs
	down *lane     // to the caller's writer
	up   io.Writer // what the caller gave
	out  *outside

	mu     sync.Mutex
	header http.Header // the body's view; nil for an io.Writer
	before http.Header // what was there when it was bound
	wrote  bool        // the header has been written
}

// response is a Writer for functions that take an http.ResponseWriter.
type response struct{ *Writer }

// Bind binds an io.Writer.
func Bind(ctx context.Context, w io.Writer, in cache.Inputs) (context.Context, io.Writer, cache.Surface) {
	b := bind(w, in)
	return ctx, b, b
}

// BindResponse binds an http.ResponseWriter.
func BindResponse(ctx context.Context, w http.ResponseWriter, in cache.Inputs) (context.Context, http.ResponseWriter, cache.Surface) {
	b := bind(w, in)
	b.out = &outside{lane: b.down, of: b}
	b.before = w.Header().Clone()
	b.header = w.Header().Clone()
	if b.header == nil {
		b.header = http.Header{}
	}
	r := response{b}
	return ctx, r, r
}

func bind(w io.Writer, in cache.Inputs) *Writer {
	b := &Writer{in: in, up: w}
	switch o := w.(type) {
	case *Writer, response:
		b.Within(o)
		b.down = &lane{w: w, sync: true}
	case *lane, *outside:
		b.down = &lane{w: w, sync: true}
	default:
		b.down = &lane{w: w}
	}
	return b
}

// Outer returns what the caller's own children are drawn on: the caller's writer, in
// order with what the body writes.
func (b *Writer) Outer() io.Writer {
	if b.down.sync {
		return b.up
	}
	return b.down
}

// Outer is Writer.Outer for a ResponseWriter.
func (b response) Outer() http.ResponseWriter {
	if b.down.sync {
		return b.up.(http.ResponseWriter)
	}
	return b.out
}

// BeforeHole implements cache.HoleKeeper: headers that the body has set by now are there
// for the content that is drawn next.
func (b *Writer) BeforeHole() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.header == nil || b.wrote {
		return nil
	}
	if b.out != nil {
		b.out.base = nil
	}
	if h := change(0, b.header, b.before); len(h.Set)+len(h.Del) == 0 {
		return nil
	}
	return b.putHead(0)
}

// Scope implements cache.Surface: nothing of a writer is an input.
func (b *Writer) Scope() string {
	if b.header != nil {
		return "response"
	}
	return "writer"
}

// Value implements cache.Surface.
func (b *Writer) Value(widget string) ([]byte, bool) {
	if b.in == nil {
		return nil, false
	}
	return b.in.Value(widget)
}

// Files implements cache.FileInputs.
func (b *Writer) Files(name string) ([]cache.File, error) { return filesOf(b.in, name) }

// Record implements cache.Surface.
func (b *Writer) Record() cache.Recording {
	b.down.start()
	return b.Open(b.finish)
}

// Foreseen implements cache.Foreseer.
func (b *Writer) Foreseen() []cache.Read { return foreseen(b.in) }

// Drain implements cache.Drainer.
func (b *Writer) Drain() error { return b.down.stop() }

// Write implements io.Writer.
func (b *Writer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.writeHead(0); err != nil {
		return 0, err
	}
	if err := b.Stream(kindBytes, "", p); err != nil {
		return 0, err
	}
	return b.down.Write(p)
}

// WriteString implements io.StringWriter.
func (b *Writer) WriteString(s string) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.writeHead(0); err != nil {
		return 0, err
	}
	if err := b.StreamString(kindBytes, "", s); err != nil {
		return 0, err
	}
	return io.WriteString(b.down, s)
}

// Flush implements http.Flusher.
func (b *Writer) Flush() { _ = b.FlushError() }

// FlushError flushes the caller's writer, if it can, and marks the place on the tape.
func (b *Writer) FlushError() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.writeHead(0); err != nil {
		return err
	}
	if err := b.Draw(cache.Element{Op: cache.Put, Kind: kindFlush}); err != nil {
		return err
	}
	return b.down.FlushError()
}

// Header implements http.ResponseWriter.
func (b response) Header() http.Header { return b.header }

// WriteHeader implements http.ResponseWriter.
func (b response) WriteHeader(status int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = b.writeHead(status)
}

// Hijack gives the connection to the body. The response is not kept.
func (b response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	b.Refuse(errors.New("it took over the connection"))
	if err := b.down.stop(); err != nil {
		return nil, nil, err
	}
	return http.NewResponseController(b.up.(http.ResponseWriter)).Hijack()
}

// SetReadDeadline is for http.ResponseController.
func (b response) SetReadDeadline(t time.Time) error {
	return http.NewResponseController(b.up.(http.ResponseWriter)).SetReadDeadline(t)
}

// SetWriteDeadline is for http.ResponseController.
func (b response) SetWriteDeadline(t time.Time) error {
	return http.NewResponseController(b.up.(http.ResponseWriter)).SetWriteDeadline(t)
}

// EnableFullDuplex is for http.ResponseController.
func (b response) EnableFullDuplex() error {
	return http.NewResponseController(b.up.(http.ResponseWriter)).EnableFullDuplex()
}

// head is what a kindHead element holds.
type head struct {
	Status int         `json:",omitempty"` // 0: as the first write implies
	Set    http.Header `json:",omitempty"`
	Del    []string    `json:",omitempty"`
}

// writeHead writes the status, once, with the headers as they are now; 0 leaves the
// status to the first write.
func (b *Writer) writeHead(status int) error {
	if b.header == nil || b.wrote {
		return nil
	}
	if status == 0 && len(b.header) == 0 && len(b.before) == 0 {
		b.wrote = true
		return nil
	}
	informational := status >= 100 && status < 200 && status != http.StatusSwitchingProtocols
	b.wrote = !informational
	return b.putHead(status)
}

func (b *Writer) putHead(status int) error {
	if why := unfit(status, b.header, b.before); why != nil {
		b.Refuse(why)
	}
	h := change(status, b.header, b.before)
	data, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := b.Draw(cache.Element{Op: cache.Put, Kind: kindHead, Data: data}); err != nil {
		return err
	}
	b.down.head(h)
	return nil
}

// change is how header differs from before.
func change(status int, header, before http.Header) head {
	h := head{Status: status}
	for k, v := range header {
		if old, ok := before[k]; !ok || !slices.Equal(old, v) {
			if h.Set == nil {
				h.Set = http.Header{}
			}
			h.Set[k] = slices.Clone(v)
		}
	}
	for k := range before {
		if _, ok := header[k]; !ok {
			h.Del = append(h.Del, k)
		}
	}
	slices.Sort(h.Del)
	return h
}

// finish is the end of a recording: headers without a body, trailers.
func (b *Writer) finish() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.header == nil {
		return nil
	}
	if !b.wrote {
		if h := change(0, b.header, b.before); len(h.Set)+len(h.Del) > 0 {
			return b.putHead(0)
		}
		return nil
	}
	for k, v := range b.header {
		if strings.HasPrefix(k, http.TrailerPrefix) {
			b.down.head(head{Set: http.Header{k: v}})
			return errors.New("it set a trailer")
		}
	}
	return nil
}

// unfit says why a response with this head must not be kept.
func unfit(status int, h, before http.Header) error {
	switch {
	case status >= 500, status == http.StatusPartialContent, status == http.StatusNotModified,
		status == http.StatusRequestedRangeNotSatisfiable, status == http.StatusSwitchingProtocols:
		return fmt.Errorf("its status is %d", status)
	case !slices.Equal(named(h, "Set-Cookie"), named(before, "Set-Cookie")):
		return errors.New("it sets a cookie")
	case len(named(h, "Trailer")) > 0:
		return errors.New("it declares a trailer")
	}
	for _, v := range named(h, "Cache-Control") {
		for d := range strings.SplitSeq(v, ",") {
			name, _, _ := strings.Cut(strings.TrimSpace(d), "=")
			if name = strings.ToLower(name); name == "no-store" || name == "private" {
				return fmt.Errorf("its Cache-Control says %s", name)
			}
		}
	}
	for _, v := range named(h, "Vary") {
		for d := range strings.SplitSeq(v, ",") {
			switch d = strings.ToLower(strings.TrimSpace(d)); d {
			case "*", "cookie", "authorization":
				return fmt.Errorf("it varies by %s", d)
			}
		}
	}
	return nil
}

// named returns the values of the header name, however it is spelled: a map takes any
// spelling, and on the wire they are one.
func named(h http.Header, name string) (values []string) {
	for k, v := range h {
		if strings.EqualFold(k, name) {
			values = append(values, v...)
		}
	}
	return values
}

// apply does to a header what the body did.
func (h head) apply(to http.Header) {
	for _, k := range h.Del {
		delete(to, k)
	}
	maps.Copy(to, h.Set)
}

// Replay implements cache.Surface.
func (b *Writer) Replay(t *cache.Tape) error {
	if err := t.Check(kindBytes, kindFlush, kindHead); err != nil {
		return err
	}
	heads := map[int]head{}
	for i, e := range t.Elements() {
		if e.Kind == kindHead {
			var h head
			if err := json.Unmarshal(e.Data, &h); err != nil || b.header == nil || h.Status != 0 && (h.Status < 100 || h.Status > 999) {
				return fmt.Errorf("%w: element %d is no head of a response", cache.ErrTape, i)
			}
			heads[i] = h
		}
	}
	for i, e := range t.Elements() {
		var err error
		switch {
		case e.Op == cache.Hole:
			err = t.Hole(e.Index)
		case e.Kind == kindBytes:
			_, err = b.down.Write(e.Data)
		case e.Kind == kindFlush:
			err = b.down.FlushError()
		default:
			b.down.head(heads[i])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

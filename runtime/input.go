package cachert

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
)

// What a cached function reads of the request it serves is an input of it, as a widget
// is: it is observed when it is read, and only then. Input, InputValues and InputFiles read
// by name; the request is the one that the function's surface was bound with, or one that
// a middleware put into the context.

type inputsKey struct{}

// WithInputs returns a context whose request is in. Middlewares of adapters call it.
func WithInputs(ctx context.Context, in Inputs) context.Context {
	return context.WithValue(ctx, inputsKey{}, in)
}

// InputsOf returns the request of ctx, or nil.
func InputsOf(ctx context.Context) Inputs {
	if ctx == nil {
		return nil
	}
	in, _ := ctx.Value(inputsKey{}).(Inputs)
	return in
}

// inputPrefix begins the widget name of an input that is read by its name alone,
// wherever in the request it stands.
const inputPrefix = "input:"

// Input returns the first value of the request's input name, "" when it is absent: a
// form field, a parameter of the query, or what else the adapter knows by that name.
// The whole of it, all values or their absence, counts as an input of the cached
// functions that ctx belongs to.
func Input(ctx context.Context, name string) string {
	if v, _ := InputValues(ctx, name); len(v) > 0 {
		return v[0]
	}
	return ""
}

// InputValues returns all values of the request's input name, in order. ok is false when
// it is absent.
func InputValues(ctx context.Context, name string) (values []string, ok bool) {
	b, ok := observe(ctx, inputPrefix+name)
	if !ok {
		return nil, false
	}
	values, _, err := DecodeInput(b)
	return values, err == nil
}

// A File is an uploaded file. What counts as input is its name, its type and its content.
type File struct {
	Name    string
	Type    string // as the client says
	Size    int64
	Content Content
	Open    func() (io.ReadSeekCloser, error)
}

// FileInputs are Inputs that have files.
type FileInputs interface {
	Inputs
	// Files returns the files of the input name.
	Files(name string) ([]File, error)
}

// InputFiles returns the files uploaded as the request's input name, none when there are
// none. They count as inputs by their content.
func InputFiles(ctx context.Context, name string) ([]File, error) {
	b, ok := observe(ctx, inputPrefix+name)
	if !ok {
		return nil, nil
	}
	if _, files, err := DecodeInput(b); err != nil || files == 0 {
		return nil, err
	}
	var sources []any
	if d := drawingOf(ctx); d != nil {
		sources = append(sources, d.surface, d.inputs)
	} else {
		sources = append(sources, InputsOf(ctx))
	}
	for _, s := range sources {
		if in, ok := s.(FileInputs); ok {
			if fs, err := in.Files(name); err != nil || len(fs) > 0 {
				return fs, err
			}
		}
	}
	return nil, fmt.Errorf("cachegen: the request has the files %q and no way to open them", name)
}

// EncodeInput is the encoding of an input for Inputs.Value: its values in order, and its
// files.
func EncodeInput(values []string, files []File) []byte {
	b := binary.AppendUvarint(nil, uint64(len(values)))
	for _, v := range values {
		b = appendBytes(b, v)
	}
	b = binary.AppendUvarint(b, uint64(len(files)))
	for _, f := range files {
		b = append(appendBytes(appendBytes(b, f.Name), f.Type), f.Content[:]...)
	}
	return b
}

// DecodeInput is the inverse of EncodeInput, as far as values and the number of files go.
func DecodeInput(b []byte) (values []string, files int, err error) {
	d := tapeDecoder{b: b}
	for range d.count(1) {
		values = append(values, string(d.bytes()))
	}
	files = d.count(2 + len(Content{}))
	if d.err != nil {
		return nil, 0, fmt.Errorf("cachegen: not an input: %w", d.err)
	}
	return values, files, nil
}

// observe returns what the request or the surface of ctx says of widget, and reports the
// read to the calls that ctx belongs to.
func observe(ctx context.Context, widget string) (v []byte, ok bool) {
	d := drawingOf(ctx)
	if d == nil {
		if in := InputsOf(ctx); in != nil {
			v, ok = in.Value(widget)
		}
	} else {
		v, ok = lookUp(d.surface, d.inputs, widget)
		d.saw(Read{Widget: widget, Value: v, Set: ok})
	}
	if cc := callOf(ctx); cc != nil && cc.frame != nil && (d == nil || cc.frame != d.frame) {
		cc.frame.personal("it read the input " + widget + ", and is no function with widgets")
	}
	return v, ok
}

// lookUp asks the surface, and then the request.
func lookUp(s Surface, in Inputs, widget string) (v []byte, ok bool) {
	if s != nil {
		if v, ok = s.Value(widget); ok {
			return v, true
		}
	}
	if in != nil {
		return in.Value(widget)
	}
	return nil, false
}

// inputsAround returns the request that a call finds around it: what the innermost
// function that it is a part of would find, or what a middleware put into ctx.
func inputsAround(ctx context.Context, outer []outerDrawing) Inputs {
	if len(outer) > 0 {
		return drawnInputs{outer[0].drawing}
	}
	return InputsOf(ctx)
}

// drawnInputs are the inputs that the body of a call finds. It reports no reads: who asks
// reports them to the call that asks, which reports them to those around it.
type drawnInputs struct{ d *drawing }

func (in drawnInputs) Value(widget string) ([]byte, bool) {
	return lookUp(in.d.surface, in.d.inputs, widget)
}

// Files implements FileInputs.
func (in drawnInputs) Files(name string) ([]File, error) {
	for _, from := range []any{in.d.surface, in.d.inputs} {
		if f, ok := from.(FileInputs); ok {
			if files, err := f.Files(name); err != nil || len(files) > 0 {
				return files, err
			}
		}
	}
	return nil, nil
}

// Saw reports that the function which ctx belongs to read a widget, for adapters whose
// surfaces have no Recorder. It is called before the body gets the value.
func Saw(ctx context.Context, r Read) {
	if d := drawingOf(ctx); d != nil {
		d.saw(r)
	}
}

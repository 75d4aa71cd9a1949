package surface

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
)

// Inputs is a source of inputs beside the surface, such as an HTTP request.
// It may be asked by several goroutines at once.
type Inputs interface {
	// Value is what Surface.Value is, for an input of the request. Input asks for "input:"
	// and the name; the answer is as EncodeInput makes it.
	Value(widget string) (v []byte, ok bool)
}

// RequestInputs is the request that a surface was bound with, which may be nil. A surface whose
// widgets are the request's inputs embeds one, and has Value, Files and StaticReads by that.
type RequestInputs struct{ Inputs Inputs }

// Value asks the request.
func (f RequestInputs) Value(widget string) ([]byte, bool) {
	if f.Inputs == nil {
		return nil, false
	}
	return f.Inputs.Value(widget)
}

// Files implements FileInputs.
func (f RequestInputs) Files(name string) ([]File, error) {
	if in, ok := f.Inputs.(FileInputs); ok {
		return in.Files(name)
	}
	return nil, nil
}

// StaticReads implements StaticReads.
func (f RequestInputs) StaticReads() []Read {
	if in, ok := f.Inputs.(StaticReads); ok {
		return in.StaticReads()
	}
	return nil
}

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

package cache

import (
	"context"
	"io"

	cachert "github.com/cachegen/cachegen/runtime"
)

// A File is an uploaded file. Its name, its type and its content count as input.
type File struct {
	Name    string
	Type    string // as the client says
	Size    int64
	Content [32]byte                          // SHA-256 of the content
	Open    func() (io.ReadSeekCloser, error) // reads the content; the caller closes it
}

// Input returns the first value of the request's input name, "" when it is absent: a form
// field, a parameter of the query, or what else the adapter knows by that name. The whole of
// it, all values or their absence, counts as an input of the cached functions that ctx belongs
// to, from the moment of the call on. The result of any other cached function that calls Input
// is not kept.
func Input(ctx context.Context, name string) string { return cachert.Input(ctx, name) }

// InputValues returns all values of the request's input name, in order. ok is false when it is
// absent.
func InputValues(ctx context.Context, name string) (values []string, ok bool) {
	return cachert.InputValues(ctx, name)
}

// InputFiles returns the files uploaded as the request's input name, none when there are none.
// They count as inputs by their content.
func InputFiles(ctx context.Context, name string) ([]File, error) {
	files, err := cachert.InputFiles(ctx, name)
	if len(files) == 0 {
		return nil, err
	}
	out := make([]File, len(files))
	for i, f := range files {
		out[i] = File{Name: f.Name, Type: f.Type, Size: f.Size, Content: f.Content, Open: f.Open}
	}
	return out, err
}

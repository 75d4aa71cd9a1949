package cachert

import (
	"context"
	"fmt"

	"github.com/cachegen/cachegen/cache/surface"
)

// What a cached function reads of the request it serves is an input of it, as a widget
// is: it is observed when it is read, and only then. Input, InputValues and InputFiles read
// by name; the request is the one that the function's surface was bound with, or one that
// a middleware put into the context.

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
	values, _, err := surface.DecodeInput(b)
	return values, err == nil
}

// InputFiles returns the files uploaded as the request's input name, none when there are
// none. They count as inputs by their content.
func InputFiles(ctx context.Context, name string) ([]surface.File, error) {
	b, ok := observe(ctx, inputPrefix+name)
	if !ok {
		return nil, nil
	}
	if _, files, err := surface.DecodeInput(b); err != nil || files == 0 {
		return nil, err
	}
	var sources []any
	if d := drawingOf(ctx); d != nil {
		sources = append(sources, d.surface, d.inputs)
	} else {
		sources = append(sources, surface.InputsOf(ctx))
	}
	for _, s := range sources {
		if in, ok := s.(surface.FileInputs); ok {
			if fs, err := in.Files(name); err != nil || len(fs) > 0 {
				return fs, err
			}
		}
	}
	return nil, fmt.Errorf("cachegen: the request has the files %q and no way to open them", name)
}

// observe returns what the request or the surface of ctx says of widget, and reports the
// read to the run that ctx belongs to. Other computations that it is called in are of this
// request alone.
func observe(ctx context.Context, widget string) (v []byte, ok bool) {
	d := drawingOf(ctx)
	if d == nil {
		if in := surface.InputsOf(ctx); in != nil {
			v, ok = in.Value(widget)
		}
	} else {
		v, ok = lookUp(d.surface, d.inputs, widget)
		d.ReportRead(surface.Read{Widget: widget, Value: v, Set: ok})
	}
	usersOf(current(), callOf(ctx)).each(func(fr *frame) {
		if d == nil || fr != d.frame {
			fr.personal("it read the input " + widget + ", and is no function with widgets")
		}
	})
	return v, ok
}

// lookUp asks the surface, and then the request.
func lookUp(s surface.Surface, in surface.Inputs, widget string) (v []byte, ok bool) {
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
func inputsAround(ctx context.Context, outer []outerDrawing) surface.Inputs {
	if len(outer) > 0 {
		return drawnInputs{outer[0].drawing}
	}
	return surface.InputsOf(ctx)
}

// drawnInputs are the inputs that the body of a call finds. It reports no reads: who asks
// reports them to the call that asks, which reports them to those around it.
type drawnInputs struct{ d *drawing }

func (in drawnInputs) Value(widget string) ([]byte, bool) {
	return lookUp(in.d.surface, in.d.inputs, widget)
}

// Files implements FileInputs.
func (in drawnInputs) Files(name string) ([]surface.File, error) {
	for _, from := range []any{in.d.surface, in.d.inputs} {
		if f, ok := from.(surface.FileInputs); ok {
			if files, err := f.Files(name); err != nil || len(files) > 0 {
				return files, err
			}
		}
	}
	return nil, nil
}

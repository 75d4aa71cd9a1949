package cachert

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/cache/surface"
	"github.com/cachegen/cachegen/runtime/value"
)

// asked are inputs, all of which say v.
type asked struct{ v []byte }

func (a asked) Value(string) ([]byte, bool) { return a.v, true }

// plainSurface draws nowhere.
type plainSurface struct {
	surface.Recorder
	surface.RequestInputs
}

func (s *plainSurface) Scope() string             { return "plain" }
func (s *plainSurface) Record() surface.Recording { return s.Open(nil) }
func (s *plainSurface) Replay(t *surface.Tape) error {
	return surface.Play(t, func(*surface.Element) (nothing, error) { return nothing{}, nil }, func(nothing) error { return nil })
}

// What is kept of an input does not grow with the input, whatever kind of function read
// it: by itself, in a function around it, or since its wrapper knows that it will.
func TestKeptResultsHoldNoInputs(t *testing.T) {
	const size, calls = 256 << 10, 100
	type none = struct{}
	outer := NewDrawn[int, none](nil, DrawOptions{Options: Options{Func: "outer", Site: "x"}, Widgets: true})
	inner := NewDrawn[int, none](nil, DrawOptions{Options: Options{Func: "inner", Site: "x"}, Widgets: true})
	call := func(in surface.Inputs) {
		s := &plainSurface{RequestInputs: surface.RequestInputs{Inputs: in}}
		if _, err := outer.Do(1, 1, &DrawCall{Ctx: context.Background(), Surface: s, Run: func(ctx context.Context, _ any) error {
			Input(ctx, "a")
			in := &plainSurface{RequestInputs: s.RequestInputs}
			in.Within(s)
			_, err := inner.Do(1, 1, &DrawCall{Ctx: ctx, Surface: in, Run: func(ctx context.Context, _ any) error {
				Input(ctx, "b")
				return nil
			}})
			return err
		}}); err != nil {
			t.Fatal(err)
		}
	}
	held := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := held()
	for i := range calls {
		v := make([]byte, size)
		binary.LittleEndian.PutUint64(v, uint64(i))
		call(asked{surface.EncodeInput([]string{string(v)}, nil)})
	}
	if got := held() - before; got > calls*size/8 {
		t.Errorf("%d results hold %d KiB after inputs of %d KiB", calls, got>>10, calls*size>>10)
	}
	if s := outer.Stats(); s.Loads != calls || s.Entries != 2*calls+1 {
		t.Errorf("%+v", s)
	}
	runtime.KeepAlive(outer)
	runtime.KeepAlive(inner)
}

// The bound on bytes holds whatever it is that clients choose: arguments, tags, names of
// inputs, what an error says, and outcomes that share their content, of which those stay
// that are hit.
func TestBoundOfDrawingsWhateverClientsSend(t *testing.T) {
	const bound, size = 4 << 20, 128 << 10
	calls := 200
	if testing.Short() {
		calls = 100 // still three times what fits in
	}
	type none = struct{}
	type key struct{ arg string }
	failed := errors.New(strings.Repeat("e", size))
	for name, c := range map[string]struct {
		key  func(i int) string
		tag  func(i int) string
		body func(ctx context.Context, s *fedSurface, i int) error
		hits bool
	}{
		"arguments": {key: func(i int) string { return fmt.Sprint(i, strings.Repeat("k", size)) }},
		"tags":      {tag: func(i int) string { return fmt.Sprint(i, strings.Repeat("t", size)) }},
		"names": {body: func(ctx context.Context, _ *fedSurface, i int) error {
			Input(ctx, fmt.Sprint(i, strings.Repeat("n", size)))
			return nil
		}},
		"errors": {body: func(context.Context, *fedSurface, int) error {
			return fmt.Errorf("%s%w", strings.Repeat("f", size), failed)
		}},
		"outcomes that share": {hits: true, body: func(ctx context.Context, s *fedSurface, i int) error {
			Input(ctx, "v")
			page := make([]byte, 4*size)
			rand.NewChaCha8([32]byte{byte(i / 2), byte(i / 512)}).Read(page)
			s.Write(page)
			return nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			d := NewDrawn[key, none](nil, DrawOptions{Options: Options{Func: "bounded", Site: "x", MaxBytes: bound, ErrorTTL: time.Hour}, Widgets: true})
			held := func() int64 {
				runtime.GC()
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				return int64(m.HeapAlloc)
			}
			before := held()
			for i := range calls {
				k := key{fmt.Sprint(i)}
				if c.key != nil {
					k.arg = c.key(i)
				}
				if c.hits {
					k.arg = "one"
				}
				var tags []string
				if c.tag != nil {
					tags = []string{c.tag(i)}
				}
				for range 1 + i%2 { // of two that share, the later one is hit
					s := &fedSurface{RequestInputs: surface.RequestInputs{Inputs: asked{surface.EncodeInput([]string{fmt.Sprint(i)}, nil)}}, to: io.Discard}
					d.Do(value.HashString(value.HashStart(), k.arg), k, &DrawCall{Ctx: context.Background(), Surface: s, Tags: tags, Run: func(ctx context.Context, _ any) error {
						if c.body == nil {
							return nil
						}
						return c.body(ctx, s, i)
					}})
				}
			}
			s := d.Stats()
			if s.Loads < uint64(calls) || s.Bytes > bound || s.Entries == 0 {
				t.Errorf("%+v", s)
			}
			most := int64(2 * bound)
			if c.hits {
				most = (1 + sharedPart) * bound
			}
			if got := held() - before; got > most {
				t.Errorf("%d KiB are held in %d entries, with a bound of %d KiB", got>>10, s.Entries, bound>>10)
			}
			runtime.KeepAlive(d)
		})
	}
}

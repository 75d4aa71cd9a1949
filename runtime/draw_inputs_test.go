package cachert

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"
)

// asked are inputs, all of which say v.
type asked struct{ v []byte }

func (a asked) Value(string) ([]byte, bool) { return a.v, true }

// plainSurface draws nowhere.
type plainSurface struct {
	Recorder
	From
}

func (s *plainSurface) Scope() string        { return "plain" }
func (s *plainSurface) Record() Recording    { return s.Open(nil) }
func (s *plainSurface) Replay(t *Tape) error { return t.checkHoles() }

// What is kept of an input does not grow with the input, whatever kind of function read
// it: by itself, in a function around it, or since its wrapper knows that it will.
func TestKeptResultsHoldNoInputs(t *testing.T) {
	const size, calls = 256 << 10, 100
	type none = struct{}
	outer := NewDrawn[int, none](nil, DrawOptions{Options: Options{Func: "outer", Site: "x"}, Widgets: true})
	inner := NewDrawn[int, none](nil, DrawOptions{Options: Options{Func: "inner", Site: "x"}, Widgets: true})
	call := func(in Inputs) {
		s := &plainSurface{From: From{in}}
		if _, err := outer.Do(1, 1, &DrawCall{Ctx: context.Background(), Surface: s, Run: func(ctx context.Context, _ any) error {
			Input(ctx, "a")
			in := &plainSurface{From: s.From}
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
		call(asked{EncodeInput([]string{string(v)}, nil)})
	}
	if got := held() - before; got > calls*size/8 {
		t.Errorf("%d results hold %d KiB after inputs of %d KiB", calls, got>>10, calls*size>>10)
	}
	if s := outer.Stats(); s.Loads != calls || s.Entries != 2*calls+1 {
		t.Error(fmt.Sprintf("%+v", s))
	}
	runtime.KeepAlive(outer)
	runtime.KeepAlive(inner)
}

package surface_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/cachegen/cachegen/cache/surface"
)

// Log is what the functions of some framework draw to: a list of lines. It can have a sink
// that gets the lines instead.
type Log struct {
	Lines []string
	sink  func(line string) error
}

func (l *Log) Print(line string) error {
	if l.sink != nil {
		return l.sink(line)
	}
	l.Lines = append(l.Lines, line)
	return nil
}

// logSurface is a Log bound for one call.
type logSurface struct {
	surface.Recorder
	surface.RequestInputs
	to *Log // what the caller gave
}

// BindLog binds a Log: the body gets another one, which records each line and hands it on.
func BindLog(ctx context.Context, l *Log, in surface.Inputs) (context.Context, *Log, surface.Surface) {
	s := &logSurface{RequestInputs: surface.RequestInputs{Inputs: in}, to: l}
	return ctx, &Log{sink: s.print}, s
}

func (s *logSurface) print(line string) error {
	if err := s.Draw(surface.Element{Op: surface.Put, Kind: "line", Data: []byte(line)}); err != nil {
		return err
	}
	return s.to.Print(line)
}

// Scope implements surface.Surface: all logs are alike.
func (s *logSurface) Scope() string { return "log" }

// Record implements surface.Surface.
func (s *logSurface) Record() surface.Recording { return s.Open(nil) }

// Replay implements surface.Surface.
func (s *logSurface) Replay(t *surface.Tape) error {
	return surface.Play(t, func(e *surface.Element) (string, error) {
		if e.Kind != "line" {
			return "", fmt.Errorf("a log has no %s", e.Kind)
		}
		return string(e.Data), nil
	}, s.to.Print)
}

// An adapter imports this package and nothing else of the module. What follows the adapter is
// what a wrapper does with it: on a miss it records while the body draws, on a hit it replays the
// tape on the log of the next caller.
func Example() {
	ctx := context.Background()

	var first Log
	_, bound, s := BindLog(ctx, &first, nil)
	recording := s.Record()
	bound.Print("sales: 42") // the body
	tape, err := recording.Commit()
	fmt.Println(first.Lines, err)
	fmt.Println(bound.Print("too late"))

	var second Log
	_, _, s = BindLog(ctx, &second, nil)
	err = s.Replay(tape)
	fmt.Println(second.Lines, err)
	// Output:
	// [sales: 42] <nil>
	// cachegen: drawn after the cached function returned: what it draws on is for the time of the call, and no result and no goroutine may keep it
	// [sales: 42] <nil>
}

// What is wrong with a tape is found before anything is shown.
func ExamplePlay() {
	tape, _ := surface.NewTape([]surface.Element{
		{Op: surface.Put, Kind: "line", Data: []byte("sales: 42")},
		{Op: surface.Put, Kind: "image"},
	}, nil)
	var l Log
	_, _, s := BindLog(context.Background(), &l, nil)
	err := s.Replay(tape)
	fmt.Println(len(l.Lines), errors.Is(err, surface.ErrTape))
	// Output: 0 true
}

// A tape can be stored, and drawn by another process.
func ExampleTape_MarshalBinary() {
	tape, _ := surface.NewTape([]surface.Element{{Op: surface.Put, Kind: "line", Data: []byte("sales: 42")}}, nil)
	stored, _ := tape.MarshalBinary()
	var again surface.Tape
	fmt.Println(again.UnmarshalBinary(stored), again.Equal(tape))
	// Output: <nil> true
}

// Inputs are encoded so that equal inputs have equal bytes.
func ExampleEncodeInput() {
	b := surface.EncodeInput([]string{"north", "south"}, nil)
	values, files, err := surface.DecodeInput(b)
	fmt.Println(values, files, err)
	// Output: [north south] 0 <nil>
}

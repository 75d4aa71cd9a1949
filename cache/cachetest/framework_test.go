package cachetest_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/cache/cachetest"
	"github.com/cachegen/cachegen/cache/surface"
)

// A framework that no adapter was made for: a terminal that prints lines and asks
// questions.

// Term is what its functions draw to.
type Term struct {
	Backend
	depth int
}

// Backend is where a Term prints.
type Backend interface {
	Print(line string) error
	Answer(question string) (answer string, given bool)
}

// Say prints a line.
func (t *Term) Say(s string) error { return t.Print(strings.Repeat("  ", t.depth) + s) }

// Ask asks a question; deflt is the answer of those who have not given one.
func (t *Term) Ask(question, deflt string) string {
	a, given := t.Answer(question)
	if !given {
		a = deflt
	}
	t.Say(question + "? " + a)
	return a
}

// The adapter, as docs/bring-your-own-framework.md has it.

// begin adapter
type termSurface struct {
	surface.Recorder
	up *Term // what the caller gave
}

// Bind binds a Term: the body gets another one, whose backend is the surface.
func Bind(ctx context.Context, t *Term, _ surface.Inputs) (context.Context, *Term, surface.Surface) {
	s := &termSurface{up: t}
	s.Within(t.Backend)
	return ctx, &Term{Backend: s, depth: t.depth}, s
}

// Print keeps the line, then prints it.
func (s *termSurface) Print(line string) error {
	line = strings.TrimPrefix(line, strings.Repeat("  ", s.up.depth))
	if err := s.Draw(surface.Element{Op: surface.Put, Kind: "line", Data: []byte(line)}); err != nil {
		return err
	}
	return s.up.Say(line)
}

// Answer reports the read before the body gets the value.
func (s *termSurface) Answer(question string) (string, bool) {
	a, given := s.up.Answer(question)
	s.ReportRead(surface.Read{Widget: question, Value: []byte(a), Set: given})
	return a, given
}

func (s *termSurface) Scope() string             { return "term" }
func (s *termSurface) Record() surface.Recording { return s.Open(nil) }
func (s *termSurface) Value(question string) ([]byte, bool) {
	a, given := s.up.Answer(question)
	return []byte(a), given
}

func (s *termSurface) Replay(t *surface.Tape) error {
	return surface.Play(t, func(e *surface.Element) (string, error) {
		if e.Kind != "line" {
			return "", fmt.Errorf("a terminal has no %s", e.Kind)
		}
		return string(e.Data), nil
	}, s.up.Say)
}

// end adapter

// screen is a backend for tests.
type screen struct {
	strings.Builder
	answers *cachetest.Session
}

func (s *screen) Print(line string) error { _, err := fmt.Fprintln(s, line); return err }

func (s *screen) Answer(q string) (string, bool) { return s.answers.Value(q) }

func TestOwnFramework(t *testing.T) {
	cachetest.Conform(t, cachetest.Adapter[*Term]{
		Bind: Bind,
		Run: func(s *cachetest.Session, ctx context.Context, page func(context.Context, *Term)) string {
			sc := &screen{answers: s}
			page(ctx, &Term{Backend: sc})
			return sc.String()
		},
		Text: (*Term).Say,
		Box: func(t *Term, title string, body func(*Term) error) error {
			if err := t.Say(title); err != nil {
				return err
			}
			return body(&Term{Backend: t.Backend, depth: t.depth + 1})
		},
		Ask:       func(_ context.Context, t *Term, name, deflt string) string { return t.Ask(name, deflt) },
		NoContext: true,
	}, 500)
}

// The page shows the adapter that is tested here.
func TestPageShowsTheAdapter(t *testing.T) {
	page, err := os.ReadFile("../../docs/bring-your-own-framework.md")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("framework_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, adapter, _ := strings.Cut(string(code), "// begin adapter\n")
	adapter, _, _ = strings.Cut(adapter, "\n// end adapter")
	if !strings.Contains(strings.ReplaceAll(string(page), "\r\n", "\n"), adapter) {
		t.Error("docs/bring-your-own-framework.md does not show the adapter of this file")
	}
}

package surface

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"
)

// ErrTape is wrapped by what Surface.Replay returns for a tape that it cannot draw:
// damaged, of another version, or of another adapter. Nothing has been shown then.
var ErrTape = errors.New("the tape cannot be drawn here")

// Op says what an element does to the surface.
type Op uint8

const (
	// Put draws something.
	Put Op = iota + 1
	// Stream draws bytes of a stream. Neighbours of one Kind and one On mean the
	// same as one element with their data joined, and may be split or joined anywhere.
	Stream
	// Remove takes away what an earlier element of the tape put up: a tombstone, so
	// that later elements find the places that they found when they were drawn.
	Remove
	// Hole is the place of content that is not on the tape: it is drawn by the
	// function's own parameter (children), again on each replay.
	Hole
)

// Element is one thing that was drawn.
type Element struct {
	Op   Op
	Kind string // what it is, in the adapter's words
	On   string // what it sits on, relative to the surface that was recorded
	Data []byte // encoded by the adapter; nobody changes it once it is drawn
	// Media are the contents of images, films and other large things that the element
	// shows; the tape holds each content once.
	Media []Content
	// Widget is what the element is a control of, or nil.
	Widget *Read
	// Index is the number of a Hole.
	Index int
}

// Tape is what a body drew, in order. It is immutable, may be replayed by several
// goroutines at once, and can be stored (MarshalBinary).
type Tape struct {
	elements []Element
	media    map[Content][]byte
	holes    *Holes
	spoiled  *atomic.Bool
	made     int64 // when the first of it was drawn, as time.Time.UnixMilli; 0: not known
}

// NewTape returns a tape of the elements, which it keeps, and of the contents of media
// that they show. It fails when an element shows media that is not there.
func NewTape(elements []Element, media map[Content][]byte) (*Tape, error) {
	t := &Tape{elements: elements, spoiled: new(atomic.Bool)}
	for i := range elements {
		e := &elements[i]
		for _, d := range e.Media {
			b, ok := media[d]
			if !ok {
				return nil, fmt.Errorf("element %d (%s) shows media %x, which was not recorded", i, e.Kind, d[:6])
			}
			if t.media == nil {
				t.media = map[Content][]byte{}
			}
			t.media[d] = b
		}
	}
	return t, nil
}

// Elements returns the elements in order. The caller changes nothing of them.
func (t *Tape) Elements() []Element { return t.elements }

// Media returns the content at that address, or nil.
func (t *Tape) Media(d Content) []byte { return t.media[d] }

// Made returns when the first element of the tape was drawn, the zero time where that is not
// known: on the wall clock, to the millisecond.
func (t *Tape) Made() time.Time {
	if t.made == 0 {
		return time.Time{}
	}
	return time.UnixMilli(t.made)
}

// checkHoles reports, as an ErrTape, an element that is a hole which this call does not
// have.
func (t *Tape) checkHoles() error {
	for i := range t.elements {
		if e := &t.elements[i]; e.Op == Hole && e.Index >= t.holes.len() {
			return fmt.Errorf("%w: element %d is hole %d, and the function has %d", ErrTape, i, e.Index, t.holes.len())
		}
	}
	return nil
}

// Play replays t: it decodes every element but the holes, and when all are good shows them
// in order, with the holes in their places. An error of decode wraps ErrTape in the end,
// and then nothing has been shown; the others are those of show and of the holes.
func Play[T any](t *Tape, decode func(*Element) (T, error), show func(T) error) error {
	if err := t.checkHoles(); err != nil {
		return err
	}
	decoded := make([]T, len(t.elements))
	for i := range t.elements {
		e := &t.elements[i]
		if e.Op == Hole {
			continue
		}
		var err error
		if decoded[i], err = decode(e); err != nil {
			return fmt.Errorf("%w: element %d (%s): %w", ErrTape, i, e.Kind, err)
		}
	}
	for i := range t.elements {
		var err error
		if e := &t.elements[i]; e.Op == Hole {
			err = t.holes.draw[e.Index]()
		} else {
			err = show(decoded[i])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Size is about how many bytes of memory the tape holds.
func (t *Tape) Size() int64 {
	n := int64(128)
	for i := range t.elements {
		e := &t.elements[i]
		n += 120 + int64(len(e.Data)) + int64(len(e.Media))*32
		if e.Widget != nil {
			n += readSize(e.Widget)
		}
	}
	for _, b := range t.media {
		n += 64 + int64(len(b))
	}
	return n
}

func readSize(r *Read) int64 { return 80 + int64(len(r.Widget)+len(r.Default)+len(r.Value)) }

// Equal reports whether the two tapes draw the same.
func (t *Tape) Equal(u *Tape) bool {
	return slices.EqualFunc(t.joined(), u.joined(), equalElements) && maps.EqualFunc(t.media, u.media, bytes.Equal)
}

func equalElements(a, b Element) bool {
	w := a.Widget == b.Widget
	if a.Widget != nil && b.Widget != nil {
		w = a.Widget.Widget == b.Widget.Widget && a.Widget.Set == b.Widget.Set &&
			bytes.Equal(a.Widget.Default, b.Widget.Default) && bytes.Equal(a.Widget.Value, b.Widget.Value)
	}
	return w && a.Op == b.Op && a.Kind == b.Kind && a.On == b.On && a.Index == b.Index &&
		bytes.Equal(a.Data, b.Data) && slices.Equal(a.Media, b.Media)
}

// joined returns the elements with neighbouring parts of a stream joined.
func (t *Tape) joined() []Element {
	var out []Element
	for _, e := range t.elements {
		if n := len(out); n > 0 && e.Op == Stream && sameStream(&out[n-1], &e) {
			out[n-1].Data = append(out[n-1].Data[:len(out[n-1].Data):len(out[n-1].Data)], e.Data...)
			continue
		}
		out = append(out, e)
	}
	return out
}

func sameStream(a, b *Element) bool {
	return a.Op == Stream && b.Op == Stream && a.Kind == b.Kind && a.On == b.On && a.Widget == nil && b.Widget == nil
}

// WithHoles returns the tape as one call replays it, with that call's holes. The engine calls
// it; h may be nil.
func (t *Tape) WithHoles(h *Holes) *Tape {
	if h == nil || len(h.draw) == 0 {
		return t
	}
	u := *t
	u.holes = h
	return &u
}

// Spoiled reports whether something was drawn after the body had returned that recorded the
// tape: then it is not used again. The engine asks.
func (t *Tape) Spoiled() bool { return t.spoiled.Load() }

// Content is the address of a piece of content, its SHA-256: the same in every process.
type Content [sha256.Size]byte

// ContentOf returns the address of b.
func ContentOf(b []byte) Content { return sha256.Sum256(b) }

package surface

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"sync/atomic"
)

// The stored form of a tape:
//
//	"cgt" version  body  crc32c(everything before)
//
// where numbers are uvarints and byte strings are length-prefixed. The decoder takes
// nothing on trust: it comes from a file or a server. It allocates no more than a small
// multiple of its input, and every fault is an ErrTape.

const tapeVersion = 2

var tapeMagic = [4]byte{'c', 'g', 't', tapeVersion}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// MarshalBinary returns the stored form. Equal tapes that were made in the same millisecond
// have equal bytes.
func (t *Tape) MarshalBinary() ([]byte, error) { return t.AppendBinary(nil) }

// AppendBinary appends the stored form to b.
func (t *Tape) AppendBinary(b []byte) ([]byte, error) {
	start := len(b)
	b = append(b, tapeMagic[:]...)
	b = binary.AppendUvarint(b, uint64(max(t.made, 0)))
	digests := make([]Content, 0, len(t.media))
	for d := range t.media {
		digests = append(digests, d)
	}
	slices.SortFunc(digests, func(a, b Content) int { return slices.Compare(a[:], b[:]) })
	b = binary.AppendUvarint(b, uint64(len(digests)))
	for _, d := range digests {
		b = appendBytes(b, t.media[d])
	}
	b = binary.AppendUvarint(b, uint64(len(t.elements)))
	for i := range t.elements {
		e := &t.elements[i]
		b = append(b, byte(e.Op))
		b = appendBytes(b, e.Kind)
		b = appendBytes(b, e.On)
		b = appendBytes(b, e.Data)
		b = binary.AppendUvarint(b, uint64(e.Index))
		b = binary.AppendUvarint(b, uint64(len(e.Media)))
		for _, d := range e.Media {
			n, ok := slices.BinarySearchFunc(digests, d, func(a, b Content) int { return slices.Compare(a[:], b[:]) })
			if !ok {
				return nil, fmt.Errorf("element %d shows media that the tape does not hold", i)
			}
			b = binary.AppendUvarint(b, uint64(n))
		}
		if e.Widget == nil {
			b = append(b, 0)
		} else {
			b = appendRead(append(b, 1), e.Widget)
		}
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli)), nil
}

func appendBytes[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendRead(b []byte, r *Read) []byte {
	var flags byte
	if r.Set {
		flags |= 1
	}
	if r.Default != nil {
		flags |= 2
	}
	b = appendBytes(append(b, flags), r.Widget)
	if r.Default != nil {
		b = appendBytes(b, r.Default)
	}
	if r.Set {
		b = appendBytes(b, r.Value)
	}
	return b
}

// UnmarshalBinary reads the stored form. The tape keeps no part of b.
func (t *Tape) UnmarshalBinary(b []byte) error {
	if len(b) < len(tapeMagic)+4 || [4]byte(b) != tapeMagic {
		return fmt.Errorf("%w: it does not begin as a tape of version %d", ErrTape, tapeVersion)
	}
	body, sum := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	if crc32.Checksum(body, castagnoli) != sum {
		return fmt.Errorf("%w: its checksum is wrong", ErrTape)
	}
	d := tapeDecoder{b: slices.Clone(body[len(tapeMagic):])}
	u := Tape{spoiled: new(atomic.Bool)}
	if made := d.uvarint(); made > math.MaxInt64 {
		d.fail("a time is too late")
	} else if made > 0 {
		u.made = int64(made)
	}
	var digests []Content
	for range d.count(1) {
		m := d.bytes()
		if d.err != nil {
			break
		}
		digests = append(digests, ContentOf(m))
		if u.media == nil {
			u.media = map[Content][]byte{}
		}
		u.media[digests[len(digests)-1]] = m
	}
	for range d.count(7) {
		e := Element{Op: Op(d.byte())}
		e.Kind, e.On, e.Data = string(d.bytes()), string(d.bytes()), d.bytes()
		e.Index = d.int()
		for range d.count(1) {
			n := d.int()
			if d.err == nil && n >= len(digests) {
				d.fail("media out of range")
			}
			if d.err != nil {
				break
			}
			e.Media = append(e.Media, digests[n])
		}
		switch d.byte() {
		case 0:
		case 1:
			r := d.read()
			e.Widget = &r
		default:
			d.fail("bad widget flag")
		}
		if e.Op < Put || e.Op > Hole {
			d.fail("unknown operation")
		}
		if d.err != nil {
			break
		}
		u.elements = append(u.elements, e)
	}
	if d.err == nil && len(d.b) != 0 {
		d.fail("bytes left over")
	}
	if d.err != nil {
		return d.err
	}
	*t = u
	return nil
}

// tapeDecoder takes parts off the front of b until something is wrong with it; from
// then on it returns zero values.
type tapeDecoder struct {
	b   []byte
	err error
}

func (d *tapeDecoder) fail(what string) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s, %d bytes before its end", ErrTape, what, len(d.b))
	}
	d.b = nil
}

func (d *tapeDecoder) uvarint() uint64 {
	n, w := binary.Uvarint(d.b)
	if w <= 0 {
		d.fail("a number is cut off")
		return 0
	}
	d.b = d.b[w:]
	return n
}

func (d *tapeDecoder) int() int {
	n := d.uvarint()
	if n > math.MaxInt32 {
		d.fail("a number is too large")
		return 0
	}
	return int(n)
}

// count reads the number of things that follow, each of at least size bytes.
func (d *tapeDecoder) count(size int) int {
	n := d.uvarint()
	if n > uint64(len(d.b)/size) {
		d.fail("a list is cut off")
		return 0
	}
	return int(n)
}

func (d *tapeDecoder) byte() byte {
	if len(d.b) == 0 {
		d.fail("it is cut off")
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

func (d *tapeDecoder) bytes() []byte {
	n := d.count(1)
	s := d.b[:n:n]
	d.b = d.b[n:]
	return s
}

func (d *tapeDecoder) read() Read {
	var r Read
	flags := d.byte()
	if flags > 3 {
		d.fail("bad flags of a read")
	}
	r.Widget = string(d.bytes())
	if flags&2 != 0 {
		r.Default = d.bytes()
		if r.Default == nil {
			r.Default = []byte{}
		}
	}
	if r.Set = flags&1 != 0; r.Set {
		r.Value = d.bytes()
	}
	return r
}

package surface

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
)

// internMin is the size from which data is worth looking for.
const internMin = 256

// Intern makes t share the memory of other tapes that have parts in common with it. For each
// part that is worth it, held returns equal bytes that are kept already and true, else b and
// false. Long streams are cut into parts by their content. Intern returns how many bytes of t are
// its own. The engine calls it before anybody else has t.
func (t *Tape) Intern(held func(c Content, b []byte) (kept []byte, ok bool)) (own int64) {
	t.elements = split(t.elements)
	own = t.Size()
	for i := range t.elements {
		e := &t.elements[i]
		if len(e.Data) >= internMin {
			if b, ok := held(ContentOf(e.Data), e.Data); ok {
				e.Data = b
				own -= int64(len(b))
			}
		}
	}
	for c, m := range t.media {
		if len(m) >= internMin {
			if b, ok := held(c, m); ok {
				t.media[c] = b
				own -= int64(len(b))
			}
		}
	}
	return own
}

// split cuts long parts of streams where their content says so, so that two streams that
// differ in places have equal parts elsewhere, wherever the differences moved them. The
// places are those of a gear hash (Xia et al.: "FastCDC", USENIX ATC 2016), 8 KiB apart
// on average, 2 to 64 KiB.
func split(in []Element) []Element {
	out := make([]Element, 0, len(in))
	for i := 0; i < len(in); {
		if in[i].Op != Stream {
			out = append(out, in[i])
			i++
			continue
		}
		j, n := i, 0
		for ; j < len(in) && sameStream(&in[i], &in[j]); j++ {
			n += len(in[j].Data)
		}
		all := make([]byte, 0, n)
		for k := i; k < j; k++ {
			all = append(all, in[k].Data...)
		}
		for len(all) > 0 {
			n := cut(all)
			e := in[i]
			e.Data = bytes.Clone(all[:n]) // of its own, or a part would hold the whole
			out = append(out, e)
			all = all[n:]
		}
		i = j
	}
	return out
}

const (
	cutMin  = 2 << 10
	cutMax  = 64 << 10
	cutMask = 1<<13 - 1
)

// cut returns the length of the first part of b.
func cut(b []byte) int {
	if len(b) <= cutMin {
		return len(b)
	}
	n := min(len(b), cutMax)
	var h uint64
	for i := cutMin; i < n; i++ {
		if h = h<<1 + gear[b[i]]; h>>32&cutMask == 0 {
			return i + 1
		}
	}
	return n
}

// gear is a table of random-looking numbers, the same in every process.
var gear = func() (g [256]uint64) {
	for i := range g {
		sum := sha256.Sum256([]byte{byte(i)})
		g[i] = binary.LittleEndian.Uint64(sum[:8])
	}
	return g
}()

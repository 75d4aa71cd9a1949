package value

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"hash/maphash"
	"strconv"
	"testing"
	"time"
)

type pairKey struct {
	A int64
	S string
}

func BenchmarkKeyHash(b *testing.B) {
	keys := make([]pairKey, 1024)
	for i := range keys {
		keys[i] = pairKey{int64(i), "region-" + strconv.Itoa(i)}
	}
	var sink uint64
	b.Run("generated", func(b *testing.B) {
		for i := range b.N {
			k := &keys[i&1023]
			sink += HashString(HashUint64(HashStart(), uint64(k.A)), k.S)
		}
	})
	b.Run("maphash.Comparable", func(b *testing.B) {
		for i := range b.N {
			sink += maphash.Comparable(longSeed, keys[i&1023])
		}
	})
	b.Run("string", func(b *testing.B) {
		for i := range b.N {
			sink += HashString(HashStart(), keys[i&1023].S)
		}
	})
	b.Run("maphash.String", func(b *testing.B) {
		for i := range b.N {
			sink += maphash.String(longSeed, keys[i&1023].S)
		}
	})
	b.Run("int", func(b *testing.B) {
		for i := range b.N {
			sink += HashUint64(HashStart(), uint64(i))
		}
	})
	_ = sink
}

func BenchmarkKeyDigest(b *testing.B) {
	floats := make([]float64, 1000)
	for i := range floats {
		floats[i] = float64(i) / 3
	}
	m := map[string][]*treeNode{}
	for i := range 20 {
		m[strconv.Itoa(i)] = []*treeNode{{Name: "x"}, {Name: "y", Kids: []*treeNode{{Name: "z"}}}}
	}
	now := time.Now()
	doc := map[string]any{"a": 1.0, "b": []any{"x", true, nil}, "c": map[string]any{"d": "e"}}
	type opts struct {
		A string
		B []string
		C map[string]int
	}
	o := opts{"a", []string{"b", "c"}, map[string]int{"d": 1, "e": 2}}
	bench := func(name string, f func(e *Encoder)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				e := NewEncoder()
				f(e)
				if _, err := e.Digest(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	bench("1000 floats", func(e *Encoder) { EncodeFloats(e, floats) })
	bench("options", func(e *Encoder) {
		e.String(o.A)
		EncodeStrings(e, o.B)
		EncodeMap(e, o.C, EncodeString[string], EncodeInt)
	})
	bench("options dynamically", func(e *Encoder) { EncodeOf(e, o) })
	bench("80 nodes in a map", func(e *Encoder) { encMapOfNodes(e, m) })
	bench("time", func(e *Encoder) { e.Time(now) })
	bench("JSON document", func(e *Encoder) { e.Any(doc) })
	b.Run("1000 floats by gob", func(b *testing.B) {
		var buf bytes.Buffer
		for range b.N {
			buf.Reset()
			gob.NewEncoder(&buf).Encode(floats)
		}
	})
	b.Run("1000 floats by json", func(b *testing.B) {
		for range b.N {
			json.Marshal(floats)
		}
	})
	b.Run("options by json", func(b *testing.B) {
		for range b.N {
			json.Marshal(o)
		}
	})
}

type benchRow struct {
	ID    int64
	Price float64
	Name  string
	Tags  []string
}

func BenchmarkCopies(b *testing.B) {
	rows := make([]benchRow, 10_000)
	for i := range rows {
		rows[i] = benchRow{int64(i), float64(i), "name", []string{"a", "b"}}
	}
	var sink []benchRow
	b.Run("generated", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			w := CloneSlice(rows)
			var tags Chunk[string]
			for i := range w {
				w[i].Tags = tags.Clone(w[i].Tags)
			}
			sink = w
		}
	})
	b.Run("dynamic", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			c := NewCopier("")
			sink = CopyOf(c, rows)
			c.Done()
		}
	})
	b.Run("gob decode", func(b *testing.B) {
		var buf bytes.Buffer
		gob.NewEncoder(&buf).Encode(rows)
		b.ReportAllocs()
		for range b.N {
			sink = nil
			gob.NewDecoder(bytes.NewReader(buf.Bytes())).Decode(&sink)
		}
	})
	_ = sink
	tree := ring(2)
	for range 1000 {
		tree.Kids = append(tree.Kids, ring(3))
	}
	b.Run("3000 nodes in cycles", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			c := NewCopier("")
			copyTreeNodePtr(c, tree)
			c.Done()
		}
	})
}

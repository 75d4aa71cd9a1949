package bench

import "testing"

func Benchmark(b *testing.B) {
	for _, t := range Tables() {
		b.Run(t.Name, func(b *testing.B) {
			for _, c := range t.Cases {
				b.Run(c.Name, func(b *testing.B) {
					run, stop := c.Setup()
					defer stop()
					b.ReportAllocs()
					b.ResetTimer()
					run(b)
				})
			}
		})
	}
}

// What is compared must do what it is compared for.
func TestPeers(t *testing.T) {
	for _, p := range all() {
		t.Run(p.Name, func(t *testing.T) {
			computed := 0
			get, stop := p.New(10_000, func(k Key) Quote { computed++; return compute1(k) })
			defer stop()
			stored, asked := keysOf(100)
			for range 50 {
				for i := range stored {
					if v := get(asked[i]); v.ID != asked[i].ID || v.Name != asked[i].Name {
						t.Fatalf("%v for %v", v, asked[i])
					}
				}
			}
			// Ristretto writes behind, and drops what it has no time for.
			if computed != 100 && p.Name != "ristretto" {
				t.Errorf("%d computations of 100 values", computed)
			}
		})
	}
}

// The hits that tables report are hits that allocate nothing.
func TestHitsDoNotAllocate(t *testing.T) {
	ctx := deep()
	xs := make([]float64, 1000)
	for name, f := range map[string]func(){
		"GetQuote": func() { GetQuote(1, "x") },
		"QuoteErr": func() { QuoteErr(1, "x") },
		"QuoteCtx": func() { QuoteCtx(ctx, 1, "x") },
		"Settings": func() { Settings() },
		"Mean":     func() { Mean(xs) },
	} {
		f()
		if n := testing.AllocsPerRun(100, f); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if n := testing.AllocsPerRun(10, func() { Rows(10_000) }); n > 60 {
		t.Errorf("Rows: %v allocations for 10,000 structs", n)
	}
}

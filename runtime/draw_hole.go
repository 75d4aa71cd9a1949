package cachert

import "github.com/cachegen/cachegen/cache/surface"

// The contract of adapters is package surface. Generated code knows these parts of it by the
// names of this package.
type (
	// Surface is [surface.Surface].
	Surface = surface.Surface
	// Inputs is [surface.Inputs].
	Inputs = surface.Inputs
	// Holes is [surface.Holes].
	Holes = surface.Holes
)

// BindHole is [surface.BindHole].
func BindHole[P comparable](h *Holes, s Surface, outer, bound P, f func(P)) func(P) {
	return surface.BindHole(h, s, outer, bound, f)
}

// BindHoleErr is [surface.BindHoleErr].
func BindHoleErr[P comparable](h *Holes, s Surface, outer, bound P, f func(P) error) func(P) error {
	return surface.BindHoleErr(h, s, outer, bound, f)
}

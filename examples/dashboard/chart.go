package main

import (
	"fmt"
	"html/template"
	"io"
	"strings"
)

// bar is one bar of a chart.
type bar struct {
	Label string
	Value float64
	Alt   bool // drawn in the second colour
}

// chart draws bars as SVG, as wide as a card or, where it is wide, two.
func chart(w io.Writer, wide bool, bars []bar) error {
	width, height, base := 520.0, 190.0, 160.0
	if wide {
		width = 1040
	}
	top := 1.0
	for _, b := range bars {
		top = max(top, b.Value)
	}
	var s strings.Builder
	fmt.Fprintf(&s, `<svg viewBox="0 0 %g %g" role="img"><line x1="0" y1="%g" x2="%g" y2="%g"/>`, width, height, base, width, base)
	step := width / float64(max(len(bars), 1))
	for i, b := range bars {
		class, h := "bar", b.Value/top*(base-14)
		if b.Alt {
			class = "bar alt"
		}
		x := float64(i) * step
		fmt.Fprintf(&s, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="3"><title>%s: %.2f</title></rect>`,
			class, x+step*.15, base-h, step*.7, h, template.HTMLEscapeString(b.Label), b.Value)
		fmt.Fprintf(&s, `<text x="%.1f" y="%g" text-anchor="middle">%s</text>`, x+step/2, base+16, template.HTMLEscapeString(b.Label))
	}
	s.WriteString("</svg>")
	_, err := io.WriteString(w, s.String())
	return err
}

package main

import (
	"regexp"
	"strings"
	"testing"
)

// TestRun runs the whole example on a real SQLite file and checks which questions
// were computed and which were served, and that served answers are the computed ones.
func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), &out, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"open the database":                "computed",
		"open it again":                    "served",
		"totals of 2024":                   "computed",
		"totals of 2024, again":            "served",
		"totals of 2025":                   "computed",
		"report: online, since July 2024":  "computed",
		"the same, from new slices":        "served",
		"report: shop and online":          "computed",
		"best 3 months of 2023 and 2024":   "computed",
		"best 3 months, again":             "served",
		"forget 2024, then its totals":     "computed",
		"invalidate tag reports, then one": "computed",
	}
	rows := strings.Split(strings.TrimSpace(out.String()), "\n")[1:]
	if len(rows) != len(want) {
		t.Errorf("%d rows, want %d", len(rows), len(want))
	}
	columns := regexp.MustCompile(`\s{2,}`)
	answers := map[string]string{}
	for _, row := range rows {
		c := columns.Split(row, 4)
		if want[c[0]] != c[1] {
			t.Errorf("%s: %s, want %s", c[0], c[1], want[c[0]])
		}
		answers[c[0]] = c[3]
	}
	for _, pair := range [][2]string{
		{"totals of 2024", "totals of 2024, again"},
		{"totals of 2024", "forget 2024, then its totals"},
		{"report: online, since July 2024", "the same, from new slices"},
		{"best 3 months of 2023 and 2024", "best 3 months, again"},
	} {
		if a, b := answers[pair[0]], answers[pair[1]]; a != b {
			t.Errorf("%s says %q, but %s says %q", pair[0], a, pair[1], b)
		}
	}
	if t.Failed() {
		t.Log("\n" + out.String())
	}
}

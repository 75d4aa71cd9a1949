package directive

import (
	"fmt"
	"go/token"
	"math"
	"strconv"
	"strings"
	"time"
)

// valueError says what is wrong with an option's value, at a byte of it.
type valueError struct {
	at      int
	message string
	hint    string
}

func badValue(hint, format string, args ...any) *valueError {
	return &valueError{message: fmt.Sprintf(format, args...), hint: hint}
}

// durationUnits are the units of a duration: those of time.ParseDuration, and days and
// weeks as multiples of 24 hours.
var durationUnits = []struct {
	name string
	unit time.Duration
}{
	{"ns", time.Nanosecond}, {"us", time.Microsecond}, {"µs", time.Microsecond}, {"μs", time.Microsecond},
	{"ms", time.Millisecond}, {"s", time.Second}, {"m", time.Minute}, {"h", time.Hour},
	{"d", 24 * time.Hour}, {"w", 7 * 24 * time.Hour},
}

const durationHint = "write a number and a unit, as in 500ms, 90s, 10m, 36h, 7d, 2w or 1h30m"

// parseDuration reads a duration greater than zero.
func parseDuration(s string) (time.Duration, *valueError) {
	if strings.HasPrefix(s, "-") {
		return 0, badValue(durationHint, "%s is negative, and must be greater than 0", s)
	}
	var total time.Duration
	rest := s
	for rest != "" {
		n := 0
		for n < len(rest) && (rest[n] >= '0' && rest[n] <= '9' || rest[n] == '.') {
			n++
		}
		number := rest[:n]
		rest = rest[n:]
		u := 0
		for u < len(rest) && rest[u] != '.' && (rest[u] < '0' || rest[u] > '9') {
			u++
		}
		unit, known := time.Duration(0), false
		for _, k := range durationUnits {
			if rest[:u] == k.name {
				unit, known = k.unit, true
			}
		}
		at := len(s) - len(rest)
		switch {
		case number == "":
			return 0, &valueError{at, fmt.Sprintf("%q is no duration", s), durationHint}
		case u == 0 && number == "0" && len(s) == 1:
			return 0, badValue(durationHint, "0 is no duration here: it must be greater than 0")
		case u == 0:
			return 0, &valueError{at, fmt.Sprintf("%q has a number without a unit", s), durationHint}
		case !known:
			return 0, &valueError{at, fmt.Sprintf("unknown unit %q in duration %q", rest[:u], s), durationHint}
		}
		part, ok, over := scale(number, unit)
		if !ok {
			return 0, badValue(durationHint, "%q is no duration", s)
		}
		if over || part > math.MaxInt64-total {
			return 0, badValue("the longest is about 290 years; leave the option out for no limit", "duration %q is too long", s)
		}
		total += part
		rest = rest[u:]
	}
	if total == 0 {
		return 0, badValue(durationHint, "%s is 0, and must be greater than 0", s)
	}
	return total, nil
}

// scale multiplies a decimal number by unit, exactly where the result is whole. ok is
// false if number is none, over is true if the result does not fit.
func scale(number string, unit time.Duration) (d time.Duration, ok, over bool) {
	whole, fraction, _ := strings.Cut(number, ".")
	if whole == "" && fraction == "" || strings.Contains(fraction, ".") {
		return 0, false, false
	}
	for i := range len(whole) {
		digit := time.Duration(whole[i] - '0')
		if d > (math.MaxInt64-digit)/10 {
			return 0, true, true
		}
		d = d*10 + digit
	}
	if d > math.MaxInt64/unit {
		return 0, true, true
	}
	d *= unit
	place := float64(unit)
	var f float64
	for i := range len(fraction) {
		place /= 10
		f += place * float64(fraction[i]-'0')
	}
	add := time.Duration(math.Round(f))
	if add > math.MaxInt64-d {
		return 0, true, true
	}
	return d + add, true, false
}

// sizeUnits are the units of max-bytes.
var sizeUnits = []struct {
	name string
	unit int64
}{
	{"B", 1}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
}

const sizeHint = "write a number and a unit, as in 512KiB, 64MiB, 2GiB or 100MB"

// parseSize reads a number of bytes greater than zero.
func parseSize(s string) (int64, *valueError) {
	if strings.HasPrefix(s, "-") {
		return 0, badValue(sizeHint, "%s is negative, and must be greater than 0", s)
	}
	n := 0
	for n < len(s) && (s[n] >= '0' && s[n] <= '9' || s[n] == '.') {
		n++
	}
	number, unit := s[:n], s[n:]
	if number == "" {
		return 0, badValue(sizeHint, "%q is no size", s)
	}
	if unit == "" {
		return 0, &valueError{n, fmt.Sprintf("%q has no unit", s), sizeHint}
	}
	for _, u := range sizeUnits {
		if u.name != unit {
			continue
		}
		v, err := strconv.ParseFloat(number, 64)
		switch {
		case err != nil:
			return 0, badValue(sizeHint, "%q is no size", s)
		case v*float64(u.unit) >= math.MaxInt64:
			return 0, badValue("leave the option out for no bound", "size %q is too large", s)
		}
		b := int64(v * float64(u.unit))
		if !strings.Contains(number, ".") {
			w, _ := strconv.ParseInt(number, 10, 64) // exact where a float is not
			b = w * u.unit
		}
		if b == 0 {
			return 0, badValue(sizeHint, "%s is 0, and must be greater than 0", s)
		}
		return b, nil
	}
	e := &valueError{n, fmt.Sprintf("unknown unit %q in size %q", unit, s), sizeHint}
	for _, u := range sizeUnits {
		if strings.EqualFold(u.name, unit) || strings.EqualFold(strings.TrimSuffix(u.name, "B"), unit) {
			e.hint = fmt.Sprintf("did you mean %s%s?", number, u.name)
			if len(u.name) == 2 { // kB and KiB differ by case-blind eyes: offer both
				e.hint = fmt.Sprintf("did you mean %s%s (powers of 1000) or %s%siB (powers of 1024)?", number, u.name, number, strings.ToUpper(u.name[:1]))
			}
			break
		}
	}
	return 0, e
}

// parsePercent reads a share between 0 and 100 percent, both excluded.
func parsePercent(s string) (float64, *valueError) {
	const hint = "write a percentage between 0% and 100%, as in 10%"
	number, ok := strings.CutSuffix(s, "%")
	if !ok {
		return 0, badValue(hint, "%q has no percent sign", s)
	}
	for i := range len(number) {
		if (number[i] < '0' || number[i] > '9') && number[i] != '.' && !(i == 0 && number[i] == '-') {
			return 0, badValue(hint, "%q is no percentage", s)
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0, badValue(hint, "%q is no percentage", s)
	}
	if v <= 0 || v >= 100 {
		return 0, badValue(hint, "%s is out of range: it must be more than 0%% and less than 100%%", s)
	}
	return v / 100, nil
}

// parseCount reads a whole number greater than zero.
func parseCount(s string) (int, *valueError) {
	const hint = "write a whole number of at least 1, as in 1000"
	digits := strings.TrimPrefix(s, "-")
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, badValue(hint, "%q is no whole number", s)
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		if digits == "" {
			return 0, badValue(hint, "%q is no whole number", s)
		}
		return 0, badValue(hint, "%s is too large", s)
	}
	if n < 1 {
		return 0, badValue(hint, "%s is out of range: it must be at least 1", s)
	}
	if n > math.MaxInt32 {
		return 0, badValue("leave the option out for no bound", "%s is more than any cache can hold", s)
	}
	return int(n), nil
}

// parseFunc reads Name or pkg.Name.
func parseFunc(s string) (FuncRef, *valueError) {
	const hint = "name a function of this package, as in Name, or of one that the file imports, as in pkg.Name"
	if strings.HasSuffix(s, ")") {
		return "", badValue("leave the parentheses out", "%q is a call; the option takes the function's name", s)
	}
	parts := strings.Split(s, ".")
	if len(parts) > 2 {
		return "", badValue(hint, "%q is no function name", s)
	}
	for _, p := range parts {
		if !token.IsIdentifier(p) || p == "_" {
			return "", badValue(hint, "%q is no function name", s)
		}
	}
	return FuncRef(s), nil
}

// item is one element of a comma-separated list, with its byte offset.
type item struct {
	text string
	at   int
}

// split cuts a comma-separated list. Blanks around elements (possible in quoted values)
// do not count.
func split(s string) ([]item, *valueError) {
	var items []item
	at := 0
	for _, part := range strings.Split(s, ",") {
		trimmed := strings.TrimLeft(part, " \t")
		it := item{strings.TrimRight(trimmed, " \t"), at + len(part) - len(trimmed)}
		if it.text == "" {
			return nil, &valueError{it.at, "an element of the list is empty", "write the elements with one comma between them and no spaces, as in a,b"}
		}
		items = append(items, it)
		at += len(part) + 1
	}
	return items, nil
}

// parseParams reads a list of parameter names, each once.
func parseParams(s string) ([]string, *valueError) {
	items, verr := split(s)
	if verr != nil {
		return nil, verr
	}
	var names []string
	for _, it := range items {
		if !token.IsIdentifier(it.text) || it.text == "_" {
			return nil, &valueError{it.at, fmt.Sprintf("%q is no parameter name", it.text), "name parameters of the function, as in a,b"}
		}
		for _, n := range names {
			if n == it.text {
				return nil, &valueError{it.at, fmt.Sprintf("parameter %s stands twice in the list", n), "drop one of them"}
			}
		}
		names = append(names, it.text)
	}
	return names, nil
}

// parseTags reads a list of tags, each plain text with any number of {param} in it.
func parseTags(s string) ([]string, *valueError) {
	const hint = "write tags as in sales,user:{id}"
	items, verr := split(s)
	if verr != nil {
		return nil, verr
	}
	var tags []string
	for _, it := range items {
		rest := it.text
		for {
			open := strings.IndexAny(rest, "{}")
			if open < 0 {
				break
			}
			shut := strings.IndexByte(rest[open:], '}')
			if rest[open] == '}' || shut < 0 {
				return nil, &valueError{it.at, fmt.Sprintf("unbalanced braces in tag %q", it.text), hint}
			}
			if p := rest[open+1 : open+shut]; !token.IsIdentifier(p) || p == "_" {
				return nil, &valueError{it.at, fmt.Sprintf("{%s} in tag %q names no parameter", p, it.text), hint}
			}
			rest = rest[open+shut+1:]
		}
		for _, t := range tags {
			if t == it.text {
				return nil, &valueError{it.at, fmt.Sprintf("tag %q stands twice in the list", t), "drop one of them"}
			}
		}
		tags = append(tags, it.text)
	}
	return tags, nil
}

// TagParams returns the names of the parameters that a tag takes values of, in order.
func TagParams(tag string) []string {
	var params []string
	for {
		_, after, ok := strings.Cut(tag, "{")
		if !ok {
			return params
		}
		p, rest, _ := strings.Cut(after, "}")
		params = append(params, p)
		tag = rest
	}
}

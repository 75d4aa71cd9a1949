package directive

import (
	"slices"

	"github.com/cachegen/cachegen/generator/diag"
)

// contradictions says which of the given options cannot stand together, and which stand
// alone although they need another. Options in tainted have a value that was already
// found wrong and are left out. Each pair has a code of its own.
func contradictions(d *Directive, tainted map[string]bool) []diag.Diagnostic {
	var ds []diag.Diagnostic
	has := func(name string) bool { return d.Has(name) && !tainted[name] }
	needs := func(option, other string, c diag.Code) {
		if has(option) && !d.Has(other) {
			ds = append(ds, diag.Errorf(d.At[option], c, "%s needs %s, which is not given", option, other))
		}
	}
	// clash reports two options; the later of the two is where the diagnostic stands.
	clash := func(a, b string, c diag.Code, format string, args ...any) {
		at, other, name := d.At[a], d.At[b], b
		if at.Offset < other.Offset {
			at, other, name = other, at, a
		}
		ds = append(ds, diag.Errorf(at, c, format, args...).WithRelated(other, "%s is given here", name))
	}

	needs("stale", "ttl", diag.StaleWithoutTTL)
	needs("jitter", "ttl", diag.JitterWithoutTTL)
	needs("grace", "release", diag.GraceWithoutRelease)
	needs("variants", "widgets", diag.VariantsWithoutWidgets)

	if has("key") && has("ignore") {
		clash("key", "ignore", diag.KeyWithIgnore, "key names the parameters that count, so there is nothing left to ignore")
	}
	if has("stale") && has("detach") {
		clash("stale", "detach", diag.StaleWithDetachOff, "stale refreshes apart from any caller, and detach=off forbids that")
	}
	if has("stale") && has("widgets") {
		clash("stale", "widgets", diag.StaleWithWidgets, "stale refreshes with nobody there to draw for, so the function cannot have widgets")
	}
	if has("hash") {
		for _, h := range d.Options.Hash {
			at := func(option string, c diag.Code, format string, args ...any) {
				a, b, name := h.Pos, d.At[option], option
				if a.Offset < b.Offset {
					a, b, name = b, a, "hash"
				}
				ds = append(ds, diag.Errorf(a, c, format, args...).WithRelated(b, "%s is given here", name))
			}
			if h.Param == "ctx" && d.Options.CtxIgnore {
				at("ctx", diag.HashCtxWithCtxIgnore, "hash=ctx:%s makes a part of the context count, and ctx=ignore says that none does", h.Func)
			}
			if has("ignore") && slices.Contains(d.Options.Ignore, h.Param) {
				at("ignore", diag.HashOfIgnored, "hash and ignore both name %s, which cannot count and not count", h.Param)
			}
			if has("key") && h.Param != "ctx" && !slices.Contains(d.Options.Key, h.Param) {
				at("key", diag.HashNotInKey, "hash names %s, which key leaves out", h.Param)
			}
		}
	}
	if has("tags") {
		for _, t := range d.Options.Tags {
			for _, p := range TagParams(t) {
				if has("ignore") && slices.Contains(d.Options.Ignore, p) {
					clash("tags", "ignore", diag.TagOfIgnored, "tag %s takes the value of %s, which is ignored", t, p)
				}
				if has("key") && !slices.Contains(d.Options.Key, p) {
					clash("tags", "key", diag.TagNotInKey, "tag %s takes the value of %s, which key leaves out", t, p)
				}
			}
		}
	}
	return ds
}

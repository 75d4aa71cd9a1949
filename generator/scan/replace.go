package scan

import (
	"slices"
	"strings"
)

// Replace makes the result what it would be if the files had the given content, by
// absolute path; nil is for a file that is gone. Generated files cannot be replaced.
func (r *Result) Replace(content map[string][]byte) {
	if len(content) == 0 {
		return
	}
	r.Files = slices.DeleteFunc(r.Files, func(f *File) bool {
		_, ok := content[f.Path]
		return ok
	})
	for path, src := range content {
		if mayHold(src) {
			r.Files = append(r.Files, &File{Path: path, Src: src, Candidate: true})
		}
	}
	slices.SortFunc(r.Files, func(a, b *File) int { return strings.Compare(a.Path, b.Path) })
}

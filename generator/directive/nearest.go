package directive

import "strings"

// synonyms are names that other caches use for what is an option here.
var synonyms = map[string]string{
	"expire": "ttl", "expires": "ttl", "expiry": "ttl", "expiration": "ttl", "duration": "ttl", "age": "ttl", "maxage": "ttl",
	"maxentries": "max", "maxsize": "max", "size": "max", "capacity": "max", "limit": "max", "entries": "max",
	"memory": "max-bytes", "weight": "max-bytes",
	"swr": "stale", "stalewhilerevalidate": "stale", "refresh": "stale", "grace-period": "grace",
	"showspinner": "spinner", "message": "spinner",
	"onrelease": "release", "close": "release", "cleanup": "release",
	"hashfuncs": "hash", "hashfunc": "hash", "exclude": "ignore", "skip": "ignore", "keys": "key", "by": "key", "params": "key",
	"receiver": "recv", "self": "recv", "context": "ctx", "group": "tags", "groups": "tags", "tag": "tags",
	"error": "errors", "negative": "errors", "errttl": "errors", "cacheif": "keep", "if": "keep", "unless": "keep",
	"check": "validate", "valid": "validate", "clone": "copy", "deepcopy": "copy", "deadline": "timeout",
	"experimentalallowwidgets": "widgets", "allowwidgets": "widgets", "session": "scope", "wrapper": "name", "as": "name",
}

// nearest returns the candidate that s was most likely meant to be, or "".
func nearest(s string, candidates []string) string {
	s = strings.ToLower(s)
	plain := strings.NewReplacer("_", "", "-", "").Replace(s)
	best, distance := "", 1+len(s)/3
	for _, c := range candidates {
		if strings.ReplaceAll(c, "-", "") == plain {
			return c
		}
		if d := editDistance(s, c); d < distance || d == distance && best == "" {
			best, distance = c, d
		}
	}
	if best == "" || distance > 1 {
		for _, k := range []string{s, plain} {
			for _, c := range candidates {
				if synonyms[k] == c {
					return c
				}
			}
		}
	}
	return best
}

// editDistance counts the insertions, deletions, replacements and swaps of neighbours
// between two short names (the optimal string alignment distance).
func editDistance(a, b string) int {
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}

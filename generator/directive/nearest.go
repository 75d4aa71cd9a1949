package directive

import (
	"strings"

	"github.com/cachegen/cachegen/generator/names"
)

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

// nearest returns the candidate that s was most likely meant to be, or "". A name that other
// caches use counts for more than one that merely looks alike.
func nearest(s string, candidates []string) string {
	s = strings.ToLower(s)
	plain := strings.NewReplacer("_", "", "-", "").Replace(s)
	for _, c := range candidates {
		if strings.ReplaceAll(c, "-", "") == plain {
			return c
		}
	}
	best, distance := names.Nearest(s, candidates)
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

package cachert

import (
	"errors"
	"strings"

	"github.com/cachegen/cachegen/runtime/value"
)

// An Argument is one that went into the key and that the body could change, since it leads to
// memory of the caller's: a slice, a map, a pointer, a struct with one of them. A hit would not
// change it, so the result of a computation that did is handed out and not kept.
//
// It is encoded before the body runs and again after it. Generated code lists none whose copy
// the body gets, as where it may run apart from its caller: there the caller's own is changed by
// neither.
type Argument struct {
	Name   string // as the body has it, for messages
	Encode func(*value.Encoder)
}

// digest returns the digest of the argument's content; false where it has none.
func (a *Argument) digest() (d value.Digest, ok bool) {
	defer func() {
		// A CacheKey of the caller's may fail on what the body has made of it: that fails no call.
		if recover() != nil {
			ok = false
		}
	}()
	e := value.NewEncoder()
	a.Encode(e)
	d, err := e.Digest()
	return d, err == nil
}

// argumentsBefore are arguments as they were before a computation.
type argumentsBefore struct {
	args    []Argument
	digests []value.Digest
	none    []bool // which have no digest
}

// before notes what args are now.
func before(args []Argument) (b argumentsBefore) {
	if len(args) == 0 {
		return b
	}
	b = argumentsBefore{args, make([]value.Digest, len(args)), make([]bool, len(args))}
	for i := range args {
		d, ok := args[i].digest()
		b.digests[i], b.none[i] = d, !ok
	}
	return b
}

// changed returns the names of those that are something else by now, "" if none is.
func (b *argumentsBefore) changed() string {
	var names []string
	for i := range b.args {
		if d, ok := b.args[i].digest(); !b.none[i] && (!ok || d != b.digests[i]) {
			names = append(names, b.args[i].Name)
		}
	}
	return strings.Join(names, ", ")
}

var errChanged = errors.New("the computation changed its arguments")

// logChange says that a computation changed the arguments called names.
func (s *store) logChange(names string) {
	s.log(logChanged, "its result is not kept, since the computation changed %s, which is its caller's and which a hit would not change: let the function work on a copy of it", names)
}

package cachert

import (
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"time"
)

// A value that was made with one that has a release may hold it: a repository its database.
// So what a computation gets from a cached function, and what has to be released some time,
// is lent to it, and goes over to its result as long as that is kept, or until it has been
// released itself. A computation is found by the goroutine that it runs on, or else by
// its context (see usersOf). Its nested calls do not hit the ordinary way, without the lock,
// since a loan is counted under the lock.
//
// What is lent is in the frame of the computation at first, and then in the holding of its
// result: each level holds the one below, so that no level knows of those further down.

// borrower returns the computation that has on loan what the call gets, nil if there is none.
func (c *caller) borrower() *frame {
	if c.lease || c.within != nil {
		return nil // it is the caller who gives it back, or there is nothing to get
	}
	return c.users[0]
}

// leases reports whether the call gets a lease on the value.
func (c *caller) leases() bool { return c.lease || c.borrower() != nil }

// lendable reports whether the entry has a value that may have to be lent.
func (n *node) lendable() bool { return n.meta != nil && n.meta.hold != nil }

// holding returns that of what was found, nil if there is none.
func (r found) holding() *holding {
	n := r.n
	if r.flight != nil {
		n = r.flight.n // r.n may have the value alone
	}
	if n == nil || n.meta == nil {
		return nil
	}
	return n.meta.hold
}

// giveBack gives back what the call was lent with r, which is of no use to it.
func (c *caller) giveBack(r found) {
	if h := r.holding(); h != nil && c.borrower() != nil {
		giveBack([]*holding{h})
	}
}

// lend changes how many leases f gives by one for its owner, if that is a call that
// borrows.
func (f *flight) lend(owner *caller, by int32) {
	if owner.borrower() != nil {
		f.st.mu.Lock()
		defer f.st.mu.Unlock()
		f.leases += by
	}
}

// borrow takes over the reference to h until the computation has ended.
func (f *frame) borrow(h *holding) {
	if h == nil {
		return
	}
	f.mu.Lock()
	taken := !f.closed && !f.owes(h)
	if taken {
		f.seldom().loans = append(f.rare.loans, h)
	}
	f.mu.Unlock()
	if !taken {
		giveBack([]*holding{h})
	}
}

// has reports whether the computation has h on loan.
func (f *frame) has(h *holding) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.owes(h)
}

// owes is has, where mu is held.
func (f *frame) owes(h *holding) bool { return f.rare != nil && slices.Contains(f.rare.loans, h) }

// takeLoans returns what the computation, which has ended, has on loan.
func (f *frame) takeLoans() []*holding {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rare == nil {
		return nil
	}
	loans := f.rare.loans
	f.rare.loans = nil
	return loans
}

// giveBack takes one reference of each away. No store's mu is held.
func giveBack(uses []*holding) {
	for _, h := range uses {
		s := h.st
		s.mu.Lock()
		shutdown := s.idle != nil
		s.unhold(h)
		s.mu.Unlock()
		s.left(nil)
		if shutdown {
			s.releaseDue(clock()) // it waits for that
		}
	}
}

// mayHold reports whether a result that was made with the values of uses may hold one of
// them. A resource may. A result of which each caller gets a copy holds none, unless its
// type reaches one of theirs, or what can hide one.
func (f *front) mayHold(uses []*holding) bool {
	if len(uses) == 0 {
		return false
	}
	if f.st.o.Resource {
		return true
	}
	r := f.reach
	r.once.Do(func() {
		r.types = map[reflect.Type]bool{}
		r.hides = hides(r.result, r.shared, r.types)
	})
	return r.hides || slices.ContainsFunc(uses, func(h *holding) bool { return h.isIn(r.types) })
}

// isIn reports whether the type of the value of h, or of what it was made with, is one of
// types.
func (h *holding) isIn(types map[reflect.Type]bool) bool {
	t := h.st.front.reach.result
	return types[t] || t.Kind() == reflect.Pointer && types[t.Elem()] ||
		slices.ContainsFunc(h.uses, func(h *holding) bool { return h.isIn(types) })
}

// reach is what the type of a function's results reaches, found when it is first asked for.
type reach struct {
	result reflect.Type
	shared bool // callers get no copies

	once  sync.Once
	hides bool
	types map[reflect.Type]bool
}

// hides reports whether a value of type t can hold others of types that t does not name,
// and enters the types that it reaches in seen. Of a value that is shared, memory that it
// points to can be another's too.
func hides(t reflect.Type, shared bool, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t {
	case reflect.TypeFor[time.Time](), reflect.TypeFor[netip.Addr]():
		return false
	}
	switch t.Kind() {
	case reflect.Interface, reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return true
	case reflect.Pointer, reflect.Slice:
		return hides(t.Elem(), shared, seen) || shared
	case reflect.Map:
		return hides(t.Key(), shared, seen) || hides(t.Elem(), shared, seen) || shared
	case reflect.Array:
		return hides(t.Elem(), shared, seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if hides(t.Field(i).Type, shared, seen) {
				return true
			}
		}
	}
	return false
}

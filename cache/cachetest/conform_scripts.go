package cachetest

import "fmt"

// script is a page with a history: at each step a session, whose widgets are set first,
// and how many bodies run.
type script struct {
	name  string
	prog  program
	steps []step
}

type step struct {
	session int
	set     []string
	runs    int
}

func (s script) check(r interface {
	step(*Session, string) error
	total() int
}) error {
	sessions := map[int]*Session{}
	for i, st := range s.steps {
		if sessions[st.session] == nil {
			sessions[st.session] = &Session{}
		}
		sessions[st.session].Set(st.set...)
		before := r.total()
		if err := r.step(sessions[st.session], fmt.Sprint("u", st.session)); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
		if n := r.total() - before; n != st.runs {
			return fmt.Errorf("step %d: %d bodies ran, want %d", i, n, st.runs)
		}
	}
	return nil
}

// total is how many bodies have run.
func (r *runner[P]) total() (n int) {
	for _, m := range r.runs {
		n += m
	}
	return n
}

func text(s string) stmt           { return stmt{op: opText, text: s} }
func box(s string, l ...stmt) stmt { return stmt{op: opBox, text: s, sub: l} }
func ask(name, deflt string) stmt  { return stmt{op: opAsk, text: name, deflt: deflt} }
func when(name, v string, l ...stmt) stmt {
	return stmt{op: opIf, text: name, deflt: v, sub: l}
}
func call(fn int, arg string, kids ...stmt) stmt {
	return stmt{op: opCall, fn: fn, text: arg, sub: kids}
}

var scripts = []script{
	{"text is drawn again", program{
		funcs: [][]stmt{{text("hello"), box("box", text("inside"))}},
		page:  []stmt{call(0, "a"), text("between"), call(0, "a")},
	}, []step{{runs: 1}, {}, {session: 1}}},
	{"in the caller's box", program{
		funcs: [][]stmt{{text("hello")}},
		page:  []stmt{box("one", call(0, "a"), text("between"), call(0, "a"))},
	}, []step{{runs: 1}, {}}},
	{"a widget", program{
		funcs: [][]stmt{{ask("w", "0"), when("w", "1", text("one"))}},
		page:  []stmt{call(0, "a")},
	}, []step{
		{runs: 1}, {}, {set: []string{"w", "1"}, runs: 1}, {}, {session: 1},
		{session: 1, set: []string{"w", "1"}}, {session: 1, set: []string{"other", "x"}},
		{set: []string{"w", "2"}, runs: 1}, {set: []string{"w", "1"}},
	}},
	{"a widget that appears", program{
		funcs: [][]stmt{{ask("more", "0"), when("more", "1", ask("detail", "0"))}},
		page:  []stmt{call(0, "a")},
	}, []step{
		{set: []string{"detail", "7"}, runs: 1}, {set: []string{"detail", "8"}},
		{set: []string{"more", "1"}, runs: 1}, {set: []string{"detail", "7"}, runs: 1},
		{set: []string{"detail", "8"}}, {set: []string{"more", "2"}, runs: 1}, {set: []string{"detail", "9"}},
	}},
	{"nested", program{
		funcs: [][]stmt{{text("outer"), call(1, "b"), ask("x", "0")}, {ask("w", "0"), text("inner")}},
		page:  []stmt{call(0, "a"), call(1, "b")},
	}, []step{
		{runs: 2}, {}, {set: []string{"x", "1"}, runs: 1}, {set: []string{"w", "1"}, runs: 2},
		{session: 1}, {session: 1, set: []string{"w", "1"}, runs: 1},
	}},
	{"inner first", program{
		funcs: [][]stmt{{text("outer"), call(1, "b")}, {ask("w", "0"), text("inner")}},
		page:  []stmt{call(1, "b"), call(0, "a")},
	}, []step{{runs: 2}, {}, {set: []string{"w", "1"}, runs: 2}, {set: []string{"w", "1"}}}},
	{"children", program{
		funcs: [][]stmt{{text("before"), {op: opHole}, text("after")}, {text("in"), ask("w", "0")}},
		page:  []stmt{call(0, "a", text("child"), ask("w", "0"), call(1, "b"))},
	}, []step{{runs: 2}, {}, {set: []string{"w", "1"}, runs: 1}, {}}},
	{"children of children", program{
		funcs: [][]stmt{{text("f"), call(1, "b", text("g"), stmt{op: opHole}), text("f")}, {box("in", text("x")), {op: opHole}, text("end")}},
		page:  []stmt{call(0, "a", text("child"), ask("w", "0")), call(1, "b", text("other"))},
	}, []step{{runs: 2}, {}, {set: []string{"w", "1"}}}},
	{"errors are not kept", program{
		funcs: [][]stmt{{text("half"), ask("w", "0"), {op: opFail, text: "w", deflt: "2"}, text("whole")}},
		page:  []stmt{call(0, "a")},
	}, []step{{runs: 1}, {set: []string{"w", "2"}, runs: 1}, {runs: 1}, {set: []string{"w", "1"}, runs: 1}, {}}},
	{"another user's page", program{
		funcs: [][]stmt{{text("hello"), {op: opUser}}},
		page:  []stmt{call(0, "a")},
	}, []step{{runs: 1}, {session: 1, runs: 1}, {runs: 1}}},
	{"another user's page, inside", program{
		funcs: [][]stmt{{text("outer"), call(1, "b"), call(2, "c")}, {{op: opUser}}, {text("plain")}},
		page:  []stmt{call(0, "a")},
	}, []step{{runs: 3}, {session: 1, runs: 2}}},
}

package cachetest

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/cachegen/cachegen/cache/surface"
)

// Session is one user's browser tab: what has been done to the widgets. Widgets that
// are not in it are untouched. It may be used by several goroutines.
type Session struct {
	mu     sync.Mutex
	values map[string]string
}

// Set changes widgets, given as pairs of a name and a value.
func (s *Session) Set(pairs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values == nil {
		s.values = map[string]string{}
	}
	for i := 0; i < len(pairs); i += 2 {
		s.values[pairs[i]] = pairs[i+1]
	}
}

// Value returns what the session says of a widget.
func (s *Session) Value(widget string) (v string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok = s.values[widget]
	return v, ok
}

// Values returns a copy of what has been set.
func (s *Session) Values() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := map[string]string{}
	for k, v := range s.values {
		m[k] = v
	}
	return m
}

// Screen is what one run of a page has put before the user. Pages are drawn from the
// top, on a new screen, after each interaction.
type Screen struct {
	mu      sync.Mutex
	session *Session
	roots   map[string]*node
	spins   []string
	broken  error
}

type node struct {
	kind, text string
	kids       []*node
}

// NewScreen returns an empty screen for the session.
func NewScreen(s *Session) *Screen {
	return &Screen{session: s, roots: map[string]*node{}}
}

// Page returns the page to draw on.
func (s *Screen) Page() *Page { return &Page{screen: s, at: s.root("main")} }

func (s *Screen) root(name string) *node {
	if s.roots[name] == nil {
		s.roots[name] = &node{kind: name}
	}
	return s.roots[name]
}

// Break makes everything that is drawn from now on fail, as a client does that has gone.
func (s *Screen) Break(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = err
}

// Spins returns the spinners that were shown, in order.
func (s *Screen) Spins() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.spins...)
}

// String returns what is on the screen, one element a line, indented by container.
func (s *Screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	var show func(n *node, depth int)
	show = func(n *node, depth int) {
		fmt.Fprintf(&b, "%s%s %q\n", strings.Repeat("  ", depth), n.kind, n.text)
		for _, k := range n.kids {
			show(k, depth+1)
		}
	}
	for _, name := range []string{"sidebar", "main", "toast"} {
		if r := s.roots[name]; r != nil && (name == "main" || len(r.kids) > 0) {
			show(r, 0)
		}
	}
	return b.String()
}

// Page is one container of a screen to draw on, in the manner of Streamlit: a widget's
// method draws it and returns its present value. Bind makes a page whose drawing is
// recorded; what is drawn on that is also drawn on the page under it.
type Page struct {
	screen *Screen
	at     *node // where it is not bound
	prefix string

	bound *pageSurface
	under *Page
	on    string // the name of this container on the tape
}

// Text draws a text.
func (p *Page) Text(text string) error { return p.put("text", text) }

// Image draws an image.
func (p *Page) Image(content []byte) error {
	_, err := p.add(surface.Element{Op: surface.Put, Kind: "image"}, content)
	return err
}

// Container draws a container and returns it as a page of its own. The container of a
// page that cannot be drawn on any more shows nothing.
func (p *Page) Container(title string) *Page {
	c, _ := p.add(surface.Element{Op: surface.Put, Kind: "container", Data: []byte(title)}, nil)
	return c
}

// Sidebar returns the page's sidebar.
func (p *Page) Sidebar() *Page { return p.root("sidebar") }

// Toast shows a short message above the page.
func (p *Page) Toast(text string) error { return p.root("toast").put("text", text) }

// Clear takes away everything that the container holds.
func (p *Page) Clear() error {
	_, err := p.add(surface.Element{Op: surface.Remove, Kind: "clear"}, nil)
	return err
}

// Scoped returns the same page with widgets of their own.
func (p *Page) Scoped(prefix string) *Page {
	q := *p
	q.prefix += prefix + "."
	return &q
}

// Ask draws a control and returns its value, deflt when it is untouched.
func (p *Page) Ask(kind, name, deflt string) string {
	read := surface.Read{Widget: p.prefix + name, Default: []byte(deflt)}
	value := deflt
	if v, ok := p.screen.session.Value(read.Widget); ok {
		read.Value, read.Set, value = []byte(v), true, v
	}
	if p.bound != nil {
		p.bound.ReportRead(read)
	}
	p.add(surface.Element{Op: surface.Put, Kind: kind, Data: []byte(name + "=" + value), Widget: &read}, nil)
	return value
}

// Checkbox draws a checkbox and returns whether it is ticked.
func (p *Page) Checkbox(name string, deflt bool) bool {
	return p.Ask("checkbox", name, strconv.FormatBool(deflt)) == "true"
}

// Slider draws a slider and returns where it stands.
func (p *Page) Slider(name string, deflt int) int {
	n, _ := strconv.Atoi(p.Ask("slider", name, strconv.Itoa(deflt)))
	return n
}

func (p *Page) put(kind, text string) error {
	_, err := p.add(surface.Element{Op: surface.Put, Kind: kind, Data: []byte(text)}, nil)
	return err
}

func (p *Page) root(name string) *Page {
	if p.bound == nil {
		p.screen.mu.Lock()
		defer p.screen.mu.Unlock()
		return &Page{screen: p.screen, at: p.screen.root(name), prefix: p.prefix}
	}
	return &Page{screen: p.screen, prefix: p.prefix, bound: p.bound, under: p.under.root(name), on: name}
}

// add draws e on p, and on the pages under it; media is what an image shows.
func (p *Page) add(e surface.Element, media []byte) (child *Page, err error) {
	p.screen.mu.Lock()
	defer p.screen.mu.Unlock()
	return p.addLocked(e, media)
}

func (p *Page) addLocked(e surface.Element, media []byte) (*Page, error) {
	if p.bound != nil {
		e.On, e.Media = p.on, nil
		if media != nil {
			e.Media = []surface.Content{p.bound.Media(media)}
		}
		c := &Page{screen: p.screen, prefix: p.prefix, bound: p.bound, on: p.on}
		if e.Kind == "container" {
			p.bound.containers++
			c.on = strconv.Itoa(p.bound.containers)
		}
		if err := p.bound.Draw(e); err != nil {
			c.under = p.under
			return c, err
		}
		under, err := p.under.addLocked(e, media)
		c.under = under
		if p.bound.Recording() {
			err = nil // the tape has it: the owner's screen is the owner's affair
		}
		return c, err
	}
	n := &node{kind: e.Kind, text: string(e.Data)}
	if media != nil {
		n.text = fmt.Sprintf("%x", surface.ContentOf(media))
	}
	c := &Page{screen: p.screen, at: n, prefix: p.prefix}
	switch {
	case p.screen.broken != nil:
		return c, p.screen.broken
	case e.Op == surface.Remove:
		p.at.kids = nil
	default:
		p.at.kids = append(p.at.kids, n)
	}
	return c, nil
}

package diag

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// Format is a way of writing diagnostics.
type Format string

const (
	// Text is for people: path:line:col, the message, the line and a caret.
	Text Format = "text"
	// JSON is one object with all diagnostics.
	JSON Format = "json"
	// GitHub is workflow commands, which GitHub shows beside the changed lines.
	GitHub Format = "github"
	// SARIF is SARIF 2.1.0, which code-scanning services read.
	SARIF Format = "sarif"
)

// Formats lists the formats, the default first.
var Formats = []Format{Text, JSON, GitHub, SARIF}

// ParseFormat returns the format of that name.
func ParseFormat(s string) (Format, error) {
	if f := Format(s); slices.Contains(Formats, f) {
		return f, nil
	}
	return "", fmt.Errorf("unknown format %q: use text, json, github or sarif", s)
}

// Renderer writes diagnostics. Its methods do no I/O but through the writer that they
// are given, and through Source.
type Renderer struct {
	Root    string                   // paths are shown relative to it, where that is shorter to read
	Source  func(path string) []byte // the text of a file, or nil; nil shows no lines
	Version string                   // of the tool, for SARIF
}

// Render writes ds, sorted, in the format. For JSON and SARIF that is a whole document,
// also when there is nothing to say.
func (r *Renderer) Render(w io.Writer, f Format, ds []Diagnostic) error {
	ds = Sort(slices.Clone(ds))
	switch f {
	case JSON:
		return r.json(w, ds)
	case GitHub:
		return r.github(w, ds)
	case SARIF:
		return r.sarif(w, ds)
	default:
		return r.text(w, ds)
	}
}

// Path returns path as it is shown: relative to Root unless that leads far away.
func (r *Renderer) Path(path string) string {
	if r.Root == "" || !filepath.IsAbs(path) {
		return path
	}
	rel, err := filepath.Rel(r.Root, path)
	if err != nil || strings.HasPrefix(rel, ".."+string(filepath.Separator)+".."+string(filepath.Separator)+"..") {
		return path
	}
	return rel
}

// URI returns path with forward slashes, relative where Path is.
func (r *Renderer) URI(path string) string { return filepath.ToSlash(r.Path(path)) }

// place writes path:line:col, without what is not known.
func (r *Renderer) place(file string, line, col int) string {
	s := r.Path(file)
	if s == "" {
		return "cachegen"
	}
	if line > 0 {
		s += fmt.Sprintf(":%d", line)
		if col > 0 {
			s += fmt.Sprintf(":%d", col)
		}
	}
	return s
}

// line returns the source line, without its end.
func (r *Renderer) line(file string, n int) (string, bool) {
	if r.Source == nil || file == "" || n < 1 {
		return "", false
	}
	src := r.Source(file)
	for ; n > 1; n-- {
		i := bytes.IndexByte(src, '\n')
		if i < 0 {
			return "", false
		}
		src = src[i+1:]
	}
	l, _, _ := bytes.Cut(src, []byte("\n"))
	return strings.TrimSuffix(string(l), "\r"), len(l) > 0
}

// maxExcerpt is how long a source line may be to be shown whole.
const maxExcerpt = 160

// excerpt returns the part of a line around the byte column col, and the blanks that
// bring a caret under it. Tabs stay tabs, so that both lines are indented alike.
func excerpt(line string, col int) (text, pad string) {
	at := min(max(col-1, 0), len(line))
	start, end := 0, len(line)
	if len(line) > maxExcerpt {
		start = max(0, at-maxExcerpt/2)
		end = min(len(line), start+maxExcerpt)
		for start > 0 && !utf8.RuneStart(line[start]) {
			start--
		}
		for end < len(line) && !utf8.RuneStart(line[end]) {
			end++
		}
	}
	var b strings.Builder
	for _, c := range line[start:at] {
		if c == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	return strings.ToValidUTF8(line[start:end], "?"), b.String()
}

func (r *Renderer) text(w io.Writer, ds []Diagnostic) error {
	var b strings.Builder
	for _, d := range ds {
		kind := ""
		if d.Severity == Warning {
			kind = "warning: "
		}
		fmt.Fprintf(&b, "%s: %s%s [%s]\n", r.place(d.Pos.Filename, d.Pos.Line, d.Pos.Column), kind, indentRest(d.Message), d.Code)
		if l, ok := r.line(d.Pos.Filename, d.Pos.Line); ok && d.Pos.Column > 0 {
			text, pad := excerpt(l, d.Pos.Column)
			fmt.Fprintf(&b, "\t%s\n\t%s^\n", text, pad)
		}
		if d.Hint != "" {
			fmt.Fprintf(&b, "\t%s\n", indentRest(d.Hint))
		}
		for _, rel := range d.Related {
			fmt.Fprintf(&b, "\t%s: %s\n", r.place(rel.Pos.Filename, rel.Pos.Line, rel.Pos.Column), indentRest(rel.Message))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func indentRest(s string) string { return strings.ReplaceAll(s, "\n", "\n\t") }

// Object is the JSON form of a diagnostic.
type Object struct {
	File     string          `json:"file"`
	Line     int             `json:"line"`
	Column   int             `json:"column"` // in bytes, from 1
	Severity string          `json:"severity"`
	Code     Code            `json:"code"`
	Title    string          `json:"title"`
	Message  string          `json:"message"`
	Hint     string          `json:"hint,omitempty"`
	Related  []RelatedObject `json:"related,omitempty"`
}

// RelatedObject is the JSON form of a second place.
type RelatedObject struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

// Objects returns the JSON forms of ds, in their order.
func (r *Renderer) Objects(ds []Diagnostic) []Object {
	all := []Object{}
	for _, d := range ds {
		o := Object{r.URI(d.Pos.Filename), d.Pos.Line, d.Pos.Column, severity(d.Severity), d.Code, d.Code.Info().Title, d.Message, d.Hint, nil}
		for _, rel := range d.Related {
			o.Related = append(o.Related, RelatedObject{r.URI(rel.Pos.Filename), rel.Pos.Line, rel.Pos.Column, rel.Message})
		}
		all = append(all, o)
	}
	return all
}

func severity(s Severity) string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

func (r *Renderer) json(w io.Writer, ds []Diagnostic) error {
	return writeJSON(w, struct {
		Diagnostics []Object `json:"diagnostics"`
	}{r.Objects(ds)})
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func (r *Renderer) github(w io.Writer, ds []Diagnostic) error {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	var b strings.Builder
	for _, d := range ds {
		fmt.Fprintf(&b, "::%s ", severity(d.Severity))
		var props []string
		add := func(k, v string) { props = append(props, k+"="+property.Replace(v)) }
		if d.Pos.Filename != "" {
			add("file", r.URI(d.Pos.Filename))
			if d.Pos.Line > 0 {
				add("line", fmt.Sprint(d.Pos.Line))
			}
			if d.Pos.Column > 0 {
				add("col", fmt.Sprint(d.Pos.Column))
			}
		}
		add("title", fmt.Sprintf("cachegen %s: %s", d.Code, d.Code.Info().Title))
		message := d.Message
		if d.Hint != "" {
			message += "\n" + d.Hint
		}
		for _, rel := range d.Related {
			message += fmt.Sprintf("\n%s: %s", filepath.ToSlash(r.place(rel.Pos.Filename, rel.Pos.Line, rel.Pos.Column)), rel.Message)
		}
		fmt.Fprintf(&b, "%s::%s\n", strings.Join(props, ","), data.Replace(message))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// The parts of SARIF 2.1.0 (OASIS standard, 27 March 2020) that are written here.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		URI     string      `json:"informationUri"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID    string    `json:"id"`
		Short sarifText `json:"shortDescription"`
		Help  sarifText `json:"help"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
		Related   []sarifLocation `json:"relatedLocations,omitempty"`
	}
	sarifLocation struct {
		ID       int           `json:"id,omitempty"`
		Message  *sarifText    `json:"message,omitempty"`
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI    string `json:"uri"`
		BaseID string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
)

func (r *Renderer) sarif(w io.Writer, ds []Diagnostic) error {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "cachegen", Version: r.Version, URI: "https://github.com/cachegen/cachegen", Rules: []sarifRule{}}
	index := map[Code]int{}
	for _, d := range ds { // the rules that are used, in the order of their codes
		index[d.Code] = 0
	}
	for _, i := range Codes() {
		if _, used := index[i.Code]; used {
			index[i.Code] = len(run.Tool.Driver.Rules)
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{string(i.Code), sarifText{i.Title}, sarifText{i.Hint}})
		}
	}
	for _, d := range ds {
		message := d.Message
		if d.Hint != "" {
			message += "\n" + d.Hint
		}
		res := sarifResult{RuleID: string(d.Code), RuleIndex: index[d.Code], Level: severity(d.Severity),
			Message: sarifText{message}, Locations: []sarifLocation{}}
		if d.Pos.Filename != "" {
			res.Locations = append(res.Locations, sarifLocation{Physical: r.physical(d.Pos.Filename, d.Pos.Line, d.Pos.Column)})
		}
		for i, rel := range d.Related {
			if rel.Pos.Filename != "" {
				res.Related = append(res.Related, sarifLocation{i + 1, &sarifText{rel.Message}, r.physical(rel.Pos.Filename, rel.Pos.Line, rel.Pos.Column)})
			}
		}
		run.Results = append(run.Results, res)
	}
	return writeJSON(w, sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

func (r *Renderer) physical(file string, line, col int) sarifPhysical {
	p := sarifPhysical{Artifact: sarifArtifact{URI: (&url.URL{Path: r.URI(file)}).EscapedPath()}}
	if filepath.IsAbs(r.Path(file)) {
		p.Artifact.URI = (&url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(r.URI(file), "/")}).String()
	} else {
		p.Artifact.BaseID = "%SRCROOT%"
	}
	if line > 0 {
		p.Region = &sarifRegion{StartLine: line}
		if l, ok := r.line(file, line); ok && col > 0 { // bytes to code points
			p.Region.StartColumn = utf8.RuneCountInString(l[:min(col-1, len(l))]) + 1
		} else if col > 0 {
			p.Region.StartColumn = col
		}
	}
	return p
}

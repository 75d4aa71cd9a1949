package directive

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
)

// source is options.go itself, whose doc comments are the help.
//
//go:embed options.go
var source string

// Help is what there is to say of one option.
type Help struct {
	Name     string
	Form     string // what may follow "=", alternatives separated by |; "" if it takes no value
	Data     bool   // //cache:data takes it
	Resource bool   // //cache:resource takes it
	Text     string // from the doc comment, on one line, in Markdown
}

// Written returns the option as a user writes it, such as ttl=10m|Func.
func (h Help) Written() string {
	if h.Form == "" {
		return h.Name
	}
	return h.Name + "=" + h.Form
}

// AllHelp returns the help of every option, in the order of the table.
func AllHelp() []Help {
	docs := fieldDocs()
	var all []Help
	for _, o := range table {
		all = append(all, Help{o.name, o.form, o.data, o.resource, docs[o.field]})
	}
	return all
}

// fieldDocs returns the doc comments of the fields of Options.
func fieldDocs() map[string]string {
	docs := map[string]string{}
	f, err := parser.ParseFile(token.NewFileSet(), "options.go", source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		panic("directive: options.go: " + err.Error()) // it has been compiled
	}
	ast.Inspect(f, func(n ast.Node) bool {
		field, ok := n.(*ast.Field)
		if ok && field.Doc != nil && len(field.Names) == 1 {
			docs[field.Names[0].Name] = strings.Join(strings.Fields(field.Doc.Text()), " ")
		}
		return true
	})
	return docs
}

// Table returns the options as a Markdown table.
func Table() string {
	var b strings.Builder
	b.WriteString("| option | data | resource | meaning |\n|---|---|---|---|\n")
	yes := map[bool]string{true: "yes", false: "no"}
	for _, h := range AllHelp() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", strings.ReplaceAll(h.Written(), "|", `\|`), yes[h.Data], yes[h.Resource], strings.ReplaceAll(h.Text, "|", `\|`))
	}
	return b.String()
}

// Text returns the options as plain text for a terminal of the given width.
func Text(width int) string {
	var b strings.Builder
	for _, h := range AllHelp() {
		b.WriteString("  " + h.Written())
		switch {
		case !h.Resource:
			b.WriteString("   (data only)")
		case !h.Data:
			b.WriteString("   (resource only)")
		}
		b.WriteByte('\n')
		wrap(&b, "      ", strings.ReplaceAll(h.Text, "`", ""), width)
	}
	return b.String()
}

func wrap(b *strings.Builder, indent, text string, width int) {
	used := 0
	for _, w := range strings.Fields(text) {
		n := len([]rune(w))
		switch {
		case used == 0:
			b.WriteString(indent)
			used = len(indent)
		case used+1+n > width:
			b.WriteString("\n" + indent)
			used = len(indent)
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(w)
		used += n
	}
	b.WriteByte('\n')
}

// Quote returns value as it must be written in a directive: in quotes if it needs them.
func Quote(value string) string {
	if value == "" || strings.ContainsAny(value, " \t\"\\") || strconv.Quote(value) != `"`+value+`"` {
		return strconv.Quote(value)
	}
	return value
}

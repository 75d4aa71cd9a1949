package main

import (
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"

	"github.com/cachegen/cachegen/cache"
)

// live makes a control, which stands in a card, one of the sidebar's form.
const live = ` form="sidebar" hx-post="/view" hx-trigger="change" hx-include="#sidebar" hx-target="#main" hx-swap="innerMorph" hx-encoding="multipart/form-data"`

// connect opens the database, and says so: the message that it draws is drawn again
// whenever the handle is served.
//
//cache:resource release=Close
func connect(ctx context.Context, w io.Writer, path string) (*sql.DB, error) {
	bodies.connect.Add(1)
	db, err := openShop(path)
	if err != nil {
		return nil, err
	}
	var n int
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM orders`).Scan(&n); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	fmt.Fprintf(w, `<div class="note wide" id="connected">Connected to the database: %s orders.</div>`, thousands(float64(n)))
	return db, nil
}

// intro is a static message: the simplest thing that a cached function can draw.
//
//cache:data
func intro(w io.Writer) error {
	bodies.intro.Add(1)
	_, err := io.WriteString(w, `<section class="card wide" id="intro"><h2>Two years of a small shop</h2>
<p>Each card below is a cached function. It draws once; after that its card is replayed, and only the
controls that it reads make it run again.</p></section>`)
	return err
}

var salesTemplate = template.Must(template.New("sales").Funcs(template.FuncMap{"thousands": thousands}).Parse(`<table id="products"><tr><th>Product</th><th class="n">Orders</th><th class="n">Revenue</th></tr>
{{range .}}<tr><td>{{.Product}}</td><td class="n">{{thousands .Orders}}</td><td class="n">{{thousands .Revenue}}</td></tr>{{end}}</table>`))

// sales is a whole section with a header, a text, a table and a chart. It reads three
// controls; the others do not matter to it.
//
//cache:data widgets variants=200 ttl=10m
func sales(ctx context.Context, w io.Writer, _db *sql.DB) error {
	bodies.sales.Add(1)
	region := cache.Input(ctx, "region")
	top, err := strconv.Atoi(cache.Input(ctx, "top"))
	if err != nil || top < 1 || top > len(products) {
		top = 6
	}
	rows, err := _db.QueryContext(ctx, `SELECT product, count(*), sum(cents) / 100.0 FROM orders
		WHERE (? = '' OR region = ?) AND product LIKE '%' || ? || '%' GROUP BY product ORDER BY sum(cents) DESC LIMIT ?`,
		region, region, cache.Input(ctx, "find"), top)
	if err != nil {
		return err
	}
	defer rows.Close()
	type line struct {
		Product         string
		Orders, Revenue float64
	}
	var lines []line
	var all line
	var bars []bar
	for rows.Next() {
		var l line
		if err := rows.Scan(&l.Product, &l.Orders, &l.Revenue); err != nil {
			return err
		}
		lines = append(lines, l)
		all.Orders, all.Revenue = all.Orders+l.Orders, all.Revenue+l.Revenue
		bars = append(bars, bar{Label: short(l.Product), Value: l.Revenue})
	}
	if err := rows.Err(); err != nil {
		return err
	}
	where := "all regions"
	if region != "" {
		where = region
	}
	fmt.Fprintf(w, `<section class="card wide" id="sales"><h2>Best sellers, <span id="where">%s</span></h2>
<div class="row"><div class="big">%s<small>revenue</small></div><div class="big">%s<small>orders</small></div><div class="big">%s<small>an order</small></div></div>
<p>Revenue by product.</p>`, template.HTMLEscapeString(where), thousands(all.Revenue), thousands(all.Orders), thousands(all.Revenue/max(all.Orders, 1)))
	if err := chart(w, true, bars); err != nil {
		return err
	}
	if err := salesTemplate.Execute(w, lines); err != nil {
		return err
	}
	// A nested cached function with a control of its own. What it reads counts for this
	// one too, and only where it is read.
	if err := Detail(ctx, w, _db, region); err != nil {
		return err
	}
	_, err = io.WriteString(w, `</section>`)
	return err
}

// detail is a nested panel. Its control is inside it; what it draws is part of what
// encloses it.
//
//cache:data widgets ttl=10m
func detail(ctx context.Context, w io.Writer, _db *sql.DB, region string) error {
	bodies.detail.Add(1)
	by := cache.Input(ctx, "by")
	column, format := "quarter", `substr(day, 1, 4) || ' Q' || ((substr(day, 6, 2) + 2) / 3)`
	if by == "month" {
		column, format = "month", `substr(day, 3, 5)`
	} else {
		by = "quarter"
	}
	rows, err := _db.QueryContext(ctx, `SELECT `+format+`, sum(cents) / 100.0 FROM orders WHERE (? = '' OR region = ?) GROUP BY 1 ORDER BY 1`, region, region)
	if err != nil {
		return err
	}
	defer rows.Close()
	var bars []bar
	for rows.Next() {
		var b bar
		if err := rows.Scan(&b.Label, &b.Value); err != nil {
			return err
		}
		bars = append(bars, b)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	fmt.Fprintf(w, `<div class="head"><h2>Revenue by <span id="by-what">%s</span></h2><select name="by" id="by"%s>`, column, live)
	for _, o := range []string{"quarter", "month"} {
		selected := ""
		if o == by {
			selected = " selected"
		}
		fmt.Fprintf(w, `<option%s>%s</option>`, selected, o)
	}
	fmt.Fprint(w, `</select></div>`)
	return chart(w, true, bars)
}

// Model forecasts a month from the months before.
type Model struct {
	Name    string
	Weights []float64
}

// weighted are the weights of the better model, the latest month's first.
var weighted = []float64{.5, .25, .15, .06, .04}

// loadModel is a resource with a checkbox of its own, which chooses what is loaded: every
// session that chose the same shares one model.
//
//cache:resource widgets variants=2
func loadModel(ctx context.Context, w io.Writer) (*Model, error) {
	bodies.model.Add(1)
	m, checked := &Model{Name: "plain", Weights: []float64{1. / 3, 1. / 3, 1. / 3}}, ""
	if cache.Input(ctx, "better") == "yes" {
		m, checked = &Model{Name: "weighted", Weights: weighted}, " checked"
	}
	fmt.Fprintf(w, `<section class="card" id="model"><h2>Model</h2>
<label class="check"><input type="checkbox" name="better" id="better" value="yes"%s%s> Use the better model</label>
<progress value="1" max="1"></progress><div class="note" id="model-name">Loaded the %s model: %d weights.</div>`, checked, live, m.Name, len(m.Weights))
	var bars []bar
	for i, x := range m.Weights {
		bars = append(bars, bar{Label: fmt.Sprintf("%d ago", i), Value: x, Alt: true})
	}
	if err := chart(w, false, bars); err != nil {
		return nil, err
	}
	_, err := io.WriteString(w, `<p>What each month counts, the last one first.</p></section>`)
	return m, err
}

// forecast draws next month's revenue. The model's name is an argument, hence in the
// key: no control needs to be read.
//
//cache:data ttl=10m
func forecast(ctx context.Context, w io.Writer, _db *sql.DB, model string) error {
	bodies.forecast.Add(1)
	weights := []float64{1. / 3, 1. / 3, 1. / 3}
	if model == "weighted" {
		weights = weighted
	}
	rows, err := _db.QueryContext(ctx, `SELECT substr(day, 3, 5), sum(cents) / 100.0 FROM orders GROUP BY 1 ORDER BY 1 DESC LIMIT 8`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var bars []bar
	for rows.Next() {
		var b bar
		if err := rows.Scan(&b.Label, &b.Value); err != nil {
			return err
		}
		bars = append([]bar{b}, bars...)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	next := 0.0
	for i, x := range weights {
		next += x * bars[len(bars)-1-i].Value
	}
	fmt.Fprintf(w, `<section class="card" id="forecast"><h2>Forecast, <span id="forecast-model">%s</span> model</h2>
<div class="row"><div class="big">%s<small>revenue next month</small></div></div>`, template.HTMLEscapeString(model), thousands(next))
	if err := chart(w, false, append(bars, bar{Label: "next", Value: next, Alt: true})); err != nil {
		return err
	}
	_, err = io.WriteString(w, `</section>`)
	return err
}

// sliders has five controls with ten positions each, a hundred thousand outcomes, over a
// result that they hardly influence. Keeping them all would be what fills a memory:
// variants bounds it, and outcomes that are used again stay.
//
//cache:data widgets variants=50 max-bytes=1MiB
func sliders(ctx context.Context, w io.Writer) error {
	bodies.sliders.Add(1)
	sum := 0
	fmt.Fprint(w, `<section class="card wide" id="sliders"><h2>Five sliders</h2>
<div class="note warn">Ten positions each make 100,000 outcomes. At most 50 of them are kept, and a hit costs the same however many there are.</div><div class="sliders">`)
	for i := range 5 {
		name := fmt.Sprintf("s%d", i+1)
		v, err := strconv.Atoi(cache.Input(ctx, name))
		if err != nil || v < 0 || v > 9 {
			v = 5
		}
		sum += v
		fmt.Fprintf(w, `<label>%s <output>%d</output><input type="range" min="0" max="9" value="%d" name="%s" id="%s"%s oninput="previousElementSibling.value = value"></label>`, name, v, v, name, name, live)
	}
	_, err := fmt.Fprintf(w, `</div><div class="head"><p>Their sum is <b id="sum">%d</b>.</p>
<button id="try" type="button" form="sidebar" hx-post="/try" hx-encoding="multipart/form-data" hx-target="#main" hx-swap="innerMorph">Try 300 positions</button></div></section>`, sum)
	return err
}

// upload analyses an uploaded file. The file counts by its content: the same bytes under
// the same name are not analysed twice, whoever uploads them.
//
//cache:data widgets max-bytes=16MiB
func upload(ctx context.Context, w io.Writer) error {
	bodies.upload.Add(1)
	files, err := cache.InputFiles(ctx, "csv")
	if err != nil {
		return err
	}
	fmt.Fprint(w, `<section class="card wide" id="upload"><h2>Your CSV</h2>`)
	if len(files) == 0 || files[0].Size == 0 {
		_, err := fmt.Fprint(w, `<p>Choose a file on the left: its columns are counted, and its numbers added up.</p></section>`)
		return err
	}
	f, err := files[0].Open()
	if err != nil {
		return err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) == 0 {
		_, err := fmt.Fprintf(w, `<div class="note warn" id="csv-error">%s is not a CSV file.</div></section>`, template.HTMLEscapeString(files[0].Name))
		return err
	}
	fmt.Fprintf(w, `<div class="note" id="csv-rows">%s: %d rows, %d bytes.</div><table><tr><th>Column</th><th class="n">Numbers</th><th class="n">Sum</th></tr>`,
		template.HTMLEscapeString(files[0].Name), len(rows)-1, files[0].Size)
	for i, name := range rows[0] {
		n, sum := 0, 0.0
		for _, r := range rows[1:] {
			if v, err := strconv.ParseFloat(strings.TrimSpace(r[i]), 64); err == nil {
				n, sum = n+1, sum+v
			}
		}
		total := "–"
		if n > 0 {
			total = strconv.FormatFloat(sum, 'f', -1, 64)
		}
		fmt.Fprintf(w, `<tr><td>%s</td><td class="n">%d</td><td class="n">%s</td></tr>`, template.HTMLEscapeString(name), n, total)
	}
	_, err = fmt.Fprint(w, `</table></section>`)
	return err
}

// short is a product's name as a chart has room for it.
func short(name string) string {
	if i := strings.IndexAny(name, ",("); i > 0 {
		name = name[:i]
	}
	return name
}

// thousands writes a number without its fraction, in groups of three digits.
func thousands(x float64) string {
	s := strconv.FormatFloat(x, 'f', 0, 64)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

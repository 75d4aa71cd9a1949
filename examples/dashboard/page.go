package main

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"io"
	"log"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	cache "github.com/cachegen/cachegen/runtime"
)

// app serves the page. It has no state of its own: what the controls say comes with
// each request, and what has been computed is in the caches.
type app struct {
	path string // of the SQLite file
}

// bodies counts how often the body of each cached function ran.
var bodies struct {
	connect, intro, model, forecast, sales, detail, sliders, upload atomic.Int64
}

var shell = template.Must(template.New("shell").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Shop dashboard</title>
<link rel="stylesheet" href="/static/style.css">
<link rel="icon" href="data:,">
<script src="/static/htmx.min.js" defer></script>
</head>
<body>
<form id="sidebar" hx-post="/view" hx-trigger="change" hx-target="#main" hx-swap="innerHTML" hx-encoding="multipart/form-data" enctype="multipart/form-data">
<h1>Shop <span>dashboard</span></h1>
<p>Every change runs the page from the top.</p>
<label>Region <select name="region" id="region">
<option value="">All regions</option>{{range .Regions}}<option>{{.}}</option>{{end}}</select></label>
<label>Products shown <input type="range" name="top" id="top" min="3" max="12" value="6"></label>
<label>Product contains <input type="text" name="find" id="find" placeholder="desk"></label>
<label class="check"><input type="checkbox" name="better" id="better" value="yes"> Use the better model</label>
<label>Analyse your own CSV <input type="file" name="csv" id="csv" accept=".csv"></label>
<label class="check"><input type="checkbox" name="night" id="night" value="yes"> A control that nothing reads</label>
<button id="clear" type="button" hx-post="/clear" hx-include="#sidebar" hx-encoding="multipart/form-data" hx-target="#main" hx-swap="innerHTML">Clear the caches</button>
</form>
<main id="main">
{{.Main}}
</main>
</body>
</html>
`))

func (a *app) page(w http.ResponseWriter, r *http.Request) {
	var main bytes.Buffer
	if err := a.run(r.Context(), &main); err != nil {
		a.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store") // so that coming back runs the page, too
	// What main holds was escaped where it was made.
	if err := shell.Execute(w, map[string]any{"Regions": regions, "Main": template.HTML(main.String())}); err != nil {
		log.Print(err) // the client has left
	}
}

func (a *app) view(w http.ResponseWriter, r *http.Request) {
	var main bytes.Buffer
	if err := a.run(r.Context(), &main); err != nil {
		a.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if _, err := main.WriteTo(w); err != nil {
		log.Print(err)
	}
}

// clear empties the caches of everything that is drawn, not the database handle.
func (a *app) clear(w http.ResponseWriter, r *http.Request) {
	IntroCache.Clear()
	LoadModelCache.Clear()
	ForecastCache.Clear()
	SalesCache.Clear()
	DetailCache.Clear()
	SlidersCache.Clear()
	UploadCache.Clear()
	a.view(w, r)
}

func (a *app) fail(w http.ResponseWriter, err error) {
	log.Print(err)
	http.Error(w, "the page could not be made: "+err.Error(), http.StatusInternalServerError)
}

// run is the page, from the top.
func (a *app) run(ctx context.Context, w io.Writer) error {
	start := time.Now()
	db, err := Connect(ctx, w, a.path)
	if err != nil {
		return err
	}
	if err := Intro(w); err != nil {
		return err
	}
	if err := Sales(ctx, w, db); err != nil {
		return err
	}
	model, err := LoadModel(ctx, w)
	if err != nil {
		return err
	}
	if err := Forecast(ctx, w, db, model.Name); err != nil {
		return err
	}
	if err := Sliders(ctx, w); err != nil {
		return err
	}
	if err := Upload(ctx, w); err != nil {
		return err
	}
	return numbers(w, time.Since(start))
}

var numbersTemplate = template.Must(template.New("numbers").Parse(`<section class="card wide" id="numbers">
<h2>What was computed, and what was served</h2>
<p>This run of the page took <b id="took">{{.Took}}</b>. This card is not cached.</p>
<table><tr><th>function</th><th class="n">body ran</th><th class="n">hits</th><th class="n">entries</th></tr>
{{range .Rows}}<tr id="row-{{.Name}}"><td><code>{{.Name}}</code></td><td class="n bodies">{{.Bodies}}</td><td class="n">{{.Hits}}</td><td class="n entries">{{.Entries}}</td></tr>
{{end}}</table></section>
`))

// numbers shows what the caches have counted.
func numbers(w io.Writer, took time.Duration) error {
	type row struct {
		Name          string
		Bodies        int64
		Hits, Entries string
	}
	line := func(name string, ran *atomic.Int64, s cache.Stats) row {
		return row{name, ran.Load(), fmt.Sprint(s.Hits), strconv.Itoa(s.Entries)}
	}
	return numbersTemplate.Execute(w, map[string]any{
		"Took": took.Round(10 * time.Microsecond),
		"Rows": []row{
			line("connect", &bodies.connect, ConnectCache.Stats()),
			line("intro", &bodies.intro, IntroCache.Stats()),
			line("sales", &bodies.sales, SalesCache.Stats()),
			line("detail", &bodies.detail, DetailCache.Stats()),
			line("model", &bodies.model, LoadModelCache.Stats()),
			line("forecast", &bodies.forecast, ForecastCache.Stats()),
			line("sliders", &bodies.sliders, SlidersCache.Stats()),
			line("upload", &bodies.upload, UploadCache.Stats()),
		},
	})
}

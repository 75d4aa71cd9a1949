package main

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/cachegen/cachegen/cache"
	"github.com/cachegen/cachegen/cache/surface"
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
<form id="sidebar" hx-post="/view" hx-trigger="change" hx-target="#main" hx-swap="innerMorph" hx-encoding="multipart/form-data" enctype="multipart/form-data">
<h1>Shop <span>dashboard</span></h1>
<p>Every change runs the page from the top.</p>
<label>Region <select name="region" id="region">
<option value="">All regions</option>{{range .Regions}}<option>{{.}}</option>{{end}}</select></label>
<label>Products shown <output id="top-value">6</output><input type="range" name="top" id="top" min="3" max="12" value="6" oninput="document.getElementById('top-value').value = value"></label>
<label>Product contains <input type="text" name="find" id="find" placeholder="desk"></label>
<label>Analyse your own CSV <input type="file" name="csv" id="csv" accept=".csv"></label>
<label class="check"><input type="checkbox" name="night" id="night" value="yes"> A control that nothing reads</label>
<button id="clear" type="button" hx-post="/clear" hx-include="#sidebar" hx-encoding="multipart/form-data" hx-target="#main" hx-swap="innerMorph">Clear the caches</button>
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

// try puts the five sliders into many positions, as many users would.
func (a *app) try(w http.ResponseWriter, r *http.Request) {
	for range 300 {
		var p positions
		for i := range p {
			p[i] = rand.IntN(10)
		}
		if err := Sliders(surface.WithInputs(r.Context(), p), io.Discard); err != nil {
			a.fail(w, err)
			return
		}
	}
	a.view(w, r)
}

// positions are those of the five sliders, in the place of a request.
type positions [5]int

// Value implements surface.Inputs.
func (p positions) Value(widget string) ([]byte, bool) {
	for i, v := range p {
		if widget == fmt.Sprintf("input:s%d", i+1) {
			return surface.EncodeInput([]string{strconv.Itoa(v)}, nil), true
		}
	}
	return nil, false
}

func (a *app) fail(w http.ResponseWriter, err error) {
	log.Print(err)
	http.Error(w, "the page could not be made: "+err.Error(), http.StatusInternalServerError)
}

// run is the page, from the top. What it cost is drawn first, and known last.
func (a *app) run(ctx context.Context, w io.Writer) error {
	start, before := time.Now(), counted()
	var cards bytes.Buffer
	if err := a.cards(ctx, &cards); err != nil {
		return err
	}
	took, after := time.Since(start), counted()
	for i := range after {
		after[i].Now = after[i].Bodies - before[i].Bodies
	}
	data := map[string]any{"Took": took.Round(10 * time.Microsecond), "Rows": after}
	if err := summary.Execute(w, data); err != nil {
		return err
	}
	if _, err := cards.WriteTo(w); err != nil {
		return err
	}
	return numbers.Execute(w, data)
}

// cards draws the cached part of the page.
func (a *app) cards(ctx context.Context, w io.Writer) error {
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
	return Upload(ctx, w)
}

// summary says which bodies this run of the page ran; numbers, what the caches have counted
// since the start. Neither is cached.
var (
	summary = template.Must(template.New("summary").Parse(`<div class="wide summary" id="summary">
<span>This run took <b id="took">{{.Took}}</b></span>{{range .Rows}}
<span class="pill{{if .Now}} now{{end}}" title="{{if .Now}}its body ran{{else}}replayed, or not called: a function around it was replayed{{end}}">{{.Name}}{{if gt .Now 1}} ×{{.Now}}{{end}}</span>{{end}}
<span class="key"><span class="pill now"></span> body ran <span class="pill"></span> replayed</span></div>
`))
	numbers = template.Must(template.New("numbers").Parse(`<section class="card wide" id="numbers">
<h2>What was computed, and what was served</h2>
<p>Since the start, for all sessions. Entries are the outcomes that are kept, and the controls that were read on the way to them.</p>
<table><tr><th>function</th><th class="n">body ran</th><th class="n">hits</th><th class="n">entries</th><th class="n">dropped</th><th class="n">memory</th></tr>
{{range .Rows}}<tr id="row-{{.Name}}"><td><code>{{.Name}}</code></td><td class="n bodies">{{.Bodies}}</td><td class="n">{{.Hits}}</td><td class="n entries">{{.Entries}}</td><td class="n">{{.Left}}</td><td class="n">{{.Memory}}</td></tr>
{{end}}</table></section>
`))
)

// row is what is known of one cached function.
type row struct {
	Name        string
	Bodies, Now int64 // how often its body ran, and how often of that for this page
	cache.Stats
}

// Left is how many entries have gone, for whatever reason.
func (r row) Left() uint64 { return r.Evicted + r.Expired + r.Dropped }

// Memory is what the entries hold, where it is measured since it is bounded.
func (r row) Memory() string {
	if r.Bytes == 0 {
		return "–"
	}
	return fmt.Sprintf("%d KiB", (r.Bytes+1023)/1024)
}

// counted returns what has been counted by now.
func counted() []row {
	return []row{
		{"connect", bodies.connect.Load(), 0, ConnectCache.Stats()},
		{"intro", bodies.intro.Load(), 0, IntroCache.Stats()},
		{"sales", bodies.sales.Load(), 0, SalesCache.Stats()},
		{"detail", bodies.detail.Load(), 0, DetailCache.Stats()},
		{"model", bodies.model.Load(), 0, LoadModelCache.Stats()},
		{"forecast", bodies.forecast.Load(), 0, ForecastCache.Stats()},
		{"sliders", bodies.sliders.Load(), 0, SlidersCache.Stats()},
		{"upload", bodies.upload.Load(), 0, UploadCache.Stats()},
	}
}

package main

import (
	"context"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

var shots = flag.String("shots", filepath.Join(os.TempDir(), "cachegen-dashboard"), "directory for the screenshots of TestBrowser")

// browser finds Chromium. In CI it must be there.
func browser(t *testing.T) string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("there is no Chromium: install Debian's package chromium")
	}
	t.Skip("there is no Chromium: install Debian's package chromium to run this test")
	return ""
}

// A visitor is one browser session.
type visitor struct {
	t    *testing.T
	ctx  context.Context
	step int
	name string
}

// do runs an action, and ends the test if it fails.
func do[T any](v *visitor, a chromedp.Action[T]) T {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, 30*time.Second)
	defer cancel()
	r, err := chromedp.Run(ctx, a)
	if err != nil {
		v.t.Fatalf("%s: %v", v.name, err)
	}
	return r
}

// js runs a script.
func js(script string) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := chromedp.Evaluate[bool](script+"; true")(ctx, t)
		return err
	}))
}

// open loads the page.
func (v *visitor) open(url string) {
	v.t.Helper()
	do(v, chromedp.Steps(chromedp.Navigate(url), chromedp.WaitVisible("#numbers")))
}

// settled runs an action that changes the page, and waits until the new one is there:
// the mark that it leaves in the old one is gone.
func (v *visitor) settled(action chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	do(v, js(`document.querySelector("#numbers").dataset.old = "yes"`))
	do(v, action)
	do(v, chromedp.Poll[bool](`document.querySelector("#numbers") && !document.querySelector("#numbers").dataset.old`, chromedp.WithPollingTimeout(20*time.Second)))
}

// set gives a control a value, as a user's change would.
func (v *visitor) set(id, value string) chromedp.Action[chromedp.Void] {
	return js(fmt.Sprintf(`(() => { const e = document.getElementById(%q);
		if (e.type == "checkbox") e.checked = %q == "true"; else e.value = %q;
		for (const what of ["input", "change"]) e.dispatchEvent(new Event(what, {bubbles: true})) })()`, id, value, value))
}

func (v *visitor) text(id string) string {
	v.t.Helper()
	return do(v, chromedp.Text("#"+id))
}

// shot leaves a picture of the whole page.
func (v *visitor) shot(what string) {
	v.t.Helper()
	do(v, js(`scrollTo(0, 0)`))
	png := do(v, chromedp.FullScreenshot(100))
	v.step++
	file := filepath.Join(*shots, fmt.Sprintf("%s-%02d-%s.png", v.name, v.step, what))
	if err := os.WriteFile(file, png, 0o644); err != nil {
		v.t.Fatal(err)
	}
}

// ran returns how often each body ran, as the page says.
func (v *visitor) ran() map[string]int {
	v.t.Helper()
	rows := do(v, chromedp.Evaluate[[]string](`[...document.querySelectorAll("#numbers tr[id]")].map(r => r.id.slice(4) + " " + r.querySelector(".bodies").textContent)`))
	m := map[string]int{}
	for _, r := range rows {
		name, n, _ := strings.Cut(r, " ")
		m[name], _ = strconv.Atoi(n)
	}
	return m
}

// since checks which bodies ran after before was read, each once for each time that it is
// named, and that no other did.
func (v *visitor) since(before map[string]int, what string, names ...string) map[string]int {
	v.t.Helper()
	now := v.ran()
	want := map[string]int{}
	for _, n := range names {
		want[n]++
	}
	for name, n := range now {
		if n-before[name] != want[name] {
			v.t.Errorf("%s, %s: the body of %s ran %d times, want %d", v.name, what, name, n-before[name], want[name])
		}
	}
	return now
}

// TestBrowser uses the dashboard as people do, in a headless Chromium: what they see,
// and which bodies ran for it.
func TestBrowser(t *testing.T) {
	path := browser(t)
	if err := os.MkdirAll(*shots, 0o755); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(newHandler(filepath.Join(t.TempDir(), "shop.db")))
	t.Cleanup(srv.Close)

	allocator, stop := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1360, 900),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-features", "BackForwardCache"), chromedp.Flag("disable-sync", true))...)
	t.Cleanup(stop)
	first, closeFirst := chromedp.NewContext(allocator)
	t.Cleanup(closeFirst)
	v := &visitor{t: t, ctx: first, name: "first"}
	if err := chromedp.Do(first); err != nil { // starts the browser, without a deadline
		t.Fatal(err)
	}

	v.open(srv.URL)
	n := v.since(nil, "first load", "connect", "intro", "sales", "detail", "model", "forecast", "sliders", "upload")
	if got := v.text("connected"); !strings.Contains(got, "5,000 orders") {
		t.Errorf("the connection says %q", got)
	}
	v.shot("first-load")

	v.open(srv.URL)
	n = v.since(n, "second load")
	if got := v.text("connected"); !strings.Contains(got, "5,000 orders") {
		t.Errorf("on the second load the connection says %q", got)
	}
	if got := v.text("model-name"); !strings.Contains(got, "plain") {
		t.Errorf("on the second load the model says %q", got)
	}
	v.shot("second-load")

	// The first change sends every control, where the first load had sent none: in HTML
	// an absent input is not one that has its default.
	v.settled(v.set("region", "East"))
	n = v.since(n, "region", "sales", "detail", "sliders", "upload")
	if got := v.text("where"); got != "East" {
		t.Errorf("region East shows %q", got)
	}
	v.shot("region")

	v.settled(v.set("night", "true"))
	n = v.since(n, "a control that nothing reads")
	v.settled(v.set("top", "9"))
	n = v.since(n, "slider", "sales")
	rows := do(v, chromedp.Evaluate[int](`document.querySelectorAll("#products tr").length - 1`))
	if rows != 9 {
		t.Errorf("the slider at 9 shows %d products", rows)
	}
	v.shot("slider")

	v.settled(v.set("find", "desk"))
	n = v.since(n, "text", "sales")
	if got := v.text("products"); !strings.Contains(got, "Standing desk") || strings.Contains(got, "Headset") {
		t.Errorf("products with desk: %q", got)
	}
	v.shot("text")
	v.settled(v.set("find", ""))
	n = v.since(n, "text, back")

	v.settled(v.set("better", "true"))
	n = v.since(n, "checkbox", "model", "forecast")
	if got := v.text("model-name"); !strings.Contains(got, "weighted") {
		t.Errorf("the better model says %q", got)
	}
	v.shot("checkbox")
	v.settled(v.set("better", "false"))
	n = v.since(n, "checkbox, back")
	if got := v.text("model-name"); !strings.Contains(got, "plain") {
		t.Errorf("back at the plain model it says %q", got)
	}

	v.settled(v.set("by", "month"))
	n = v.since(n, "nested control", "sales", "detail")
	if got := v.text("by-what"); got != "month" {
		t.Errorf("the nested panel is by %q", got)
	}
	v.shot("nested-control")

	v.settled(v.set("s3", "9"))
	n = v.since(n, "one of five sliders", "sliders")
	if got := v.text("sum"); got != "29" {
		t.Errorf("the sum of the sliders is %s", got)
	}
	v.settled(v.set("s3", "5"))
	n = v.since(n, "one of five sliders, back")
	do(v, js(`document.getElementById("s3").focus()`))
	v.settled(v.set("s3", "8"))
	n = v.since(n, "another position", "sliders")
	if got := do(v, chromedp.Evaluate[string](`document.activeElement.id`)); got != "s3" {
		t.Errorf("after a change the focus is on %q", got)
	}
	v.settled(v.set("s3", "5"))
	v.shot("five-sliders")

	// Very many positions are bounded, and crowd out none that is used again: the rest of
	// the test says which bodies run.
	v.settled(chromedp.Click("#try"))
	tried := v.ran()
	if ran := tried["sliders"] - n["sliders"]; ran < 250 || ran > 300 {
		t.Errorf("for 300 positions the sliders' body ran %d times", ran)
	}
	entries := do(v, chromedp.Evaluate[int](`+document.querySelector("#row-sliders .entries").textContent`))
	if entries > 1+50*5 {
		t.Errorf("the sliders have %d entries", entries)
	}
	if got := v.text("by-what"); got != "month" {
		t.Errorf("the button forgets that the panel was by month: by %q", got)
	}
	v.shot("tried")
	n = tried

	file := filepath.Join(t.TempDir(), "visits.csv")
	if err := os.WriteFile(file, []byte("day,visits\n2025-01-01,10\n2025-01-02,32\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	v.settled(chromedp.SetUploadFiles("#csv", []string{file}))
	n = v.since(n, "upload", "upload")
	if got := v.text("csv-rows"); !strings.Contains(got, "visits.csv: 2 rows") {
		t.Errorf("the upload says %q", got)
	}
	v.shot("upload")

	// Another session, with untouched controls: what the first one's first load made.
	second, closeSecond := chromedp.NewContext(first, chromedp.WithNewBrowserContext())
	t.Cleanup(closeSecond)
	if err := chromedp.Do(second); err != nil {
		t.Fatal(err)
	}
	u := &visitor{t: t, ctx: second, name: "second"}
	u.open(srv.URL)
	n = u.since(n, "a new session")
	u.shot("first-load")
	u.settled(u.set("region", "West"))
	n = u.since(n, "the new session's region", "sales", "detail")
	if got := u.text("where"); got != "West" {
		t.Errorf("the second session shows %q", got)
	}
	u.settled(chromedp.SetUploadFiles("#csv", []string{file}))
	u.since(n, "the same file in another session")
	u.shot("upload")

	v.settled(v.set("region", "West"))
	if got := v.text("where"); got != "West" {
		t.Errorf("the first session shows %q", got)
	}
	n = v.ran()

	v.settled(chromedp.Click("#clear"))
	n = v.since(n, "clear", "intro", "sales", "detail", "model", "forecast", "sliders", "upload")
	v.shot("cleared")
	v.settled(v.set("night", "false"))
	n = v.since(n, "after clear")

	// Leaving and coming back loads the page anew, with no control sent.
	do(v, chromedp.Navigate(srv.URL+"/static/style.css"))
	do(v, chromedp.Steps(chromedp.NavigateBack(), chromedp.WaitVisible("#numbers")))
	v.since(n, "back", "sales", "detail", "sliders", "upload")
	if got := v.text("where"); got != "all regions" {
		t.Errorf("back on the page it shows %q", got)
	}
	v.shot("back")
	t.Logf("screenshots are in %s", *shots)
}

package cachetest

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	cachert "github.com/cachegen/cachegen/runtime"
)

// A computation that has moved to another key is outdated by an event that came before the
// move, whatever events follow.
func TestMovedComputationKeepsItsFirstEvent(t *testing.T) {
	for name, drop := range map[string]func(f *fn){
		"clear":  func(f *fn) { f.site.Clear() },
		"forget": func(f *fn) { k := key{"x"}; f.site.Forget(k.hash(), k) },
		"tag":    func(*fn) { cachert.Invalidate(context.Background(), "moved") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				version := "old"
				f := drawing(func(p *Page) {
					v := version
					time.Sleep(time.Second)
					lang := p.Ask("text", "lang", "en")
					time.Sleep(2 * time.Second)
					p.Text(v + " " + lang)
				}, func(o *cachert.DrawOptions) { o.Tags = []string{"moved"} })
				show := func(lang string) <-chan string {
					s, got := &Session{}, make(chan string, 1)
					s.Set("lang", lang)
					go func() {
						sc := NewScreen(s)
						f.call(context.Background(), sc.Page(), "x")
						got <- sc.String()
					}()
					return got
				}
				first := show("en")
				time.Sleep(time.Second / 2)
				synctest.Wait() // also for the race detector
				version = "new"
				drop(f) // the first event, before the move
				time.Sleep(time.Second)
				other := show("de") // puts back the question
				time.Sleep(1100 * time.Millisecond)
				late := show("en") // waits for the first computation, where it is now
				time.Sleep(100 * time.Millisecond)
				drop(f) // a second event
				if got := <-first; !strings.Contains(got, "old en") {
					t.Error("the first caller:", got)
				}
				if got := <-other; !strings.Contains(got, "new de") {
					t.Error("another user:", got)
				}
				if got := <-late; !strings.Contains(got, "new en") {
					t.Error("a call that was made after the event:", got)
				}
			})
		})
	}
}

// A computation whose waiters gave up does not replace what one of them computed meanwhile,
// even where it comes to the same key only later.
func TestOlderDrawingNeverReplacesANewerOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		version := "old"
		f := drawing(func(p *Page) {
			v := version
			if v == "old" {
				time.Sleep(time.Minute)
			}
			p.Ask("text", "lang", "en")
			p.Text(v)
		}, func(o *cachert.DrawOptions) { o.Wait = time.Second })
		done := make(chan string)
		go func() { done <- f.show(t, &Session{}) }()
		synctest.Wait()
		version = "new"
		for range 2 {
			if got := f.show(t, &Session{}); !strings.Contains(got, "new") {
				t.Error(got)
			}
		}
		if got := <-done; !strings.Contains(got, "old") {
			t.Error(got)
		}
		if got := f.show(t, &Session{}); !strings.Contains(got, "new") {
			t.Error("the older one has replaced the newer:", got)
		}
		f.ran(t, 2)
	})
}

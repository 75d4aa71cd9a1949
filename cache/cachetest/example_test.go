package cachetest_test

import (
	"fmt"

	"github.com/cachegen/cachegen/cache/cachetest"
)

// A Page is a place to draw on, whose screen is a text to compare. A Session holds what its
// user has entered.
func Example() {
	user := &cachetest.Session{}
	draw := func() {
		screen := cachetest.NewScreen(user)
		page := screen.Page()
		page.Text("hello " + page.Ask("input", "name", "nobody"))
		fmt.Print(screen)
	}
	draw()
	user.Set("name", "Ada")
	draw()
	// Output:
	// main ""
	//   input "name=nobody"
	//   text "hello nobody"
	// main ""
	//   input "name=Ada"
	//   text "hello Ada"
}

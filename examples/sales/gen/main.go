// Command gen writes sales.csv, the data set of the sales example: four thousand
// orders, always the same ones, because the random numbers are seeded.
//
//	go run ./sales/gen > sales/sales.csv
package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

var (
	regions  = []string{"Central", "East", "North", "South", "West"}
	channels = []string{"online", "partner", "shop"}
	products = []struct {
		name  string
		cents int
	}{
		{"Desk lamp", 3490}, {"Office chair", 18900}, {"Standing desk", 45900},
		{"Monitor arm", 8900}, {"Notebook", 590}, {"Fountain pen", 2450},
		{"Whiteboard", 7900}, {"Paper, 500 sheets", 650}, {"Cable box", 1990},
		{"Footrest", 3990}, {"Shelf", 12900}, {"Headset", 9900},
	}
)

func main() {
	r := rand.New(rand.NewPCG(2024, 7))
	w := bufio.NewWriter(os.Stdout)
	fmt.Fprintln(w, "id,day,region,product,channel,quantity,cents")
	first := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)
	for id := 1; id <= 4000; id++ {
		day := first.AddDate(0, 0, r.IntN(3*365))
		p := products[int(float64(len(products))*r.Float64()*r.Float64())]
		quantity := 1 + r.IntN(9)
		fmt.Fprintf(w, "%d,%s,%s,%q,%s,%d,%d\n", id, day.Format(time.DateOnly),
			regions[r.IntN(len(regions))], p.name, channels[r.IntN(len(channels))], quantity, quantity*p.cents)
	}
	if err := w.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

package main

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	_ "modernc.org/sqlite"
)

var (
	regions  = []string{"Central", "East", "North", "South", "West"}
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

// openShop opens the SQLite file at path, and fills it where it is new: five thousand
// orders of two years, always the same ones.
func openShop(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)")
	if err != nil {
		return nil, err
	}
	if err := fill(db); err != nil {
		return nil, errors.Join(fmt.Errorf("fill %s: %w", path, err), db.Close())
	}
	return db, nil
}

func fill(db *sql.DB) error {
	if _, err := db.Exec(`CREATE TABLE IF NOT EXISTS orders (
		id INTEGER PRIMARY KEY, day TEXT NOT NULL, region TEXT NOT NULL,
		product TEXT NOT NULL, quantity INTEGER NOT NULL, cents INTEGER NOT NULL)`); err != nil {
		return err
	}
	var n int
	if err := db.QueryRow(`SELECT count(*) FROM orders`).Scan(&n); err != nil || n > 0 {
		return err
	}
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit this does nothing
	insert, err := tx.Prepare(`INSERT INTO orders (day, region, product, quantity, cents) VALUES (?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	r := rand.New(rand.NewPCG(2025, 11))
	first := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for range 5000 {
		p := products[int(float64(len(products))*r.Float64()*r.Float64())]
		quantity := 1 + r.IntN(9)
		day := first.AddDate(0, 0, int(730*max(r.Float64(), r.Float64())))
		if _, err := insert.Exec(day.Format(time.DateOnly), regions[r.IntN(len(regions))], p.name, quantity, quantity*p.cents); err != nil {
			return err
		}
	}
	return tx.Commit()
}

package main

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite"
)

//go:embed sales.csv
var salesCSV string

// openDB opens the SQLite file at path and, if it holds no orders yet, fills it
// with the data set of this example. Every caller shares the one handle.
//
//cache:resource release=Close
func openDB(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)")
	if err != nil {
		return nil, err
	}
	if err := fill(db); err != nil {
		return nil, errors.Join(fmt.Errorf("fill %s: %w", path, err), db.Close())
	}
	return db, nil
}

// fill loads sales.csv in one transaction, unless it is there already.
func fill(db *sql.DB) error {
	if _, err := db.Exec(`CREATE TABLE IF NOT EXISTS orders (
		id INTEGER PRIMARY KEY, day TEXT NOT NULL, region TEXT NOT NULL, product TEXT NOT NULL,
		channel TEXT NOT NULL, quantity INTEGER NOT NULL, cents INTEGER NOT NULL)`); err != nil {
		return err
	}
	var n int
	if err := db.QueryRow(`SELECT count(*) FROM orders`).Scan(&n); err != nil || n > 0 {
		return err
	}
	rows, err := csv.NewReader(strings.NewReader(salesCSV)).ReadAll()
	if err != nil {
		return err
	}
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit this does nothing
	insert, err := tx.Prepare(`INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	for _, r := range rows[1:] {
		if _, err := insert.Exec(r[0], r[1], r[2], r[3], r[4], r[5], r[6]); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// RegionTotal is what one region sold.
type RegionTotal struct {
	Region string
	Orders int
	Cents  int64
}

// totals adds up each region's orders of one year.
//
//cache:data ttl=10m
func totals(ctx context.Context, _db *sql.DB, year int) ([]RegionTotal, error) {
	rows, err := _db.QueryContext(ctx, `SELECT region, count(*), sum(cents) FROM orders
		WHERE day LIKE ? GROUP BY region ORDER BY sum(cents) DESC`, fmt.Sprintf("%04d-%%", year))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []RegionTotal
	for rows.Next() {
		var t RegionTotal
		if err := rows.Scan(&t.Region, &t.Orders, &t.Cents); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

// Filter says which orders a report is about. Its zero value means all of them.
type Filter struct {
	Regions  []string
	Channels []string
	Since    *time.Time
	MinCents int64
}

// Report is a table of products with the months in which they sold.
type Report struct {
	Products map[string]*ProductLine
	Cents    int64
}

// ProductLine is one product of a report.
type ProductLine struct {
	Quantity int
	Cents    int64
	Months   []string
}

// report makes the product report for a filter.
//
// Its key is the content of the filter: equal filters hit, wherever their slices
// and pointers lie.
//
//cache:data ttl=10m stale=1h max=100 tags=reports name=MakeReport
func report(ctx context.Context, _db *sql.DB, f Filter) (*Report, error) {
	query := strings.Builder{}
	query.WriteString(`SELECT product, substr(day, 1, 7), sum(quantity), sum(cents) FROM orders WHERE cents >= ?`)
	args := []any{f.MinCents}
	in := func(column string, values []string) {
		if len(values) == 0 {
			return
		}
		fmt.Fprintf(&query, " AND %s IN (?%s)", column, strings.Repeat(", ?", len(values)-1))
		for _, v := range values {
			args = append(args, v)
		}
	}
	in("region", f.Regions)
	in("channel", f.Channels)
	if f.Since != nil {
		query.WriteString(" AND day >= ?")
		args = append(args, f.Since.Format(time.DateOnly))
	}
	query.WriteString(" GROUP BY 1, 2 ORDER BY 1, 2")
	rows, err := _db.QueryContext(ctx, query.String(), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	r := &Report{Products: map[string]*ProductLine{}}
	for rows.Next() {
		var (
			product, month string
			quantity       int
			cents          int64
		)
		if err := rows.Scan(&product, &month, &quantity, &cents); err != nil {
			return nil, err
		}
		line := r.Products[product]
		if line == nil {
			line = &ProductLine{}
			r.Products[product] = line
		}
		line.Quantity += quantity
		line.Cents += cents
		line.Months = append(line.Months, month)
		r.Cents += cents
	}
	return r, rows.Err()
}

// bestMonths lists the n months that sold most, over all of the given years.
//
//cache:data
func bestMonths(ctx context.Context, _db *sql.DB, n int, years ...int) ([]string, error) {
	var list []string
	for _, y := range years {
		list = append(list, fmt.Sprintf("'%04d'", y))
	}
	rows, err := _db.QueryContext(ctx, `SELECT substr(day, 1, 7) FROM orders
		WHERE substr(day, 1, 4) IN (`+strings.Join(list, ", ")+`)
		GROUP BY 1 ORDER BY sum(cents) DESC LIMIT ?`, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var m string
		if err := rows.Scan(&m); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, rows.Err()
}

// databasePath is where the example keeps its SQLite file.
func databasePath(dir string) (string, error) {
	var err error
	if dir == "" {
		dir, err = os.MkdirTemp("", "cachegen-sales-")
	} else {
		err = os.MkdirAll(dir, 0o755)
	}
	return filepath.Join(dir, "sales.db"), err
}

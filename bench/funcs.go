package bench

import (
	"context"
	"sync/atomic"
)

// Quote is a value without anything in it that could be changed.
type Quote struct {
	ID    int64
	Price float64
	Name  string
}

// Row has a slice in it, so that results made of it are copied.
type Row struct {
	ID    int64
	Price float64
	Name  string
	Tags  []string
}

// compute is what the functions below do on a miss; a benchmark may put in its own.
var compute atomic.Pointer[func(Key) Quote]

func computed(id int64, name string) Quote {
	if f := compute.Load(); f != nil {
		return (*f)(Key{id, name})
	}
	return Quote{ID: id, Name: name}
}

//cache:data ttl=10m max=10000 name=GetQuote
func quote(id int64, name string) Quote { return computed(id, name) }

//cache:data ttl=10m max=10000
func quoteErr(id int64, name string) (Quote, error) { return computed(id, name), nil }

//cache:data ttl=10m max=10000
func quoteCtx(_ context.Context, id int64, name string) (Quote, error) {
	return computed(id, name), nil
}

// As many entries as a test of memory asks for.
//
//cache:data ttl=10m max=1100000
func quoteOfMany(id int64, name string) Quote { return computed(id, name) }

// As many entries as a trace is run with.
//
//cache:data max=1000
func quoteOfTrace(id int64) Quote { return computed(id, "") }

//cache:data ttl=10m
func settings() Quote { return Quote{ID: 1, Name: "settings"} }

//cache:data ttl=10m max=100
func mean(xs []float64) float64 {
	sum := 0.0
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}

//cache:data ttl=10m max=100
func rows(n int) []Row { return makeRows(n) }

func makeRows(n int) []Row {
	out := make([]Row, n)
	for i := range out {
		out[i] = Row{ID: int64(i), Price: float64(i) / 7, Name: "row", Tags: []string{"a", "b"}}
	}
	return out
}

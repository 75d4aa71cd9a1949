// Package interpreter has drawing functions whose bodies run random programs: the wrappers
// are generated once, and serve as many programs as there is time for.
//
//cache:surface *cachetest.Page=cachetest.Bind
package interpreter

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/starfederation/datastar-go/datastar"

	"github.com/cachegen/cachegen/cache"
	"github.com/cachegen/cachegen/cache/cachetest"
)

// Functions on the test surface. fn is the function of the program that is run.

//cache:data widgets
func page(ctx context.Context, p *cachetest.Page, fn int, children func(*cachetest.Page) error) (string, error) {
	return body(ctx, onPage{p}, fn, pageKids(children))
}

//cache:data widgets variants=3
func fewPage(ctx context.Context, p *cachetest.Page, fn int, children func(*cachetest.Page) error) (string, error) {
	return body(ctx, onPage{p}, fn, pageKids(children))
}

//cache:data widgets max=4
func smallPage(ctx context.Context, p *cachetest.Page, fn int, children func(*cachetest.Page) error) (string, error) {
	return body(ctx, onPage{p}, fn, pageKids(children))
}

//cache:data
func plainPage(ctx context.Context, p *cachetest.Page, fn int, children func(*cachetest.Page) error) (string, error) {
	return body(ctx, onPage{p}, fn, pageKids(children))
}

//cache:data widgets hash=ctx:userOf
func userPage(ctx context.Context, p *cachetest.Page, fn int, children func(*cachetest.Page) error) (string, error) {
	return body(ctx, onPage{p}, fn, pageKids(children))
}

//cache:data widgets scope=session
func sessionPage(ctx context.Context, p *cachetest.Page, fn int, children func(*cachetest.Page) error) (string, error) {
	return body(ctx, onPage{p}, fn, pageKids(children))
}

//cache:data widgets errors=1h
func errorPage(ctx context.Context, p *cachetest.Page, fn int, children func(*cachetest.Page) error) (string, error) {
	return body(ctx, onPage{p}, fn, pageKids(children))
}

//cache:data widgets
func barePage(p *cachetest.Page, fn int, children func(*cachetest.Page) error) (string, error) {
	return body(nil, onPage{p}, fn, pageKids(children))
}

type pageFunc = func(context.Context, *cachetest.Page, int, func(*cachetest.Page) error) (string, error)

var pageFuncs = [][2]pageFunc{
	{page, Page}, {fewPage, FewPage}, {smallPage, SmallPage}, {plainPage, PlainPage},
	{userPage, UserPage}, {sessionPage, SessionPage}, {errorPage, ErrorPage},
	{
		func(_ context.Context, p *cachetest.Page, fn int, c func(*cachetest.Page) error) (string, error) {
			return barePage(p, fn, c)
		},
		func(_ context.Context, p *cachetest.Page, fn int, c func(*cachetest.Page) error) (string, error) {
			return BarePage(p, fn, c)
		},
	},
}

// Functions on an io.Writer.

//cache:data widgets
func writer(ctx context.Context, w io.Writer, fn int, children func(io.Writer) error) (string, error) {
	return body(ctx, onWriter{w}, fn, writerKids(children))
}

//cache:data widgets variants=3 errors=1h
func fewWriter(ctx context.Context, w io.Writer, fn int, children func(io.Writer) error) (string, error) {
	return body(ctx, onWriter{w}, fn, writerKids(children))
}

//cache:data
func plainWriter(ctx context.Context, w io.Writer, fn int, children func(io.Writer) error) (string, error) {
	return body(ctx, onWriter{w}, fn, writerKids(children))
}

//cache:data widgets hash=ctx:userOf scope=session
func sessionWriter(ctx context.Context, w io.Writer, fn int, children func(io.Writer) error) (string, error) {
	return body(ctx, onWriter{w}, fn, writerKids(children))
}

type writerFunc = func(context.Context, io.Writer, int, func(io.Writer) error) (string, error)

var writerFuncs = [][2]writerFunc{{writer, Writer}, {fewWriter, FewWriter}, {plainWriter, PlainWriter}, {sessionWriter, SessionWriter}}

// Functions on a response.

//cache:data widgets
func response(ctx context.Context, w http.ResponseWriter, fn int, children func(http.ResponseWriter) error) (string, error) {
	return body(ctx, onResponse{w}, fn, responseKids(children))
}

//cache:data widgets variants=3 hash=ctx:userOf
func userResponse(ctx context.Context, w http.ResponseWriter, fn int, children func(http.ResponseWriter) error) (string, error) {
	return body(ctx, onResponse{w}, fn, responseKids(children))
}

type responseFunc = func(context.Context, http.ResponseWriter, int, func(http.ResponseWriter) error) (string, error)

var responseFuncs = [][2]responseFunc{{response, Response}, {userResponse, UserResponse}}

// Functions that answer requests: they run the first function of the program.

//cache:data scope=global widgets
func handler(w http.ResponseWriter, r *http.Request) {
	s, err := body(r.Context(), onResponse{w}, base, nil)
	fmt.Fprint(w, s, err)
}

//cache:data scope=session
func sessionHandler(w http.ResponseWriter, r *http.Request) {
	s, err := body(r.Context(), onResponse{w}, base, nil)
	fmt.Fprint(w, s, err)
}

var handlerFuncs = [][2]http.HandlerFunc{{handler, Handler}, {sessionHandler, SessionHandler}}

// Functions on an event generator.

//cache:data widgets
func events(sse *datastar.ServerSentEventGenerator, fn int, children func(*datastar.ServerSentEventGenerator) error) (string, error) {
	return body(sse.Context(), onEvents{sse}, fn, eventKids(children))
}

//cache:data widgets variants=3
func fewEvents(ctx context.Context, sse *datastar.ServerSentEventGenerator, fn int, children func(*datastar.ServerSentEventGenerator) error) (string, error) {
	return body(ctx, onEvents{sse}, fn, eventKids(children))
}

type eventsFunc = func(context.Context, *datastar.ServerSentEventGenerator, int, func(*datastar.ServerSentEventGenerator) error) (string, error)

var eventsFuncs = [][2]eventsFunc{
	{
		func(_ context.Context, s *datastar.ServerSentEventGenerator, fn int, c func(*datastar.ServerSentEventGenerator) error) (string, error) {
			return events(s, fn, c)
		},
		func(_ context.Context, s *datastar.ServerSentEventGenerator, fn int, c func(*datastar.ServerSentEventGenerator) error) (string, error) {
			return Events(s, fn, c)
		},
	},
	{fewEvents, FewEvents},
}

// Functions that draw nowhere.

// world is what changes behind the functions' backs; its tags say when.
var world [2]atomic.Int64

//cache:data tags=w0
func first(ctx context.Context) (int64, error) { return world[0].Load(), nil }

//cache:data tags=w1,all
func second(ctx context.Context) (int64, error) { return world[1].Load(), nil }

//cache:data
func both(ctx context.Context) (string, error) {
	if cached {
		a, _ := First(ctx)
		b, _ := Second(ctx)
		return fmt.Sprint(a, "+", b), nil
	}
	a, _ := first(ctx)
	b, _ := second(ctx)
	return fmt.Sprint(a, "+", b), nil
}

//cache:data scope=session
func cart(ctx context.Context) (string, error) {
	id, ok := cache.SessionOf(ctx)
	return fmt.Sprint("cart of ", id, ok), nil
}

//cache:data
func greeting(ctx context.Context) (string, error) { return "hello " + userOf(ctx), nil }

func text[V any](f func(context.Context) (V, error)) func(context.Context) string {
	return func(ctx context.Context) string {
		v, err := f(ctx)
		return fmt.Sprint(v, err)
	}
}

var dataFuncs = [][2]func(context.Context) string{
	{text(first), text(First)}, {text(second), text(Second)}, {text(both), text(Both)}, {text(cart), text(Cart)}, {text(greeting), text(Greeting)},
}

// Package html lets cached functions draw to an io.Writer or an http.ResponseWriter, and
// makes what they read of an *http.Request an input of the result. It needs nothing but the
// standard library, and serves whatever writes to such a writer: html/template, templ,
// gomponents, fmt.
//
// # What is on the tape
//
// Of an io.Writer the bytes; they are divided as the body flushed. Of an
// http.ResponseWriter also the status and the headers that the body set, changed or
// deleted, not those that were there before it ran: those belong to the request that is
// being answered (a request id, a nonce, a cookie of a middleware).
//
// The body writes to the tape, and a goroutine writes from the tape to the client: a
// slow client holds up nobody who waits for the same result, and a client that is gone is
// no error of the body's. The wrapper returns when its client has everything.
//
// # What is not kept
//
// The response is handed out, and nothing of it is kept, when the request carries
// Authorization; when the body sets Set-Cookie, Cache-Control with no-store or private,
// Vary with *, Cookie or Authorization, or a trailer; when its status is 206, 304, 416 or
// at least 500; when it takes over the connection; when it goes on writing after it
// returned; and when it is larger than max-bytes, or than 64 MiB where there is no such
// bound. Requests other than GET and HEAD pass through untouched.
//
// # Inputs
//
// A request cannot be watched while it is read, so what a function reads of it is either
// known to its wrapper (Reads, which the generator fills in from the constant names in the
// source), and then counts whether it is read or not, or read with cache.Input, and then
// counts when it is read. An absent input differs from an empty one, and a list of values
// is compared as a whole: in HTML a box that is not ticked is not sent, whatever it was
// drawn as. Middleware puts the request where cache.Input finds it.
package html

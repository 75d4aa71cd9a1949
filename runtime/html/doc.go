// Package html lets cached functions draw to an io.Writer or an http.ResponseWriter. It needs
// nothing but the standard library, and serves whatever writes to such a writer:
// html/template, templ, gomponents, fmt.
//
// # What is on the tape
//
// Of an io.Writer the bytes; they are divided as the body flushed. Of an
// http.ResponseWriter also the status and the headers that the body set, added to or
// deleted, not those that were there before it ran: those belong to the request that is
// being answered (a request id, a nonce, a cookie of a middleware). A header that is set to
// the value that it had is on the tape; deleting one that was not there is not, since it
// leaves no trace. Values that are put behind those that were there are added to what is
// there when the tape is replayed.
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
// bound. Requests other than GET and HEAD pass through untouched. Package web has the
// rules, and says what of a request is an input.
package html

// Package html lets cached functions draw to an io.Writer or an http.ResponseWriter. It needs
// nothing but the standard library, and serves whatever writes to such a writer:
// html/template, templ, gomponents, fmt.
//
// # What is on the tape
//
// Of an io.Writer the bytes; they are divided as the body flushed. Of an
// http.ResponseWriter also the status and what the body did to the header: set, added or
// deleted. A replay does the same to the header that it finds.
//
// # What the body sees of the response
//
// Headers that were there before it ran belong to the request that is being answered (a
// request id, a nonce, a cookie of a middleware). They are sent with the response, and the
// body does not see their values: whatever reads one of them, also in another package, gets an
// empty value, the same for everyone. A handler, func(http.ResponseWriter, *http.Request),
// sees Content-Type, Content-Encoding and Etag, by which net/http decides, and which other
// names are there; these are inputs of it. So a handler sets, adds to and deletes headers of a
// middleware as it would do uncached. For a function that draws a part of a page, and so has
// no request, names are no inputs: where it adds to a header that is no usual list (Vary, Link,
// Set-Cookie, Cache-Control and their like), and that was not there when it was recorded, a
// replay sets it.
//
// The body's writer can flush, set deadlines, and is an io.StringWriter. It has no Unwrap, no
// Push, and nothing of what a middleware's own writer can do. A nil stays nil.
//
// The body writes to the tape, and a goroutine writes from the tape to the client: a
// slow client holds up nobody who waits for the same result, and a client that is gone is
// no error of the body's. The wrapper returns when its client has everything. A client that
// never reads is ended by the server's WriteTimeout, as in a handler that is not cached; how
// much is held for it is bounded (see package cache).
//
// A body that runs on for 250 ms after it has flushed is a stream, such as of events: who asks
// for the same gets a stream of its own. Its response is kept if it ends by itself.
//
// # What a replay says besides
//
// A handler's response, and any that says for how long it is fresh (Cache-Control, Expires),
// says its Age and its Date when it is sent again, from its first second on (RFC 9111, 5.1).
// An Expires that has come meanwhile becomes the present.
//
// # What is not kept
//
// The response is handed out, and nothing of it is kept, when the request carries
// Authorization; when the body sets Set-Cookie, Cache-Control with no-store or private,
// Vary with *, Cookie or Authorization, or a trailer; when its status is 206, 226, 304, 401,
// 407, 408, 409, 412, 413, 416, 417, 421, 423, 424, 425, 426, 428, 429, 431 or at least 500;
// when it takes over the connection; when it goes on writing after it returned; and when it
// is larger than an eighth of max-bytes, or 1 MiB if that is more. Requests other than
// GET and HEAD pass through untouched. Package web has the rules, and says what of a request
// is an input.
//
// # Who waits
//
// A handler cannot say that it failed. When a client leaves while its request waits for
// another one's computation, the handler returns and draws nothing; when the request's
// deadline passes, the body runs for it, and answers as it does in such a case.
package html

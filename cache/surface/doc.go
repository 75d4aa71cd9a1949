// Package surface is the contract between cached functions and the places that they draw to.
// Adapters for frameworks import it, and nothing else of this module.
//
// # How to write an adapter
//
// An adapter is a function Bind and a type that implements [Surface]. The wrapper of a function
// that draws to a P calls Bind with the caller's P, before each call:
//
//	func Bind(ctx context.Context, p P, in surface.Inputs) (context.Context, P, surface.Surface)
//
// The context and the P that Bind returns are those that the body gets. The P is the same object
// (tapped, when the framework lets a listener be put on it) or another one that stands in for it
// (substituted, such as a writer that keeps what passes). in is the request that the function was
// given, or nil; an adapter that knows no requests ignores it.
//
// A package whose functions draw to a P names Bind in its doc comment:
//
//	//cache:surface *term.Term=termcache.Bind
//
// The type embeds a [Recorder], which does the bookkeeping that is the same for all. It has
// four methods:
//
//   - Scope says what of the place changes what is drawn there, such as a theme.
//   - Value says what a widget says now: a control of the page, or an input of the request.
//     Embed a [RequestInputs] where the widgets are the inputs of a request.
//   - Record begins a recording, with [Recorder.Open].
//   - Replay draws a [Tape] again, mostly with [Play].
//
// For everything that the body draws, the adapter first records it and then shows it: it calls
// [Recorder.Draw] for one element, [Recorder.Stream] for bytes of which only the sequence
// matters, and returns their error to the body. For each widget that the body reads, it
// calls [Recorder.ReportRead] before the body gets the value. It calls [Recorder.Refuse] for
// what cannot be recorded. If the P that Bind is given is bound already, since one cached function
// calls another, [Recorder.Within] links the two.
//
// The other interfaces are for what not every place has: [Drainer] and [Feed] for connections,
// [Spinner], [HoleKeeper] and [OuterDrawer] for content of the caller's, [ContextSurface] for
// parameters that carry a context, [StaticReads] and [FileInputs] for requests.
//
// Package cachetest has a suite, Conform, that finds what an adapter gets wrong;
// docs/bring-your-own-framework.md goes through two adapters.
//
// # What the engine calls
//
// [Run], [WithRun], [RunOf], [RecorderOf], [Recorder.Attach], [Recorder.RunAround], [IsPersonal],
// [Tape.WithHoles], [Tape.Spoiled], [Tape.Intern], [Holes.Attach] are the engine's side of the
// contract. Adapters have no use for them.
package surface

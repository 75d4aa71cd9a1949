// Package value is for code that cachegen generates: it hashes, encodes, copies and sizes
// the arguments and results of cached functions. Programs do not call it.
//
// # What it promises
//
//   - Two values have the same encoding if and only if they are equal as parts of a key:
//     encodings are typed and length-prefixed, and nothing is sampled. All NaNs encode
//     alike; +0 and -0 differ; nil differs from empty; maps are sorted; cyclic values end.
//   - A digest depends on a secret of the process, so arguments cannot be chosen to
//     collide. Digests are not stable across processes.
//   - A copy shares no memory that can change with its original. Pointers shared within a
//     value stay shared within its copy, and cycles stay cycles.
//   - Sizes are estimates of the memory that a value keeps alive; shared parts count once.
//   - Types that generated code cannot know (interfaces, type parameters, structs of other
//     packages with hidden fields) are handled by reflection, through an encoder, copier and
//     sizer that are built once per [reflect.Type].
//
// # What it touches
//
// Nothing but its arguments. It calls methods of the arguments' types: CacheKey, Clone,
// and text or binary marshalers; a panic of theirs is an error of the call.
//
// # Hazards
//
//   - A value must not change while it is encoded, copied or sized.
//   - A type without a rule here, whose state is outside its own memory (a handle, a
//     func, a channel), is refused with a [KeyError] or a [CopyError], never guessed.
//   - The hash of a key only chooses its place in a table. It is not a digest.
package value

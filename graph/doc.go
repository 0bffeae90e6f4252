// Package graph is all that Curfew says to Microsoft Graph and hears from it:
// how a device is (Look), what changed unheard (Sweep), what devices and
// mailboxes are asked to do, and the one client per tenant that carries it; and
// to Defender for Endpoint, which has an API of its own ([DefenderEndpoint]).
// Nothing else in Curfew imports the Graph SDK.
//
// What it guarantees:
//
//   - One [Client], one credential and one budget per tenant, for the life of the
//     process. A tenant that is throttled, broken or slow never holds up another.
//   - Nothing is repeated behind the caller's back. Each call goes out once; a
//     failure comes back as an [*Error] that says whether to come again, when, and
//     whether it may have been done all the same.
//   - Nobody waits long here: a call that would have to wait for the budget, or
//     for a Retry-After that some other call was told, fails at once and says when.
//   - Enumerated values are the strings that Microsoft sent, known or not.
//   - A list that could not be read to its end is an error, never a short list.
//     A filter is checked again in code: Intune ignores those it does not support.
//   - No text of an error holds a secret or a token.
//
// What may not be assumed: that a 204 means more than "queued"; that a list shows
// what a single read shows (deviceActionResults of a list is empty); that Graph
// tells in order, once, or at all; that the limits are this process's alone, see
// [Tenant].Workers.
//
// # How the SDK is used
//
// The SDK builds the requests (paths, escaping, bodies), authenticates and sends
// them. Its decoding is not used at all: every request carries a response handler
// that hands over the raw answer, which is decoded into small structs of this
// package. That is the one place where all of the SDK's trouble with answers ends
// at once: enumerations whose unknown members vanish or turn into the zero member
// of their type, three kinds of error of which one panics when printed and another
// has lost the status, nil results for empty bodies, and bodies of any size.
// What remains is dealt with in guard.go.
package graph

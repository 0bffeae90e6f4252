// Package readiness decides whether a tenant is ready for the next stage of its
// baseline's rollout: whether those who are about to be held to it, or are, would
// keep their access.
//
// [Judge] is a function of [Facts], [Rules] and [Excuse]s: what was read, what is
// asked for, and the single findings that a person answers for. [Read] fetches the
// facts and changes nothing.
//
// # Guarantees
//
//   - What could not be read is never taken for good: the check says [Unknown], and
//     only that apps on phones are unknown lets the gate pass.
//   - An excuse counts for one finding about one user, device or object, and ends by
//     itself. None counts for the emergency accounts, the time in the stage, whether
//     the policy reaches anybody, or what could not be read.
//   - A report names everything that speaks against passing, or says how much more
//     there is.
//
// # What may not be assumed
//
// That it was all so at one moment: reading takes up to a minute. That the sign-in
// log is complete: it is sampled, [Facts].SignIns says how. That the what-if
// evaluation says what comes of a sign-in: it says which policies apply to it.
package readiness

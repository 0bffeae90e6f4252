// Package baseline makes a tenant as a file says it should be: the connector
// between Defender and Intune, the mail that users get, compliance policies, app
// protection, Conditional Access. It plans, applies, and takes back.
//
// What is wanted ([Desired]) and what differs ([Diff], [NewPlan]) are functions of
// values: a [Spec], a [Stage] and a [State]. [Read] fetches the State and changes
// nothing; [Apply] carries out a plan and nothing else. Both speak to Graph
// through [API], in JSON as it comes: the models of Microsoft's SDK turn members
// of enumerations that they do not know into others, "block" among them.
//
// # Guarantees
//
//   - A plan is carried out exactly, or refused: each step is held against what the
//     tenant has right before anything is written.
//   - Only owned properties are written ([Object].Fields and its parts). Everything
//     else in an object stays as it was, controls that this version has never heard
//     of included.
//   - An object is Curfew's only if it says so: by a mark in its description or
//     name ([Mark]), or because there is one of it only. What merely looks alike is
//     shown, and touched only when the file adopts it by its id.
//   - No Conditional Access policy is created enforced, and none is written without
//     an emergency account that exists, is enabled and is not synchronised.
//   - Nothing is widened to all users past a gate that did not pass: [NewPlan]
//     refuses a stage beyond what the tenant has reached without a [Gate] that did.
//   - A crash anywhere is finished by the next run: every step is re-derived from
//     what is there.
//
// # Stages
//
// A baseline is rolled out in four stages, and what is desired depends on which:
//
//	stage                    compliance, mail   app protection       Conditional Access
//	pilot report-only        pilot              pilot: warns         pilot: report-only
//	pilot enforced           pilot              pilot: acts          pilot: on
//	all report-only          all                pilot acts, all warn pilot: on, all: report-only
//	all enforced             all                all: acts            all: on, pilot: off
//
// So app protection and Conditional Access are two objects each, one for the pilot
// and one for all: were it one, widening it would set the pilot free again while
// everybody else rehearses. A compliance policy enforces nothing by itself, so
// there is one, and its assignment widens. "No policy means not compliant" is set
// only when all have a policy, or whoever is not in the pilot would lose access to
// what other Conditional Access policies protect.
//
// While Conditional Access only reports, a policy that asks for a compliant device
// is for Windows alone: on macOS, iOS and Android the rehearsal itself asks people
// for a certificate, again and again (Entra docs: concept-conditional-access-
// report-only).
//
// # What may not be assumed
//
// That the connection between Defender and Intune can be opened from here: it is a
// switch in Defender's portal, see [Connection]. That Intune's lists show at once
// what was written. That a property that exists in /beta only stays as it is.
package baseline

package graphtest

import (
	"sync"
	"time"
)

// A Tenant is one Microsoft 365 tenant. Its verbs panic when they name a device
// or user that is not there: a story told wrong is the test's mistake.
type Tenant struct {
	Name   string // as given to AddTenant
	ID     string // a GUID, lower case
	Domain string // <name>.example

	cloud   *Cloud
	created time.Time

	mu     sync.Mutex
	rules  Rules
	timing Timing
	faults []*fault
	apps   map[string]*App // by client id

	prefix   map[byte]string // of ids, by kind
	count    int             // devices there ever were, fleets included
	fleets   []fleet
	made     map[int]*device  // those that are not just as their fleet has them
	byName   map[string]int   // lower case
	byID     map[string][]int // ids that a test chose
	busy     map[int]*device  // something will change by itself
	users    map[string]*user // by upn and by id, lower case
	userSize int
	groups   []*group

	alerts    []*alert // oldest first
	incidents []*incident
	changes   changelog
	audits    []audit  // oldest first
	signIns   []signIn // oldest first
	noise     int      // further apps in the inventory

	approvals approvals
	defender  defender
	baseline  baseline

	subs       map[string]*subscription
	requests   ring[Request]
	mails      ring[Mail]
	told       told
	deliveries ring[Delivery]
}

// Rules are the ways in which tenants, or our knowledge of Microsoft's service,
// differ. The zero value is a tenant as documented.
type Rules struct {
	// Grace is how long a device that fails a policy is inGracePeriod before it is
	// noncompliant (Intune docs: create-compliance-policy, "mark device
	// noncompliant").
	Grace time.Duration
	// HideResults keeps wipe and retire out of deviceActionResults while
	// managementState shows them, as reported in powershell-intune-samples#35 and
	// #161.
	HideResults bool
	// Spelling is the actionName in deviceActionResults, by action. Microsoft calls
	// it a free string; remoteLock is the only one seen spelled
	// (powershell-intune-samples#35). The default is the action's own name; the
	// names of beta's remoteAction (factoryResetKeepEnrollmentData, quickScan, …)
	// are the other candidates.
	Spelling map[string]string
	// ApprovalAsObserved gives the answers of Multi Admin Approval that callers
	// reported in 2026 (400 where the justification is missing, 412 with the code,
	// filters of the requests ignored) instead of those documented.
	ApprovalAsObserved bool
	// ResetKeepsAlerts leaves a device's alerts open when it was reset.
	ResetKeepsAlerts bool
	// SecurityPerMinute is the rate limit of /security for each app; Microsoft's is
	// 150. Zero is none.
	SecurityPerMinute int
	// Limits keeps Microsoft's limits of an app in a tenant: Intune 2,000 requests in
	// 20 s, the directory 8,000 resource units in 10 s (Graph docs:
	// throttling-limits).
	Limits bool
	// MaxSubscriptions is each app's quota; zero is 100, that of users and groups
	// (Graph docs: change-notifications-supported-resources).
	MaxSubscriptions int
	// Subscribable maps further resources, such as deviceManagement/managedDevices,
	// to the permission that subscribing to them needs ("" is none). Microsoft
	// supports none of those this product is about.
	Subscribable map[string]string
	// PlainHTTP lets notification URLs be http. Graph insists on https.
	PlainHTTP bool
	// ClampLifetime shortens a subscription that asks for too long a life. Graph
	// refuses it (docs-contrib#7726).
	ClampLifetime bool
	// DeltaPage is the size of a page of devices/delta; zero is 200. Microsoft
	// states none.
	DeltaPage int
	// DeltaReplays repeats the last changes of the round before, and
	// DeltaEmptyPages begins each round with an empty page that has a nextLink
	// (Graph docs: delta-query-overview, both are to be expected).
	DeltaReplays, DeltaEmptyPages bool
	// DeltaExpiry400 answers an expired delta token with 400 syncStateNotFound
	// (Microsoft 365 developer blog, 2020-07-03) instead of 410 Gone with a
	// Location (Graph docs: delta-query-overview, "synchronization reset").
	DeltaExpiry400 bool
}

// Timing is how long things take. Zero is at once; CheckIn zero is never, and
// limits that are zero (Answer, RetryFor, …) take Microsoft's value.
type Timing struct {
	Latency time.Duration // every answer of Graph and the token endpoint

	CheckIn    time.Duration // between two check-ins that nobody asked for
	Pickup     time.Duration // from an action's 204 until an online device has it
	Sync       time.Duration // from pickup until done, by action:
	Signatures time.Duration
	QuickScan  time.Duration
	FullScan   time.Duration
	Reboot     time.Duration
	Lock       time.Duration
	Reset      time.Duration // Autopilot Reset
	Wipe       time.Duration // every other wipe
	Retire     time.Duration

	EntraLag    time.Duration // from a change of compliance until Entra's isCompliant follows
	ListLag     time.Duration // from the making of a policy until lists show it
	SentItems   time.Duration // from sendMail until Sent Items has the message
	Token       time.Duration // life of an access token
	Delta       time.Duration // life of a delta token
	Handshake   time.Duration // for the answer to a validation request
	Answer      time.Duration // for the answer to a notification
	Retry       time.Duration // first pause before a notification is sent again; doubles each time
	RetryMost   time.Duration // longest such pause
	RetryFor    time.Duration // after which a notification is dropped
	Reauthorize time.Duration // from reauthorizationRequired until delivery pauses
}

// DefaultTiming is a tenant in an office: devices that are online act within
// minutes. Intune's check-in of about 8 hours is documented (Intune docs:
// device-profile-troubleshoot, "policy refresh intervals"); so are the 7 days of
// delta tokens (Graph docs: delta-query-overview), the 10 s of the handshake and
// of an answer and the 4 hours of retries (Graph docs,
// change-notifications-delivery-webhooks, 2025-01) and the hour of a token. The
// others are plausible.
func DefaultTiming() Timing {
	return Timing{
		CheckIn: 8 * time.Hour, Pickup: time.Minute, Sync: time.Minute, Signatures: 2 * time.Minute,
		QuickScan: 10 * time.Minute, FullScan: time.Hour, Reboot: 3 * time.Minute, Lock: time.Minute,
		Reset: 45 * time.Minute, Wipe: time.Hour, Retire: 5 * time.Minute,
		EntraLag: 5 * time.Minute, SentItems: 2 * time.Second,
		Token: time.Hour, Delta: 7 * 24 * time.Hour, Handshake: 10 * time.Second, Answer: 10 * time.Second,
		Retry: 10 * time.Second, RetryMost: 20 * time.Minute, RetryFor: 4 * time.Hour, Reauthorize: time.Hour,
	}
}

// QuickTiming is for demonstrations in real time: what takes minutes or hours
// takes a tenth of a second, or a second.
func QuickTiming() Timing {
	const short, long = 100 * time.Millisecond, time.Second
	t := DefaultTiming()
	t.Pickup, t.Sync, t.Signatures, t.QuickScan, t.Lock = short, short, short, short, short
	t.FullScan, t.Reboot, t.Reset, t.Wipe, t.Retire = long, short, long, long, short
	t.EntraLag, t.SentItems, t.Retry, t.RetryMost = short, 0, short, long
	return t
}

// SetRules replaces the tenant's rules.
func (t *Tenant) SetRules(r Rules) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rules = r
}

// SetTiming replaces the tenant's timing. Actions under way go by the new one.
func (t *Tenant) SetTiming(timing Timing) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timing = timing
}

// Timing is the tenant's timing.
func (t *Tenant) Timing() Timing {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.timing
}

func (t *Tenant) latency() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.timing.Latency
}

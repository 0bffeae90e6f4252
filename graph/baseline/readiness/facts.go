package readiness

import "time"

// A Scope is who and what a rollout's step is about.
type Scope struct {
	Tenant string // its id
	Name   string // for people
	Stage  string // where the tenant stands, for people
	Next   string // where it would go

	Everybody     bool     // all users rather than the pilot group
	Group         string   // the pilot group's object id
	ExcludeUsers  []string // object ids
	ExcludeGroups []string // likewise
	Emergency     []Account

	Platforms []string // of the baseline, as operatingSystem has them: Windows, iOS …
	Policies  []Policy // the baseline's in Conditional Access, as they are now
	Threat    bool     // compliance asks for a threat level, so Defender must report
	App       string   // the app that what-if asks about; empty: Exchange Online

	Open  []string  // what the baseline has still to do at this stage
	Began time.Time // when the stage began; zero: nobody recorded it
}

// A Policy is one of the baseline's in Conditional Access.
type Policy struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Enforced  bool     `json:"enforced"`  // else it only reports
	Platforms []string `json:"platforms"` // as its conditions name them; empty: all
}

// Facts are what was read of a tenant.
type Facts struct {
	Scope Scope
	At    time.Time // when reading began
	Took  time.Duration

	Users   []User
	Devices []Device // of those users, as Intune has them
	Left    []Object // in Entra: no device of the scope's, but of the same name as one

	SignIns   SignIns
	Evaluated []Evaluated

	Unread []Unread
}

// A User is one in scope.
type User struct {
	ID, UPN  string
	Guest    bool
	Licensed Answer // for Intune
}

// A Device is a managed device of a user in scope.
type Device struct {
	ID, EntraID, Name string
	User              int // index into Facts.Users
	OS, Owner         string
	Compliance        string // complianceState
	Threat            string // partnerReportedThreatState
	LastSync          time.Time
	Failing           []Setting // of one that is not compliant
	Policy            Answer    // whether a compliance policy is assigned

	InEntra bool
	Enabled Answer // in Entra
	Access  Answer // isCompliant in Entra
	Seen    time.Time

	Apps Apps
}

// A Setting is one that a device fails.
type Setting struct {
	Policy, Name, State string
}

// Apps are what a phone has of those that it needs.
type Apps struct{ Portal, Authenticator, Defender Answer }

// An Object is a device object of Entra.
type Object struct {
	ID, DeviceID, Name, OS, Trust string
	Seen                          time.Time // approximateLastSignInDateTime
	Managed                       bool
	Twin                          int // index into Facts.Devices: of the same name
}

// An Answer is yes, no, or that it is not known.
type Answer int8

// The answers.
const (
	NotKnown Answer = iota
	Yes
	No
)

func answer(yes bool) Answer {
	if yes {
		return Yes
	}
	return No
}

// SignIns are what the sign-in log shows of the baseline's policies.
type SignIns struct {
	Known bool // it could be read, with what Conditional Access did
	Read  int  // sign-ins looked at
	Since time.Time
	Part  bool // there are more than were looked at

	Results map[string]int // by appliedConditionalAccessPolicyResult
	Against []Against      // users whose sign-ins the policy would have stopped, or did
}

// An Against is how often a policy stood against a user.
type Against struct {
	UserID, UPN string
	Failed      int // reportOnlyFailure, or failure
	Interrupted int
	App, Client string // of the last
	Platform    string
	At          time.Time
}

// Evaluated is the what-if evaluation of one sign-in.
type Evaluated struct {
	UserID, UPN string
	Emergency   bool
	Platform    string // windows, iOS, android, macOS
	Client      string
	Hit         []string // ids of the baseline's policies that apply
	Others      []string // names of other policies that apply and block or ask for the device
	Why         string   // why none of the baseline's applies, in Microsoft's words
}

// An Account is an emergency account.
type Account struct {
	Named   string // as the file names it
	ID, UPN string
	Found   Answer
	Enabled Answer
	Synced  Answer // from a directory of one's own, which may be down or taken
}

// Unread is what could not be read.
type Unread struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

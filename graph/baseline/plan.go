package baseline

import "encoding/json"

// A Kind is a sort of object. They are applied in this order.
type Kind string

// The kinds.
const (
	KindConnector    Kind = "connector"
	KindNotification Kind = "notification"
	KindCompliance   Kind = "compliance"
	KindSettings     Kind = "settings"
	KindProtection   Kind = "protection"
	KindAccess       Kind = "access"
)

// An Object is something that is to be in a tenant, as far as Curfew owns it.
type Object struct {
	Key  string `json:"key"` // which never changes: compliance/windows
	Kind Kind   `json:"kind"`
	Name string `json:"name"`
	Type string `json:"type,omitempty"` // @odata.type, without #microsoft.graph.
	// Fields are the owned properties, by their paths: conditions.users.includeGroups.
	// Those that a call of its own sets are parts: "assignments", "scheduledActions",
	// "apps", and "messages/<locale>". A text "@<key>" stands for that object's id.
	Fields map[string]any `json:"fields"`
	// First are properties that only a new object is given. They are not owned.
	First map[string]any `json:"first,omitempty"`
	// IfThere marks what is kept in its state where it is there, and never made.
	IfThere bool `json:"if_there,omitempty"`
}

// An Action is what a step does to an object.
type Action string

// The actions. An undecided step does nothing: something there looks like what is
// wanted, and the file does not say yet whether to adopt it.
const (
	Nothing   Action = "nothing"
	Create    Action = "create"
	Update    Action = "change"
	Adopt     Action = "adopt"
	Undecided Action = "undecided"
	Delete    Action = "delete" // of an undo only
)

// A Change is one owned property that differs.
type Change struct {
	Path string `json:"path"`
	From any    `json:"from"`
	To   any    `json:"to"`
}

// A Step is what is to be done about one object.
type Step struct {
	Object  Object      `json:"object"`
	Action  Action      `json:"action"`
	ID      string      `json:"id,omitempty"`   // of what is there
	Seen    string      `json:"seen,omitempty"` // a hash of it as it was read
	Changes []Change    `json:"changes,omitempty"`
	Alike   []LookAlike `json:"alike,omitempty"` // of what is undecided
}

// A LookAlike is an object that is not Curfew's and seems to do the same.
type LookAlike struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Why  string `json:"why"`
}

// A Note is something to know before a plan is applied.
type Note struct {
	About  string `json:"about"`            // an object's key, or a part: "licences"
	Text   string `json:"text"`             // with the reason
	Refuse bool   `json:"refuse,omitempty"` // nothing is applied while it stands
	Blocks bool   `json:"blocks,omitempty"` // a part of the baseline is not planned because of it
}

// A Plan is what would make a tenant as it is wanted.
type Plan struct {
	Tenant string `json:"tenant"`
	Name   string `json:"name"`
	Stage  Stage  `json:"stage"`
	Gate   *Gate  `json:"gate,omitempty"`
	Spec   Spec   `json:"spec"`
	Steps  []Step `json:"steps"`
	Notes  []Note `json:"notes,omitempty"`
	// Names are what people call the ids in it: groups and accounts.
	Names map[string]string `json:"names,omitempty"`
}

// JSON is the plan as a file.
func (p *Plan) JSON() ([]byte, error) { return json.MarshalIndent(p, "", "  ") }

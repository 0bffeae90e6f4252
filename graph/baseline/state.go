package baseline

import "time"

// Raw is an object as Graph gave it.
type Raw map[string]any

// A State is what a tenant has, as far as a baseline is about it. Lists hold all
// there are, Curfew's or not.
type State struct {
	Tenant string    `json:"tenant"` // its id
	Read   time.Time `json:"read"`

	Connector  Raw   `json:"connector"`  // nil: there is none
	Settings   Raw   `json:"settings"`   // deviceManagement's
	Templates  []Raw `json:"templates"`  // with localizedNotificationMessages
	Compliance []Raw `json:"compliance"` // with scheduledActionsForRule and assignments
	Protection []Raw `json:"protection"` // with apps and assignments; each with its @odata.type
	Access     []Raw `json:"access"`

	Licences Licences           `json:"licences"`
	Groups   map[string]Group   `json:"groups"`   // by how the file names them
	Accounts map[string]Account `json:"accounts"` // by how the file names them

	// Unread are the parts that could not be read, and why: by their name above, in
	// lower case. Nothing is planned about them.
	Unread map[string]string `json:"unread"`
}

// A Group is one that the file names.
type Group struct {
	ID      string `json:"id"` // empty: there is none
	Name    string `json:"name"`
	Several bool   `json:"several"` // more than one has this name
}

// An Account is an emergency account that the file names.
type Account struct {
	ID      string `json:"id"` // empty: there is none
	UPN     string `json:"upn"`
	Enabled bool   `json:"enabled"`
	Synced  bool   `json:"synced"` // from a directory on premises
}

// Trouble says why an account cannot serve in an emergency; empty: it can.
func (a Account) Trouble() string {
	switch {
	case a.ID == "":
		return "there is no such account"
	case !a.Enabled:
		return "it is not enabled"
	case a.Synced:
		return "it is synchronised from a directory on premises, which may be what is down or taken over"
	}
	return ""
}

// Licences are the service plans that a tenant has, by their GUIDs.
type Licences struct {
	Intune   bool `json:"intune"`
	EntraP1  bool `json:"entra_p1"`
	Defender bool `json:"defender"` // for Business, or for Endpoint Plan 2
	// Plan1Only: there is Defender for Endpoint Plan 1, which has neither the
	// connector's risk nor automated investigation.
	Plan1Only bool `json:"plan1_only"`
}

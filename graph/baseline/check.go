package baseline

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Mistake is something wrong with a spec, or to think about, and where: a JSON
// pointer into it.
type Mistake struct {
	Path, Text string
	Warning    bool
}

// Limits of Intune's.
const (
	maxSubject = 78   // Intune docs: quickstart-send-notification
	maxBody    = 2000 // the same page
	maxHours   = 8760 // v1.0 metadata, deviceComplianceActionItem: 0 to 8760
	maxValid   = 120  // Intune docs: compliance policy settings, 1 to 120 days
)

// Check says everything that is wrong with a spec at once. What it cannot know is
// whether what the spec names is there; a plan knows.
func (s Spec) Check() []Mistake {
	c := &specCheck{Spec: s}
	c.people()
	if s.Connector != nil {
		c.connector(*s.Connector)
	}
	if s.Notification != nil {
		c.notification(*s.Notification)
	}
	if s.Compliance != nil {
		c.compliance(*s.Compliance)
	}
	for _, p := range slices.Sorted(maps.Keys(s.AppProtection)) {
		c.protection(p, s.AppProtection[p])
	}
	if s.Access != nil {
		c.access(*s.Access)
	}
	if s.Rollout != nil {
		c.rollout(*s.Rollout)
	}
	c.adopts()
	return c.found
}

type specCheck struct {
	Spec
	found []Mistake
}

func (c *specCheck) say(path, format string, args ...any) {
	c.found = append(c.found, Mistake{Path: path, Text: fmt.Sprintf(format, args...)})
}

func (c *specCheck) warn(path, format string, args ...any) {
	c.found = append(c.found, Mistake{Path: path, Text: fmt.Sprintf(format, args...), Warning: true})
}

// rollout: Microsoft says to wait for a day of sign-ins before a report-only policy
// is judged (Entra docs: concept-conditional-access-report-only).
func (c *specCheck) rollout(r Rollout) {
	for name, h := range map[string]Hours{"stay": r.Stay, "reporting": r.Reporting, "stale": r.Stale} {
		if h != 0 && h < 24 || h > maxHours {
			c.say("/rollout/"+name, "from 1d to 365d")
		}
	}
}

func (c *specCheck) people() {
	d := desire{spec: c.Spec}
	if d.assigns() && c.Pilot == "" {
		c.say("/pilot", "this is missing: name the group that goes first")
	}
	for i, g := range c.Exclude {
		if strings.EqualFold(g, c.Pilot) {
			c.say(fmt.Sprintf("/exclude/%d", i), "the pilot group cannot be excluded")
		}
	}
	if c.Access != nil && len(c.Emergency.Accounts) == 0 {
		c.say("/emergency/accounts", "this is missing: name at least one emergency access account, which no Conditional Access policy may hit")
	}
	if c.Access != nil && len(c.Emergency.Accounts) == 1 {
		c.warn("/emergency/accounts", "Microsoft advises two emergency access accounts, kept apart")
	}
}

func (c *specCheck) connector(in Connector) {
	for _, list := range []struct {
		path string
		of   []Platform
	}{{"/connector/block_without_data", in.BlockWithoutData}} {
		for i, p := range list.of {
			if !slices.Contains(in.Platforms, p) {
				c.say(fmt.Sprintf("%s/%d", list.path, i), "%s is not among the connector's platforms", p)
			}
		}
	}
	if in.PersonalInventory && !in.AppInventory {
		c.say("/connector/personal_inventory", "this needs app_inventory: true")
	}
	if in.UnresponsiveAfter < 0 {
		c.say("/connector/unresponsive_after", "this is a number of days")
	}
}

// The tags and tokens that Intune takes in a message (Intune docs: quickstart-send-
// notification; create-notification). Any other tag makes the whole mail plain text.
var (
	mailTags   = strings.Fields("a strong b u ol ul li p br code table thead tbody tr th td")
	mailTokens = strings.Fields("{{UserName}} {{DeviceName}} {{DeviceId}} {{OSAndVersion}}")

	tagForm   = regexp.MustCompile(`(?i)</?\s*([a-z][a-z0-9]*)([^>]*)>`)
	tokenForm = regexp.MustCompile(`\{\{[^{}]*\}\}`)
	styleForm = regexp.MustCompile(`(?i)\s(style|class)\s*=`)
)

// needs says what is missing.
func (c *specCheck) needs(path, value, what string) {
	if value == "" {
		c.say(path, "this is missing: %s", what)
	}
}

func (c *specCheck) notification(n Notification) {
	c.needs("/notification/name", n.Name, "what the mail is called in Intune")
	if len(n.Messages) == 0 {
		c.say("/notification/messages", "this is missing: subject and body, in one language at least")
		return
	}
	if _, ok := n.Messages[n.Default]; !ok {
		c.say("/notification/default", "there is no message in %s: it is what users get whose own language is not there", n.Default)
	}
	if utf8.RuneCountInString(n.Name) > 128-len(Mark("notification"))-1 {
		c.say("/notification/name", "this is too long: Intune takes 128 characters, and a mark is put behind it")
	}
	for _, locale := range slices.Sorted(maps.Keys(n.Messages)) {
		m, path := n.Messages[locale], "/notification/messages/"+locale
		c.needs(path+"/subject", m.Subject, "a text of at most 78 characters")
		c.needs(path+"/body", m.Body, "a text of at most 2,000 characters")
		if l := utf8.RuneCountInString(m.Subject); l > maxSubject {
			c.say(path+"/subject", "this has %d characters; Intune takes %d", l, maxSubject)
		}
		if l := utf8.RuneCountInString(m.Body); l > maxBody {
			c.say(path+"/body", "this has %d characters; Intune takes %d", l, maxBody)
		}
		for _, tag := range tagForm.FindAllStringSubmatch(m.Body, -1) {
			switch {
			case !slices.Contains(mailTags, strings.ToLower(tag[1])):
				c.say(path+"/body", "the tag <%s> makes Intune send the whole mail as plain text; possible are %s", strings.ToLower(tag[1]), strings.Join(mailTags, ", "))
			case styleForm.MatchString(tag[2]):
				c.say(path+"/body", "styles make Intune send the whole mail as plain text: take style and class out of <%s>", strings.ToLower(tag[1]))
			}
		}
		for _, token := range tokenForm.FindAllString(m.Subject+m.Body, -1) {
			if !slices.Contains(mailTokens, token) {
				c.say(path+"/body", "Intune puts nothing in for %.40s; it knows %s", token, strings.Join(mailTokens, ", "))
			}
		}
	}
}

func (c *specCheck) compliance(in Compliance) {
	if in.ValidDays < 0 || in.ValidDays > maxValid {
		c.say("/compliance/valid_days", "this is 1 to %d days", maxValid)
	}
	names := map[string]Platform{}
	for _, p := range slices.Sorted(maps.Keys(in.Policies)) {
		policy, path := in.Policies[p], "/compliance/policies/"+string(p)
		c.needs(path+"/name", policy.Name, "what the policy is called")
		c.needs(path+"/level", string(policy.Level), "how much of a threat is let pass: clear, low, medium or high")
		if other, twice := names[strings.ToLower(policy.Name)]; twice && policy.Name != "" {
			c.say(path+"/name", "the policy for %s has this name too", other)
		}
		names[strings.ToLower(policy.Name)] = p
		hours := map[string]Hours{"block_after": policy.BlockAfter}
		if policy.PushAfter != nil {
			hours["push_after"] = *policy.PushAfter
		}
		if policy.RetireIn != nil {
			hours["retire_after"] = *policy.RetireIn
			if *policy.RetireIn < policy.BlockAfter {
				c.say(path+"/retire_after", "a device would be put onto the retire list before it counts as not compliant: retire after block_after")
			}
		}
		seen := map[Hours]bool{}
		for i, n := range policy.Notify {
			at := fmt.Sprintf("%s/notify/%d", path, i)
			hours[fmt.Sprintf("notify/%d/after", i)] = n.After
			if c.Notification == nil {
				c.say(at, "there is no notification to send: add the section notification")
			}
			if seen[n.After] {
				c.say(at+"/after", "a mail is sent at this time already; put all groups into one cc")
			}
			seen[n.After] = true
		}
		for _, key := range slices.Sorted(maps.Keys(hours)) {
			if h := hours[key]; h < 0 || h > maxHours {
				c.say(path+"/"+key, "this is up to %d hours, a year", maxHours)
			}
		}
		if policy.Level == High {
			c.warn(path+"/level", "every device passes, whatever Defender finds")
		}
	}
	if in.NoPolicyFails != nil && !*in.NoPolicyFails {
		c.warn("/compliance/no_policy_fails", "a device without a policy counts as compliant, and nobody sees that it has none")
	}
}

func (c *specCheck) protection(p Platform, in ProtectionPolicy) {
	path := "/app_protection/" + string(p)
	c.needs(path+"/name", in.Name, "what the policy is called")
	c.needs(path+"/level", string(in.Level), "how much of a threat is let pass: clear, low, medium or high")
	named := slices.ContainsFunc(in.Apps, func(a string) bool { return slices.Contains([]string{"core", "microsoft", "all"}, a) })
	switch {
	case len(in.Apps) == 0:
		c.say(path+"/apps", "this is missing: core, microsoft, all, or a list of app ids")
	case named && len(in.Apps) > 1:
		c.say(path+"/apps", "core, microsoft and all stand alone")
	case named && p == Windows:
		c.say(path+"/apps", "on Windows name the app, com.microsoft.edge")
	}
	if in.Level == High {
		c.warn(path+"/level", "everything passes, whatever Defender finds")
	}
	if c.Connector != nil && !slices.Contains(c.Connector.AppProtection, p) {
		c.warn(path, "the connector's app_protection leaves %s out: Defender's risk never arrives at the apps there", p)
	}
}

func (c *specCheck) access(a Access) {
	c.needs("/conditional_access/name", a.Name, "what the policies' names begin with")
	if len(a.variants()) == 0 {
		c.say("/conditional_access/platforms", "no policy is left with these platforms")
	}
	if slices.Contains(a.Applications, "All") && len(a.Applications) > 1 {
		c.say("/conditional_access/applications", "All stands alone")
	}
	desktop := slices.ContainsFunc(a.variants(), func(v variant) bool { return v.desktop })
	if desktop && (c.Compliance == nil || len(c.Compliance.Policies) == 0) {
		c.warn("/conditional_access", "it asks for a compliant device, and there is no compliance policy in this file: without any, every device counts as compliant")
	}
	if a.Variant == "two" && len(c.AppProtection) == 0 {
		c.warn("/conditional_access", "it asks mobiles for a protected app, and there is no app protection in this file: without one, nobody gets in")
	}
	if utf8.RuneCountInString(a.Name) > 100 {
		c.say("/conditional_access/name", "this is too long: at most 100 characters, as more is put behind it")
	}
}

// Keys are the keys of all objects that a spec may make.
func (s Spec) Keys() (keys []string) {
	state := &State{Licences: Licences{Intune: true, EntraP1: true, Defender: true}, Groups: map[string]Group{}, Accounts: map[string]Account{}}
	for _, name := range s.named() {
		state.Groups[name] = Group{ID: name}
	}
	for _, name := range s.Emergency.Accounts {
		state.Accounts[name] = Account{ID: name, Enabled: true}
	}
	wanted, _ := Desired(s, AllReport, state)
	for _, o := range wanted {
		keys = append(keys, o.Key)
	}
	return keys
}

func (c *specCheck) adopts() {
	keys := slices.DeleteFunc(c.Keys(), func(k string) bool { return k == "connector" || k == "settings" })
	owner := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(c.Adopt)) {
		id, path := c.Adopt[key], "/adopt/"+strings.ReplaceAll(key, "/", "~1")
		if !slices.Contains(keys, key) {
			c.say(path, "this file makes no %.60q; it makes %s", key, strings.Join(keys, ", "))
		}
		switch other, twice := owner[strings.ToLower(id)]; {
		case id == adoptNew:
		case !guid.MatchString(id):
			c.say(path, "this is the id of what is to be adopted, or new")
		case twice:
			c.say(path, "%s adopts it already", other)
		default:
			owner[strings.ToLower(id)] = key
		}
	}
}

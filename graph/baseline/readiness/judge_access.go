package readiness

import (
	"fmt"
	"slices"
	"strings"
)

// emergency asks for at least one account that the rollout can lock nobody out of:
// there, enabled, not synchronised, and hit by none of the baseline's policies on
// any platform (Entra docs: security-emergency-access).
func (j *judge) emergency() Check {
	var found []Finding
	if len(j.Scope.Emergency) == 0 {
		found = append(found, Finding{ID: id(Emergency, "none"), What: "the baseline names no emergency account", Fix: "name at least one in the file, and exclude it"})
	}
	asked := map[string]int{}
	for _, e := range j.Evaluated {
		if !e.Emergency {
			continue
		}
		asked[e.UserID]++
		for _, p := range e.Hit {
			found = append(found, Finding{ID: id(Emergency, e.UserID+"/"+p), User: e.UPN, Platform: e.Platform,
				What: fmt.Sprintf("the policy %s applies to it (%s, %s)", j.policy(p), e.Platform, e.Client), Fix: "exclude the account from the policy"})
		}
	}
	unknown := j.unread(partWhatIf)
	for _, a := range j.Scope.Emergency {
		f := Finding{ID: id(Emergency, a.Named), User: cmpOr(a.UPN, a.Named)}
		switch {
		case a.Found == No:
			f.What, f.Fix = "there is no such account", "create it, or mend its name in the file"
		case a.Found != Yes || a.Enabled == NotKnown || a.Synced == NotKnown:
			unknown = cmpOr(unknown, "the account "+a.Named+" could not be read")
			continue
		case a.Enabled == No:
			f.What, f.Fix = "the account is disabled", "enable it"
		case a.Synced == Yes:
			f.What, f.Fix = "the account is synchronised from another directory", "use an account that lives in Entra only"
		case asked[a.ID] == 0:
			unknown = cmpOr(unknown, "no policy was evaluated for "+a.Named)
			continue
		default:
			continue
		}
		found = append(found, f)
	}
	return j.check(Emergency, fmt.Sprintf("%s there, enabled, in Entra only, and hit by no policy of the baseline", counted(len(j.Scope.Emergency), "account")), compactByID(found), unknown)
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// compactByID keeps the first of findings with one id.
func compactByID(all []Finding) []Finding {
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(f Finding) bool {
		had := seen[f.ID]
		seen[f.ID] = true
		return had
	})
}

func (j *judge) policy(id string) string {
	for _, p := range j.Scope.Policies {
		if p.ID == id {
			return p.Name
		}
	}
	return id
}

// complete fails for whatever could not be read and no other check speaks of.
func (j *judge) complete() Check {
	var found []Finding
	for _, u := range j.Unread {
		switch u.What {
		case partApps, partSignIns, partWhatIf, partPolicies, partLicences:
			continue // said where it matters
		}
		found = append(found, Finding{ID: id(Complete, u.What), What: u.What + ": " + u.Why, Fix: "`curfew baseline doctor` names the permission that is missing"})
	}
	return j.check(Complete, fmt.Sprintf("%s of %s", counted(len(j.Devices), "device"), counted(len(j.Users), "user")), found, "")
}

// inPlace asks that the tenant is as its stage wants it: a pilot of half a baseline
// proves nothing.
func (j *judge) inPlace() Check {
	var found []Finding
	for _, what := range j.Scope.Open {
		found = append(found, Finding{ID: id(InPlace, what), What: what, Fix: "`curfew baseline plan` shows it, and `curfew baseline apply` does it"})
	}
	if len(j.Scope.Policies) == 0 {
		found = append(found, Finding{ID: id(InPlace, "access"), What: "no Conditional Access policy of the baseline is on, or reports", Fix: "`curfew baseline apply`; with start: off in the file nothing rehearses"})
	}
	return j.check(InPlace, "nothing is left to do at this stage", found, "")
}

// time asks how long the tenant has been in its stage.
func (j *judge) time() Check {
	least := j.rules.Least
	switch {
	case least < 0:
		return j.check(Time, "none is asked for", nil, "")
	case j.Scope.Began.IsZero():
		return j.check(Time, "", nil, "nobody recorded when the stage began: it counts from when `curfew baseline rollout status` first sees it with a worker's queue at hand")
	}
	been := j.now.Sub(j.Scope.Began)
	if been >= least {
		return j.check(Time, spell(been)+" of "+spell(least), nil, "")
	}
	return j.check(Time, "", []Finding{{ID: id(Time, j.Scope.Stage), What: fmt.Sprintf("%s of %s: wait until %s", spell(been), spell(least), j.Scope.Began.Add(least).Format("2006-01-02 15:04 MST"))}}, "")
}

// whatIf asks whether the baseline reaches those it is about. A policy that hits
// nobody passes every other check and protects nothing.
func (j *judge) whatIf() Check {
	var found []Finding
	users := 0
	for _, e := range j.Evaluated {
		if e.Emergency {
			continue
		}
		users++
		if len(e.Hit) == 0 {
			found = append(found, Finding{ID: id(WhatIf, e.UserID+"/"+e.Platform), User: e.UPN, Platform: e.Platform,
				What: "none of the baseline's policies applies to a sign-in" + because(e.Why), Fix: "look at who and what the policy includes, with Entra's What If tool"})
		}
	}
	unknown := j.unread(partWhatIf)
	if users == 0 {
		unknown = cmpOr(unknown, "no sign-in of anybody in scope was evaluated")
	}
	return j.check(WhatIf, fmt.Sprintf("a policy of the baseline applies to each of %s", counted(users, "sign-in")), found, unknown)
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return " (" + why + ")"
}

// signIns holds the results of report-only policies against the rollout: whoever
// failed would have been locked out. What an enforced policy stops is its work.
func (j *judge) signIns() Check {
	unknown := j.unread(partSignIns)
	if unknown == "" && !j.SignIns.Known {
		unknown = "the sign-in log does not show what Conditional Access did: Policy.Read.All is missing, or nobody signed in"
	}
	total := 0
	for _, n := range j.SignIns.Results {
		total += n
	}
	if unknown == "" && j.judged() < j.rules.SignIns {
		unknown = fmt.Sprintf("the baseline's policies applied to %d of %d sign-ins, and at least %d are needed: wait for people to sign in", j.judged(), j.SignIns.Read, j.rules.SignIns)
	}
	var found []Finding
	reports := slices.ContainsFunc(j.Scope.Policies, func(p Policy) bool { return !p.Enforced })
	for _, a := range j.SignIns.Against {
		if !reports {
			break
		}
		found = append(found, Finding{ID: id(SignedIn, a.UserID), User: a.UPN, Platform: a.Platform,
			What: fmt.Sprintf("%d sign-ins would have been refused and %d interrupted, last to %s by %s", a.Failed, a.Interrupted, a.App, a.Client),
			Fix:  "make the device that was used compliant, or find out what it is"})
	}
	return j.check(SignedIn, j.results(), found, unknown)
}

// judged is how many sign-ins a policy of the baseline applied to.
func (j *judge) judged() int {
	n := 0
	for result, count := range j.SignIns.Results {
		if !strings.HasSuffix(strings.ToLower(result), "notapplied") && result != "notEnabled" {
			n += count
		}
	}
	return n
}

func (j *judge) results() string {
	var parts []string
	for _, result := range []string{"reportOnlySuccess", "reportOnlyFailure", "reportOnlyInterrupted", "reportOnlyNotApplied", "success", "failure", "notApplied"} {
		if n := j.SignIns.Results[result]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, result))
		}
	}
	part := ""
	if j.SignIns.Part {
		part = ", a sample"
	}
	return fmt.Sprintf("%d sign-ins since %s%s: %s", j.SignIns.Read, j.SignIns.Since.Format("2006-01-02"), part, strings.Join(parts, ", "))
}

package readiness

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

type signInRow struct {
	At     time.Time `json:"createdDateTime"`
	UserID string    `json:"userId"`
	UPN    string    `json:"userPrincipalName"`
	App    string    `json:"appDisplayName"`
	Client string    `json:"clientAppUsed"`
	Device struct {
		OS string `json:"operatingSystem"`
	} `json:"deviceDetail"`
	Applied []struct {
		ID     string `json:"id"`
		Result string `json:"result"`
	} `json:"appliedConditionalAccessPolicies"`
}

// signInDays is how many days are sampled, a page of a thousand sign-ins each: the
// log allows 5 requests in 10 s (Graph docs: throttling-limits), and a large tenant
// has a hundred thousand sign-ins a day.
const signInDays = 6

// signIns samples the sign-in log since the stage began: the last sign-ins of each
// day.
func (r *reading) signIns(ctx context.Context) error {
	since := r.At.Add(-7 * day)
	if r.Scope.Began.After(since) {
		since = r.Scope.Began
	}
	s := SignIns{Since: since, Results: map[string]int{}}
	against := map[string]*Against{}
	var from time.Time
	for to := r.At; to.After(since) && r.At.Sub(to) < signInDays*day; to = from.Add(-time.Second) { // the log counts seconds
		from = to.Add(-day)
		if from.Before(since) {
			from = since
		}
		filter := "createdDateTime ge " + from.Format(time.RFC3339) + " and createdDateTime le " + to.Format(time.RFC3339)
		answer, err := ask(ctx, r.api, http.MethodGet, query("v1.0/auditLogs/signIns", "$filter", filter, "$top", "1000"), nil, nil)
		if err != nil {
			return err
		}
		var page struct {
			Value []signInRow `json:"value"`
			Next  string      `json:"@odata.nextLink"`
		}
		if err := json.Unmarshal(answer, &page); err != nil {
			return fmt.Errorf("an answer that cannot be read: %w", err)
		}
		s.Part = s.Part || page.Next != ""
		for _, row := range page.Value {
			s.Known = s.Known || len(row.Applied) > 0
			s.Read++
			r.tally(row, &s, against)
		}
		r.progress(partSignIns, s.Read)
	}
	s.Part = s.Part || r.At.Sub(since) > signInDays*day
	for _, a := range against {
		s.Against = append(s.Against, *a)
	}
	slices.SortFunc(s.Against, func(a, b Against) int { return strings.Compare(a.UPN+a.UserID, b.UPN+b.UserID) })
	r.SignIns = s
	return nil
}

// tally counts what the baseline's policies made of one sign-in.
func (r *reading) tally(row signInRow, s *SignIns, against map[string]*Against) {
	for _, p := range row.Applied {
		if r.policy(p.ID) == nil {
			continue
		}
		s.Results[line(p.Result)]++
		failed, interrupted := p.Result == "reportOnlyFailure", p.Result == "reportOnlyInterrupted"
		if !failed && !interrupted {
			continue
		}
		a := against[row.UserID]
		if a == nil {
			a = &Against{UserID: line(row.UserID), UPN: line(row.UPN)}
			against[row.UserID] = a
		}
		if failed {
			a.Failed++
		} else {
			a.Interrupted++
		}
		if row.At.After(a.At) {
			a.At, a.App, a.Client, a.Platform = row.At, line(row.App), line(row.Client), line(row.Device.OS)
		}
	}
}

func (r *reading) policy(id string) *Policy {
	for i, p := range r.Scope.Policies {
		if strings.EqualFold(p.ID, id) {
			return &r.Scope.Policies[i]
		}
	}
	return nil
}

// exchangeOnline stands for Office 365 in what-if evaluations.
const exchangeOnline = "00000002-0000-0ff1-ce00-000000000000"

const samples = 3 // users whom what-if is asked about

// whatIf asks which policies would apply to the emergency accounts, on every
// platform, and to some users in scope, where the baseline means to reach them.
func (r *reading) whatIf(ctx context.Context) error {
	for _, a := range r.Scope.Emergency {
		if a.ID == "" {
			continue
		}
		for _, on := range []struct{ platform, client string }{
			{"windows", "browser"}, {"windows", apps}, {"macOS", apps}, {"iOS", apps}, {"android", apps},
		} {
			e := Evaluated{UserID: a.ID, UPN: a.UPN, Emergency: true, Platform: on.platform, Client: on.client}
			if err := r.evaluate(ctx, e); err != nil {
				return err
			}
		}
	}
	for _, u := range r.sample() {
		for _, platform := range r.reached() {
			if err := r.evaluate(ctx, Evaluated{UserID: u.ID, UPN: u.UPN, Platform: platform, Client: apps}); err != nil {
				return err
			}
		}
	}
	return nil
}

const apps = "mobileAppsAndDesktopClients"

// sample are some users, the same ones each time.
func (r *reading) sample() []User {
	if len(r.Users) <= samples {
		return r.Users
	}
	return []User{r.Users[0], r.Users[len(r.Users)/2], r.Users[len(r.Users)-1]}
}

// reached are the platforms that the baseline's policies are about, at most two.
func (r *reading) reached() []string {
	var all []string
	for _, p := range r.Scope.Policies {
		for _, name := range p.Platforms {
			if name != "all" && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	if len(all) == 0 {
		return []string{"windows"}
	}
	slices.Sort(all)
	return all[:min(len(all), 2)]
}

// evaluate asks about one sign-in (Graph docs: conditionalaccessroot-evaluate).
func (r *reading) evaluate(ctx context.Context, e Evaluated) error {
	rows, err := Evaluate(ctx, r.api, e.UserID, cmp.Or(r.Scope.App, exchangeOnline), e.Platform, e.Client, nil)
	if err != nil {
		return err
	}
	for _, p := range rows {
		ours := r.policy(p.ID)
		switch {
		case ours != nil && p.Applies:
			e.Hit = append(e.Hit, p.ID)
		case ours != nil:
			e.Why = line(p.Reason)
		case p.Applies && p.State == "enabled":
			e.Others = append(e.Others, line(p.Name))
		}
	}
	r.Evaluated = append(r.Evaluated, e)
	r.progress(partWhatIf, len(r.Evaluated))
	return nil
}

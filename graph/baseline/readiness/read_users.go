package readiness

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// intunePlans are the service plans that are Intune (Entra docs:
// licensing-service-plan-reference): for enterprises, and for small business.
var intunePlans = [...]string{"c1ec4a95-1f05-45b3-a911-aa3fa01094f5", "8e9ff0ff-aa7a-4b20-83c1-2f636b600ac2"}

type userRow struct {
	ID       string `json:"id"`
	UPN      string `json:"userPrincipalName"`
	Enabled  *bool  `json:"accountEnabled"`
	Type     string `json:"userType"`
	Licences []struct {
		SKU      string   `json:"skuId"`
		Disabled []string `json:"disabledPlans"`
	} `json:"assignedLicenses"`
}

const (
	userProperties = "id,userPrincipalName,accountEnabled,userType,assignedLicenses"
	directoryRows  = "999" // the most that Entra puts on a page
)

// advanced is what a path with a type in it asks for (Graph docs:
// aad-advanced-queries).
func advanced() http.Header { return http.Header{"ConsistencyLevel": {"eventual"}} }

func members(group string) string {
	return query("v1.0/groups/"+group+"/transitiveMembers/microsoft.graph.user", "$count", "true", "$select", userProperties, "$top", directoryRows)
}

// users reads who is in scope: those that can sign in and are not left out.
func (r *reading) users(ctx context.Context) error {
	r.byUser = map[string]int{}
	out := map[string]bool{}
	for _, u := range r.Scope.ExcludeUsers {
		out[strings.ToLower(u)] = true
	}
	for _, a := range r.Scope.Emergency {
		out[strings.ToLower(a.ID)] = true
	}
	for _, g := range r.Scope.ExcludeGroups {
		err := list(ctx, r.api, members(g), advanced(), func(rows []userRow) error {
			for _, u := range rows {
				out[strings.ToLower(u.ID)] = true
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("the members of an excluded group: %w", err)
		}
	}
	skus, err := r.products(ctx)
	r.note(partLicences, err)
	path, header := query("v1.0/users", "$select", userProperties, "$top", directoryRows), http.Header(nil)
	if !r.Scope.Everybody {
		path, header = members(r.Scope.Group), advanced()
	}
	return list(ctx, r.api, path, header, func(rows []userRow) error {
		for _, u := range rows {
			if id := strings.ToLower(u.ID); id == "" || out[id] || u.Enabled != nil && !*u.Enabled {
				continue
			}
			r.byUser[strings.ToLower(u.ID)], r.byUser[strings.ToLower(u.UPN)] = len(r.Users), len(r.Users)
			r.Users = append(r.Users, User{ID: line(u.ID), UPN: line(u.UPN), Guest: strings.EqualFold(u.Type, "Guest"), Licensed: u.licensed(skus)})
		}
		r.progress(partUsers, len(r.Users))
		return nil
	})
}

// products are the ids of those that the tenant has and that have Intune.
func (r *reading) products(ctx context.Context) (map[string]bool, error) {
	var said struct {
		Value []struct {
			ID    string `json:"skuId"`
			Plans []struct {
				ID string `json:"servicePlanId"`
			} `json:"servicePlans"`
		} `json:"value"`
	}
	if err := Get(ctx, r.api, "v1.0/subscribedSkus", &said); err != nil {
		return nil, err
	}
	has := map[string]bool{}
	for _, s := range said.Value {
		for _, p := range s.Plans {
			if slices.Contains(intunePlans[:], strings.ToLower(p.ID)) {
				has[strings.ToLower(s.ID)] = true
			}
		}
	}
	return has, nil
}

// licensed reports whether the user has one of those products, with Intune switched
// on in it. A guest needs none.
func (u userRow) licensed(skus map[string]bool) Answer {
	if strings.EqualFold(u.Type, "Guest") {
		return Yes
	}
	if skus == nil {
		return NotKnown
	}
	for _, l := range u.Licences {
		off := slices.ContainsFunc(l.Disabled, func(p string) bool { return slices.Contains(intunePlans[:], strings.ToLower(p)) })
		if skus[strings.ToLower(l.SKU)] && !off {
			return Yes
		}
	}
	return No
}

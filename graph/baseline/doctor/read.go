package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"curfew/graph/baseline"
	"curfew/graph/baseline/readiness"
)

// Read fetches what the questions need beside what [baseline.Read] does, and changes
// nothing.
func Read(ctx context.Context, api baseline.API, state *baseline.State) More {
	m := More{Unread: map[string]string{}}
	phones, err := readiness.Mobiles(ctx, api, "Android")
	if err != nil {
		m.Unread[NoPortal] = err.Error()
	} else {
		m.Portals = len(phones)
	}
	for _, d := range phones {
		switch d.Apps.Portal {
		case readiness.No:
			m.Lacking = append(m.Lacking, d.Name)
		case readiness.NotKnown:
			m.Unclear++
		}
	}
	if err := m.groups(ctx, api, state); err != nil {
		m.Unread[DeviceGroup] = err.Error()
	}
	return m
}

// groups looks whether there are devices in groups that app protection is assigned
// to (Graph docs: group-list-transitivemembers, with an OData cast).
func (m *More) groups(ctx context.Context, api baseline.API, state *baseline.State) error {
	asked := map[string]bool{}
	for _, p := range state.Protection {
		list, _ := p["assignments"].([]any)
		for _, v := range list {
			a, _ := v.(map[string]any)
			id, _ := dig(a, "target.groupId").(string)
			if id == "" || asked[id] || strings.ContainsAny(id, "/?#") {
				continue
			}
			asked[id] = true
			header := http.Header{"ConsistencyLevel": {"eventual"}}
			answer, err := api.Do(ctx, http.MethodGet, "v1.0/groups/"+id+"/transitiveMembers/microsoft.graph.device?$count=true&$select=id,displayName&$top=5", header, nil)
			if err != nil {
				return err
			}
			var page struct {
				Value []struct {
					Name string `json:"displayName"`
				} `json:"value"`
			}
			if err := json.Unmarshal(answer, &page); err != nil {
				return fmt.Errorf("an answer that cannot be read: %w", err)
			}
			if len(page.Value) > 0 {
				m.DeviceGroups = append(m.DeviceGroups, fmt.Sprintf("%q is assigned to the group %s, which has devices in it, such as %q", p.Name(), id, page.Value[0].Name))
			}
		}
	}
	return nil
}

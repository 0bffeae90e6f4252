package readiness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

type managedRow struct {
	ID         string    `json:"id"`
	EntraID    string    `json:"azureADDeviceId"`
	Name       string    `json:"deviceName"`
	UserID     string    `json:"userId"`
	UPN        string    `json:"userPrincipalName"`
	OS         string    `json:"operatingSystem"`
	Owner      string    `json:"managedDeviceOwnerType"`
	Compliance string    `json:"complianceState"`
	Threat     string    `json:"partnerReportedThreatState"`
	LastSync   time.Time `json:"lastSyncDateTime"`
}

const managedProperties = "id,azureADDeviceId,deviceName,userId,userPrincipalName,operatingSystem,managedDeviceOwnerType,complianceState,partnerReportedThreatState,lastSyncDateTime"

// devices reads Intune's whole list, a thousand a page, and keeps those of users in
// scope: by whom cannot be filtered (Intune ignores filters it does not support).
func (r *reading) devices(ctx context.Context) error {
	seen := 0
	return list(ctx, r.api, query("v1.0/deviceManagement/managedDevices", "$select", managedProperties, "$top", "1000"), nil, func(rows []managedRow) error {
		seen += len(rows)
		for _, d := range rows {
			user, ours := r.byUser[strings.ToLower(d.UserID)]
			if !ours || d.UserID == "" {
				if user, ours = r.byUser[strings.ToLower(d.UPN)]; !ours || d.UPN == "" {
					continue
				}
			}
			if d.LastSync.Year() <= 1 { // Intune writes the first year for never
				d.LastSync = time.Time{}
			}
			r.Devices = append(r.Devices, Device{
				ID: line(d.ID), EntraID: strings.ToLower(line(d.EntraID)), Name: line(d.Name), User: user,
				OS: r.keep(d.OS), Owner: r.keep(d.Owner), Compliance: r.keep(d.Compliance), Threat: r.keep(d.Threat), LastSync: d.LastSync,
			})
		}
		r.progress(partDevices, seen)
		return nil
	})
}

type objectRow struct {
	ID        string    `json:"id"`
	DeviceID  string    `json:"deviceId"`
	Name      string    `json:"displayName"`
	OS        string    `json:"operatingSystem"`
	Trust     string    `json:"trustType"`
	Compliant *bool     `json:"isCompliant"`
	Managed   *bool     `json:"isManaged"`
	Enabled   *bool     `json:"accountEnabled"`
	Seen      time.Time `json:"approximateLastSignInDateTime"`
}

const objectProperties = "id,deviceId,displayName,operatingSystem,trustType,isCompliant,isManaged,accountEnabled,approximateLastSignInDateTime"

// entra reads the directory's whole list of devices.
func (r *reading) entra(ctx context.Context) error {
	return list(ctx, r.api, query("v1.0/devices", "$select", objectProperties, "$top", directoryRows), nil, func(rows []objectRow) error {
		for _, o := range rows {
			o.OS, o.Trust = r.keep(o.OS), r.keep(o.Trust)
			o.ID, o.DeviceID, o.Name = line(o.ID), strings.ToLower(line(o.DeviceID)), line(o.Name)
			r.objects = append(r.objects, o)
		}
		r.progress(partEntra, len(r.objects))
		return nil
	})
}

// match holds the directory's devices against Intune's: which object each has, and
// which others bear its name.
func (r *reading) match() {
	byID, byName := map[string]int{}, map[string]int{}
	for i := range r.Devices { // no copies: other parts fill in their fields meanwhile
		d := &r.Devices[i]
		byID[d.EntraID] = i
		byName[strings.ToLower(d.Name)] = i
	}
	for _, o := range r.objects {
		if i, ok := byID[o.DeviceID]; ok {
			d := &r.Devices[i]
			d.InEntra, d.Seen = true, o.Seen
			if d.Enabled = Yes; o.Enabled != nil {
				d.Enabled = answer(*o.Enabled)
			}
			if d.Access = NotKnown; o.Compliant != nil {
				d.Access = answer(*o.Compliant)
			}
			continue
		}
		if i, ok := byName[strings.ToLower(o.Name)]; ok && o.Name != "" && (o.Enabled == nil || *o.Enabled) {
			r.Left = append(r.Left, Object{ID: o.ID, DeviceID: o.DeviceID, Name: o.Name, OS: o.OS, Trust: o.Trust, Seen: o.Seen, Managed: o.Managed != nil && *o.Managed, Twin: i})
		}
	}
	r.objects = nil
}

const (
	atOnce       = 16   // requests of one part; the tenant's budget is what limits them
	mostSettings = 1000 // devices whose settings are read
)

type policyRow struct {
	Name     string `json:"displayName"`
	State    string `json:"state"`
	Settings []struct {
		Setting string `json:"setting"`
		Name    string `json:"settingName"`
		State   string `json:"state"`
	} `json:"settingStates"`
}

// settings reads what each device that is not compliant fails. One request a
// device: a batch of them would cost the same, for each part of it counts (Graph
// docs: json-batching, throttling).
func (r *reading) settings(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	n := 0
	for i := range r.Devices {
		if r.Devices[i].Compliance == "compliant" {
			continue
		}
		if n++; n > mostSettings {
			break
		}
		g.Go(func() error { return r.failing(ctx, &r.Devices[i]) })
	}
	return g.Wait()
}

func (r *reading) failing(ctx context.Context, d *Device) error {
	if !plainID(d.ID) {
		return fmt.Errorf("a device has the id %q, which is none", d.ID)
	}
	once := map[Setting]bool{} // a device has a row for its user and one for the system
	return list(ctx, r.api, "v1.0/deviceManagement/managedDevices/"+d.ID+"/deviceCompliancePolicyStates", nil, func(rows []policyRow) error {
		for _, p := range rows {
			if met(p.State) {
				continue
			}
			found := Setting{Policy: r.keep(p.Name), State: r.keep(p.State)}
			for _, s := range p.Settings {
				if !met(s.State) {
					found.Name, found.State = r.keep(cmpOr(s.Setting, s.Name)), r.keep(s.State)
					once[found] = true
				}
			}
			if found.Name == "" {
				once[found] = true
			}
			for s := range once {
				d.Failing = append(d.Failing, s)
			}
			clear(once)
		}
		sortSettings(d.Failing)
		return nil
	})
}

func sortSettings(all []Setting) {
	slices.SortFunc(all, func(a, b Setting) int { return strings.Compare(a.Policy+"\x00"+a.Name, b.Policy+"\x00"+b.Name) })
}

// met reports whether a compliance status asks nothing of anybody.
func met(state string) bool {
	switch state {
	case "compliant", "remediated", "notApplicable", "notAssigned":
		return true
	}
	return false
}

// unassigned reads Intune's report of devices without a policy: it alone knows
// them, for their state is compliant (Intune docs: create-compliance-policy).
func (r *reading) unassigned(ctx context.Context) error {
	without := map[string]bool{}
	for seen := 0; ; {
		body := fmt.Appendf(nil, `{"select":[],"filter":"","orderBy":[],"search":"","skip":%d,"top":50}`, seen)
		answer, err := ask(ctx, r.api, http.MethodPost, "v1.0/deviceManagement/reports/getDevicesWithoutCompliancePolicyReport", nil, body)
		if err != nil {
			return err
		}
		var said struct {
			Total  int `json:"TotalRowCount"`
			Schema []struct{ Column string }
			Values [][]any
		}
		if err := json.Unmarshal(answer, &said); err != nil {
			return errors.New("the report is not of the form that its kind has")
		}
		column := -1
		for i, c := range said.Schema {
			if strings.EqualFold(c.Column, "DeviceId") {
				column = i
			}
		}
		if column < 0 && said.Total > 0 {
			return errors.New("the report names no devices")
		}
		for _, row := range said.Values {
			if id, is := at(row, column).(string); is {
				without[strings.ToLower(id)] = true
			}
		}
		if seen += len(said.Values); seen >= said.Total || len(said.Values) == 0 || seen > 50*mostPages {
			break
		}
	}
	for i := range r.Devices {
		r.Devices[i].Policy = answerNot(without[strings.ToLower(r.Devices[i].ID)])
	}
	return nil
}

func answerNot(no bool) Answer { return answer(!no) }

func at(row []any, i int) any {
	if i < len(row) {
		return row[i]
	}
	return nil
}

package graphtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A MachineAction is one that Defender for Endpoint took on.
type MachineAction struct {
	ID      string
	Device  string
	Machine string // the record it was asked of
	Type    string // RunAntiVirusScan, Isolate, Unisolate
	Scope   string // Quick, Full, Selective …
	Comment string
	App     string
	Status  string // Pending, InProgress, Succeeded, Failed
	Asked   time.Time
	Changed time.Time
}

type machineAction struct {
	MachineAction
	outcome Outcome
	live    bool // the machine is the one in use
}

type investigation struct {
	id, device, machine, comment string
	at                           time.Time
}

func (a *machineAction) open() bool { return a.Status == "Pending" || a.Status == "InProgress" }

// MachineActions returns what Defender was asked of a device, oldest first, and
// Investigations the comments of the investigations started on it.
func (t *Tenant) MachineActions(name string) []MachineAction {
	var all []MachineAction
	t.tell(name, func(d *device, now time.Time) {
		t.settleDefender(now)
		for _, a := range t.defender.actions {
			if a.Device == d.Name {
				all = append(all, a.MachineAction)
			}
		}
	})
	return all
}

// Investigations returns the comments of the investigations started by request.
func (t *Tenant) Investigations(name string) []string {
	var all []string
	t.tell(name, func(d *device, _ time.Time) {
		for _, i := range t.defender.investigations {
			if i.device == d.Name {
				all = append(all, i.comment)
			}
		}
	})
	return all
}

// IsolateByHand isolates a device as somebody else would: a person in the
// portal, or automatic attack disruption.
func (t *Tenant) IsolateByHand(name, comment string) {
	t.tell(name, func(d *device, now time.Time) {
		t.defender.actions = append(t.defender.actions, &machineAction{live: true, MachineAction: MachineAction{
			ID: newGUID(), Device: d.Name, Machine: d.DefenderID, Type: "Isolate", Scope: "Full", Comment: comment,
			Status: "Pending", Asked: now, Changed: now,
		}})
	})
}

// actOnMachine takes an action on: 201. Comment and, for a scan, ScanType are
// required; a second action of the same type is refused while one is open
// (Defender docs: run-av-scan, isolate-machine, unisolate-machine). The code of
// that refusal is the one that TheHive's responder looks for.
func (k *call) actOnMachine() reply {
	d, m, found := k.tenant.findMachine(k.args[0], k.now)
	if !found {
		return k.noMachine()
	}
	var body struct {
		Comment, ScanType, IsolationType string
	}
	if err := json.Unmarshal(k.body, &body); err != nil {
		return k.refuseDefender(http.StatusBadRequest, "InvalidRequestBody", "Request body is incorrect")
	}
	a := &machineAction{live: m.id == d.DefenderID, MachineAction: MachineAction{
		ID: newGUID(), Device: d.Name, Machine: m.id, Comment: body.Comment, App: k.app.ID,
		Status: "Pending", Asked: k.now, Changed: k.now,
	}}
	wants := []string{""}
	name := strings.ToLower(k.segs[len(k.segs)-1])
	switch name {
	case "runantivirusscan":
		a.Type, a.Scope, wants = "RunAntiVirusScan", body.ScanType, []string{"Quick", "Full"}
	case "isolate":
		a.Type, a.Scope, wants = "Isolate", body.IsolationType, []string{"Full", "Selective", "UnManagedDevice"}
	default:
		a.Type = "Unisolate"
	}
	switch {
	case body.Comment == "":
		return k.refuseDefender(http.StatusBadRequest, "MissingRequiredParameter", "Parameter Comment is missing.")
	case !slices.Contains(wants, a.Scope):
		return k.refuseDefender(http.StatusBadRequest, "InvalidInput", "Invalid input "+a.Scope+".")
	case slices.ContainsFunc(k.tenant.defender.actions, func(o *machineAction) bool {
		return o.open() && o.Machine == a.Machine && o.Type == a.Type
	}):
		return k.refuseDefender(http.StatusBadRequest, "ActiveRequestAlreadyExists", "Action is already in progress")
	}
	k.tenant.keep(d)
	if next := d.outcomes[name]; len(next) > 0 {
		a.outcome, d.outcomes[name] = next[0], next[1:]
	}
	k.tenant.defender.actions = append(k.tenant.defender.actions, a)
	return reply{status: http.StatusCreated, body: k.entity("MachineActions", k.machineActionRow(a).bytes())}
}

// settleDefender takes every open action as far as time has.
func (t *Tenant) settleDefender(now time.Time) {
	for _, a := range t.defender.actions {
		if !a.open() || !a.live || a.outcome == Sticks {
			continue
		}
		d := t.find(a.Device)
		from := a.Asked
		if d.onlineAt.After(from) {
			from = d.onlineAt
		}
		started := from.Add(t.timing.Pickup)
		if d.Offline || now.Before(started) {
			continue
		}
		took := t.timing.Lock // network isolation is quick
		if a.Type == "RunAntiVirusScan" {
			if took = t.timing.QuickScan; a.Scope == "Full" {
				took = t.timing.FullScan
			}
		}
		a.Status, a.Changed = "InProgress", started
		if ended := started.Add(took); !now.Before(ended) {
			t.endMachineAction(d, a, ended)
		}
	}
}

func (t *Tenant) endMachineAction(d *device, a *machineAction, at time.Time) {
	a.Status, a.Changed = "Succeeded", at
	switch {
	case a.outcome == Fails:
		a.Status = "Failed"
	case a.outcome != Works:
	case a.Type == "Isolate":
		d.isolated = true
	case a.Type == "Unisolate":
		d.isolated = false
	case a.Scope == "Full" && d.scanHeals:
		t.heal(d, at, "successfullyRemediated")
	}
}

// machineActionRow is a machineAction (Defender docs: machineaction, 2025-03).
func (k *call) machineActionRow(a *machineAction) object {
	return object{
		{"id", a.ID}, {"type", a.Type}, {"scope", orNull(a.Scope)}, {"requestor", a.App}, {"requestorComment", a.Comment},
		{"status", a.Status}, {"machineId", a.Machine}, {"computerDnsName", strings.ToLower(a.Device) + "." + k.tenant.Domain},
		{"creationDateTimeUtc", a.Asked}, {"lastUpdateDateTimeUtc", a.Changed}, {"cancellationRequestor", nil},
		{"requestSource", "PublicApi"}, {"externalId", nil}, {"relatedFileInfo", nil},
	}
}

// listMachineActions filters by the properties that Defender's page names
// (get-machineactions-collection).
func (k *call) listMachineActions() reply {
	where, err := parseFilter(k.query.Get("$filter"))
	if err != nil {
		return k.refuseDefender(http.StatusBadRequest, "ODataError", err.Error())
	}
	size, from, out := k.page(10_000, 10_000)
	if out.status != 0 {
		return k.refuseDefender(http.StatusBadRequest, "ODataError", "Invalid query option.")
	}
	rows := []object{}
	for _, a := range slices.Backward(k.tenant.defender.actions) {
		if a.outcome == Vanishes {
			continue
		}
		row := k.machineActionRow(a)
		get := func(path string) any {
			for _, p := range row {
				if strings.EqualFold(p.key, path) {
					return p.value
				}
			}
			return nil
		}
		if where == nil || where.match(get) {
			rows = append(rows, row)
		}
	}
	end := min(from+size, len(rows))
	page := object{{"@odata.context", k.base + "/$metadata#MachineActions"}}
	if end < len(rows) {
		page = append(page, pair{"@odata.nextLink", k.next("$skiptoken", pageToken(end))})
	}
	return ok(append(page, pair{"value", rows[min(from, end):end]}))
}

func (k *call) getMachineAction() reply {
	for _, a := range k.tenant.defender.actions {
		if strings.EqualFold(a.ID, k.args[0]) && a.outcome != Vanishes {
			return reply{status: http.StatusOK, body: k.entity("MachineActions", k.machineActionRow(a).bytes())}
		}
	}
	return k.refuseDefender(http.StatusNotFound, "ResourceNotFound", "Machine action "+k.args[0]+" was not found")
}

// investigate starts an automated investigation (Defender docs:
// initiate-autoir-investigation, 2020-12).
func (k *call) investigate() reply {
	d, m, found := k.tenant.findMachine(k.args[0], k.now)
	if !found {
		return k.noMachine()
	}
	var body struct{ Comment string }
	if err := json.Unmarshal(k.body, &body); err != nil || body.Comment == "" {
		return k.refuseDefender(http.StatusBadRequest, "MissingRequiredParameter", "Parameter Comment is missing.")
	}
	i := investigation{id: newGUID(), device: d.Name, machine: m.id, comment: body.Comment, at: k.now}
	k.tenant.defender.investigations = append(k.tenant.defender.investigations, i)
	return reply{status: http.StatusCreated, body: k.entity("Investigations", object{
		{"id", i.id}, {"startTime", i.at}, {"endTime", nil}, {"state", "Running"}, {"cancelledBy", nil}, {"statusDetails", nil},
		{"machineId", i.machine}, {"computerDnsName", strings.ToLower(d.Name) + "." + k.tenant.Domain}, {"triggeringAlertId", nil},
	}.bytes())}
}

package graph

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"curfew/events"
)

// A MachineAction is an entry of Defender's record of actions (Defender docs:
// machineaction, 2025-03). Enumerated values are as Microsoft sent them.
type MachineAction struct {
	ID        string // empty: Defender has an open one, and its record does not show it yet
	Type      string // RunAntiVirusScan, Isolate, Unisolate …
	Status    string // Pending, InProgress, Succeeded, Failed, TimeOut, Cancelled
	Machine   string // the machine's id
	Requestor string // an app's id, or a person's name
	Comment   string
	Created   time.Time
	Updated   time.Time
}

// Open reports whether Defender may still work on it. A status that this version
// does not know may be one that it works on.
func (a MachineAction) Open() bool {
	switch a.Status {
	case "Succeeded", "Failed", "TimeOut", "Cancelled":
		return false
	}
	return true
}

// Of reports whether the action was asked for by the task: its comment says so.
// (Defender's externalID is for this, but none of the pages of these actions
// takes one.) So a task whose call had an unclear end is settled.
func (a MachineAction) Of(task string) bool {
	return task != "" && strings.Contains(a.Comment, marker(task))
}

// marker is how a comment names its task. It must not change: actions are found
// again by it.
func marker(task string) string { return "[curfew " + task + "]" }

const maxWhy = 400 // bytes of the reason in a comment

// comment is what stands in Defender's record: who, which task, and why.
func (c *Client) comment(k call, task, why string) (string, error) {
	if task == "" || len(task) > maxKey || task != oneLine(task, maxKey) || strings.ContainsAny(task, "[]") {
		return "", c.told(k, final("", "an action needs a task id of at most %d bytes on one line, without brackets", maxKey))
	}
	return strings.TrimSpace(marker(task) + " " + oneLine(why, maxWhy)), nil
}

type machineActionRow struct {
	ID        text   `json:"id"`
	Type      text   `json:"type"`
	Status    text   `json:"status"`
	Machine   text   `json:"machineId"`
	Requestor text   `json:"requestor"`
	Comment   text   `json:"requestorComment"`
	Created   moment `json:"creationDateTimeUtc"`
	Updated   moment `json:"lastUpdateDateTimeUtc"`
}

func (r machineActionRow) action() MachineAction {
	return MachineAction{
		ID: string(r.ID), Type: string(r.Type), Status: string(r.Status), Machine: strings.ToLower(string(r.Machine)),
		Requestor: string(r.Requestor), Comment: string(r.Comment), Created: r.Created.time(), Updated: r.Updated.time(),
	}
}

// RunAntiVirusScan asks Defender for a quick or full scan of the device, by the
// sensor and not by Intune: it works without a check-in and has a record of its
// own. Success means queued. task and why go into the comment.
//
// Where a scan of the device is open already, that one is returned: what was asked
// for is under way, see [MachineAction.Of] for by whose doing. It may be of the
// other kind.
func (c *Client) RunAntiVirusScan(ctx context.Context, d events.Device, full bool, task, why string) (MachineAction, error) {
	kind := "Quick"
	if full {
		kind = "Full"
	}
	k := call{op: "scan by Defender", needs: machineScan + ofDefender}
	return c.actOn(ctx, k, d, "RunAntiVirusScan", "runAntiVirusScan", task, why, map[string]string{"ScanType": kind})
}

// Isolate asks Defender to cut the device off the network, but for Defender
// itself: Windows 10 1703 and later, and some Linux. A device behind a full-tunnel
// VPN loses Defender as well (Defender docs: isolate-machine). Success means
// queued. Where an isolation is open already, that one is returned.
func (c *Client) Isolate(ctx context.Context, d events.Device, task, why string) (MachineAction, error) {
	k := call{op: "isolate", needs: machineIsolate + ofDefender}
	return c.actOn(ctx, k, d, "Isolate", "isolate", task, why, map[string]string{"IsolationType": "Full"})
}

// Unisolate asks Defender to let the device back onto the network. Success means
// queued. Where that is open already, that one is returned.
func (c *Client) Unisolate(ctx context.Context, d events.Device, task, why string) (MachineAction, error) {
	k := call{op: "release from isolation", needs: machineIsolate + ofDefender}
	return c.actOn(ctx, k, d, "Unisolate", "unisolate", task, why, map[string]string{})
}

func (c *Client) actOn(ctx context.Context, k call, d events.Device, kind, path, task, why string, body map[string]string) (MachineAction, error) {
	k.service, k.effect = endpoint, true
	comment, err := c.comment(k, task, why)
	if err != nil {
		return MachineAction{}, err
	}
	m, err := c.Machine(ctx, d)
	if err != nil {
		return MachineAction{}, err
	}
	body["Comment"] = comment
	var row machineActionRow
	err = c.ask(ctx, k, http.MethodPost, "machines/"+m.ID+"/"+path, nil, body, &row)
	switch {
	case underWay(err):
		return c.openAction(ctx, m.ID, kind), nil
	case err != nil:
		return MachineAction{}, err
	}
	return row.action(), nil
}

// underWay reports whether Defender refused because an action of the same type is
// open on the machine: what is wanted is being done (Defender docs: run-av-scan,
// isolate-machine, unisolate-machine). The code is not on those pages; callers
// report it.
func underWay(err error) bool {
	e, no := refused(err)
	return no && e.Status == http.StatusBadRequest &&
		(e.Code == "ActiveRequestAlreadyExists" || strings.Contains(strings.ToLower(e.Message), "already in progress"))
}

// openAction is the machine's open action of a type. That it cannot be read does
// not change that there is one.
func (c *Client) openAction(ctx context.Context, machine, kind string) MachineAction {
	all, err := c.machineActions(ctx, machine)
	for _, a := range all {
		if err == nil && a.Type == kind && a.Open() {
			return a
		}
	}
	return MachineAction{Type: kind, Status: "InProgress", Machine: machine}
}

// MachineAction reads how an action stands. "Succeeded" is Defender's word for it.
func (c *Client) MachineAction(ctx context.Context, id string) (MachineAction, error) {
	k := call{op: "read the machine action", needs: needsMachines, service: endpoint}
	if !isGUID(id) {
		return MachineAction{}, c.told(k, final("", "%q is not the id of a machine action", oneLine(id, 64)))
	}
	var row machineActionRow
	if err := c.ask(ctx, k, http.MethodGet, "machineactions/"+id, nil, nil, &row); err != nil {
		return MachineAction{}, err
	}
	if !strings.EqualFold(string(row.ID), id) {
		return MachineAction{}, c.told(k, &Error{Message: "Defender shows another action than the one asked for"})
	}
	return row.action(), nil
}

// MachineActions are the actions on record of the device's machine as
// [Client.Machine] finds it, newest first: whoever asked for them. After an unclear
// end of a call they show whether it was taken on, see [MachineAction.Of].
func (c *Client) MachineActions(ctx context.Context, d events.Device) ([]MachineAction, error) {
	m, err := c.Machine(ctx, d)
	if err != nil {
		return nil, err
	}
	return c.machineActions(ctx, m.ID)
}

// maxMachineActions bounds what is kept of a machine's record.
const maxMachineActions = 200

// machineActions reads a machine's record. The filter is checked again.
func (c *Client) machineActions(ctx context.Context, machine string) ([]MachineAction, error) {
	k := call{op: "list the machine's actions", needs: needsMachines, service: endpoint}
	var all []MachineAction
	pages := 0
	err := askPages(ctx, c, k, "machineactions", url.Values{"$filter": {"machineId eq " + quote(machine)}}, func(p page[machineActionRow]) error {
		if pages++; pages > findPages {
			return &Error{Message: "Defender ignores the filter and sends every action; this tenant has too many to search"}
		}
		if p.Value.bad > 0 {
			return &Error{Message: "a row that cannot be read, which might be the action"}
		}
		for _, r := range p.Value.list {
			if strings.EqualFold(string(r.Machine), machine) {
				all = append(all, r.action())
			}
		}
		return nil
	})
	if status(err) == http.StatusNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b MachineAction) int { return b.Created.Compare(a.Created) })
	return all[:min(len(all), maxMachineActions)], nil
}

// An Investigation is an automated investigation of Defender's (Defender docs:
// investigation, 2020-12).
type Investigation struct {
	ID      string
	State   string // Running, Queued, PendingApproval, SuccessfullyRemediated, Benign, Failed …
	Machine string
	Started time.Time
}

// StartInvestigation asks Defender to investigate the device by itself, on
// Windows; it may remediate what it finds. 50 an hour are allowed. Defender keeps
// no record that could tell whether a call with an unclear end was taken on;
// asking twice does no harm.
func (c *Client) StartInvestigation(ctx context.Context, d events.Device, task, why string) (Investigation, error) {
	k := call{op: "start an investigation", needs: alertWrite + ofDefender, service: investigating, effect: true}
	comment, err := c.comment(k, task, why)
	if err != nil {
		return Investigation{}, err
	}
	m, err := c.Machine(ctx, d)
	if err != nil {
		return Investigation{}, err
	}
	var row struct {
		ID      text   `json:"id"`
		State   text   `json:"state"`
		Started moment `json:"startTime"`
	}
	err = c.ask(ctx, k, http.MethodPost, "machines/"+m.ID+"/startInvestigation", nil, map[string]string{"Comment": comment}, &row)
	switch {
	case underWay(err):
		return Investigation{State: "Running", Machine: m.ID}, nil
	case err != nil:
		return Investigation{}, err
	}
	return Investigation{ID: string(row.ID), State: string(row.State), Machine: m.ID, Started: row.Started.time()}, nil
}

package graphtest

import "slices"

// managementState shows a wipe or retire on its way, or that the last one failed.
func (m managed) managementState() any {
	if m.wiping == "" {
		return "managed"
	}
	return m.wiping
}

// actionResults is deviceActionResults: the last of each action, and only when
// one device is asked for; lists have it empty (powershell-intune-samples#35).
func (m managed) actionResults() any {
	rows := []object{}
	if !m.single {
		return rows
	}
	shown := map[string]bool{}
	for _, a := range slices.Backward(m.actions) {
		hidden := a.outcome == Vanishes || m.t.rules.HideResults && (a.Name == "wipe" || a.Name == "retire")
		if hidden || shown[a.Name] {
			continue
		}
		shown[a.Name] = true
		name := a.Name
		if spelled := m.t.rules.Spelling[name]; spelled != "" {
			name = spelled
		}
		row := object{
			{"actionName", name}, {"actionState", a.State},
			{"startDateTime", a.Asked}, {"lastUpdatedDateTime", a.changed},
		}
		switch a.Name {
		case "windowsDefenderScan":
			row = append(object{{"@odata.type", "#microsoft.graph.windowsDefenderScanActionResult"}}, append(row, pair{"scanType", scanType(a.Kind)})...)
		case "remoteLock":
			row = append(object{{"@odata.type", "#microsoft.graph.remoteLockActionResult"}}, append(row, pair{"unlockPin", nil})...)
		}
		rows = append(rows, row)
	}
	return rows
}

func scanType(kind string) string {
	if kind == QuickScan {
		return "Quick"
	}
	return "Full"
}

// remoteActions are the members of beta's remoteAction. Which one an Autopilot
// Reset gets is not known; factoryResetKeepEnrollmentData is what its body says,
// automaticRedeployment the other candidate.
var remoteActions = map[string]string{
	AutopilotReset: "factoryResetKeepEnrollmentData", FullWipe: "factoryReset", WipeKeepUser: "factoryReset",
	"retire": "removeCompanyData",
}

// listAudits is beta's remoteActionAudits: a second witness of what was asked.
func (k *call) listAudits() reply {
	var all []*action
	for _, d := range k.tenant.made {
		all = append(all, d.actions...)
	}
	slices.SortFunc(all, func(a, b *action) int { return b.Asked.Compare(a.Asked) })
	rows := []object{}
	for _, a := range all {
		if a.outcome == Vanishes {
			continue
		}
		name := a.Kind
		if n, ok := remoteActions[a.Kind]; ok {
			name = n
		}
		d := k.tenant.find(a.Device)
		rows = append(rows, object{
			{"id", k.tenant.named("audit", d.ID+stamp(a.Asked)+a.Name)}, {"deviceDisplayName", d.Name},
			{"userName", ""}, {"initiatedByUserPrincipalName", ""}, {"action", name}, {"requestDateTime", a.Asked},
			{"deviceOwnerUserPrincipalName", d.User}, {"deviceIMEI", ""}, {"actionState", a.State},
			{"managedDeviceId", d.ID}, {"deviceActionCategory", "single"}, {"bulkDeviceActionId", nil},
		})
	}
	return k.list("deviceManagement/remoteActionAudits", rows)
}

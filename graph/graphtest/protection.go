package graphtest

import (
	"net/http"
	"strings"
	"time"
)

// malware is something that Defender Antivirus found.
type malware struct {
	id, name string
	severity Severity
	state    string // windowsMalwareThreatState
	found    time.Time
	changed  time.Time
}

func (m malware) active() bool {
	switch m.state {
	case "active", "actionFailed", "manualStepsRequired", "fullScanRequired", "rebootRequired":
		return true
	}
	return false
}

func (d *device) countMalware(active bool) int {
	n := 0
	for _, m := range d.malware {
		if m.active() == active {
			n++
		}
	}
	return n
}

// row is a windowsDeviceMalwareState (Graph v1.0 metadata, 2026-08).
func (m malware) row() object {
	state, execution := "removed", "notRunning"
	if m.active() {
		state, execution = "detected", "running"
	}
	return object{
		{"id", m.id}, {"displayName", m.name},
		{"additionalInformationUrl", "https://go.microsoft.com/fwlink/?linkid=37020"},
		{"severity", m.severity.malware()}, {"executionState", execution}, {"state", state}, {"threatState", m.state},
		{"initialDetectionDateTime", m.found}, {"lastStateChangeDateTime", m.changed}, {"detectionCount", 1}, {"category", "trojan"},
	}
}

func (d *device) malwareRows() []object {
	rows := []object{}
	for _, m := range d.malware {
		rows = append(rows, m.row())
	}
	return rows
}

// protectedDevice finds the device the path names. Only Windows reports a
// protection state.
func (k *call) protectedDevice() (managed, reply) {
	m, out := k.managedDevice()
	if out.status == 0 && m.OS != "Windows" {
		out = k.failIntune(http.StatusNotFound, "ResourceNotFound", "ResourceNotFound: protection state of "+k.args[0])
	}
	return m, out
}

// getProtectionState is windowsProtectionState (Graph v1.0 metadata, 2026-08).
func (k *call) getProtectionState() reply {
	m, out := k.protectedDevice()
	if out.status != 0 {
		return out
	}
	active := m.countMalware(true) > 0
	deviceState, productStatus := "clean", "noStatus"
	if active {
		deviceState, productStatus = "fullScanPending", "pendingFullScanDueToThreatAction"
	}
	row := object{
		{"id", m.ID}, {"malwareProtectionEnabled", true}, {"deviceState", deviceState}, {"realTimeProtectionEnabled", true},
		{"networkInspectionSystemEnabled", true}, {"quickScanOverdue", false}, {"fullScanOverdue", false},
		{"signatureUpdateOverdue", k.now.Sub(m.signed) > 7*24*time.Hour}, {"rebootRequired", false}, {"fullScanRequired", active},
		{"engineVersion", "1.1.26100.1"}, {"signatureVersion", m.signed.Format("1.2006.102.0")}, {"antiMalwareVersion", "4.18.26100.1"},
		{"lastQuickScanDateTime", m.quick}, {"lastFullScanDateTime", m.full},
		{"lastQuickScanSignatureVersion", m.quick.Format("1.2006.102.0")}, {"lastFullScanSignatureVersion", m.full.Format("1.2006.102.0")},
		{"lastReportedDateTime", m.t.lastSync(m.device, k.now)}, {"productStatus", productStatus}, {"isVirtualMachine", false},
		{"tamperProtectionEnabled", true}, {"controlledConfigurationEnabled", nil},
	}
	for p := range strings.SplitSeq(k.query.Get("$expand"), ",") {
		if strings.EqualFold(strings.TrimSpace(p), "detectedMalwareState") {
			row = append(row, pair{"detectedMalwareState", m.malwareRows()})
		}
	}
	return reply{status: http.StatusOK, body: k.entity("deviceManagement/managedDevices('"+m.ID+"')/windowsProtectionState", row.bytes())}
}

func (k *call) listMalware() reply {
	m, out := k.protectedDevice()
	if out.status != 0 {
		return out
	}
	return k.list("deviceManagement/managedDevices('"+m.ID+"')/windowsProtectionState/detectedMalwareState", m.malwareRows())
}

package main

import (
	"curfew/events"
	"curfew/events/gate"
	"curfew/events/gate/actuator"
)

// owner says whose move it is while a gate holds a task.
func (h heldTask) owner() string {
	gateName, _ := h.why()
	switch gateName {
	case gate.GateApproval:
		return "approvers: `curfew approve` or link"
	case events.GateMicrosoft:
		return "an admin of the tenant, in Intune"
	case gate.GatePause:
		return "two people: `curfew resume`"
	case gate.GateBreaker:
		return "on call: `curfew close TENANT/tenant`"
	case gate.GateBudget, gate.GatePreflight:
		return "on call: `curfew held release|cancel`"
	case gate.GateMaintenance, gate.GateQuiet, gate.GateDigest, gate.GateRate:
		return "nobody: it goes on by itself"
	case gate.GateProtected:
		return "who keeps the configuration"
	case actuator.Gate:
		return "who keeps the actuator's rules"
	}
	return "on call"
}

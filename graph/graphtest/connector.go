package graphtest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// defenderConnector is the id of Defender's connector, in every tenant.
const defenderConnector = "fc780465-2017-40d4-a0c5-307022471b92"

// The properties of mobileThreatDefenseConnector: those of the v1.0 metadata of
// 2026-08, and those that /beta adds (beta SDK 0.165.0).
var (
	connectorV1 = []string{
		"allowPartnerToCollectIOSApplicationMetadata", "allowPartnerToCollectIOSPersonalApplicationMetadata", "androidDeviceBlockedOnMissingPartnerData",
		"androidEnabled", "androidMobileApplicationManagementEnabled", "iosDeviceBlockedOnMissingPartnerData", "iosEnabled",
		"iosMobileApplicationManagementEnabled", "microsoftDefenderForEndpointAttachEnabled", "partnerUnsupportedOsVersionBlocked",
		"windowsDeviceBlockedOnMissingPartnerData", "windowsEnabled",
	}
	connectorBeta = []string{
		"macEnabled", "macDeviceBlockedOnMissingPartnerData", "windowsMobileApplicationManagementEnabled",
		"allowPartnerToCollectIosCertificateMetadata", "allowPartnerToCollectIosPersonalCertificateMetadata",
	}
)

// ConnectDefender turns "Microsoft Intune connection" on in Defender's portal, which
// no API does; Intune shows it within 15 minutes, here at once.
func (t *Tenant) ConnectDefender() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.baseline.connected = true
	if t.baseline.connector == nil {
		t.baseline.connector = newConnector()
	}
}

// DisconnectDefender turns it off again.
func (t *Tenant) DisconnectDefender() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.baseline.connected = false
}

// DropLink lets the connection drop with the nth write of the connector from now, as
// happened in twelve tenants at once (CIPP#2611).
func (t *Tenant) DropLink(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.baseline.dropAfter = n
}

// AlterConnector changes the connector as a person would in the portal.
func (t *Tenant) AlterConnector(change func(o map[string]any)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(t.baseline.connector)
}

func newConnector() thing {
	o := thing{"id": defenderConnector, "partnerUnresponsivenessThresholdInDays": float64(7)}
	for _, name := range slices.Concat(connectorV1, connectorBeta) {
		o[name] = false
	}
	return o
}

// connectorRow is the connector as it is read. notSetUp is a member of /beta's
// enumeration only (beta SDK: MobileThreatPartnerTenantState).
func (k *call) connectorRow() thing {
	b := &k.tenant.baseline
	o := b.connector.clone()
	o["partnerState"], o["lastHeartbeatDateTime"] = "notSetUp", stamp(never())
	if b.connected {
		o["partnerState"], o["lastHeartbeatDateTime"] = "enabled", stamp(k.now.Add(-5*time.Minute))
	}
	if !k.beta {
		if !b.connected {
			o["partnerState"] = "unavailable"
		}
		for _, name := range connectorBeta {
			delete(o, name)
		}
	}
	return o
}

func (k *call) getConnector() reply {
	if k.tenant.baseline.connector == nil || !strings.EqualFold(k.args[0], defenderConnector) {
		return k.failIntune(http.StatusNotFound, "ResourceNotFound", "An error has occurred")
	}
	return k.thing(http.StatusOK, k.connectorRow())
}

// writeConnector is PATCH of the connector, and POST where there is none (Graph
// docs: intune-onboarding-mobilethreatdefenseconnector-update, -create).
func (k *call) writeConnector() reply {
	b := &k.tenant.baseline
	o, out := k.read()
	if out.status != 0 {
		return out
	}
	known := append(slices.Clone(connectorV1), "id", "partnerUnresponsivenessThresholdInDays")
	if k.beta {
		known = append(known, connectorBeta...)
	}
	if out := k.onlyKnown(o, "mobileThreatDefenseConnector", known); out.status != 0 {
		return out
	}
	status := http.StatusOK
	switch creates := k.r.Method == http.MethodPost; {
	case creates && b.connector != nil:
		return k.failIntune(http.StatusConflict, "Conflict", "An error has occurred")
	case creates && o.text("id") != defenderConnector:
		return k.badRequest("Invalid connector id")
	case creates:
		b.connector, status = newConnector(), http.StatusCreated
	case b.connector == nil || !strings.EqualFold(k.args[0], defenderConnector):
		return k.failIntune(http.StatusNotFound, "ResourceNotFound", "An error has occurred")
	}
	maps.Copy(b.connector, o)
	delete(b.connector, "@odata.type")
	if b.dropAfter > 0 {
		if b.dropAfter--; b.dropAfter == 0 {
			b.connected = false
		}
	}
	return k.thing(status, k.connectorRow())
}

// DeviceSettings are the tenant's settings about compliance.
func (t *Tenant) DeviceSettings() map[string]any {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.deviceSettings().clone()
}

// deviceSettings begin as Microsoft has them (Intune docs: device-compliance-get-
// started, compliance policy settings).
func (t *Tenant) deviceSettings() thing {
	if t.baseline.settings == nil {
		t.baseline.settings = thing{"deviceComplianceCheckinThresholdDays": float64(30), "isScheduledActionEnabled": true, "secureByDefault": false}
	}
	return t.baseline.settings
}

func (k *call) getManagement() reply {
	return k.thing(http.StatusOK, thing{"id": k.tenant.ID, "settings": map[string]any(k.tenant.deviceSettings())})
}

// patchManagement replaces the settings (Graph docs: intune-onboarding-
// devicemanagement-update); what is left out of a complex property counts as false
// or zero.
func (k *call) patchManagement() reply {
	o, out := k.read()
	if out.status != 0 {
		return out
	}
	in, _ := o["settings"].(map[string]any)
	if in == nil {
		return k.badRequest("Invalid payload")
	}
	if out := k.onlyKnown(in, "deviceManagementSettings", []string{"deviceComplianceCheckinThresholdDays", "isScheduledActionEnabled", "secureByDefault", "enhancedJailBreak", "deviceInactivityBeforeRetirementInDay", "derivedCredentialProvider", "derivedCredentialUrl", "androidDeviceAdministratorEnrollmentEnabled", "ignoreDevicesForUnsupportedSettingsEnabled"}); out.status != 0 {
		return out
	}
	days, _ := in["deviceComplianceCheckinThresholdDays"].(float64)
	if days < 1 || days > 120 { // Intune docs: compliance policy settings, validity period
		return k.failIntune(http.StatusBadRequest, "BadRequest", "deviceComplianceCheckinThresholdDays must be between 1 and 120")
	}
	k.tenant.baseline.settings = thing{"deviceComplianceCheckinThresholdDays": float64(0), "isScheduledActionEnabled": false, "secureByDefault": false}
	maps.Copy(k.tenant.baseline.settings, in)
	return k.getManagement()
}

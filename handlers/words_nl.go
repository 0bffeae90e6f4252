package handlers

func dutch() words {
	return words{
		reference: "nl",
		malware:   "Er staat schadelijke software op het apparaat: ‘%1’%2",
		fix:       "Open ‘Windows-beveiliging’, kies ‘Virus- en bedreigingsbeveiliging’ en volg de aanbevelingen; start het apparaat opnieuw op als daarom wordt gevraagd.",
		alert:     "Microsoft Defender meldt ‘%1’%2",
		anAlert:   "een waarschuwing",
		severity:  ", ernst: %1",
		risk:      "Microsoft Defender beoordeelt het risico van het apparaat als volgt: %1",
		harmful:   "Er is iets schadelijks op het apparaat gevonden",
		alarmed:   "Microsoft Defender heeft op het apparaat iets opgemerkt dat schadelijk kan zijn",
		unsaid:    "Het apparaat voldoet niet aan de regels van uw organisatie; aan welke niet, is niet doorgegeven",
		named:     "(instelling ‘%1’ van beleid ‘%2’)",
		unknown:   "Een instelling die uw organisatie vereist, staat niet zoals het hoort",
		calendar: calendar{
			moment: "{weekday} {day} {month} {year} om {time} uur ({zone})", first: "1", clock: "15:04",
			days:   "zondag maandag dinsdag woensdag donderdag vrijdag zaterdag",
			months: "januari februari maart april mei juni juli augustus september oktober november december",
		},
		grades: map[string]string{
			"informational": "ter informatie", "low": "laag", "medium": "gemiddeld", "moderate": "gemiddeld", "high": "hoog", "severe": "zeer hoog",
			"compromised": "gecompromitteerd",
		},
		subjects: map[subject]Finding{
			encryption: {
				"De schijf is niet versleuteld",
				"Sluit de voeding aan, open Instellingen, zoek naar ‘BitLocker’ of ‘Apparaatversleuteling’ en zet de versleuteling aan.",
			},
			contact: {
				"Het apparaat heeft zich te lang niet bij uw organisatie gemeld",
				"Verbind het apparaat met internet, open Instellingen > Accounts > Toegang tot werk of school, kies uw account, dan ‘Info’ en dan ‘Synchroniseren’.",
			},
			version: {
				"Het besturingssysteem is niet bijgewerkt",
				"Open Instellingen > Windows Update, installeer alles wat wordt aangeboden en start het apparaat opnieuw op.",
			},
			firewall: {
				"De firewall staat uit",
				"Open ‘Windows-beveiliging’, kies ‘Firewall- en netwerkbeveiliging’ en zet de firewall voor elk netwerk aan.",
			},
			watching: {
				"De virusbeveiliging bewaakt het apparaat niet voortdurend",
				"Open ‘Windows-beveiliging’, kies ‘Virus- en bedreigingsbeveiliging’, dan ‘Instellingen beheren’, en zet de realtime-beveiliging aan.",
			},
			signatures: {
				"De virusbeveiliging is niet bijgewerkt",
				"Open ‘Windows-beveiliging’, kies ‘Virus- en bedreigingsbeveiliging’ en dan ‘Controleren op updates’.",
			},
			antivirus: {
				"De virusbeveiliging staat uit",
				"Open ‘Windows-beveiliging’, kies ‘Virus- en bedreigingsbeveiliging’ en zet de beveiliging aan.",
			},
			danger:  {"Het risico van het apparaat is hoger dan uw organisatie toestaat", ""},
			startup: {"Een beveiliging bij het opstarten van het apparaat staat uit", ""},
			password: {
				"Het wachtwoord of de pincode van het apparaat voldoet niet aan de regels",
				"Open Instellingen > Accounts > Aanmeldingsopties en wijzig het wachtwoord of de pincode.",
			},
			owner: {"De gebruiker voor wie het apparaat is ingesteld, bestaat niet meer", ""},
		},
	}
}

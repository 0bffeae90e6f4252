package handlers

func german() words {
	return words{
		reference: "de",
		malware:   "Auf dem Gerät ist Schadsoftware: „%1“%2",
		fix:       "Öffnen Sie „Windows-Sicherheit“, wählen Sie „Viren- & Bedrohungsschutz“ und folgen Sie den Empfehlungen; starten Sie das Gerät neu, wenn Sie dazu aufgefordert werden.",
		alert:     "Microsoft Defender meldet „%1“%2",
		anAlert:   "eine Warnung",
		severity:  ", Schweregrad %1",
		risk:      "Microsoft Defender stuft das Risiko des Geräts so ein: %1",
		harmful:   "Auf dem Gerät wurde etwas Schädliches gefunden",
		alarmed:   "Microsoft Defender hat auf dem Gerät etwas bemerkt, das schädlich sein kann",
		unsaid:    "Das Gerät entspricht nicht den Vorgaben Ihrer Organisation; welcher nicht, wurde nicht mitgeteilt",
		named:     "(Einstellung „%1“ der Richtlinie „%2“)",
		unknown:   "Eine Einstellung, die Ihre Organisation verlangt, ist nicht so, wie sie sein soll",
		calendar: calendar{
			moment: "{weekday}, {day}. {month} {year} um {time} Uhr ({zone})", first: "1", clock: "15:04",
			days:   "Sonntag Montag Dienstag Mittwoch Donnerstag Freitag Samstag",
			months: "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
		},
		grades: map[string]string{
			"informational": "nur zur Information", "low": "niedrig", "medium": "mittel", "moderate": "mittel", "high": "hoch", "severe": "sehr hoch",
			"compromised": "kompromittiert",
		},
		subjects: map[subject]Finding{
			encryption: {
				"Der Datenträger ist nicht verschlüsselt",
				"Schließen Sie das Netzteil an, öffnen Sie die Einstellungen, suchen Sie nach „BitLocker“ oder „Geräteverschlüsselung“ und schalten Sie die Verschlüsselung ein.",
			},
			contact: {
				"Das Gerät hat sich zu lange nicht bei Ihrer Organisation gemeldet",
				"Verbinden Sie das Gerät mit dem Internet, öffnen Sie Einstellungen > Konten > Auf Arbeits- oder Schulkonto zugreifen, wählen Sie Ihr Konto, dann „Info“ und dann „Synchronisieren“.",
			},
			version: {
				"Das Betriebssystem ist nicht aktuell",
				"Öffnen Sie Einstellungen > Windows Update, installieren Sie alles, was dort angeboten wird, und starten Sie das Gerät neu.",
			},
			firewall: {
				"Die Firewall ist ausgeschaltet",
				"Öffnen Sie „Windows-Sicherheit“, wählen Sie „Firewall & Netzwerkschutz“ und schalten Sie die Firewall für jedes Netzwerk ein.",
			},
			watching: {
				"Der Virenschutz überwacht das Gerät nicht ständig",
				"Öffnen Sie „Windows-Sicherheit“, wählen Sie „Viren- & Bedrohungsschutz“, dann „Einstellungen verwalten“, und schalten Sie den Echtzeitschutz ein.",
			},
			signatures: {
				"Der Virenschutz ist nicht aktuell",
				"Öffnen Sie „Windows-Sicherheit“, wählen Sie „Viren- & Bedrohungsschutz“ und dann „Nach Updates suchen“.",
			},
			antivirus: {
				"Der Virenschutz ist ausgeschaltet",
				"Öffnen Sie „Windows-Sicherheit“, wählen Sie „Viren- & Bedrohungsschutz“ und schalten Sie ihn ein.",
			},
			danger:  {"Das Risiko des Geräts ist höher, als Ihre Organisation es zulässt", ""},
			startup: {"Eine Schutzfunktion beim Start des Geräts ist ausgeschaltet", ""},
			password: {
				"Das Kennwort oder die PIN des Geräts entspricht nicht den Vorgaben",
				"Öffnen Sie Einstellungen > Konten > Anmeldeoptionen und ändern Sie das Kennwort oder die PIN.",
			},
			owner: {"Den Benutzer, für den das Gerät eingerichtet wurde, gibt es nicht mehr", ""},
		},
	}
}

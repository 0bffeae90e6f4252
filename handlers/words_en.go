package handlers

func english() words {
	return words{
		reference: "en",
		malware:   "Malicious software is on the device: “%1”%2",
		fix:       "Open Windows Security, choose “Virus & threat protection”, and follow what it recommends; restart the device if it asks you to.",
		alert:     "Microsoft Defender reports “%1”%2",
		anAlert:   "an alert",
		severity:  ", severity %1",
		risk:      "Microsoft Defender rates the risk of the device as %1",
		harmful:   "Something harmful was found on the device",
		alarmed:   "Microsoft Defender has noticed something on the device that may be harmful",
		unsaid:    "The device does not meet your organisation's rules; which one was not said",
		named:     "(setting “%1” of policy “%2”)",
		unknown:   "A setting that your organisation requires is not as it should be",
		calendar: calendar{
			moment: "{weekday}, {day} {month} {year} at {time} {zone}", first: "1", clock: "15:04",
			days:   "Sunday Monday Tuesday Wednesday Thursday Friday Saturday",
			months: "January February March April May June July August September October November December",
		},
		grades: map[string]string{
			"informational": "informational", "low": "low", "medium": "medium", "moderate": "moderate", "high": "high", "severe": "severe",
			"compromised": "compromised",
		},
		subjects: map[subject]Finding{
			encryption: {
				"The disk is not encrypted",
				"Connect the power supply, open Settings, search for “BitLocker” or “Device encryption”, and turn it on.",
			},
			contact: {
				"The device has not reported to your organisation for too long",
				"Connect the device to the internet, open Settings > Accounts > Access work or school, choose your account, then Info, then Sync.",
			},
			version: {
				"The operating system is out of date",
				"Open Settings > Windows Update, install everything it offers, and restart the device.",
			},
			firewall: {
				"The firewall is off",
				"Open Windows Security, choose “Firewall & network protection”, and turn the firewall on for every network.",
			},
			watching: {
				"The virus protection does not watch the device all the time",
				"Open Windows Security, choose “Virus & threat protection”, then “Manage settings”, and turn on real-time protection.",
			},
			signatures: {
				"The virus protection is out of date",
				"Open Windows Security, choose “Virus & threat protection”, then “Check for updates”.",
			},
			antivirus: {
				"The virus protection is off",
				"Open Windows Security, choose “Virus & threat protection”, and turn it on.",
			},
			danger:  {"The device's risk is higher than your organisation allows", ""},
			startup: {"A protection of the device's start-up is off", ""},
			password: {
				"The password or PIN of the device does not meet the rules",
				"Open Settings > Accounts > Sign-in options, and change the password or PIN.",
			},
			owner: {"The user the device was set up for does not exist any more", ""},
		},
	}
}

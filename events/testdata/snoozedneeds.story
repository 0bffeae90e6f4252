# While a case is snoozed nobody is called. At the end the device is looked at, and
# then they are, because only a person can help.
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
0m snoozed 2h lunch
	snoozed by ana until 2026-03-02T11:00:00Z: lunch
	snoozed, wakes in 1h0m0s
1m failed 1 the device has no primary user
	mail threat-found given up: the device has no primary user
	a person must help: mail threat-found failed: the device has no primary user
	snoozed, wakes in 1h59m0s
2h rang
	the hold by ana has ended
	-> 2 look
	attention, wakes in 1h0m0s
0m rang
	attention, wakes in 1h0m0s
0m seen
	what ana snoozed still needs a person
	ticket to desk
	quick scan
	-> 3 ticket desk attention
	-> 5 scan quick
	attention, wakes in 1h0m0s

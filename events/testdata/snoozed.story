# A snooze for a year ends after thirty days.
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
1m done 1
	mail threat-found done
	open, wakes in 2h0m0s
1h snoozed 8760h laptop is in the lab
	snoozed by ana until 2026-04-01T10:01:00Z: laptop is in the lab
	snoozed, wakes in 4h59m0s
48h rang
	-> 2 look
	snoozed, wakes in 1h0m0s
672h rang
	the hold by ana has ended
	-> 2 look again
	open, wakes in 1h0m0s

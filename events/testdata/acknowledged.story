# A technician takes the case: nothing climbs until the acknowledgement ends.
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
1m done 1
	mail threat-found done
	open, wakes in 2h0m0s
1h acknowledged 6h
	acknowledged by ana until 2026-03-02T16:01:00Z
	acknowledged, wakes in 4h59m0s
1h rang
	acknowledged, wakes in 3h59m0s
5h rang
	the hold by ana has ended
	-> 2 look
	open, wakes in 1h0m0s
0m seen
	ticket to desk
	quick scan
	-> 3 ticket desk
	-> 4 scan quick
	open, wakes in 1h0m0s

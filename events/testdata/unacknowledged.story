# The technician gives it back early.
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
1m done 1
	mail threat-found done
	open, wakes in 2h0m0s
1h acknowledged 24h
	acknowledged by ana until 2026-03-03T10:01:00Z
	acknowledged, wakes in 4h59m0s
2h acknowledged 0h
	ana lifts the hold by ana
	-> 2 look
	open, wakes in 1h0m0s
0m seen
	ticket to desk
	quick scan
	-> 3 ticket desk
	-> 4 scan quick
	open, wakes in 1h0m0s

# Held between the asking and the calling: the attempt is refused, and the task
# goes when the hold has ended and a look still shows the risk.
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
1m acknowledged 1h
	acknowledged by ana until 2026-03-02T10:01:00Z
	acknowledged, wakes in 59m0s
0m begun 1 one
	mail may not begin: held by ana
	acknowledged, wakes in 1h0m0s
1h rang
	the hold by ana has ended
	-> 2 look
	open, wakes in 1h0m0s
1m seen
	-> 1 mail threat-found again
	open, wakes in 1h0m0s
0m begun 1 two
	open, wakes in 1h0m0s
0m done 1
	mail threat-found done
	open, wakes in 2h0m0s

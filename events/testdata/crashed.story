# The worker dies in the middle of the reset. Another one is told that it may have
# happened, settles it from the provider's record and never begins it again.
0m seen threat=mediumSeverity
	seen: threat=mediumSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
1m done 1
	mail threat-found done
	open, wakes in 2h0m0s
24h rang
	-> 2 look
	open, wakes in 1h0m0s
0m seen
	ticket to desk
	quick scan
	-> 3 ticket desk
	-> 4 scan quick
	open, wakes in 1h0m0s
1m done 3 INC-1
	ticket to desk done: INC-1
	open, wakes in 59m0s
1m done 4
	quick scan done
	-> 5 look
	open, wakes in 1h0m0s
0m seen
	open, wakes in 4h0m0s
16h rang
	-> 6 look
	open, wakes in 1h0m0s
0m seen
	reset
	-> 7 reset
	open, wakes in 1h0m0s
1m begun 7 one
	open, wakes in 59m0s
2m begun 7 two
	open, wakes in 57m0s
0m unsure 7 5m the record shows nothing yet
	reset put off until 2026-03-04T01:11:00Z: the record shows nothing yet
	open, wakes in 5m0s
5m rang
	-> 7 reset again
	open, wakes in 1h0m0s
0m accepted 7 10m
	reset accepted
	open, wakes in 10m0s
10m rang
	-> 7 reset again
	open, wakes in 1h0m0s
0m done 7 found in the record
	reset done: found in the record
	-> 8 look
	open, wakes in 1h0m0s

# The reset looks a last time and finds the device healthy: it is put back, and
# the case clears.
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
0m looked 7 threat=secured sync=now
	reset was not done: it looked first
	seen: threat=secured compliance=compliant
	seen healthy
	clearing, wakes in 1s
31m rang
	-> 8 look
	clearing, wakes in 1h0m0s
0m seen
	scan verified: the device checked in at 2026-03-04T01:04:00Z and the risk is gone
	reset called off
	case closed by proof
	mail cleared
	close to desk
	-> 9 mail cleared
	-> 10 close desk INC-1
	busy, wakes in 1h0m0s

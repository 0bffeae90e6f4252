# Healthy for twenty minutes is not healthy: the ladder goes on from where it was.
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
1m done 1
	mail threat-found done
	open, wakes in 2h0m0s
10m noticed
	-> 2 look
	open, wakes in 1h0m0s
0m seen threat=secured sync=now
	seen: threat=secured compliance=compliant
	seen healthy
	clearing, wakes in 30m0s
20m noticed
	-> 3 look
	clearing, wakes in 10m0s
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	at risk again
	open, wakes in 1h30m0s
1h29m rang
	open, wakes in 1m0s
0m seen
	open, wakes in 1m0s

# Facts arrive out of order: what was seen earlier does not undo what was seen later.
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
1m done 1
	mail threat-found done
	open, wakes in 2h0m0s
10m seen threat=secured sync=now ago=5m
	seen: threat=secured compliance=compliant
	seen healthy
	clearing, wakes in 25m0s
1m seen threat=highSeverity ago=12m
	clearing, wakes in 24m0s
30m rang
	-> 2 look
	clearing, wakes in 1h0m0s
1m seen threat=secured
	case closed by proof
	mail cleared
	-> 3 mail cleared
	busy, wakes in 1h0m0s

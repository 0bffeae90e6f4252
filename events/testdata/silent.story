# A device that shows no risk but has not checked in since proves nothing. It is
# asked to check in, once an interval.
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
1m seen threat=secured
	seen: threat=secured compliance=compliant
	sync
	-> 3 sync
	open, wakes in 1h0m0s
0m accepted 3 1m
	sync accepted
	open, wakes in 1m0s
10m noticed
	-> 3 sync again
	-> 4 look
	open, wakes in 1h0m0s
0m seen
	open, wakes in 1h0m0s
1h noticed
	-> 3 sync again
	-> 5 look
	open, wakes in 39m0s
0m seen sync=now
	seen healthy
	clearing, wakes in 30m0s
30m rang
	-> 6 look
	clearing, wakes in 30m0s
0m seen
	sync called off
	case closed by proof
	mail cleared
	-> 7 mail cleared
	busy, wakes in 1h0m0s

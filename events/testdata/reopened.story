# The risk is back within the week: the same case, told anew, from the foot of
# the ladder.
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
0m done 1
	mail threat-found done
	open, wakes in 2h0m0s
1m noticed
	-> 2 look
	open, wakes in 1h0m0s
0m seen threat=secured sync=now
	seen: threat=secured compliance=compliant
	seen healthy
	clearing, wakes in 30m0s
30m rang
	-> 3 look
	clearing, wakes in 1h0m0s
0m seen
	case closed by proof
	mail cleared
	-> 4 mail cleared
	busy, wakes in 1h0m0s
0m done 4
	mail cleared done
	rest
72h noticed
	-> 5 look
	busy, wakes in 1h0m0s
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	case reopened by policy threat
	mail threat-found
	-> 6 mail threat-found
	open, wakes in 1h0m0s
0m done 6
	mail threat-found done
	open, wakes in 2h0m0s
2h rang
	-> 7 look
	open, wakes in 1h0m0s
0m seen
	ticket to desk
	quick scan
	-> 8 ticket desk
	-> 9 scan quick
	open, wakes in 1h0m0s

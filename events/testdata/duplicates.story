# Whatever arrives twice happens once.
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
0m seen
	open, wakes in 1h0m0s
0m begun 1 one
	open, wakes in 1h0m0s
0m begun 1 one
	open, wakes in 1h0m0s
1m done 1
	mail threat-found done
	open, wakes in 2h0m0s
0m done 1
	open, wakes in 2h0m0s
0m failed 1 late lie
	open, wakes in 2h0m0s
2h rang
	-> 2 look
	open, wakes in 1h0m0s
0m rang
	open, wakes in 1h0m0s

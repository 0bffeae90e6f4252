# Healthy between the asking and the calling: the attempt is refused.
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
0m done 1
	mail threat-found done
	open, wakes in 2h0m0s
2h rang
	-> 2 look
	open, wakes in 1h0m0s
0m seen
	ticket to desk
	quick scan
	-> 3 ticket desk
	-> 4 scan quick
	open, wakes in 1h0m0s
1m noticed
	-> 5 look
	open, wakes in 59m0s
0m seen threat=secured sync=now
	seen: threat=secured compliance=compliant
	seen healthy
	clearing, wakes in 30m0s
1m begun 3 one
	ticket may not begin: the device was seen healthy
	clearing, wakes in 29m0s
30m rang
	-> 6 look
	clearing, wakes in 28m0s
0m seen
	ticket to desk called off
	quick scan called off
	case closed by proof
	mail cleared
	-> 7 mail cleared
	busy, wakes in 1h0m0s

# A look that could not read everything clears nothing.
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
1m done 1
	mail threat-found done
	open, wakes in 2h0m0s
1h noticed
	-> 2 look
	open, wakes in 1h0m0s
0m seen threat=secured sync=now missing=protection
	seen: threat=secured compliance=compliant
	open, wakes in 1h0m0s
1h noticed
	-> 3 look
	open, wakes in 1h0m0s
0m seen threat=secured
	seen healthy
	clearing, wakes in 30m0s
30m rang
	-> 4 look
	clearing, wakes in 1h0m0s
0m seen missing=alerts
	a person must help: the risk is out of sight, but health is not proven
	ticket to desk
	-> 5 ticket desk attention
	attention, wakes in 1h0m0s
1m noticed
	-> 8 look
	attention, wakes in 59m0s
0m seen
	seen healthy
	clearing, wakes in 30m0s
30m rang
	-> 9 look
	clearing, wakes in 29m0s
0m seen
	ticket to desk called off
	ticket to desk called off
	quick scan called off
	case closed by proof
	mail cleared
	-> 10 mail cleared
	busy, wakes in 1h0m0s

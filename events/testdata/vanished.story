# The threat state goes from high to unknown, then to unresponsive: risk that was
# lost from sight is not risk that is gone.
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
0m seen threat=unknown sync=now
	seen: threat=unknown compliance=compliant
	open, wakes in 1h0m0s
1h noticed
	-> 3 look
	open, wakes in 1h0m0s
0m seen threat=unresponsive
	seen: threat=unresponsive compliance=compliant
	a person must help: the risk is out of sight, but health is not proven
	ticket to desk
	-> 4 ticket desk attention
	attention, wakes in 1h0m0s
1h noticed
	-> 4 ticket desk attention again
	-> 7 look
	attention, wakes in 1h0m0s
0m seen threat=secured
	seen: threat=secured compliance=compliant
	seen healthy
	clearing, wakes in 30m0s
30m rang
	-> 8 look
	clearing, wakes in 30m0s
0m seen
	ticket to desk called off
	ticket to desk called off
	quick scan called off
	case closed by proof
	mail cleared
	-> 9 mail cleared
	busy, wakes in 1h0m0s

# The threat goes out of sight with the partner: people are told, but nothing is
# done to a device whose risk nobody sees.
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
0m seen threat=unresponsive sync=now
	seen: threat=unresponsive compliance=compliant
	open, wakes in 1h0m0s
1h rang
	-> 3 look
	open, wakes in 1h0m0s
0m seen
	a person must help: the risk is out of sight, but health is not proven
	ticket to desk
	-> 4 ticket desk attention
	attention, wakes in 1h0m0s
1m done 4 INC-1
	ticket to desk done: INC-1
	ticket to desk
	-> 5 ticket desk
	attention, wakes in 1h0m0s
6h rang
	-> 5 ticket desk again
	-> 7 look
	attention, wakes in 1h0m0s
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	quick scan
	-> 6 scan quick
	attention, wakes in 1h0m0s

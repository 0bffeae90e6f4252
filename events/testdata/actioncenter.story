# The investigation waits for a person in the Action center: a person is told.
0m seen threat=mediumSeverity alert=a1:high:new:pendingApproval
	seen: threat=mediumSeverity compliance=compliant alert=a1
	case opened by policy threat
	a person must help: an investigation waits for approval in Defender's Action center
	ticket to desk
	mail threat-found
	-> 1 ticket desk attention
	-> 2 mail threat-found
	attention, wakes in 1h0m0s
1m done 2
	mail threat-found done
	attention, wakes in 59m0s
1m done 1 INC-1
	ticket to desk done: INC-1
	attention, wakes in 5h58m0s
6h rang
	-> 3 look
	attention, wakes in 1h0m0s
0m seen
	ticket to desk
	quick scan
	-> 4 ticket desk
	-> 5 scan quick
	attention, wakes in 1h0m0s
1h noticed
	-> 4 ticket desk again
	-> 5 scan quick again
	-> 6 look
	attention, wakes in 1h0m0s
0m seen
	attention, wakes in 1h0m0s

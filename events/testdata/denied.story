# A person says no: the reset is given up, and the case stays a person's.
0m policy two
0m seen threat=mediumSeverity
	seen: threat=mediumSeverity compliance=compliant
	case opened by policy two
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
1m done 1
	mail threat-found done
	open, wakes in 59m0s
25h rang
	-> 2 look
	open, wakes in 1h0m0s
0m seen
	a person must help: reset needs approval by 2: contoso/d1/3-reset
	ticket to desk
	-> 4 ticket desk attention
	attention, wakes in 1h0m0s
1m denied 3 ana the user is presenting
	reset denied by ana: the user is presenting
	attention, wakes in 59m0s
1m approved 3 ben
	attention, wakes in 58m0s
25h rang
	a person must help: the ladder has ended and the device is still at risk
	-> 4 ticket desk attention again
	-> 5 look
	attention, wakes in 1h0m0s

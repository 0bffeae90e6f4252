# The provider says that the reset is done, and it is not true.
0m seen threat=mediumSeverity
	seen: threat=mediumSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
1m done 1
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
1m done 3 INC-1
	ticket to desk done: INC-1
	open, wakes in 59m0s
1m done 4
	quick scan done
	-> 5 look
	open, wakes in 1h0m0s
0m seen
	open, wakes in 4h0m0s
4h rang
	-> 6 look
	open, wakes in 1h0m0s
0m seen
	open, wakes in 6h0m0s
12h rang
	-> 7 look
	open, wakes in 1h0m0s
0m seen
	open, wakes in 5h58m0s
7h rang
	-> 8 look
	open, wakes in 1h0m0s
0m seen
	reset
	-> 9 reset
	open, wakes in 1h0m0s
1m begun 9 one
	open, wakes in 59m0s
0m accepted 9 1h
	reset accepted
	open, wakes in 1h0m0s
1h rang
	-> 9 reset again
	open, wakes in 1h0m0s
0m done 9 provider says done
	reset done: provider says done
	-> 10 look
	open, wakes in 1h0m0s
1m seen
	sync
	-> 11 sync
	open, wakes in 1h0m0s
1m seen sync=now
	open, wakes in 59m0s
1h noticed
	-> 11 sync again
	-> 12 look
	open, wakes in 1h0m0s
0m seen sync=now
	a person must help: the reset is reported done, but the device has checked in since and is still at risk
	ticket to desk
	-> 13 ticket desk attention
	attention, wakes in 1h0m0s

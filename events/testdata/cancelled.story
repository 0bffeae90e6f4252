# A person takes a held reset off the list.
0m seen threat=mediumSeverity
	seen: threat=mediumSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
1m done 1
	mail threat-found done
	open, wakes in 2h0m0s
24h rang
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
16h rang
	-> 6 look
	open, wakes in 1h0m0s
0m seen
	reset
	-> 7 reset
	open, wakes in 1h0m0s
0m held 7 1h pause everything is paused by ana
	reset held by pause: everything is paused by ana
	open, wakes in 1h0m0s
1h cancelled 7 ben will be replaced tomorrow
	reset cancelled by ben: will be replaced tomorrow
	open, wakes in 5h0m0s

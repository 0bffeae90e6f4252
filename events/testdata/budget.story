# A gate holds the reset; it is not failed, tries the gate again, and a person may
# let it through.
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
1m begun 7 one
	open, wakes in 59m0s
0m held 7 1h budget 2 of 2 resets in 24 h are used
	reset held by budget: 2 of 2 resets in 24 h are used
	open, wakes in 1h0m0s
1h rang
	-> 7 reset again
	open, wakes in 1h0m0s
0m begun 7 two
	open, wakes in 1h0m0s
0m held 7 1h budget 2 of 2 resets in 24 h are used
	open, wakes in 1h0m0s
10m released 7 ana
	ana releases reset, held by budget
	-> 7 reset again
	open, wakes in 1h0m0s
0m begun 7 three
	open, wakes in 1h0m0s
0m accepted 7 10m
	reset accepted
	open, wakes in 10m0s

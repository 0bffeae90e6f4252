# A dry run of the reset says so, and is neither an effect nor proof of anything.
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
0m dry 7 dry run: nothing was done
	reset done: dry run: nothing was done
	open, wakes in 5h59m0s
1h noticed
	-> 8 look
	open, wakes in 1h0m0s
0m seen sync=now
	open, wakes in 6h0m0s

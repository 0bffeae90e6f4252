# While Defender investigates, the rungs that are marked wait, but no longer than
# the cap.
0m seen threat=mediumSeverity alert=a1:high:new:running
	seen: threat=mediumSeverity compliance=compliant alert=a1
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
1m done 1
	mail threat-found done
	open, wakes in 5h59m0s
2h rang
	open, wakes in 3h59m0s
4h rang
	-> 2 look
	open, wakes in 1h0m0s
0m seen
	ticket to desk
	quick scan
	-> 3 ticket desk
	-> 4 scan quick
	open, wakes in 1h0m0s

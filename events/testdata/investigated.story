# The investigation ends without success: the rung that waited goes at once.
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
30m alerted a1:high:new:failed
	alert "Suspicious a1", high, new
	-> 2 look
	open, wakes in 1h0m0s
0m seen alert=a1:high:new:failed
	ticket to desk
	quick scan
	-> 3 ticket desk
	-> 4 scan quick
	open, wakes in 1h0m0s

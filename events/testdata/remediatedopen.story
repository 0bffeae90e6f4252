# An alert that is remediated but still open does not keep the case open, though
# it may keep the device blocked.
0m seen threat=highSeverity alert=a1:high:new:running
	seen: threat=highSeverity compliance=compliant alert=a1
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
1m done 1
	mail threat-found done
	open, wakes in 5h59m0s
1h alerted a1:high:new:successfullyRemediated
	alert "Suspicious a1", high, new
	-> 2 look
	open, wakes in 1h0m0s
0m seen threat=secured alert=a1:high:new:successfullyRemediated sync=now
	seen: threat=secured compliance=compliant
	seen healthy
	clearing, wakes in 30m0s
30m rang
	-> 3 look
	clearing, wakes in 1h0m0s
0m seen
	case closed by proof
	mail cleared
	-> 4 mail cleared
	busy, wakes in 1h0m0s

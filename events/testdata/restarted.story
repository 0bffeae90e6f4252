# The worker was down over three alarms. They ring at once when it is back, and
# only the rung that is due goes out, after a look.
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
1m begun 1 one
	open, wakes in 59m0s
0m done 1
	mail threat-found done
	open, wakes in 2h0m0s
72h rang
	-> 2 look
	open, wakes in 1h0m0s
0m rang
	open, wakes in 1h0m0s
0m rang
	open, wakes in 1h0m0s
1m seen
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

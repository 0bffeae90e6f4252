# The case closes while a ticket is being opened. The late ticket is closed as
# soon as it is heard of.
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
0m done 1
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
1m begun 3 one
	open, wakes in 59m0s
1m noticed
	-> 5 look
	open, wakes in 58m0s
0m seen threat=secured sync=now
	seen: threat=secured compliance=compliant
	seen healthy
	clearing, wakes in 30m0s
31m rang
	-> 6 look
	clearing, wakes in 27m0s
0m seen
	quick scan called off
	case closed by proof
	mail cleared
	-> 7 mail cleared
	busy, wakes in 27m0s
1m done 3 INC-9
	ticket to desk done: INC-9
	close to desk
	-> 8 close desk INC-9
	busy, wakes in 59m0s
1m done 8
	close to desk done
	busy, wakes in 58m0s

# A laptop turns risky and nobody reacts: the whole ladder, rung by rung. Each
# rung waits for the one below to be done, and looks again before it goes.
0h noticed
	-> 1 look
	busy, wakes in 1h0m0s
1m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 2 mail threat-found
	open, wakes in 1h0m0s
1m begun 2 one
	open, wakes in 59m0s
0m done 2
	mail threat-found done
	open, wakes in 2h0m0s
2h rang
	-> 3 look
	open, wakes in 1h0m0s
0m seen
	ticket to desk
	quick scan
	-> 4 ticket desk
	-> 5 scan quick
	open, wakes in 1h0m0s
1m begun 4 two
	open, wakes in 59m0s
1m begun 5 three
	open, wakes in 58m0s
0m done 4 INC-7
	ticket to desk done: INC-7
	open, wakes in 58m0s
0m accepted 5 5m
	scan accepted
	open, wakes in 5m0s
5m rang
	-> 5 scan quick again
	open, wakes in 1h0m0s
0m done 5 no threats found
	quick scan done: no threats found
	-> 6 look
	open, wakes in 1h0m0s
0m seen
	open, wakes in 4h0m0s
4h rang
	-> 7 look
	open, wakes in 1h0m0s
0m seen
	page to oncall
	-> 8 page oncall
	open, wakes in 1h0m0s
1m done 8 incident P1
	page to oncall done: incident P1
	open, wakes in 5h59m0s
12h rang
	-> 9 look
	open, wakes in 1h0m0s
1h rang
	-> 9 look again
	open, wakes in 1h0m0s
8h30m rang
	-> 9 look again
	open, wakes in 1h0m0s
0m seen
	reset
	-> 10 reset
	open, wakes in 1h0m0s
0m begun 10 four
	open, wakes in 1h0m0s
0m accepted 10 15m
	reset accepted
	open, wakes in 15m0s
15m rang
	-> 10 reset again
	open, wakes in 1h0m0s
0m done 10 provider says done
	reset done: provider says done
	-> 11 look
	open, wakes in 1h0m0s
1m seen threat=secured sync=now
	seen: threat=secured compliance=compliant
	seen healthy
	clearing, wakes in 30m0s
31m rang
	-> 12 look
	clearing, wakes in 1h0m0s
0m seen
	scan verified: the device checked in at 2026-03-03T12:56:00Z and the risk is gone
	reset verified: the device checked in at 2026-03-03T12:56:00Z and the risk is gone
	case closed by proof
	mail cleared
	close to desk
	resolve to oncall
	-> 13 mail cleared
	-> 14 close desk INC-7
	-> 15 resolve oncall incident P1
	busy, wakes in 1h0m0s
1m done 15
	resolve to oncall done
	busy, wakes in 59m0s
0m done 13
	mail cleared done
	busy, wakes in 59m0s
0m done 14
	close to desk done
	rest

# The desk is away while two cases of one device come and go. The ticket of the
# first is closed all the same, although the second is taken up again meanwhile.
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
0m done 3 INC-1
	ticket to desk done: INC-1
	open, wakes in 1h0m0s
0m done 4
	quick scan done
	-> 5 look
	open, wakes in 1h0m0s
1m seen threat=secured sync=now
	seen: threat=secured compliance=compliant
	seen healthy
	clearing, wakes in 30m0s
31m seen sync=now
	scan verified: the device checked in at 2026-03-02T11:32:00Z and the risk is gone
	case closed by proof
	mail cleared
	close to desk
	-> 7 mail cleared
	-> 8 close desk INC-1
	busy, wakes in 1h0m0s
0m delayed 8 400h the desk is away
	close put off until 2026-03-03T11:32:00Z: the desk is away
	busy, wakes in 1h0m0s
0m done 7
	mail cleared done
	busy, wakes in 24h0m0s
240h seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 8 close desk INC-1 again
	-> 9 mail threat-found
	open, wakes in 1h0m0s
0m done 9
	mail threat-found done
	open, wakes in 1h0m0s
1m seen threat=secured sync=now
	seen: threat=secured compliance=compliant
	seen healthy
	clearing, wakes in 30m0s
31m seen sync=now
	case closed by proof
	mail cleared
	-> 11 mail cleared
	busy, wakes in 28m0s
1h seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	mail cleared called off
	case reopened by policy threat
	mail threat-found
	-> 8 close desk INC-1 again
	-> 12 mail threat-found
	open, wakes in 1h0m0s
200h rang
	-> 8 close desk INC-1 again
	-> 12 mail threat-found again
	-> 13 look
	open, wakes in 1h0m0s
0m done 8
	close to desk done
	open, wakes in 1h0m0s

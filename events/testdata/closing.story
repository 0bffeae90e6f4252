# The device turns risky again while its ticket is being closed: the new word to
# the desk waits until the old one has arrived.
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
0m accepted 4 1h
	scan accepted
	open, wakes in 1h0m0s
1h noticed
	-> 4 scan quick again
	-> 5 look
	open, wakes in 1h0m0s
0m seen threat=secured sync=now
	seen: threat=secured compliance=compliant
	seen healthy
	clearing, wakes in 30m0s
30m rang
	-> 6 look
	clearing, wakes in 30m0s
0m seen
	quick scan called off
	case closed by proof
	mail cleared
	close to desk
	-> 7 mail cleared
	-> 8 close desk INC-1
	busy, wakes in 1h0m0s
1m begun 7 one
	busy, wakes in 59m0s
0m done 8
	close to desk done
	busy, wakes in 59m0s
1m noticed
	-> 9 look
	busy, wakes in 58m0s
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	case reopened by policy threat
	open, wakes in 58m0s
0m done 10
	mail threat-found done
	open, wakes in 58m0s
2h rang
	-> 7 mail cleared again
	-> 11 look
	open, wakes in 1h0m0s
0m seen
	ticket to desk
	quick scan
	-> 12 ticket desk
	-> 13 scan quick
	open, wakes in 1h0m0s
1h done 7
	mail cleared done
	-> 12 ticket desk again
	-> 13 scan quick again
	open, wakes in 1h0m0s

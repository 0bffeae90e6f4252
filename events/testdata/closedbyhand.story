# A person closes the case though the risk is still there: it stays closed until
# the risk is another one.
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
1m done 1
	mail threat-found done
	open, wakes in 2h0m0s
1h closed test machine of the security team
	case closed by ana: test machine of the security team
	rest
1m done 2
	rest
1h noticed
	-> 2 look
	busy, wakes in 1h0m0s
0m seen
	rest
1h noticed
	-> 3 look
	busy, wakes in 1h0m0s
0m seen malware=Emotet:active
	seen: threat=highSeverity compliance=compliant malware=Emotet
	case reopened by policy threat
	mail threat-found
	-> 4 mail threat-found
	open, wakes in 1h0m0s

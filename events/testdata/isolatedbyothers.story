# What another robot did is not ours to take back.
0m policy contained
0m seen threat=highSeverity user=user@contoso.example enrolled=i1
	seen: threat=highSeverity compliance=compliant
	case opened by policy contained
	mail threat-found
	isolate
	-> 1 mail threat-found
	-> 2 isolate
	open, wakes in 1h0m0s
1m done 1
	mail threat-found done
	open, wakes in 59m0s
1m begun 2 one
	open, wakes in 58m0s
1m others 2 isolated by automatic attack disruption
	isolate done elsewhere: isolated by automatic attack disruption
	-> 3 look
	open, wakes in 57m0s
3h seen threat=secured sync
	seen: threat=secured compliance=compliant
	seen healthy
	isolate verified: the device checked in at 2026-03-02T12:03:00Z and the risk is gone
	case closed by proof
	mail cleared
	-> 4 mail cleared
	busy, wakes in 1h0m0s
1h seen sync
	-> 4 mail cleared again
	busy, wakes in 1h0m0s

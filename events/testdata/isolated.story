# A device is isolated at once. Under isolation it cannot check in, so it is let
# back when Defender sees no risk any more, and then proves its health.
0m policy contained
0m seen threat=highSeverity compliance=noncompliant user=user@contoso.example enrolled=i1
	seen: threat=highSeverity compliance=noncompliant
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
0m accepted 2 1m
	isolate accepted
	open, wakes in 1m0s
2m done 2 action-7
	isolate done: action-7
	-> 3 look
	open, wakes in 56m0s
10m seen
	open, wakes in 1h0m0s
3h seen threat=secured
	seen: threat=secured compliance=noncompliant
	unisolate
	-> 4 look
	-> 5 unisolate action-7
	open, wakes in 1h0m0s
1m done 5
	unisolate done
	sync
	-> 6 sync
	open, wakes in 59m0s
1m begun 6 one
	open, wakes in 58m0s
1m accepted 6 1m
	sync accepted
	open, wakes in 1m0s
2m done 6
	sync done
	open, wakes in 55m0s
20m seen compliance=compliant sync
	seen: threat=secured compliance=compliant
	seen healthy
	isolate verified: the device checked in at 2026-03-02T12:39:00Z and the risk is gone
	case closed by proof
	mail cleared
	-> 8 mail cleared
	busy, wakes in 1h0m0s
1h seen
	-> 8 mail cleared again
	busy, wakes in 1h0m0s

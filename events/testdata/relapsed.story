# The device was to be let back, and shows the risk again before it was: it stays.
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
1m done 2 action-7
	isolate done: action-7
	-> 3 look
	open, wakes in 57m0s
3h seen threat=secured
	seen: threat=secured compliance=compliant
	unisolate
	-> 4 unisolate action-7
	open, wakes in 1h0m0s
1m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	unisolate called off
	open, wakes in 1h0m0s
1m done 4
	open, wakes in 59m0s

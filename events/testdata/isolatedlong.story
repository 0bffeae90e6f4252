# Nobody stays off the network unasked: after a day a person is asked, and again
# a day later, until one says that the device is to be let back.
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
24h rang
	a person must help: the device has been isolated since 2026-03-02T09:03:00Z: let it back with `curfew lift`, or leave it
	page to oncall
	-> 3 look again
	-> 4 page oncall attention
	attention, wakes in 1h0m0s
1m done 4
	page to oncall done
	attention, wakes in 59m0s
24h rang
	a person must help: the device has been isolated since 2026-03-02T09:03:00Z: let it back with `curfew lift`, or leave it
	page to oncall
	-> 3 look again
	-> 5 page oncall attention
	attention, wakes in 1h0m0s
1m done 5
	page to oncall done
	attention, wakes in 59m0s
1h lifted it only reads mail
	ana lifts the isolation: it only reads mail
	unisolate
	-> 3 look again
	-> 6 unisolate action-7
	attention, wakes in 1h0m0s
1m lifted it only reads mail
	attention, wakes in 59m0s

# The administrator says no: the reset is given up, which is no failure, and a
# person hears of it.
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
31h rang
	a person must help: the device has been isolated since 2026-03-02T09:03:00Z: let it back with `curfew lift`, or leave it
	page to oncall
	-> 3 look again
	-> 4 page oncall attention
	attention, wakes in 1h0m0s
0m seen
	a person must help: reset needs approval by 1: contoso/d1/5-reset
	mail to ana@contoso.example
	-> 6 mail ana@contoso.example approve contoso/d1/5-reset
	attention, wakes in 1h0m0s
1m done 6
	mail to ana@contoso.example done
	attention, wakes in 59m0s
1m approved 5 ana
	reset approved by ana (1 of 1)
	unisolate
	-> 7 unisolate action-7
	attention, wakes in 58m0s
1m done 7
	unisolate done
	reset
	sync
	-> 5 reset
	-> 8 sync
	-> 9 look
	attention, wakes in 57m0s
1m begun 5 one
	attention, wakes in 56m0s
1m microsoft 5 10m c0de
	reset held by microsoft_approval: an administrator has to approve
	a person must help: reset waits for an administrator of the tenant, who has to approve request c0de in Intune's admin center
	mail to ana@contoso.example
	-> 10 mail ana@contoso.example approve-in-intune contoso/d1/5-reset
	awaiting_microsoft_approval, wakes in 10m0s
10m begun 5 two
	-> 5 reset again
	awaiting_microsoft_approval, wakes in 45m0s
1m declined 5 rejected
	reset declined by an administrator: rejected
	a person must help: reset was declined by an administrator: rejected
	attention, wakes in 44m0s

# A reset takes the primary user off the device; they are put back when it shows
# that it has none, and the device checks in so that access returns.
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
1m linked 5 ana@contoso.example 6 threat=highSeverity compliance=compliant
	reset approved by ana@contoso.example (1 of 1)
	unisolate
	-> 7 unisolate action-7
	attention, wakes in 59m0s
1m begun 5 early
	attention, wakes in 58m0s
2m done 7
	unisolate done
	reset
	sync
	-> 5 reset
	-> 8 sync
	-> 9 look
	attention, wakes in 56m0s
1m begun 5 one
	attention, wakes in 55m0s
1m accepted 5 1m
	reset accepted
	attention, wakes in 1m0s
40m done 5
	reset done
	attention, wakes in 14m0s
10m seen threat=secured user= sync
	seen: threat=secured compliance=compliant
	seen healthy
	isolate verified: the device checked in at 2026-03-03T16:59:00Z and the risk is gone
	reset verified: the device checked in at 2026-03-03T16:59:00Z and the risk is gone
	page to oncall called off
	mail to ana@contoso.example called off
	sync called off
	case closed by proof
	mail cleared
	restore
	-> 11 mail cleared
	-> 12 restore id-of-user@contoso.example
	busy, wakes in 1h0m0s
1m done 11
	mail cleared done
	busy, wakes in 59m0s
1h seen user=user@contoso.example sync
	-> 12 restore id-of-user@contoso.example again
	busy, wakes in 1h0m0s
1h seen sync
	-> 12 restore id-of-user@contoso.example again
	busy, wakes in 1h0m0s

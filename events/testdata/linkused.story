# An invitation counts once. After the device has changed, the approval is void and
# those who may approve are asked anew; the user of the device is never asked.
0m policy contained
0m seen threat=mediumSeverity user=user@contoso.example enrolled=i1
	seen: threat=mediumSeverity compliance=compliant
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
1m linked 5 ana@contoso.example 6 threat=lowSeverity compliance=compliant
	attention, wakes in 58m0s
1m linked 5 ana@contoso.example 6 threat=mediumSeverity compliance=compliant
	reset approved by ana@contoso.example (1 of 1)
	unisolate
	-> 7 unisolate action-7
	attention, wakes in 57m0s
1m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	the approval of reset is void: the device has changed
	unisolate called off
	mail to ana@contoso.example
	-> 8 mail ana@contoso.example approve contoso/d1/5-reset
	attention, wakes in 56m0s
1m done 8
	mail to ana@contoso.example done
	attention, wakes in 55m0s
1m linked 5 ana@contoso.example 6 threat=highSeverity compliance=compliant
	attention, wakes in 54m0s
1m linked 5 ana@contoso.example 8 threat=highSeverity compliance=compliant
	reset approved by ana@contoso.example (1 of 1)
	unisolate
	-> 9 unisolate action-7
	attention, wakes in 53m0s

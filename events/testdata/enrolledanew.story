# The reset was asked for one enrolment of the device. It has another one now, so
# somebody has set it up anew: the reset is not for that.
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
1m approved 5 ana
	reset approved by ana (1 of 1)
	unisolate
	-> 7 unisolate action-7
	attention, wakes in 59m0s
1m seen enrolled=i2
	reset the device was enrolled anew, as i2
	a person must help: reset was called off: the device was enrolled anew
	unisolate called off
	attention, wakes in 58m0s

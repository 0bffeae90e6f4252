# A page that nobody answers comes again after ever longer gaps, and has an end.
0m policy answered
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	case opened by policy answered
	ticket to desk
	page to oncall
	-> 1 ticket desk
	-> 2 page oncall
	open, wakes in 1h0m0s
1m done 1 INC-1
	ticket to desk done: INC-1
	open, wakes in 59m0s
0m done 2 incident P1
	page to oncall done: incident P1
	open, wakes in 15m0s
15m rang
	nobody has answered the page to oncall
	page to oncall
	-> 3 page oncall incident P1
	open, wakes in 30m0s
1m done 3
	page to oncall done
	open, wakes in 30m0s
31m rang
	nobody has answered the page to oncall
	page to oncall
	-> 4 page oncall incident P1
	open, wakes in 12m0s
1m done 4
	page to oncall done
	open, wakes in 11m0s
1h rang
	nobody has answered the page to oncall
	a person must help: nobody has answered the pages to oncall
	page to oncall
	ticket to desk
	-> 5 page oncall incident P1
	-> 6 ticket desk attention
	-> 7 look
	attention, wakes in 1h0m0s
1m done 6
	ticket to desk done
	attention, wakes in 59m0s
4h rang
	-> 5 page oncall incident P1 again
	-> 7 look again
	attention, wakes in 11m0s

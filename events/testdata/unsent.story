# No mail ever got out. The ladder goes on as far as waking a person, and stops
# short of the reset until somebody was told.
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
1h failed 1 550 no such mailbox
	mail threat-found given up: 550 no such mailbox
	a person must help: mail threat-found failed: 550 no such mailbox
	ticket to desk
	-> 2 ticket desk attention
	attention, wakes in 1h0m0s
1m done 2 INC-1
	ticket to desk done: INC-1
	attention, wakes in 1h59m0s
2h rang
	-> 3 look
	attention, wakes in 1h0m0s
0m seen
	ticket to desk
	quick scan
	-> 4 ticket desk
	-> 5 scan quick
	attention, wakes in 1h0m0s
1m done 4
	ticket to desk done
	attention, wakes in 59m0s
0m accepted 5 1h
	scan accepted
	attention, wakes in 1h0m0s
1h rang
	-> 5 scan quick again
	attention, wakes in 1h0m0s
0m done 5
	quick scan done
	-> 6 look
	attention, wakes in 1h0m0s
1m seen
	attention, wakes in 3h59m0s
4h rang
	-> 7 look
	attention, wakes in 1h0m0s
0m seen
	page to oncall
	-> 8 page oncall
	attention, wakes in 1h0m0s
1m done 8
	page to oncall done
	a person must help: the user could not be told, so the ladder stops before the reset
	attention, wakes in 5h59m0s
12h rang
	-> 9 look
	attention, wakes in 1h0m0s
0m seen
	attention, wakes in 6h0m0s
# A technician mends the address and has the mail sent again.
1h retried 1
	ana tries again: mail threat-found
	-> 1 mail threat-found again
	attention, wakes in 1h0m0s
1m done 1
	mail threat-found done
	attention, wakes in 4h59m0s
24h rang
	-> 10 look
	attention, wakes in 1h0m0s
0m seen
	reset
	-> 11 reset
	attention, wakes in 1h0m0s

# The mail server is down for three days. The user's grace starts when the mail
# is out, not when it was due.
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
1m begun 1 one
	open, wakes in 59m0s
0m delayed 1 1h connection refused
	mail put off until 2026-03-02T10:01:00Z: connection refused
	open, wakes in 1h0m0s
1h rang
	-> 1 mail threat-found again
	open, wakes in 1h0m0s
1m begun 1 two
	open, wakes in 59m0s
0m delayed 1 24h connection refused
	mail put off until 2026-03-03T10:02:00Z: connection refused
	open, wakes in 4h58m0s
24h rang
	-> 1 mail threat-found again
	-> 2 look
	open, wakes in 1h0m0s
0m begun 1 three
	open, wakes in 1h0m0s
0m done 1
	mail threat-found done
	open, wakes in 1h0m0s
1h rang
	-> 2 look again
	open, wakes in 1h0m0s
1h rang
	-> 2 look again
	open, wakes in 1h0m0s
0m seen
	ticket to desk
	quick scan
	-> 3 ticket desk
	-> 4 scan quick
	open, wakes in 1h0m0s

# Graph is down while a rung is due: those who can help are told unseen, but
# nothing is done to the device.
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
1m done 1
	mail threat-found done
	open, wakes in 2h0m0s
2h rang
	-> 2 look
	open, wakes in 1h0m0s
1m delayed 2 1m 503
	look put off until 2026-03-02T11:03:00Z: 503
	open, wakes in 1m0s
1m rang
	-> 2 look again
	open, wakes in 1h0m0s
1m delayed 2 1m 503
	look put off until 2026-03-02T11:05:00Z: 503
	open, wakes in 1m0s
1m rang
	-> 2 look again
	open, wakes in 1h0m0s
1m delayed 2 1m 503
	look put off until 2026-03-02T11:07:00Z: 503
	a person must help: the risk is out of sight, but health is not proven
	ticket to desk
	-> 3 ticket desk attention
	attention, wakes in 1m0s
1m rang
	-> 2 look again
	attention, wakes in 59m0s
4h seen
	quick scan
	-> 3 ticket desk attention again
	-> 5 scan quick
	attention, wakes in 1h0m0s

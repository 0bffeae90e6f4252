# At the end of the snooze the device cannot be looked at: people are told all the same.
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
0m snoozed 30m in the post
	snoozed by ana until 2026-03-02T09:31:00Z: in the post
	snoozed, wakes in 30m0s
30m rang
	the hold by ana has ended
	-> 3 look
	open, wakes in 29m0s
1m delayed 3 1m Graph answers 503
	look put off until 2026-03-02T09:33:00Z: Graph answers 503
	open, wakes in 1m0s
1m delayed 3 1m Graph answers 503
	look put off until 2026-03-02T09:34:00Z: Graph answers 503
	open, wakes in 1m0s
1m delayed 3 1m Graph answers 503
	look put off until 2026-03-02T09:35:00Z: Graph answers 503
	still at risk after the snooze by ana: ticket again
	still at risk after the snooze by ana: page again
	ticket to desk
	page to oncall
	-> 4 ticket desk still-at-risk INC-1
	-> 5 page oncall still-at-risk incident P1
	open, wakes in 1m0s
1m rang
	-> 3 look again
	open, wakes in 14m0s

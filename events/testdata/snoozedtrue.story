# A snooze ends, and what is still true is told again: by the page, which comes
# again until somebody answers, and on the ticket.
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
5m answered page oncall kim took
	acknowledged by kim until 2026-03-02T13:06:00Z: took the page
	acknowledged, wakes in 54m0s
0m snoozed 72h in the post to the repair shop
	snoozed by ana until 2026-03-05T09:06:00Z: in the post to the repair shop
	snoozed, wakes in 54m0s
71h seen
	-> 3 look
	snoozed, wakes in 1h0m0s
1h rang
	the hold by ana has ended
	-> 3 look again
	open, wakes in 1h0m0s
1m seen
	still at risk after the snooze by ana: ticket again
	still at risk after the snooze by ana: page again
	ticket to desk
	page to oncall
	mail threat-found
	-> 4 look
	-> 5 ticket desk still-at-risk INC-1
	-> 6 page oncall still-at-risk incident P1
	-> 7 mail threat-found
	open, wakes in 15m0s
1m done 5
	ticket to desk done
	open, wakes in 14m0s
0m done 6
	page to oncall done
	open, wakes in 15m0s
15m rang
	nobody has answered the page to oncall
	page to oncall
	-> 8 page oncall still-at-risk incident P1
	open, wakes in 30m0s

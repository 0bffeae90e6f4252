# The device has healed during the snooze: nobody is told at its end.
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
0m snoozed 3h in the post
	snoozed by ana until 2026-03-02T12:01:00Z: in the post
	snoozed, wakes in 59m0s
3h rang
	the hold by ana has ended
	-> 3 look
	open, wakes in 1h0m0s
0m seen threat=secured sync
	seen: threat=secured compliance=compliant
	seen healthy
	case closed by proof
	close to desk
	resolve to oncall
	-> 4 close desk INC-1
	-> 5 resolve oncall incident P1
	busy, wakes in 1h0m0s
0m seen
	busy, wakes in 1h0m0s

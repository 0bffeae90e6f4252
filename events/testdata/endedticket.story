# A technician closes the ticket. A look shows that the risk is still there, and
# they hear that where they closed it; when it is gone, the case closes.
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
5m answered ticket desk kim ended
	kim ended the ticket at desk: looking whether the risk is gone
	-> 3 look
	open, wakes in 10m0s
1m seen
	kim ended the ticket, and the device is still at risk
	ticket to desk
	-> 4 ticket desk still-at-risk INC-1
	open, wakes in 9m0s
1m done 4
	ticket to desk done
	open, wakes in 8m0s
5m answered ticket desk kim ended
	kim ended the ticket at desk: looking whether the risk is gone
	-> 5 look
	open, wakes in 3m0s
1m seen threat=secured sync
	seen: threat=secured compliance=compliant
	seen healthy
	case closed by proof
	close to desk
	resolve to oncall
	-> 6 close desk INC-1
	-> 7 resolve oncall incident P1
	busy, wakes in 1h0m0s

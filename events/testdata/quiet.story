# A page waits for the end of the quiet hours. Then the device is looked at before
# anybody hears of it, and it is healthy: nobody does.
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
0m held 2 8h quiet_hours oncall is quiet until Tue 07:00
	page to oncall held by quiet_hours: oncall is quiet until Tue 07:00
	open, wakes in 59m0s
4h rang
	-> 3 look
	open, wakes in 1h0m0s
0m seen
	open, wakes in 1h0m0s
4h rang
	-> 4 look
	open, wakes in 1h0m0s
1m seen threat=secured sync
	seen: threat=secured compliance=compliant
	seen healthy
	page to oncall called off
	case closed by proof
	close to desk
	-> 5 close desk INC-1
	busy, wakes in 1h0m0s
0m seen
	busy, wakes in 1h0m0s

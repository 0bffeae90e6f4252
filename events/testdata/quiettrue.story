# The risk is still there when the quiet hours end: it is looked at, and then the
# page goes. Being quiet for more than a week is nobody's trouble.
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
8h rang
	-> 3 look
	open, wakes in 1h0m0s
0m seen
	-> 2 page oncall again
	open, wakes in 1h0m0s
0m held 2 8h quiet_hours oncall is quiet until Tue 07:00
	open, wakes in 1h0m0s
200h rang
	-> 4 look
	open, wakes in 1h0m0s
0m seen
	-> 2 page oncall again
	open, wakes in 1h0m0s
0m held 2 8h quiet_hours oncall is quiet until Tue 07:00
	open, wakes in 1h0m0s
9h rang
	-> 5 look
	open, wakes in 1h0m0s
0m seen
	-> 2 page oncall again
	open, wakes in 1h0m0s
1m done 2 P1
	page to oncall done: P1
	open, wakes in 15m0s

# What held the page back was that it was not urgent. The risk is another one now,
# so the gate is asked again at once.
0m policy answered
0m seen threat=mediumSeverity
	seen: threat=mediumSeverity compliance=compliant
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
1h seen threat=compromised
	seen: threat=compromised compliance=compliant
	-> 2 page oncall again
	-> 3 look
	open, wakes in 1h0m0s

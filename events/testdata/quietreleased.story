# A person wants the page to go now, whatever the hour: no look comes first.
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
1m released 2 kim
	kim releases page to oncall, held by quiet_hours
	-> 2 page oncall again
	open, wakes in 58m0s

# Whoever acknowledges the page where it is has taken the case on: no more pages,
# and nothing climbs until that is over. Hearing of it twice is once.
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
0m answered page oncall kim took
	acknowledged, wakes in 54m0s
1h rang
	-> 3 look
	acknowledged, wakes in 1h0m0s
3h seen
	the hold by kim has ended
	-> 4 look
	open, wakes in 1h0m0s

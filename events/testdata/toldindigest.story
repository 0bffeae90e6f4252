# Three pages in one: the digest tells of this case's page among others. It comes
# again like any page that nobody answers, by itself once the storm is over, and
# what is resolved in the end is that one.
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
0m begun 2 one
	open, wakes in 59m0s
0m held 2 12m digest oncall had 20 pages within 10m; this one is told in a digest
	page to oncall held by digest: oncall had 20 pages within 10m; this one is told in a digest
	open, wakes in 12m0s
10m told 2 curfew-digest-oncall-1
	page to oncall told in a digest: receipt of the digest
	open, wakes in 15m0s
0m told 2 curfew-digest-oncall-1
	open, wakes in 15m0s
15m rang
	nobody has answered the page to oncall
	page to oncall
	-> 3 page oncall
	open, wakes in 30m0s
1m done 3 incident P1
	page to oncall done: incident P1
	open, wakes in 30m0s
10m seen threat=secured sync
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

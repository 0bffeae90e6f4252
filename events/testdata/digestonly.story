# Only a digest has told of the case, and it is over: there is nothing to resolve,
# and nobody is told of the end of something they never got.
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
0m held 2 12m digest too many pages
	page to oncall held by digest: too many pages
	open, wakes in 12m0s
10m told 2 curfew-digest-oncall-1
	page to oncall told in a digest: receipt of the digest
	open, wakes in 15m0s
5m seen threat=secured sync
	seen: threat=secured compliance=compliant
	seen healthy
	case closed by proof
	close to desk
	-> 3 close desk INC-1
	busy, wakes in 1h0m0s
0m seen
	busy, wakes in 1h0m0s

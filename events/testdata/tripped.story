# Something about a whole tenant: its own case, once, until a person closes it.
0m tenant
0m tripped breaker 41 of 100 devices turned bad within 10 minutes
	case opened for a person
	a person must help: breaker: 41 of 100 devices turned bad within 10 minutes
	ticket to desk
	-> 1 ticket desk attention
	attention, wakes in 1h0m0s
1m done 1 INC-8
	ticket to desk done: INC-8
	attention, wakes in 5h59m0s
1m tripped breaker 41 of 100 devices turned bad within 10 minutes
	attention, wakes in 5h58m0s
24h noticed
	attention, wakes in 6h0m0s
1h closed the new compliance policy was withdrawn
	case closed by ana: the new compliance policy was withdrawn
	close to desk
	-> 2 close desk INC-8
	busy, wakes in 1h0m0s
0m done 3
	busy, wakes in 1h0m0s

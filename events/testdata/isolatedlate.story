# The isolation is accepted, and the case closes before it is in place. It has to be
# taken back all the same; and if that fails, a person hears of it although the case
# is closed; it stays open until one has dealt with it.
0m policy contained
0m seen threat=highSeverity user=user@contoso.example enrolled=i1
	seen: threat=highSeverity compliance=compliant
	case opened by policy contained
	mail threat-found
	isolate
	-> 1 mail threat-found
	-> 2 isolate
	open, wakes in 1h0m0s
1m done 1
	mail threat-found done
	open, wakes in 59m0s
1m begun 2 one
	open, wakes in 58m0s
0m accepted 2 10m
	isolate accepted
	open, wakes in 10m0s
1m seen threat=secured sync
	seen: threat=secured compliance=compliant
	seen healthy
	isolate called off
	case closed by proof
	mail cleared
	unisolate
	-> 3 mail cleared
	-> 4 unisolate
	busy, wakes in 1h0m0s
1m begun 4 one
	busy, wakes in 59m0s
1m failed 4 let it go in Defender's portal
	unisolate given up: let it go in Defender's portal
	case opened for a person
	a person must help: unisolate failed: let it go in Defender's portal
	page to oncall
	-> 5 page oncall attention
	attention, wakes in 58m0s
1h seen sync
	-> 3 mail cleared again
	-> 5 page oncall attention again
	-> 6 look
	attention, wakes in 1h0m0s
1m retried 4
	ana tries again: unisolate
	-> 4 unisolate again
	attention, wakes in 59m0s
1m begun 4 two
	attention, wakes in 58m0s
1m done 4
	unisolate done
	sync
	-> 7 sync
	attention, wakes in 57m0s
1h seen sync
	seen healthy
	mail cleared called off
	page to oncall called off
	sync called off
	case closed by proof
	rest

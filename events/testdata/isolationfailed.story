# Defender took the isolation on and it came to nothing: there is nothing to lift.
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
10m failed 2 Defender says Failed
	isolate given up: Defender says Failed
	a person must help: isolate failed: Defender says Failed
	page to oncall
	-> 3 page oncall attention
	attention, wakes in 48m0s
1h seen threat=secured sync
	seen: threat=secured compliance=compliant
	seen healthy
	page to oncall called off
	case closed by proof
	mail cleared
	-> 5 mail cleared
	busy, wakes in 1h0m0s

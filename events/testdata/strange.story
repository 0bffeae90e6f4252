# Microsoft sends a threat state this version does not know: neither a threat nor
# health, but a question to a person.
0m noticed
	-> 1 look
	busy, wakes in 1h0m0s
0m seen threat=quarantinedByTenant
	seen: threat=quarantinedByTenant compliance=compliant
	case opened for a person
	a person must help: partnerReportedThreatState is quarantinedByTenant, which this version does not know
	ticket to desk
	-> 2 ticket desk attention
	attention, wakes in 1h0m0s
1m done 2 INC-4
	ticket to desk done: INC-4
	attention, wakes in 5h59m0s
1h noticed
	-> 3 look
	attention, wakes in 1h0m0s
0m seen
	attention, wakes in 6h0m0s
1h noticed
	-> 4 look
	attention, wakes in 1h0m0s
0m seen threat=secured sync=now
	seen: threat=secured compliance=compliant
	seen healthy
	case closed by proof
	close to desk
	-> 5 close desk INC-4
	busy, wakes in 1h0m0s
0m done 5
	close to desk done
	rest

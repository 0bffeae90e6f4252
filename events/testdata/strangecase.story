# A strange value does not end a case either.
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
1m done 1
	mail threat-found done
	open, wakes in 2h0m0s
1h noticed
	-> 2 look
	open, wakes in 1h0m0s
0m seen threat=quarantinedByTenant sync=now
	seen: threat=quarantinedByTenant compliance=compliant
	a person must help: partnerReportedThreatState is quarantinedByTenant, which this version does not know
	ticket to desk
	-> 3 ticket desk attention
	attention, wakes in 1h0m0s
1m done 3 INC-2
	ticket to desk done: INC-2
	attention, wakes in 59m0s
31m noticed
	-> 4 look
	attention, wakes in 28m0s
0m seen
	attention, wakes in 28m0s

# The threat is gone but BitLocker is still off: the lesser policy takes over when
# the threat was seen gone for long enough.
0m seen threat=highSeverity compliance=noncompliant bitlocker=off
	seen: threat=highSeverity compliance=noncompliant setting=Windows/BitLocker
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
0m seen threat=secured sync=now
	seen: threat=secured compliance=noncompliant setting=Windows/BitLocker
	seen healthy
	clearing, wakes in 30m0s
30m rang
	-> 3 look
	clearing, wakes in 1h0m0s
0m seen
	by policy compliance, no longer by policy threat
	mail noncompliant
	-> 4 mail noncompliant
	open, wakes in 1h0m0s
1m done 4
	mail noncompliant done
	open, wakes in 5h59m0s
1h noticed
	-> 5 look
	open, wakes in 1h0m0s
0m seen compliance=compliant bitlocker=on sync=now
	seen: threat=secured compliance=compliant
	seen healthy
	case closed by proof
	mail cleared
	-> 6 mail cleared
	busy, wakes in 1h0m0s

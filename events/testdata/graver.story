# A device that is only not compliant turns out to be under threat: the graver
# policy takes over at once, from the foot, and the notice counts anew.
0m seen compliance=noncompliant bitlocker=off
	seen: threat=secured compliance=noncompliant setting=Windows/BitLocker
	case opened by policy compliance
	mail noncompliant
	-> 1 mail noncompliant
	open, wakes in 1h0m0s
1m done 1
	mail noncompliant done
	open, wakes in 5h59m0s
1h noticed
	-> 2 look
	open, wakes in 1h0m0s
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=noncompliant setting=Windows/BitLocker
	by policy threat, no longer by policy compliance
	mail threat-found
	-> 3 mail threat-found
	open, wakes in 1h0m0s
1m done 3
	mail threat-found done
	open, wakes in 2h0m0s
2h rang
	-> 4 look
	open, wakes in 1h0m0s
0m seen
	ticket to desk
	quick scan
	-> 5 ticket desk
	-> 6 scan quick
	open, wakes in 1h0m0s

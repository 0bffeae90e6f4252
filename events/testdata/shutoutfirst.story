# A laptop that is shut out already when its case opens: the mail goes out first, for
# it alone is the notice, and then what else there is. Where nobody was mailed, or
# the device is let in, there is nothing else to tell.
0m policy reached
0m seen compliance=noncompliant
	seen: threat=secured compliance=noncompliant
	case opened by policy compliance
	mail noncompliant
	-> 1 mail noncompliant
	open, wakes in 1h0m0s
1m done 1
	mail noncompliant done
	notify
	push
	-> 2 notify
	-> 3 push
	open, wakes in 1h0m0s
1m done 2 Teams took it
	notify done: Teams took it
	open, wakes in 59m0s
0m done 3 nobody was told: the user has no phone
	push done: nobody was told: the user has no phone
	open, wakes in 5h58m0s
1h noticed
	-> 4 look
	open, wakes in 1h0m0s
0m seen compliance=compliant sync=now
	seen: threat=secured compliance=compliant
	seen healthy
	case closed by proof
	mail cleared
	notify
	push
	-> 5 mail cleared
	-> 6 notify
	-> 7 push
	busy, wakes in 1h0m0s
1m seen
	busy, wakes in 59m0s
0m seen compliance=inGracePeriod threat=mediumSeverity
	seen: threat=mediumSeverity compliance=inGracePeriod
	mail cleared called off
	notify called off
	push called off
	case reopened by policy threat
	mail threat-found
	-> 8 mail threat-found
	open, wakes in 1h0m0s

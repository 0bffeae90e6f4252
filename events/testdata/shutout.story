# Conditional Access shuts the laptop out after its user was mailed: they are told
# by other ways too, once for each mail, and again when all is well. None of that
# counts as a notice, and none holds the ladder up.
0m policy reached
0m seen threat=mediumSeverity
	seen: threat=mediumSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
1m done 1
	mail threat-found done
	open, wakes in 2h0m0s
30m noticed
	-> 2 look
	open, wakes in 1h0m0s
0m seen threat=mediumSeverity compliance=noncompliant
	seen: threat=mediumSeverity compliance=noncompliant
	notify
	push
	-> 3 notify
	-> 4 push
	open, wakes in 1h0m0s
1m done 3 Teams took it
	notify done: Teams took it
	open, wakes in 59m0s
0m failed 4 the app needs a permission
	push given up: the app needs a permission
	a person must help: push failed: the app needs a permission
	ticket to desk
	-> 5 ticket desk attention
	attention, wakes in 1h0m0s
1h noticed
	-> 5 ticket desk attention again
	-> 6 look
	attention, wakes in 29m0s
0m seen threat=mediumSeverity compliance=noncompliant
	attention, wakes in 29m0s
1h rang
	-> 5 ticket desk attention again
	-> 7 look
	attention, wakes in 1h0m0s
0m seen threat=mediumSeverity compliance=noncompliant
	quick scan
	-> 9 scan quick
	attention, wakes in 1h0m0s
10m noticed
	-> 10 look
	attention, wakes in 50m0s
0m seen threat=secured compliance=compliant sync=now
	seen: threat=secured compliance=compliant
	seen healthy
	clearing, wakes in 30m0s
40m rang
	-> 11 look
	clearing, wakes in 10m0s
1m seen sync=now
	ticket to desk called off
	ticket to desk called off
	quick scan called off
	case closed by proof
	mail cleared
	notify
	push
	-> 12 mail cleared
	-> 13 notify
	-> 14 push
	busy, wakes in 1h0m0s

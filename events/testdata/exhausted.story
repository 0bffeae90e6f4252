# The ladder has ended and the device is still at risk: a day later a person hears
# of it.
0m seen compliance=noncompliant
	seen: threat=secured compliance=noncompliant
	case opened by policy compliance
	mail noncompliant
	-> 1 mail noncompliant
	open, wakes in 1h0m0s
1m done 1
	mail noncompliant done
	open, wakes in 5h59m0s
48h rang
	-> 2 look
	open, wakes in 1h0m0s
0m seen
	ticket to desk
	-> 3 ticket desk
	open, wakes in 1h0m0s
1m done 3 INC-1
	ticket to desk done: INC-1
	open, wakes in 5h59m0s
25h rang
	a person must help: the ladder has ended and the device is still at risk
	ticket to desk
	-> 4 look
	-> 5 ticket desk attention
	attention, wakes in 1h0m0s
0m seen
	attention, wakes in 1h0m0s
1m done 4
	attention, wakes in 59m0s

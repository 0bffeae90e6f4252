# BitLocker is off: mail and ticket, and never anything more.
0m noticed
	-> 1 look
	busy, wakes in 1h0m0s
0m seen compliance=noncompliant bitlocker=off
	seen: threat=secured compliance=noncompliant setting=Windows/BitLocker
	case opened by policy compliance
	mail noncompliant
	-> 2 mail noncompliant
	open, wakes in 1h0m0s
1m done 2
	mail noncompliant done
	open, wakes in 5h59m0s
48h rang
	-> 3 look
	open, wakes in 1h0m0s
0m seen
	ticket to desk
	-> 4 ticket desk
	open, wakes in 1h0m0s
1m done 4 INC-3
	ticket to desk done: INC-3
	open, wakes in 5h59m0s
720h rang
	a person must help: the ladder has ended and the device is still at risk
	ticket to desk
	-> 5 look
	-> 6 ticket desk attention
	attention, wakes in 1h0m0s
0m seen
	attention, wakes in 1h0m0s
0m done 6
	ticket to desk done
	attention, wakes in 6h0m0s
1h noticed
	-> 7 look
	attention, wakes in 1h0m0s
0m seen compliance=compliant bitlocker=on sync=now
	seen: threat=secured compliance=compliant
	seen healthy
	case closed by proof
	mail cleared
	close to desk
	-> 8 mail cleared
	-> 9 close desk INC-3
	busy, wakes in 1h0m0s
0m done 9
	close to desk done
	busy, wakes in 1h0m0s
0m done 8
	mail cleared done
	rest

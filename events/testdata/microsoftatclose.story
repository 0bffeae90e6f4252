# The device is healthy and its case closed while the reset became a request at
# Microsoft's. Nobody is called about a reset that is not wanted any more.
0m policy two
0m seen threat=mediumSeverity
	seen: threat=mediumSeverity compliance=compliant
	case opened by policy two
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
1m done 1
	mail threat-found done
	open, wakes in 59m0s
25h rang
	-> 2 look
	open, wakes in 1h0m0s
0m seen
	a person must help: reset needs approval by 2: contoso/d1/3-reset
	ticket to desk
	-> 4 ticket desk attention
	attention, wakes in 1h0m0s
1m done 4 INC-1
	ticket to desk done: INC-1
	attention, wakes in 59m0s
1m approved 3 ana
	reset approved by ana (1 of 2)
	attention, wakes in 58m0s
1m approved 3 ben
	reset approved by ben (2 of 2)
	reset
	-> 3 reset
	attention, wakes in 57m0s
1m begun 3 one
	attention, wakes in 56m0s
1m seen threat=secured sync
	seen: threat=secured compliance=compliant
	seen healthy
	case closed by proof
	close to desk
	-> 5 close desk INC-1
	busy, wakes in 58m0s
1m microsoft 3 10m c0de
	reset held by microsoft_approval: an administrator has to approve
	the approval of reset is void: the device has changed
	reset called off
	busy, wakes in 59m0s
1m done 5
	close to desk done
	rest

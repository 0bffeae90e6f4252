# An approval is void when the device changes, for the worse or the better, and
# runs out after a day.
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
1m approved 3 ana
	reset approved by ana (1 of 2)
	attention, wakes in 59m0s
1h noticed
	-> 4 ticket desk attention again
	-> 5 look
	attention, wakes in 1h0m0s
0m seen threat=highSeverity
	seen: threat=highSeverity compliance=compliant
	the approval of reset is void: the device has changed
	attention, wakes in 1h0m0s
1m approved 3 ben
	reset approved by ben (1 of 2)
	attention, wakes in 59m0s
25h rang
	an approval of reset has run out
	-> 4 ticket desk attention again
	-> 6 look
	attention, wakes in 1h0m0s
1m approved 3 ana
	reset approved by ana (1 of 2)
	attention, wakes in 59m0s
1m begun 3 one
	attention, wakes in 58m0s

# The journal is restored from a backup that was made before the reset: whatever is
# pending, or comes due, is settled from the other side's record first.
0m seen threat=mediumSeverity
	seen: threat=mediumSeverity compliance=compliant
	case opened by policy threat
	mail threat-found
	-> 1 mail threat-found
	open, wakes in 1h0m0s
1m begun 1 one
	open, wakes in 59m0s
0m done 1
	mail threat-found done
	open, wakes in 2h0m0s
24h rang
	-> 2 look
	open, wakes in 1h0m0s
0m seen
	ticket to desk
	quick scan
	-> 3 ticket desk
	-> 4 scan quick
	open, wakes in 1h0m0s
1m rewound -20h
	restored from a backup of 2026-03-02T13:02:00Z: what was done since is not known, and is looked for before anything is done
	-> 3 ticket desk again
	-> 4 scan quick again
	open, wakes in 1h0m0s
1m unsure 3 5m the desk does not show it yet
	ticket put off until 2026-03-03T09:08:00Z: the desk does not show it yet
	open, wakes in 5m0s
5m rang
	-> 3 ticket desk again
	open, wakes in 54m0s
0m done 3 INC-1 found
	ticket to desk done: INC-1 found
	open, wakes in 54m0s
0m delayed 4 1m Intune's record does not show it: starting over
	scan put off until 2026-03-03T09:09:00Z: Intune's record does not show it: starting over
	open, wakes in 1m0s
1m rang
	-> 4 scan quick again
	open, wakes in 1h0m0s
0m begun 4 two
	open, wakes in 1h0m0s
0m done 4
	quick scan done
	-> 5 look
	open, wakes in 1h0m0s
0m seen
	open, wakes in 4h0m0s
16h rang
	-> 6 look
	open, wakes in 1h0m0s
0m seen
	reset
	-> 7 reset
	open, wakes in 1h0m0s
0m failed 7 cannot tell whether wipe was started
	reset given up: cannot tell whether wipe was started
	a person must help: reset failed: cannot tell whether wipe was started
	ticket to desk
	-> 8 ticket desk attention
	attention, wakes in 1h0m0s
10m retried 7
	ana tries again: reset
	-> 7 reset again
	attention, wakes in 50m0s
0m begun 7 three
	attention, wakes in 50m0s
0m accepted 7 10m
	reset accepted
	attention, wakes in 10m0s
0m rewound -5m
	restored from a backup of 2026-03-04T01:14:00Z: what was done since is not known, and is looked for before anything is done
	-> 8 ticket desk attention again
	-> 7 reset again
	attention, wakes in 1h0m0s
